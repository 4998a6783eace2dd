"""A button that copies a link to what the page shows, and an address that follows it."""

from __future__ import annotations

import functools
from collections.abc import Callable

from metademo.ui.components.kernel import assets


def copy_link(page: str, shows: str = "", query: str | None = None) -> None:
    """Draw it.

    Args:
        page: whose components tell the browser what is shown, see `PageState.conversation`.
        shows: what the link shows, in a few words, where no such component tells it.
        query: of a link to something else than the page as it is; the link is then shown, too.
    """
    data = {"assets": assets.urls("link/link.js"), "page": page, "shows": shows, "query": query}
    _mount()(key=f"{page} link" + " of its own" * (query is not None), data=data)


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("link", 81)
