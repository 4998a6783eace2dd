"""One interactive chart: curves that change step by step, the visitor's points, a scrubber.

It knows curves, points and steps, and nothing of what made them. Python sends everything for all
steps at once, so scrubbing and playing never talk to the server; the browser sends back the whole
list of points whenever the visitor adds, moves or removes one, so no click can be lost.

Who is right about the points? The browser draws its own list at once. The server's list wins when
it has seen everything the browser sent, and always when `epoch` changes: raise `epoch` whenever the
server itself changes the points (undo, clear, new points, a lesson).
"""

from __future__ import annotations

import base64
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from metademo.ui import assets

Point = tuple[float, float]
Range = tuple[float, float]
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


@dataclass(frozen=True)
class ChartEvent:
    """What the visitor did: the whole list of points, already cleaned."""

    points: tuple[Point, ...]
    final: bool  # False while a point is being dragged
    kind: str  # "add", "move" or "remove"
    step: int  # where the scrubber stood
    epoch: int
    seq: int
    message: str = ""  # what `clean` had to say, in plain words


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
        point = _as_point(item)
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
    grid: Range | None = None,
    points: Sequence[Point] = (),
    epoch: int = 0,
    editable: bool = True,
    max_points: int = 20,
    snap: str = "",
    on_points: Callable[[ChartEvent], None] | None = None,
    captions: Sequence[str] = (),
    details: Sequence[str] = (),
    panels: Sequence[Panel] = (),
    step: int | None = None,
    step_names: Sequence[str] = (),
    x_ticks: Ticks | None = None,
    y_ticks: Ticks | None = None,
    height: int = 380,
    label: str = "Chart",
    points_label: str = "your examples",
    message: str = "",
    play_seconds: float = 0.42,
) -> ChartEvent | None:
    """Draw the chart; return the latest thing the visitor did to the points, or None.

    Args:
        key: stable; the chart is never remounted as long as it stays the same.
        curves: in drawing order. Their x is `numpy.linspace(*(grid or x_range), n)`.
        x_range, y_range: of the axes; points live within them.
        points: the server's list. See the module's docstring for who wins.
        epoch: raise it whenever the server itself changes the points.
        editable: whether the visitor may place, move and remove points.
        snap: name of the curve that new and moved points go onto; none if it is empty.
        on_points: called with each event before the rerun, the place to store the points. Events
            that belong to an older epoch are dropped.
        captions: one sentence per step (or one for all), large, under the scrubber.
        details: a smaller line below it, likewise.
        panels: small charts of a value per step.
        step: where the scrubber starts (default: the last step), and where it goes when this value
            changes.
        step_names: texts for the scrubber instead of "step k of S".
        message: a plain note, shown in the chart's corner until the next event.
        play_seconds: time for one step while playing.
    """
    widget = _event_of(key)
    callback = functools.partial(_dispatch, key, epoch, x_range, y_range, max_points, on_points)
    steps = _last_step(curves, captions, panels)
    data = {
        "assets": assets.urls("chart.js"),
        "ack": _whole(widget.get("seq")),
        "epoch": epoch,
        "steps": steps,
        "step": steps if step is None else max(0, min(int(step), steps)),
        "stepNames": list(step_names),
        "xRange": [float(v) for v in x_range],
        "yRange": [float(v) for v in y_range],
        "grid": [float(v) for v in (grid or x_range)],
        "xTicks": _ticks(x_ticks),
        "yTicks": _ticks(y_ticks),
        "curves": [_encode_curve(c, y_range) for c in curves],
        "points": [[float(x), float(y)] for x, y in points],
        "pointsLabel": points_label,
        "maxPoints": max_points,
        "editable": editable,
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
    _mount()(key=key, data=data, on_edit_change=callback)
    return _read_event(widget, epoch, x_range, y_range, max_points)


@functools.cache
def _mount():
    return assets.component("chart", FIRST_PAINT_HEIGHT)


def _event_of(key: str) -> dict[str, Any]:
    """The raw event in the session state: what the browser sent, if it is a dictionary at all."""
    try:
        event = st.session_state[key]["edit"]
    except (KeyError, TypeError, AttributeError):
        return {}
    return event if isinstance(event, dict) else {}


def _read_event(
    raw: dict[str, Any], epoch: int, x_range: Range, y_range: Range, max_points: int
) -> ChartEvent | None:
    if not raw or raw.get("epoch") != epoch:
        return None
    points, said = clean(raw.get("points"), x_range, y_range, max_points)
    kind = raw.get("kind")
    return ChartEvent(
        points=tuple(points),
        final=raw.get("final") is not False,
        kind=kind if kind in {"add", "move", "remove"} else "move",
        step=_whole(raw.get("step")),
        epoch=epoch,
        seq=_whole(raw.get("seq")),
        message=said,
    )


def _dispatch(
    key: str,
    epoch: int,
    x_range: Range,
    y_range: Range,
    max_points: int,
    on_points: Callable[[ChartEvent], None] | None,
) -> None:
    """Streamlit's callback: hand a readable, current event to the page."""
    event = _read_event(_event_of(key), epoch, x_range, y_range, max_points)
    if event is not None and on_points is not None:
        on_points(event)


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


def _as_point(item: Any) -> Point | None:
    if not isinstance(item, (list, tuple)) or len(item) != 2:
        return None
    x, y = (_finite(v) for v in item)
    return None if x is None or y is None else (x, y)


def _finite(value: Any) -> float | None:
    """A finite float, or None for everything else (a bool is not a number here)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _within(value: float, bounds: Range) -> bool:
    slack = 1e-9 * (bounds[1] - bounds[0])
    return bounds[0] - slack <= value <= bounds[1] + slack


def _whole(value: Any) -> int:
    number = _finite(value)
    return 0 if number is None else int(number)


def _points(count: int) -> str:
    return "1 point was" if count == 1 else f"{count} points were"


def _two_colors(color: Color) -> tuple[str, str]:
    return (color, color) if isinstance(color, str) else (color[0], color[1])


def _ticks(ticks: Ticks | None) -> list[list[Any]] | None:
    return None if ticks is None else [[float(v) for v in ticks.values], list(ticks.labels)]
