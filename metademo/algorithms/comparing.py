"""Learners that compare with the examples of a support set, and adapt nothing.

A :class:`Comparing` learner says how near an input is to each class (``logits``). Its one step is
to look at the support set: before it all classes are alike, and a second look shows nothing more.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from metademo.algorithms import comparing_in_torch as as_text
from metademo.algorithms.in_torch import InTorch
from metademo.algorithms.learner import Learner, Meta, Predictions, Weights, checked_steps
from metademo.tasks import Array, Episode, Examples


@dataclass(frozen=True)
class Comparing(Learner):
    """What they have in common.

    Attributes:
        loss: one of the kind's losses.
    """

    a_step = "look"
    loss: str = "cross-entropy"

    @property
    def trained_steps(self) -> int:
        return 1

    @abstractmethod
    def tensors(self, meta: Meta, array: Array | Tensor) -> Tensor:
        """Inputs and labels as what it computes with."""

    @abstractmethod
    def logits(self, meta: Meta, support: Examples[Tensor], x: Tensor) -> Tensor:
        """How near each class is to `x`: (tasks, points, classes).

        Args:
            meta: meta-parameters.
            support: x (tasks, points, *features) and y (tasks, points).
            x: (points, *features) for all tasks, or (tasks, points, *features).
        """

    def outer_loss(
        self, meta: Meta, episode: Episode[Array | Tensor], weights: Weights | None = None
    ) -> Tensor:
        support, query = episode.map(lambda array: self.tensors(meta, array))
        return self._loss(self.logits(meta, support, query.x), query)

    @torch.no_grad()
    def run(
        self,
        meta: Meta,
        support: Examples[Array],
        x: Array,
        *,
        steps: int | None = None,
        inner_lr: float | None = None,
    ) -> Predictions:
        """See `Learner.run`: the first look is all there is, and more of them stay there."""
        self.check_support(support)
        steps = checked_steps(self.trained_steps if steps is None else steps)
        examples = support.map(lambda array: self.tensors(meta, array))
        seen = [self.logits(meta, examples, at) for at in (self.tensors(meta, x), examples.x)]
        found, fit = (torch.stack([torch.zeros_like(z)] + [z] * steps) for z in seen)
        losses = torch.stack([self._loss(logits, examples) for logits in fit])
        return Predictions(found.numpy(), losses.numpy())

    # ------------------------------------------------------------------ for scripts, see `in_torch`

    def in_torch(self, inner_lr: float | None = None) -> InTorch | None:
        return as_text.adapting(self)

    @property
    def logits_in_torch(self) -> InTorch | None:
        """`logits(theta, x, y, query_x)` of one task, and what it needs; None if it is not told."""
        return None

    def _loss(self, logits: Tensor, examples: Examples[Tensor]) -> Tensor:
        return self.kind.losses[self.loss](logits, examples.labels)
