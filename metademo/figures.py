"""Numbers in, Plotly figures out. Knows plain arrays only.

It is also where the look of an algorithm is decided: one colour and one dash pattern everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

DASHES = {
    "solid": "",
    "dot": "2 4",
    "dash": "7 5",
    "longdash": "14 5",
    "dashdot": "8 4 2 4",
    "longdashdot": "15 4 2 4",
    "twodots": "9 4 2 4 2 4",
    "twodashes": "7 4 7 4 2 4",
}
"""Dash patterns as lengths of strokes and gaps; the charts in the browser have the same ones."""


@dataclass(frozen=True)
class Style:
    """How a curve looks: its colour on a light and on a dark ground, and its dash pattern.

    The pattern is a name in `DASHES`, which spells it out for SVG.
    """

    light: str
    dark: str
    dash: str = "solid"

    @property
    def colours(self) -> tuple[str, str]:
        """On a light and on a dark ground."""
        return self.light, self.dark


# Around Okabe and Ito's palette. No dozen colours are far apart for every kind of eye, so a test
# holds this: each stands out from its ground, any two differ somewhat to every eye, and those that
# share a dash pattern differ widely. Curves are never told apart by colour alone. Two that learn no
# family in common never meet on a chart, and may look alike.
STYLES = {
    "maml": Style("rgb(0, 114, 178)", "rgb(86, 180, 233)"),
    "fomaml": Style("rgb(34, 95, 78)", "rgb(158, 225, 204)", "longdash"),
    "reptile": Style("rgb(21, 157, 77)", "rgb(30, 136, 52)", "dot"),
    "anil": Style("rgb(172, 90, 252)", "rgb(143, 111, 180)", "longdash"),
    "meta-sgd": Style("rgb(206, 110, 153)", "rgb(229, 46, 119)", "dashdot"),
    "maml++": Style("rgb(49, 15, 166)", "rgb(91, 135, 253)", "longdashdot"),
    "maml++w": Style("rgb(143, 13, 45)", "rgb(241, 15, 11)", "longdashdot"),
    "daml": Style("rgb(213, 94, 0)", "rgb(255, 140, 66)"),
    "cavia": Style("rgb(127, 142, 190)", "rgb(120, 68, 252)", "twodots"),
    "in-context": Style("rgb(68, 76, 140)", "rgb(115, 102, 104)", "twodots"),
    "alpaca": Style("rgb(1, 26, 58)", "rgb(254, 240, 122)", "twodashes"),
    "cnp": Style("rgb(88, 113, 60)", "rgb(192, 151, 134)", "twodashes"),
    "pretrained": Style("rgb(135, 83, 0)", "rgb(255, 193, 19)", "dash"),
    "random": Style("rgb(107, 40, 89)", "rgb(222, 173, 205)", "dot"),
    "oracle": Style("rgb(22, 22, 22)", "rgb(243, 244, 255)", "dashdot"),
    "protonet": Style("rgb(88, 113, 60)", "rgb(192, 151, 134)", "twodashes"),
    "nearest": Style("rgb(22, 22, 22)", "rgb(243, 244, 255)", "dashdot"),
    "truth": Style("rgb(120, 120, 125)", "rgb(160, 160, 165)", "dash"),
}
CYCLE = ("rgb(230, 159, 0)", "rgb(238, 233, 222)", "rgb(0, 114, 178)", "rgb(64, 30, 76)")
"""Colours of angles of 0, 1/4, 1/2 and 3/4 of a turn, and round again. They go about between yellow
and blue, and between light and dark, which every eye tells apart."""
OTHER = Style("rgb(24, 53, 8)", "rgb(189, 216, 153)", "dot")
"""Of an algorithm without a row of its own."""


def style_of(name: str) -> Style:
    """The look of an algorithm, a yardstick or the truth."""
    return STYLES.get(name, OTHER)


def adaptation_figure(
    algorithm: str,
    x: ArrayLike,
    curves: ArrayLike,
    loss: ArrayLike,
    points: ArrayLike | None = None,
) -> go.Figure:
    """Curves after each inner step, behind a step slider, and the inner loss per step.

    Args:
        algorithm: whose colour to use.
        x: (points,).
        curves: (steps + 1, points).
        loss: (steps + 1,), the inner loss at each step.
        points: (n, 2) support points, or None.
    """
    curves, loss = np.asarray(curves), np.asarray(loss)
    colour, last = style_of(algorithm).light, len(curves) - 1
    figure = make_subplots(
        1, 2, column_widths=[0.74, 0.26], subplot_titles=["the network", "inner loss per step"]
    )
    faded = dict(color=colour, width=1.5)
    figure.add_scatter(x=x, y=curves[0], line=faded, opacity=0.4, name="before any step")
    placed = np.empty((0, 2)) if points is None else np.asarray(points)
    if len(placed):
        marker = dict(color="rgb(30, 30, 30)", size=10, line=dict(color="white", width=2))
        px, py = placed.T
        figure.add_scatter(x=px, y=py, mode="markers", marker=marker, name="examples")
    fixed = len(figure.data)
    for k, curve in enumerate(curves):
        line = dict(color=colour, width=3.5)
        name = f"after {k} step{'s' * (k != 1)}"
        figure.add_scatter(x=x, y=curve, line=line, name=name, visible=k == last)
    figure.add_scatter(
        x=np.arange(len(loss)), y=loss, line=dict(color=colour), showlegend=False, row=1, col=2
    )
    steps = [
        dict(
            method="restyle",
            label=str(k),
            args=[{"visible": [True] * fixed + [i == k for i in range(last + 1)] + [True]}],
        )
        for k in range(last + 1)
    ]
    figure.update_layout(
        template="plotly_white",
        hovermode=False,
        legend=dict(orientation="h", y=1.12),
        sliders=[dict(active=last, currentvalue=dict(prefix="inner step "), steps=steps)],
    )
    return figure


class Cell(NamedTuple):
    """Runs that differ in nothing but the seed.

    Attributes:
        place: where they stand on the axis: the settings that vary, in words.
        mean: of the errors; infinite where they ran away.
        half: half the width of its interval.
        errors: of each run, (seeds,).
    """

    place: str
    mean: float
    half: float
    errors: Sequence[float]


def sweep_figure(families: Mapping[str, Mapping[str, Sequence[Cell]]]) -> go.Figure:
    """Means with their intervals, and each run as a dot, a panel for each family.

    Args:
        families: by the title of the panel, by algorithm. What is not finite is left out.
    """
    titles = list(families)
    figure = make_subplots(len(titles), 1, subplot_titles=titles)
    for number, algorithms in enumerate(families.values(), 1):
        for algorithm, cells in algorithms.items():
            first = algorithm not in {trace.name for trace in figure.data}
            shared = dict(legendgroup=algorithm, offsetgroup=algorithm, name=algorithm)
            colour = style_of(algorithm).light
            figure.add_bar(
                x=[cell.place for cell in cells],
                y=[_finite(cell.mean) for cell in cells],
                error_y=dict(array=[_finite(cell.half) for cell in cells]),
                marker=dict(color=colour, opacity=0.6),
                showlegend=first,
                row=number,
                col=1,
                **shared,
            )
            dots = [(cell.place, error) for cell in cells for error in cell.errors]
            figure.add_scatter(
                x=[place for place, _ in dots],
                y=[_finite(error) for _, error in dots],
                mode="markers",
                marker=dict(color=colour, line=dict(color="white", width=1)),
                showlegend=False,
                row=number,
                col=1,
                **shared,
            )
    figure.update_yaxes(rangemode="tozero", title="error")
    figure.update_xaxes(type="category")
    figure.update_layout(
        template="plotly_white",
        barmode="group",
        scattermode="group",
        height=120 + 380 * len(titles),
        showlegend=True,
    )
    return figure


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
