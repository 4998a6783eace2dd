"""Prototypical networks (Snell, Swersky & Zemel 2017, equations 1 and 2).

    c_k = mean of f(x_i) over the examples of class k
    p(y = k | x) = softmax over k of - |f(x) - c_k|^2 / d

A network f is all that is learned. It puts examples where those of one class lie together, whatever
the class, and a class is a *prototype*, the middle of its examples. Here the distance is the mean
over the d features and not their sum, times a factor that is learned, too: so fresh features
neither decide everything nor nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from metademo.algorithms.comparing import Comparing
from metademo.algorithms.in_torch import InTorch, Passage, tells_of
from metademo.algorithms.learner import Meta, part, tensor_like
from metademo.algorithms.papers import SNELL_2017
from metademo.network import Embedding, class_count
from metademo.tasks import Array, Examples, TaskFamily

SCALE = "log_scale"
FIRST_SCALE = 10.0
"""What distances are multiplied by, as it is before any training; its logarithm is learned."""


@dataclass(frozen=True)
class ProtoNet(Comparing):
    """Looks whose examples, on average, a new one is nearest to; nothing is adapted.

    Attributes:
        hidden: how wide the network is.
        activation: one of `network.ACTIVATIONS`.
    """

    name = "protonet"
    title = "Prototypical network"
    in_a_sentence = "the prototypical network"
    summary = "learns where to put examples, and asks which class's mean is nearest"
    about = (
        "Learns a place for every example, so that examples of one class lie together, even if "
        "the class is new. The support set gives each class a *prototype*, the mean of its "
        "examples; a new example belongs where the nearest prototype is. Nothing is adapted and "
        "no gradient is taken: with one example of each class this is a nearest neighbour, in a "
        "space that was learned for it."
    )
    formula = (
        r"\begin{aligned} p(y = k \mid x) &\propto \exp\big(-\|f_\theta(x) - c_k\|^2\big) \\ "
        r"c_k &= \tfrac{1}{|S_k|} \sum_{i \in S_k} f_\theta(x_i) \end{aligned}"
    )
    papers = (SNELL_2017,)
    way = "condition"

    hidden: int = 32
    activation: str = "relu"

    @classmethod
    def unsuited(cls, family: TaskFamily) -> str:
        if family.kind.fresh_head:
            return ""
        return f"{cls.name} compares examples of classes, and {family.name} has none to compare"

    @property
    def network(self) -> Embedding:
        network = self.kind.network(self.hidden, self.activation)
        assert isinstance(network, Embedding)  # or it would be unsuited
        return network

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        role = self.kind.role
        return {f"{role}.{name}": shape for name, shape in self.network.shapes.items()} | {
            SCALE: ()
        }

    def init(self, rng: np.random.Generator) -> Meta:
        role, drawn = self.kind.role, self.network.init(rng)
        first = {SCALE: torch.tensor(FIRST_SCALE).log()}
        return {f"{role}.{name}": value for name, value in drawn.items()} | first

    @property
    def gradients_per_task(self) -> int:
        return 1

    def cost(self, steps: int) -> str:
        return "one forward pass"

    def tensors(self, meta: Meta, array: Array | Tensor) -> Tensor:
        return tensor_like(meta)(array)

    def logits(self, meta: Meta, support: Examples[Tensor], x: Tensor) -> Tensor:
        """See `Comparing.logits`: how near each class's prototype is, at most 0."""
        network, theta = self.network, part(meta, self.kind.role)
        features = network.features(theta, support.x)
        belongs = one_hot(support.labels.long(), class_count(support.labels)).to(features).mT
        prototypes = belongs @ features / belongs.sum(-1, keepdim=True).clamp_min(1)
        apart = network.features(theta, x).unsqueeze(-2) - prototypes.unsqueeze(-3)
        return -meta[SCALE].exp() * apart.square().mean(-1)

    @property
    def logits_in_torch(self) -> InTorch | None:
        features = self.network.features_in_torch(self.kind.role)
        if not (
            features
            and tells_of(self, "logits_in_torch", "logits", "tensors", "network")
            and tells_of(self.network, "features_in_torch", "features")
        ):
            return None
        passages = (
            Passage(
                "## The network\n\nIts weights are in `theta`, by name. It gives an image a place.",
                features,
            ),
            Passage("## The prototypes\n\nA class is the mean of its examples.", _LOGITS),
        )
        return InTorch(passages)


_LOGITS = f'''\
def logits(theta, x, y, query_x):
    """How near each class's prototype is to query_x: at most 0."""
    known, asked = features(theta, x), features(theta, query_x)
    prototypes = torch.stack([known[y == label].mean(0) for label in range(int(y.max()) + 1)])
    apart = (asked.unsqueeze(1) - prototypes).square().mean(-1)
    return -theta["{SCALE}"].exp() * apart
'''
