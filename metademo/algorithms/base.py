"""What a way of learning to learn is.

An :class:`Algorithm` is a frozen description with four verbs:

* ``init(rng)``: fresh *meta-parameters*, a flat dictionary of tensors. The regressor's are named
  ``regressor.0.weight``...; an algorithm may add its own (DAML's learned loss, Meta-SGD's step
  sizes).
* ``adapt(meta, support)``: the inner loop, with its whole trajectory.
* ``outer_loss(meta, episode)``: the query loss of each task after adaptation, connected to `meta`.
* ``meta_gradient(meta, episode)``: the gradient that the outer loop descends.

A new algorithm overrides only what it changes: what the inner loop descends (``inner_loss``), which
weights it moves (``moving``) and how far (``step_sizes``), the networks that are learned
(``parts``), where along the inner loop the query loss is taken (``trained_steps``,
``query_weights``), or whether the meta-gradient looks through the inner gradients (``order``).

The reference engine runs whatever these say. A class of which the compiled engine does the same
says so (``compiled``), and the contract tests hold it to that on both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from metademo.inner import LOSSES, Adaptation, adapt
from metademo.network import MLP, Network, Params, predict
from metademo.tasks import Array, Episode, Examples

Meta = dict[str, Tensor]
Weights = Sequence[float] | Array
MAX_INNER_STEPS = 100


@dataclass(frozen=True)
class Algorithm:
    """One way of learning to learn, with the settings that shape its network and inner loop.

    Attributes:
        hidden: width of the regressor's two hidden layers.
        inner_steps: gradient steps per adaptation while meta-training.
        inner_lr: alpha, the inner learning rate.
        loss: "l1" or "mse", the query loss, which the outer loop lowers.
        support_loss: the same of the inner loop's loss on the support set; None for that of `loss`.
        intermediate_weight: with more than 0, the query loss is taken on the way, too: after the
            inner steps before the last with this weight, each against a share of the labels (see
            `query_shares`), so that each step is to bring the prediction nearer.
        initialisation: how fresh weights are drawn, one of `network.INITIALISATIONS`.
        activation: the hidden activation, one of `network.ACTIVATIONS`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    """In a line, for lists; what follows is for readers of more."""
    about: ClassVar[str] = ""
    """A paragraph (Markdown) for readers who know gradient descent."""
    formula: ClassVar[str] = ""
    """The equation that defines it (LaTeX), in the symbols of the page How it works."""
    citation: ClassVar[str] = ""
    """Authors, title, venue and year (Markdown)."""
    unlabelled: ClassVar[bool] = False
    """Whether the support set is unlabelled source-domain inputs instead of labelled points."""
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
    def regressor(self) -> Network:
        return MLP((1, self.hidden, self.hidden, 1), self.activation)

    @property
    def parts(self) -> dict[str, Network]:
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

    @property
    def moving(self) -> tuple[str, ...]:
        """The names of the regressor's parameters that inner steps change."""
        return tuple(self.regressor.shapes)

    @property
    def trained_steps(self) -> int:
        """The inner steps that the outer loop takes."""
        return self.inner_steps

    @property
    def gradients_per_task(self) -> int:
        """What a task costs in an outer step, in gradients of one loss of the regressor.

        That of each inner step, that of the query loss, and for second order a Hessian-vector
        product for each inner step, which is as much work as two gradients.
        """
        return self.trained_steps * (3 if self.order == "second" else 1) + 1

    def step_sizes(self, meta: Meta, step: int) -> Mapping[str, float | Tensor]:
        """How far inner step `step` goes, for each of the parameters that move: here alpha."""
        return dict.fromkeys(self.moving, self.inner_lr)

    def query_weights(self, progress: float) -> np.ndarray | None:
        """The weights of the query losses after 0, 1, .. S inner steps in the outer loss, (S + 1,).

        Args:
            progress: the share of the outer steps done, 0 to 1.

        Returns:
            The weights; None if only the last query loss counts.
        """
        if not self.intermediate_weight or self.trained_steps < 2:
            return None
        weights = np.full(self.trained_steps + 1, self.intermediate_weight)
        weights[0], weights[-1] = 0, 1
        return weights

    @property
    def query_shares(self) -> np.ndarray:
        """What share of the query labels is asked of 0, 1, .. S inner steps, (S + 1,).

        All of them; but with an `intermediate_weight` 1/2 after the first step, 3/4 after the
        second, and so on by halves of what is left, until the last one is asked for all.
        """
        shares = np.ones(self.trained_steps + 1)
        if self.intermediate_weight:
            shares[1:-1] -= 0.5 ** np.arange(1, self.trained_steps)
        return shares

    def with_inner_lr(self, meta: Meta, inner_lr: float) -> tuple[Self, Meta]:
        """The algorithm and the meta-parameters with another alpha than they were trained with."""
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
            support: x (tasks, points) and, unless `unlabelled`, y (tasks, points).
            steps: inner steps; any number, by default as many as in training.
            inner_lr: alpha; by default the one of training. Step sizes that were learned are
                scaled by its ratio to that one.

        Raises:
            ValueError: for a support set or a number of steps that can't be used.
        """
        self.check_support(support)
        steps = self.checked_steps(steps)
        learner = self
        if inner_lr is not None:
            learner, meta = self.with_inner_lr(meta, float(inner_lr))
        return learner._inner_loop(meta, support.map(tensor_like(meta)), steps)

    def outer_loss(
        self, meta: Meta, episode: Episode[Array | Tensor], weights: Weights | None = None
    ) -> Tensor:
        """The query loss of each task at the adapted weights, shape (tasks,), connected to `meta`.

        With `weights`, see `query_weights`, their sum along the inner loop.
        """
        support, query = episode.map(tensor_like(meta))
        trajectory = self._inner_loop(
            meta,
            support,
            self.trained_steps,
            differentiable=True,
            second_order=self.order == "second",
        ).trajectory
        return self.query_loss(trajectory, query, weights)

    def meta_gradient(
        self, meta: Meta, episode: Episode[Array | Tensor], weights: Weights | None = None
    ) -> tuple[Meta, Tensor]:
        """Gradient of the mean outer loss with respect to `meta`, and that loss (a scalar)."""
        leaves = {name: value.detach().requires_grad_() for name, value in meta.items()}
        loss = self.outer_loss(leaves, episode, weights).mean()
        # A meta-parameter that the loss does not depend on has the gradient zero.
        grads = torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)
        return dict(zip(leaves, grads, strict=True)), loss.detach()

    def inner_loss(
        self, meta: Meta, params: Params, support: Examples[Tensor], step: int
    ) -> Tensor:
        """What the inner loop descends, for each task: here the error on the support set."""
        return self.task_loss(params, support, self.support_loss)

    def task_loss(
        self, params: Params, examples: Examples[Tensor], loss: str | None = None
    ) -> Tensor:
        """Error of the regressor on labelled `examples`, by default in `loss`, shape (tasks,)."""
        prediction = predict(self.regressor, params, examples.x)
        return LOSSES[loss or self.loss](prediction, examples.labels)

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

    def checked_steps(self, steps: int | None) -> int:
        """A number of inner steps, by default that of training.

        Raises:
            ValueError: if there can't be so many.
        """
        steps = self.inner_steps if steps is None else steps
        if not 0 <= steps <= MAX_INNER_STEPS:
            raise ValueError(f"inner steps must be 0 to {MAX_INNER_STEPS}, not {steps}")
        return steps

    def check_support(self, support: Examples[Array | Tensor]) -> None:
        """See that `support` is a support set for this algorithm; an unlabelled one sees x alone.

        Raises:
            ValueError: if it isn't.
        """
        x = tuple(np.shape(support.x))
        if len(x) != 2:
            raise ValueError(f"a support set's x has the shape (tasks, points), not {x}")
        if self.unlabelled:
            return
        if support.y is None:
            raise ValueError(f"{self.name} needs labels: the support set has no y")
        if (y := tuple(np.shape(support.y))) != x:
            raise ValueError(f"a support set's y has the shape of its x, {x}, not {y}")

    def _inner_loop(
        self, meta: Meta, support: Examples[Tensor], steps: int, **options: bool
    ) -> Adaptation:
        return adapt(
            part(meta, "regressor"),
            lambda k, params: self.inner_loss(meta, params, support, k),
            lambda k: self.step_sizes(meta, k),
            tasks=len(support.x),
            steps=steps,
            **options,
        )


def tensor_like(meta: Meta) -> Callable[[Array | Tensor], Tensor]:
    """What makes tensors of arrays, with the precision and on the device of the meta-parameters."""
    like = next(iter(meta.values()))
    return lambda array: torch.as_tensor(array).to(like)


def part(meta: Mapping[str, Tensor], name: str) -> Params:
    """The parameters of one network among the meta-parameters, with its prefix taken off."""
    prefix = name + "."
    return {key.removeprefix(prefix): v for key, v in meta.items() if key.startswith(prefix)}
