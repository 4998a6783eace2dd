"""What learners that compare with examples do, as text; see `in_torch`.

What is a learner's own, how near an input is to each class, it says itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metademo.algorithms.in_torch import InTorch, Passage, tells_of

if TYPE_CHECKING:
    from metademo.algorithms.comparing import Comparing


def adapting(learner: Comparing) -> InTorch | None:
    """`run`, by way of `logits`; None where it is not told."""
    told = learner.logits_in_torch
    if not tells_of(learner, "in_torch", "run") or told is None:
        return None
    words = "## A look at the examples\n\nNo weight changes: before the look all classes are alike."
    return replace(told, passages=(*told.passages, Passage(words, _run(learner.kind.predicts))))


def _run(predicts: str) -> str:
    return f'''\
def run(theta, x, y, query_x, steps):
    """{predicts} at query_x after 0, 1, .. looks, of which the first shows all."""
    with torch.no_grad():
        found = logits(theta, x, y, query_x)
    return torch.stack([torch.zeros_like(found)] + steps * [found])
'''
