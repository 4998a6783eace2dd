"""Gaussian process regression (Rasmussen & Williams 2006, chapters 2 and 5): a kernel for a prior.

    f ~ GP(0, k),   y = f(x) + e,   e ~ N(0, noise^2)

The posterior of f is closed form (their algorithm 2.1). A kernel has a few hyperparameters, and
these are all that a family teaches it: they are where the marginal likelihood of many of its tasks
is largest (their eq. 5.8, summed over tasks), which L-BFGS finds in less than a second. So there
is no outer loop, and nothing to ship: whoever needs them has them fitted, once for a kernel and a
family.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from metademo.algorithms.conditioned import Conditioned
from metademo.algorithms.learner import Meta
from metademo.algorithms.papers import RASMUSSEN_2006
from metademo.tasks import Examples, TaskFamily

TASKS, POINTS, SEED = 500, 10, 5
"""What hyperparameters are fitted to, with the seed of these tasks."""
LEAST = 1e-12
"""Least variance of a curve: what is below it is the rounding of the prior's."""

Interval = tuple[float, float]
Vector = npt.NDArray[np.float64]
NOISE, PERIOD = (-6.0, 0.0), (-0.3, 0.3)
"""Where log noise and log period are looked for. Without noise the likelihood has no maximum but
the lower end; a period far off has many maxima that mean nothing."""


