"""The board and the sweep of the Compare page: one component, apart from the chart it belongs to.

It follows the chart's scrubber, and asks for a run of the fragment that it stands in again and
again while measurements are pending.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import encode_series, two_colors
from metademo.ui.components.kernel.gestures import finite
from metademo.ui.scenes.boards import Board, Sweep

FIRST_PAINT_HEIGHT = 640


def scores(key: str, *, board: Board | None, sweep: Sweep | None, pending: bool, page: str) -> None:
    """Draw both; call it in a fragment of its own.

    Args:
        key: stable; the component is never mounted anew as long as it stays the same.
        pending: whether something is still being measured.
        page: its name; the scrubber of the chart on it is followed.
    """
    data = {
        "assets": assets.urls("scores/scores.js"),
        "board": board and _encode_board(board),
        "sweep": sweep and _encode_sweep(sweep),
        "pending": pending,
        "page": page,
    }
    _mount()(key=key, data=data, on_asked_change=lambda: None)


@functools.cache
def _mount() -> Callable[..., None]:
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
                "color": list(two_colors(s.color)),
                "dash": s.dash,
                "missing": s.missing,
                "formulas": {name: list(texts) for name, texts in s.formulas.items()},
                **{name: _rounded(getattr(s, name)) for name in _PER_STEP},
            }
            for s in board.scores
        ],
    }


def _encode_sweep(sweep: Sweep) -> dict[str, Any]:
    return {
        "title": sweep.title,
        "note": sweep.note,
        "about": sweep.about,
        "shares": sweep.shares,
        "values": _rounded(sweep.values),
        "names": list(sweep.names),
        "trained": _rounded(sweep.trained),
        "here": float(sweep.here),
        "series": [encode_series(s, _rounded(s.values)) for s in sweep.series],
    }


def _rounded(values: Any) -> Any:
    """Numbers, nested as they are, with four digits; None for what is not finite."""
    if isinstance(values, (Sequence, np.ndarray)):
        return [_rounded(v) for v in values]
    return finite(float(f"{values:.4g}"))
