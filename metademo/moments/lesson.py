"""What a teacher's link fixes beside the moment that it shows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Strict

from metademo.moments.mended import View

CONTROLS, SENTENCES, PANELS = "controls", "sentences", "errors"
"""What can be hidden of a page beside the curves of its chart."""


class Lesson(View):
    """A page as a class is to see it.

    Attributes:
        lock: whether the controls can be seen and not moved. The scrubber always can.
        hide: names of what is not shown: curves, or parts of the page; see `Scene.without`.
    """

    lock: bool = False
    hide: Annotated[tuple[str, ...], Strict(False)] = ()

    def __bool__(self) -> bool:
        return self != Lesson()
