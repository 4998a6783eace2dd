"""How often learners tell signs apart: a table, and a chart of what breaks them. No Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from metademo.evaluation import Evaluation
from metademo.formats import percent
from metademo.moments.candidates import Candidate
from metademo.moments.outside_of_signs import CHANGES, Change
from metademo.moments.signs import DrawView
from metademo.ui.components.kernel.curves import Series
from metademo.ui.scenes.boards import Sweep
from metademo.ui.server.sign_scores import (
    MEASURED_ON,
    SWEPT_QUERIES,
    SWEPT_TASKS,
    TASKS,
    Measured,
)


def sign_table(chosen: Sequence[Candidate], measured: Measured) -> str:
    """The share of right answers of each learner, and how far off it knows it, as Markdown."""
    head = f"| Way of learning | {' | '.join(MEASURED_ON)} | calibration error, digits |"
    rule = "|:--|" + "--:|" * (len(MEASURED_ON) + 1)
    return "\n".join([head, rule, *(_row(one, measured) for one in chosen)])


def sign_note(view: DrawView) -> str:
    """What the table is about."""
    examples = f"{view.shots} example" + "s" * (view.shots > 1)
    return (
        f"The share of right answers after the steps of training, on {TASKS} held-out tasks of "
        f"{view.ways} signs with {examples} of each, and its 95 % interval; chance is "
        f"{100 / view.ways:.0f} %. Generated signs are of the kind that was trained on, each one "
        "new. The digits were written by 13 people, and no training has seen any. The calibration "
        "error is the average gap between how sure it is and how often it is right when it is that "
        "sure."
    )


def _row(one: Candidate, measured: Measured) -> str:
    found = [measured.held_out[on].get(one.name) for on in MEASURED_ON]
    waiting = one.name in measured.pending
    cells = [*(_cell(on, waiting) for on in found), _calibration(found[-1])]
    return f"| {one.title} | {' | '.join(cells)} |"


def _cell(found: Evaluation | None, waiting: bool) -> str:
    if found is None:
        return "measuring…" if waiting else "could not be measured"
    return f"**{100 * found.mean[-1]:.1f}**\u00a0± {100 * found.ci95[-1]:.1f}\u00a0%"


def _calibration(found: Evaluation | None) -> str:
    errors = None if found is None else found.calibration_error
    return "–" if errors is None else f"{100 * errors[-1]:.1f} %"


def sign_sweep(view: DrawView, chosen: Sequence[Candidate], measured: Measured) -> Sweep:
    """Accuracy against one change of the questions."""
    change = CHANGES[view.along]
    series = [
        Series(one.title, measured.sweeps[one.name].tolist(), *one.colours_and_dash)
        for one in chosen
        if one.name in measured.sweeps
    ]
    note = (
        f"Shaded: what the generator of signs makes. {SWEPT_TASKS} held-out tasks, {SWEPT_QUERIES} "
        "questions of each sign at each value; the examples stay as they are. The upright line is "
        "your question."
    )
    if view.along == "turn" and series:
        note += f" {_what_a_turn_does(series[0], change)}"
    if waiting := [one.title for one in chosen if one.name not in measured.sweeps]:
        note = f"Measuring {', '.join(waiting)}…"
    return Sweep(
        f"Right answers against {change.title.lower()}",
        change.values,
        [change.trained],
        getattr(view, view.along),
        series,
        note=note,
        about=f"right answers on {SWEPT_TASKS} tasks",
        shares=True,
    )


def _what_a_turn_does(series: Series, change: Change) -> str:
    """What a sign is to them that is turned further and further."""
    rows: Any = series.values
    upright, askew, lying = (
        percent(rows[-1][change.values.index(degrees)]) for degrees in (0, 45, 90)
    )
    return (
        f"A sign that is turned becomes another one: {series.label} is right about {upright} of "
        f"those that stand upright, {askew} at 45° and {lying} at 90°."
    )
