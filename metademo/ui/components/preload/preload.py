"""A component without a face: the style of the page, and an early start for the charts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import streamlit

from metademo.ui.components.kernel import assets

FONTS = (
    *("KaTeX_Main-Regular", "KaTeX_Math-Italic", "KaTeX_Math-BoldItalic"),
    *("KaTeX_Size1-Regular", "KaTeX_Size2-Regular", "SourceSansVF-Italic.ttf"),
)


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("preload", 0, "kernel/page.css")


@functools.cache
def _fonts() -> list[str]:
    """Where Streamlit serves the fonts of long texts, as seen from the app's root."""
    static = Path(streamlit.__file__).parent / "static"
    found = [path for name in FONTS for path in static.rglob(f"{name}.*.woff2")]
    return [path.relative_to(static).as_posix() for path in found]


def preload(*, text: bool = False) -> None:
    """Style the page, and let the browser load Plotly.js while the server is still importing.

    Args:
        text: load the fonts of formulas and of emphasis, too.
    """
    fonts = _fonts() if text else []
    _mount()(key="preload", data={"assets": assets.urls("preload/preload.js") | {"fonts": fonts}})
