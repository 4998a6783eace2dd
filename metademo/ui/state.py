"""Where the views live: one history per page, in the visitor's session.

The view is the truth and widgets only show it: before a widget is drawn its state is set from the
view, and its callback replaces the view. So an undo moves the sliders, too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Generic

import streamlit as st

from metademo.ui.views import History, V

ECHO_SECONDS = 2.0
"""A browser sends the state of all its widgets with every message. While a point is dragged, what
it sends for the others may be older than what the server has set since; such an echo of a value
that was shown until a moment ago is not a visitor's choice."""


class PageState(Generic[V]):
    """The history of one page's view."""

    def __init__(self, page: str, first: Callable[[], V]):
        """`first` makes the view of a visitor who has just arrived."""
        self.page = page
        self._key = f"history of {page}"
        if self._key not in st.session_state:
            st.session_state[self._key] = History(first())

    @property
    def history(self) -> History[V]:
        return st.session_state[self._key]

    @property
    def view(self) -> V:
        return self.history.present

    def commit(self, view: V, *, by_server: bool = True) -> None:
        """Replace the view; `by_server` tells the browser to take the server's points."""
        self._set(self.history.commit(view, by_server=by_server))

    def follow(self, view: V, *, final: bool) -> None:
        """Replace the view by what the browser has drawn already; not final during a drag."""
        # The server may have moved a point (onto the wave, say), but never their number or order,
        # so the browser's list stays valid.
        history = self.history
        self._set(history.commit(view) if final else history.preview(view))

    def undo(self) -> None:
        self._set(self.history.undo())

    def redo(self) -> None:
        self._set(self.history.redo())

    def bind(self, name: str, value: Any, change: Callable[[V, Any], V]) -> dict[str, Any]:
        """Arguments that tie a widget to the view.

        Args:
            name: of the widget, unique on its page.
            value: what the widget shows now.
            change: the view after the visitor has set the widget to a value.
        """
        key = f"{self.page} widget {name}"
        echoes = st.session_state.setdefault(key + " echoes", {})
        shown = st.session_state.get(key)
        if shown != value:
            echoes[repr(shown)] = time.monotonic()
            st.session_state[key] = value

        def changed() -> None:
            chosen = st.session_state[key]
            if time.monotonic() - echoes.get(repr(chosen), -math.inf) > ECHO_SECONDS:
                self.commit(change(self.view, chosen))

        return {"key": key, "on_change": changed}

    def _set(self, history: History[V]) -> None:
        st.session_state[self._key] = history
