"""Inner step sizes that are meta-learned together with the initialisation.

    theta_{k+1} = theta_k - alpha_k o grad L_support(theta_k)        o: entry by entry

They are meta-parameters of their own, ``step_sizes.0.weight``..., one tensor for each of the
network's parameters, and all start from alpha. Their gradient comes with the recursion of
:mod:`metademo.algorithms.maml`: d alpha_k = - lambda_{k+1} o grad L_support(theta_k), summed over
whatever shares a step size. They may become negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms import gradient_steps_in_torch as as_text
from metademo.algorithms.gradient_based import GradientBased
from metademo.algorithms.learner import Meta, part
from metademo.tasks import TaskFamily

PREFIX = "step_sizes."


class StepSizes(GradientBased):
    """What algorithms have in common that learn step sizes, always or where a setting says so.

    They say what shares one. Beyond the trained number of inner steps, the sizes of the last one
    serve on.
    """

    per_weight: ClassVar[bool] = False
    """Whether each weight has its own, or each tensor one for all its weights."""
    per_step: ClassVar[bool] = False
    """Whether each inner step has its own: the leading axis of each tensor of step sizes."""

    @property
    def learns_step_sizes(self) -> bool:
        return True

    @classmethod
    def unsuited(cls, family: TaskFamily) -> str:
        if cls.per_weight and family.kind.fresh_head:
            return (
                f"{cls.name} learns a step size for each weight, and with {family.name} the last "
                "layer has as many as there are classes"
            )
        return super().unsuited(family)

    @property
    def size_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of the step sizes of each parameter that moves, if they are learned."""
        if not self.learns_step_sizes:
            return {}
        steps = (max(1, self.inner_steps),) if self.per_step else ()
        shapes = self.network.shapes
        return {
            PREFIX + name: steps + (shapes[name] if self.per_weight else ()) for name in self.moving
        }

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return super().shapes | self.size_shapes

    def init(self, rng: np.random.Generator) -> Meta:
        sizes = {n: torch.full(shape, self.inner_lr) for n, shape in self.size_shapes.items()}
        return super().init(rng) | sizes

    @property
    def alpha_in_words(self) -> str:
        alpha = super().alpha_in_words
        return f"learned from {alpha}" if self.learns_step_sizes else alpha

    def step_sizes(self, meta: Meta, step: int) -> Mapping[str, float | Tensor]:
        if not self.learns_step_sizes:
            return super().step_sizes(meta, step)
        sizes = part(meta, PREFIX.rstrip("."))
        if not self.per_step:
            return sizes
        return {name: size[min(step, len(size) - 1)] for name, size in sizes.items()}

    def with_inner_lr(self, meta: Meta, inner_lr: float) -> tuple[Self, Meta]:
        """All step sizes scaled as alpha is; there is no scale to a trained alpha of zero."""
        scale = inner_lr / self.inner_lr if self.inner_lr else 1.0
        scaled = {n: v * scale if n.startswith(PREFIX) else v for n, v in meta.items()}
        return replace(self, inner_lr=inner_lr), scaled

    def alpha_in_torch(self, inner_lr: float) -> str:
        if not self.learns_step_sizes:
            return super().alpha_in_torch(inner_lr)
        size = f'theta[name.replace("{self.kind.role}.", "{PREFIX}")]'
        if self.per_step:
            size += f"[min(k, {max(1, self.inner_steps) - 1})]"
        scale = inner_lr / self.inner_lr if self.inner_lr else 1.0
        return size if scale == 1 else f"{scale:.9g} * {size}"

    @property
    def draw_in_torch(self) -> str:
        networks = super().draw_in_torch
        if not networks or not self.learns_step_sizes:
            return networks
        shape = "value.shape" if self.per_weight else "()"
        if self.per_step:
            steps = max(1, self.inner_steps)
            shape = f"({steps}, *value.shape)" if self.per_weight else f"({steps},)"
        return (
            networks.replace("def draw(rng):\n    return", "def draw(rng):\n    theta =")
            + f"""\
    sizes = {{
        name.replace("{self.kind.role}.", "{PREFIX}"): torch.full({shape}, {self.inner_lr!r})
        for name, value in theta.items()
        if {as_text.moves(self)}
    }}
    return theta | sizes
"""
        )
