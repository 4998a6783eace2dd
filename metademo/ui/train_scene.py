"""From a training to what its stage shows: curves, lines and sentences. No Streamlit here."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metademo.algorithms import ALGORITHMS, Meta
from metademo.engines import uncovered
from metademo.evaluation import run_inner_loop
from metademo.figures import STYLES, Style, style_of
from metademo.jobs import Progress, Snapshot, State, held_out_errors
from metademo.tasks import Array, Examples, TaskFamily
from metademo.training import INIT_STREAM, TrainConfig, configure, recipes_for
from metademo.ui.chart import Curve

POINTS = 96
"""Points of a probe curve: enough for a smooth wave, few enough to send all snapshots at once. As a
multiple of three they are a whole number of base64's quartets, so that rows can be told apart."""
CANDIDATES, PROBE_SEED = 64, 5
LINE_POINTS = 160
RUNAWAY = 1000.0
"""An error after the inner loop that no network can be said to have learned anything with."""
DASHES = ("solid", "dash", "dot", "dashdot")
SETTINGS = {
    "inner_lr": "inner learning rate α",
    "outer_lr": "outer learning rate β",
    "inner_steps": "inner steps",
    "shots": "shots K",
    "queries": "query points",
    "meta_batch": "meta-batch",
    "hidden": "hidden width",
    "steps": "outer steps",
    "seed": "seed",
}
"""The settings that a visitor may choose, in words."""
ENGINE_NAMES = {"fused": "compiled engine", "torch": "PyTorch engine"}
TOLD = {
    State.PAUSED: "Paused",
    State.STOPPED: "Stopped",
    State.DIVERGED: "Diverged",
    State.FAILED: "Failed",
}
"""What the line beside the buttons says of a run that does not go on."""
PLATEAU = {
    ("daml", "original"): "This recipe begins on a plateau, for 20,000 to 120,000 steps as chance "
    "has it: off by 0.63 is what a network gets that cannot tell the two waves apart. Then the "
    "learned loss begins to tell them apart, and the error falls."
}
"""What a visitor should know while watching a recipe, by algorithm and recipe."""


@dataclass(frozen=True)
class Line:
    """One run in the loss chart; the error after the inner loop is known at snapshots only."""

    label: str
    style: Style
    dash: str
    steps: Array
    raw: Array
    smooth: Array
    error_steps: Array
    errors: Array


@dataclass(frozen=True)
class TrainScene:
    """What the stage shows: one row of each curve, caption and detail per snapshot."""

    curves: list[Curve]
    points: list[tuple[float, float]]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    steps: list[int]
    errors: Array
    captions: list[str]
    details: list[str]
    metric: str
    most_steps: int


class Probes:
    """A few fixed tasks of a run's family, and the curves that its snapshots adapt to them."""

    def __init__(self, config: TrainConfig):
        self.config = config
        family = config.task_family
        self.grid = np.linspace(*family.x_range, POINTS)
        waves, episode = family.sample_episodes(
            np.random.default_rng(PROBE_SEED),
            CANDIDATES,
            shots=config.shots,
            queries=0,
            sources=max(1, config.inner_steps) if config.learner.unlabelled else 0,
        )
        picked = _spread(waves.phase, waves.amplitude, family)
        self.support = Examples(*(v if v is None else v[picked] for v in episode.support))
        self.truths = waves(self.grid)[picked]
        self._drawn: dict[int, tuple[Array, Array]] = {}

    def __len__(self) -> int:
        return len(self.truths)

    @property
    def points(self) -> list[tuple[float, float]]:
        """The support points of all probes; none if they are unlabelled."""
        x, y = self.support
        return (
            [] if y is None else [(float(a), float(b)) for a, b in zip(x.flat, y.flat, strict=True)]
        )

    def adapt(self, step: int, meta: Meta) -> tuple[Array, Array]:
        """Curves (probes + 1, points), the start first; mean inner losses (2,) at both ends."""
        if step not in self._drawn:
            run = run_inner_loop(self.config.learner, meta, self.support, self.grid)
            curves = np.concatenate([run.curves[0, :1], run.curves[-1]])
            self._drawn[step] = curves, run.losses[[0, -1]].mean(1)
        return self._drawn[step]


