"""A view with its past and future: undo and redo."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from metademo.moments.mended import PageView

HISTORY = 200
"""How many views can be undone."""
V = TypeVar("V", bound=PageView)


@dataclass(frozen=True)
class History(Generic[V]):
    """A view with its past and future."""

    present: V
    past: tuple[V, ...] = ()
    future: tuple[V, ...] = ()
    dragging: bool = field(default=False, compare=False)

    @property
    def settled(self) -> V:
        """The view as it was before the drag that is going on, if one is."""
        return self.past[-1] if self.dragging else self.present

    def commit(self, view: V) -> History[V]:
        """The next view; the one before it can be brought back by `undo`."""
        if self.dragging:  # where the drag began is in the past already
            past = self.past[:-1] if view == self.settled else self.past
            return replace(self, present=view, past=past, dragging=False)
        if view == self.present:
            return self
        return History(view, (*self.past, self.present)[-HISTORY:])

    def preview(self, view: V) -> History[V]:
        """A view in the middle of a drag: drawn, but not one to come back to."""
        if self.dragging:
            return replace(self, present=view)
        return History(view, (*self.past, self.present)[-HISTORY:], dragging=True)

    def amend(self, view: V) -> History[V]:
        """Another view in the place of the present one: nothing that a visitor would undo."""
        return replace(self, present=view)

    def undo(self) -> History[V]:
        if not self.past:
            return self
        *past, before = self.past
        return History(before, tuple(past), (self.present, *self.future))

    def redo(self) -> History[V]:
        if not self.future:
            return self
        after, *future = self.future
        return History(after, (*self.past, self.present), tuple(future))
