"""First-order MAML (Finn, Abbeel & Levine 2017, section 5.2).

MAML without its second derivatives: the inner gradients count as constants, so that the
meta-gradient is the query gradient at the adapted weights, used as if it were that of theta_0:

    grad = grad L_query(theta_S)            MAML's recursion with H = 0, so lambda_0 = lambda_S
"""

from __future__ import annotations

from metademo.algorithms.maml import MAML


class FOMAML(MAML):
    """MAML that takes the inner gradients for constants."""

    name = "fomaml"
    title = "First-order MAML"
    summary = "MAML without second derivatives: cheaper, and nearly as good"
    order = "first"
