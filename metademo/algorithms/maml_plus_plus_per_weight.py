"""MAML++ (Antoniou, Edwards & Storkey 2019) with Meta-SGD's step sizes (Li, Zhou, Chen & Li 2017).

A combination of the two rather than a published method: the step sizes are one for each weight, as
in Meta-SGD, and differ from one inner step to the next, as in MAML++, whose multi-step loss they
are trained with.

    theta_(k+1) = theta_k - alpha_k o grad L_support(theta_k)
"""

from __future__ import annotations

from metademo.algorithms.maml_plus_plus import MAMLPlusPlus
from metademo.algorithms.papers import ANTONIOU_2019, LI_2017


class MAMLPlusPlusPerWeight(MAMLPlusPlus):
    """MAML++ with a learned step size for each weight and inner step."""

    name = "maml++w"
    title = "MAML++ per weight"
    summary = "MAML++ that learns a step size for each single weight and inner step"
    about = (
        "A combination of MAML++ and Meta-SGD: each single weight has a learned step size, and a "
        "different one in each inner step. Like MAML++ it is judged after every inner step at "
        "first. So it learns what each step is for: a whole optimiser of as many steps as it was "
        "trained for, at the price of one more number for each weight and step."
    )
    formula = (
        r"\theta_{k+1} = \theta_k - \boldsymbol{\alpha}_k \odot \nabla L_{\text{support}}(\theta_k)"
    )
    papers = (ANTONIOU_2019, LI_2017)
    compiled = True
    per_weight = True
