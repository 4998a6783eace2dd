"""From a training to what its stage shows: curves, lines and captions. No Streamlit here."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from metademo.algorithms import Meta
from metademo.evaluation import run_learner
from metademo.figures import STYLES, Style, style_of
from metademo.jobs import JobState, Progress, Snapshot, held_out_errors
from metademo.settings import TrainConfig
from metademo.tasks import Array, WaveFamily, as_waves
from metademo.training import INIT_STREAM
from metademo.ui.components.kernel.curves import Curve, Facts
from metademo.ui.scenes.facts import exact, sentences, told
from metademo.ui.scenes.train_verdict import MARGIN, TASKS, has_learned, ignoring_error
from metademo.ui.scenes.train_words import count, ending

POINTS = 96
"""Points of a probe curve: enough for a smooth wave, few enough to send all snapshots at once. As a
multiple of three they are a whole number of base64's quartets, so that rows can be told apart."""
CANDIDATES, PROBE_SEED = 64, 5
LINE_POINTS = 160
RUNAWAY = 1000.0
"""An error after the inner loop that no network can be said to have learned anything with."""
SAME = 0.02
"""Share of the chart's height within which two curves can't be told apart."""
TOP = 2.5
"""How far up the loss chart reaches at most, in errors of the best curve that ignores the task."""


@dataclass(frozen=True)
class Line:
    """One run in the loss chart; the error after the inner loop is known at snapshots only.

    Attributes:
        number: of the run, written at the line's end; it decides the dash pattern and the shade,
            too. 0 if there is no run yet.
        ignoring: the error of the best curve that ignores the task, see `ignoring_error`.
    """

    label: str
    number: int
    style: Style
    ignoring: float
    steps: Array
    raw: Array
    smooth: Array
    error_steps: Array
    errors: Array

    @property
    def top(self) -> float:
        """As high as the loss chart has to reach for this line: what is above went wild."""
        return TOP * self.ignoring


@dataclass(frozen=True)
class TrainScene:
    """What the stage shows: one row of each curve, caption and detail per snapshot.

    Attributes:
        line: what the thick line of the loss chart is; "" if it joins the held-out errors, see
            `loss_line`.
    """

    curves: list[Curve]
    points: list[tuple[float, float]]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    steps: list[int]
    errors: Array
    captions: list[str]
    details: list[str]
    caption_facts: list[Facts]
    detail_facts: list[Facts]
    metric: str
    line: str
    about: dict[str, str]


class Probes:
    """A few fixed tasks of a run's family, and the curves that its snapshots adapt to them."""

    def __init__(self, config: TrainConfig):
        self.config = config
        family = as_waves(config.task_family)
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
        self._drawn: dict[int, tuple[Array, Array]] = {}

    def __len__(self) -> int:
        return len(self.truths)

    @property
    def points(self) -> list[tuple[float, float]]:
        """The support points of all probes; none if they are unlabelled."""
        x, y = self.support.x, self.support.y
        if y is None:
            return []
        return [(float(a), float(b)) for a, b in zip(x.flat, y.flat, strict=True)]

    def draw(self, snapshots: Sequence[Snapshot]) -> list[tuple[Array, Array]]:
        """For each snapshot: curves (probes + 1, points), the start first, and losses (2,).

        The losses are the mean inner losses at the start and at the end. What was drawn for the
        last call is kept, and nothing else: a run has very many snapshots that soon give way.
        """
        before = self._drawn
        self._drawn = {s.step: before.get(s.step) or self._draw(s.meta) for s in snapshots}
        return list(self._drawn.values())

    def _draw(self, meta: Meta) -> tuple[Array, Array]:
        found = run_learner(self.config.learner, meta, self.support, self.grid)
        curves = np.concatenate([found.outputs[0, :1], found.outputs[-1]])
        return curves, found.losses[[0, -1]].mean(1)


def _spread(phases: Array, amplitudes: Array, family: WaveFamily) -> list[int]:
    """A few tasks that lie well apart: low, middle and high in phase, and not too flat."""
    shares = (0.0, 1.0) if family.two_phase else (0.1, 0.5, 0.9)
    low, high = family.phases
    flat = amplitudes < np.median(amplitudes)
    return [int(np.argmin(np.abs(phases - (low + s * (high - low))) + 10 * flat)) for s in shares]


