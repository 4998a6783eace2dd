"""Learners that take gradient steps on a support set: MAML and its relatives.

A :class:`GradientBased` learner has a network, the one of its kind of task. It meta-learns an
initialisation of it, named after its role: ``regressor.0.weight``... It may meta-learn more: DAML's
learned loss, Meta-SGD's step sizes.

Beyond what every learner does, ``adapt(meta, support)`` is its inner loop, with the whole
trajectory of the network's parameters. A new algorithm overrides only what it changes: what the
inner loop descends (``inner_loss``), which weights it moves (``moving``) and how far
(``step_sizes``), the networks that are learned (``parts``), where along the inner loop the query
loss is taken (``trained_steps``, ``query_weights``), or whether the meta-gradient looks through the
inner gradients (``order``).

The reference engine runs whatever these say. A class of which the compiled engine does the same
says so (``compiled``), and the contract tests hold it to that on both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms import gradient_steps_in_torch as as_text
from metademo.algorithms.in_torch import InTorch, tells_of
from metademo.algorithms.learner import (
    Learner,
    Meta,
    Predictions,
    Weights,
    checked_steps,
    part,
    tensor_like,
)
from metademo.inner import Adaptation, adapt
from metademo.network import MLP, Embedding, InWords, Network, Params
from metademo.tasks import Array, Episode, Examples


@dataclass(frozen=True)
class GradientBased(Learner):
    """A learner with an inner loop, with the settings that shape its network and that loop.

    Attributes:
        hidden: how wide the network is.
        inner_steps: gradient steps per adaptation while meta-training.
        inner_lr: alpha, the inner learning rate.
        loss: one of the kind's losses: the query loss, which the outer loop lowers.
        support_loss: the same of the inner loop's loss on the support set; None for that of `loss`.
        intermediate_weight: with more than 0, the query loss is taken on the way, too: after the
            inner steps before the last with this weight, each against a share of the labels (see
            `query_shares`), so that each step is to bring the prediction nearer.
        initialisation: how fresh weights are drawn, one of `network.INITIALISATIONS`.
        activation: the hidden activation, one of `network.ACTIVATIONS`.
    """

    way = "optimise"
    order: ClassVar[str] = "second"
    """ "second": the meta-gradient looks through the inner gradients; "first": for it they are
    constants, so no second derivatives are needed; "reptile": it is the way from the adapted
    weights to the initialisation."""
    compiled: ClassVar[bool] = False
    """Whether the compiled engine does what this class says. A subclass says so anew: what it
    changes, the compiled engine may not know."""

    hidden: int = 32
    inner_steps: int = 5
    inner_lr: float = 0.03
    loss: str = "l1"
    support_loss: str | None = None
    intermediate_weight: float = 0.0
    initialisation: str = "fan-in"
    activation: str = "relu"

    @property
    def network(self) -> Network:
        """What adapts: the network of the kind of task."""
        return self.kind.network(self.hidden, self.activation)

    @property
    def parts(self) -> dict[str, Network]:
        """The networks whose parameters are meta-learned, by name."""
        return {self.kind.role: self.network}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {
            f"{part}.{name}": shape
            for part, network in self.parts.items()
            for name, shape in network.shapes.items()
        }

    def init(self, rng: np.random.Generator) -> Meta:
        return {
            f"{part}.{name}": value
            for part, network in self.parts.items()
            for name, value in network.init(rng, self.initialisation).items()
        }

    @property
    def moving(self) -> tuple[str, ...]:
        """The names of the network's parameters that inner steps change."""
        network = self.network
        return tuple(dict.fromkeys((*network.shapes, *network.head)))

    @property
    def learns_step_sizes(self) -> bool:
        """Whether step sizes are meta-parameters, and alpha is only where they start."""
        return False

    @property
    def trained_steps(self) -> int:
        """The inner steps that the outer loop takes: all, unless a subclass says otherwise."""
        return self.inner_steps

    @property
    def gradients_per_task(self) -> int:
        """As every learner's.

        That of each inner step, that of the query loss, and for second order a Hessian-vector
        product for each inner step, which is as much work as two gradients.
        """
        return self.trained_steps * (3 if self.order == "second" else 1) + 1

    def cost(self, steps: int) -> str:
        return f"α {self.alpha_in_words} · {steps} gradient{'s' * (steps != 1)}"

    @property
    def alpha_in_words(self) -> str:
        """How far its inner steps go, for people."""
        return f"{self.inner_lr:g}"

    def step_sizes(self, meta: Meta, step: int) -> Mapping[str, float | Tensor]:
        """How far inner step `step` goes, for each of the parameters that move: here alpha."""
        return dict.fromkeys(self.moving, self.inner_lr)

    def query_weights(self, progress: float) -> Array | None:
        """None, or with an `intermediate_weight` that on the way and 1 on the last one."""
        if not self.intermediate_weight or self.trained_steps < 2:
            return None
        weights = np.full(self.trained_steps + 1, self.intermediate_weight)
        weights[0], weights[-1] = 0, 1
        return weights

    @property
    def query_shares(self) -> Array:
        """What share of the query labels is asked of 0, 1, .. S inner steps, (S + 1,).

        All of them; but with an `intermediate_weight` 1/2 after the first step, 3/4 after the
        second, and so on by halves of what is left, until the last one is asked for all.
        """
        shares = np.ones(self.trained_steps + 1)
        if self.intermediate_weight:
            shares[1:-1] -= 0.5 ** np.arange(1, self.trained_steps)
        return shares

    def with_inner_lr(self, meta: Meta, inner_lr: float) -> tuple[Self, Meta]:
        """The learner and the meta-parameters with another alpha than they were trained with."""
        return replace(self, inner_lr=inner_lr), meta

    def adapt(
        self,
        meta: Meta,
        support: Examples[Array | Tensor],
        *,
        steps: int | None = None,
        inner_lr: float | None = None,
    ) -> Adaptation:
        """Adapt to each task of `support`; nothing is kept for an outer gradient.

        Args:
            meta: meta-parameters.
            support: x (tasks, points, *features) and, unless `unlabelled`, y (tasks, points).
            steps: inner steps; any number, by default as many as in training.
            inner_lr: alpha; by default the one of training. Step sizes that were learned are
                scaled by its ratio to that one.

        Raises:
            ValueError: for a support set or a number of steps that can't be used.
        """
        self.check_support(support)
        steps = checked_steps(self.inner_steps if steps is None else steps)
        learner = self
        if inner_lr is not None:
            learner, meta = self.with_inner_lr(meta, float(inner_lr))
        return learner._inner_loop(meta, support.map(tensor_like(meta)), steps)

    def run(
        self,
        meta: Meta,
        support: Examples[Array],
        x: Array,
        *,
        steps: int | None = None,
        inner_lr: float | None = None,
    ) -> Predictions:
        """See `Learner.run`; the losses are those that the inner loop descends."""
        trajectory, losses = self.adapt(meta, support, steps=steps, inner_lr=inner_lr)
        network, inputs = self.network, torch.as_tensor(x).to(losses)
        with torch.no_grad():
            outputs = [network.predict(params, inputs) for params in trajectory]
        return Predictions(torch.stack(outputs).cpu().numpy(), losses.cpu().numpy())

    def outer_loss(
        self, meta: Meta, episode: Episode[Array | Tensor], weights: Weights | None = None
    ) -> Tensor:
        support, query = episode.map(tensor_like(meta))
        trajectory = self._inner_loop(
            meta,
            support,
            self.trained_steps,
            differentiable=True,
            second_order=self.order == "second",
        ).trajectory
        return self.query_loss(trajectory, query, weights)

    def inner_loss(
        self, meta: Meta, params: Params, support: Examples[Tensor], step: int
    ) -> Tensor:
        """What the inner loop descends, for each task: here the error on the support set."""
        return self.task_loss(params, support, self.support_loss)

    def task_loss(
        self, params: Params, examples: Examples[Tensor], loss: str | None = None
    ) -> Tensor:
        """Error of the network on labelled `examples`, by default in `loss`, shape (tasks,)."""
        prediction = self.network.predict(params, examples.x)
        return self.kind.losses[loss or self.loss](prediction, examples.labels)

    def query_loss(
        self,
        trajectory: Sequence[Params],
        query: Examples[Tensor],
        weights: Weights | None = None,
    ) -> Tensor:
        """The error on the query set at the end of an inner loop, or weighted along it."""
        if weights is None:
            return self.task_loss(trajectory[-1], query)
        terms = zip(weights, self.query_shares, trajectory, strict=True)
        losses = (
            float(weight) * self.task_loss(params, Examples(query.x, float(share) * query.labels))
            for weight, share, params in terms
            if weight
        )
        return sum(losses, start=torch.zeros(()))

    def start(self, meta: Meta, support: Examples[Tensor]) -> Params:
        """Where the inner loop starts: what is meta-learned, and the head of a task if it isn't.

        What is not meta-learned are leaves without a task axis.
        """
        theta, network = part(meta, self.kind.role), self.network
        if isinstance(network, Embedding):
            theta |= network.fresh_head(support.labels)
        return theta

    def _inner_loop(
        self, meta: Meta, support: Examples[Tensor], steps: int, **options: bool
    ) -> Adaptation:
        return adapt(
            self.start(meta, support),
            lambda k, params: self.inner_loss(meta, params, support, k),
            lambda k: self.step_sizes(meta, k),
            tasks=len(support.x),
            steps=steps,
            **options,
        )

    # ------------------------------------------------------------------ for scripts, see `in_torch`

    def in_torch(self, inner_lr: float | None = None) -> InTorch | None:
        return as_text.adapting(self, self.inner_lr if inner_lr is None else inner_lr)

    def training_in_torch(self) -> InTorch | None:
        return as_text.meta_training(self)

    @property
    def network_in_torch(self) -> str:
        """`network(theta, x)`; "" if the network has no words for itself."""
        network = self.network
        told = ("predict", "activations", "features", "classify", "fresh_head")
        if isinstance(network, InWords) and tells_of(network, "in_torch", *told):
            return network.in_torch(self.kind.role, "network")
        return ""

    @property
    def inner_loss_in_torch(self) -> str:
        """`inner_loss(theta, x, y, k)`, which tells of the method `inner_loss`; "" if not told."""
        name = self.support_loss or self.loss
        loss = self.kind.losses_in_torch.get(name)
        if not loss:
            return ""
        return (
            "def inner_loss(theta, x, y, k):\n"
            f'    """The {as_text.LOSSES[name]} on the support set."""\n'
            f"    return {loss.format('network(theta, x)', 'y')}\n"
        )

    def own_in_torch(self, many: bool) -> str:
        """What a task has of its own where it starts, or each of many: entries of a dictionary.

        They tell of `_inner_loop` and `start`: its steps move these. One task alone needs none by
        default, but the head that it has for itself.
        """
        network = self.network
        if isinstance(network, Embedding):
            return as_text.fresh_head(self, network)
        return as_text.own_weights(self) if many else ""

    def alpha_in_torch(self, inner_lr: float) -> str:
        """The size of step `k` for the parameter `name`; "" for alpha, which is a setting."""
        return ""

    @property
    def draw_in_torch(self) -> str:
        drawn = as_text.drawn(self.parts)
        if not drawn:
            return ""
        network = self.network
        assert isinstance(network, MLP)  # or there would be no words
        return (
            f"{network.draw_in_torch(self.initialisation)}\n\ndef draw(rng):\n    return {drawn}\n"
        )

    @property
    def query_weights_in_torch(self) -> str:
        """`query_weights(progress)`; "" if only the last query loss counts."""
        weights = self.query_weights(1.0)
        if weights is None:
            return ""
        return f"def query_weights(progress):\n    return {weights.tolist()}\n"

    @property
    def meta_gradient_in_torch(self) -> str:
        """`meta_gradient(theta, x, y, query_x, query_y, progress)`."""
        along = bool(self.query_weights_in_torch)
        loss = "    loss = query_loss(fast, query_x, query_y).mean()\n"
        if along:
            shares = self.query_shares.tolist() if self.intermediate_weight else None
            loss = as_text.query_losses_along(shares)
        return f'''\
def meta_gradient(theta, {self.inputs_in_torch}, y, query_x, query_y, progress):
    """The gradient of the mean query loss after the inner steps, and that loss."""
{as_text.adapted(self, along=along)}{loss}\
    gradients = torch.autograd.grad(loss, list(start.values()), materialize_grads=True)
    return dict(zip(start, gradients, strict=True)), loss.detach()
'''
