"""The visitor's own points: from CSV as people have it, and onto the chart.

CSV has as many dialects as programs that write it. What is read: a point to a line, as two numbers
with a semicolon, tab, comma, bar or spaces between them; a decimal point or comma; quotes or none;
lines that end in CRLF, LF or CR; a byte-order mark, and Excel's UTF-16. A first line without a
number names the columns: x and y may stand in any order there, among others. Empty lines, lines
that begin with # and Excel's `sep=;` are passed over.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from metademo.described import shortened
from metademo.formats import digits
from metademo.moments.scaling import LARGEST, Point, Scaling
from metademo.moments.views import MAX_POINTS, PointsView
from metademo.tasks import WaveFamily

P = TypeVar("P", bound=PointsView)
Line = tuple[int, str]
"""Its number, from 1, and what stands there."""

MOST_BYTES = 1024**2
MOST_LINES = 2_000
LONGEST_LINE = 10_000
"""What is longer is not even looked at."""
DELIMITERS = (";", "\t", ",", "|", " ")
NUMBERS = {
    ".": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    ",": re.compile(r"[+-]?\d+(,\d+)?([eE][+-]?\d+)?", re.ASCII),
}
"""By the decimal mark. A comma has digits on both sides of it: it may be a delimiter, too."""
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encodings by the byte-order mark that a file of theirs begins with."""


@dataclass(frozen=True)
class Fault:
    """Why a line is no point.

    Attributes:
        line: its number, from 1; 0 if it is about all of them together.
        text: what stands there.
        reason: a sentence.
    """

    line: int
    text: str
    reason: str

    @property
    def in_words(self) -> str:
        return (
            f"Line {self.line}: {shortened(self.text)}\n{self.reason}" if self.line else self.reason
        )


@dataclass(frozen=True)
class Reading:
    """What a text holds: points, or what is wrong with it."""

    points: tuple[Point, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Dialect:
    """How a line is divided into values, and how a number is written.

    Attributes:
        columns: which of the values are x and y.
        width: how many values there are.
    """

    delimiter: str
    decimal: str
    columns: tuple[int, int] = (0, 1)
    width: int = 2

    def values(self, line: str) -> list[str]:
        """The values of a line; empty ones at its end don't count."""
        if self.delimiter == " ":
            found = line.replace('"', "").split()
        else:
            rows = csv.reader([line], delimiter=self.delimiter, skipinitialspace=True)
            found = [value.strip() for row in rows for value in row]
        while found and not found[-1]:
            found.pop()
        return found

    def number(self, value: str) -> float | None:
        """A number, which may be infinite, or None for what is none."""
        value = value.replace("−", "-")
        known = NUMBERS[self.decimal].fullmatch(value)
        return float(value.replace(",", ".")) if known else None

    def point(self, values: Sequence[str]) -> Point | str:
        """The point that the values of a line are, or why they are none."""
        if len(values) > self.width:
            return f"These are {len(values)} values, and not {self.width}."
        found = []
        for name, place in zip("xy", self.columns, strict=True):
            value = values[place] if place < len(values) else ""
            number = self.number(value)
            if not value:
                return f"There is no {name}."
            if number is None:
                return f"“{shortened(value)}” is not a number."
            if abs(number) > LARGEST:
                return f"“{shortened(value)}” is too large: {LARGEST:g} is the most."
            found.append(number)
        return found[0], found[1]

    def read(self, lines: Sequence[Line]) -> tuple[Reading, tuple[int, int, int]]:
        """What the lines hold, and how well they fit: the numbers of points, pairs and numbers."""
        rows = [(number, line, self.values(line)) for number, line in lines]
        dialect = self
        if rows and all(self.number(value) is None for value in rows[0][2]):
            dialect = self._named(rows[0][2])
            rows = rows[1:]
        found = [(number, line, dialect.point(values)) for number, line, values in rows]
        faults = [Fault(n, line, why) for n, line, why in found if isinstance(why, str)]
        points = [point for _, _, point in found if not isinstance(point, str)]
        reading = Reading((), tuple(faults)) if faults else Reading(tuple(points))
        pairs = sum(len(values) == 2 for _, _, values in rows)
        numbers = sum(self.number(value) is not None for _, _, values in rows for value in values)
        return reading, (len(points), pairs, numbers)

    def _named(self, header: Sequence[str]) -> Dialect:
        """The same with x and y where a header has them, if it does."""
        names = [name.casefold() for name in header]
        if not {"x", "y"} <= {*names}:
            return self
        return replace(self, columns=(names.index("x"), names.index("y")), width=len(names))


def read(data: str | bytes) -> Reading:
    """The points of a text or of a file: all of them, or none and what is wrong.

    Takes anything and never raises. The dialect in which most lines are points counts; of several
    the one with most lines of two values, then with most numbers, then the first one.
    """
    if len(data) > MOST_BYTES:
        return _refused("This is too long: 1 MB is the most.")
    text = decoded(data)
    if "\0" in text:
        return _refused("This is not a text file: save it as CSV.")
    lines = _lines(text)
    if len(lines) > MOST_LINES:
        return _refused(f"These are {len(lines):,} lines: {MOST_LINES:,} are the most.")
    readings = (Dialect(d, mark).read(lines) for mark in NUMBERS for d in DELIMITERS)
    found, _ = max(readings, key=lambda reading: reading[1])
    return found if found != Reading() else _refused("There are no points here.")


def decoded(data: str | bytes) -> str:
    """The text of a file, whatever is in it: what is not UTF-8 is no part of a number."""
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    encoding = next((MARKS[mark] for mark in MARKS if data.startswith(mark)), "utf-8")
    return data.decode(encoding, errors="replace")


def written(points: Iterable[Point]) -> str:
    """Points as CSV that `read` reads back to the last bit."""
    return "\n".join(["x, y", *(f"{digits(x)}, {digits(y)}" for x, y in points)])


def evenly(points: Sequence[Point], count: int = MAX_POINTS) -> tuple[Point, ...]:
    """As many of the points, spread evenly from the least x to the greatest."""
    places = np.linspace(0, len(points) - 1, min(count, len(points))).round().astype(int)
    ordered = sorted(points)
    return tuple(ordered[place] for place in places)


def placed(
    view: P, points: Sequence[Point], family: WaveFamily, scalings: Iterable[Scaling]
) -> P | None:
    """The view with these points, by the first scaling that has room for them.

    Returns:
        None if none of them has, or if there are too many points for a page.
    """
    if len(points) > MAX_POINTS:
        return None
    room = view.room(family)
    for scaling in scalings:
        if not room.outside(scaling.onto_chart(points)):
            return view.with_own_points(points, scaling, family)
    return None


def _lines(text: str) -> list[Line]:
    """The lines that say something."""
    lines = enumerate(re.split(r"\r\n|\r|\n", text), 1)
    telling = [
        (number, line.strip()[:LONGEST_LINE])
        for number, line in lines
        if line.strip(" \t\xa0;,|") and not line.lstrip().startswith("#")
    ]
    excel = telling and re.fullmatch(r'"?sep=.?"?', telling[0][1], re.IGNORECASE)
    return telling[1:] if excel else telling


def _refused(reason: str) -> Reading:
    return Reading((), (Fault(0, "", reason),))
