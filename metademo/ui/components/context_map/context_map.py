"""A map of waves: a dot on it is dragged, and the wave of its place is drawn beside it.

It follows the scrubber of a chart on the same page, and has curves for all of the map: neither
scrubbing nor dragging talks to the server.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import encode_rows
from metademo.ui.scenes.map_scene import MapScene, phase_labels

FIRST_PAINT_HEIGHT = 560


def context_map(key: str, scene: MapScene, *, page: str) -> None:
    """Draw it.

    Args:
        key: stable; the component is never mounted anew as long as it stays the same.
        page: the name under which a chart shares where its scrubber stands.
    """
    data = {
        "assets": assets.urls("context_map/context_map.js"),
        "page": page,
        "sentence": scene.sentence,
        "detail": scene.detail,
        "tasks": [
            [*(round(v, 3) for v in (*task.place, task.turn, task.size))] for task in scene.tasks
        ],
        "cycle": list(scene.cycle),
        "phases": phase_labels(),
        "sizes": list(scene.sizes),
        "reach": scene.reach,
        "side": scene.side,
        "curves": encode_rows(scene.curves),
        "walk": scene.walk.tolist(),
    }
    _mount()(key=key, data=data | scene.encoded())


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("context_map", FIRST_PAINT_HEIGHT)
