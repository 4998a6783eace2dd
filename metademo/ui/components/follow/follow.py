"""A component without a face: it tells when the hand at the chart of a page has come to rest."""

from __future__ import annotations

import functools
from collections.abc import Callable

from metademo.ui.components.kernel import assets


def follow(page: str, on_rest: Callable[[], None]) -> None:
    """Have `on_rest` called when the hand at the chart of this page has come to rest."""
    _mount()(
        key=f"{page} follower",
        data={"assets": assets.urls("follow/follow.js"), "page": page},
        on_heard_change=on_rest,
    )


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("follow", 0)
