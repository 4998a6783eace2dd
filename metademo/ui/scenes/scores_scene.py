"""From a view to the board and the sweep of the Compare page. No Streamlit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from metademo.evaluation import ordered
from metademo.moments.candidates import Candidate
from metademo.moments.compared import Compared
from metademo.moments.drawn import Drawn
from metademo.moments.outside import ATTRIBUTES
from metademo.moments.views import CompareView
from metademo.reproduced import NOISE
from metademo.tasks import Array, WaveFamily
from metademo.ui.components.kernel.curves import Series
from metademo.ui.scenes.boards import Board, Score, Sweep
from metademo.ui.scenes.compare_scene import CEILING, in_a_row, outside_of
from metademo.ui.scenes.facts import error_from, exact
from metademo.ui.server.measurements import EVERY, SWEPT_TASKS, TASKS, Measured, shots_of

QUANTILES = (5, 25, 50, 75, 95)


def scores_scene(
    view: CompareView, family: WaveFamily, compared: Compared, measured: Measured
) -> tuple[Board | None, Sweep | None]:
    """The board and the sweep of the learners shown, as far as they are known."""
    if not compared.shown:
        return None, None
    return _board(view, family, compared, measured), _sweep(view, family, compared, measured)


def _board(view: CompareView, family: WaveFamily, compared: Compared, measured: Measured) -> Board:
    scores = [_score(view, family, one, compared, measured) for one in compared.shown]
    scores.sort(key=lambda score: ordered(score.mean[-1:]).tolist())
    shots = _counted(shots_of(view), "point")
    outside = bool(outside_of(view, family))
    tasks = f"{TASKS} tasks like those of training" if outside else f"{TASKS} held-out tasks"
    what = "Mean |difference|" if family.metric == "l1" else "Mean squared error"
    note = (
        f"{what} from the true wave: in the chart, and on {tasks} ({family.title}), each with "
        f"{shots}, with a 95 % interval of the mean. The box holds the middle half of those tasks, "
        f"the line nine of ten; the dot is the task in the chart{', not one of them' * outside}. "
        "Time is measured here, for one task; in training a Hessian-vector product counts as two "
        "gradients."
    )
    if waiting := _waiting(compared, measured, measured.standings):
        note = f"Measuring {waiting} on {tasks}, each with {shots}…"
    return Board("Where they stand", scores, tasks, note)


def _waiting(compared: Compared, measured: Measured, known: Collection[str]) -> str:
    """Those of whom something is still to become known, in words."""
    return in_a_row(
        one.title
        for one in compared.shown
        if one.name in measured.pending and one.name not in known
    )


def _score(
    view: CompareView, family: WaveFamily, one: Candidate, compared: Compared, measured: Measured
) -> Score:
    run, mine = compared.runs[one.name], compared.errors[one.name]
    known = measured.standings.get(one.name)
    row: dict[str, Any] = dict(
        label=one.title,
        about=one.summary,
        note=_cost(one, compared.steps[one.name], None if known is None else known.milliseconds),
        color=one.style.colours,
        dash=one.style.dash,
        mine=mine,
    )
    here = [error_from(value, "true wave", family.grid, family.metric) for value in mine]
    if known is None:
        row["formulas"] = {"mine": here}
        nothing = np.empty(0)
        failed = one.name in measured.failed
        row |= dict(missing="could not be measured" if failed else "measuring…")
        return Score(**row, mean=nothing, half=nothing, spread=nothing, better=nothing)
    errors = ordered(known.held_out.errors)
    with np.errstate(invalid="ignore"):  # where tasks diverged
        spread = np.percentile(errors, QUANTILES, axis=1).T
    shares = np.full(len(mine), np.nan)
    if view.points or one.model.learner.unlabelled:
        shares = better(errors, _like_held_out(view, family, run))
    return Score(
        **row,
        mean=known.held_out.mean,
        half=known.held_out.ci95,
        spread=spread,
        better=shares,
        formulas={"mine": here} | _formulas(errors, known.held_out.ci95, shares),
    )


def _formulas(errors: Array, half: Array, shares: Array) -> dict[str, list[str]]:
    """How the numbers of a row were computed from the errors on many tasks, (steps + 1, tasks)."""
    n = errors.shape[1]
    with np.errstate(invalid="ignore", over="ignore"):  # where tasks diverged
        rows = zip(errors.mean(1), errors.std(1, ddof=1), half, shares, strict=True)
        found: dict[str, list[str]] = {"mean": [], "half": [], "better": []}
        for mean, spread, width, share in rows:
            found["mean"].append(f"{exact(mean)} = mean of the errors on {n} tasks")
            found["half"].append(
                f"{exact(width)} = 1.96 × {exact(spread)} / √{n}: the errors’ standard deviation, "
                f"over the root of their number"
            )
            larger = "" if np.isnan(share) else f"{round(share * n)} of {n} tasks"
            found["better"].append(larger and f"{larger} have a larger error than this one")
    return found


def _like_held_out(view: CompareView, family: WaveFamily, run: Drawn) -> Array:
    """Errors on the task in the chart on the coarser grid on which held-out tasks are measured."""
    coarse = replace(run, curves=run.curves[:, ::EVERY])
    return coarse.errors(view.wave(family.grid[::EVERY])[0], family.metric)


def better(errors: Array, mine: Array) -> Array:
    """Shares of tasks with a larger error than this one.

    NaN where more than a tenth of them tie with it: which is larger is then a matter of rounding.

    Args:
        errors: (steps + 1, tasks), no NaN among them.
        mine: (steps + 1,).
    """
    mine = ordered(mine)[:, None]
    slack = NOISE + 1e-3 * mine
    with np.errstate(invalid="ignore"):  # where tasks diverged
        tied = (np.abs(errors - mine) <= slack) | (errors == mine)
        share = (errors > mine + slack).mean(1)
    return np.where(tied.mean(1) > 0.1, np.nan, share)


def _cost(one: Candidate, steps: int, milliseconds: float | None) -> str:
    """What adapting and training cost."""
    parts = [one.model.learner.cost(steps)]
    if milliseconds is not None:
        parts[-1] += f" in {milliseconds:.1f} ms"
    if one.config is None:
        parts.append("not meta-trained")
    else:
        aim = f"for {_counted(one.trained_steps, 'step')} " if one.trained_steps else ""
        parts.append(f"trained {aim}on {_large(one.config.gradients)} gradients")
    return " · ".join(parts)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _large(count: int) -> str:
    return f"{count / 1e6:.2g} million" if count >= 1e6 else f"{count:,}"


def _sweep(view: CompareView, family: WaveFamily, compared: Compared, measured: Measured) -> Sweep:
    attribute = ATTRIBUTES[view.along]
    series = [
        Series(one.title, np.minimum(measured.sweeps[one.name], CEILING), *one.colours_and_dash)
        for one in compared.shown
        if one.name in measured.sweeps
    ]
    note = (
        f"Shaded: what they were trained on. Mean over {SWEPT_TASKS} held-out tasks at each value, "
        "all else as in training, after as many steps as the scrubber shows. The upright line is "
        "the wave in the chart."
    )
    if waiting := _waiting(compared, measured, measured.sweeps):
        note = f"Measuring {waiting}…"
    values, here = attribute.values(family), view.value(view.along)
    nearest = attribute.in_words(float(values[np.abs(values - here).argmin()]))
    return Sweep(
        f"Error against {attribute.title.lower()}",
        values,
        attribute.trained_among(family),
        here,
        series,
        attribute.names,
        note,
        f"mean of the errors on {SWEPT_TASKS} tasks of {attribute.title.lower()} {nearest}",
    )