def _spread(phases: Array, amplitudes: Array, family: TaskFamily) -> list[int]:
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
    drawn = [probes.adapt(s.step, s.meta) for s in snapshots]
    rows = np.stack([curves for curves, _ in drawn], axis=1)
    style = style_of(config.algorithm)
    colour, grey = style.colours, STYLES["truth"].colours
    n = config.inner_steps
    curves = [
        Curve(f"truth {i}", "the true waves", truth, grey, STYLES["truth"].dash, 1.5, legend=not i)
        for i, truth in enumerate(probes.truths)
    ]
    curves.append(Curve("before", "before any step", rows[0], colour, "solid", 1.5, 0.4))
    curves += [
        Curve(f"after {i}", f"after {_count(n, 'step')}", y, colour, width=3.5, legend=not i)
        for i, y in enumerate(rows[1:])
    ]
    height = 1.75 * float(np.abs(probes.truths).max())
    return TrainScene(
        curves=curves,
        points=probes.points,
        x_range=config.task_family.x_range,
        y_range=(-height, height),
        steps=[s.step for s in snapshots],
        errors=np.array([s.errors[-1] for s in snapshots]),
        captions=[_caption(config, s) for s in snapshots],
        details=[_detail(config, losses) for _, losses in drawn],
        metric="mean |error|" if config.task_family.metric == "l1" else "mean squared error",
        most_steps=config.steps,
    )


def _caption(config: TrainConfig, snapshot: Snapshot) -> str:
    before, after = snapshot.errors[[0, -1]]
    when = (
        "Before meta-training"
        if not snapshot.step
        else f"After {_count(snapshot.step, 'outer step')}"
    )
    if not after < RUNAWAY:  # also if it is not a number
        return f"{when}, the inner loop runs away: on some tasks it ends far from any wave."
    inner = _count(config.inner_steps, "inner step")
    verb = "takes" if config.inner_steps == 1 else "take"
    what = (
        "off a new wave"
        if config.task_family.metric == "l1"
        else "mean squared error on a new wave"
    )
    return f"{when}, {inner} {verb} it from {before:.2f} to {after:.2f} {what}."


def _detail(config: TrainConfig, losses: Array) -> str:
    if not np.isfinite(losses).all():
        return ""
    what = "The learned loss" if config.learner.unlabelled else "The error on the points it sees"
    return f"{what} goes from {losses[0]:.2g} to {losses[1]:.2g}."


def empty_line(config: TrainConfig) -> Line:
    """What the loss chart shows before there is a run."""
    nothing = np.empty(0)
    style = style_of(config.algorithm)
    return Line("not trained yet", style, DASHES[0], *[nothing] * 5)


