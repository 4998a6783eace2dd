"""Where the views live: one history per page, in the visitor's session.

The view is the truth and widgets only show it. A page is drawn in two fragments: what the visitor
does at the chart redraws the chart alone, and the controls follow when the hand is at rest; what is
chosen among the controls redraws both.
"""

from __future__ import annotations

import functools
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic

import streamlit as st

from metademo.moments.address import arrival, joined, query
from metademo.moments.lesson import Lesson
from metademo.ui.components.follow.follow import follow
from metademo.ui.components.kernel.curves import Scene
from metademo.ui.components.kernel.gestures import WHOLE, Gesture, read
from metademo.ui.server import resources
from metademo.ui.state.history import History, V

REVISIONS = 4
"""Keys of a widget for which it is known what they showed: more than are on their way at once."""

Change = Callable[[V, Gesture], V]
"""The view after a gesture at the chart."""


class PageState(Generic[V]):
    """The history of one page's view, and what the browser has been told of it."""

    def __init__(
        self,
        page: str,
        kind: type[V],
        *,
        said: Mapping[str, str] | None = None,
        leading: tuple[str, ...] = (),
        following: tuple[str, ...] = (),
        unfolded: Mapping[str, str] | None = None,
    ):
        """Find the history, or begin one.

        Args:
            page: its name.
            kind: of its view.
            said: the parameters of its address, for a visitor who has just arrived there.
            leading: keys of the fragments that a choice among the controls redraws; without any,
                it redraws the fragment that the control is in.
            following: keys of those that are redrawn likewise, and when the hand at the chart has
                come to rest.
            unfolded: by the name of a part that can be unfolded the key of a fragment that is
                redrawn like those, while the part is unfolded.
        """
        self.page = page
        self._leading, self._always_following = leading, following
        self._unfolded = unfolded or {}
        self._key = _key(page)
        if self._key not in st.session_state:
            moment = arrival(page, kind, said or {})
            st.session_state[self._key] = History(moment.view)
            st.session_state[f"{page} lesson"] = moment.lesson
            st.session_state[f"{page} notes"] = moment.notes
            st.session_state[f"{page} arriving"] = True

    @property
    def history(self) -> History[V]:
        return st.session_state[self._key]

    @property
    def view(self) -> V:
        return self.history.present

    @property
    def untouched(self) -> bool:
        """Whether the view is that of a visitor who has just arrived, by no link to another."""
        return self.view == type(self.view).first() and self.lesson == Lesson()

    def commit(self, view: V) -> None:
        """Replace the view; the one before it can be brought back."""
        self._set(self.history.commit(view))

    def begin(self, view: V) -> None:
        """Choose a view before which nothing can be brought back: what was scored stays scored."""
        self._set(History(view))
        self._redraw()

    def choose(self, view: V) -> None:
        """What a control's callback does with the view that was chosen."""
        self.commit(view)
        self._redraw()

    # ------------------------------------------------------------------------ links

    @property
    def address(self) -> str:
        """The query of a link to this page as it is, as far as a link can tell."""
        view = self.view.shareable(resources.own())
        return joined(query(view), query(self.lesson))

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be read in the address that the visitor came by."""
        return st.session_state.get(f"{self.page} notes", ())

    @property
    def arriving(self) -> bool:
        """Whether the view is as the address has it, and the page has not looked at it yet."""
        return st.session_state.get(f"{self.page} arriving", False)

    def settle(self, view: V, *notes: str) -> None:
        """What the page makes of a view that came by the address, and what was wrong with it."""
        self._set(self.history.amend(view))
        st.session_state[f"{self.page} arriving"] = False
        st.session_state[f"{self.page} notes"] = (*self.notes, *notes)

    @property
    def lesson(self) -> Lesson:
        """What the link that the visitor came by fixes."""
        return st.session_state.get(f"{self.page} lesson", Lesson())

    def teach(self, lesson: Lesson) -> None:
        """Set the page up for another lesson; for none its controls are free, and all is shown."""
        st.session_state[f"{self.page} lesson"] = lesson

    def as_taught(self, scene: Scene) -> Scene:
        """What the lesson lets be seen of a scene."""
        asking = self.lesson.asking
        return scene.without(self.lesson.hidden).disguised(asking.disguise if asking else {})

    # ------------------------------------------------------------------------ the chart

    @property
    def conversation(self) -> dict[str, Any]:
        """What a component is told beside its data, see `kernel/conversation.js`.

        The browser keeps `view` and hands it back to a server that has forgotten this session.
        """
        visit, seen = self._heard
        return {
            "page": self.page,
            "session": st.session_state.setdefault("session token", secrets.token_hex(8)),
            "visit": visit,
            "ack": seen,
            "view": json.dumps(self.view.to_dict()),
            "undo": bool(self.history.past),
            "redo": bool(self.history.future),
            "editable": not self.lesson.lock,
            "address": self.address,
            "shows": self.view.in_words,
        }

    def listen(self, component: str, change: Change[V]) -> Callable[[], None]:
        """The callback of a component: carries out the gestures that it has sent.

        Args:
            component: its key.
            change: the view after a gesture that is not about the history.
        """
        return functools.partial(self._hear, component, change)

    def _hear(self, component: str, change: Change[V]) -> None:
        visit, gestures = read(_edit_of(component))
        known, seen = self._heard
        fresh = [g for g in gestures if visit != known or g.seq > seen]
        for gesture in fresh:
            self._carry_out(gesture, change)
        if fresh:
            st.session_state[f"{self.page} heard"] = (visit, fresh[-1].seq)
        if any(gesture.kind in ("undo", "redo", "restore") for gesture in fresh):
            self._redraw()

    @property
    def _heard(self) -> tuple[str, int]:
        """The browser's visit, and the last of its gestures that has been carried out."""
        return st.session_state.get(f"{self.page} heard", ("", 0))

    def _carry_out(self, gesture: Gesture, change: Change[V]) -> None:
        history = self.history
        if gesture.kind == "undo":
            self._set(_folded_as(history, history.undo()))
        elif gesture.kind == "redo":
            self._set(_folded_as(history, history.redo()))
        elif gesture.kind == "restore":
            self._set(history.commit(_restored(history.present, gesture.view)))
        else:
            before = history.settled if gesture.kind in WHOLE else history.present
            view = change(before, gesture)
            self._set(history.commit(view) if gesture.final else history.preview(view))

    # ------------------------------------------------------------------------ the controls

    def bind(
        self,
        name: str,
        value: Any,
        change: Callable[[V, Any], V],
        *,
        options: Iterable[Any] | None = None,
        default: str = "value",
        lockable: bool = True,
    ) -> dict[str, Any]:
        """Arguments that tie a widget to the view.

        A browser sends the state of all its widgets with every message, so what it sends for one
        may be older than what the server has set since. Therefore a widget whose value the server
        changes becomes another widget, with a key of its own, and for each key it is known what
        was shown under it: only what differs from that has been chosen by the visitor.

        The value goes to the browser as the widget's default, each time. Were it written into the
        session's state, only one run would tell it; a browser that draws two runs at once would
        hear of the second alone, and then show, and send, what the widget is without a value.

        Args:
            name: of the widget, unique on its page.
            value: what the widget shows now.
            change: the view after the visitor has set the widget to a value.
            options: of a widget that takes the place of its value among them, and not the value.
            default: the widget's own name for its value.
            lockable: whether a lesson may lock it. What can't be locked only unfolds something, and
                is no change to take back.
        """
        key = widget_key(self.page, name)
        if key in st.session_state and not _same(st.session_state[key], value):
            st.session_state[f"{self.page} revision {name}"] = _revision(self.page, name) + 1
            key = widget_key(self.page, name)
        shown = st.session_state.setdefault(f"{self.page} shown {name}", {})
        shown[key] = value
        for old in list(shown)[:-REVISIONS]:
            del shown[old]

        def changed() -> None:
            chosen = st.session_state[key]
            if key in shown and not _same(chosen, shown[key]):
                shown[key] = chosen
                view = change(self.view, chosen)
                self._set(self.history.commit(view) if lockable else self.history.amend(view))
                self._redraw()

        shows = {default: value} if options is None else {"index": list(options).index(value)}
        locked = {"disabled": self.lesson.lock} if lockable else {}
        return {"key": key, "on_change": changed, **shows, **locked}

    def unfolding(self, name: str) -> dict[str, Any]:
        """Arguments of an expander whose state is part of the view, see `bind`.

        An expander that begins otherwise is another one, and what is being typed in it would be
        lost: as long as it has the same key, it is told the same beginning. Its label must stay the
        same, too.
        """
        arguments = self.bind(
            f"unfolded {name}",
            name in self.view.unfolded,
            lambda view, unfolded: view.unfold(name, unfolded),
            default="expanded",
            lockable=False,
        )
        beginnings = st.session_state.setdefault(f"{self.page} unfolded at first", {})
        key = arguments["key"]
        if key not in st.session_state:  # it is mounted anew, as when the visitor comes back
            beginnings.pop(key, None)
        return arguments | {"expanded": beginnings.setdefault(key, arguments["expanded"])}

    def follow_chart(self) -> None:
        """Have what follows drawn again when the hand at the chart has come to rest.

        It is to be called in the first of the fragments that follow: that one is drawn again in any
        case, and to ask for it would draw it twice.
        """
        alone = len(self._following) == 1
        follow(self.page, (lambda: None) if alone else lambda: st.rerun(self._following))

    @property
    def _following(self) -> tuple[str, ...]:
        unfolded = (key for name, key in self._unfolded.items() if name in self.view.unfolded)
        return (*self._always_following, *unfolded)

    def _redraw(self) -> None:
        if fragments := (*self._leading, *self._following):
            st.rerun(fragments)

    def _set(self, history: History[V]) -> None:
        st.session_state[self._key] = history


