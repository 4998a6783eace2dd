"""One interactive chart: curves that change step by step, the visitor's points, a scrubber.

It knows curves, points and steps, and nothing of what made them. Python sends everything for all
steps at once, so scrubbing and playing never talk to the server; the browser sends what the visitor
does to the points, see `metademo.ui.gestures`, and shows it at once on top of the server's list.
"""

from __future__ import annotations

import base64
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metademo.ui import assets
from metademo.ui.gestures import Point, Range, as_point, finite

Color = str | tuple[str, str]
"""A CSS colour (with its '#'), or one for the light and one for the dark theme."""

FIRST_PAINT_HEIGHT = 560
GAP = -32768  # int16 that stands for "no value here"


@dataclass(frozen=True)
class Curve:
    """A line over the chart's x grid.

    `y` has shape (n,) for a line that is the same at every step, or (S+1, n) for one line per step.
    Values that are not finite leave a gap. Later curves lie on top of earlier ones.
    """

    name: str  # stable identity, e.g. "maml"
    label: str  # for the legend, e.g. "after {step} steps": {step} follows the scrubber
    y: np.ndarray
    color: Color = ("#4b5563", "#c5cad3")
    dash: str = "solid"  # solid, dot, dash, dashdot
    width: float = 2.0
    opacity: float = 1.0
    legend: bool = True


@dataclass(frozen=True)
class Series:
    """One line of a small panel: a value for each step 0..S; None or NaN leaves a gap."""

    label: str
    values: Sequence[float | None]
    color: Color = ("#4b5563", "#c5cad3")
    dash: str = "solid"


@dataclass(frozen=True)
class Panel:
    """A small chart under the main one, with a marker at the current step.

    A click in it moves the scrubber.
    """

    title: str
    series: Sequence[Series]
    log: bool = False
    note: str = ""  # a tooltip, one plain line


@dataclass(frozen=True)
class Ticks:
    """Where an axis has its marks, and what they say."""

    values: Sequence[float]
    labels: Sequence[str]


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


def pi_ticks(low: float, high: float, every: float = math.pi / 2) -> Ticks:
    """Ticks at multiples of `every` (a fraction of π) within [low, high], labelled as such."""
    first, last = math.ceil(low / every - 1e-9), math.floor(high / every + 1e-9)
    values = [k * every for k in range(first, last + 1)]
    return Ticks(values, [pi_label(v) for v in values])


def pi_label(value: float) -> str:
    """A multiple of π in words: '0', 'π', '−π/2', '3π/4'; a plain number if it is none."""
    quarters = value / math.pi * 12
    whole = round(quarters)
    if abs(quarters - whole) > 1e-6:
        return f"{value:.2f}".replace("-", "−")
    if whole == 0:
        return "0"
    divisor = math.gcd(whole, 12)
    top, bottom = abs(whole) // divisor, 12 // divisor
    text = ("" if top == 1 else str(top)) + "π" + ("" if bottom == 1 else f"/{bottom}")
    return ("−" if whole < 0 else "") + text


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
        "assets": assets.urls("chart.js"),
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
def _mount():
    return assets.component("chart", FIRST_PAINT_HEIGHT)


def _encode_curve(curve: Curve, y_range: Range) -> dict[str, Any]:
    """A curve as int16 over five times the height of the axis: 2 bytes for a tenth of a pixel."""
    values = np.atleast_2d(np.asarray(curve.y, dtype=np.float64))
    low, high = y_range
    span = high - low
    start, unit = low - 2 * span, 5 * span / 65_000
    # What lies far outside the axes only has to stay outside.
    inside = np.clip(np.nan_to_num(values), low - 1.9 * span, high + 1.9 * span)
    numbers = np.where(np.isfinite(values), np.rint((inside - start) / unit) - 32_500, GAP)
    light, dark = _two_colors(curve.color)
    return {
        "name": curve.name,
        "label": curve.label,
        "color": [light, dark],
        "dash": curve.dash,
        "width": curve.width,
        "opacity": curve.opacity,
        "legend": curve.legend,
        "rows": len(values),
        "start": start,
        "unit": unit,
        "y": base64.b64encode(numbers.astype("<i2").tobytes()).decode(),
    }


def _encode_panel(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "log": panel.log,
        "note": panel.note,
        "series": [_encode_series(s, [_finite(v) for v in s.values]) for s in panel.series],
    }


def _encode_series(series: Series, values: list[Any]) -> dict[str, Any]:
    return {
        "label": series.label,
        "color": list(_two_colors(series.color)),
        "dash": series.dash,
        "values": values,
    }


def _last_step(curves: Sequence[Curve], captions: Sequence[str], panels: Sequence[Panel]) -> int:
    rows = [len(np.atleast_2d(c.y)) for c in curves]
    values = [len(s.values) for p in panels for s in p.series]
    return max([1, len(captions), *rows, *values]) - 1


def _finite(value: Any) -> float | None:
    """As `finite`, for numbers of NumPy, too."""
    return finite(value.item() if isinstance(value, np.generic) else value)


def _within(value: float, bounds: Range) -> bool:
    slack = 1e-9 * (bounds[1] - bounds[0])
    return bounds[0] - slack <= value <= bounds[1] + slack


def _points(count: int) -> str:
    return "1 point was" if count == 1 else f"{count} points were"


def _two_colors(color: Color) -> tuple[str, str]:
    return (color, color) if isinstance(color, str) else (color[0], color[1])


def _ticks(ticks: Ticks | None) -> list[list[Any]] | None:
    return None if ticks is None else [[float(v) for v in ticks.values], list(ticks.labels)]
