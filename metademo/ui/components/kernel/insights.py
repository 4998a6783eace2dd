"""What pictures beside a chart are made of, and how the browser is told. No Streamlit here.

Each follows the scrubber of the chart that it is about, so it holds what it shows after each of
the steps 0..S. Each has a sentence that says what there is to see in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metademo.ui.components.kernel.curves import (
    Color,
    Panel,
    Ticks,
    encode_rows,
    encode_series,
    encode_ticks,
    two_colors,
)
from metademo.ui.components.kernel.gestures import Range, finite


@dataclass(frozen=True)
class Line:
    """One line of a `LineFigure`: (places,), or (S + 1, places) for one that moves."""

    label: str
    values: np.ndarray
    color: Color = ("#4b5563", "#c5cad3")
    dash: str = "solid"
    width: float = 2.0


@dataclass(frozen=True)
class LineFigure:
    """Lines over some axis.

    Attributes:
        title: what it shows.
        sees: what there is to see in it; one sentence for each step, or one for all.
        x: both ends of the axis, over which the places of the lines are evenly spread.
        x_name: what the axis is.
        x_ticks: where it has marks.
        dots: where each step is, (S + 1, 2); none if it is nowhere.
        top: the greatest value shown; by default that of all lines.
    """

    title: str
    sees: Sequence[str]
    lines: Sequence[Line]
    x: Range
    x_name: str
    x_ticks: Ticks
    dots: Sequence[tuple[float, float]] = ()
    top: float | None = None

    def encoded(self) -> dict[str, Any]:
        values = [np.atleast_2d(line.values) for line in self.lines]
        top = self.top if self.top is not None else max(float(v.max()) for v in values)
        low = min(0.0, *(float(v.min()) for v in values))
        return {
            "kind": "lines",
            "title": self.title,
            "sees": list(self.sees),
            "x": [float(v) for v in self.x],
            "xName": self.x_name,
            "xTicks": encode_ticks(self.x_ticks),
            "low": low,
            "top": top,
            "dots": [[float(x), float(min(y, top))] for x, y in self.dots],
            "lines": [
                {
                    "label": line.label,
                    "color": list(two_colors(line.color)),
                    "dash": line.dash,
                    "width": line.width,
                    **encode_rows(np.minimum(rows, top)),
                }
                for line, rows in zip(self.lines, values, strict=True)
            ],
        }


@dataclass(frozen=True)
class MapFigure:
    """A loss on a plane, darker where it is less, and a walk on it.

    Attributes:
        title, sees: as of a `LineFigure`.
        values: (places, places), row by row upwards; of positive numbers.
        reach: how far the plane goes to each side of its middle, in weights.
        steps: where each step is seen, (S + 1, 2).
        losses: the loss of each step itself, which is written at it, (S + 1,).
        lost: what share of each step is off the plane, (S + 1,).
        span: what the colours run over; by default from the least to the greatest value, over
            three powers of ten at most.
    """

    title: str
    sees: Sequence[str]
    values: np.ndarray
    reach: float
    steps: np.ndarray
    losses: np.ndarray
    lost: np.ndarray
    color: Color
    span: Range | None = None

    def encoded(self) -> dict[str, Any]:
        least, greatest = self.span or span_of(self.values)
        return {
            "kind": "map",
            "title": self.title,
            "sees": list(self.sees),
            "least": least,
            "greatest": greatest,
            "reach": float(self.reach),
            "steps": self.steps.tolist(),
            "losses": [finite(v) for v in self.losses],
            "lost": [float(v) for v in self.lost],
            "color": list(two_colors(self.color)),
            **encode_rows(np.log(np.clip(self.values, least, greatest))),
        }


@dataclass(frozen=True)
class Rows:
    """Some rows of an `ImageFigure` that belong together, and what is known of each of them."""

    name: str
    abouts: Sequence[str]


@dataclass(frozen=True)
class ImageFigure:
    """Many rows of numbers over an axis as an image, from -1 to 1 each.

    Attributes:
        title, sees: as of a `LineFigure`.
        values: (S + 1, rows, places).
        rows: groups of rows, from the top.
        x, x_name, x_ticks: as of a `LineFigure`.
        at: a place on the axis that is marked.
        color: of 1; -1 has the text's colour.
    """

    title: str
    sees: Sequence[str]
    values: np.ndarray
    rows: Sequence[Rows]
    x: Range
    x_name: str
    x_ticks: Ticks
    at: float
    color: Color

    def encoded(self) -> dict[str, Any]:
        return {
            "kind": "image",
            "title": self.title,
            "sees": list(self.sees),
            "groups": [{"name": group.name, "abouts": list(group.abouts)} for group in self.rows],
            "x": [float(v) for v in self.x],
            "xName": self.x_name,
            "xTicks": encode_ticks(self.x_ticks),
            "at": float(self.at),
            "color": list(two_colors(self.color)),
            **encode_rows(self.values),
        }


Figure = LineFigure | MapFigure | ImageFigure


@dataclass(frozen=True)
class Insight:
    """Pictures that belong together, with what they are about.

    Attributes:
        title: of them all.
        about: a sentence or two on what they show.
        figures: the pictures.
        panels: small charts of a value per step, below them.
    """

    title: str
    about: str
    figures: Sequence[Figure]
    panels: Sequence[Panel] = ()

    def encoded(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "about": self.about,
            "figures": [figure.encoded() for figure in self.figures],
            "panels": [encode_panel(panel) for panel in self.panels],
        }


def span_of(values: np.ndarray) -> Range:
    """From the least to the greatest of positive numbers, over three powers of ten at most."""
    greatest = max(float(values.max()), 1e-9)
    return min(max(float(values.min()), greatest / 1000), greatest / 1.001), greatest


def encode_panel(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "log": panel.log,
        "note": panel.note,
        "without": panel.without,
        "series": [encode_series(s, [finite(v) for v in s.values]) for s in panel.series],
    }
