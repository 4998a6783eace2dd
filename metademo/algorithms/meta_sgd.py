"""Meta-SGD (Li, Zhou, Chen & Li 2017, equation 2).

The step size is a vector of the regressor's size, learned like the initialisation: it says how far
each weight goes, and its sign whether down the gradient at all.

    theta' = theta - alpha o grad L_support(theta)
"""

from __future__ import annotations

from metademo.algorithms.papers import LI_2017
from metademo.algorithms.step_sizes import StepSizes


class MetaSGD(StepSizes):
    """MAML with one learned step size for each weight."""

    name = "meta-sgd"
    title = "Meta-SGD"
    summary = "MAML that also learns how far each single weight goes in an inner step"
    about = (
        "Learns where to start, and how far to go: each single weight has an inner learning rate "
        "of its own, trained by the outer loop together with the initialisation. A rate may "
        "shrink to zero, so that its weight stays, or become negative, so that it goes uphill."
    )
    formula = (
        r"\theta_{k+1} = \theta_k - \boldsymbol{\alpha} \odot \nabla L_{\text{support}}(\theta_k)"
    )
    papers = (LI_2017,)
    compiled = True
    per_weight = True
