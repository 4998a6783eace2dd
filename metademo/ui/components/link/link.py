"""A button that copies a link to what the page shows, and an address that follows it."""

from __future__ import annotations

import functools

from streamlit.components.v2.types import ComponentRenderer

from metademo.ui.components.kernel import assets


def copy_link(page: str, shows: str = "") -> None:
    """Draw it.

    Args:
        page: whose components tell the browser what is shown, see `PageState.conversation`.
        shows: what the link shows, in a few words, on a page that has no such component.
    """
    data = {"assets": assets.urls("link/link.js"), "page": page, "shows": shows}
    _mount()(key=f"{page} link", data=data)


@functools.cache
def _mount() -> ComponentRenderer:
    return assets.component("link", 32)