@functools.lru_cache(maxsize=64)
def untrained(config: TrainConfig) -> tuple[Probes, Snapshot]:
    """What a run of `config` will start from."""
    meta = config.learner.init(np.random.default_rng([config.seed, INIT_STREAM]))
    return Probes(config), Snapshot(0, meta, held_out_errors(config, meta))


def train_scene(probes: Probes, snapshots: Sequence[Snapshot]) -> TrainScene:
    """The probe tasks, adapted from each snapshot."""
    config = probes.config
    drawn = probes.draw(snapshots)
    rows = np.stack([curves for curves, _ in drawn], axis=1)
    style = style_of(config.algorithm)
    colour, grey = style.colours, STYLES["truth"].colours
    a_step = config.learner.a_step
    curves = [
        Curve(f"truth {i}", "the true waves", truth, grey, STYLES["truth"].dash, 1.5, legend=not i)
        for i, truth in enumerate(probes.truths)
    ]
    curves.append(Curve("before", f"before any {a_step}", rows[0], colour, "solid", 1.5, 0.4))
    curves += [
        Curve(
            f"after {i}",
            f"after {count(config.inner_steps, a_step)}",
            y,
            colour,
            width=3.5,
            legend=not i,
        )
        for i, y in enumerate(rows[1:])
    ]
    height = 1.75 * float(np.abs(probes.truths).max())
    with np.errstate(invalid="ignore", over="ignore"):  # where the inner loop ran away
        moved = np.abs(rows[1:] - rows[0]).max(axis=(0, 2)) > SAME * 2 * height
    return TrainScene(
        curves=curves,
        points=probes.points,
        x_range=as_waves(config.task_family).x_range,
        y_range=(-height, height),
        steps=[s.step for s in snapshots],
        errors=np.array([s.errors[-1] for s in snapshots]),
        line="" if config.learner.bands else "query loss",
        **sentences(
            [_caption(config, s, m) for s, m in zip(snapshots, moved, strict=True)],
            [_detail(config, losses) for _, losses in drawn],
        ),
        metric="mean |error|" if config.task_family.metric == "l1" else "mean squared error",
        about=_about(config),
    )


def _about(config: TrainConfig) -> dict[str, str]:
    """What the lines of the loss chart are."""
    what = "|network − wave|" if config.task_family.metric == "l1" else "(network − wave)²"
    held_out = (
        f"mean of {what} after {_inner(config)}, over {TASKS} held-out tasks, at each snapshot"
    )
    query = _about_query_loss(config)
    if config.learner.bands:
        query = held_out = f"{held_out}; {query}"
    return {
        "query": query,
        "heldOut": held_out,
        "ignoring": f"{exact(ignoring_error(config))} = mean of {what} over the same tasks, of the "
        "one curve that is best for all of them together",
    }


def _about_query_loss(config: TrainConfig) -> str:
    if config.learner.bands:
        return (
            "the outer loop lowers −log N(y; mean, σ²) at the query points, which falls below zero "
            "and has no place on this axis"
        )
    inner, fewest = _inner(config), config.fewest_shots
    if config.learner.a_step == "point" and fewest is not None:
        inner = f"{fewest} to {count(config.shots, 'point')}"
    loss = "|network − y|" if config.loss == "l1" else "(network − y)²"
    return (
        f"mean of {loss} at the query points after {inner}, over the "
        f"{count(config.meta_batch, 'task')} of an outer step; the thick line is its moving mean"
    )


def _caption(config: TrainConfig, snapshot: Snapshot, moved: bool) -> str:
    """What the inner loop makes of this snapshot; `moved` if that can be seen on the probes."""
    before, after = snapshot.errors[[0, -1]]
    when = f"After {count(snapshot.step, 'outer step')}"
    if not snapshot.step:
        when = "Before meta-training"
    if not after < RUNAWAY:  # also if it is not a number
        return f"{when}, the inner loop runs away: on some tasks it ends far from any wave."
    inner = _inner(config)
    one = config.inner_steps == 1
    first, last = _told(config, 0, before), _told(config, config.inner_steps, after)
    error, span = _error_on_a_new_wave(config), f"from {first} to {last}"
    if not moved:
        verb = "changes" if one else "change"
        return f"{when}, {inner} {verb} next to nothing: the {error} stays {last}."
    if not after < before:
        return f"{when}, {inner} {'does' if one else 'do'} not help: the {error} goes {span}."
    return f"{when}, {inner} {'takes' if one else 'take'} the {error} {span}."


def _inner(config: TrainConfig) -> str:
    """What a task takes: "5 inner steps", or "10 points" of learners whose steps are points."""
    a_step = config.learner.a_step
    return count(config.inner_steps, "inner step" if a_step == "step" else a_step)


