"""The contrast: one network trained ordinarily on all tasks at once, then fine-tuned.

This is transfer learning, with which meta-learning is to be compared: the outer loop minimises the
error *before* any adaptation, so nothing prepares the weights for the gradient steps that follow.
"""

from __future__ import annotations

from torch import Tensor

from metademo.algorithms.base import Algorithm, Meta, part
from metademo.fused import Problem
from metademo.tasks import Episode


class Pretrained(Algorithm):
    """Joint training; the inner loop only runs afterwards, as fine-tuning."""

    name = "pretrained"
    title = "Trained the ordinary way"
    summary = "learns all tasks at once, without adapting; the inner loop only fine-tunes it"

    def outer_problem(self) -> Problem | None:
        return self.problem(steps=0)

    def outer_loss(self, meta: Meta, episode: Episode) -> Tensor:
        """Query loss of each task at the *initialisation*: no inner loop."""
        query = self._tensors(meta, episode.query)
        theta = part(meta, "regressor")
        return self.task_loss(theta, query)
