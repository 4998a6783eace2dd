"""From a training to what its stage shows: curves, lines and captions. No Streamlit here."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metademo.figures import Style, style_of
from metademo.jobs import JobState, Progress, Snapshot
from metademo.settings import TrainConfig
from metademo.tasks import CURVES, GLYPHS, Array, TaskKind
from metademo.ui.components.kernel.curves import Facts
from metademo.ui.scenes.facts import sentences
from metademo.ui.scenes.train_kind import MARGIN, Figure, RunKind
from metademo.ui.scenes.train_signs import SignRun
from metademo.ui.scenes.train_waves import WaveRun
from metademo.ui.scenes.train_words import count, ending

LINE_POINTS = 160
RUNAWAY = 1000.0
"""An error after the inner loop that no network can be said to have learned anything with."""


@dataclass(frozen=True)
class Line:
    """One run in the loss chart; the result after the inner loop is known at snapshots only.

    Attributes:
        number: of the run, written at the line's end; it decides the dash pattern and the shade,
            too. 0 if there is no run yet.
        ignoring: the result without having learned to adapt, see `RunKind.without`.
        top: see `RunKind.top`.
    """

    label: str
    number: int
    style: Style
    ignoring: float
    top: float
    steps: Array
    raw: Array
    smooth: Array
    error_steps: Array
    errors: Array


@dataclass(frozen=True)
class TrainScene:
    """What the stage shows: one row of each curve, caption and detail per snapshot.

    Attributes:
        errors: the result after the inner loop at each snapshot.
        metric, keys, about, shares: see `RunKind`.
    """

    figure: Figure
    steps: list[int]
    errors: Array
    captions: list[str]
    details: list[str]
    caption_facts: list[Facts]
    detail_facts: list[Facts]
    metric: str
    keys: Mapping[str, str]
    about: Mapping[str, str]
    shares: bool


KINDS: Mapping[TaskKind, type[RunKind]] = {CURVES: WaveRun, GLYPHS: SignRun}
"""Of the kinds of task that the page can show."""


def kind_of(config: TrainConfig) -> RunKind:
    """What shows one run with these settings."""
    return KINDS[config.task_family.kind](config)


@functools.lru_cache(maxsize=256)
def unstarted(config: TrainConfig) -> RunKind:
    """What shows a run that has not been started, and has the words for every other."""
    return kind_of(config)


def train_scene(run: RunKind, snapshots: Sequence[Snapshot]) -> TrainScene:
    """The probe tasks, adapted from each snapshot."""
    drawn = run.draw(snapshots)
    rows = np.stack([rows for rows, _ in drawn], axis=1)
    return TrainScene(
        figure=run.figure(rows),
        steps=[s.step for s in snapshots],
        errors=np.array([s.errors[-1] for s in snapshots]),
        **sentences(
            [_caption(run, s, m) for s, m in zip(snapshots, run.moved(rows), strict=True)],
            [run.tells(losses) for _, losses in drawn],
        ),
        metric=run.axis,
        keys=run.keys,
        about=run.about(),
        shares=run.shares,
    )


def _caption(run: RunKind, snapshot: Snapshot, moved: bool) -> str:
    """What the inner loop makes of this snapshot; `moved` if that can be seen on the probes."""
    config = run.config
    before, after = snapshot.errors[[0, -1]]
    when = f"After {count(snapshot.step, 'outer step')}"
    if not snapshot.step:
        when = "Before meta-training"
    if not after < RUNAWAY:  # also if it is not a number
        return f"{when}, the inner loop runs away: on some tasks it ends far from any wave."
    inner = run.inner
    one = config.inner_steps == 1
    first, last = run.result(0, before), run.result(config.inner_steps, after)
    span = f"from {first} to {last}"
    if not moved:
        verb = "changes" if one else "change"
        return f"{when}, {inner} {verb} next to nothing: the {run.measure} stays {last}."
    if not run.wrong(after) < run.wrong(before):
        return f"{when}, {inner} {'does' if one else 'do'} not help: the {run.measure} goes {span}."
    return f"{when}, {inner} {'takes' if one else 'take'} the {run.measure} {span}."


def verdict(progress: Progress) -> str:
    """What to say of the end of a run in place of its last caption, or "" if that says it all."""
    if said := ending(progress):
        return said
    if progress.state is not JobState.FINISHED or learned(progress):
        return ""
    run, config = unstarted(progress.config), progress.config
    before, after = progress.snapshots[-1].errors[[0, -1]]
    if not after < RUNAWAY:
        return ""
    now, ends = f"its {run.measure} is {run.result(config.inner_steps, after)}", ""
    before_them, by_then, without = map(run.wrong, (before, after, run.without))
    if not by_then < (1 - MARGIN) * without:
        does = "better" if by_then > (1 + MARGIN) * without else "as well"
        who, result = run.alternative
        ends = f" {who} would do {does} ({result})."
    elif before_them < without:
        ends = f" Before them it was {run.result(0, before)}."
    return f"This run has not learned to adapt: after {run.inner} {now}.{ends}"


def learned(progress: Progress) -> bool:
    """Whether the newest snapshot of a run has learned to adapt; false while there is none."""
    run = unstarted(progress.config)
    return bool(progress.snapshots) and run.has_learned(progress.snapshots[-1])


def empty_line(config: TrainConfig) -> Line:
    """What the loss chart shows before there is a run."""
    run, style = unstarted(config), style_of(config.algorithm)
    return Line("not trained yet", 0, style, run.without, run.top, *[np.empty(0)] * 5)


def loss_line(label: str, number: int, progress: Progress) -> Line:
    """A run's losses and held-out results.

    A negative log-likelihood has no place on an axis of errors, so that the held-out errors stand
    in for it.
    """
    run, snapshots = unstarted(progress.config), progress.snapshots
    error_steps = np.array([s.step for s in snapshots])
    errors = np.array([s.errors[-1] for s in snapshots])
    if progress.config.learner.bands:
        steps, raw, smooth = error_steps, errors, errors
    else:
        steps, raw = _thinned(progress.loss_steps, run.on_the_axis(progress.losses))
        smooth = _smoothed(raw)
    return Line(
        label=label,
        number=number,
        style=style_of(progress.config.algorithm),
        ignoring=run.without,
        top=run.top,
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
