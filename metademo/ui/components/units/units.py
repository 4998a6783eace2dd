"""The network's own parts: all units as small curves, and one of them in the sum of all.

It follows the scrubber of a chart on the same page, and has the curves of all steps: neither
scrubbing nor choosing a unit talks to the server.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import encode_curve, encode_rows
from metademo.ui.components.kernel.gestures import finite
from metademo.ui.scenes.units_scene import UnitsLayer, UnitsScene

FIRST_PAINT_HEIGHT = 520


def units_chart(key: str, scene: UnitsScene, *, page: str) -> None:
    """Draw them.

    Args:
        key: stable; the component is never mounted anew as long as it stays the same.
        page: the name under which a chart shares where its scrubber stands.
    """
    data = {
        "assets": assets.urls("units/units.js"),
        "page": page,
        "sentence": scene.sentence,
        "share": encode_curve(scene.share, scene.y_range),
        "total": encode_curve(scene.total, scene.y_range),
        "seen": list(scene.seen),
        "layers": [_encode_layer(layer) for layer in scene.layers],
    }
    _mount()(key=key, data=data | scene.encoded())


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("units", FIRST_PAINT_HEIGHT)


def _encode_layer(layer: UnitsLayer) -> dict[str, Any]:
    return {
        "number": layer.number,
        "title": layer.title,
        "units": [[unit.number, finite(round(unit.moved, 4)), unit.about] for unit in layer.units],
        "others": layer.others,
        "telling": layer.telling,
        "activations": encode_rows(layer.activations),
        "contributions": encode_rows(layer.contributions),
        "rest": encode_rows(layer.rest),
        "pushes": encode_rows(np.moveaxis(layer.pushes, 1, 2)),
    }
