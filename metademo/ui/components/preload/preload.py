"""A component without a face: the style of the page, and an early start for the charts."""

from __future__ import annotations

import functools

from streamlit.components.v2.types import ComponentRenderer

from metademo.ui.components.kernel import assets


@functools.cache
def _mount() -> ComponentRenderer:
    return assets.component("preload", 0, "kernel/page.css")


def preload() -> None:
    """Style the page, and let the browser load Plotly.js while the server is still importing."""
    _mount()(key="preload", data={"assets": assets.urls("preload/preload.js")})
