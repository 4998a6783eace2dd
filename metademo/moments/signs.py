"""What is drawn on the Draw page: signs as strokes, as text, and the view that holds them.

A *drawing* is some strokes on a square of whole numbers from 0 to 99, x to the right, y downwards.
As text it fits into an address: four digits for each point, two of x and two of y, and a full stop
between two strokes. A *sign* is a class: up to three drawings of the same, with `_` between them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Strict

from metademo.described import OneOf
from metademo.moments.mended import Clamped, Names, PageView, sequence
from metademo.moments.outside_of_signs import CHANGES
from metademo.moments.ready_made import READY_MADE

SIDE = 99
"""The greatest coordinate of a drawing."""
MOST_STROKES, MOST_LETTERS = 16, 480
"""Of a drawing: its strokes, and the characters of its text, which bound its points."""
LEAST_SIGNS, MOST_SIGNS, MOST_EXAMPLES = 2, 5, 3
BETWEEN_STROKES, BETWEEN_EXAMPLES = ".", "_"
ORDINALS = ("first", "second", "third", "fourth", "fifth")
"""What signs are called: the page has no names for them."""
QUESTION = -1
"""In place of the number of a sign: the drawing that is asked about."""

Stroke = tuple[tuple[int, int], ...]
_DRAWING = re.compile(r"(?:[0-9]{4})+(?:\.(?:[0-9]{4})+)*")


def strokes_of(text: str) -> tuple[Stroke, ...]:
    """The strokes of a drawing; none of an empty one.

    Raises:
        ValueError: if the text is no drawing, or too long a one.
    """
    return tuple(
        tuple(
            (int(stroke[k : k + 2]), int(stroke[k + 2 : k + 4])) for k in range(0, len(stroke), 4)
        )
        for stroke in _checked(text).split(BETWEEN_STROKES)
        if stroke
    )


def _checked(text: Any) -> str:
    """A drawing as text.

    Raises:
        ValueError: if it is none, or too long a one.
    """
    if not isinstance(text, str) or len(text) > MOST_LETTERS:
        raise ValueError
    if text and (not _DRAWING.fullmatch(text) or text.count(BETWEEN_STROKES) >= MOST_STROKES):
        raise ValueError
    return text


def _checked_signs(values: Any) -> tuple[str, ...]:
    """As many signs as the page takes.

    Raises:
        ValueError: if one of them is none, or there are too few of them.
    """
    signs = tuple(sequence(values))[:MOST_SIGNS]
    if len(signs) < LEAST_SIGNS:
        raise ValueError
    return tuple(_checked_sign(sign) for sign in signs)


def _checked_sign(sign: Any) -> str:
    if not isinstance(sign, str):
        raise ValueError
    examples = sign.split(BETWEEN_EXAMPLES)
    return BETWEEN_EXAMPLES.join(_checked(one) for one in examples[:MOST_EXAMPLES])


Drawing = Annotated[str, AfterValidator(_checked)]
Signs = Annotated[tuple[str, ...], Strict(False), BeforeValidator(_checked_signs)]
_READY_MADE = frozenset(text for two in READY_MADE.values() for text in two)
FIRST = ("spiral", "star", "fish")
"""The signs that the page begins with; the question is another drawing of the last."""


class Place(NamedTuple):
    """One drawing of the page: which example of which sign, from 0, or the question."""

    sign: int
    example: int = 0


class DrawView(PageView):
    """The Draw page.

    Attributes:
        signs: see `Place`; each as text.
        question: the drawing that is asked about.
        chosen: names of the learners that are asked.
        turn, thickness, size: what is done to the question: turned by so many degrees, drawn with
            strokes of so many pixels, and in a box of so many times the usual size.
        ways, shots: of the held-out tasks that the learners are measured on.
        along: which of the three is moved out of the trained range.
    """

    signs: Signs = tuple(READY_MADE[name][0] for name in FIRST)
    question: Drawing = READY_MADE[FIRST[-1]][1]
    chosen: Names = ("anil", "protonet")
    turn: Annotated[float, Clamped(*CHANGES["turn"].limits)] = CHANGES["turn"].usual
    thickness: Annotated[float, Clamped(*CHANGES["thickness"].limits)] = CHANGES["thickness"].usual
    size: Annotated[float, Clamped(*CHANGES["size"].limits)] = CHANGES["size"].usual
    ways: Annotated[int, Clamped(LEAST_SIGNS, MOST_SIGNS)] = 3
    shots: Annotated[int, Clamped(1, 5)] = 1
    along: Annotated[str, OneOf(CHANGES)] = "turn"

    def shareable(self, own: Collection[str]) -> Self:
        return self.changed(chosen=tuple(name for name in self.chosen if name not in own))

    @property
    def in_words(self) -> str:
        return f"{len(self.signs)} signs" + " and a drawing of one" * bool(self.question)

    @property
    def outside(self) -> dict[str, str]:
        """What of the question is outside of what was trained on, by name, in words."""
        return {
            name: change.in_words(value)
            for name, change in CHANGES.items()
            if not change.contains(value := getattr(self, name))
        }

    @property
    def examples(self) -> tuple[tuple[str, ...], ...]:
        """The drawings of each sign; each has one at least, which may be empty."""
        return tuple(tuple(sign.split(BETWEEN_EXAMPLES)) for sign in self.signs)

    @property
    def drawn(self) -> tuple[int, ...]:
        """The signs of which there is a drawing: those that a learner can choose among."""
        return tuple(i for i, examples in enumerate(self.examples) if any(examples))

    # ------------------------------------------------------------------------ what a hand does

    def holds(self, place: Place) -> bool:
        """Whether there is such a drawing."""
        if place.sign == QUESTION:
            return place.example == 0
        there = self.examples
        return 0 <= place.sign < len(there) and 0 <= place.example < len(there[place.sign])

    def at(self, place: Place) -> str:
        """The drawing of a place that there is."""
        return self.question if place.sign == QUESTION else self.examples[place.sign][place.example]

    def redrawn(self, place: Place, text: str) -> Self:
        """The view with another drawing in a place; nothing changes if it can't be one."""
        try:
            _checked(text)
        except ValueError:
            return self
        if not self.holds(place):
            return self
        if place.sign == QUESTION:
            return self.changed(question=text)
        examples = [list(sign) for sign in self.examples]
        examples[place.sign][place.example] = text
        return self._with_examples(examples)

    def stroked(self, place: Place, stroke: str) -> Self:
        """The view with one more stroke; nothing changes if there is no room for it.

        A ready-made drawing gives way to it, as whoever draws means something else.
        """
        if not self.holds(place) or not stroke or BETWEEN_STROKES in stroke:
            return self
        before = "" if self.at(place) in _READY_MADE else self.at(place)
        return self.redrawn(place, f"{before}{BETWEEN_STROKES}{stroke}" if before else stroke)

    def with_room(self, sign: int) -> Self:
        """The view with one more example of a sign, or with one more sign, to be drawn."""
        examples = [list(one) for one in self.examples]
        if sign == len(examples) < MOST_SIGNS:
            examples.append([""])
        elif 0 <= sign < len(examples) and len(examples[sign]) < MOST_EXAMPLES:
            examples[sign].append("")
        return self._with_examples(examples)

    def without(self, place: Place) -> Self:
        """The view without an example; without the whole sign, if it was the only one."""
        examples = [list(sign) for sign in self.examples]
        if not self.holds(place) or place.sign == QUESTION:
            return self
        if len(examples[place.sign]) > 1:
            del examples[place.sign][place.example]
        elif len(examples) > LEAST_SIGNS:
            del examples[place.sign]
        return self._with_examples(examples)

    def _with_examples(self, examples: list[list[str]]) -> Self:
        return self.changed(signs=tuple(BETWEEN_EXAMPLES.join(sign) for sign in examples))
