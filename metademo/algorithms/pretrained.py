"""The contrast: one network trained ordinarily on all tasks at once, then fine-tuned.

This is transfer learning, with which meta-learning is to be compared: the outer loop minimises the
error *before* any adaptation, so nothing prepares the weights for the gradient steps that follow.
By squared errors it learns the mean of all waves; for two opposite ones that is the zero line. The
steps that follow fit the points, and not the wave between them.
"""

from __future__ import annotations

from dataclasses import replace

from metademo.algorithms.gradient_based import GradientBased
from metademo.algorithms.papers import ARTICLE, FINN_2017
from metademo.tasks import TaskFamily


class Pretrained(GradientBased):
    """Joint training; the inner loop only runs afterwards, as fine-tuning."""

    name = "pretrained"
    title = "Ordinary training"
    summary = "learns all tasks at once, without adapting; the inner loop only fine-tunes it"
    about = (
        "The contrast: transfer learning. One network is trained on all tasks at once, without "
        "any inner loop, and then fine-tuned on the support set by the same gradient steps as the "
        "others. It learns the average of all waves, for two opposite ones the zero line. The "
        "steps then bend it towards the points, but nothing has told it that a wave runs through "
        "them."
    )
    formula = r"\theta_0 \leftarrow \theta_0 - \beta \, \nabla L_{\text{query}}(\theta_0)"
    papers = (ARTICLE, replace(FINN_2017, place="section 5.1"))
    way = ""
    compiled = True

    @classmethod
    def unsuited(cls, family: TaskFamily) -> str:
        if family.kind.fresh_head:
            return (
                f"{cls.name} learns before any step, and with {family.name} the last layer is all "
                "zeros then"
            )
        return super().unsuited(family)

    @property
    def trained_steps(self) -> int:
        return 0
