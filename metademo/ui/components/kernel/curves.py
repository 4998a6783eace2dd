"""What charts are made of, and how it is told to the browser. No Streamlit here."""

from __future__ import annotations

import base64
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from metademo.moments.tour import PANELS, SENTENCES
from metademo.ui.components.kernel.gestures import Point, Range

Color = str | tuple[str, str]
"""A CSS colour (with its '#'), or one for the light and one for the dark theme."""

DISGUISES: tuple[dict[str, Any], ...] = (
    {"color": ("#6b4fa0", "#b79cf0"), "dash": "solid"},
    {"color": ("#8a5a00", "#e0b050"), "dash": "dash"},
)
"""Looks that no learner has."""

GAP = -32768  # int16 that stands for "no value here"


Facts = Sequence[tuple[str, str]]
"""The numbers of a sentence as they are written, each with its formula."""


@dataclass(frozen=True)
class Band:
    """What lies between two lines, of the same shape as the curve that it is about."""

    label: str  # for the legend
    low: np.ndarray
    high: np.ndarray
    opacity: float = 0.16
    about: str = ""


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
    about: str = ""  # what it is and how it was computed, for whoever asks its key
    band: Band | None = None  # beneath all curves, in this one's colour


@dataclass(frozen=True)
class Series:
    """One line of a small panel: a value for each step 0..S; None or NaN leaves a gap."""

    label: str
    values: Sequence[float | None]
    color: Color = ("#4b5563", "#c5cad3")
    dash: str = "solid"
    about: Sequence[str] = ()  # how each value was computed; one text holds for all


@dataclass(frozen=True)
class Panel:
    """A small chart under the main one, with a marker at the current step.

    A click in it moves the scrubber.
    """

    title: str
    series: Sequence[Series]
    log: bool = False
    note: str = ""  # a tooltip, one plain line
    without: str = "–"  # what is said where a line has no value


@dataclass(frozen=True)
class Ticks:
    """Where an axis has its marks, and what they say."""

    values: Sequence[float]
    labels: Sequence[str]


@dataclass(frozen=True)
class Scene:
    """All that a chart shows, for all steps at once, so that the browser can scrub alone.

    Attributes:
        label: what the chart shows, for a screen reader.
        curves: in drawing order. Their x is `numpy.linspace(*x_range, n)`.
        x_range, y_range: of the axes; points live within them.
        x_ticks: where the x axis has its marks; by default wherever there is room.
        panels: small charts of a value per step.
        captions: one sentence per step (or one for all), large, under the scrubber.
        details: a smaller line below it, likewise.
        caption_facts, detail_facts: for each of them the numbers in it, in turn, and how each was
            computed; see `metademo.ui.scenes.facts`.
        points: the support set, and what the legend calls it.
        example: whether they are an example, which the visitor's first click replaces.
        snap: name of the curve that new and moved points go onto; none if it is empty.
        height: of the chart alone, in pixels.
        stands: where the scrubber stands at each step, in words; by default "step 2 of 5".
    """

    label: str
    curves: Sequence[Curve]
    x_range: Range
    y_range: Range
    x_ticks: Ticks | None = None
    panels: Sequence[Panel] = ()
    captions: Sequence[str] = ()
    details: Sequence[str] = ()
    caption_facts: Sequence[Facts] = ()
    detail_facts: Sequence[Facts] = ()
    points: Sequence[Point] = ()
    points_label: str = "your points"
    example: bool = False
    snap: str = ""
    height: int = 380
    stands: Sequence[str] = ()

    @property
    def steps(self) -> int:
        """The last step that anything here has a value for."""
        rows = [len(np.atleast_2d(curve.y)) for curve in self.curves]
        values = [len(series.values) for panel in self.panels for series in panel.series]
        return max([1, len(self.captions), *rows, *values]) - 1

    @property
    def hideable(self) -> dict[str, str]:
        """What a lesson may hide, by name, in words."""
        curves = {
            curve.name: f"the curve “{_of_all_steps(curve.label)}”"
            for curve in self.curves
            if curve.legend
        }
        return curves | {SENTENCES: "the sentences", PANELS: "the charts of errors"}

    def without(self, hide: Collection[str]) -> Scene:
        """The scene without what a lesson hides: that is not even sent."""
        if not hide:
            return self
        return replace(
            self,
            curves=[curve for curve in self.curves if curve.name not in hide],
            captions=() if SENTENCES in hide else self.captions,
            details=() if SENTENCES in hide else self.details,
            caption_facts=() if SENTENCES in hide else self.caption_facts,
            detail_facts=() if SENTENCES in hide else self.detail_facts,
            panels=() if PANELS in hide else self.panels,
            snap="" if self.snap in hide else self.snap,
        )

    def disguised(self, names: Mapping[str, str]) -> Scene:
        """The scene with other labels for some curves, and without the look that tells them."""
        looks = dict(zip(names, DISGUISES, strict=False))
        return replace(
            self,
            curves=[
                replace(curve, label=names[curve.name], width=3.0, **looks[curve.name])
                if curve.name in looks
                else curve
                for curve in self.curves
            ],
        )


