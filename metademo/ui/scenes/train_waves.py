"""Runs on waves, as the Train page shows them: probe curves, and errors. No Streamlit here."""

from __future__ import annotations

import functools
from operator import itemgetter

import numpy as np

from metademo.algorithms import Meta
from metademo.evaluation import run_learner
from metademo.figures import STYLES, style_of
from metademo.jobs.snapshots import HELD_OUT_TASKS as TASKS
from metademo.settings import TrainConfig
from metademo.tasks import Array, WaveFamily, Waves, as_waves
from metademo.training import HELD_OUT_STREAM
from metademo.ui.components.kernel.curves import Curve, pi_ticks
from metademo.ui.scenes.facts import exact, told
from metademo.ui.scenes.train_kind import Figure, RunKind
from metademo.ui.scenes.train_words import count

POINTS = 96
"""Points of a probe curve: enough for a smooth wave, few enough to send all snapshots at once. As a
multiple of three they are a whole number of base64's quartets, so that rows can be told apart."""
CANDIDATES, PROBE_SEED = 64, 5
SAME = 0.02
"""Share of the chart's height within which two curves can't be told apart."""
TOP = 2.5
"""How far up the loss chart reaches at most, in errors of the best curve that ignores the task."""


class WaveRun(RunKind):
    """A few waves that lie apart, and the curves that the network becomes on their points."""

    def __init__(self, config: TrainConfig):
        super().__init__(config)
        family = as_waves(config.task_family)
        self._plain = family.metric == "l1"
        self.axis = "mean |error|" if self._plain else "mean squared error"
        self.measure = f"mean {self._error} on a new wave"
        self.keys = {
            "query": "" if config.learner.bands else "query loss",
            "heldOut": "held-out error",
            "ignoring": "one fixed curve for all",
        }
        self.grid = np.linspace(*family.x_range, POINTS)
        waves, episode = family.sample_episodes(
            np.random.default_rng(PROBE_SEED),
            CANDIDATES,
            shots=config.shots,
            queries=0,
            sources=max(1, config.inner_steps) if config.learner.unlabelled else 0,
        )
        picked = _spread(waves.phase, waves.amplitude, family)
        self.support = episode.support.map(itemgetter(picked))
        self.truths = waves(self.grid)[picked]

    def __len__(self) -> int:
        return len(self.truths)

    @property
    def points(self) -> list[tuple[float, float]]:
        """The support points of all probes; none if they are unlabelled."""
        x, y = self.support.x, self.support.y
        if y is None:
            return []
        return [(float(a), float(b)) for a, b in zip(x.flat, y.flat, strict=True)]

    def adapted(self, meta: Meta) -> tuple[Array, Array]:
        """Curves (probes + 1, points), the start first, and the losses."""
        found = run_learner(self.config.learner, meta, self.support, self.grid)
        curves = np.concatenate([found.outputs[0, :1], found.outputs[-1]])
        return curves, found.losses[[0, -1]].mean(1)

    def figure(self, rows: Array) -> Figure:
        colour, grey = style_of(self.config.algorithm).colours, STYLES["truth"]
        curves = [
            Curve(f"truth {i}", "the true waves", y, grey.colours, grey.dash, 1.5, legend=not i)
            for i, y in enumerate(self.truths)
        ]
        curves.append(
            Curve(
                "before",
                f"before any {self.config.learner.a_step}",
                rows[0],
                colour,
                "solid",
                1.5,
                0.4,
            )
        )
        after = f"after {self.steps(self.config.inner_steps)}"
        curves += [
            Curve(f"after {i}", after, y, colour, width=3.5, legend=not i)
            for i, y in enumerate(rows[1:])
        ]
        x_range = as_waves(self.config.task_family).x_range
        ticks = pi_ticks(*x_range) if _is_wide(x_range) else None
        return Figure(curves, x_range, (-self._height, self._height), ticks, self.points)

    def moved(self, rows: Array) -> Array:
        with np.errstate(invalid="ignore", over="ignore"):  # where the inner loop ran away
            return np.abs(rows[1:] - rows[0]).max(axis=(0, 2)) > SAME * 2 * self._height

    @property
    def _height(self) -> float:
        return 1.75 * float(np.abs(self.truths).max())

    @property
    def without(self) -> float:
        return ignoring_error(self.config)

    @property
    def top(self) -> float:
        return TOP * self.without

    def shown(self, value: float) -> str:
        return f"{value:.2f}"

    def formula(self, step: int, value: float) -> str:
        return (
            f"{exact(value)} = mean {self._error} over {TASKS} held-out tasks, "
            f"after {self.steps(step)}"
        )

    def about(self) -> dict[str, str]:
        what = "|network − wave|" if self._plain else "(network − wave)²"
        held_out = (
            f"mean of {what} after {self.inner}, over {TASKS} held-out tasks, at each snapshot"
        )
        query = self._about_query_loss
        if self.config.learner.bands:
            query = held_out = f"{held_out}; {query}"
        return {
            "query": query,
            "heldOut": held_out,
            "ignoring": f"{exact(self.without)} = mean of {what} over the same tasks, of the one "
            "curve that is best for all of them together",
        }

    @property
    def _about_query_loss(self) -> str:
        config, inner, fewest = self.config, self.inner, self.config.fewest_shots
        if config.learner.bands:
            return (
                "the outer loop lowers −log N(y; mean, σ²) at the query points, which falls below "
                "zero and has no place on this axis"
            )
        if config.learner.a_step == "point" and fewest is not None:
            inner = f"{fewest} to {count(config.shots, 'point')}"
        loss = "|network − y|" if config.loss == "l1" else "(network − y)²"
        return (
            f"mean of {loss} at the query points after {inner}, over the "
            f"{count(config.meta_batch, 'task')} of an outer step; the thick line is its moving "
            "mean"
        )

    @property
    def alternative(self) -> tuple[str, str]:
        value = self.without
        about = f"{exact(value)} = mean error of the best fixed curve over {TASKS} held-out tasks"
        return "One fixed curve for all waves", told(self.shown(value), about)

    def detail(self, first: float, last: float) -> str:
        unlabelled = self.config.learner.unlabelled
        what = "The learned loss" if unlabelled else "The error on the points it sees"
        begins, ends = (
            told(
                f"{loss:.2g}", f"{exact(loss)} = mean inner loss of the tasks in the chart, {when}"
            )
            for loss, when in zip((first, last), self.ends, strict=True)
        )
        return f"{what} goes from {begins} to {ends}."

    @property
    def _error(self) -> str:
        return "error" if self._plain else "squared error"


