"""Two buttons that keep a page's chart as a picture: PNG and SVG, drawn in the browser."""

from __future__ import annotations

import functools
from collections.abc import Callable

from metademo.ui.components.kernel import assets


def picture(page: str, *, title: str, citation: str, file: str) -> None:
    """Draw them.

    Args:
        page: whose chart it is.
        title: above the picture.
        citation: below it, over the link to the page as it is.
        file: the name of the file, without its ending.
    """
    data = {"page": page, "title": title, "citation": citation, "file": file}
    _mount()(key=f"{page} picture", data=data | {"assets": assets.urls("picture/picture.js")})


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("picture", 33)
