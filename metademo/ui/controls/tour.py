"""The guided tour: a panel above the page that it is about."""

from __future__ import annotations

from typing import Any

import streamlit as st

from metademo.moments.address import PAGES, follow
from metademo.moments.lesson import Lesson
from metademo.moments.tour import TOUR, Stop
from metademo.ui.state.state import PageState


def panel(state: PageState[Any]) -> None:
    """The question of the stop that the visitor is at, and its answer once it is chosen."""
    lesson = state.lesson
    if lesson.stop is None:
        return
    stop = lesson.stop
    with st.container(key=f"{state.page} tour", border=True, gap="small"):
        st.markdown(f"**Tour, {lesson.tour} of {len(TOUR)}: {stop.title}**")
        _question(state, stop)
        if lesson.guess:
            right = lesson.guess - 1 == stop.right
            st.markdown(f"**{'Right.' if right else 'Not quite.'}** {stop.answer}")
        with st.container(horizontal=True, gap="small"):
            if st.button("Back", key=f"{state.page} tour back", disabled=lesson.tour == 1):
                go(state, lesson.tour - 1)
            last = lesson.tour == len(TOUR)
            if st.button(
                "Finish" if last else "Next" if lesson.guess else "Skip",
                key=f"{state.page} tour next",
                type="primary" if lesson.guess else "secondary",
            ):
                go(state, 0 if last else lesson.tour + 1)
            if st.button("Leave the tour", key=f"{state.page} tour leave"):
                go(state, 0)


def _question(state: PageState[Any], stop: Stop) -> None:
    lesson, key = state.lesson, f"{state.page} tour {state.lesson.tour}"
    st.radio(
        stop.question,
        range(1, len(stop.options) + 1),
        index=lesson.guess - 1 if lesson.guess else None,
        format_func=lambda guess: stop.options[guess - 1],
        key=key,
        on_change=lambda: state.teach(lesson.changed(guess=st.session_state[key])),
    )


def go(state: PageState[Any], number: int) -> None:
    """To a stop of the tour, or out of it at 0: the page is then as the stop has left it."""
    state.teach(Lesson())
    if not number:
        st.rerun()
    moment = follow(TOUR[number - 1].link)
    there: PageState[Any] = PageState(moment.page, PAGES[moment.page])
    there.commit(moment.view)
    there.teach(Lesson(tour=number))
    if moment.page == state.page:
        st.rerun()
    st.switch_page(f"metademo/ui/pages/{moment.page}.py")
