"""Reptile (Nichol, Achiam & Schulman 2018, algorithm 2).

No query set is needed to learn: the initialisation is pulled towards the adapted weights.

    theta <- theta + beta * mean over tasks of (theta_S - theta)

so theta - theta_S takes the place of the meta-gradient. After one inner step it is alpha times the
support gradient, which is joint training; what is learned about learning comes from the steps after
the first, whose gradients are taken where the ones before have led (the paper's section 5).
"""

from __future__ import annotations

from torch import Tensor

from metademo.algorithms import gradient_steps_in_torch as as_text
from metademo.algorithms.gradient_based import GradientBased
from metademo.algorithms.learner import Meta, Weights, part, tensor_like
from metademo.algorithms.papers import NICHOL_2018
from metademo.tasks import Array, Episode


class Reptile(GradientBased):
    """Moves the initialisation towards where the inner loop ends."""

    name = "reptile"
    title = "Reptile"
    summary = "pulls the initialisation towards each task's adapted weights; no second derivatives"
    about = (
        "Needs neither a query set nor second derivatives. It adapts to a task, then moves the "
        "starting point a little towards where the inner loop ended, and does so again with the "
        "next task. One inner step alone would be joint training; what later steps see depends on "
        "where earlier ones have led, and that is how it learns about learning."
    )
    formula = r"\theta_0 \leftarrow \theta_0 + \beta \, (\theta_S - \theta_0)"
    papers = (NICHOL_2018,)
    order = "reptile"
    compiled = True

    @property
    def gradients_per_task(self) -> int:
        return self.trained_steps

    def meta_gradient(
        self, meta: Meta, episode: Episode[Array | Tensor], weights: Weights | None = None
    ) -> tuple[Meta, Tensor]:
        """Mean of theta - theta_S over tasks; the query loss is for the record only."""
        trajectory = self.adapt(meta, episode.support, steps=self.trained_steps).trajectory
        query = episode.query.map(tensor_like(meta))
        loss = self.query_loss(trajectory, query, weights).mean()
        gradient = {
            f"{self.kind.role}.{name}": theta - trajectory[-1][name].mean(0)
            for name, theta in part(meta, self.kind.role).items()
        }
        return gradient, loss

    @property
    def meta_gradient_in_torch(self) -> str:
        return f'''\
def meta_gradient(theta, x, y, query_x, query_y, progress):
    """The mean way back from where the inner loop ends; the query loss is for the record only."""
{as_text.adapted(self, along=False)}\
    gradients = {{name: (theta[name] - fast[name].mean(0)).detach() for name in theta}}
    return gradients, query_loss(fast, query_x, query_y).mean().detach()
'''
