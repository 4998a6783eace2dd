"""Adaptive learning for probabilistic connectionist architectures (Harrison, Sharma & Pavone 2018).

Bayesian linear regression on learned features, with a learned prior (their section 3):

    y = phi(x) . w + e,   w ~ N(m, A A^T),   e ~ N(0, s^2)

Features, prior and noise are meta-learned; a task's posterior is closed form. It is taken here in
the points instead of the weights, which is the same (Rasmussen & Williams 2006, eq. 2.12) and less
work for a few points: with U = phi A the kernel is U U^T.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms import alpaca_in_torch as as_text
from metademo.algorithms.conditioned import PI, Conditioned
from metademo.algorithms.gaussian_process import posterior
from metademo.algorithms.in_torch import InTorch, tells_of
from metademo.algorithms.learner import Meta, part
from metademo.algorithms.papers import HARRISON_2018
from metademo.network import MLP
from metademo.tasks import Examples

FLOOR = 1e-5
"""Least variance of labels: without noise there is no limit to how sure it would become."""
NOISE = 0.01
"""Variance of labels and of waves about the features, before training."""


class ALPaCA(Conditioned):
    """The posterior of a last layer, in closed form, on features that were meta-learned for it."""

    name = "alpaca"
    title = "ALPaCA"
    summary = "infers the last layer by Bayes' rule on learned features, and knows how sure it is"
    about = (
        "Adaptive learning for probabilistic connectionist architectures. The outer loop learns "
        "features, and what weights on them to expect before anything is seen: a *prior*. The "
        "points of a task turn it into a *posterior* by Bayes' rule, in closed form: no gradient "
        "step, the exact answer at once. With it comes a band: how far the curve may be from its "
        "mean at each x."
    )
    formula = (
        r"\begin{aligned} p(w \mid \text{points}) \propto{} & N(w; m, A A^\top) \\ "
        r"& \cdot \prod_i N(y_i; \varphi(x_i)^\top w, \sigma^2) \end{aligned}"
    )
    bands = True
    papers = (HARRISON_2018,)
    way = "infer"

    @property
    def body(self) -> MLP:
        """What makes the features, half as many as hidden units."""
        return MLP((1, self.hidden, self.hidden, max(1, self.hidden // 2)), "tanh")

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        features = self.body.sizes[-1]
        body = {f"features.{name}": shape for name, shape in self.body.shapes.items()}
        prior = {"prior.mean": (features,), "prior.factor": (features, features)}
        return body | prior | {"log_noise": (), "log_misfit": ()}

    def init(self, rng: np.random.Generator) -> Meta:
        body = self.body.init(rng)
        # Steep and spread out, so that the first layer covers all of the inputs.
        body["0.weight"] *= 3
        body["0.bias"] += torch.from_numpy(rng.uniform(-3, 3, self.hidden).astype(np.float32))
        features = self.body.sizes[-1]
        prior = {"prior.mean": torch.zeros(features), "prior.factor": torch.eye(features)}
        noise = torch.tensor(float(np.log(NOISE)))
        named = {f"features.{name}": value for name, value in body.items()}
        return named | prior | {"log_noise": noise, "log_misfit": noise.clone()}

    def cost(self, steps: int) -> str:
        return "one linear system"

    def predict(
        self, meta: Meta, support: Examples[Tensor], seen: Tensor, x: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See `Conditioned.predict`.

        The standard deviation is that of the posterior and of what the features can't follow.
        """
        mean, variance = self.posterior(meta, support, seen, x)
        misfit = meta["log_misfit"].exp() + FLOOR
        return mean, (variance + misfit).sqrt()

    def posterior(
        self, meta: Meta, support: Examples[Tensor], seen: Tensor, x: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mean and variance of phi(x) . w, given the points that are seen; see `predict`."""
        dtype = seen.dtype
        # In double precision: points side by side make the system all but singular.
        m, factor = meta["prior.mean"].double(), meta["prior.factor"].double().tril()
        noise = meta["log_noise"].double().exp() + FLOOR
        known, asked = self.features(meta, support.x).double(), self.features(meta, x).double()
        counts = seen.double().unsqueeze(-1)
        surprise = seen.double() * (support.labels.double() - known @ m)
        u, v = counts * (known @ factor), asked @ factor
        covariance = u @ u.mT + noise * torch.eye(u.shape[-2], dtype=torch.float64).to(u.device)
        shift, variance = posterior(covariance, u @ v.mT, v.square().sum(-1), surprise)
        mean = asked @ m + shift
        return mean.to(dtype), variance.to(dtype)

    def features(self, meta: Meta, x: Tensor) -> Tensor:
        """phi at x: one more axis, of the features."""
        inputs = (x / (2 * PI)).unsqueeze(-1)
        return self.body.predict(part(meta, "features"), inputs).tanh()

    @property
    def predict_in_torch(self) -> InTorch | None:
        if not tells_of(self, "predict_in_torch", "predict", "posterior", "features", "body"):
            return None
        return as_text.predicting(self.body, FLOOR)

    @property
    def draw_in_torch(self) -> str:
        return as_text.drawing(self.body, NOISE)
