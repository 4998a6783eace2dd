"""What a way of learning to learn is, for all that trains, runs, measures or draws one.

A :class:`Learner` is a frozen description. What it learns from one task to the next are its
*meta-parameters*, a flat dictionary of tensors that is handed to it: so one description serves any
weights, and any number of threads.

It goes from a support set to predictions in *steps*, and :meth:`Learner.run` shows the whole way:
what it predicts after 0, 1, .. S of them. Learners that take gradient steps are one kind, see
:mod:`metademo.algorithms.gradient_based`. Others have no inner loop: they fit in closed form, or
read the support set with a network. Such a learner says what a step is for it (one labelled point
more, for instance), or stays where the first one has led.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms.in_torch import InTorch
from metademo.algorithms.papers import Paper
from metademo.network import Params
from metademo.tasks import CURVES, Array, Episode, Examples, TaskFamily, TaskKind

Meta = dict[str, Tensor]
Weights = Sequence[float] | Array
MAX_INNER_STEPS = 100
WAYS = ("optimise", "condition", "infer")
"""Take gradient steps on it; read it with a network; update a prior by it."""


class Predictions(NamedTuple):
    """What a learner makes of support sets, step by step.

    Attributes:
        outputs: what it predicts after 0, 1, .. S steps, (S + 1, tasks, points), with further axes
            behind if a prediction is no single number.
        losses: how well it does on what it sees after each of them, (S + 1, tasks).
        std: the standard deviation of each output, of the same shape, from learners that know one.
    """

    outputs: Array
    losses: Array
    std: Array | None = None


@dataclass(frozen=True)
class Learner(ABC):
    """One way of learning to learn, with its settings.

    Attributes:
        kind: the kind of task that it learns.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    in_a_sentence: ClassVar[str] = ""
    """What it is called there, with its article; "" if by its title."""
    summary: ClassVar[str]
    """In a line, for lists; what follows is for readers of more."""
    about: ClassVar[str] = ""
    """A paragraph (Markdown) for readers who know gradient descent."""
    formula: ClassVar[str] = ""
    """The equation that defines it (LaTeX), in the symbols of the page How it works."""
    papers: ClassVar[tuple[Paper, ...]] = ()
    """Where it was published, or what it combines; none if it is nobody's."""
    way: ClassVar[str] = ""
    """What it does with a new task, one of `WAYS`; "" if it has not learned to learn."""
    a_step: ClassVar[str] = "step"
    """What one of its steps is called."""
    bands: ClassVar[bool] = False
    """Whether it knows a standard deviation of what it predicts; its query loss is then the
    negative log-likelihood of the labels."""
    unlabelled: ClassVar[bool] = False
    """Whether the support set is unlabelled source-domain inputs instead of labelled points."""

    kind: TaskKind = CURVES

    @classmethod
    def configured(cls, settings: Any, kind: TaskKind) -> Self:
        """The learner of a kind of task with those settings that it has, by attribute."""
        names = [field.name for field in fields(cls) if field.name != "kind"]
        given = {name: getattr(settings, name) for name in names if hasattr(settings, name)}
        return cls(kind=kind, **given)

    @classmethod
    def for_family(
        cls, settings: Any, family: TaskFamily, rng: np.random.Generator
    ) -> tuple[Self, Meta]:
        """The learner for the tasks of a family, with what it has without any meta-training.

        These are the meta-parameters as they are drawn, unless a subclass can fit them at once.

        Args:
            settings: see `configured`.
        """
        learner = cls.configured(settings, family.kind)
        return learner, learner.init(rng)

    @classmethod
    def unsuited(cls, family: TaskFamily) -> str:
        """Why it can't learn the tasks of a family, in a sentence, or ""."""
        if cls.unlabelled and not family.has_source_domain:
            return f"{cls.name} needs a family with a source domain, and {family.name} has none"
        return ""

    @property
    @abstractmethod
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name and shape of each meta-parameter."""

    @abstractmethod
    def init(self, rng: np.random.Generator) -> Meta:
        """Fresh meta-parameters (float32), in the order of `shapes`."""

    @property
    def trained_steps(self) -> int:
        """The steps that the outer loop takes; 0 if that means nothing for it."""
        return 0

    @property
    @abstractmethod
    def gradients_per_task(self) -> int:
        """What a task costs in an outer step, in gradients of one loss of its network."""

    def cost(self, steps: int) -> str:
        """What so many steps on one task take, in a few words."""
        return "no gradient"

    def query_weights(self, progress: float) -> Array | None:
        """The weights of the query losses after 0, 1, .. S steps in the outer loss, (S + 1,).

        Args:
            progress: the share of the outer steps done, 0 to 1.

        Returns:
            The weights; None if only the last query loss counts.
        """
        return None

    @abstractmethod
    def outer_loss(
        self, meta: Meta, episode: Episode[Array | Tensor], weights: Weights | None = None
    ) -> Tensor:
        """The query loss of each task after adaptation, (tasks,), connected to `meta`, the leaves.

        With `weights`, see `query_weights`, their sum along the steps.
        """

    def meta_gradient(
        self, meta: Meta, episode: Episode[Array | Tensor], weights: Weights | None = None
    ) -> tuple[Meta, Tensor]:
        """What the outer loop descends, and the mean outer loss (a scalar).

        Here the gradient of that loss with respect to `meta`.
        """
        leaves = {name: value.detach().requires_grad_() for name, value in meta.items()}
        loss = self.outer_loss(leaves, episode, weights).mean()
        # A meta-parameter that the loss does not depend on has the gradient zero.
        grads = torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)
        return dict(zip(leaves, grads, strict=True)), loss.detach()

    @abstractmethod
    def run(
        self,
        meta: Meta,
        support: Examples[Array],
        x: Array,
        *,
        steps: int | None = None,
        inner_lr: float | None = None,
    ) -> Predictions:
        """Adapt to each task of `support` by itself, and predict at `x` after each step.

        Args:
            meta: meta-parameters.
            support: x (tasks, points, *features) and, unless `unlabelled`, y (tasks, points).
            x: (points, *features) for all tasks, or (tasks, points, *features).
            steps: how many; by default as many as in training, or as there are to take.
            inner_lr: another alpha than the one of training, for learners that have one.

        Raises:
            ValueError: for a support set or a number of steps that can't be used.
        """

    def in_torch(self, inner_lr: float | None = None) -> InTorch | None:
        """How it adapts, as text for a script that needs nothing of ours: see `in_torch`.

        Args:
            inner_lr: alpha, see `run`.

        Returns:
            `run`, and what it needs; None if there are no words for it, which is the default.
        """
        return None

    def training_in_torch(self) -> InTorch | None:
        """How it is trained, likewise: `draw` and `meta_gradient`, and what they need."""
        return None

    @property
    def inputs_in_torch(self) -> str:
        """What scripts call the inputs of its support set; those of a source domain are no x."""
        return "x_s" if self.unlabelled else "x"

    @property
    def draw_in_torch(self) -> str:
        """How it draws meta-parameters: `draw(rng)`, and what that needs; "" if not told."""
        return ""

    def check_support(self, support: Examples[Array | Tensor]) -> None:
        """See that `support` is a support set for this learner; an unlabelled one sees x alone.

        Raises:
            ValueError: if it isn't.
        """
        x, features = tuple(np.shape(support.x)), self.kind.features
        if len(x) != 2 + len(features) or x[2:] != features:
            axes = ", ".join(["tasks", "points", *map(str, features)])
            raise ValueError(f"a support set's x has the shape ({axes}), not {x}")
        if self.unlabelled:
            return
        if support.y is None:
            raise ValueError(f"{self.name} needs labels: the support set has no y")
        if (y := tuple(np.shape(support.y))) != x[:2]:
            raise ValueError(f"a support set's y has the shape {x[:2]}, one for each x, not {y}")


def checked_steps(steps: int) -> int:
    """A number of steps.

    Raises:
        ValueError: if there can't be so many.
    """
    if not 0 <= steps <= MAX_INNER_STEPS:
        raise ValueError(f"inner steps must be 0 to {MAX_INNER_STEPS}, not {steps}")
    return steps


def tensor_like(meta: Meta) -> Callable[[Array | Tensor], Tensor]:
    """What makes tensors of arrays, with the precision and on the device of the meta-parameters."""
    like = next(iter(meta.values()))
    return lambda array: torch.as_tensor(array).to(like)


def part(meta: Mapping[str, Tensor], name: str) -> Params:
    """The parameters of one network among the meta-parameters, with its prefix taken off."""
    prefix = name + "."
    return {key.removeprefix(prefix): v for key, v in meta.items() if key.startswith(prefix)}