def _spread(phases: Array, amplitudes: Array, family: WaveFamily) -> list[int]:
    """A few tasks that lie well apart: low, middle and high in phase, and not too flat."""
    shares = (0.0, 1.0) if family.two_phase else (0.1, 0.5, 0.9)
    low, high = family.phases
    flat = amplitudes < np.median(amplitudes)
    return [int(np.argmin(np.abs(phases - (low + s * (high - low))) + 10 * flat)) for s in shares]


def _is_wide(x_range: tuple[float, float]) -> bool:
    """Whether the range is one of whole multiples of π, which are then its natural marks."""
    return all(abs(v / np.pi - round(v / np.pi)) < 1e-6 for v in x_range)


@functools.lru_cache(maxsize=256)
def ignoring_error(config: TrainConfig) -> float:
    """The error, on a run's held-out tasks, of the one curve that is best for all tasks together.

    It is what a network gets that ignores the task: pointwise the median over the family for the
    mean |error|, the mean for the mean squared error.
    """
    family = as_waves(config.task_family)
    middle = np.median if family.metric == "l1" else np.mean
    curve = middle(_all_tasks(family)(family.grid), axis=0)
    truths = held_out_tasks(config)(family.grid)
    return float(family.kind.metrics[family.metric](curve, truths).mean())


def held_out_tasks(config: TrainConfig) -> Waves:
    """The tasks that `held_out_errors` measures a run on."""
    return config.task_family.sample_episodes(
        np.random.default_rng([config.seed, HELD_OUT_STREAM]),
        TASKS,
        shots=config.shots,
        queries=0,
        sources=max(1, config.inner_steps) if config.learner.unlabelled else 0,
    )[0]


def _all_tasks(family: WaveFamily) -> Waves:
    """The family's tasks on an even grid of their attributes."""
    phases = np.array(family.phases) if family.two_phase else _even(family.phases, 181)
    grids = np.meshgrid(
        _even(family.amplitudes, 25), _even(family.frequencies, 25), phases, indexing="ij"
    )
    amplitude, frequency, phase = (values.ravel() for values in grids)
    return Waves(amplitude, frequency, phase, family.shape)


def _even(interval: tuple[float, float], n: int) -> Array:
    low, high = interval
    return np.array([low]) if low == high else low + (high - low) * (np.arange(n) + 0.5) / n
