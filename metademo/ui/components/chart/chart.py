"""One interactive chart: curves that change step by step, the visitor's points, a scrubber.

It knows curves, points and steps, and nothing of what made them. Python sends everything for all
steps at once, so scrubbing and playing never talk to the server; the browser sends what the visitor
does to the points, see `kernel/gestures.py`, and shows it at once on top of the server's list.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from streamlit.components.v2.types import ComponentRenderer

from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import (
    Curve,
    Panel,
    Ticks,
    _encode_curve,
    _encode_series,
    _finite,
    _ticks,
)
from metademo.ui.components.kernel.gestures import Point, Range, as_point

FIRST_PAINT_HEIGHT = 560


def clean(
    points: Any, x_range: Range, y_range: Range | None = None, max_points: int = 20
) -> tuple[list[Point], str]:
    """Points fit to be used, and a plain sentence about what was left out ("" if nothing was).

    Takes anything at all and never raises. Beyond `max_points` the first (oldest) are kept.
    """
    if not isinstance(points, (list, tuple)):
        return [], "" if points is None else "The points could not be read."
    kept: list[Point] = []
    broken = outside = 0
    for item in points:
        point = as_point(item)
        if point is None:
            broken += 1
        elif not _within(point[0], x_range) or not (y_range is None or _within(point[1], y_range)):
            outside += 1
        else:
            kept.append(point)
    over = max(0, len(kept) - max_points)
    parts = []
    if broken:
        parts.append(f"{_points(broken)} left out: not two finite numbers.")
    if outside:
        parts.append(f"{_points(outside)} left out: outside the chart.")
    if over:
        parts.append(f"{max_points} points are the most; {_points(over)} left out.")
    return kept[:max_points], " ".join(parts)


def interactive_chart(
    key: str,
    *,
    curves: Sequence[Curve],
    x_range: Range,
    y_range: Range,
    points: Sequence[Point] = (),
    example: bool = False,
    conversation: Mapping[str, Any] | None = None,
    on_edit: Callable[[], None] = lambda: None,
    max_points: int = 20,
    new_points: str = "",
    snap: str = "",
    captions: Sequence[str] = (),
    details: Sequence[str] = (),
    panels: Sequence[Panel] = (),
    x_ticks: Ticks | None = None,
    height: int = 380,
    label: str = "Chart",
    points_label: str = "your examples",
    message: str = "",
    play_seconds: float = 0.42,
) -> None:
    """Draw the chart.

    Args:
        key: stable; the chart is never remounted as long as it stays the same.
        curves: in drawing order. Their x is `numpy.linspace(*x_range, n)`.
        x_range, y_range: of the axes; points live within them.
        points: the server's list.
        example: whether they are an example, which the visitor's first click replaces.
        conversation: see `PageState.conversation`; without one the points can't be changed.
        on_edit: called when the visitor has done something, see `PageState.listen`.
        new_points: label of the button that draws new points; without one there is none.
        snap: name of the curve that new and moved points go onto; none if it is empty.
        captions: one sentence per step (or one for all), large, under the scrubber.
        details: a smaller line below it, likewise.
        panels: small charts of a value per step.
        message: a plain note, shown in the chart's corner until the next gesture.
        play_seconds: time for one step while playing.
    """
    steps = _last_step(curves, captions, panels)
    data = {
        "assets": assets.urls("chart/chart.js"),
        "steps": steps,
        "xRange": [float(v) for v in x_range],
        "yRange": [float(v) for v in y_range],
        "grid": [float(v) for v in x_range],
        "xTicks": _ticks(x_ticks),
        "yTicks": None,
        "curves": [_encode_curve(c, y_range) for c in curves],
        "points": [[float(x), float(y)] for x, y in points],
        "example": example,
        "pointsLabel": points_label,
        "maxPoints": max_points,
        "editable": conversation is not None,
        "fresh": new_points,
        "snap": snap,
        "captions": list(captions),
        "details": list(details),
        "panels": [_encode_panel(p) for p in panels],
        "key": key,
        "height": height,
        "label": label,
        "message": message,
        "playSeconds": play_seconds,
    }
    _mount()(key=key, data=data | dict(conversation or {"ack": 0}), on_edit_change=on_edit)


@functools.cache
def _mount() -> ComponentRenderer:
    return assets.component("chart", FIRST_PAINT_HEIGHT)


def _encode_panel(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "log": panel.log,
        "note": panel.note,
        "series": [_encode_series(s, [_finite(v) for v in s.values]) for s in panel.series],
    }


def _last_step(curves: Sequence[Curve], captions: Sequence[str], panels: Sequence[Panel]) -> int:
    rows = [len(np.atleast_2d(c.y)) for c in curves]
    values = [len(s.values) for p in panels for s in p.series]
    return max([1, len(captions), *rows, *values]) - 1


def _within(value: float, bounds: Range) -> bool:
    slack = 1e-9 * (bounds[1] - bounds[0])
    return bounds[0] - slack <= value <= bounds[1] + slack


def _points(count: int) -> str:
    return "1 point was" if count == 1 else f"{count} points were"
