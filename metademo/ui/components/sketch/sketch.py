"""A chart to draw a curve on, freehand, over points that are given.

The drawing is a height at each of some knots, evenly from one end to the other. Any stretch of it
can be drawn over. The browser sends all of it when the pen is lifted, see `kernel/gestures.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import Scene, encode_curve, encode_ticks

FIRST_PAINT_HEIGHT = 520


def sketch(
    key: str,
    scene: Scene,
    *,
    drawing: Sequence[tuple[float, float]],
    drawing_label: str,
    knots: int,
    unit: float,
    open: bool,
    conversation: Mapping[str, Any] | None = None,
    on_edit: Callable[[], None] = lambda: None,
) -> None:
    """Draw the chart.

    Args:
        key: stable.
        scene: the points that are given, further curves (their first row), and the sentences, of
            which there is one for all steps.
        drawing: pairs of a knot, from 0 on, and a height in units of `unit`; knots that nothing is
            drawn at are left out.
        drawing_label: what the legend calls it.
        knots: how many there are.
        open: whether it may be drawn on now.
        conversation: see `PageState.conversation`; without one nothing can be drawn.
        on_edit: called when the visitor has drawn something, see `PageState.listen`.
    """
    data = {
        "assets": assets.urls("sketch/sketch.js"),
        "xRange": [float(v) for v in scene.x_range],
        "yRange": [float(v) for v in scene.y_range],
        "xTicks": encode_ticks(scene.x_ticks),
        "curves": [encode_curve(c, scene.y_range) for c in scene.curves],
        "points": [[float(x), float(y)] for x, y in scene.points],
        "pointsLabel": scene.points_label,
        "drawing": [[int(knot), int(height)] for knot, height in drawing],
        "drawingLabel": drawing_label,
        "knots": knots,
        "unit": unit,
        "open": open,
        "editable": conversation is not None,
        "caption": "".join(scene.captions),
        "captionFacts": [list(facts) for facts in chain(*scene.caption_facts)],
        "detail": "".join(scene.details),
        "label": scene.label,
        "height": scene.height,
    }
    _mount()(key=key, data=data | dict(conversation or {"ack": 0}), on_edit_change=on_edit)


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("sketch", FIRST_PAINT_HEIGHT)
