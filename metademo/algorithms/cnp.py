"""Conditional neural processes (Garnelo et al. 2018, section 2).

    r = mean_i h(x_i, y_i),   (mean, deviation) at x = g(x, r, n)

A network h reads each point by itself, the mean makes one vector of them in whatever order they
came, and another network g predicts from it. The paper's g sees x and r alone. A mean does not tell
of how many points n it is one, and bands came out too narrow for few of them and too wide for many:
so g is told n as well.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from metademo.algorithms import cnp_in_torch as as_text
from metademo.algorithms.conditioned import PI, Conditioned
from metademo.algorithms.in_torch import InTorch, tells_of
from metademo.algorithms.learner import Meta, part
from metademo.algorithms.papers import GARNELO_2018
from metademo.network import MLP
from metademo.tasks import Examples

FLOOR = 1e-3
"""Least standard deviation that it puts out."""
STEEP = 4
"""How much steeper than others its first layers are drawn: the errors it ends at halve."""


class CNP(Conditioned):
    """An encoder of points, their mean, and a decoder with a Gaussian head."""

    name = "cnp"
    title = "CNP"
    summary = "averages what a network makes of each point, and predicts from that, with a band"
    about = (
        "Conditional neural processes. One network turns each point into a vector, whatever the "
        "others are; the mean of these vectors, and of how many it is one, is all that is kept of "
        "a task; a second network reads the curve and its uncertainty from it. Adapting is a "
        "forward pass, and its cost grows with the number of points, no faster. It has to press a "
        "task into one vector, and often misses points that it has seen."
    )
    formula = r"(\mu, \sigma)(x) = g\Big(x, \tfrac{1}{n} \sum_i h(x_i, y_i), n\Big)"
    bands = True
    papers = (GARNELO_2018,)

    @property
    def parts(self) -> dict[str, MLP]:
        """The encoder of a point (x, y) and the decoder of a place, the count and the mean."""
        width = self.hidden
        return {
            "encoder": MLP((2, width, width, width), "gelu"),
            "decoder": MLP((2 + width, width, width, 2), "gelu"),
        }

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {
            f"{name}.{key}": shape
            for name, network in self.parts.items()
            for key, shape in network.shapes.items()
        }

    def init(self, rng: np.random.Generator) -> Meta:
        drawn = {name: network.init(rng) for name, network in self.parts.items()}
        # Steep and spread out, so that the first layers cover all points and places from the start.
        # Place and count are two of many inputs of their network, and drawn as if they were all.
        drawn["encoder"]["0.weight"] *= STEEP
        drawn["decoder"]["0.weight"][:, :2] *= STEEP * np.sqrt(1 + self.hidden / 2)
        for network in drawn.values():
            bias = rng.uniform(-STEEP, STEEP, self.hidden)
            network["0.bias"] += torch.from_numpy(bias.astype(np.float32))
        return {
            f"{name}.{key}": value
            for name, params in drawn.items()
            for key, value in params.items()
        }

    def predict(
        self, meta: Meta, support: Examples[Tensor], seen: Tensor, x: Tensor
    ) -> tuple[Tensor, Tensor]:
        encoder, decoder = self.parts["encoder"], self.parts["decoder"]
        points = torch.stack([support.x / PI, support.labels / 2], dim=-1)
        codes = encoder.predict(part(meta, "encoder"), points)
        counts = seen.unsqueeze(-1)
        # Before the first point there is nothing to average: the mean is zero.
        known = counts.sum(-2)
        task = torch.cat([1 / (1 + known), (counts * codes).sum(-2) / known.clamp_min(1)], dim=-1)
        places = (x / PI).expand(*task.shape[:-1], x.shape[-1]).unsqueeze(-1)
        task = task.unsqueeze(-2).expand(*places.shape[:-1], task.shape[-1])
        centre, spread = decoder.predict(
            part(meta, "decoder"), torch.cat([places, task], dim=-1)
        ).unbind(-1)
        return 2 * centre, 2 * softplus(spread) + FLOOR

    @property
    def predict_in_torch(self) -> InTorch | None:
        if not tells_of(self, "predict_in_torch", "predict", "parts"):
            return None
        return as_text.predicting(self.parts["encoder"], self.parts["decoder"], FLOOR)

    @property
    def draw_in_torch(self) -> str:
        return as_text.drawing(self.parts["encoder"], self.parts["decoder"], STEEP)
