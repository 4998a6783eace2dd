"""What is learned: one file per kind of task, and this registry of task families."""

from metademo.tasks.waves import (
    GRID_POINTS,
    PI,
    SHAPES,
    SLACK,
    Array,
    Episode,
    Examples,
    SourceBand,
    TaskFamily,
    Waves,
    turned,
    within,
)

FAMILIES: dict[str, TaskFamily] = {
    family.name: family
    for family in (
        TaskFamily(
            "two-phase",
            "sin(x + b), b is 0 or π",
            phases=(0.0, PI),
            two_phase=True,
            bands=(
                SourceBand(-PI / 2, -PI / 4, phases=(PI, PI)),
                SourceBand(PI / 4, PI / 2, phases=(0.0, 0.0)),
            ),
        ),
        TaskFamily(
            "any-phase",
            "sin(x + b), b anywhere in [0, π]",
            phases=(0.0, PI),
            bands=(SourceBand(-PI / 2, PI / 2, phases=(PI, 0.0)),),
        ),
        TaskFamily(  # Finn et al. 2017, section 5.1: A sin(x - phase)
            "finn",
            "A sin(x - φ), A in [0.1, 5], φ in [0, π]: the standard benchmark",
            phases=(-PI, 0.0),
            amplitudes=(0.1, 5.0),
            x_range=(-5.0, 5.0),
            metric="mse",
        ),
    )
}

__all__ = [
    "FAMILIES",
    "GRID_POINTS",
    "PI",
    "SHAPES",
    "SLACK",
    "Array",
    "Episode",
    "Examples",
    "SourceBand",
    "TaskFamily",
    "Waves",
    "turned",
    "within",
]
