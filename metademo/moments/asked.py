"""What learners make of drawn signs: how sure each of them is which of these the question is."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metademo.algorithms import GradientBased
from metademo.evaluation import run_learner
from metademo.models import Model
from metademo.moments.candidates import Candidate
from metademo.moments.signs import DrawView, strokes_of
from metademo.tasks import Array, Examples, probabilities
from metademo.tasks.strokes import THICKNESS, as_image

ALIKE = 1e-3
"""Where shares differ by less, a learner can't tell."""


@dataclass(frozen=True)
class Asked:
    """Learners that were asked which sign the question is.

    Attributes:
        signs: what a network sees of each sign's drawings, (examples, 196), sign by sign.
        question: what it sees of the question, (196,).
        ways: the signs that it chooses among: those that are drawn.
        support: what there is to learn from: x (1, examples, 196), and y (1, examples), which
            counts the `ways`.
        chosen: the learners.
        missing: what is to be done before there can be an answer, or "".
        shares: by the name of a learner the probability of each of them after 0, 1, .. S steps,
            (S + 1, ways), or (1, ways) of one that takes no gradient steps; empty where there is
            nothing to ask.
    """

    signs: tuple[Array, ...]
    question: Array
    ways: tuple[int, ...]
    support: Examples[Array]
    chosen: Sequence[Candidate]
    missing: str
    shares: Mapping[str, Array]

    @property
    def steps(self) -> int:
        """The most steps that one of them takes."""
        return max((len(rows) for rows in self.shares.values()), default=1) - 1

    def at(self, name: str, step: int) -> Array:
        """The probabilities after a step; a learner of fewer steps stays where it ends, (ways,)."""
        rows = self.shares[name]
        return rows[min(step, len(rows) - 1)]

    def pick(self, name: str, step: int) -> int | None:
        """The sign that is likeliest to a learner after a step; None if it can't tell."""
        shares = self.at(name, step)
        return self.ways[int(shares.argmax())] if np.ptp(shares) >= ALIKE else None


def ask(view: DrawView, chosen: Sequence[Candidate]) -> Asked:
    """Have each learner adapt to the signs that are drawn, and ask it about the question."""
    signs = tuple(np.stack([seen(one) for one in examples]) for examples in view.examples)
    question = seen(view.question, view.turn, view.thickness, view.size)
    support, missing = _support(view, signs), _missing(view, chosen)
    asked = () if missing else chosen
    shares = {one.name: _shares(one.model, support, question) for one in asked}
    return Asked(signs, question, view.drawn, support, chosen, missing, shares)


def _missing(view: DrawView, chosen: Sequence[Candidate]) -> str:
    if len(view.drawn) < 2:
        return "Draw one example of two signs at least, so that there is something to choose."
    if not view.question:
        return "Now draw one of the signs, in a way of your own."
    return "" if chosen else "Choose at least one way of learning."


def _support(view: DrawView, signs: Sequence[Array]) -> Examples[Array]:
    """What is drawn of each sign; `signs` is what a network sees of that and of empty drawings."""
    there = [[bool(text) for text in view.examples[sign]] for sign in view.drawn]
    images = [signs[sign][drawn] for sign, drawn in zip(view.drawn, there, strict=True)]
    x = np.concatenate([signs[0][:0], *images])
    y = np.repeat(np.arange(len(there)), [sum(drawn) for drawn in there])
    return Examples(x[None], y[None])


def _shares(model: Model, support: Examples[Array], question: Array) -> Array:
    outputs = run_learner(model.learner, model.meta, support, question[None]).outputs[:, 0, 0]
    # Whoever takes no gradient steps has read all of the examples at its end, and that counts.
    return probabilities(outputs if isinstance(model.learner, GradientBased) else outputs[-1:])


@functools.lru_cache(maxsize=1024)
def seen(text: str, turn: float = 0, thickness: float = THICKNESS, size: float = 1.0) -> Array:
    """What a network sees of a drawing, (196,).

    Args:
        text: see `signs`.
        turn, thickness, size: what is done to it before, see `DrawView`.
    """
    strokes = turned([np.array(stroke, float) for stroke in strokes_of(text)], turn)
    return as_image(strokes, thickness=thickness, size=size)


def turned(strokes: Sequence[Array], degrees: float) -> list[Array]:
    """Strokes turned clockwise about the origin: what boxes them does not mind where that is."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return [stroke @ turn for stroke in strokes] if degrees else list(strokes)
