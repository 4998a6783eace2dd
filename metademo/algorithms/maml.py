"""Model-Agnostic Meta-Learning (Finn, Abbeel & Levine 2017).

The meta-parameters are an initialisation theta. The outer gradient goes through the inner loop:

    theta_{k+1} = theta_k - alpha grad L_support(theta_k)
    min over theta_0 of the sum over tasks of L_query(theta_S)

By reverse accumulation (what autograd does here, step by step through the inner loop):

    lambda_S = grad L_query(theta_S)
    lambda_k = lambda_{k+1} - alpha * H(theta_k) lambda_{k+1}        H: Hessian of the support loss
"""

from __future__ import annotations

from dataclasses import dataclass

from metademo.algorithms.papers import FINN_2017
from metademo.algorithms.step_sizes import StepSizes

STEP_SIZES = {
    "fixed": "alpha, for all weights and steps",
    "learned": "one for each tensor and inner step, learned from alpha on",
}


@dataclass(frozen=True)
class MAML(StepSizes):
    """Second-order MAML: everything that :class:`GradientBased` does by default.

    Attributes:
        step_size: one of `STEP_SIZES`; the paper's are "fixed", to learn one for each tensor and
            inner step is from MAML++ (Antoniou, Edwards & Storkey 2019, section 4).
    """

    name = "maml"
    title = "MAML"
    summary = "learns an initialisation from which a few gradient steps fit a new task"
    about = (
        "Learns where to start. The inner loop is plain gradient descent on the support set. The "
        "outer loop asks how good the *adapted* weights are on the query set, and follows the "
        "answer back through every inner step to the weights they started from. All that is "
        "learned is an initialisation, chosen so that a few steps from it go a long way."
    )
    formula = (
        r"\theta_0 \leftarrow \theta_0 - \beta \, \nabla_{\theta_0} L_{\text{query}}(\theta_S)"
    )
    papers = (FINN_2017,)
    compiled = True
    per_step = True

    step_size: str = "fixed"

    @property
    def learns_step_sizes(self) -> bool:
        return self.step_size == "learned"
