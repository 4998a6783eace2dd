"""A component without a face: the symbols of formulas that go with a figure light what they stand
for, and are lit by it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from metademo.ui.components.kernel import assets
from metademo.ui.scenes.symbols import Symbol, colour_of


def light_symbols(key: str, symbols: Sequence[Symbol], number: int, *, page: str) -> None:
    """Have the symbols of a text light what they stand for.

    Args:
        key: stable.
        number: of the text, see `scenes/symbols.py`.
        page: whose components show what they stand for.
    """
    data = {
        "assets": assets.urls("symbols/symbols.js"),
        "page": page,
        "symbols": [
            {"color": colour_of(number, place), "name": symbol.name, "label": symbol.label}
            for place, symbol in enumerate(symbols, 1)
        ],
    }
    _mount()(key=key, data=data)


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("symbols", 0)
