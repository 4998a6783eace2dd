"""One inner loop as a walk: the weights after each step as points of one space.

All of a network's weights together are one vector, in the order of `Network.shapes`. Everything is
in double precision, so that differences of weights and angles between gradients mean something.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from metademo.algorithms import GradientBased, Meta
from metademo.algorithms.learner import part
from metademo.models import Model
from metademo.network import Params
from metademo.tasks import Array, Examples


@dataclass(frozen=True)
class Walk:
    """A learner's inner loop on one task, and the task's truth.

    Attributes:
        learner, meta: what takes the steps, in double precision.
        support: what it sees, a batch of one task.
        truth: what it is to become, a batch of one task: x and y of shape (1, points).
        metric: the true loss, one of the losses of the kind of task.
        weights: after 0, 1, .. S steps, (S + 1, weights).
    """

    learner: GradientBased
    meta: Meta
    support: Examples[Tensor]
    truth: Examples[Tensor]
    metric: str
    weights: Tensor

    @classmethod
    def of(
        cls,
        model: Model,
        support: Examples[Array],
        x: Array,
        y: Array,
        *,
        metric: str = "l1",
        steps: int | None = None,
        inner_lr: float | None = None,
    ) -> Walk:
        """Take the steps.

        Args:
            support: a batch of one task, see `Learner.run`.
            x, y: the truth, (points,) each.
            metric: the true loss, one of the losses of the kind of task.
            steps, inner_lr: see `Learner.run`.

        Raises:
            ValueError: for a learner that takes no gradient steps; see also `Learner.run`.
        """
        learner = model.learner
        if not isinstance(learner, GradientBased):
            raise ValueError(f"{learner.name} takes no gradient steps")
        meta = {name: value.double() for name, value in model.meta.items()}
        found = learner.adapt(meta, support, steps=steps, inner_lr=inner_lr)
        if inner_lr is not None:
            learner, meta = learner.with_inner_lr(meta, float(inner_lr))
        return cls(
            learner,
            meta,
            support.map(_double),
            Examples(_double(x)[None], _double(y)[None]),
            metric,
            torch.stack([flattened(params)[0] for params in found.trajectory]),
        )

    @property
    def steps(self) -> int:
        return len(self.weights) - 1

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name and shape of each of the network's parameters, in the order of the vector."""
        return self.learner.network.shapes

    def params(self, weights: Tensor) -> Params:
        """Vectors (*batch, weights) as parameters that the network takes."""
        sizes = [torch.Size(shape).numel() for shape in self.shapes.values()]
        parts = weights.split(sizes, dim=-1)
        return {
            name: values.reshape(*weights.shape[:-1], *shape)
            for (name, shape), values in zip(self.shapes.items(), parts, strict=True)
        }

    def predict(self, weights: Tensor, x: Tensor) -> Tensor:
        """What networks with weights (networks, weights) put out at x, (points,).

        Returns:
            (networks, points).
        """
        return self.learner.network.predict(self.params(weights), x[None])

    def inner_loss(self, weights: Tensor, step: int = 0) -> Tensor:
        """What the inner loop descends at a step, of networks (networks, weights): (networks,)."""
        return self.learner.inner_loss(self.meta, self.params(weights), self.support, step)

    def true_loss(self, weights: Tensor) -> Tensor:
        """The error against the truth of networks (networks, weights): (networks,)."""
        return self.learner.task_loss(self.params(weights), self.truth, self.metric)

    def step_sizes(self, step: int) -> Tensor:
        """How far a step goes for each weight, 0 where it moves none: (weights,)."""
        sizes = self.learner.step_sizes(self.meta, step)
        return torch.cat(
            [
                torch.as_tensor(sizes.get(name, 0.0), dtype=torch.float64).expand(shape).reshape(-1)
                for name, shape in self.shapes.items()
            ]
        )

    @property
    def moving(self) -> Tensor:
        """1 for each weight that the inner loop moves, 0 for the others: (weights,)."""
        names = self.learner.moving
        return torch.cat(
            [
                torch.full((torch.Size(shape).numel(),), float(name in names)).double()
                for name, shape in self.shapes.items()
            ]
        )

    @property
    def ran_away(self) -> bool:
        """Whether some of its weights are no finite numbers: then there is no ground to show."""
        return not bool(self.weights.isfinite().all())

    def towards(self, y: Array) -> Walk:
        """The same walk against another truth, (points,)."""
        return replace(self, truth=Examples(self.truth.x, _double(y)[None]))

    def single(self) -> Walk:
        """The same walk in single precision, twice as fast, for maps of many networks."""
        return replace(
            self,
            meta={name: value.float() for name, value in self.meta.items()},
            support=self.support.map(Tensor.float),
            truth=self.truth.map(Tensor.float),
            weights=self.weights.float(),
        )

    def every(self, n: int) -> Walk:
        """The same walk against every so-many-th point of the truth, for a quicker look."""
        x, y = self.truth.x, self.truth.labels
        return replace(self, truth=Examples(x[:, ::n], y[:, ::n]))

    @functools.cached_property
    def inner_losses(self) -> Tensor:
        """What each step descends, and at the end what the last one saw: (S + 1,)."""
        last = max(0, self.steps - 1)
        at = [self.inner_loss(w[None], min(k, last)) for k, w in enumerate(self.weights)]
        return torch.cat(at).detach()

    @functools.cached_property
    def true_losses(self) -> Tensor:
        """The error against the truth after each step, (S + 1,)."""
        return self.true_loss(self.weights).detach()

    @property
    def curves(self) -> Array:
        """What the network puts out after each step where the truth is known: (S + 1, points)."""
        return self.predict(self.weights, self.truth.x[0]).detach().numpy()


def start_of(model: Model) -> Tensor:
    """A model's theta_0 as a vector, (weights,)."""
    return flattened(part(model.meta, model.learner.kind.role))


def flattened(params: Params) -> Tensor:
    """Parameters as vectors; they may all carry one leading axis: (*batch, weights)."""
    batch = next(iter(params.values())).shape[: _leading(params)]
    return torch.cat([value.reshape(*batch, -1) for value in params.values()], dim=-1)


def _leading(params: Params) -> int:
    """How many leading axes parameters carry: a bias has one of its own."""
    return min(value.ndim for value in params.values()) - 1


def _double(array: Array | Tensor) -> Tensor:
    return torch.as_tensor(array).double()
