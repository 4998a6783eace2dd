"""Curves and runs as tables: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from metademo.formats import to_json
from metademo.jobs import Progress
from metademo.jobs.snapshots import EVERY, HELD_OUT_TASKS
from metademo.moments.asked import Asked
from metademo.moments.scaling import UNSCALED, Scaling
from metademo.moments.signs import DrawView, strokes_of
from metademo.settings import TrainConfig
from metademo.tasks import Array


def curves_csv(x: Array, curves: Mapping[str, Array], scaling: Scaling = UNSCALED) -> str:
    """What a chart shows: x, and a column for each curve, or for each step of one.

    Args:
        x: of all of them, (points,).
        curves: by name; (points,), or (steps + 1, points) for one that goes from step to step.
        scaling: how the visitor's own numbers, in which the table is, lie on the chart.
    """
    columns = {"x": scaling.x.zero + scaling.x.unit * x}
    for name, on_chart in curves.items():
        values = scaling.y.zero + scaling.y.unit * on_chart
        name = name.replace(" ", "_")
        if values.ndim == 1:
            columns[name] = values
        else:
            columns |= {f"{name}_step_{k}": curve for k, curve in enumerate(values)}
    return _csv(columns, zip(*columns.values(), strict=True))


def answers_csv(asked: Asked) -> str:
    """What each learner says of a question: the probability of each sign after each step."""
    signs = {"sign": [1 + sign for sign in asked.ways]}
    columns = signs | {
        f"{name}_step_{k}": row.tolist()
        for name, rows in asked.shares.items()
        for k, row in enumerate(rows)
    }
    return _csv(columns, zip(*columns.values(), strict=True))


def drawings_json(view: DrawView) -> str:
    """The drawings of each sign, and the question: strokes of points, see `moments.signs`."""
    signs = [[strokes_of(text) for text in examples] for examples in view.examples]
    return to_json({"signs": signs, "question": strokes_of(view.question)})


class HeldOut(BaseModel):
    """Mean errors on held-out tasks, after 0, 1, .. S inner steps.

    Attributes:
        step: outer steps done.
        errors: null where the inner loop ran away.
    """

    model_config = ConfigDict(frozen=True)

    step: int
    errors: list[float | None]


class Loss(BaseModel):
    """The mean query loss of outer steps that follow one another; `step` is where they lie."""

    model_config = ConfigDict(frozen=True)

    step: float
    loss: float | None


class RunReport(BaseModel):
    """A run of the Train page.

    Attributes:
        state: such as "finished"; `reason` says why it ended.
        steps: outer steps done.
        seconds: of training, pauses not counted.
        metric: of the held-out errors, which are means over `held_out_tasks` tasks and every
            `held_out_every`th point of the family's grid.
    """

    model_config = ConfigDict(frozen=True)

    config: TrainConfig
    state: str
    reason: str
    engine: str
    steps: int
    seconds: float
    metric: str
    held_out_tasks: int = HELD_OUT_TASKS
    held_out_every: int = EVERY
    losses: list[Loss]
    held_out: list[HeldOut]

    @classmethod
    def of(cls, progress: Progress) -> RunReport:
        losses = zip(progress.loss_steps.tolist(), progress.losses.tolist(), strict=True)
        return cls(
            config=progress.config,
            state=progress.state.value,
            reason=progress.reason,
            engine=progress.engine,
            steps=progress.step,
            seconds=round(progress.seconds, 3),
            metric=progress.config.task_family.metric,
            losses=[Loss(step=step, loss=_finite(loss)) for step, loss in losses],
            held_out=[
                HeldOut(step=s.step, errors=[_finite(e) for e in s.errors.tolist()])
                for s in progress.snapshots
            ],
        )

    def to_json(self) -> str:
        return to_json(self.model_dump(), indent=2)

    def to_csv(self) -> str:
        """A row for each loss and each held-out error; lines with # tell the settings."""
        head = {
            **self.config.to_dict(),
            **self.model_dump(exclude={"config", "losses", "held_out"}),
        }
        settings = "".join(f"# {name}: {value}\n" for name, value in head.items())
        width = max((len(row.errors) for row in self.held_out), default=0)
        rows: list[list[Any]] = [[loss.step, loss.loss] + [None] * width for loss in self.losses]
        rows += [[row.step, None, *row.errors] for row in self.held_out]
        names = ["outer_step", "query_loss", *(f"error_after_{k}" for k in range(width))]
        return settings + _csv(names, sorted(rows, key=lambda row: row[0]))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _csv(names: Iterable[str], rows: Iterable[Sequence[Any]]) -> str:
    """Numbers with all their digits; nothing where there is none, or where it ran away."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    table.writerows(
        [v if v is not None and math.isfinite(v) else None for v in row] for row in rows
    )
    return text.getvalue()
