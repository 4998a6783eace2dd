"""First-order MAML (Finn, Abbeel & Levine 2017, section 5.2).

MAML without its second derivatives: the inner gradients count as constants, so that the
meta-gradient is the query gradient at the adapted weights, used as if it were that of theta_0:

    grad = grad L_query(theta_S)            MAML's recursion with H = 0, so lambda_0 = lambda_S
"""

from __future__ import annotations

from dataclasses import replace

from metademo.algorithms.maml import MAML
from metademo.algorithms.papers import FINN_2017


class FOMAML(MAML):
    """MAML that takes the inner gradients for constants."""

    name = "fomaml"
    title = "First-order MAML"
    summary = "MAML without second derivatives: cheaper, and nearly as good"
    about = (
        "MAML without the Hessian: the inner gradients are taken for constants, so the query "
        "gradient at the adapted weights is used as if it belonged to the starting weights. It "
        "does not, but it points much the same way: an outer step costs less, and the result is "
        "often nearly as good."
    )
    formula = r"\lambda_0 = \lambda_S = \nabla L_{\text{query}}(\theta_S)"
    papers = (replace(FINN_2017, place="section 5.2"),)
    compiled = True
    order = "first"