class GaussianProcess(Conditioned):
    """The posterior of a Gaussian process whose hyperparameters were fitted to a family.

    A subclass has a kernel, and says between which ends the logarithm of each hyperparameter is
    looked for (`bounds`). There is no network, so that most settings mean nothing.
    """

    way = "infer"
    bands = True
    bounds: ClassVar[Mapping[str, Interval]]

    @classmethod
    def for_family(
        cls, settings: Any, family: TaskFamily, rng: np.random.Generator
    ) -> tuple[Self, Meta]:
        """See `Learner.for_family`; nothing is left to chance, so that `rng` is not asked."""
        return cls.configured(settings, family.kind), dict(_fitted(cls, family))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(self.bounds, ())

    def init(self, rng: np.random.Generator) -> Meta:
        """Where the fit starts: half way between the bounds, in double precision."""
        return _named(self.bounds, torch.tensor([*self.bounds.values()]).double().mean(-1))

    def cost(self, steps: int) -> str:
        return "one linear system"

    @abstractmethod
    def kernel(self, meta: Meta, apart: Tensor) -> Tensor:
        """The prior covariance of two places so far `apart`, of the same shape."""

    def predict(
        self, meta: Meta, support: Examples[Tensor], seen: Tensor, x: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See `Conditioned.predict`; in double precision, as the covariance is all but singular."""
        precise = {name: value.double() for name, value in meta.items()}
        known, counts = support.x.double(), seen.double()
        both = counts.unsqueeze(-1) * counts.unsqueeze(-2)
        cross = self.kernel(precise, known.unsqueeze(-1) - x.double().unsqueeze(-2))
        shift, variance = posterior(
            both * self.kernel(precise, _apart(known)) + _noise(precise, known),
            counts.unsqueeze(-1) * cross,
            self.kernel(precise, torch.zeros_like(x, dtype=torch.float64)),
            counts * support.labels.double(),
        )
        return shift.to(seen.dtype), variance.clamp_min(LEAST).sqrt().to(seen.dtype)

    def negative_log_likelihood(self, meta: Meta, points: Examples[Tensor]) -> Tensor:
        """Of the labels of points (tasks, points), the mean over tasks: their eq. 2.30."""
        covariance = self.kernel(meta, _apart(points.x)) + _noise(meta, points.x)
        zero = torch.zeros_like(points.x)
        process = torch.distributions.MultivariateNormal(zero, covariance)
        return -process.log_prob(points.labels).mean()


class RBF(GaussianProcess):
    """Smooth functions, and no more."""

    name = "gp-rbf"
    title = "Smooth GP"
    summary = "expects smooth curves and no more (RBF kernel): a yardstick, fitted to the family"
    about = (
        "A Gaussian process (GP) expects places near each other to have values alike. How near, "
        "how alike and how noisy it has from 500 tasks of the family: there its *marginal "
        "likelihood* is largest. The points of a task turn that into a posterior, exactly and in "
        "closed form. All that this one knows is that curves are smooth; between points far apart "
        "it falls back to zero."
    )
    formula = r"k(x, x') = s^2 \exp\!\Big(\!-\frac{(x - x')^2}{2 l^2}\Big)"
    papers = (replace(RASMUSSEN_2006, place="section 4.2.1"),)
    bounds: ClassVar = {"log_scale": (-2.0, 3.0), "log_length": (-2.0, 2.5), "log_noise": NOISE}

    def kernel(self, meta: Meta, apart: Tensor) -> Tensor:
        length, scale = meta["log_length"].exp(), meta["log_scale"].exp()
        return scale.square() * (-(apart / length).square() / 2).exp()


class Periodic(GaussianProcess):
    """Smooth functions that repeat themselves (Rasmussen & Williams 2006, eq. 4.31)."""

    name = "gp-periodic"
    title = "Periodic GP"
    summary = "expects smooth curves that repeat themselves: a yardstick, fitted to the family"
    about = (
        "A Gaussian process whose kernel also knows that curves repeat themselves; the period is "
        "fitted to the family, too. A point tells of all places whole periods away. Where all "
        "waves are sines without noise, the length scale goes to the end of what is allowed: the "
        "longer it is, the nearer come its draws to a constant and a sine."
    )
    formula = r"k(x, x') = s^2 \exp\!\Big(\!-\frac{2}{l^2} \sin^2 \frac{x - x'}{2 p}\Big)"
    papers = (replace(RASMUSSEN_2006, place="section 4.2.3"),)
    bounds: ClassVar = {
        "log_scale": (-2.0, 4.0),
        "log_length": (-1.0, 4.0),
        "log_period": PERIOD,
        "log_noise": NOISE,
    }

    def kernel(self, meta: Meta, apart: Tensor) -> Tensor:
        length, scale = meta["log_length"].exp(), meta["log_scale"].exp()
        turn = (apart / (2 * meta["log_period"].exp())).sin() / length
        return scale.square() * (-2 * turn.square()).exp()


class Cosine(GaussianProcess):
    """Sines of one frequency: what `Oracle` fits, a sin + b cos, with a and b from N(0, s^2)."""

    name = "gp-cosine"
    title = "Sine GP"
    summary = "expects sines of one frequency: a yardstick, fitted to the family"
    about = (
        "A Gaussian process of which every draw is a sine wave, of any phase and of an amplitude "
        "that is Rayleigh distributed. What least squares on a sine is told it has as a *prior*, "
        "so that it knows how sure it may be, and does better on few noisy points: it believes "
        "them no more than they deserve."
    )
    formula = r"k(x, x') = s^2 \cos \frac{x - x'}{l}"
    papers = (replace(RASMUSSEN_2006, place="section 2.2"),)
    bounds: ClassVar = {"log_scale": (-2.0, 3.0), "log_length": PERIOD, "log_noise": NOISE}

    def kernel(self, meta: Meta, apart: Tensor) -> Tensor:
        length, scale = meta["log_length"].exp(), meta["log_scale"].exp()
        return scale.square() * (apart / length).cos()


def posterior(
    covariance: Tensor, cross: Tensor, prior: Tensor, surprise: Tensor
) -> tuple[Tensor, Tensor]:
    """What Gaussian labels of points say of other places (their algorithm 2.1).

    Args:
        covariance: of the labels, their noise included, (*batch, points, points).
        cross: of labels with places, (*batch, points, places).
        prior: variance at the places, (places,) or (*batch, places).
        surprise: by how much labels differ from their prior means, (*batch, points).

    Returns:
        What to add to the prior means, and the variance that is left, (*batch, places); NaN where
        the covariance is none.
    """
    root, fault = torch.linalg.cholesky_ex(covariance)
    # What ran away is no number, and not an exception.
    root = root.masked_fill(fault[..., None, None] > 0, torch.nan)
    gain = torch.linalg.solve_triangular(root, cross, upper=False)
    whitened = torch.linalg.solve_triangular(root, surprise.unsqueeze(-1), upper=False)
    variance = (prior - gain.square().sum(-2)).clamp_min(0)
    return (gain.mT @ whitened).squeeze(-1), variance


@functools.cache
def _fitted(kind: type[GaussianProcess], family: TaskFamily) -> Meta:
    """The hyperparameters with the largest marginal likelihood of 500 tasks of 10 points."""
    process, rng = kind(), np.random.default_rng(SEED)
    _, episode = family.sample_episodes(rng, TASKS, shots=POINTS, queries=0)
    points = episode.support.map(torch.from_numpy)

    def loss(place: Vector) -> tuple[float, Vector]:
        at = torch.from_numpy(place).requires_grad_()
        value = process.negative_log_likelihood(_named(kind.bounds, at), points)
        (gradient,) = torch.autograd.grad(value, at)
        return value.item(), gradient.numpy()

    # Not PyTorch's own L-BFGS: it knows no bounds, and its first use loads PyTorch's compiler.
    from scipy.optimize import minimize  # half a second, which nobody else has to wait for

    ends = [*kind.bounds.values()]
    found = minimize(loss, np.mean(ends, axis=-1), jac=True, method="L-BFGS-B", bounds=ends)
    return _named(kind.bounds, torch.from_numpy(found.x))


def _named(names: Iterable[str], place: Tensor) -> Meta:
    """The numbers (numbers,) of `place` by their names."""
    return dict(zip(names, place, strict=True))


def _apart(x: Tensor) -> Tensor:
    """How far apart any two of the places (*batch, places) are: (*batch, places, places)."""
    return x.unsqueeze(-1) - x.unsqueeze(-2)


def _noise(meta: Meta, x: Tensor) -> Tensor:
    """The covariance of the labels' noise, (points, points)."""
    count = x.shape[-1]
    return (2 * meta["log_noise"]).exp() * torch.eye(count, dtype=x.dtype, device=x.device)
