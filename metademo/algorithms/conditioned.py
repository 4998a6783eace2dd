"""Learners that condition on labelled points: no inner loop, no weight that changes.

A :class:`Conditioned` learner is a function of the points it has seen. A subclass says what it
predicts from those that a mask lets through (``predict``), and whether it knows how sure it is. Its
steps are points: after t of them it has seen the first t. All of these stages are one call, with a
mask for each.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms import conditioned_in_torch as as_text
from metademo.algorithms.in_torch import InTorch
from metademo.algorithms.learner import (
    MAX_INNER_STEPS,
    Learner,
    Meta,
    Predictions,
    Weights,
    checked_steps,
    tensor_like,
)
from metademo.tasks import CURVES, Array, Episode, Examples, TaskFamily

PI = float(np.pi)


@dataclass(frozen=True)
class Conditioned(Learner):
    """A learner of curves that reads its support set, with the settings that shape its network.

    Attributes:
        hidden: how wide the network is.
        loss: one of the kind's losses: what its losses on the support set are told in, and the
            query loss of those that know no standard deviation. The others lower the negative
            log-likelihood of the query labels.
        fewest_shots: how many points of a task training shows at least; each number from there to
            all is as likely. None for always all.
    """

    way = "condition"
    a_step = "point"
    hidden: int = 32
    loss: str = "l1"
    fewest_shots: int | None = None

    @classmethod
    def unsuited(cls, family: TaskFamily) -> str:
        return "" if family.kind is CURVES else f"{cls.name} predicts numbers from numbers alone"

    @property
    def gradients_per_task(self) -> int:
        return 1

    def cost(self, steps: int) -> str:
        return "one forward pass"

    @abstractmethod
    def predict(
        self, meta: Meta, support: Examples[Tensor], seen: Tensor, x: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """What it predicts at `x` from the points that it has seen.

        Args:
            meta: meta-parameters.
            support: x and y, (tasks, points).
            seen: 1 for each point that counts, 0 for the others, (*stages, tasks, points).
            x: (places,) for all tasks, or (tasks, places).

        Returns:
            The mean, (*stages, tasks, places), and the standard deviation of the true curve about
            it, of the same shape, or None if it knows none.
        """

    def outer_loss(
        self, meta: Meta, episode: Episode[Array | Tensor], weights: Weights | None = None
    ) -> Tensor:
        """See `Learner.outer_loss`; there are no weights along the stages."""
        support, query = episode.map(tensor_like(meta))
        mean, std = self.predict(meta, support, self._shown(support, query), query.x)
        if std is None:
            return self.kind.losses[self.loss](mean, query.labels)
        return -torch.distributions.Normal(mean, std).log_prob(query.labels).mean(-1)

    @torch.inference_mode()
    def run(
        self,
        meta: Meta,
        support: Examples[Array],
        x: Array,
        *,
        steps: int | None = None,
        inner_lr: float | None = None,
    ) -> Predictions:
        """See `Learner.run`: after t steps it has seen the first t points, or all there are.

        The losses are on the whole support set, whatever it has seen of it.
        """
        self.check_support(support)
        points = np.shape(support.x)[1]
        steps = checked_steps(min(points, MAX_INNER_STEPS) if steps is None else steps)
        tensor = tensor_like(meta)
        examples, stages = support.map(tensor), min(steps, points) + 1
        first = torch.arange(points) < torch.arange(stages)[:, None, None]
        seen = tensor(first).expand(stages, *examples.x.shape)
        mean, std = self.predict(meta, examples, seen, tensor(x))
        fit, _ = self.predict(meta, examples, seen, examples.x)
        losses = self.kind.losses[self.loss](fit, examples.labels)

        def along(values: Tensor) -> Array:  # more steps than points stay where the last one led
            return values.cpu().numpy()[np.minimum(np.arange(steps + 1), points)]

        return Predictions(along(mean), along(losses), None if std is None else along(std))

    @torch.inference_mode()
    def read(self, meta: Meta, support: Examples[Array], x: Array) -> tuple[Array, Array | None]:
        """What it predicts at `x` once it has seen all points: the last stage of `run` alone.

        Returns:
            The mean and, if it knows one, the standard deviation, (tasks, places).
        """
        self.check_support(support)
        tensor = tensor_like(meta)
        examples = support.map(tensor)
        mean, std = self.predict(meta, examples, torch.ones_like(examples.x), tensor(x))
        return mean.cpu().numpy(), None if std is None else std.cpu().numpy()

    def _shown(self, support: Examples[Tensor], query: Examples[Tensor]) -> Tensor:
        """What training shows of each support set: 1 for its first points, (tasks, points).

        How many is for the episode to say, so that the seed alone decides: the digits far behind
        the point of an input that was drawn are as good as a number drawn for it.
        """
        points = support.x.shape[1]
        if self.fewest_shots is None:
            return torch.ones_like(support.x)
        fewest = min(self.fewest_shots, points)
        uniform = (1009 * query.x[:, :1]).frac().abs()
        count = fewest + torch.floor(uniform * (points + 1 - fewest))
        return (torch.arange(points).to(count) < count).to(support.x)

    # ------------------------------------------------------------------ for scripts, see `in_torch`

    def in_torch(self, inner_lr: float | None = None) -> InTorch | None:
        return as_text.adapting(self)

    def training_in_torch(self) -> InTorch | None:
        return as_text.meta_training(self)

    @property
    def predict_in_torch(self) -> InTorch | None:
        """`predict(theta, x, y, seen, query_x)`, and what it needs; None if it is not told.

        It gives the mean, or mean and standard deviation. `seen` is as for the method, and may be
        (points,) for all tasks.
        """
        return None


def uniform_weight(rng: np.random.Generator, shape: tuple[int, ...]) -> Tensor:
    """A fresh weight (outputs, inputs) from U(+-1/sqrt(inputs)), float32."""
    bound = 1 / np.sqrt(shape[-1])
    return torch.from_numpy(rng.uniform(-bound, bound, shape).astype(np.float32))
