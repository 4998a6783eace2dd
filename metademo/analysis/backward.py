"""One outer step of MAML in slow motion, and what two cheaper algorithms would have done instead.

A meta-batch of tasks adapts from the same theta_0; the gradient of each query loss goes back
through the inner loop, one Hessian-vector product a step:

    lambda_S = grad L_query(theta_S)
    lambda_k = lambda_{k+1} - H(theta_k) (alpha o lambda_{k+1})    H: Hessian of the support loss

MAML's gradient is the mean of lambda_0, that of first-order MAML the mean of lambda_S, and Reptile
takes the mean of theta_0 - theta_S in its place. All of them are vectors in the space of weights,
of which a `Projection` shows as much as a plane can.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms import GradientBased, Meta
from metademo.analysis.walk import Walk
from metademo.models import Model
from metademo.tasks import Array, Episode, Examples

DIRECTIONS = ("maml", "fomaml", "reptile")
"""Whose directions are compared, by the names of the algorithms."""
SAME = 1e-9
"""A vector of a smaller share of another's length is taken for none."""


@dataclass(frozen=True)
class OuterStep:
    """One outer step on a meta-batch, by plain gradient descent along MAML's direction.

    Attributes:
        walks: the inner loop of each task; its truth is the query set, its metric the query loss.
        lambdas: of each task, (tasks, S + 1, weights).
        beta: the outer learning rate.
        again: the inner loops of the same tasks from where the step leads.
    """

    walks: tuple[Walk, ...]
    lambdas: Tensor
    beta: float
    again: tuple[Walk, ...]

    @property
    def steps(self) -> int:
        return self.walks[0].steps

    @property
    def start(self) -> Tensor:
        """theta_0 before the step, (weights,)."""
        return self.walks[0].weights[0]

    @property
    def moved(self) -> Tensor:
        """theta_0 after it, (weights,)."""
        return self.again[0].weights[0]

    @property
    def finite(self) -> bool:
        """Whether nothing has run away."""
        ends = self.lambdas.sum() + self.trajectory.sum() + self.moved.sum()
        return bool(np.isfinite([float(ends), self.losses_again.sum()]).all())

    @functools.cached_property
    def trajectory(self) -> Tensor:
        """theta_0 .. theta_S of each task, (tasks, S + 1, weights)."""
        return torch.stack([walk.weights for walk in self.walks])

    @functools.cached_property
    def query_losses(self) -> Array:
        """Of each task after 0 .. S inner steps, (tasks, S + 1)."""
        return torch.stack([walk.true_losses for walk in self.walks]).numpy()

    @functools.cached_property
    def losses_again(self) -> Array:
        """Of each task after 0 .. S inner steps from where the outer step leads, (tasks, S + 1)."""
        return torch.stack([walk.true_losses for walk in self.again]).numpy()

    @functools.cached_property
    def directions(self) -> dict[str, Tensor]:
        """What each of `DIRECTIONS` descends at theta_0, (weights,) each."""
        return _directions(self.trajectory, self.lambdas)

    @property
    def angles(self) -> dict[tuple[str, str], float]:
        """Between each two directions, in degrees; not a number where one has no length."""
        pairs = [(a, b) for i, a in enumerate(DIRECTIONS) for b in DIRECTIONS[i + 1 :]]
        return {(a, b): angle(self.directions[a], self.directions[b]) for a, b in pairs}

    def curves(self, x: Array) -> tuple[Array, Array]:
        """What the networks put out at x, (points,).

        Returns:
            After 0 .. S inner steps, from theta_0 and from where the outer step leads, each
            (tasks, S + 1, points).
        """
        inputs = torch.as_tensor(x).double()
        before, after = (
            torch.stack([walk.predict(walk.weights, inputs) for walk in walks])
            for walks in (self.walks, self.again)
        )
        return before.numpy(), after.numpy()

    @property
    def offsets(self) -> Tensor:
        """Where each inner loop ends, as seen from theta_0, (tasks, weights)."""
        return self.trajectory[:, -1] - self.start

    @functools.cached_property
    def plane(self) -> Projection:
        """The plane through theta_0 that holds most of what is drawn; MAML's step goes right."""
        directions = torch.stack(list(self.directions.values()))
        found = projection_of(self.offsets, self.lambdas.flatten(0, 1), directions)
        return found.turned(-self.directions["maml"], up=self.offsets.sum(0))


def outer_step(
    learner: GradientBased, meta: Meta, episode: Episode[Array], beta: float
) -> OuterStep:
    """Take the step.

    Args:
        meta: meta-parameters; of those the step moves the initialisation alone.
        episode: the meta-batch.
    """
    walks = tuple(_walks(learner, meta, episode))
    lambdas = torch.stack([backward(walk) for walk in walks])
    descended = lambdas[:, 0].mean(0)
    ahead = _moved(walks[0], descended, beta)
    return OuterStep(walks, lambdas, beta, tuple(_walks(learner, ahead, episode)))


def after_steps(
    learner: GradientBased, meta: Meta, episodes: Iterable[Episode[Array]], beta: float
) -> Meta:
    """The meta-parameters after an outer step on each of some meta-batches, in double precision."""
    meta = {name: value.double() for name, value in meta.items()}
    for episode in episodes:
        walks = list(_walks(learner, meta, episode))
        descended = torch.stack([backward(walk)[0] for walk in walks]).mean(0)
        meta = _moved(walks[0], descended, beta)
    return meta


