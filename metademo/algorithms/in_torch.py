"""Learners in plain PyTorch, as text: what the scripts are made of that visitors take home.

In such a script one dictionary, `theta`, holds all meta-parameters, by the names that they have in
the file of the weights. What the rest of a script calls are these functions, and whatever they are
made of. They take one task, or many whose axis leads, as ours do (of images one task alone):

    run(theta, x, y, query_x, steps)
                    what is predicted at query_x after 0, 1, .. steps on the support set (x, y)
    draw(rng)       theta before any training
    meta_gradient(theta, x, y, query_x, query_y, progress)
                    what the outer loop descends, and the mean query loss

A learner says them itself, see `Learner.in_torch`: those that take gradient steps by way of
`gradient_steps_in_torch`, those that condition on points by way of `conditioned_in_torch`, and
those that compare with examples by way of `comparing_in_torch`. Its words must not fall behind what
it does: where a subclass changes a method and not the text about it, `tells_of` sees that, and
there is no script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Passage(NamedTuple):
    """Some lines of a script, and the paragraph (Markdown) that a notebook has before them."""

    words: str
    code: str


@dataclass(frozen=True)
class InTorch:
    """A learner's functions in plain PyTorch.

    Attributes:
        settings: numbers that the code mentions, by name.
        std: whether `run` gives the standard deviation of each number, too.
        double: whether it computes in double precision.
    """

    passages: tuple[Passage, ...]
    settings: Mapping[str, float] = field(default_factory=dict)
    std: bool = False
    double: bool = False


def tells_of(described: object, text: str, *methods: str) -> bool:
    """Whether the class that wrote `text` knew these methods as they are.

    Args:
        described: an object of the class.
        text: the name of the attribute that gives the text.
        methods: what it tells of: none of them may have been changed further down.
    """
    order = type(described).__mro__
    depth = {
        name: next((i for i, owner in enumerate(order) if name in vars(owner)), len(order))
        for name in (text, *methods)
    }
    return depth[text] < len(order) and all(depth[text] <= depth[name] for name in methods)
