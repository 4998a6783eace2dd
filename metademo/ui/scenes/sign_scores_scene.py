"""How often learners tell signs apart: a table, and a chart of what breaks them. No Streamlit."""

from __future__ import annotations

from collections.abc import Sequence

from metademo.evaluation import Evaluation
from metademo.moments.candidates import Candidate
from metademo.moments.outside_of_signs import CHANGES
from metademo.moments.signs import DrawView
from metademo.ui.components.kernel.curves import Series
from metademo.ui.scenes.boards import Sweep
from metademo.ui.server.sign_scores import SWEPT_QUERIES, SWEPT_TASKS, TASKS, Measured


def sign_table(view: DrawView, chosen: Sequence[Candidate], measured: Measured) -> str:
    """The share of right answers of each learner, before and after its steps, as Markdown."""
    lines = [
        "| | before any step | after its steps |",
        "|:--|--:|--:|",
        *(_row(one, measured) for one in chosen),
    ]
    examples = f"{view.shots} example" + "s" * (view.shots > 1)
    note = (
        f"Right answers on {TASKS} held-out tasks of {view.ways} generated signs, with {examples} "
        f"of each, and 95 % intervals; chance is {100 / view.ways:.0f} %."
    )
    return "\n".join(lines) + f"\n\n{note}"


def _row(one: Candidate, measured: Measured) -> str:
    found = measured.held_out.get(one.name)
    if found is None:
        failed = one.name in measured.failed
        return f"| {one.title} | | {'could not be measured' if failed else 'measuring…'} |"
    before = _interval(found, 0) if len(found.errors) > 1 else "–"
    return f"| {one.title} | {before} | **{_interval(found, -1)}** |"


def _interval(found: Evaluation, step: int) -> str:
    return f"{100 * found.mean[step]:.1f} ± {100 * found.ci95[step]:.1f} %"


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
        f"questions of each sign at each value; the examples stay as they are. The upright line is "
        f"your question. {_what_breaks(view)}"
    )
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


def _what_breaks(view: DrawView) -> str:
    if view.along != "turn":
        return ""
    return "A sign that is turned by more than some 20° is another sign to them."
