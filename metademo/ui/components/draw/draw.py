"""Signs to draw, and a drawing of one of them that learners are asked about.

The browser sends each stroke while it is drawn, and when the pen is lifted, see
`kernel/gestures.py`: a gesture says which drawing it is about by a `Place` of `moments/signs.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from metademo.moments.ready_made import READY_MADE
from metademo.moments.signs import (
    MOST_EXAMPLES,
    MOST_LETTERS,
    MOST_SIGNS,
    MOST_STROKES,
    DrawView,
    Place,
)
from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import two_colors
from metademo.ui.components.kernel.gestures import Gesture
from metademo.ui.components.kernel.images import encode_pixels
from metademo.ui.scenes.draw_scene import Answer, DrawScene

FIRST_PAINT_HEIGHT = 620


def draw(
    key: str,
    scene: DrawScene,
    *,
    conversation: Mapping[str, Any] | None = None,
    on_edit: Callable[[], None] = lambda: None,
    page: str = "",
) -> None:
    """Show the drawings and the answers.

    Args:
        key: stable.
        conversation: see `PageState.conversation`; without one nothing can be drawn.
        on_edit: called when the visitor has drawn something, see `PageState.listen`.
        page: what the scrubber is known by where there is no conversation.
    """
    data = {
        "assets": assets.urls("draw/draw.js"),
        "signs": [list(examples) for examples in scene.signs],
        "question": scene.question,
        "seen": {
            "signs": [[encode_pixels(image) for image in images] for images in scene.seen],
            "question": encode_pixels(scene.seen_question),
        },
        "ways": list(scene.ways),
        "answers": [_encode(answer) for answer in scene.answers],
        "steps": scene.steps,
        "stands": [],
        "captions": list(scene.captions),
        "details": list(scene.details),
        "captionFacts": [list(facts) for facts in scene.caption_facts],
        "detailFacts": [list(facts) for facts in scene.detail_facts],
        "ready": [{"name": name, "drawings": list(two)} for name, two in READY_MADE.items()],
        "most": {
            "strokes": MOST_STROKES,
            "letters": MOST_LETTERS,
            "signs": MOST_SIGNS,
            "examples": MOST_EXAMPLES,
        },
    }
    figure = {"ack": 0, "page": page, "editable": False, "undo": False, "redo": False}
    _mount()(key=key, data=data | dict(conversation or figure), on_edit_change=on_edit)


def carried_out(view: DrawView, gesture: Gesture) -> DrawView:
    """The view after one gesture of the component; nothing changes if it can't be carried out."""
    if gesture.kind == "add" and gesture.to:
        return view.with_room(int(gesture.to[0]))
    if not gesture.at:
        return view
    place = Place(*map(int, gesture.at))
    match gesture.kind:
        case "stroke":
            return view.stroked(place, gesture.text)
        case "draw":
            return view.redrawn(place, gesture.text)
        case "clear":
            return view.redrawn(place, "")
        case "remove":
            return view.without(place)
    return view


def _encode(answer: Answer) -> dict[str, Any]:
    return {
        "label": answer.label,
        "about": answer.about,
        "color": list(two_colors(answer.color)),
        "dash": answer.dash,
        # No learner is quite sure, whatever is left of that in six digits.
        "shares": np.round(answer.shares.astype(float), 6).clip(1e-4, 1 - 1e-4).tolist(),
    }


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("draw", FIRST_PAINT_HEIGHT, style="draw/draw.css")
