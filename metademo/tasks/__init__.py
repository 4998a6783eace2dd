"""What is learned: one file per kind of task, and this registry of task families."""

from metademo.tasks.base import TaskFamily, TaskKind
from metademo.tasks.classes import probabilities
from metademo.tasks.curves import CURVES
from metademo.tasks.episodes import Array, Episode, Examples
from metademo.tasks.glyphs import GLYPHS, GlyphFamily, Signs, warm_signs
from metademo.tasks.handwriting import Handwriting, digits, mnist
from metademo.tasks.strokes import Strokes, as_image
from metademo.tasks.waves import (
    GRID_POINTS,
    PI,
    SHAPES,
    SLACK,
    SourceBand,
    WaveFamily,
    Waves,
    as_waves,
    turned,
    within,
)

FAMILIES: dict[str, TaskFamily] = {
    family.name: family
    for family in (
        WaveFamily(
            "two-phase",
            "sin(x + b), b is 0 or π",
            phases=(0.0, PI),
            two_phase=True,
            bands=(
                SourceBand(-PI / 2, -PI / 4, phases=(PI, PI)),
                SourceBand(PI / 4, PI / 2, phases=(0.0, 0.0)),
            ),
        ),
        WaveFamily(
            "any-phase",
            "sin(x + b), b anywhere in [0, π]",
            phases=(0.0, PI),
            bands=(SourceBand(-PI / 2, PI / 2, phases=(PI, 0.0)),),
        ),
        WaveFamily(  # Finn et al. 2017, section 5.1: A sin(x - phase)
            "finn",
            "A sin(x - φ), A in [0.1, 5], φ in [0, π]: the standard benchmark",
            phases=(-PI, 0.0),
            amplitudes=(0.1, 5.0),
            x_range=(-5.0, 5.0),
            metric="mse",
        ),
        WaveFamily(
            "finn-noisy",
            "A sin(x - φ) as in the benchmark, with noise of 0.3 on the labels",
            phases=(-PI, 0.0),
            amplitudes=(0.1, 5.0),
            x_range=(-5.0, 5.0),
            noise=0.3,
            metric="mse",
        ),
        GlyphFamily("glyphs", "signs of a few random strokes, seen once each"),
    )
}

WRITTEN: dict[str, TaskFamily] = {
    family.name: family
    for family in (
        Handwriting("digits", "digits of the UCI repository", digits),
        Handwriting("mnist", "digits of MNIST", mnist),
    )
}
"""Families that are there to be measured on; nothing is trained on them."""


def warm_tasks() -> None:
    """Compile what draws tasks, or load it from disk: some seconds once, then half a second."""
    warm_signs()


def wave_families() -> dict[str, WaveFamily]:
    """Those of the registry whose tasks are waves, which is what the pages can draw."""
    return {name: f for name, f in FAMILIES.items() if isinstance(f, WaveFamily)}


def shown_families() -> dict[str, TaskFamily]:
    """Those of the registry whose tasks can be seen: waves, and signs."""
    return {name: f for name, f in FAMILIES.items() if f.kind in (CURVES, GLYPHS)}


__all__ = [
    "CURVES",
    "FAMILIES",
    "GLYPHS",
    "GRID_POINTS",
    "PI",
    "SHAPES",
    "SLACK",
    "WRITTEN",
    "Array",
    "Episode",
    "Examples",
    "GlyphFamily",
    "Handwriting",
    "Signs",
    "SourceBand",
    "Strokes",
    "TaskFamily",
    "TaskKind",
    "WaveFamily",
    "Waves",
    "as_image",
    "as_waves",
    "probabilities",
    "shown_families",
    "turned",
    "warm_tasks",
    "wave_families",
    "within",
]
