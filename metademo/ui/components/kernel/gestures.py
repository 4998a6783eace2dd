"""What a visitor does with the mouse, in order, each done exactly once. No Streamlit here.

The browser numbers its gestures and sends all those that have not been answered; the server carries
out the ones it has not seen yet and answers with the number of the last one. So a message that is
overtaken by the next, or sent twice, changes nothing. The browser's half is `gestures.js`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

Point = tuple[float, float]
Range = tuple[float, float]

POINT_KINDS = ("add", "move", "remove", "clear")
KINDS = (*POINT_KINDS, "draw", "stroke", "value", "undo", "redo", "new", "restore")
WHOLE = {"stroke"}
"""Of these each message of a drag says all that has been done since its beginning."""
MOST_IN_A_MESSAGE = 1_000
MOST_CHARACTERS = 20_000
"""Longest view that is restored, and longest text."""
SAME_X = 1e-9
"""Points are told apart by x alone: the server may have put a point onto a wave."""


@dataclass(frozen=True)
class Gesture:
    """One thing that the visitor did.

    Attributes:
        seq: its number within the visit, from 1.
        kind: one of `KINDS`.
        at: the point it is about, where the visitor saw it.
        to: where the point goes.
        value: the number that was chosen.
        drawing: all that is drawn now: pairs of a knot and a height.
        text: what is drawn, as text.
        view: the view to come back to, as JSON.
        final: False while something is being dragged.
    """

    seq: int
    kind: str
    at: Point | None = None
    to: Point | None = None
    value: float = 0.0
    drawing: tuple[Point, ...] = ()
    text: str = ""
    view: str = ""
    final: bool = True


def read(message: Any) -> tuple[str, list[Gesture]]:
    """The visit and the gestures of a message, in order. Takes anything and never raises."""
    if not isinstance(message, dict) or not isinstance(message.get("visit"), str):
        return "", []
    found = message.get("gestures")
    found = found[:MOST_IN_A_MESSAGE] if isinstance(found, list) else []
    gestures = [gesture for gesture in map(_read_one, found) if gesture is not None]
    return message["visit"][:64], sorted(gestures, key=lambda gesture: gesture.seq)


def carried_out(
    points: Sequence[Point], gesture: Gesture, max_points: int, *, example: bool = False
) -> tuple[Point, ...]:
    """The points after one gesture of `POINT_KINDS`.

    Args:
        points: before it.
        max_points: as many as there may be; beyond them the first (oldest) are kept.
        example: whether the points are an example, which the first click replaces.
    """
    place = -1 if gesture.at is None else find(points, gesture.at)
    kept = list(points)
    if gesture.kind == "clear" or (gesture.kind == "add" and example):
        kept = []
    if gesture.kind == "remove" and place >= 0:
        del kept[place]
    if gesture.kind in ("move", "add") and gesture.to is not None:
        if gesture.kind == "move" and place >= 0:
            kept[place] = gesture.to
        else:  # a point in the visitor's hand stays there, whatever has become of the others
            kept.append(gesture.to)
    return tuple(kept[:max_points])


def find(points: Sequence[Point], at: Point) -> int:
    """The place of a point in a list, or -1."""
    there = [i for i, (x, _) in enumerate(points) if abs(x - at[0]) <= SAME_X]
    return min(there, key=lambda i: abs(points[i][1] - at[1]), default=-1)


def within(points: Sequence[Point], x_range: Range, y_range: Range) -> tuple[Point, ...]:
    """The points, moved to the nearest place within the axes."""
    (left, right), (low, high) = x_range, y_range
    return tuple((min(max(x, left), right), min(max(y, low), high)) for x, y in points)


def _read_one(item: Any) -> Gesture | None:
    """A gesture that can be carried out, or None."""
    if not isinstance(item, dict):
        return None
    seq, kind = finite(item.get("seq")), item.get("kind")
    if seq is None or not isinstance(kind, str) or kind not in KINDS:
        return None
    gesture = Gesture(
        seq=int(seq),
        kind=kind,
        at=as_point(item.get("at")),
        to=as_point(item.get("to")),
        value=finite(item.get("value")) or 0.0,
        drawing=_points(item.get("drawing")),
        text=_text(item.get("text")),
        view=_text(item.get("view")),
        final=item.get("final") is not False,
    )
    needed = {"add": gesture.to, "move": gesture.to, "remove": gesture.at}
    return None if needed.get(kind, ()) is None else gesture


def _text(value: Any) -> str:
    """Text that is not too long; "" for everything else."""
    return value if isinstance(value, str) and len(value) <= MOST_CHARACTERS else ""


def _points(items: Any) -> tuple[Point, ...]:
    """Those of some items that are points, and no more than a message may hold."""
    found = items[:MOST_IN_A_MESSAGE] if isinstance(items, list) else []
    return tuple(point for point in map(as_point, found) if point is not None)


def as_point(item: Any) -> Point | None:
    """Two finite numbers, or None."""
    if not isinstance(item, (list, tuple)) or len(item) != 2:
        return None
    x, y = (finite(value) for value in item)
    return None if x is None or y is None else (x, y)


def finite(value: Any) -> float | None:
    """A finite float, of NumPy's numbers, too; None for everything else, a bool among it."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
