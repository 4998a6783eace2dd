"""The board and the sweep of the Compare page: one component, apart from the chart it belongs to.

It follows the chart's scrubber, and asks for a run of the fragment that it stands in again and
again while measurements are pending.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metademo.ui import assets
from metademo.ui.chart import Color, Range, Series, _encode_series, _finite, _two_colors

FIRST_PAINT_HEIGHT = 640


@dataclass(frozen=True)
class Score:
    """A row of the board: a learner's error on many tasks, and on this one, at each step 0..S.

    Attributes:
        about: what it is, in a line.
        note: what it costs.
        mean, half: the mean over the tasks, and half of its interval, (S + 1,).
        spread: the errors that 5, 25, 50, 75 and 95 % of the tasks stay below, (S + 1, 5).
        mine: the error on this task.
        better: the share of the tasks on which the error is larger than on this one; NaN where
            that would say nothing.
        missing: words in place of what is not known; `mean`, `half`, `spread` and `better` are
            empty then.

    Other values that are not finite have run away.
    """

    label: str
    about: str
    note: str
    color: Color
    dash: str
    mean: np.ndarray
    half: np.ndarray
    spread: np.ndarray
    mine: np.ndarray
    better: np.ndarray
    missing: str = ""


@dataclass(frozen=True)
class Board:
    """A table that follows the scrubber: one score a row.

    Attributes:
        tasks: what the many tasks are called, such as "300 held-out tasks".
    """

    title: str
    scores: Sequence[Score]
    tasks: str
    note: str = ""


@dataclass(frozen=True)
class Sweep:
    """A chart of errors against an attribute of the tasks, with one line per learner and step.

    Attributes:
        values: of the attribute, (n,); with `names` they are kinds and not numbers.
        trained: stretches of it that occurred in training.
        here: the value of the task in the chart.
        series: `values` of each has shape (S + 1, n).
    """

    title: str
    values: Sequence[float]
    trained: Sequence[Range]
    here: float
    series: Sequence[Series]
    names: Sequence[str] = ()
    note: str = ""


def scores(key: str, *, board: Board | None, sweep: Sweep | None, pending: bool, page: str) -> None:
    """Draw both; call it in a fragment of its own.

    Args:
        key: stable; the component is never mounted anew as long as it stays the same.
        pending: whether something is still being measured.
        page: its name; the scrubber of the chart on it is followed.
    """
    data = {
        "assets": assets.urls("scores.js"),
        "board": board and _encode_board(board),
        "sweep": sweep and _encode_sweep(sweep),
        "pending": pending,
        "page": page,
    }
    _mount()(key=key, data=data, on_asked_change=lambda: None)


@functools.cache
def _mount():
    return assets.component("scores", FIRST_PAINT_HEIGHT)


_PER_STEP = ("mean", "half", "spread", "mine", "better")


def _encode_board(board: Board) -> dict[str, Any]:
    return {
        "title": board.title,
        "tasks": board.tasks,
        "note": board.note,
        "scores": [
            {
                "label": s.label,
                "about": s.about,
                "note": s.note,
                "color": list(_two_colors(s.color)),
                "dash": s.dash,
                "missing": s.missing,
                **{name: _rounded(getattr(s, name)) for name in _PER_STEP},
            }
            for s in board.scores
        ],
    }


def _encode_sweep(sweep: Sweep) -> dict[str, Any]:
    return {
        "title": sweep.title,
        "note": sweep.note,
        "values": _rounded(sweep.values),
        "names": list(sweep.names),
        "trained": _rounded(sweep.trained),
        "here": float(sweep.here),
        "series": [_encode_series(s, _rounded(s.values)) for s in sweep.series],
    }


def _rounded(values: Any) -> Any:
    """Numbers, nested as they are, with four digits; None for what is not finite."""
    if isinstance(values, (Sequence, np.ndarray)):
        return [_rounded(v) for v in values]
    return _finite(float(f"{values:.4g}"))
