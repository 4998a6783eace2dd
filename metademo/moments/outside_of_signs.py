"""What may be done to a drawing that leads out of what was trained on. The Draw page offers it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metademo.tasks import Array
from metademo.tasks.strokes import BOX, THICKNESS


@dataclass(frozen=True)
class Change:
    """One thing that may be done to a drawing, as a number.

    Attributes:
        title: in words.
        values: those at which accuracy is measured.
        trained: the stretch of it that the generator of signs keeps to.
        usual: what it is where nothing is done.
        step: between two values that a visitor may choose.
        unit: written behind a number.
    """

    title: str
    values: tuple[float, ...]
    trained: tuple[float, float]
    usual: float
    step: float
    unit: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        return self.values[0], self.values[-1]

    def contains(self, value: float) -> bool:
        """Whether the generator makes such a drawing."""
        return self.trained[0] <= value <= self.trained[1]

    def in_words(self, value: float) -> str:
        return f"{value:g}{self.unit}".replace("-", "−")

    @property
    def trained_in_words(self) -> str:
        return " to ".join(map(self.in_words, self.trained))


def _values(low: float, high: float, step: float) -> tuple[float, ...]:
    found: Array = np.arange(low, high + step / 2, step)
    return tuple(round(float(value), 6) for value in found)


CHANGES = {
    # The generator's turn has a standard deviation of .16 and is uniform; its boxes are 17.5 to
    # 19.5 pixels long, its lines 1.5 to 3.5 wide: see `tasks.pen`, which is not imported here, as
    # that takes a second.
    "turn": Change("Turn", _values(-90, 90, 15), (-16, 16), 0, 5, "°"),
    "thickness": Change("Thickness", _values(1, 6, 0.5), (1.5, 3.5), THICKNESS, 0.5, " px"),
    "size": Change(
        "Size",
        _values(0.4, 1.2, 0.1),
        tuple(round(side / (BOX - THICKNESS), 2) for side in (17.5, 19.5)),  # type: ignore[arg-type]
        1.0,
        0.1,
    ),
}
