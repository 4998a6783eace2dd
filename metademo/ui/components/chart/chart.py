"""One interactive chart: curves that change step by step, the visitor's points, a scrubber.

It knows curves, points and steps, and nothing of what made them. Python sends everything for all
steps at once, so scrubbing and playing never talk to the server; the browser sends what the visitor
does to the points, see `kernel/gestures.py`, and shows it at once on top of the server's list.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from streamlit.components.v2.types import ComponentRenderer

from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import (
    Panel,
    Scene,
    encode_curve,
    encode_series,
    encode_ticks,
)
from metademo.ui.components.kernel.gestures import Point, Range, as_point, finite

FIRST_PAINT_HEIGHT = 560
MAX_POINTS = 20
PLAY_SECONDS = 0.42
"""For one step, while playing."""


def clean(
    points: Any, x_range: Range, y_range: Range | None = None, max_points: int = MAX_POINTS
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
    scene: Scene,
    *,
    conversation: Mapping[str, Any] | None = None,
    on_edit: Callable[[], None] = lambda: None,
    max_points: int = MAX_POINTS,
    new_points: str = "",
    nudge: tuple[str, Point] | None = None,
) -> None:
    """Draw the chart.

    Args:
        key: stable; the chart is never remounted as long as it stays the same.
        conversation: see `PageState.conversation`; without one the points can't be changed.
        on_edit: called when the visitor has done something, see `PageState.listen`.
        new_points: label of the button that draws new points; without one there is none.
        nudge: a sentence for somebody who has never done anything here, and the place that it is
            about; see `kernel/nudge.js`.
    """
    data = {
        "assets": assets.urls("chart/chart.js"),
        "steps": scene.steps,
        "xRange": [float(v) for v in scene.x_range],
        "yRange": [float(v) for v in scene.y_range],
        "xTicks": encode_ticks(scene.x_ticks),
        "curves": [encode_curve(c, scene.y_range) for c in scene.curves],
        "points": [[float(x), float(y)] for x, y in scene.points],
        "example": scene.example,
        "pointsLabel": scene.points_label,
        "maxPoints": max_points,
        "editable": conversation is not None,
        "fresh": new_points,
        "snap": scene.snap,
        "captions": list(scene.captions),
        "details": list(scene.details),
        "panels": [_encode_panel(p) for p in scene.panels],
        "key": key,
        "height": scene.height,
        "label": scene.label,
        "playSeconds": PLAY_SECONDS,
        "nudge": nudge and {"text": nudge[0], "at": list(nudge[1])},
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
        "series": [encode_series(s, [finite(v) for v in s.values]) for s in panel.series],
    }


def _within(value: float, bounds: Range) -> bool:
    slack = 1e-9 * (bounds[1] - bounds[0])
    return bounds[0] - slack <= value <= bounds[1] + slack


def _points(count: int) -> str:
    return "1 point was" if count == 1 else f"{count} points were"
