"""What learners of signs are measured against: the nearest example, pixel by pixel.

    p(y = k | x) = softmax over k of s * max over the examples i of class k of cos(b(x), b(x_i))

where b blurs an image and takes its mean away. Nothing is learned. Without the blur a line beside
another one of the same form would be as far from it as any.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize

from metademo.algorithms.comparing import Comparing
from metademo.algorithms.in_torch import InTorch, Passage, tells_of
from metademo.algorithms.learner import Meta
from metademo.network import class_count
from metademo.tasks import GLYPHS, Array, Examples, TaskFamily

SHARPNESS = 8.0
"""s: makes the answers about as sure as they are right, over generated signs."""


class Nearest(Comparing):
    """The class of the example that looks most alike."""

    name = "nearest"
    title = "Nearest neighbour"
    in_a_sentence = "the nearest neighbour"
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

    @classmethod
    def unsuited(cls, family: TaskFamily) -> str:
        return "" if family.kind is GLYPHS else f"{cls.name} compares images alone"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {}

    def init(self, rng: np.random.Generator) -> Meta:
        return {}

    @property
    def gradients_per_task(self) -> int:
        return 0

    def cost(self, steps: int) -> str:
        return "one look at each example"

    def tensors(self, meta: Meta, array: Array | Tensor) -> Tensor:
        return torch.as_tensor(np.asarray(array))

    def logits(self, meta: Meta, support: Examples[Tensor], x: Tensor) -> Tensor:
        """See `Comparing.logits`: the largest cosine with an example of each class."""
        alike, labels = _blurred(x) @ _blurred(support.x).mT, support.labels
        others = labels.unsqueeze(-2) != torch.arange(class_count(labels)).unsqueeze(-1)
        of_class = alike.unsqueeze(-2).masked_fill(others.unsqueeze(-3), -1.0)
        return SHARPNESS * of_class.amax(-1)

    @property
    def logits_in_torch(self) -> InTorch | None:
        if not tells_of(self, "logits_in_torch", "logits", "tensors"):
            return None
        words = "## The most alike example\n\nBlurred images are compared, pixel by pixel."
        return InTorch((Passage(words, _LOGITS),), double=True)

    @property
    def draw_in_torch(self) -> str:
        return '''\
def draw(rng):
    """Nothing is learned."""
    return {}
'''


def _blurred(images: Tensor) -> Tensor:
    """Images (.., pixels) blurred twice over 3 x 3 pixels, less their mean, of length 1."""
    given = images.double()
    side = math.isqrt(given.shape[-1])
    planes = given.reshape(-1, 1, side, side)
    for _ in range(2):
        planes = avg_pool2d(planes, 3, stride=1, padding=1)
    vectors = planes.reshape(given.shape)
    return normalize(vectors - vectors.mean(-1, keepdim=True), dim=-1)


_LOGITS = f'''\
def blurred(images):
    """Images blurred twice over 3 x 3 pixels, less their mean, of length 1."""
    side = round(images.shape[-1] ** 0.5)
    planes = images.unflatten(-1, (1, side, side))
    for _ in range(2):
        planes = torch.nn.functional.avg_pool2d(planes, 3, stride=1, padding=1)
    vectors = planes.flatten(1)
    return torch.nn.functional.normalize(vectors - vectors.mean(-1, keepdim=True), dim=-1)


def logits(theta, x, y, query_x):
    """The largest cosine with an example of each class, made as sure as it is right."""
    alike = blurred(query_x) @ blurred(x).mT
    of_class = [alike[:, y == label].amax(-1) for label in range(int(y.max()) + 1)]
    return {SHARPNESS} * torch.stack(of_class, dim=-1)
'''
