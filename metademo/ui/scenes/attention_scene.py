"""From a view to what the transformer looks at, from every place on the x axis. No Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from metademo.algorithms.in_context import HEADS, LAYERS, InContext
from metademo.models import Model
from metademo.moments.views import ContextView
from metademo.tasks import Array, Examples, WaveFamily
from metademo.ui.components.kernel.gestures import Point, Range

PLACES = 61
"""On the x axis, evenly spread: nearer than a finger can tell."""


@dataclass(frozen=True)
class Attention:
    """Shares of attention.

    Attributes:
        curve: name of the curve on the chart that they make.
        x_range: over which the places are.
        points: those that are looked at.
        shares: after 0, 1, .. T points, (layers, heads, places, 1 + points seen); those of one
            place add up to 1, and the first is that of no point at all.
    """

    curve: str
    x_range: Range
    points: Sequence[Point]
    shares: Sequence[Array]
    layers: int = LAYERS
    heads: int = HEADS
    places: int = PLACES


def attention(view: ContextView, family: WaveFamily, name: str, model: Model) -> Attention | None:
    """What a model attends to after each of the visitor's points; None if it doesn't."""
    learner = model.learner
    if not isinstance(learner, InContext):
        return None
    count = len(view.points)
    points = torch.tensor(view.points, dtype=torch.float32).reshape(1, count, 2)
    seen = (torch.arange(count) < torch.arange(count + 1)[:, None]).float().unsqueeze(1)
    x = torch.linspace(*family.x_range, PLACES)
    with torch.no_grad():
        found = learner.attention(
            model.meta, Examples(points[..., 0], points[..., 1]), seen, x
        ).numpy()
    shares = [found[:, t, 0, ..., : t + 1] for t in range(count + 1)]
    return Attention(name, family.x_range, view.points, shares)
