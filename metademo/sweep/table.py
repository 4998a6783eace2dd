"""The table of a sweep."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from metademo.evaluation import Z95
from metademo.formats import readable
from metademo.reports import Report, Unbounded
from metademo.settings import TrainConfig
from metademo.sweep.file import Run
from metademo.sweep.plan import Plan
from metademo.sweep.run import Outcome
from metademo.tasks import FAMILIES

T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""Student's t for an interval of 95 % with 1, 2, .. degrees of freedom."""


class Row(Report):
    """Runs that differ in nothing but the seed.

    Attributes:
        varied: the settings that vary, with their values here.
        metric: "l1" or "mse".
        mean: over the seeds, of the mean error over the held-out tasks, after 0, 1, .. inner steps.
        ci95: half the width of its 95 % interval: by Student's t over the seeds, and where there is
            but one, over its tasks.
        of_each_seed: the error after the last inner step, (seeds,).
        diverged: how many of them.
    """

    algorithm: str
    family: str
    varied: Mapping[str, int | float | str | None]
    metric: str
    seeds: tuple[int, ...]
    mean: tuple[Unbounded, ...]
    ci95: tuple[Unbounded, ...]
    of_each_seed: tuple[Unbounded, ...]
    diverged: int


class Table(Report):
    """The report of `sweep`.

    Attributes:
        runs: the file with a line for each run.
        tasks: held-out tasks of each run.
    """

    runs: str
    tasks: int
    rows: tuple[Row, ...]
    left_out: tuple[str, ...]
    failed: tuple[str, ...]


def table_of(plan: Plan, outcome: Outcome, out: Path | str) -> Table:
    """The report about a sweep."""
    groups: dict[TrainConfig, list[Run]] = {}
    for run in outcome.runs:
        groups.setdefault(run.config.changed(seed=0), []).append(run)
    return Table(
        runs=str(out),
        tasks=plan.extent.tasks,
        rows=tuple(_row(plan, runs) for runs in groups.values()),
        left_out=tuple(outcome.left_out),
        failed=tuple(outcome.failed),
    )


def _row(plan: Plan, runs: Sequence[Run]) -> Row:
    config = runs[0].config
    steps = list(zip(*(run.scores.mean for run in runs), strict=True))
    ci95 = runs[0].scores.ci95 if len(runs) == 1 else tuple(map(interval, steps))
    return Row(
        algorithm=config.algorithm,
        family=config.family,
        varied={name: getattr(config, name) for name in plan.vary},
        metric=runs[0].scores.metric,
        seeds=tuple(run.seed for run in runs),
        mean=tuple(math.fsum(errors) / len(errors) for errors in steps),
        ci95=ci95,
        of_each_seed=steps[-1],
        diverged=sum(run.diverged for run in runs),
    )


def interval(values: Sequence[float]) -> float:
    """Half the width of the 95 % interval of the mean of a few values, by Student's t.

    >>> interval([1.0, 3.0])  # 12.706 x 1.414 / 1.414
    12.706
    """
    if not all(map(math.isfinite, values)):
        return math.inf
    degrees = len(values) - 1
    t = T95[degrees - 1] if degrees <= len(T95) else Z95 + (Z95**3 + Z95) / (4 * degrees)
    return t * statistics.stdev(values) / math.sqrt(len(values))


def table(report: Table) -> str:
    """The report as text: a paragraph for each family, and a line for each row."""
    lines = []
    for family in dict.fromkeys(row.family for row in report.rows):
        rows = [row for row in report.rows if row.family == family]
        measured = f"{rows[0].metric} {FAMILIES[family].measured}"
        lines += [f"{family}: {measured}, {report.tasks} held-out tasks", *_aligned(rows), ""]
    lines.append(
        "± is the 95 % interval over seeds (Student's t); of a single seed, over its tasks"
    )
    if any(row.diverged for row in report.rows):
        lines.append("a run that diverged is scored as it was after its last good step")
    return "\n".join(lines)


def _aligned(rows: Sequence[Row]) -> list[str]:
    head = ["algorithm", *rows[0].varied, "seeds", "before", "after", "±95 %", "diverged"]
    cells = [head]
    for row in rows:
        varied = ["none" if value is None else f"{value}" for value in row.varied.values()]
        errors = [readable(value) for value in (row.mean[0], row.mean[-1], row.ci95[-1])]
        diverged = str(row.diverged) if row.diverged else "-"
        cells.append([row.algorithm, *varied, str(len(row.seeds)), *errors, diverged])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  " + "  ".join(_padded(line, widths)).rstrip() for line in cells]


def _padded(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """The first cell to the left, numbers to the right."""
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        yield cell.rjust(width) if place else cell.ljust(width)
