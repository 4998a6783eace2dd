"""Domain-Adaptive Meta-Learning (Yu et al. 2018), on sine waves.

The inner loop sees no labels. It descends a *learned* adaptation loss, a second network g_psi that
looks at the regressor's activations on one unlabelled source-domain input x_s:

    L_adapt(theta, psi; x_s) = g_psi(y, h2, h1)^2 / 2,    y, h2, h1 = activations of theta at x_s

The outer loop trains theta and psi together, by the query loss in the target domain after the inner
steps: psi is judged only by what descending it does to the regressor.

The article of 2018 has |g_psi| with ReLU units. There its biases never get a gradient (adding a
constant to g does not turn its slope in theta), and where all units of a layer are closed the loss
is a constant: many seeds learn nothing, and in others only the first step moves anything. Squared,
and with units that leak (slope 0.1 below zero, in g_psi alone), every step has a gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from metademo.algorithms.gradient_based import GradientBased
from metademo.algorithms.learner import Meta, part
from metademo.algorithms.papers import YU_2018
from metademo.network import MLP, Network, Params, Regressor, regressor
from metademo.tasks import CURVES, Examples, TaskFamily

LEARNED_LOSSES = {"absolute": "|g|, as in the article", "squared": "g^2 / 2, with leaky units"}


@dataclass(frozen=True)
class DAML(GradientBased):
    """MAML with a learned, label-free inner loss.

    Attributes:
        learned_loss: how the inner loss is made of g_psi, one of `LEARNED_LOSSES`.
    """

    name = "daml"
    title = "DAML"
    summary = "learns an initialisation and a loss that adapts it from one unlabelled input"
    about = (
        "MAML without labels in the inner loop. What the inner loop descends is itself a network, "
        "$g_\\psi$, that looks at the activations of the first one on a single source-domain "
        "input. The outer loop trains both, by the labelled query set in the target domain: the "
        "loss is judged only by what descending it does. It is half the square of what the network "
        "puts out; in the article of 2018 it was the absolute value, which left many steps without "
        "a gradient."
    )
    formula = r"L_{\text{adapt}}(\theta, \psi; x_s) = \tfrac12\, g_\psi(y, h_2, h_1)^2"
    papers = (YU_2018,)
    compiled = True
    unlabelled = True

    learned_loss: str = "absolute"

    @classmethod
    def unsuited(cls, family: TaskFamily) -> str:
        if family.kind is not CURVES:
            return f"{cls.name} learns from a network of curves, and {family.name} has another"
        return super().unsuited(family)

    @property
    def network(self) -> Regressor:
        return regressor(self.hidden, self.activation)

    @property
    def adaptation_loss(self) -> MLP:
        """g_psi: from (y, h2, h1) to one number."""
        activation = self.activation if self.learned_loss == "absolute" else "leaky-relu"
        return MLP((1 + 2 * self.hidden, self.hidden, self.hidden, 1), activation)

    @property
    def parts(self) -> dict[str, Network]:
        return super().parts | {"adaptation_loss": self.adaptation_loss}

    def inner_loss(
        self, meta: Meta, params: Params, support: Examples[Tensor], step: int
    ) -> Tensor:
        """At one source input per inner step; a shorter sequence of them starts again."""
        k = step % max(1, support.x.shape[1])
        inputs = support.x[:, k : k + 1, None]
        activations = torch.cat(self.network.activations(params, inputs), dim=-1)
        g = self.adaptation_loss.predict(part(meta, "adaptation_loss"), activations)
        loss = g.abs() if self.learned_loss == "absolute" else 0.5 * g.square()
        return loss.flatten(1).sum(-1)  # of one value; of none if there is no input

    @property
    def network_in_torch(self) -> str:
        network = self.network.activations_in_torch(self.kind.role, "network")
        return f"{network}\n\n{self.adaptation_loss.in_torch('adaptation_loss', 'g_psi')}"

    @property
    def inner_loss_in_torch(self) -> str:
        loss, what = (
            ("g.abs()", "|g|")
            if self.learned_loss == "absolute"
            else ("0.5 * g.square()", "g^2 / 2")
        )
        return f'''\
def inner_loss(theta, x_s, y, k):
    """The learned loss {what}, of all activations at one source input; there is no label."""
    seen = x_s[..., k % x_s.shape[-1], None]
    g = g_psi(theta, torch.cat(activations(theta, seen), dim=-1))
    return {loss}.sum((-2, -1))
'''
