"""What a pen has drawn, and what a network sees of it: strokes, and the image made of them.

Strokes are put into a box, so that neither the place nor the size of a drawing matters, and drawn
by the renderer that draws the generated signs, see `pen`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from metademo.tasks.episodes import Array

THICKNESS = 2.5
BOX = 20.0
"""Pixels of a canvas of 28: how wide a line is, and how long the longer side of what is inked. The
same as in MNIST."""
POINT = 1e-300
"""A drawing that is no larger is a single point."""
SPECK = 0.08
"""A stroke that is smaller than this share of the largest one is none: the pen has slipped."""

Strokes = Sequence[Sequence[tuple[float, float]] | Array]
"""One after the other; each is points (x, y) in any unit, with y downwards."""


def as_image(strokes: Strokes, *, thickness: float = THICKNESS, size: float = 1.0) -> Array:
    """Strokes as a network sees them: boxed, drawn, and halved to 14 x 14 pixels.

    Args:
        strokes: without any, the image is empty.
        thickness: of the line, in pixels of the canvas of 28 x 28.
        size: of the box, in place of the usual one.

    Returns:
        (196,), float32, row by row: 0 is paper, 1 is ink.
    """
    return drawn(boxed(strokes, size * (BOX - thickness)), thickness)


def boxed(strokes: Strokes, side: float) -> list[Array]:
    """The strokes without specks, moved and scaled into the middle of the canvas.

    The longer side of their box is then as long as `side`, in pixels. A single point stays one.
    """
    kept = _without_specks([np.asarray(stroke, dtype=float).reshape(-1, 2) for stroke in strokes])
    if not kept:
        return []
    points = np.concatenate(kept)
    low, high = points.min(0), points.max(0)
    extent = float((high - low).max())
    scale = side / extent if extent > POINT else 0.0
    middle = low + (high - low) / 2
    return [(stroke - middle) * scale + load_pen().MIDDLE for stroke in kept]


def drawn(strokes: Strokes, thickness: float) -> Array:
    """Strokes at their place on the canvas, in pixels, as an image; see `as_image`."""
    compiled = load_pen()
    image = np.zeros(compiled.SIDE * compiled.SIDE, dtype=np.float32)
    if strokes:
        points = np.concatenate([np.asarray(stroke, dtype=float) for stroke in strokes])
        ends = np.cumsum([len(stroke) for stroke in strokes])
        compiled.draw_strokes(points, ends, float(thickness), image)
    return image


def _without_specks(strokes: list[Array]) -> list[Array]:
    extents = [
        float(np.ptp(stroke, axis=0).max()) if len(stroke) else -math.inf for stroke in strokes
    ]
    least = SPECK * max(extents, default=0.0)
    return [s for s, extent in zip(strokes, extents, strict=True) if extent >= max(least, 0.0)]


def load_pen() -> Any:
    """The compiled part: Numba is imported, and code loaded, where something is drawn at last."""
    from metademo.tasks import pen

    return pen
