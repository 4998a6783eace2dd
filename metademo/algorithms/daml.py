"""Domain-Adaptive Meta-Learning (Yu et al. 2018), on sine waves.

The inner loop sees no labels. It descends a *learned* adaptation loss, a second network g_psi that
looks at the regressor's activations on one unlabelled source-domain input x_s:

    L_adapt(theta, psi; x_s) = | g_psi(y, h2, h1) |,   y, h2, h1 = activations of theta at x_s

The outer loop trains theta and psi together, by the query loss in the target domain after the inner
steps: psi is judged only by what descending it does to the regressor.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from metademo.algorithms.base import Algorithm, Meta, part
from metademo.fused import Problem
from metademo.network import MLP, Params
from metademo.tasks import Examples


class DAML(Algorithm):
    """MAML with a learned, label-free inner loss."""

    name = "daml"
    title = "DAML"
    summary = "learns an initialisation and a loss that adapts it from one unlabelled input"
    about = (
        "MAML without labels in the inner loop. What the inner loop descends is itself a network, "
        "$g_\\psi$, that looks at the activations of the first one on a single source-domain "
        "input. The outer loop trains both, by the labelled query set in the target domain: the "
        "loss is judged only by what descending it does."
    )
    formula = r"L_{\text{adapt}}(\theta, \psi; x_s) = |\, g_\psi(y, h_2, h_1) \,|"
    citation = (
        "Yu, Finn, Xie, Dasari, Zhang, Abbeel, Levine: *One-Shot Imitation from Observing Humans "
        "via Domain-Adaptive Meta-Learning*, RSS 2018"
    )
    unlabelled = True

    @property
    def adaptation_loss(self) -> MLP:
        """g_psi: from (y, h2, h1) to one number."""
        return MLP((1 + 2 * self.hidden, self.hidden, self.hidden, 1), self.activation)

    @property
    def parts(self) -> dict[str, MLP]:
        return super().parts | {"adaptation_loss": self.adaptation_loss}

    def problem(self, steps: int) -> Problem | None:
        problem = super().problem(steps)
        return problem and replace(problem, adaptation_hidden=self.hidden)

    def inner_loss(self, meta: Meta, params: Params, support: Examples, step: int) -> Tensor:
        """|g_psi| at one source input per inner step; a shorter sequence of them starts again."""
        k = step % max(1, support.x.shape[1])
        inputs = support.x[:, k : k + 1, None]
        activations = torch.cat(self.regressor.activations(params, inputs), dim=-1)
        verdict = self.adaptation_loss.activations(part(meta, "adaptation_loss"), activations)[0]
        return verdict.abs().flatten(1).sum(-1)  # of one value; of none if there is no input