def present(page: str, kind: type[V]) -> V:
    """The view of a page as the visitor has left it, or the first one."""
    history: History[V] | None = st.session_state.get(_key(page))
    return history.present if history else kind.first()


def _folded_as(before: History[V], history: History[V]) -> History[V]:
    """The history with what is unfolded now: to unfold something is no change to take back."""
    return history.amend(history.present.changed(unfolded=before.present.unfolded))


def _key(page: str) -> str:
    return f"history of {page}"


def widget_key(page: str, name: str) -> str:
    """The key under which a bound widget is known at present."""
    revision = _revision(page, name)
    return f"{page} widget {name}" + f" ({revision})" * bool(revision)


def _revision(page: str, name: str) -> int:
    """How often the server has set the widget to another value than the visitor's."""
    return st.session_state.get(f"{page} revision {name}", 0)


def _same(one: Any, other: Any) -> bool:
    """Whether two values of a widget are the same. One of several choices has them as pressed."""
    if isinstance(one, list) and isinstance(other, list):
        return sorted(one) == sorted(other)
    return one == other


def _edit_of(component: str) -> Any:
    """What a component has sent, whatever it is."""
    try:
        return st.session_state[component]["edit"]
    except (KeyError, TypeError, AttributeError):
        return None


def _restored(view: V, text: str) -> V:
    """The view that a browser has kept, or the present one if that is not what it was given."""
    try:
        values = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return view
    if not isinstance(values, dict):
        return view
    kept = type(view).from_dict(values)
    known = json.loads(json.dumps(kept.to_dict()))
    mended = any(known.get(name, value) != value for name, value in values.items())
    return view if mended else kept
