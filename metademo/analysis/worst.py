"""The points at which a learner fails most, and what sets them apart.

The search is for points on one wave. Random ones are tried all at once; the worst of them then move
in ever smaller random steps, and after each step the worst so far are kept (an evolution strategy,
Rechenberg 1973). It depends on its seed alone. The random ones stay at hand: against them the
search can be judged, and what is special about the worst can be told from what any points have.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from metademo.evaluation import ordered, run_learner
from metademo.models import Model
from metademo.tasks import CURVES, PI, Array, Examples, WaveFamily, Waves

POINTS = 4
RANDOM = 2_000
"""Sets of points drawn at random: where the search starts, and what it is compared with."""
PARENTS, CHILDREN, ROUNDS = 16, 16, 16
SHRINK = 0.75
"""How much shorter the steps are from round to round; the first are a tenth of the range."""
EVERY = 4
"""The search measures on every fourth point of the grid, and what it has found on all of them."""
APART = 0.02
"""How far points are from each other at least, as a share of the range: a chart shows each."""
FAR = 0.5
"""A wave is another one if it is off by half the amplitude on average, or more."""
TELLING = 10
"""A trait is looked into if the worst points have more of it than all but 10 % of random sets."""
WORSE = 1.25
"""It tells something if random sets that have it fail by a quarter more than all of them."""
TRIED = 250
"""Sets of points adapted side by side, which bounds the memory."""


@dataclass(frozen=True)
class Trial:
    """A learner on sets of points of one wave.

    Attributes:
        family: its inputs are where points may be, and its grid is where errors are measured.
        wave: the true one, a batch of one.
        steps, inner_lr: see `Learner.run`.
    """

    model: Model
    family: WaveFamily
    wave: Waves
    steps: int
    inner_lr: float | None = None

    @property
    def key(self) -> Hashable:
        """Tells this trial from others."""
        wave, model = self.wave, self.model
        numbers = (float(v[0]) for v in (wave.amplitude, wave.frequency, wave.phase))
        about = (model.fingerprint, model.learner, self.family, wave.shape, *numbers)
        return *about, self.steps, self.inner_lr

    def errors(self, x: Array, every: int = 1) -> Array:
        """Mean |difference| from the true wave after the last step, infinite where it ran away.

        Args:
            x: where the points are, (sets, points).
            every: measure on every so-many-th point of the grid.

        Returns:
            One for each set, (sets,).

        Raises:
            ValueError: for a learner that learns from no labelled points; see also `Learner.run`.
        """
        if self.model.learner.unlabelled:
            raise ValueError(f"{self.model.learner.name} learns from no labelled points")
        batches = np.split(x, range(TRIED, len(x), TRIED))
        return np.concatenate([self._errors(batch, self.family.grid[::every]) for batch in batches])

    def _errors(self, x: Array, grid: Array) -> Array:
        learner, meta = self.model.learner, self.model.meta
        support = Examples(x, self.heights(x))
        found = run_learner(learner, meta, support, grid, steps=self.steps, inner_lr=self.inner_lr)
        with np.errstate(over="ignore", invalid="ignore"):  # where it ran away
            return ordered(CURVES.metrics["l1"](found.outputs[-1], self.wave(grid)))

    def heights(self, x: Array) -> Array:
        """The true wave at `x`, of any shape."""
        return self.wave(np.ravel(x))[0].reshape(x.shape)


@dataclass(frozen=True)
class Worst:
    """What a search has found.

    Attributes:
        x: where the points are, in order, (points,).
        error: after the last step, on the whole grid.
        random: the sets that were drawn at random, (sets, points).
        errors: theirs, (sets,); as in the search measured on a part of the grid.
    """

    x: Array
    error: float
    random: Array
    errors: Array

    @property
    def median(self) -> float:
        """Of the errors of the random sets."""
        return float(np.median(self.errors))


def worst_points(trial: Trial, *, seed: int = 0, count: int = POINTS) -> Worst:
    """The points on the wave at which the learner fails most, as far as a search finds them.

    They are `APART` at least, as are those it is compared with.

    Raises:
        ValueError: see `Trial.errors`.
    """
    rng = np.random.default_rng(seed)
    low, high = trial.family.x_range
    x = random_points(rng, RANDOM, trial.family, count)
    errors = trial.errors(x, EVERY)
    best, theirs = _worst_of(x, errors)
    for step in 0.1 * (high - low) * SHRINK ** np.arange(ROUNDS):
        # Each moves some of its points and leaves the others where they did harm.
        moves = rng.normal(0, step, (PARENTS * CHILDREN, count)) * rng.integers(
            2, size=(PARENTS * CHILDREN, count)
        )
        tried = apart(np.repeat(best, CHILDREN, axis=0) + moves, trial.family)
        best, theirs = _worst_of(
            np.concatenate([best, tried]), np.concatenate([theirs, trial.errors(tried, EVERY)])
        )
    exact = trial.errors(best)
    first = int(np.argmax(exact))
    return Worst(best[first], float(exact[first]), x, errors)


def _worst_of(x: Array, errors: Array) -> tuple[Array, Array]:
    kept = np.argsort(-errors, kind="stable")[:PARENTS]
    return x[kept], errors[kept]


def random_points(rng: np.random.Generator, n: int, family: WaveFamily, count: int) -> Array:
    """`n` sets of inputs, uniform among those that are `APART`, each in order: (n, count)."""
    low, high = family.x_range
    gap = APART * (high - low)
    free = np.sort(rng.uniform(low, high - (count - 1) * gap, (n, count)), axis=1)
    return free + gap * np.arange(count)


def apart(x: Array, family: WaveFamily) -> Array:
    """The inputs in order, and moved as far as it takes for them to be `APART`: (sets, points)."""
    low, high = family.x_range
    gap = APART * (high - low) * np.arange(x.shape[1])
    # What is left when the gaps between them are taken out has only to be in order.
    return (
        np.clip(np.maximum.accumulate(np.sort(x, axis=1) - gap, axis=1), low, high - gap[-1]) + gap
    )


# ------------------------------------------------------------------------ why


class Trait(NamedTuple):
    """Something of a set of points that may do harm: the less, the worse."""

    name: str
    measure: Callable[[Trial, Array], Array]
    """Of sets of points, (sets, points), one number each."""


@dataclass(frozen=True)
class Reason:
    """A trait that sets the worst points apart, and goes with larger errors at random ones, too.

    Attributes:
        trait: its name in `TRAITS`.
        value: of the worst points.
        usual: the median of the random sets.
        with_it: the median error of the tenth of the random sets that has most of it.
        overall: the median error of all of them.
    """

    trait: str
    value: float
    usual: float
    with_it: float
    overall: float

    @property
    def strength(self) -> float:
        """How many times as large errors are where it is found."""
        return self.with_it / max(self.overall, 1e-9)


def reasons(trial: Trial, worst: Worst) -> list[Reason]:
    """Why these points are the worst as far as numbers tell, the strongest reason first."""
    found = []
    for trait in TRAITS:
        usual = trait.measure(trial, worst.random)
        value = float(trait.measure(trial, worst.x[None])[0])
        edge = np.sort(usual)[len(usual) * TELLING // 100]
        reason = Reason(
            trait.name,
            value,
            float(np.median(usual)),
            float(np.median(worst.errors[usual <= edge])),
            worst.median,
        )
        if value < edge and reason.strength >= WORSE:
            found.append(reason)
    return sorted(found, key=lambda reason: -reason.strength)


def one_phase(trial: Trial, x: Array) -> Array:
    """The shortest stretch of half a period that holds all the points, in radians of phase.

    Half a period on, a wave is the same upside down: points there tell of it what one of them does.
    """
    turn = np.sort((trial.wave.frequency[0] * x + trial.wave.phase[0]) % PI, axis=1)
    gaps = np.diff(turn, axis=1, append=turn[:, :1] + PI)
    return PI - gaps.max(axis=1)


def near_zero(trial: Trial, x: Array) -> Array:
    """The median distance of the points from the zero line, as a share of the amplitude."""
    return np.median(np.abs(trial.heights(x)), axis=1) / max(float(trial.wave.amplitude[0]), 1e-9)


def covered(trial: Trial, x: Array) -> Array:
    """What the widest stretch of inputs without a point leaves over, as a share of the range."""
    low, high = trial.family.x_range
    ends = np.broadcast_to([low, high], (len(x), 2))
    edges = np.concatenate([ends[:, :1], np.sort(x, axis=1), ends[:, 1:]], axis=1)
    return 1 - np.diff(edges, axis=1).max(axis=1) / (high - low)


def rivalled(trial: Trial, x: Array) -> Array:
    """How near another wave that it was trained on passes the points, in mean |difference|."""
    return _distances(trial, x).min(axis=0)


def rival(trial: Trial, x: Array) -> Waves | None:
    """The other wave that it was trained on that passes nearest to the points, (points,)."""
    waves = _others(trial)
    if not len(waves):
        return None
    return _some(waves, [int(np.argmin(_distances(trial, x[None])[:, 0]))])


TRAITS = (
    Trait("rival", rivalled),
    Trait("one phase", one_phase),
    Trait("near zero", near_zero),
    Trait("gap", covered),
)


def _distances(trial: Trial, x: Array) -> Array:
    """Mean |difference| of the other waves from sets of points, (waves, sets)."""
    heights = trial.heights(x)
    waves = _others(trial)
    if not len(waves):
        return np.full((1, len(x)), np.inf)
    passed = waves(np.ravel(x)).reshape(len(waves), *x.shape)
    return np.abs(passed - heights).mean(axis=2)


@functools.lru_cache(maxsize=64)
def _waves_of(family: WaveFamily) -> Waves:
    """Waves from all over a family."""
    phases = np.array(family.phases) if family.two_phase else np.linspace(*family.phases, 91)
    heights = np.unique(np.linspace(*family.amplitudes, 10))
    frequencies = np.unique(np.linspace(*family.frequencies, 5))
    a, f, p = (v.ravel() for v in np.meshgrid(heights, frequencies, phases, indexing="ij"))
    return Waves(a, f, p, family.shape)


def _others(trial: Trial) -> Waves:
    """Those waves of the family that are `FAR` from the true one."""
    waves, grid = _waves_of(trial.family), trial.family.grid[::EVERY]
    off = np.abs(waves(grid) - trial.wave(grid)).mean(axis=1)
    far = off >= FAR * trial.wave.amplitude[0]
    return _some(waves, far)


def _some(waves: Waves, which: Array | list[int]) -> Waves:
    return Waves(waves.amplitude[which], waves.frequency[which], waves.phase[which], waves.shape)
