"""How points in the visitor's own units lie on the chart: shifted and stretched, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

Point = tuple[float, float]
Range = tuple[float, float]

LARGEST = 1e15
"""Beyond it numbers are no measurements, and a shift would leave nothing of their digits."""
FINEST, COARSEST = 1e-12, 1e17
"""Of the units and shifts that bring such numbers onto a chart."""
FILLED = 0.9
"""How much of the chart's width the points are given at most."""
CONSTANT = 1e-9
"""Numbers that differ by no more than this share of their size are taken for the same."""
DIGITS = 13
"""Of what is scaled back: what lies below them is rounding error, not the visitor's."""


@dataclass(frozen=True)
class Axis:
    """One axis: 0 on the chart is `zero` of the visitor's own numbers, and 1 is `unit` more.

    Raises:
        ValueError: if no number could be scaled by it and back.
    """

    zero: float = 0.0
    unit: float = 1.0

    def __post_init__(self) -> None:
        if not (abs(self.zero) <= COARSEST and FINEST <= self.unit <= COARSEST):
            raise ValueError(f"no axis: zero {self.zero}, unit {self.unit}")

    @classmethod
    def fitting(cls, values: list[float], target: Range) -> Self:
        """An axis with few digits that brings all the values into the middle of `target`."""
        low, high = min(values), max(values)
        middle, width = (low + high) / 2, high - low
        if width <= CONSTANT * max(abs(low), abs(high)):
            return cls(_rounded(middle, 1.0), 1.0)
        unit = _rounded_up(width / (FILLED * (target[1] - target[0])))
        return cls(_rounded(middle - unit * (target[0] + target[1]) / 2, unit), unit)

    def onto_chart(self, value: float) -> float:
        return (value - self.zero) / self.unit

    def back(self, value: float) -> float:
        """The visitor's own number, without the rounding errors of the way there and back."""
        if self == Axis():
            return value
        size = abs(self.zero) + 10 * self.unit
        return round(self.zero + self.unit * value, DIGITS - math.ceil(math.log10(size)))

    def in_words(self, name: str) -> str:
        """Such as "x = 2012 + 1.9 × the chart's x"."""
        zero = f"{self.zero:.15g} + " if self.zero else ""
        return f"{name} = {zero}{self.unit:.15g} × the chart’s {name}".replace("-", "−")


@dataclass(frozen=True)
class Scaling:
    """Where on the chart the visitor's own points lie."""

    x: Axis = Axis()
    y: Axis = Axis()

    @classmethod
    def of(cls, values: tuple[float, ...]) -> Self:
        """The inverse of `values`.

        Raises:
            ValueError: if these are not four numbers that scale anything.
        """
        if not values:
            return cls()
        x_zero, x_unit, y_zero, y_unit = values
        return cls(Axis(x_zero, x_unit), Axis(y_zero, y_unit))

    @property
    def values(self) -> tuple[float, ...]:
        """Zero and unit of x, zero and unit of y; () if nothing is scaled."""
        axes = () if self == Scaling() else (self.x, self.y)
        return tuple(value for axis in axes for value in (axis.zero, axis.unit))

    def onto_chart(self, points: Iterable[Point]) -> tuple[Point, ...]:
        return tuple((self.x.onto_chart(x), self.y.onto_chart(y)) for x, y in points)

    def back(self, points: Iterable[Point]) -> tuple[Point, ...]:
        """The inverse of `onto_chart`, to a billionth of the largest number."""
        return tuple((self.x.back(x), self.y.back(y)) for x, y in points)

    @property
    def in_words(self) -> str:
        """Part of a sentence; "" if nothing is scaled."""
        axes = {"x": self.x, "y": self.y}
        return ", ".join(axis.in_words(name) for name, axis in axes.items() if axis != Axis())


UNSCALED = Scaling()


@dataclass(frozen=True)
class Room:
    """Where points may lie on a chart.

    Attributes:
        x, y: the chart's.
        wave: heights that the waves reach, which points are brought to if they have to be scaled.
    """

    x: Range
    y: Range
    wave: Range

    def outside(self, points: Iterable[Point]) -> int:
        """How many of the points lie beyond the chart."""
        return sum(not (_in(x, self.x) and _in(y, self.y)) for x, y in points)

    def scaling(self, points: Iterable[Point]) -> Scaling:
        """What brings the points (one at least, all `usable`) onto the chart.

        An axis that holds them all stays as it is.
        """
        xs, ys = ([*values] for values in zip(*points, strict=True))
        return Scaling(_needed(xs, self.x, self.x), _needed(ys, self.y, self.wave))


def usable(points: Iterable[Point]) -> bool:
    """Whether the points are small enough to be scaled."""
    return all(abs(value) <= LARGEST for point in points for value in point)


def _needed(values: list[float], chart: Range, target: Range) -> Axis:
    return Axis() if all(_in(v, chart) for v in values) else Axis.fitting(values, target)


def _in(value: float, bounds: Range) -> bool:
    slack = 1e-9 * (bounds[1] - bounds[0])  # scaled back and again, the border may lie elsewhere
    return bounds[0] - slack <= value <= bounds[1] + slack


def _rounded_up(value: float) -> float:
    """To two digits, and no less than it was."""
    place = math.floor(math.log10(value)) - 1
    return round(math.ceil(round(value / 10.0**place, 6)) * 10.0**place, max(0, -place))


def _rounded(value: float, unit: float) -> float:
    """To a tenth of a unit, or finer."""
    return round(value, 1 - math.floor(math.log10(unit)))
