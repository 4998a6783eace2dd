"""Meta-SGD (Li, Zhou, Chen & Li 2017, equation 2).

The step size is a vector of the regressor's size, learned like the initialisation: it says how far
each weight goes, and its sign whether down the gradient at all.

    theta' = theta - alpha o grad L_support(theta)
"""

from __future__ import annotations

from metademo.algorithms.step_sizes import LearnedStepSizes


class MetaSGD(LearnedStepSizes):
    """MAML with one learned step size for each weight."""

    name = "meta-sgd"
    title = "Meta-SGD"
    summary = "MAML that also learns how far each single weight goes in an inner step"
    per_weight = True
