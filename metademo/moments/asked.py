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


@dataclass(frozen=True)
class Asked:
    """Learners that were asked which sign the question is.

    Attributes:
        signs: what a network sees of each sign's drawings, (examples, 196), sign by sign.
        question: what it sees of the question, (196,).
        ways: the signs that it chooses among: those that are drawn.
        shares: by the name of a learner the probability of each of them after 0, 1, .. S steps,
            (S + 1, ways), or (1, ways) of one that takes no gradient steps; empty where there is
            nothing to ask.
    """

    signs: tuple[Array, ...]
    question: Array
    ways: tuple[int, ...]
    shares: Mapping[str, Array]

    @property
    def steps(self) -> int:
        """The most steps that one of them takes."""
        return max((len(rows) for rows in self.shares.values()), default=1) - 1

    def at(self, name: str, step: int) -> Array:
        """The probabilities after a step; a learner of fewer steps stays where it ends, (ways,)."""
        rows = self.shares[name]
        return rows[min(step, len(rows) - 1)]


def ask(view: DrawView, chosen: Sequence[Candidate]) -> Asked:
    """Have each learner adapt to the signs that are drawn, and ask it about the question."""
    signs = tuple(np.stack([seen(one) for one in examples]) for examples in view.examples)
    question = seen(view.question, view.turn, view.thickness, view.size)
    ways = view.drawn
    if not view.question or len(ways) < 2:
        return Asked(signs, question, ways, {})
    drawn_ones = [
        (image, label)
        for label, sign in enumerate(ways)
        for image, text in zip(signs[sign], view.examples[sign], strict=True)
        if text
    ]
    x, y = (np.stack(column)[None] for column in zip(*drawn_ones, strict=True))
    shares = {one.name: _shares(one.model, Examples(x, y), question) for one in chosen}
    return Asked(signs, question, ways, shares)


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
