"""Families of waves, and episodes drawn from them.

A *task* is one wave, ``amplitude * sin(frequency * x + phase)``, or the same with another shape in
place of the sine.

Sampling is split in two: :meth:`WaveFamily.sample_tasks` draws tasks, and a :class:`Waves` is
evaluated anywhere, so that a slider can set an amplitude and a phase without sampling.

Each episode is a function of one row of uniform random numbers. The stream of episodes therefore
depends on the seed alone, never on how many are drawn at a time: an engine that asks for a thousand
episodes at once sees the same ones as an engine that asks for one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from metademo.tasks.base import TaskFamily, TaskKind
from metademo.tasks.curves import CURVES
from metademo.tasks.episodes import Array, Episode, Examples
from metademo.tasks.waves_in_numpy import tasks_in_numpy

Interval = tuple[float, float]
PI = float(np.pi)
GRID_POINTS = 400
SLACK = 1e-9
"""What rounding may take a value out of an interval that it belongs to."""

SHAPES: dict[str, Callable[[Array], Array]] = {
    "sine": np.sin,
    "square": lambda angle: np.sign(np.sin(angle)),
    "triangle": lambda angle: 2 / PI * np.arcsin(np.sin(angle)),
    "sawtooth": lambda angle: 2 * ((angle / (2 * PI) + 0.5) % 1) - 1,
}
"""One period of 2 pi, between -1 and 1, that rises through (or jumps at) zero as the sine does."""


@dataclass(frozen=True)
class Waves:
    """A batch of tasks: amplitude, frequency and phase (radians), each of shape (tasks,).

    `shape` is one of `SHAPES`.
    """

    amplitude: Array
    frequency: Array
    phase: Array
    shape: str = "sine"

    @classmethod
    def one(
        cls,
        amplitude: float = 1.0,
        frequency: float = 1.0,
        phase: float = 0.0,
        shape: str = "sine",
    ) -> Waves:
        """A single task as a batch of one."""
        a, f, p = (np.array([float(value)]) for value in (amplitude, frequency, phase))
        return cls(a, f, p, shape)

    def __len__(self) -> int:
        return len(self.phase)

    def __call__(self, x: ArrayLike) -> Array:
        """The waves at `x`, of shape (points,) or (tasks, points): an array (tasks, points)."""
        angle = self.frequency[:, None] * np.asarray(x) + self.phase[:, None]
        return self.amplitude[:, None] * SHAPES[self.shape](angle)


@dataclass(frozen=True)
class SourceBand:
    """A stretch of the source domain and the phase (radians) that an input from it stands for.

    `phases` are those at the two ends of the band: equal when the whole band means one phase.
    """

    low: float
    high: float
    phases: tuple[float, float]

    @property
    def means_one(self) -> bool:
        """Whether the whole band means one phase, so that any input of it will do."""
        return self.phases[0] == self.phases[1]

    def __contains__(self, x: float) -> bool:
        return self.low <= x <= self.high

    def phase(self, x: float) -> float:
        """The phase that the source input `x` stands for (linear between the ends)."""
        return float(np.interp(x, (self.low, self.high), self.phases))


@dataclass(frozen=True)
class WaveFamily(TaskFamily):
    """A distribution over waves, and over the inputs at which they are seen.

    To test outside of what was trained on, `dataclasses.replace` one of its attributes: another
    shape, wider amplitudes or frequencies, noise.

    Attributes:
        phases: the phases (radians) that occur: two ends of a uniform interval, or, when
            `two_phase` is set, the two values themselves, equally likely.
        amplitudes: uniform interval of amplitudes.
        x_range: inputs are uniform over it.
        bands: the source domain; empty if the family has no source-domain rule.
        frequencies: uniform interval of frequencies.
        shape: of the waves, one of `SHAPES`.
        noise: standard deviation of the normal error of support labels; query labels have none.
        metric: "l1", |difference|, as in the article, or "mse", its square, as in the standard
            benchmark.
    """

    kind: ClassVar[TaskKind] = CURVES
    measured: ClassVar[str] = "error against the true wave"

    name: str
    title: str
    phases: Interval
    amplitudes: Interval = (1.0, 1.0)
    x_range: Interval = (-2 * PI, 2 * PI)
    two_phase: bool = False
    bands: tuple[SourceBand, ...] = ()
    frequencies: Interval = (1.0, 1.0)
    shape: str = "sine"
    noise: float = 0.0
    metric: str = "l1"

    @property
    def has_source_domain(self) -> bool:
        return bool(self.bands)

    @property
    def grid(self) -> Array:
        """The uniform grid over the inputs on which curves are drawn and errors measured."""
        return np.linspace(*self.x_range, GRID_POINTS)

    @property
    def unit_amplitude(self) -> bool:
        """Whether all waves are of amplitude 1."""
        return self.amplitudes == (1.0, 1.0)

    def sample_tasks(self, rng: np.random.Generator, n: int) -> Waves:
        """Draw `n` tasks."""
        return self._waves(rng.random((n, self._numbers)))

    def sample_episodes(
        self, rng: np.random.Generator, n: int, *, shots: int, queries: int, sources: int = 0
    ) -> tuple[Waves, Episode[Array]]:
        """As every family does; the tasks are described as `Waves`."""
        seen = sources or shots
        noisy = 0 if sources or not self.noise else 2 * shots
        ends = np.cumsum([self._numbers, seen, queries, noisy])
        uniform = rng.random((n, ends[-1]))
        waves_u, support_u, query_u, noise_u, _ = np.split(uniform, ends, axis=1)
        waves = self._waves(waves_u)
        if sources:
            support: Examples[Array] = Examples(self._source_inputs(waves, support_u))
        else:
            support = self._labelled(waves, support_u)
        if noisy:
            support = support._replace(y=support.labels + self.noise * _normal(noise_u))
        return waves, Episode(support, self._labelled(waves, query_u))

    def sample_held_out(
        self, rng: np.random.Generator, n: int, *, shots: int, sources: int = 0, every: int = 1
    ) -> Episode[Array]:
        """As every family does; all waves are measured on the same grid."""
        waves, episode = self.sample_episodes(rng, n, shots=shots, queries=0, sources=sources)
        grid = self.grid[::every]
        return Episode(episode.support, Examples(grid, waves(grid)))

    def band_of(self, x: float) -> SourceBand | None:
        """The band that the source input `x` lies in, or None if it lies in none."""
        return next((band for band in self.bands if x in band), None)

    def in_numpy(self, *, unlabelled: bool) -> str:
        return tasks_in_numpy(self, unlabelled)

    def contains_phase(self, phase: float) -> bool:
        """Whether a wave of this phase (radians, modulo 2 pi) is one of the family's."""
        stretches = [(end, end) for end in self.phases] if self.two_phase else [self.phases]
        return any(within(phase, low, high, 2 * PI) for low, high in stretches)

    def contains_amplitude(self, amplitude: float) -> bool:
        """Whether a wave of this amplitude is one of the family's."""
        return within(amplitude, *self.amplitudes)

    def contains_frequency(self, frequency: float) -> bool:
        """Whether a wave of this frequency is one of the family's."""
        return within(frequency, *self.frequencies)

    def nearest(self, x: Array, y: Array, like: Waves) -> Waves:
        """The wave that passes nearest to the points (x, y), in mean |difference|.

        Its phase and amplitude are those of one of the family's waves (to a degree, and to a
        fiftieth of the interval), or those of `like` (one wave) if that is as near as any. What
        does not vary in the family, and the shape, it has from `like`.
        """
        own = self.phases if self.two_phase else np.linspace(*self.phases, 181)
        phases = np.array([like.phase[0], *own])
        levels = like.amplitude
        if self.amplitudes[0] != self.amplitudes[1]:
            levels = np.array([like.amplitude[0], *np.linspace(*self.amplitudes, 50)])
        count = len(phases) * len(levels)
        candidates = Waves(
            np.repeat(levels, len(phases)),
            np.full(count, like.frequency[0]),
            np.tile(phases, len(levels)),
            like.shape,
        )
        best = int(np.argmin(np.abs(candidates(x) - y).mean(1).round(9)))
        return Waves.one(
            candidates.amplitude[best], like.frequency[0], candidates.phase[best], like.shape
        )

    def source_of(self, phase: float) -> float | None:
        """A source-domain input that stands for this phase (radians), or None if none does."""
        wave = Waves.one(phase=phase)
        try:
            return float(self._source_inputs(wave, np.array([[0.5]]))[0, 0])
        except ValueError:
            return None

    def _waves(self, uniform: Array) -> Waves:
        draw = (uniform[:, 0] >= 0.5) if self.two_phase else uniform[:, 0]
        phase = self.phases[0] + (self.phases[1] - self.phases[0]) * draw
        amplitude = self.amplitudes[0] + (self.amplitudes[1] - self.amplitudes[0]) * uniform[:, 1]
        frequency = np.full_like(phase, self.frequencies[0])
        if uniform.shape[1] > 2:
            frequency += (self.frequencies[1] - self.frequencies[0]) * uniform[:, 2]
        return Waves(amplitude, frequency, phase, self.shape)

    @property
    def _numbers(self) -> int:
        """Uniform numbers that a task takes; one frequency for all takes none."""
        return 2 + (self.frequencies[0] != self.frequencies[1])

    def _labelled(self, waves: Waves, uniform: Array) -> Examples[Array]:
        low, high = self.x_range
        x = low + (high - low) * uniform
        return Examples(x, waves(x))

    def _source_inputs(self, waves: Waves, uniform: Array) -> Array:
        """Inputs from the band that stands for each task's phase: shape (tasks, sources)."""
        if not self.bands:
            raise ValueError(f"family {self.name!r} has no source domain")
        inputs = np.full_like(uniform, np.nan)
        for band in self.bands:
            first, last = band.phases
            phase = turned(waves.phase, min(first, last))
            inside = phase <= max(first, last) + SLACK
            if band.means_one:
                inputs[inside] = band.low + (band.high - band.low) * uniform[inside]
            else:  # each input of the band means one phase: invert that map
                place = np.clip((phase[inside] - first) / (last - first), 0, 1)
                inputs[inside] = (band.low + (band.high - band.low) * place)[:, None]
        if np.isnan(inputs).any():
            raise ValueError(f"no source input of {self.name!r} stands for some of these phases")
        return inputs


def turned(angle: ArrayLike, low: float, turn: float = 2 * PI) -> Array:
    """The same angles, whole turns added or taken away, from `low` to less than a turn above it.

    An angle that lies there already is left as it is, to the last bit.
    """
    angle = np.asarray(angle, dtype=np.float64)
    return angle - turn * np.floor((angle - low + SLACK) / turn)


def within(value: float, low: float, high: float, turn: float = 0.0) -> bool:
    """Whether the value is between `low` and `high`, if need be after some whole turns."""
    value = float(turned(value, low, turn)) if turn else value
    return low - SLACK <= value <= high + SLACK


def _normal(uniform: Array) -> Array:
    """Standard normal numbers, one from two uniform ones each (Box and Muller 1958)."""
    radius, angle = np.split(uniform, 2, axis=1)
    return np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * PI * angle)


def as_waves(family: TaskFamily) -> WaveFamily:
    """The same family, for those who draw or change waves.

    Raises:
        ValueError: if its tasks are no waves.
    """
    if not isinstance(family, WaveFamily):
        raise ValueError(f"the tasks of family {family.name!r} are no waves")
    return family
