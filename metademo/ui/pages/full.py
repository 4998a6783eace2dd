"""What a newcomer sees when the server serves as many as it can: it lets them in by itself."""

from __future__ import annotations

import streamlit as st

from metademo.ui.server.admission import ASK_SECONDS, place_in_line


def wait() -> bool:
    """Whether this visitor has to wait for room; the page then says so."""
    if not place_in_line():
        return False
    st.title("Full for the moment", anchor=False)
    st.markdown(
        "This server has as many visitors as it can serve well. Leave this page open: it lets you "
        "in by itself as soon as there is room, and then shows what your link says."
    )
    _line()
    return True


@st.fragment(run_every=ASK_SECONDS)
def _line() -> None:
    place = place_in_line()
    if not place:
        st.rerun()
    ahead = "You are next." if place == 1 else f"{place - 1} in line before you."
    with st.container(key="line"):
        st.info(ahead, icon=":material/hourglass_top:")
