"""The standard benchmark's table as it ships, and as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from metademo import checkpoints
from metademo.reports import Place, Table, TableRow

RUNAWAY = 10
DIVERGED = (
    "A task has diverged after k inner steps if its error is not finite, or is more than "
    f"{RUNAWAY} times both its own error before the first step and the mean of that over tasks."
)
NOISE, BEYOND = 1e-6, 1e4
"""Errors below the one are rounding noise; means above the other (no network at all is at 4) say
only that some tasks have run away."""
RAN_AWAY = "diverges"
COMMITTED = checkpoints.SHIPPED / "finn-benchmark.json"
"""The report that ships with the project."""


def committed() -> Table | None:
    """The report that ships, or None if there is none that can be read."""
    try:
        return Table.model_validate_json(COMMITTED.read_bytes())
    except (OSError, ValueError):
        return None


def records(report: Table, shots: int) -> list[dict[str, str]]:
    """The rows for one number of shots, in words: what the command prints, for a page."""
    steps, found = report.conditions.inner_steps, []
    for row in report.rows:
        cells = {f"{k} step{'s' * (k > 1)}": cell(row.errors[shots][k]) for k in steps}
        theirs = [row.published.get(k) for k in steps]
        published = " / ".join(f"{value:g}" if value else "-" for value in theirs) * any(theirs)
        named = {"way of learning": row.title, **cells}
        found.append(named | {"published": published if shots == 5 else ""})
    return found


def cell(place: Place) -> str:
    """Mean, 95 % interval, median and share diverged of one place in the table, in words."""
    mean, median = figure(place.mean), figure(place.median)
    share = percent(place.diverged) if place.diverged else ""
    if mean == median:  # both nothing but rounding, or both beyond any sense
        return mean
    if mean == RAN_AWAY:
        return f"{mean} (median {median}), {share} of tasks"
    half = _short(place.ci95) if 0 < place.ci95 < NOISE else figure(place.ci95)
    text = f"{mean} ± {half} (median {median})"
    return text + (f", {share} diverge" if share else "")


def figure(error: float) -> str:
    """An error as people read it: three digits, unless it is rounding noise or beyond any sense."""
    if not error <= BEYOND:
        return RAN_AWAY
    if error < NOISE:
        return f"< {_short(NOISE)}" if error else "0"
    return _short(error) if error < 999.5 else f"{error:,.0f}"


def _short(value: float) -> str:
    """Three digits of it: 0.412, 1.92e-6."""
    return f"{value:.3g}".replace("e-0", "e-")


def percent(share: float) -> str:
    """Two digits of it: 0.57 %, 16 %."""
    return f"{float(f'{100 * share:.2g}'):g} %"


def table(report: Table) -> str:
    """The report as text: mean and 95 % interval, median, share diverged."""
    conditions = report.conditions
    seeds, tasks = len(conditions.training_seeds), conditions.held_out_tasks_per_seed
    lines = [f"{conditions.tasks}; {seeds} seeds x {tasks} held-out tasks; mean squared error"]
    steps = conditions.inner_steps
    headings = [f"{k} step{'s' * (k > 1)}" for k in steps]
    for shots in conditions.shots:
        rows = {"": headings} | {row.name: _cells(row, shots, steps) for row in report.rows}
        width = 2 + max(len(text) for cells in rows.values() for text in cells)
        lines += ["", f"{shots}-shot"]
        lines += [
            f"  {name:<12}" + "".join(f"{text:<{width}}" for text in cells).rstrip()
            for name, cells in rows.items()
        ]
    lines += ["", "mean ± 95 % interval, and what was published in square brackets", DIVERGED, ""]
    lines += [f"{row.name}: {row.note}" for row in report.rows if row.note]
    lines += ["", "held to"]
    for claim in report.claims:
        verdict = "yes" if claim.holds else "NO"
        lines.append(f"  {claim.text:<40}{figure(claim.value):>10}  {claim.bound:<20}{verdict}")
    return "\n".join(lines)


def _cells(row: TableRow, shots: int, steps: Sequence[int]) -> list[str]:
    """The places of a row, with what was published behind them."""
    cells = []
    for k in steps:
        published = row.published.get(k) if shots == 5 else None
        text = cell(row.errors[shots][k])
        cells.append(f"{text} [{published}]" if published else text)
    return cells
