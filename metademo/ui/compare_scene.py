"""From a view to what the Compare page shows: several learners on the same points. No Streamlit.

Besides the curves there are two measurements that don't depend on where the visitor's points are,
so they can be kept: a learner's :class:`Standing` on many held-out tasks, and how its error grows
where an attribute of the waves leaves the trained range (:func:`swept`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.algorithms.step_sizes import LearnedStepSizes
from metademo.checkpoints import Checkpoint
from metademo.evaluation import Evaluation, evaluate, ordered, run_inner_loop
from metademo.figures import Style, style_of
from metademo.tasks import Array, Examples, TaskFamily
from metademo.training import TrainConfig, can_train
from metademo.ui.chart import Board, Curve, Panel, Score, Series, Sweep
from metademo.ui.outside import ATTRIBUTES
from metademo.ui.scenes import Learner, Run, Scene, adapt, after, look, points_run, ran_away
from metademo.ui.views import CompareView

TASKS, SEED = 300, 0
SWEPT_TASKS = 100
EVERY = 8
"""Errors of many tasks are measured on every 8th point of the grid: 50 points."""
TIMED = 7
QUANTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Contestant:
    """A learner that can be compared, with how it looks and what made it.

    Attributes:
        config: of its training; None if there was none.
    """

    name: str
    title: str
    style: Style
    learner: Learner
    config: TrainConfig | None = None

    @property
    def look(self) -> tuple[tuple[str, str], str]:
        return self.style.colours, self.style.dash


@dataclass(frozen=True)
class Standing:
    """Errors on held-out tasks, and the time of one adaptation in milliseconds."""

    held_out: Evaluation
    milliseconds: float


Standings = Mapping[str, Standing]
"""By name of the contestant."""
Sweeps = Mapping[str, Array]
"""Mean errors (S + 1, values) by name of the contestant."""


# ---------------------------------------------------------------------------- who takes part


def contestants(
    usable: Mapping[str, Checkpoint], own: Mapping[str, Checkpoint], family: TaskFamily
) -> dict[str, Contestant]:
    """All that can be compared on a family: registry order, further weights, then the yardsticks.

    Args:
        usable: weights that ship, by name. Those called ALGORITHM-FAMILY stand for the algorithm.
        own: weights of this visit.
    """
    found: dict[str, Contestant] = {}
    for name in ALGORITHMS:
        checkpoint = usable.get(f"{name}-{family.name}")
        if checkpoint is not None:
            found[name] = _of_weights(name, ALGORITHMS[name].title, checkpoint)
    standing_in = {f"{name}-{family.name}" for name in found}
    for name, checkpoint in {**usable, **own}.items():
        if checkpoint.config.family == family.name and name not in standing_in:
            further = _of_weights(name, _title_of(name, checkpoint), checkpoint)
            dash = "dot" if further.style.dash != "dot" else "dashdot"
            found[name] = replace(further, style=replace(further.style, dash=dash))
    like = next(iter(found.values()), None)
    for name, kind in YARDSTICKS.items():
        if like is not None:
            yardstick = kind(**vars(like.learner.algorithm))
            meta = yardstick.init(np.random.default_rng(1))
            found[name] = Contestant(name, kind.title, style_of(name), Learner(yardstick, meta))
    return found


def missing(found: Mapping[str, Contestant], family: TaskFamily) -> list[str]:
    """Names of the algorithms that could be trained on the family, but have no weights."""
    return [name for name in ALGORITHMS if name not in found and can_train(name, family.name)]


def _of_weights(name: str, title: str, checkpoint: Checkpoint) -> Contestant:
    config = checkpoint.config
    return Contestant(name, title, style_of(config.algorithm), Learner.of(checkpoint), config)


def _title_of(name: str, checkpoint: Checkpoint) -> str:
    return f"{ALGORITHMS[checkpoint.config.algorithm].title} ({name})"


# ---------------------------------------------------------------------------- measurements


def metric_of(family: TaskFamily) -> str:
    """The benchmark is stated in squared error, the article's experiments in |difference|."""
    return "l1" if family.unit_amplitude else "mse"


def standing(learner: Learner, family: TaskFamily, shots: int, steps: int) -> Standing:
    """How a learner does on held-out tasks, each with so many labelled points."""
    held_out = _evaluated(learner, family, family, shots, steps, TASKS)
    return Standing(held_out, _milliseconds(learner, family, shots, steps))