def loss_line(label: str, progress: Progress, dash: str) -> Line:
    """A run's losses and held-out errors."""
    steps, raw = _thinned(progress.loss_steps, progress.losses)
    return Line(
        label=label,
        style=style_of(progress.config.algorithm),
        dash=dash,
        steps=steps,
        raw=raw,
        smooth=_smoothed(raw),
        error_steps=np.array([s.step for s in progress.snapshots]),
        errors=np.array([s.errors[-1] for s in progress.snapshots]),
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


# ---------------------------------------------------------------------------- sentences


def recipe_of(config: TrainConfig) -> tuple[str, list[str]]:
    """The recipe that a config is nearest to, and which of its settings differ from it."""
    mine = config.to_dict()
    found = {}
    for recipe in recipes_for(config.family):
        theirs = configure(config.algorithm, config.family, recipe).to_dict()
        found[recipe] = [name for name in mine if mine[name] != theirs[name]]
    best = min(found, key=lambda recipe: len(found[recipe]))
    return best, found[best]


def describe(config: TrainConfig) -> str:
    """A run's settings in a few words."""
    recipe, changed = recipe_of(config)
    parts = [ALGORITHMS[config.algorithm].title, config.family, recipe]
    parts += [f"{SETTINGS.get(n, n)} {getattr(config, n):g}" for n in changed if n in SETTINGS]
    return ", ".join(parts)


def brief(config: TrainConfig) -> str:
    """What a run's recipe is and what differs from it, as short as a legend needs it."""
    recipe, changed = recipe_of(config)
    own = [f"{SETTINGS[n].split()[-1]} {getattr(config, n):g}" for n in changed if n in SETTINGS]
    return ", ".join([recipe, *own[:2], *["…"][: len(own) > 2]])


def note_on(config: TrainConfig) -> str:
    """What a visitor should know while watching this run, or ""."""
    return PLATEAU.get((config.algorithm, recipe_of(config)[0]), "")


def promise(config: TrainConfig) -> str:
    """What Start will do, and how long it takes."""
    title = ALGORITHMS[config.algorithm].title
    return (
        f"Start trains {title} from these random weights: {_count(config.steps, 'outer step')} of "
        f"{_count(config.meta_batch, 'task')}, {_about(_guess_seconds(config))}."
    )


def report(progress: Progress) -> str:
    """How far a run is, in one line that keeps its shape."""
    config = progress.config
    if progress.state is State.WAITING:
        return f"Waiting for a free place: {progress.reason}."
    if not progress.step and not progress.state.over:
        return (
            f"Preparing the engine ({progress.seconds:.0f} s): the first run on a server waits for "
            "its compiler, half a minute or so."
        )
    parts = [TOLD.get(progress.state, ""), f"{progress.step:,} of {config.steps:,} outer steps"]
    if progress.steps_per_second:
        parts.append(f"{_rounded(progress.steps_per_second * config.meta_batch)} tasks/s")
    parts.append(f"{progress.seconds:.1f} s")
    if progress.seconds_left is not None:
        left = progress.seconds_left
        parts.append(f"{left:.0f} s left" if left < 100 else f"{left / 60:.0f} min left")
    parts.append(ENGINE_NAMES.get(progress.engine, progress.engine))
    return " · ".join(part for part in parts if part)


def in_words(fault: Exception | str) -> str:
    """What is wrong with a config, with its settings called as the page calls them."""
    text = re.sub(r"\w+", lambda name: SETTINGS.get(name[0], name[0]), str(fault))
    return text[:1].upper() + text[1:].rstrip(".") + "." * bool(text)


def ending(progress: Progress) -> str:
    """Why a run ended before its last step, or ""."""
    if progress.state in (State.DIVERGED, State.FAILED):
        what = "Diverged" if progress.state is State.DIVERGED else "Failed"
        kept = f"The last good weights, of step {progress.step:,}, are kept."
        return f"{what}: {progress.reason}. {kept}"
    if progress.state is State.STOPPED and progress.reason != "stopped":
        return f"The run was {progress.reason}. What it had reached by then is kept."
    return ""


def _guess_seconds(config: TrainConfig) -> float:
    """A rough guess from measured speeds: numbers multiplied per second, and calls per second."""
    points = config.shots + config.queries
    work = config.meta_batch * (config.inner_steps + 1) * points * config.hidden**2
    compiled = not uncovered(config.learner)
    per_step = work / 8e9 if compiled else 2.5e-3 + work / 6e8
    return 0.3 + config.steps * per_step


def _about(seconds: float) -> str:
    if seconds < 90:
        return f"about {_count(max(2, round(seconds)), 'second')}"
    return f"about {_count(round(seconds / 60), 'minute')}"


def _rounded(value: float) -> str:
    """Two significant digits, so that a fluctuating speed can be read."""
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 10 else f"{value:.1f}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + "s" * (n != 1)