def _told(config: TrainConfig, step: int, error: float) -> str:
    """An error on a new wave, with its formula."""
    what = "error" if config.task_family.metric == "l1" else "squared error"
    about = f"{exact(error)} = mean {what} over {TASKS} held-out tasks, after "
    about += count(step, config.learner.a_step)
    return told(f"{error:.2f}", about)


def _error_on_a_new_wave(config: TrainConfig) -> str:
    what = "error" if config.task_family.metric == "l1" else "squared error"
    return f"mean {what} on a new wave"


def verdict(progress: Progress) -> str:
    """What to say of the end of a run in place of its last caption, or "" if that says it all."""
    if said := ending(progress):
        return said
    if progress.state is not JobState.FINISHED or learned(progress):
        return ""
    config = progress.config
    before, after = progress.snapshots[-1].errors[[0, -1]]
    without = ignoring_error(config)
    if not after < RUNAWAY:
        return ""
    steps = _inner(config)
    last = _told(config, config.inner_steps, after)
    now, ends = f"its {_error_on_a_new_wave(config)} is {last}", ""
    if not after < (1 - MARGIN) * without:
        does = "better" if after > (1 + MARGIN) * without else "as well"
        ends = f" One fixed curve for all waves would do {does} ({_without(config)})."
    elif before < without:
        ends = f" Before them it was {_told(config, 0, before)}."
    return f"This run has not learned to adapt: after {steps} {now}.{ends}"


def _without(config: TrainConfig) -> str:
    """The error without any adaptation, with its formula."""
    value = ignoring_error(config)
    about = f"{exact(value)} = mean error of the best fixed curve over {TASKS} held-out tasks"
    return told(f"{value:.2f}", about)


def learned(progress: Progress) -> bool:
    """Whether the newest snapshot of a run has learned to adapt; false while there is none."""
    return bool(progress.snapshots) and has_learned(progress.config, progress.snapshots[-1])


def _detail(config: TrainConfig, losses: Array) -> str:
    if not np.isfinite(losses).all():
        return ""
    a_step = config.learner.a_step
    what = "The learned loss" if config.learner.unlabelled else "The error on the points it sees"
    first, last = (
        told(f"{loss:.2g}", f"{exact(loss)} = mean inner loss of the tasks in the chart, {when}")
        for loss, when in zip(losses, (f"before any {a_step}", "after the last"), strict=True)
    )
    return f"{what} goes from {first} to {last}."


def empty_line(config: TrainConfig) -> Line:
    """What the loss chart shows before there is a run."""
    style = style_of(config.algorithm)
    return Line("not trained yet", 0, style, ignoring_error(config), *[np.empty(0)] * 5)


def loss_line(label: str, number: int, progress: Progress) -> Line:
    """A run's losses and held-out errors.

    A negative log-likelihood has no place on an axis of errors, so that the held-out errors stand
    in for it.
    """
    config, snapshots = progress.config, progress.snapshots
    error_steps = np.array([s.step for s in snapshots])
    errors = np.array([s.errors[-1] for s in snapshots])
    if config.learner.bands:
        steps, raw, smooth = error_steps, errors, errors
    else:
        steps, raw = _thinned(progress.loss_steps, progress.losses)
        smooth = _smoothed(raw)
    return Line(
        label=label,
        number=number,
        style=style_of(config.algorithm),
        ignoring=ignoring_error(config),
        steps=steps,
        raw=raw,
        smooth=smooth,
        error_steps=error_steps,
        errors=errors,
    )


def _thinned(steps: Array, values: Array) -> tuple[Array, Array]:
    """A curve of at most LINE_POINTS points, each the mean of a few."""
    width = -(-len(values) // LINE_POINTS)
    if width <= 1:
        return steps, values
    starts = np.arange(0, len(values), width)
    counts = np.diff(np.append(starts, len(values)))
    return steps[np.minimum(starts + width, len(steps)) - 1], np.add.reduceat(
        values, starts
    ) / counts


def _smoothed(values: Array) -> Array:
    """The mean of the neighbours at both sides, of fewer at the steep start."""
    place = np.arange(len(values))
    reach = np.minimum(place, max(1, len(values) // 30))
    low, high = place - reach, np.minimum(place + reach + 1, len(values))
    total = np.concatenate([[0.0], np.cumsum(values)])
    return (total[high] - total[low]) / (high - low)