def _evaluated(
    learner: Learner, moved: TaskFamily, family: TaskFamily, shots: int, steps: int, tasks: int
) -> Evaluation:
    """Errors on tasks of `moved`, in the metric of the family that it comes from."""
    return evaluate(
        learner.algorithm,
        learner.meta,
        moved,
        shots=shots,
        steps=steps,
        tasks=tasks,
        seed=SEED,
        grid=family.grid[::EVERY],
        metric=metric_of(family),
    )


def _milliseconds(learner: Learner, family: TaskFamily, shots: int, steps: int) -> float:
    """Median time of an adaptation to one task, with the curve of each step on the whole grid."""
    sources = max(1, steps) if learner.algorithm.unlabelled else 0
    rng = np.random.default_rng(SEED)
    support = family.sample_episodes(rng, 1, shots=shots, queries=0, sources=sources)[1].support
    times = []
    for _ in range(TIMED):
        began = time.perf_counter()
        run_inner_loop(learner.algorithm, learner.meta, support, family.grid, steps=steps)
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times))


def swept(learner: Learner, family: TaskFamily, along: str, shots: int, steps: int) -> Array:
    """Mean error after 0 .. S steps where one attribute has each of its values, (S + 1, values).

    All else is as in the family; NaN where an unlabelled learner has no input for such a wave.
    """
    attribute = ATTRIBUTES[along]
    columns = []
    for value in attribute.values(family):
        moved = attribute.at(family, float(value))
        try:
            result = _evaluated(learner, moved, family, shots, steps, SWEPT_TASKS)
        except ValueError:
            columns.append(np.full(steps + 1, np.nan))
        else:
            columns.append(result.mean)
    return np.stack(columns, axis=1)


# ---------------------------------------------------------------------------- the scene


def compare_scene(
    view: CompareView,
    family: TaskFamily,
    chosen: Sequence[Contestant],
    standings: Standings,
    sweeps: Sweeps,
) -> Scene:
    """The chosen learners on the visitor's points; the board and the sweep as far as known."""
    grid, metric = family.grid, metric_of(family)
    truth = view.wave(grid)[0]
    runs = {one.name: run for one in chosen if (run := _run(view, family, one)) is not None}
    shown = [one for one in chosen if one.name in runs]
    errors = {name: run.errors(truth, metric) for name, run in runs.items()}
    curves = [Curve("truth", "the true wave", truth, *look("truth"), 1.5)]
    curves += [Curve(one.name, one.title, runs[one.name].curves, *one.look, 3.0) for one in shown]
    what = "Error against the true wave" if metric == "l1" else "Squared error, true wave"
    panels = [
        Panel("Loss on what each one sees", _series(shown, lambda n: runs[n].losses), log=True),
        Panel(what, _series(shown, errors.get), log=True),
    ]
    return Scene(
        curves,
        panels,
        [_caption(view, k, shown, errors, metric) for k in range(view.steps + 1)],
        [_detail(view, family, chosen, runs)],
        _board(view, family, shown, errors, standings),
        _sweep(view, family, shown, sweeps),
    )


def _run(view: CompareView, family: TaskFamily, one: Contestant) -> Run | None:
    """The inner loop on the points; without labels, on an input that stands for the true wave."""
    if not one.learner.algorithm.unlabelled:
        return points_run(view, family, one.learner)
    source = family.source_of(view.phase)
    if source is None:
        return None
    return adapt(one.learner, Examples(np.array([[source]])), view, family.grid)


def _series(shown: Sequence[Contestant], values: Callable[[str], Array]) -> list[Series]:
    return [Series(one.title, [float(v) for v in values(one.name)], *one.look) for one in shown]


def _caption(
    view: CompareView,
    k: int,
    shown: Sequence[Contestant],
    errors: Mapping[str, Array],
    metric: str,
) -> str:
    if not shown:
        return "Choose at least one way of learning."
    if not view.points:
        return "No points yet, so nothing to learn from: these are the networks before any step."
    off = {one.title: float(ordered(errors[one.name][k])) for one in shown}
    best, worst = min(off, key=off.__getitem__), max(off, key=off.__getitem__)
    if len(off) == 1 or not np.isfinite(off[best]):
        return f"{after(k)} {best} is {_off(off[best], metric)}."
    return f"{after(k)} {best} is nearest, {_off(off[best], metric)}; furthest is {worst}, " + (
        "which has run away."
        if ran_away(off[worst])
        else f"{_off(off[worst], metric, short=True)}."
    )


def _off(error: float, metric: str, *, short: bool = False) -> str:
    if ran_away(error):
        return "has run away to infinity"
    number = f"{error:.3f}" if error < 0.1 else f"{error:.2f}"
    number = "less than 0.001" if error < 0.001 else number
    if short:
        return f"by {number}" if metric == "l1" else number
    return f"off by {number} on average" if metric == "l1" else f"with a squared error of {number}"


