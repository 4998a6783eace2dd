"""What the algorithms are measured against; neither is meta-trained.

`Random` is the network as it is drawn: what gradient steps alone are worth. `Oracle` knows what
form the waves have, and fits it: what the support set is worth. Both are an :class:`Algorithm`, so
whatever runs or scores one of those runs or scores them; only the outer loop has no use for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms.base import Algorithm, Meta
from metademo.inner import Adaptation
from metademo.network import Params
from metademo.tasks import Examples


class Random(Algorithm):
    """A network without any meta-training, adapted by the same inner loop."""

    name = "random"
    title = "No training"
    summary = "takes the inner steps from random weights: the contrast, not trained"
    about = (
        "The network as it is drawn, without any training, adapted by the same inner loop: what "
        "gradient steps alone are worth. Whatever is learned should do better than this."
    )
    formula = r"\beta = 0, \qquad \theta_0 \text{ as it was drawn}"
    compiled = True


@dataclass(frozen=True)
class Sinusoid:
    """The families' own form, y = a sin x + b cos x, in place of a network.

    A sin(x + phase) is of this form for every amplitude and phase (a = A cos(phase), b = A
    sin(phase)), and it is linear in its two parameters.
    """

    shapes: ClassVar[Mapping[str, tuple[int, ...]]] = {"sine": (1,), "cosine": (1,)}

    def init(self, rng: np.random.Generator, scheme: str = "") -> Params:
        """The zero wave: what to expect before anything is known of a task."""
        return {name: torch.zeros(shape) for name, shape in self.shapes.items()}

    def activations(self, params: Mapping[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As those of `MLP`, where x and so y are (*batch, points, 1): both hidden layers are
        (sin x, cos x), shape (*batch, points, 2).
        """
        features = torch.cat([x.sin(), x.cos()], dim=-1)
        weight = torch.stack([params["sine"], params["cosine"]], dim=-2)
        return features @ weight, features, features


class Oracle(Algorithm):
    """Least squares on the families' own form: the floor.

    Its inner loop is one step long and lands on the solution (the smallest, where the points leave
    several); more steps stay there. On waves of another frequency or shape it is a floor no more.
    """

    name = "oracle"
    title = "Least squares on a sine"
    summary = "fits amplitude and phase by least squares: the floor, not trained"
    about = (
        "No network at all. It is told what the others have to find out, that each task is a sine "
        "wave, and fits amplitude and phase to the support set by least squares: what those "
        "points are worth to one who knows. No network can be expected to do better on sine "
        "waves."
    )
    formula = r"\min_{a, b} \sum_i (a \sin x_i + b \cos x_i - y_i)^2"

    @property
    def regressor(self) -> Sinusoid:
        return Sinusoid()

    def _inner_loop(
        self, meta: Meta, support: Examples[Tensor], steps: int, **options: bool
    ) -> Adaptation:
        solution = _least_squares(support)
        start = {n: meta[f"regressor.{n}"].expand(len(solution), 1) for n in Sinusoid.shapes}
        end = dict(zip(Sinusoid.shapes, solution.unbind(1), strict=True))
        trajectory = [start] + [end] * steps
        losses = [self.inner_loss(meta, params, support, 0) for params in trajectory]
        return Adaptation(trajectory, torch.stack(losses))


def _least_squares(support: Examples[Tensor]) -> Tensor:
    """The smallest (a, b) with the least squared error on each task's points: (tasks, 2, 1).

    Solved in double precision, but points are told apart no better than they are given.
    """
    x, y = (v.double().unsqueeze(-1) for v in (support.x, support.labels))
    known = torch.finfo(support.x.dtype).eps * max(2, x.shape[1])
    return (torch.linalg.pinv(torch.cat([x.sin(), x.cos()], dim=-1), rtol=known) @ y).to(support.x)
