"""Pictures of what goes on inside of a network while it adapts; they follow a chart's scrubber."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.insights import Insight

FIRST_PAINT_HEIGHT = 480


def insights(key: str, shown: Sequence[Insight], *, steps: int, page: str) -> None:
    """Draw them, one below the other.

    Args:
        key: stable.
        steps: the last step that they have something for, S.
        page: the page whose chart has the scrubber.
    """
    data = {
        "assets": assets.urls("inside/inside.js"),
        "insights": [one.encoded() for one in shown],
        "steps": steps,
        "page": page,
    }
    _mount()(key=key, data=data)


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("inside", FIRST_PAINT_HEIGHT)
