"""One outer step, stage by stage: its waves, and below them the space of weights in a plane.

Python sends all stages at once, so the browser goes through them, and plays them, alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from metademo.algorithms import ALGORITHMS
from metademo.figures import style_of
from metademo.tasks import Array
from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import Curve, encode_curve
from metademo.ui.scenes.outer_scene import OuterScene, Task

FIRST_PAINT_HEIGHT = 640
PLAY_SECONDS = 1.1
"""For one stage, while playing: there is a sentence to read."""
DIGITS = 5
"""Of a place in the plane: more than a pixel shows."""
LEARNER = "maml"


def outer_step(
    key: str, scene: OuterScene, *, page: str, step: str, moment: Mapping[str, str]
) -> None:
    """Draw it.

    Args:
        key: stable.
        page: whose other components it lights names with, see `kernel/shared.js`.
        step: tells this outer step from others: each begins with its first stage.
        moment: "address" and "shows" of the page, likewise.
    """
    data = {
        "assets": assets.urls("outer_step/outer_step.js"),
        "page": page,
        "step": step,
        "moment": dict(moment),
        "innerSteps": scene.step.steps,
        "names": list(scene.names),
        "captions": list(scene.captions),
        "captionFacts": [list(facts) for facts in scene.facts],
        "details": list(scene.details),
        "detailFacts": [list(facts) for facts in scene.detail_facts],
        "tasks": [_encode_task(task, scene.y_range) for task in scene.tasks],
        "xRange": list(scene.x_range),
        "yRange": list(scene.y_range),
        "looks": {name: _look(name) for name in (LEARNER, "truth")},
        "walks": _places(scene.walks),
        "lambdas": _places(scene.times * scene.lambdas),
        "moved": _places(scene.moved),
        "arrow": _places(scene.times * scene.moved),
        "directions": [
            {
                "name": name,
                "label": ALGORITHMS[name].title,
                "angle": scene.angles.get(name, ""),
                "to": _places(place),
                **_look(name),
            }
            for name, place in scene.directions.items()
        ],
        "playSeconds": PLAY_SECONDS,
    }
    _mount()(key=key, data=data)


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("outer_step", FIRST_PAINT_HEIGHT)


def _encode_task(task: Task, y_range: tuple[float, float]) -> dict[str, Any]:
    return {
        "name": task.name,
        "truth": encode_curve(Curve("truth", "", task.truth), y_range),
        "network": encode_curve(Curve("network", "", task.curves), y_range),
        "support": [list(point) for point in task.support],
        "query": [list(point) for point in task.query],
        "values": list(task.values),
    }


def _look(name: str) -> dict[str, Any]:
    style = style_of(name)
    return {"color": list(style.colours), "dash": style.dash}


def _places(places: Array) -> Any:
    return places.round(DIGITS).tolist()