def _of_all_steps(label: str) -> str:
    return label.replace("{steps}", "the steps").replace("{points}", "the points")


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


def encode_curve(curve: Curve, y_range: Range) -> dict[str, Any]:
    """A curve as int16 over five times the height of the axis: 2 bytes for a tenth of a pixel."""
    light, dark = two_colors(curve.color)
    return {
        "name": curve.name,
        "label": curve.label,
        "color": [light, dark],
        "dash": curve.dash,
        "width": curve.width,
        "opacity": curve.opacity,
        "legend": curve.legend,
        "about": curve.about,
        "band": _encode_band(curve.band, y_range),
        **_pack_heights(curve.y, y_range),
    }


def _encode_band(band: Band | None, y_range: Range) -> dict[str, Any] | None:
    if band is None:
        return None
    return {
        "label": band.label,
        "opacity": band.opacity,
        "about": band.about,
        "low": _pack_heights(band.low, y_range),
        "high": _pack_heights(band.high, y_range),
    }


def _pack_heights(y: np.ndarray, y_range: Range) -> dict[str, Any]:
    values = np.atleast_2d(np.asarray(y, dtype=np.float64))
    low, high = y_range
    span = high - low
    start, unit = low - 2 * span, 5 * span / 65_000
    # What lies far outside the axes only has to stay outside.
    inside = np.clip(np.nan_to_num(values), low - 1.9 * span, high + 1.9 * span)
    return _pack(np.where(np.isfinite(values), inside, np.nan), start, unit)


def encode_rows(values: np.ndarray) -> dict[str, Any]:
    """Values (..., n) as rows of int16 from the least to the greatest of them: 2 bytes each."""
    rows = values.reshape(math.prod(values.shape[:-1]), values.shape[-1])
    finite = rows[np.isfinite(rows)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return _pack(rows, low, (high - low) / 65_000 or 1.0)


def _pack(rows: np.ndarray, start: float, unit: float) -> dict[str, Any]:
    """Values (rows, n) as whole numbers of units, which `decode` in `rows.js` reads."""
    numbers = np.where(np.isfinite(rows), np.rint((rows - start) / unit) - 32_500, GAP)
    return {
        "rows": len(rows),
        "start": start,
        "unit": unit,
        "y": base64.b64encode(numbers.astype("<i2").tobytes()).decode(),
    }


def encode_series(series: Series, values: list[Any]) -> dict[str, Any]:
    return {
        "label": series.label,
        "color": list(two_colors(series.color)),
        "dash": series.dash,
        "values": values,
        "about": list(series.about),
    }


def two_colors(color: Color) -> tuple[str, str]:
    return (color, color) if isinstance(color, str) else (color[0], color[1])


def encode_ticks(ticks: Ticks | None) -> list[list[Any]] | None:
    return None if ticks is None else [[float(v) for v in ticks.values], list(ticks.labels)]


@dataclass(frozen=True)
class WaveChart:
    """A chart of curves that the browser makes, see `kernel/wave_chart.js`.

    Attributes:
        wave, truth: how the network's curve looks, and the wave that it is to become.
        x_range, y_range, x_ticks: as of a `Scene`.
        points: the support set, if it is labelled.
    """

    wave: Curve
    truth: Curve
    x_range: Range
    y_range: Range
    x_ticks: Ticks | None
    points: Sequence[Point]

    def encoded(self) -> dict[str, Any]:
        return {
            "wave": encode_curve(self.wave, self.y_range),
            "truth": encode_curve(self.truth, self.y_range),
            "xRange": [float(v) for v in self.x_range],
            "yRange": [float(v) for v in self.y_range],
            "xTicks": encode_ticks(self.x_ticks),
            "points": [[float(x), float(y)] for x, y in self.points],
        }
