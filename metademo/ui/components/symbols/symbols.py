"""The symbols of formulas that go with a figure: each lights what it stands for, and is lit by it.

A component without a face. KaTeX draws formulas as it likes, but keeps the colours that it is told:
so a symbol that is to be found again is written in a colour of its own (`linked`), and the browser
gives it another one that suits the theme.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metademo.ui.components.kernel import assets

GREY = 0x74
"""What the colours are near: to be read on either ground, should the browser not get to them."""


@dataclass(frozen=True)
class Symbol:
    """A symbol of a text.

    Attributes:
        tex: as it stands in the formulas.
        name: what it brings forward on its page, see `kernel/shared.js`.
        label: what it stands for, for a screen reader.
        letter: whether it is a single letter, which is a symbol only where it stands alone.
    """

    tex: str
    name: str
    label: str
    letter: bool = False

    @property
    def pattern(self) -> str:
        tex = re.escape(self.tex)
        return rf"\b{tex}\b(?!_)" if self.letter else rf"{tex}(?![a-zA-Z])"


def linked(text: str, symbols: Sequence[Symbol], number: int) -> str:
    """The text with its symbols to be found again.

    Args:
        number: of the text; no other one on the page has it.
    """
    pattern = "|".join(f"({symbol.pattern})" for symbol in symbols)

    def marked(found: re.Match[str]) -> str:
        place = found.lastindex or 1
        return rf"{{\textcolor{{{_colour(number, place)}}}{{{found[0]}}}}}"

    return re.sub(pattern, marked, text)


def _colour(number: int, place: int) -> str:
    """Of a symbol: one that no other has."""
    return f"#{GREY:02x}{GREY + number:02x}{GREY + place:02x}"


def light_symbols(key: str, symbols: Sequence[Symbol], number: int, *, page: str) -> None:
    """Have the symbols of a text light what they stand for.

    Args:
        key: stable.
        number: of the text, see `linked`.
        page: whose components show what they stand for.
    """
    data = {
        "assets": assets.urls("symbols/symbols.js"),
        "page": page,
        "symbols": [
            {"color": _colour(number, place), "name": symbol.name, "label": symbol.label}
            for place, symbol in enumerate(symbols, 1)
        ],
    }
    _mount()(key=key, data=data)


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("symbols", 0)
