"""A toy: a learner without an inner loop. Bayesian linear regression on fixed features.

All of it is here, as a new learner would be in a file of `metademo/algorithms/`, for one row of the
registry. What it meta-learns is how much each feature counts, and how noisy labels are. Its steps
are labelled points: after k of them it has seen the first k. It knows how sure it is.
"""

from dataclasses import dataclass

import numpy as np
import torch

from metademo.algorithms import Learner, Predictions
from metademo.algorithms.learner import checked_steps, tensor_like


@dataclass(frozen=True)
class Fourier(Learner):
    """The posterior of weights on sines and cosines, in closed form."""

    name = "fourier"
    title = "Fourier features"
    summary = "fits weights on fixed features in closed form, and learns how much each counts"

    hidden: int = 32

    @property
    def shapes(self):
        return {"log_scales": (2 * self.hidden,), "log_noise": ()}

    def init(self, rng):
        return {"log_scales": torch.zeros(2 * self.hidden), "log_noise": torch.tensor(-1.0)}

    @property
    def gradients_per_task(self):
        return 1

    def cost(self, steps):
        return "one linear system"

    def outer_loss(self, meta, episode, weights=None):
        support, query = episode.map(tensor_like(meta))
        mean, _ = self._posterior(meta, support, torch.ones_like(support.x), query.x)
        return self.kind.losses["mse"](mean, query.labels)

    @torch.no_grad()
    def run(self, meta, support, x, *, steps=None, inner_lr=None):
        self.check_support(support)
        support, inputs = support.map(tensor_like(meta)), tensor_like(meta)(x)
        points = support.x.shape[1]
        steps = checked_steps(points if steps is None else steps)
        outputs, losses, std = [], [], []
        for k in range(steps + 1):
            seen = (torch.arange(points) < k).to(support.x).expand_as(support.x)
            mean, deviation = self._posterior(meta, support, seen, inputs)
            outputs.append(mean)
            std.append(deviation)
            fit, _ = self._posterior(meta, support, seen, support.x)
            losses.append(self.kind.losses["mse"](fit, support.labels))
        return Predictions(*(torch.stack(rows).numpy() for rows in (outputs, losses, std)))

    def _posterior(self, meta, support, seen, x):
        """Mean and standard deviation at x, from the points that are `seen` (a mask)."""
        scales, noise = meta["log_scales"].exp(), meta["log_noise"].exp()
        known = self._features(support.x) * scales * seen.unsqueeze(-1)
        asked = self._features(x) * scales
        precision = known.mT @ known / noise**2 + torch.eye(len(scales)).to(noise)
        covariance = torch.linalg.inv(precision)
        mean = covariance @ known.mT @ (support.labels * seen).unsqueeze(-1) / noise**2
        variance = ((asked @ covariance) * asked).sum(-1)
        return (asked @ mean).squeeze(-1), variance.sqrt()

    def _features(self, x):
        angles = x.unsqueeze(-1) * torch.linspace(0.25, 3, self.hidden).to(x)
        return torch.cat([angles.sin(), angles.cos()], dim=-1) / np.sqrt(self.hidden)
