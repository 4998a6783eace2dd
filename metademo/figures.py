"""Numbers in, Plotly figures out. Knows plain arrays only.

It is also where the look of an algorithm is decided: one colour and one dash pattern everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots


@dataclass(frozen=True)
class Style:
    """How a curve looks: its colour on a light and on a dark ground, and its dash pattern."""

    light: str
    dark: str
    dash: str = "solid"


# Hues of Okabe and Ito's palette, which the colour-blind can tell apart, tuned for contrast with
# each ground; the dash pattern tells them apart without any colour at all.
STYLES = {
    "maml": Style("rgb(0, 114, 178)", "rgb(86, 180, 233)"),
    "fomaml": Style("rgb(0, 130, 130)", "rgb(64, 196, 196)", "dash"),
    "reptile": Style("rgb(0, 120, 60)", "rgb(60, 200, 130)", "dashdot"),
    "anil": Style("rgb(110, 90, 200)", "rgb(165, 150, 250)", "longdash"),
    "meta-sgd": Style("rgb(180, 60, 140)", "rgb(240, 130, 200)", "longdashdot"),
    "maml++": Style("rgb(20, 60, 130)", "rgb(130, 160, 240)", "dot"),
    "daml": Style("rgb(213, 94, 0)", "rgb(255, 140, 66)"),
    "pretrained": Style("rgb(148, 98, 0)", "rgb(230, 159, 0)", "dash"),
    "random": Style("rgb(150, 70, 120)", "rgb(214, 140, 185)", "dot"),
    "oracle": Style("rgb(70, 70, 75)", "rgb(205, 205, 210)", "dashdot"),
    "truth": Style("rgb(120, 120, 125)", "rgb(160, 160, 165)", "dash"),
}


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
    colour, last = STYLES[algorithm].light, len(curves) - 1
    figure = make_subplots(
        1, 2, column_widths=[0.74, 0.26], subplot_titles=["the network", "inner loss per step"]
    )
    faded = dict(color=colour, width=1.5)
    figure.add_scatter(x=x, y=curves[0], line=faded, opacity=0.4, name="before any step")
    if points is not None and len(points):
        marker = dict(color="rgb(30, 30, 30)", size=10, line=dict(color="white", width=2))
        px, py = np.asarray(points).T
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
