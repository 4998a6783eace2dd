"""A line to pick one number from, with marked bands: the DAML page's source domain.

The handle is dragged, clicked or keyed along; the browser shows the number at once and the server
answers as it can.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import (
    Color,
    Ticks,
    encode_ticks,
    pi_ticks,
    two_colors,
)
from metademo.ui.components.kernel.gestures import Range, finite


@dataclass(frozen=True)
class Band:
    """A stretch of the line with a meaning."""

    low: float
    high: float
    label: str
    color: Color = ("#4b5563", "#c5cad3")


def clean_value(value: Any, x_range: Range, fallback: float) -> float:
    """A finite number within the range, whatever came in. Never raises."""
    number = finite(value)
    return fallback if number is None else min(max(number, x_range[0]), x_range[1])


def source_line(
    key: str,
    *,
    value: float,
    x_range: Range,
    bands: Sequence[Band] = (),
    ticks: Ticks | None = None,
    draws: Iterable[float] = (),
    draws_label: str = "",
    status: str = "",
    label: str = "Source input",
    symbol: str = "xₛ",
    conversation: Mapping[str, Any] | None = None,
    on_edit: Callable[[], None] = lambda: None,
    nudge: str = "",
    figure: str = "",
) -> None:
    """Draw the line.

    Args:
        key: stable.
        value: where the handle stands as far as the server knows.
        x_range: of the line; the handle stays within it.
        bands: marked stretches, labelled.
        ticks: default: multiples of pi/4.
        draws: further inputs, shown as small marks (the fresh ones of each step, in order).
        status: one plain line, e.g. whether the value lies within a band; given anew at each rerun.
        label: name of the slider, for a screen reader and above the line.
        symbol: what the number is called, e.g. "xₛ" in "xₛ = 0.79".
        conversation: see `PageState.conversation`; without one there is no handle.
        on_edit: called when the visitor has moved the handle, see `PageState.listen`.
        nudge: a sentence for somebody who has never moved it; it stands between the bands.
        figure: the page with whose text it goes, if it does: its handle then stays where it is, and
            is brought forward by the line's label, see `kernel/shared.js`.
    """
    data = {
        "assets": assets.urls("source_line/source_line.js"),
        "value": clean_value(value, x_range, (x_range[0] + x_range[1]) / 2),
        "range": [float(v) for v in x_range],
        "ticks": encode_ticks(ticks or pi_ticks(*x_range, every=0.7853981633974483)),
        "bands": [
            {
                "low": float(b.low),
                "high": float(b.high),
                "label": b.label,
                "color": list(two_colors(b.color)),
            }
            for b in bands
        ],
        "draws": [v for v in map(finite, draws) if v is not None],
        "drawsLabel": draws_label,
        "status": status,
        "label": label,
        "symbol": symbol,
        "editable": conversation is not None,
        "handle": conversation is not None or bool(figure),
        "figure": figure,
        "nudge": nudge,
    }
    _mount()(key=key, data=data | dict(conversation or {"ack": 0}), on_edit_change=on_edit)


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("source_line", 125)
