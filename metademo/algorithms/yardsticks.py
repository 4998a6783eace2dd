"""What the algorithms are measured against; neither is meta-trained.

`Random` is the network as it is drawn: what gradient steps alone are worth. `Oracle` knows what
form the waves have, and fits it: what the support set is worth. What lies between them, knowing
less than the form, is in `gaussian_process`. Each is a :class:`Learner`, so whatever runs or scores
one of those runs or scores them; only the outer loop has no use for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms.gradient_based import GradientBased
from metademo.algorithms.in_torch import InTorch, Passage
from metademo.algorithms.learner import Learner, Meta, Predictions, Weights, checked_steps
from metademo.tasks import Array, Episode, Examples, TaskFamily, WaveFamily


class Random(GradientBased):
    """A network without any meta-training, adapted by the same inner loop."""

    name = "random"
    title = "No training"
    in_a_sentence = "the untrained network"
    summary = "takes the inner steps from random weights: the contrast, not trained"
    about = (
        "The network as it is drawn, without any training, adapted by the same inner loop: what "
        "gradient steps alone are worth. Whatever is learned should do better than this."
    )
    formula = r"\beta = 0, \qquad \theta_0 \text{ as it was drawn}"
    compiled = True


@dataclass(frozen=True)
class Oracle(Learner):
    """Least squares on the families' own form, y = a sin x + b cos x: the floor.

    A sin(x + phase) is of this form for every amplitude and phase (a = A cos(phase), b = A
    sin(phase)), and it is linear in its two parameters. Before the first step it predicts the zero
    wave, which is what to expect before anything is known of a task; the first one lands on the
    solution, and more steps stay there. On waves of another frequency or shape it is a floor no
    more.

    Attributes:
        inner_steps: steps that are shown, unless it is said how many.
        loss: one of the kind's losses: what its losses on the support set are told in.
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

    inner_steps: int = 5
    loss: str = "l1"

    @classmethod
    def unsuited(cls, family: TaskFamily) -> str:
        return "" if isinstance(family, WaveFamily) else f"{cls.name} fits waves alone"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {}

    def init(self, rng: np.random.Generator) -> Meta:
        return {}

    @property
    def gradients_per_task(self) -> int:
        return 0

    def cost(self, steps: int) -> str:
        return "least squares"

    def outer_loss(
        self, meta: Meta, episode: Episode[Array | Tensor], weights: Weights | None = None
    ) -> Tensor:
        support, query = episode.map(np.asarray)
        return self._loss(_waves(_fitted(support), query.x), query.labels)

    def run(
        self,
        meta: Meta,
        support: Examples[Array],
        x: Array,
        *,
        steps: int | None = None,
        inner_lr: float | None = None,
    ) -> Predictions:
        self.check_support(support)
        steps = checked_steps(self.inner_steps if steps is None else steps)
        fitted = _fitted(support)
        way = [np.zeros_like(fitted)] + [fitted] * steps
        losses = [self._loss(_waves(w, support.x), support.labels) for w in way]
        return Predictions(np.stack([_waves(w, x) for w in way]), torch.stack(losses).numpy())

    def in_torch(self, inner_lr: float | None = None) -> InTorch | None:
        code = """\
def wave(a, b, x):
    return a * torch.sin(x) + b * torch.cos(x)


def fitted(x, y):
    \"\"\"The a and b with the least squared error on the points.\"\"\"
    features = torch.stack([torch.sin(x), torch.cos(x)], dim=-1)
    # Points that single precision can't tell apart count as one.
    apart = torch.finfo(torch.float32).eps * max(2, len(x))
    return torch.linalg.pinv(features, rtol=apart) @ y


def run(theta, x, y, query_x, steps):
    \"\"\"The wave at query_x: the first step leads to the solution, and all others stay.\"\"\"
    start = wave(theta["a"], theta["b"], query_x)
    return torch.stack([start] + steps * [wave(*fitted(x, y), query_x)])
"""
        words = "## Least squares\n\nIt is told that the task is a sine wave."
        return InTorch((Passage(words, code),), double=True)

    @property
    def draw_in_torch(self) -> str:
        return """\
def draw(rng):
    zero = torch.zeros((), dtype=torch.float64)
    return {"a": zero, "b": zero}
"""

    def _loss(self, prediction: Array, labels: Array) -> Tensor:
        return self.kind.losses[self.loss](*map(torch.from_numpy, (prediction, labels)))


def _fitted(support: Examples[Array]) -> Array:
    """The smallest (a, b) with the least squared error on each task's points: (tasks, 2, 1).

    Points count as one where single precision, in which the other learners see them, can't tell
    them apart.
    """
    x, y = np.asarray(support.x, float), np.asarray(support.labels, float)
    apart = float(np.finfo(np.float32).eps) * max(2, x.shape[1])
    return np.linalg.pinv(_features(x), rcond=apart) @ y[..., None]


def _waves(weights: Array, x: Array) -> Array:
    """The waves with weights (tasks, 2, 1) at x, (points,) or (tasks, points): (tasks, points)."""
    return (_features(x) @ weights)[..., 0]


def _features(x: Array) -> Array:
    return np.stack([np.sin(x), np.cos(x)], axis=-1)
