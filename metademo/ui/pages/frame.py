"""What stands around every page: its name and style, a phone's links, an early start for charts."""

from __future__ import annotations

import base64
import functools
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from metademo.ui.components.preload.preload import preload

FACE = Path(__file__).resolve().parents[1] / "face"
MARK, NAME = FACE / "mark.svg", FACE / "name.svg"
"""The mark alone, which also stands in the browser's tab, and the mark with the name."""


def frame(pages: Sequence[StreamlitPage], current: StreamlitPage) -> None:
    """Draw it, in one pixel of the page: nothing may move when the style arrives.

    On a narrow screen Streamlit puts its navigation behind a mark without words, and leaves the
    name where the page scrolls under it. `page.css` shows these in their place, and nowhere else.
    """
    st.logo(str(NAME))
    with st.container(key="frame", height=1, border=False):
        with st.container(
            key="pages", horizontal=True, horizontal_alignment="distribute", gap=None
        ):
            st.html(_name(), width="content")
            for page in pages:
                st.page_link(page, icon="", width="content")
        preload(text=current.url_path == "how")


@functools.cache
def _name() -> str:
    """The name as an element of the page."""
    drawing = base64.b64encode(NAME.read_bytes()).decode()
    return f'<img alt="metademo" width="105" height="24" src="data:image/svg+xml;base64,{drawing}">'
