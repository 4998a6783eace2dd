"""What learners of signs are measured against: the nearest example, pixel by pixel.

    p(y = k | x) = softmax over k of s * max over the examples i of class k of cos(b(x), b(x_i))

where b blurs an image and takes its mean away. Nothing is learned. Without the blur a line beside
another one of the same form would be as far from it as any.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize

from metademo.algorithms.learner import (
    Learner,
    Meta,
    Predictions,
    Weights,
    checked_steps,
)
from metademo.network import class_count
from metademo.tasks import GLYPHS, Array, Episode, Examples, TaskFamily

SHARPNESS = 8.0
"""s: makes the answers about as sure as they are right, over generated signs."""


@dataclass(frozen=True)
class Nearest(Learner):
    """The class of the example that looks most alike; its one step is to look at them.

    Attributes:
        loss: one of the kind's losses: what its losses on the support set are told in.
    """

    name = "nearest"
    title = "Nearest neighbour"
    summary = "asks which example is most alike, pixel by pixel: the contrast, not trained"
    about = (
        "No network at all. Both images are blurred a little, and the angle between them, as "
        "vectors of pixels, says how much they are alike: the most alike example gives the "
        "answer. Whatever has learned what varies in a sign, and what does not, should do better."
    )
    formula = (
        r"\begin{aligned} \hat y(x) &= y_{i^*} \\ "
        r"i^* &= \arg\max_i \cos\big(b(x), b(x_i)\big) \end{aligned}"
    )

    loss: str = "cross-entropy"

    @classmethod
    def unsuited(cls, family: TaskFamily) -> str:
        return "" if family.kind is GLYPHS else f"{cls.name} compares images alone"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {}

    def init(self, rng: np.random.Generator) -> Meta:
        return {}

    @property
    def trained_steps(self) -> int:
        return 1

    @property
    def gradients_per_task(self) -> int:
        return 0

    def cost(self, steps: int) -> str:
        return "one look at each example"

    def logits(self, support: Examples[Array], x: Array) -> Tensor:
        """How much `x` is like each class: (tasks, points, classes)."""
        seen, asked = _blurred(support.x), _blurred(x)
        alike = asked @ seen.mT
        labels = torch.as_tensor(np.asarray(support.labels))
        others = labels.unsqueeze(-2) != torch.arange(class_count(labels)).unsqueeze(-1)
        of_class = alike.unsqueeze(-2).masked_fill(others.unsqueeze(-3), -1.0)
        return SHARPNESS * of_class.amax(-1)

    def outer_loss(
        self, meta: Meta, episode: Episode[Array | Tensor], weights: Weights | None = None
    ) -> Tensor:
        support, query = episode.map(np.asarray)
        return self._loss(self.logits(support, query.x), query)

    def run(
        self,
        meta: Meta,
        support: Examples[Array],
        x: Array,
        *,
        steps: int | None = None,
        inner_lr: float | None = None,
    ) -> Predictions:
        """See `Learner.run`: before the first step all classes are alike, and one is enough."""
        self.check_support(support)
        steps = checked_steps(self.trained_steps if steps is None else steps)
        seen = [self.logits(support, places) for places in (x, support.x)]
        found, fit = (torch.stack([torch.zeros_like(z)] + [z] * steps) for z in seen)
        losses = torch.stack([self._loss(z, support) for z in fit])
        return Predictions(found.numpy(), losses.numpy())

    def _loss(self, logits: Tensor, examples: Examples[Array]) -> Tensor:
        labels = torch.as_tensor(np.asarray(examples.labels))
        return self.kind.losses[self.loss](logits, labels)


def _blurred(images: Array) -> Tensor:
    """Images (.., pixels) blurred twice over 3 x 3 pixels, less their mean, of length 1."""
    given = torch.as_tensor(np.asarray(images), dtype=torch.float64)
    side = math.isqrt(given.shape[-1])
    planes = given.reshape(-1, 1, side, side)
    for _ in range(2):
        planes = avg_pool2d(planes, 3, stride=1, padding=1)
    vectors = planes.reshape(given.shape)
    return normalize(vectors - vectors.mean(-1, keepdim=True), dim=-1)
