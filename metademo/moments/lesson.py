"""What a page is set up for beside the moment that it shows: a class, or a stop of the tour."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from metademo.moments.mended import Clamped, Names, View
from metademo.moments.tour import TOUR, Stop


class Lesson(View):
    """A page as somebody is to see it.

    Attributes:
        lock: whether the controls can be seen and not moved. The step slider always can.
        hide: names of what is not shown: curves, or parts of the page; see `Scene.without`.
        tour: the stop of the tour that the visitor is at, from 1; 0 for none.
        guess: which of its answers the visitor has chosen, from 1; 0 for none yet.
    """

    lock: bool = False
    hide: Names = ()
    tour: Annotated[int, Clamped(0, len(TOUR))] = 0
    guess: Annotated[int, Clamped(0, max(len(stop.options) for stop in TOUR))] = 0

    @property
    def for_a_class(self) -> bool:
        """Whether somebody has fixed something."""
        return self.lock or bool(self.hide)

    @property
    def stop(self) -> Stop | None:
        """The stop of the tour, or None."""
        return TOUR[self.tour - 1] if self.tour else None

    @property
    def asking(self) -> Stop | None:
        """The stop whose question has not been answered yet, or None."""
        return None if self.guess else self.stop

    @property
    def hidden(self) -> Collection[str]:
        """All that is not shown at present."""
        return (*self.hide, *(self.asking.hide if self.asking else ()))
