"""A line to pick one number from, with marked bands: the DAML page's source domain.

The handle is dragged, clicked or keyed along; the browser shows the number at once and the server
answers as it can. As with the chart, raise `epoch` whenever the server itself sets the value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from metademo.ui import assets
from metademo.ui.chart import (
    Color,
    Range,
    Ticks,
    _event_of,
    _finite,
    _ticks,
    _two_colors,
    _whole,
    pi_ticks,
)


@dataclass(frozen=True)
class Band:
    """A stretch of the line with a meaning."""

    low: float
    high: float
    label: str
    color: Color = ("#4b5563", "#c5cad3")


@dataclass(frozen=True)
class LineEvent:
    """Where the visitor put the handle."""

    value: float
    final: bool  # False while it is being dragged
    epoch: int
    seq: int


def clean_value(value: Any, x_range: Range, fallback: float) -> float:
    """A finite number within the range, whatever came in. Never raises."""
    number = _finite(value)
    return fallback if number is None else min(max(number, x_range[0]), x_range[1])


def source_line(
    key: str,
    *,
    value: float,
    x_range: Range,
    bands: Sequence[Band] = (),
    ticks: Ticks | None = None,
    draws: Sequence[float] = (),
    draws_label: str = "",
    status: str = "",
    label: str = "Source input",
    symbol: str = "x",
    epoch: int = 0,
    editable: bool = True,
    on_value: Callable[[LineEvent], None] | None = None,
) -> LineEvent | None:
    """Draw the line; return the visitor's latest choice, or None.

    Args:
        key: stable.
        value: where the handle stands as far as the server knows.
        x_range: of the line; the handle stays within it.
        bands: marked stretches, labelled.
        ticks: default: multiples of pi/4.
        draws: further inputs, shown as small marks (the fresh ones of each step, in order).
        status: one plain line, e.g. whether the value lies within a band; given anew at each rerun.
        label: name of the slider, for a screen reader and above the line.
        symbol: what the number is called, e.g. "x" in "x = 0.79".
        editable: False shows the line and its draws without a handle.
        on_value: called with each event before the rerun; events of an older epoch are dropped.
    """
    raw = _event_of(key)
    callback = functools.partial(_dispatch, key, epoch, x_range, value, on_value)
    data = {
        "assets": assets.urls("source_line.js"),
        "ack": _whole(raw.get("seq")),
        "epoch": epoch,
        "value": clean_value(value, x_range, (x_range[0] + x_range[1]) / 2),
        "range": [float(v) for v in x_range],
        "ticks": _ticks(ticks or pi_ticks(*x_range, every=0.7853981633974483)),
        "bands": [
            {
                "low": float(b.low),
                "high": float(b.high),
                "label": b.label,
                "color": list(_two_colors(b.color)),
            }
            for b in bands
        ],
        "draws": [v for v in map(_finite, draws) if v is not None],
        "drawsLabel": draws_label,
        "status": status,
        "label": label,
        "symbol": symbol,
        "editable": editable,
    }
    _mount()(key=key, data=data, on_edit_change=callback)
    return _read_event(raw, epoch, x_range, value)


@functools.cache
def _mount():
    return assets.component("source_line", 120)


def _read_event(
    raw: dict[str, Any], epoch: int, x_range: Range, fallback: float
) -> LineEvent | None:
    if not raw or raw.get("epoch") != epoch:
        return None
    value = clean_value(raw.get("value"), x_range, fallback)
    return LineEvent(value, raw.get("final") is not False, epoch, _whole(raw.get("seq")))


def _dispatch(
    key: str,
    epoch: int,
    x_range: Range,
    fallback: float,
    on_value: Callable[[LineEvent], None] | None,
) -> None:
    event = _read_event(_event_of(key), epoch, x_range, fallback)
    if event is not None and on_value is not None:
        on_value(event)
