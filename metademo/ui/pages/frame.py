"""What stands around every page: its style, a phone's navigation, an early start for the charts."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from metademo.ui.components.preload.preload import preload


def frame(pages: Sequence[StreamlitPage], current: StreamlitPage) -> None:
    """Draw it, in one pixel of the page: nothing may move when the style arrives.

    On a narrow screen Streamlit puts its navigation behind a mark without words. `page.css` shows
    these links in its place there, and nowhere else.
    """
    with st.container(key="frame", height=1, border=False):
        with st.container(
            key="pages", horizontal=True, horizontal_alignment="distribute", gap=None
        ):
            for page in pages:
                st.page_link(page, width="content")
        preload(text=current.url_path == "how")
