"""What can be kept of a page: a link to it as it is, and one for a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from metademo.checkpoints import Checkpoint
from metademo.moments.address import joined, link, query
from metademo.moments.lesson import Lesson
from metademo.moments.tour import CONTROLS, TOUR
from metademo.moments.train_view import TrainView
from metademo.ui.components.chart.chart import interactive_chart
from metademo.ui.components.kernel.curves import Scene
from metademo.ui.components.link.link import copy_link
from metademo.ui.controls import tour
from metademo.ui.server import resources
from metademo.ui.state.state import PageState


def arrival(state: PageState[Any]) -> None:
    """What a visitor who came by a link has to know, at the head of the page."""
    for note in state.notes:
        st.warning(note, icon=":material/link_off:")
    lesson = state.lesson
    if lesson.for_a_class:
        locked = "its controls are locked (the step slider is not)" if lesson.lock else ""
        hidden = "some of it is hidden" if lesson.hide else ""
        what = " and ".join(part for part in (locked, hidden) if part)
        with st.container(key=f"{state.page} lesson", horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/school: **This page is a lesson**: {what}.")
            st.button(
                "Leave the lesson",
                key=f"{state.page} leave lesson",
                on_click=state.teach,
                args=(Lesson(),),
            )
    tour.panel(state)


def keep(
    state: PageState[Any],
    scene: Callable[[], Scene] | None = None,
    hideable: Mapping[str, str] = {},
) -> None:
    """The buttons for what can be kept.

    Args:
        scene: what the chart shows, for the preview of a link for a class.
        hideable: what a lesson may hide on a page without such a chart, by name, in words.
    """
    with st.container(key=f"{state.page} keep", gap="small"):
        copy_link(state.page)
        if st.button(
            "Link for a class",
            key=f"{state.page} class link",
            icon=":material/school:",
            disabled=state.lesson.for_a_class,
            width="stretch",
            help="A link to this page as it is, with its controls locked or its answer hidden.",
        ):
            class_link(state, scene, hideable)
        if not state.lesson.stop and st.button(
            "Take the tour",
            key=f"{state.page} take tour",
            icon=":material/signpost:",
            disabled=state.lesson.for_a_class,
            width="stretch",
            help=f"{len(TOUR)} questions on the real pages, in five minutes.",
        ):
            tour.go(state, 1)


def own_weights(state: PageState[Any]) -> None:
    """How somebody else gets the weights of this visit that the page shows."""
    for name, checkpoint in _own_weights(state).items():
        _recipe(name, checkpoint)


def _own_weights(state: PageState[Any]) -> Mapping[str, Checkpoint]:
    """The weights of this visit that the page shows: a link can't name them."""
    view, own = state.view, resources.own()
    shown = {getattr(view, "weights", ""), *getattr(view, "chosen", ())}
    return {name: checkpoint for name, checkpoint in own.items() if name in shown}


def _recipe(name: str, checkpoint: Checkpoint) -> None:
    """How somebody else gets the same weights."""
    view = TrainView.of(checkpoint.config)
    if view is None or not checkpoint.steps:  # not trained by metademo
        st.caption(f"A link can’t hold the weights “{name}”: send their file along.")
        return
    # As seen from this page: the app may stand under a path of its own.
    recipe = link("train", view).removeprefix("/")
    st.caption(
        f"A link can’t hold the weights “{name}”. [Their recipe]({recipe}) trains the very same "
        f"ones in seconds, at step {checkpoint.steps:,}; the Train page has the file."
    )


@st.dialog("Link for a class", width="large")
def class_link(
    state: PageState[Any], scene: Callable[[], Scene] | None, others: Mapping[str, str]
) -> None:
    """Choose what a class can't move and can't see, look at that, and copy the link."""
    shown = scene() if scene else None
    hideable = {CONTROLS: "the controls", **(shown.hideable if shown else others)}
    lock = st.toggle(
        "Lock the controls",
        value=True,
        help="They can be seen and not moved. The step slider always can, and anybody can leave "
        "the lesson by its button.",
        key=f"{state.page} class lock",
    )
    hide = st.multiselect(
        "Hide",
        list(hideable),
        format_func=lambda name: hideable[name],
        placeholder="nothing, or what the class is to find out",
        key=f"{state.page} class hide",
    )
    lesson = Lesson(lock=lock, hide=tuple(hide))
    view = state.view.shareable(resources.own())
    copy_link(state.page, "what stands here", joined(query(view), query(lesson)))
    if shown:
        interactive_chart(f"{state.page} class preview", replace(shown.without(hide), height=240))
