"""Attributes of waves that a visitor may take out of the trained range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from metademo.tasks import SHAPES, Array, WaveFamily, within

SHAPE_NAMES = list(SHAPES)


@dataclass(frozen=True)
class Attribute:
    """One attribute of a wave, as a number; phases are in degrees.

    Attributes:
        title: in words.
        values: those at which errors are measured, for a family.
        trained: the stretches of it that occur in a family.
        at: the family with this value of it only.
        slider: least and greatest value that a visitor may choose, and the step between two.
        names: what the values are called, if they are kinds and not numbers.
        unit: written behind a number.
        turn: after which the values repeat; 0 if they don't.
    """

    title: str
    values: Callable[[WaveFamily], Array]
    trained: Callable[[WaveFamily], list[tuple[float, float]]]
    at: Callable[[WaveFamily, float], WaveFamily]
    slider: Callable[[WaveFamily], tuple[float, float, float]] = lambda family: (0, 0, 0)
    names: tuple[str, ...] = ()
    unit: str = ""
    turn: float = 0.0

    def contains(self, family: WaveFamily, value: float) -> bool:
        """Whether the value occurs in the family."""
        return any(within(value, low, high, self.turn) for low, high in self.trained(family))

    def trained_among(self, family: WaveFamily) -> list[tuple[float, float]]:
        """The trained stretches as far as they reach between the least and the greatest value.

        What repeats is there as often as it fits: the phase of -180° is that of 180°.
        """
        values = self.values(family)
        least, greatest = float(values.min()), float(values.max())
        shifts = {-self.turn, 0.0, self.turn}
        stretches = [
            (max(low + shift, least), min(high + shift, greatest))
            for shift in shifts
            for low, high in self.trained(family)
        ]
        return sorted((low, high) for low, high in stretches if low <= high)

    def trained_in_words(self, family: WaveFamily) -> str:
        """Such as "0.1 to 5", or "0° or 180°"."""
        return " or ".join(
            self.in_words(low) if low == high else f"{self.in_words(low)} to {self.in_words(high)}"
            for low, high in self.trained(family)
        )

    def in_words(self, value: float) -> str:
        if self.names:
            return self.names[round(value)]
        return f"{value:g}{self.unit}".replace("-", "−")


def _highest(family: WaveFamily) -> float:
    return max(family.amplitudes)


def _phases(family: WaveFamily) -> list[tuple[float, float]]:
    low, high = (float(np.degrees(phase)) for phase in family.phases)
    return [(low, low), (high, high)] if family.two_phase else [(low, high)]


def _one_phase(family: WaveFamily, degrees: float) -> WaveFamily:
    # Both ends alike, so that none of them is drawn by chance where there are two.
    return replace(family, phases=(np.radians(degrees),) * 2)


ATTRIBUTES = {
    "amplitude": Attribute(
        "Amplitude",
        lambda family: _highest(family) * np.arange(1, 11) / 5,
        lambda family: [family.amplitudes],
        lambda family, value: replace(family, amplitudes=(value, value)),
        lambda family: (0.0, 2 * _highest(family), 0.05 * _highest(family)),
    ),
    "frequency": Attribute(
        "Frequency",
        lambda family: np.arange(0.5, 2.01, 0.125),
        lambda family: [family.frequencies],
        lambda family, value: replace(family, frequencies=(value, value)),
        lambda family: (0.25, 3.0, 0.05),
    ),
    "phase": Attribute(
        "Phase",
        lambda family: np.arange(-180.0, 181, 20),
        _phases,
        _one_phase,
        lambda family: (-180, 180, 1),
        unit="°",
        turn=360.0,
    ),
    "noise": Attribute(
        "Noise",
        lambda family: np.union1d(_highest(family) * np.arange(0, 0.41, 0.05), [family.noise]),
        lambda family: [(family.noise, family.noise)],
        lambda family, value: replace(family, noise=value),
        lambda family: (0.0, 0.4 * _highest(family), 0.01 * _highest(family)),
    ),
    "shape": Attribute(
        "Shape",
        lambda family: np.arange(len(SHAPES)),
        lambda family: [(SHAPE_NAMES.index(family.shape),) * 2],
        lambda family, value: replace(family, shape=SHAPE_NAMES[round(value)]),
        names=tuple(SHAPE_NAMES),
    ),
}
