"""Almost No Inner Loop (Raghu, Raghu, Bengio & Vinyals 2020, section 4).

MAML whose inner loop moves the last layer only. The body is learned by the outer loop and serves
all tasks as it is: the features are reused, and a task finds its own head on them.
"""

from __future__ import annotations

from torch import Tensor

from metademo.algorithms.learner import Meta, part
from metademo.algorithms.maml import MAML
from metademo.algorithms.papers import RAGHU_2020
from metademo.inner import Adaptation
from metademo.network import Embedding, Params
from metademo.tasks import Examples


class ANIL(MAML):
    """MAML on the head; inner steps leave the body alone."""

    name = "anil"
    title = "ANIL"
    summary = "MAML that adapts the last layer only: features for all tasks, a head for each"
    about = (
        "Almost no inner loop: only the last layer, the *head*, adapts to a task. The layers "
        "below it are learned by the outer loop and serve all tasks as they are. It asks what "
        "MAML really learns: to change its features quickly, or to have features that only need "
        "another head?"
    )
    formula = (
        r"\theta_{k+1}^{\text{head}} = \theta_k^{\text{head}} "
        r"- \alpha \, \nabla_{\!\text{head}} \, L_{\text{support}}(\theta_k)"
    )
    papers = (RAGHU_2020,)
    compiled = True

    @property
    def moving(self) -> tuple[str, ...]:
        return self.network.head

    def _inner_loop(
        self, meta: Meta, support: Examples[Tensor], steps: int, **options: bool
    ) -> Adaptation:
        """As of every learner; but what a large body makes of the support set is computed once."""
        if isinstance(self.network, Embedding):
            features = self.network.features(part(meta, self.kind.role), support.x)
            support = support._replace(x=features)
        return super()._inner_loop(meta, support, steps, **options)

    def inner_loss(
        self, meta: Meta, params: Params, support: Examples[Tensor], step: int
    ) -> Tensor:
        if not isinstance(self.network, Embedding):
            return super().inner_loss(meta, params, support, step)
        logits = self.network.classify(params, support.x)
        return self.kind.losses[self.support_loss or self.loss](logits, support.labels)

    # What is computed once is what would be computed at each step, so that the words stay.

    @property
    def inner_loss_in_torch(self) -> str:
        return super().inner_loss_in_torch

    def own_in_torch(self, many: bool) -> str:
        return super().own_in_torch(many)