def backward(walk: Walk) -> Tensor:
    """lambda_0 .. lambda_S: the gradient of the true loss at the end, with respect to each step.

    Returns:
        (S + 1, weights).
    """
    end = _leaf(walk.weights[-1])
    found = [torch.autograd.grad(walk.true_loss(end[None]).sum(), end)[0]]
    for k in reversed(range(walk.steps)):
        scaled = walk.step_sizes(k) * found[-1]
        found.append(found[-1] - hessian_product(walk, k, scaled))
    return torch.stack(found[::-1])


def hessian_product(walk: Walk, k: int, vector: Tensor) -> Tensor:
    """H(theta_k) v, of the loss that step k descends: (weights,)."""
    weights = _leaf(walk.weights[k])
    loss = walk.inner_loss(weights[None], k).sum()
    (gradient,) = torch.autograd.grad(loss, weights, create_graph=True)
    if not gradient.requires_grad:  # a loss that is linear in all weights is flat
        return torch.zeros_like(weights)
    (product,) = torch.autograd.grad(gradient, weights, vector, materialize_grads=True)
    return product


def angle(a: Tensor, b: Tensor) -> float:
    """Between two vectors, in degrees; not a number where one has no length."""
    lengths = float(a.norm() * b.norm())
    if not lengths or not math.isfinite(lengths):
        return math.nan
    # By both sides of the right-angled triangle: the cosine alone loses what small angles are.
    a, b = a / a.norm(), b / b.norm()
    return math.degrees(2 * math.atan2(float((a - b).norm()), float((a + b).norm())))


def _walks(learner: GradientBased, meta: Meta, episode: Episode[Array]) -> Iterator[Walk]:
    """The inner loop of each task as in training; its truth is the query set."""
    (x, y), query = episode.support, episode.query
    for i in range(len(x)):
        seen = Examples(x[i, None], None if y is None else y[i, None])
        yield Walk.of(
            Model(learner, meta),
            seen,
            query.x[i],
            query.labels[i],
            metric=learner.loss,
            steps=learner.trained_steps,
        )


def _directions(trajectory: Tensor, lambdas: Tensor) -> dict[str, Tensor]:
    ways = lambdas[:, 0], lambdas[:, -1], trajectory[:, 0] - trajectory[:, -1]
    return {name: way.mean(0) for name, way in zip(DIRECTIONS, ways, strict=True)}


def _moved(walk: Walk, descended: Tensor, beta: float) -> Meta:
    """The meta-parameters after theta_0 <- theta_0 - beta g."""
    role = walk.learner.kind.role
    start = walk.params(walk.weights[0] - beta * descended)
    return walk.meta | {f"{role}.{name}": value for name, value in start.items()}


def _leaf(weights: Tensor) -> Tensor:
    return weights.detach().clone().requires_grad_()


# ------------------------------------------------------------------------ the plane


@dataclass(frozen=True)
class Projection:
    """A plane through theta_0: two orthonormal vectors of weights, (2, weights)."""

    axes: Tensor

    def coordinates(self, vectors: Tensor) -> Array:
        """What of vectors (*batch, weights) lies in it: (*batch, 2)."""
        return (vectors @ self.axes.T).numpy()

    def shares(self, vectors: Tensor) -> Array:
        """How much of the square of each length that is, 0 to 1; 1 where there is no length.

        Args:
            vectors: (*batch, weights).
        """
        inside = np.square(self.coordinates(vectors)).sum(-1)
        whole = vectors.square().sum(-1).numpy()
        return np.divide(inside, whole, out=np.ones_like(whole), where=whole > 0)

    def turned(self, right: Tensor, up: Tensor) -> Projection:
        """The same plane, in which `right` goes right, and `up` upwards.

        Args:
            right, up: (weights,).
        """
        x, y = self.coordinates(right)
        length = math.hypot(x, y)
        if length <= SAME * float(right.norm()):
            return self
        turn = torch.tensor([[x, y], [-y, x]], dtype=self.axes.dtype) / length
        axes = turn @ self.axes
        if float(up @ axes[1]) < 0:
            axes = axes * torch.tensor([[1.0], [-1.0]], dtype=axes.dtype)
        return Projection(axes)


def projection_of(*kinds: Tensor) -> Projection:
    """The plane that holds most of some vectors, whatever their lengths.

    It is spanned by the first two singular vectors of the vectors at length 1, not centred, since
    it goes through where they begin. What one direction leaves open, the first weights fill.

    Args:
        kinds: (vectors, weights) each. All kinds count alike, however many vectors are of one.
    """
    known = torch.cat(
        [_at_length_one(vectors) / math.sqrt(max(1, len(vectors))) for vectors in kinds]
    )
    _, strengths, found = torch.linalg.svd(known, full_matrices=False)
    axes = list(found[strengths > SAME][:2])
    for unit in torch.eye(3, known.shape[1], dtype=known.dtype):
        if len(axes) < 2:
            rest = unit - sum((axis * (axis @ unit) for axis in axes), torch.zeros_like(unit))
            axes += [rest / rest.norm()] if float(rest.norm()) > 0.5 else []
    return Projection(torch.stack(axes))


def _at_length_one(vectors: Tensor) -> Tensor:
    """Of vectors (vectors, weights), but what has no length stays so."""
    return vectors / vectors.norm(dim=1, keepdim=True).clamp_min(torch.finfo(vectors.dtype).tiny)
