"""One interactive chart: curves that change step by step, the visitor's points, a scrubber.

It knows curves, points and steps, and nothing of what made them. Python sends everything for all
steps at once, so scrubbing and playing never talk to the server; the browser sends what the visitor
does to the points, see `kernel/gestures.py`, and shows it at once on top of the server's list.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import (
    Scene,
    encode_curve,
    encode_ticks,
)
from metademo.ui.components.kernel.gestures import Point
from metademo.ui.components.kernel.insights import encode_panel

FIRST_PAINT_HEIGHT = 560
MAX_POINTS = 20
PLAY_SECONDS = 0.42
"""For one step, while playing."""


def interactive_chart(
    key: str,
    scene: Scene,
    *,
    conversation: Mapping[str, Any] | None = None,
    on_edit: Callable[[], None] = lambda: None,
    max_points: int = MAX_POINTS,
    new_points: str = "",
    page: str = "",
    follows: bool = False,
    nudge: tuple[str, Point] | None = None,
    figure: bool = False,
) -> None:
    """Draw the chart.

    Args:
        key: stable; the chart is never remounted as long as it stays the same.
        conversation: see `PageState.conversation`; without one the points can't be changed.
        on_edit: called when the visitor has done something, see `PageState.listen`.
        new_points: label of the button that draws new points; without one there is none.
        page: whose other components it shares the scrubber's place with; none if it is empty.
        follows: whether it stands beside the page's own chart, and moves with that one's scrubber
            as that one does with its.
        nudge: a sentence for somebody who has never done anything here, and the place that it is
            about; see `kernel/nudge.js`.
        figure: whether it goes with a text: all that it names can be brought forward, and the
            page's address does not speak of it.
    """
    data = {
        "assets": assets.urls("chart/chart.js"),
        "steps": scene.steps,
        "xRange": [float(v) for v in scene.x_range],
        "yRange": [float(v) for v in scene.y_range],
        "xTicks": encode_ticks(scene.x_ticks),
        "curves": [encode_curve(c, scene.y_range) for c in scene.curves],
        "points": [[float(x), float(y)] for x, y in scene.points],
        "example": scene.example,
        "pointsLabel": scene.points_label,
        "maxPoints": max_points,
        "editable": conversation is not None,
        "fresh": new_points,
        "snap": scene.snap,
        "captions": list(scene.captions),
        "details": list(scene.details),
        "captionFacts": [list(facts) for facts in scene.caption_facts],
        "detailFacts": [list(facts) for facts in scene.detail_facts],
        "panels": [encode_panel(p) for p in scene.panels],
        "page": page or key,
        "follows": follows,
        "height": scene.height,
        "stands": list(scene.stands),
        "label": scene.label,
        "playSeconds": PLAY_SECONDS,
        "figure": figure,
        "nudge": nudge and {"text": nudge[0], "at": list(nudge[1])},
    }
    _mount()(key=key, data=data | dict(conversation or {"ack": 0}), on_edit_change=on_edit)


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("chart", FIRST_PAINT_HEIGHT)
