"""What a way of learning to learn is.

An :class:`Algorithm` is a frozen description with four verbs:

* ``init(rng)``: fresh *meta-parameters*, a flat dictionary of tensors. The regressor's are named
  ``regressor.0.weight``...; an algorithm may add its own (DAML's learned loss).
* ``adapt(meta, support)``: the inner loop, with its whole trajectory.
* ``outer_loss(meta, episode)``: the query loss of each task after adaptation, connected to `meta`.
* ``meta_gradient(meta, episode)``: the gradient that the outer loop descends.

A new algorithm overrides only what it changes: another inner loss (``inner_loss``), other meta-
parameters (``parts``), or another outer gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from metademo.fused import Problem
from metademo.inner import LOSSES, Adaptation, adapt
from metademo.network import MLP, Params, predict
from metademo.tasks import Episode, Examples

Meta = dict[str, Tensor]
MAX_INNER_STEPS = 100


@dataclass(frozen=True)
class Algorithm:
    """One way of learning to learn, with the settings that shape its network and inner loop.

    Attributes:
        hidden: width of the regressor's two hidden layers.
        inner_steps: gradient steps per adaptation while meta-training.
        inner_lr: alpha, the inner learning rate.
        loss: "l1" or "mse", for the inner and the query loss alike.
        initialisation: how fresh weights are drawn, one of `network.INITIALISATIONS`.
        activation: the hidden activation, one of `network.ACTIVATIONS`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    unlabelled: ClassVar[bool] = False
    """Whether the support set is unlabelled source-domain inputs instead of labelled points."""

    hidden: int = 32
    inner_steps: int = 5
    inner_lr: float = 0.03
    loss: str = "l1"
    initialisation: str = "fan-in"
    activation: str = "relu"

    @property
    def regressor(self) -> MLP:
        return MLP((1, self.hidden, self.hidden, 1), self.activation)

    @property
    def parts(self) -> dict[str, MLP]:
        """The networks whose parameters are meta-learned, by name."""
        return {"regressor": self.regressor}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each meta-parameter."""
        return {
            f"{part}.{name}": shape
            for part, network in self.parts.items()
            for name, shape in network.shapes.items()
        }

    def init(self, rng: np.random.Generator) -> Meta:
        """Fresh meta-parameters (float32)."""
        return {
            f"{part}.{name}": value
            for part, network in self.parts.items()
            for name, value in network.init(rng, self.initialisation).items()
        }

    def adapt(
        self,
        meta: Meta,
        support: Examples,
        *,
        steps: int | None = None,
        inner_lr: float | None = None,
    ) -> Adaptation:
        """Adapt to each task of `support`; nothing is kept for an outer gradient.

        Args:
            meta: meta-parameters.
            support: x (tasks, points) and, unless `unlabelled`, y (tasks, points).
            steps: inner steps; any number, by default as many as in training.
            inner_lr: alpha; by default the one of training.

        Raises:
            ValueError: for a support set or a number of steps that can't be used.
        """
        steps = self.inner_steps if steps is None else steps
        if not 0 <= steps <= MAX_INNER_STEPS:
            raise ValueError(f"inner steps must be 0 to {MAX_INNER_STEPS}, not {steps}")
        return self._inner_loop(meta, self._tensors(meta, support), steps, inner_lr)

    def outer_loss(self, meta: Meta, episode: Episode) -> Tensor:
        """Query loss of each task at the adapted weights, shape (tasks,), connected to `meta`."""
        support, query = (self._tensors(meta, examples) for examples in episode)
        adapted = self._inner_loop(meta, support, self.inner_steps, differentiable=True)
        return self.task_loss(adapted.trajectory[-1], query)

    def meta_gradient(self, meta: Meta, episode: Episode) -> tuple[Meta, Tensor]:
        """Gradient of the mean query loss with respect to `meta`, and that loss (a scalar)."""
        leaves = {name: value.detach().requires_grad_() for name, value in meta.items()}
        loss = self.outer_loss(leaves, episode).mean()
        # A meta-parameter that the loss does not depend on has the gradient zero.
        grads = torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)
        return dict(zip(leaves, grads, strict=True)), loss.detach()

    def problem(self, steps: int | None = None, inner_lr: float | None = None) -> Problem | None:
        """How the compiled engine composes the inner loop, or None if it can't.

        Its meta-vector holds the meta-parameters in the order of `shapes`.
        """
        if self.activation != "relu":
            return None
        return Problem(
            hidden=self.hidden,
            inner_steps=self.inner_steps if steps is None else steps,
            loss=self.loss,
            query_loss=self.loss,
            step_sizes=np.array([self.inner_lr if inner_lr is None else inner_lr]),
        )

    def outer_problem(self) -> Problem | None:
        """How the compiled engine composes the meta-gradient, or None if it can't."""
        return self.problem()

    def inner_loss(self, meta: Meta, params: Params, support: Examples, step: int) -> Tensor:
        """What the inner loop descends, for each task: here the error on the support set."""
        return self.task_loss(params, support)

    def task_loss(self, params: Params, examples: Examples) -> Tensor:
        """Error of the regressor on labelled `examples`, shape (tasks,)."""
        return LOSSES[self.loss](predict(self.regressor, params, examples.x), examples.y)

    def _inner_loop(
        self,
        meta: Meta,
        support: Examples,
        steps: int,
        inner_lr: float | None = None,
        **options: bool,
    ) -> Adaptation:
        alpha = float(self.inner_lr if inner_lr is None else inner_lr)
        return adapt(
            part(meta, "regressor"),
            lambda k, params: self.inner_loss(meta, params, support, k),
            lambda k: alpha,
            tasks=len(support.x),
            steps=steps,
            **options,
        )

    def _tensors(self, meta: Meta, examples: Examples) -> Examples:
        """`examples` with the precision and on the device of the meta-parameters."""
        like = next(iter(meta.values()))
        return Examples(*(v if v is None else torch.as_tensor(v).to(like) for v in examples))


def part(meta: Mapping[str, Tensor], name: str) -> Params:
    """The parameters of one network among the meta-parameters, with its prefix taken off."""
    prefix = name + "."
    return {key.removeprefix(prefix): v for key, v in meta.items() if key.startswith(prefix)}
