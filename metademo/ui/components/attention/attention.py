"""Where a transformer looks, from a place on the x axis: drawn as lines on the page's chart.

Python sends the shares for all places and all steps at once, so that pointing needs no server. The
component has the controls and the words; the chart draws the lines, see `chart/looks.js`.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable

import numpy as np

from metademo.ui.components.kernel import assets
from metademo.ui.scenes.attention_scene import Attention

FIRST_PAINT_HEIGHT = 130


def attention_controls(key: str, shown: Attention, *, page: str) -> None:
    """Draw them.

    Args:
        key: stable.
        page: the page whose chart has the scrubber and shows the lines.
    """
    data = {
        "assets": assets.urls("attention/attention.js"),
        "page": page,
        "curve": shown.curve,
        "xRange": list(shown.x_range),
        "points": [list(point) for point in shown.points],
        "layers": shown.layers,
        "heads": shown.heads,
        "places": shown.places,
        "shares": _packed(shown),
    }
    _mount()(key=key, data=data)


def _packed(shown: Attention) -> str:
    """All shares, one step after the other, as bytes: 255 is all of it."""
    numbers = np.concatenate([share.ravel() for share in shown.shares])
    return base64.b64encode(np.rint(255 * numbers).astype(np.uint8).tobytes()).decode()


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("attention", FIRST_PAINT_HEIGHT)
