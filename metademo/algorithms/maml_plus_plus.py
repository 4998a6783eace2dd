"""MAML++ (Antoniou, Edwards & Storkey 2019), as far as it concerns this network.

Two of its changes to MAML: a learned step size for each layer and inner step (LSLR; here for each
weight matrix and each bias vector), and the multi-step loss (MSL): the query loss is taken after
*every* inner step,

    L = sum over k of w_k L_query(theta_k)

with equal weights at first, which pass to the last step while training goes on (section 4). The
network has no batch normalisation, which the paper's other changes are about.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from metademo.algorithms.papers import ANTONIOU_2019, Paper
from metademo.algorithms.step_sizes import StepSizes

ANNEALED = 0.2
"""The share of the outer steps after which only the last query loss counts."""


class MAMLPlusPlus(StepSizes):
    """MAML with learned step sizes per tensor and inner step, and a multi-step query loss."""

    name = "maml++"
    title = "MAML++"
    summary = "MAML that learns its step sizes per layer and step, judged after every inner step"
    about = (
        "MAML with two changes that make its training steadier. Each inner step has its own "
        "learned step sizes, one for each weight matrix and bias vector. And at first the query "
        "loss is taken after *every* inner step, not after the last one alone, so that the outer "
        "gradient has a shorter way to go; the weights $w_k$ pass to the last step as training "
        "goes on."
    )
    formula = r"L = \sum_{k=1}^{S} w_k \, L_{\text{query}}(\theta_k)"
    papers: ClassVar[tuple[Paper, ...]] = (ANTONIOU_2019,)
    compiled = True
    per_step = True

    def query_weights(self, progress: float) -> np.ndarray | None:
        """Equal weights on steps 1 .. S, handed over in a line to step S."""
        steps, passed = self.trained_steps, min(1.0, progress / ANNEALED)
        if passed == 1 or steps < 2:
            return super().query_weights(progress)
        weights = np.full(steps + 1, (1 - passed) / steps)
        weights[0] = 0
        weights[-1] += passed
        return weights

    @property
    def query_weights_in_torch(self) -> str:
        steps, afterwards = self.trained_steps, super().query_weights(1.0)
        if steps < 2:
            return super().query_weights_in_torch
        last = (
            ""
            if afterwards is None
            else f"""\
    if passed == 1:
        return {afterwards.tolist()}
"""
        )
        return f'''\
def query_weights(progress):
    """All inner steps count alike at first; their weights pass to the last one."""
    passed = min(1, progress / {ANNEALED})
{last}\
    return [0] + [(1 - passed) / {steps}] * {steps - 1} + [(1 - passed) / {steps} + passed]
'''
