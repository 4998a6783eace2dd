"""From a view to what the transformer looks at, from every place on the x axis. No Streamlit."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metademo.algorithms.in_context import HEADS, LAYERS, InContext
from metademo.analysis.attention import attention as shares_of
from metademo.models import Model
from metademo.moments.drawn import KEPT, firsts, support_of
from metademo.moments.views import ContextView
from metademo.tasks import Array, WaveFamily
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
    if not isinstance(model.learner, InContext):
        return None
    shares = [_shares(points, family.x_range, model) for points in firsts(view.points)]
    return Attention(name, family.x_range, view.points, shares)


@functools.lru_cache(KEPT)
def _shares(points: tuple[Point, ...], x_range: Range, model: Model) -> Array:
    """Those of one step, see `Attention`: a further point changes nothing of those before it."""
    return shares_of(model, support_of(points), np.linspace(*x_range, PLACES))