def _detail(
    view: CompareView,
    family: TaskFamily,
    chosen: Sequence[Contestant],
    runs: Mapping[str, Run],
) -> str:
    """What is outside of the trained range, and who can't take part or plays by other rules."""
    parts = []
    outside = [
        f"{attribute.title.lower()} {attribute.in_words(view.value(name))} "
        f"(trained: {attribute.trained_in_words(family)})"
        for name, attribute in ATTRIBUTES.items()
        if not attribute.contains(family, view.value(name))
    ]
    if outside:
        parts.append(f"Outside of what they were trained on: {', '.join(outside)}.")
    for one in chosen:
        if one.learner.algorithm.unlabelled:
            parts.append(
                f"{one.title} sees no points, but one unlabelled input that stands for the wave."
                if one.name in runs
                else f"{one.title} is not shown: no source input stands for this wave."
            )
    return " ".join(parts)


def _board(
    view: CompareView,
    family: TaskFamily,
    shown: Sequence[Contestant],
    errors: Mapping[str, Array],
    standings: Standings,
) -> Board | None:
    if not shown:
        return None
    scores = [_score(view, one, errors[one.name], standings.get(one.name)) for one in shown]
    scores.sort(key=lambda score: ordered(score.mean[-1:]).tolist())
    what = "mean |difference|" if metric_of(family) == "l1" else "mean squared error"
    points = f"{shots_of(view)} point{'s' * (shots_of(view) != 1)}"
    note = (
        f"{what.capitalize()} from the true wave, as the scrubber stands. All tasks: mean ± 95 % "
        f"interval over {TASKS} held-out tasks of {family.title}, each with {points}. The box "
        "holds the middle half of them, the line nine of ten, the dot is this task; the scale is "
        "logarithmic. Time is measured here, for one task; in training a Hessian-vector product "
        "counts as two gradients."
    )
    if any(one.name not in standings for one in shown):
        note = f"Scoring each of them on {TASKS} held-out tasks…"
    return Board("Where they stand", scores, note)


def shots_of(view: CompareView) -> int:
    """Labelled points per held-out task: as many as the visitor has placed, or four."""
    return len(view.points) or 4


def _score(view: CompareView, one: Contestant, mine: Array, known: Standing | None) -> Score:
    steps = view.steps
    if known is None:
        nothing = np.empty(0)
        return Score(one.title, _cost(one, steps), *one.look, *[nothing] * 3, mine, nothing)
    held_out = known.held_out
    errors = ordered(held_out.errors)
    with np.errstate(invalid="ignore"):
        spread = np.percentile(errors, QUANTILES, axis=1).T
    harder = (errors > mine[:, None]).mean(1)
    note = _cost(one, steps, known.milliseconds)
    return Score(one.title, note, *one.look, held_out.mean, held_out.ci95, spread, mine, harder)


def _cost(one: Contestant, steps: int, milliseconds: float | None = None) -> str:
    """Its inner learning rate, and what adapting and training cost."""
    algorithm = one.learner.algorithm
    if one.name == "oracle":
        parts = ["least squares"]
    else:
        learned = isinstance(algorithm, LearnedStepSizes)
        alpha = f"learned from {algorithm.inner_lr:g}" if learned else f"{algorithm.inner_lr:g}"
        parts = [f"α {alpha}", f"{steps} gradient{'s' * (steps != 1)}"]
    if milliseconds is not None:
        parts[-1] += f" in {milliseconds:.1f} ms"
    if one.config is None:
        parts.append("no training")
    else:
        parts.append(f"trained on {_large(one.config.gradients)} gradients")
    return " · ".join(parts)


def _large(count: int) -> str:
    return f"{count / 1e6:.2g} million" if count >= 1e6 else f"{count:,}"


def _sweep(
    view: CompareView, family: TaskFamily, shown: Sequence[Contestant], sweeps: Sweeps
) -> Sweep | None:
    series = [Series(one.title, sweeps[one.name], *one.look) for one in shown if one.name in sweeps]
    if not series:
        return None
    attribute = ATTRIBUTES[view.along]
    return Sweep(
        f"Error against {attribute.title.lower()}",
        attribute.values(family),
        attribute.trained(family),
        view.value(view.along),
        series,
        attribute.names,
        f"Shaded: what they were trained on. Mean over {SWEPT_TASKS} held-out tasks at each value, "
        "all else as in training, after as many steps as the scrubber shows. The upright line is "
        "the wave in the chart.",
    )
