"""The symbols of the page How it works that go with its figures. No Streamlit here.

KaTeX draws formulas as it likes, but keeps the colours that it is told: so a symbol that the
browser is to find again is written in a colour of its own (`linked`). There it gets another one
that suits the theme, see `components/symbols/symbols.js`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from metademo.moments.views import MamlView
from metademo.ui.scenes.how_scene import LEARNED_LOSS, SOURCE, SUPPORT_LOSS

BEFORE, AFTER = "before any step", "after {steps}"
"""The network's curves, as the legends of charts have them."""
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
        return rf"{{\textcolor{{{colour_of(number, place)}}}{{{found[0]}}}}}"

    return re.sub(pattern, marked, text)


def colour_of(number: int, place: int) -> str:
    """Of a symbol: one that no other has."""
    return f"#{GREY:02x}{GREY + number:02x}{GREY + place:02x}"


def inner_symbols(view: MamlView) -> tuple[Symbol, ...]:
    """Of the inner loop; the points are called as in the chart."""
    return (
        Symbol(r"\theta_0", BEFORE, "θ₀: the network before any step"),
        Symbol("(x_i, y_i)", view.points_label, "The points of the support set"),
        Symbol(r"L_{\text{support}}", SUPPORT_LOSS, "The support loss"),
        Symbol(r"\theta_{k+1}", AFTER, "θ after k + 1 steps: the network that has adapted"),
        Symbol(r"\theta_k", AFTER, "θ after k steps: the network that has adapted"),
    )


OUTER_SYMBOLS = (
    Symbol(r"L_{\text{query}}", "query", "The query loss, at the query points"),
    Symbol(r"\theta_S", "theta", "θ after S steps: where the inner loops end"),
    Symbol(r"\theta_0", "theta0", "θ₀: where all inner loops begin"),
    Symbol("g", "g", "g: MAML’s gradient", letter=True),
    Symbol(r"\lambda_S", "lambdaS", "λ at the end of the inner loop"),
    Symbol(r"\lambda_{k+1}", "lambda", "λ after step k"),
    Symbol(r"\lambda_k", "lambda", "λ before step k"),
    Symbol(r"\lambda_0", "lambda0", "λ at the start: a task’s gradient"),
)
DAML_SYMBOLS = (
    Symbol("x_s", SOURCE, "The source input"),
    Symbol(r"L_{\text{adapt}}", LEARNED_LOSS, "The learned loss"),
    Symbol(r"g_\psi", LEARNED_LOSS, "The network that is the learned loss"),
    Symbol(r"\theta_{k+1}", AFTER, "θ after k + 1 steps: the network that has adapted"),
    Symbol(r"\theta_k", AFTER, "θ after k steps: the network that has adapted"),
    Symbol(r"\theta_0", BEFORE, "θ₀: the network before any step"),
)
