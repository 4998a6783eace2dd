"""The network's own parts: what each hidden unit adds to the curve, and what pushes it.

With the second layer's activations h2 the curve is a sum of parts, one for each of its units:

    y(x) = b3 + sum_j w_j h2_j(x)

Where the activation is piecewise linear, with slope a' on the piece that x is on, h2 is itself such
a sum of the first layer's units. So the same curve has a second sum, which is exact, too:

    y(x) = rest(x) + sum_i h1_i(x) sum_j w_j a'_j(x) W_ji,    rest = b3 + sum_j w_j a'_j(x) b_j

A point of the support set *pushes* a unit by what its own share of the inner loss asks of the
weights at that unit, in the step that comes next: those that come in, the bias, those that go out.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metademo.analysis.walk import Walk
from metademo.network import Params, Regressor
from metademo.tasks import Array, Examples

SLOPES = {"relu": (0.0, 1.0), "leaky-relu": (0.1, 1.0)}
"""Of the activations that are piecewise linear: a' below zero and above."""
ROUNDING = 1e-12


@dataclass(frozen=True)
class Layer:
    """The units of one hidden layer, after 0, 1, .. S steps.

    Attributes:
        number: 1 or 2.
        activations: what the units put out, (S + 1, units, points).
        contributions: their parts of the curve, (S + 1, units, points).
        rest: what the biases behind the layer add to it, (S + 1, points).
        pushes: how hard each support point pushes each unit, (S + 1, support points, units): the
            length of (step size o gradient) in the unit's own weights. Where the support set is
            unlabelled, what the step sees counts as one point.
    """

    number: int
    activations: Array
    contributions: Array
    rest: Array
    pushes: Array

    @functools.cached_property
    def moved(self) -> Array:
        """How far each unit's part moved in all steps: its mean |change| over x, (units,)."""
        with np.errstate(over="ignore", invalid="ignore"):  # where it ran away
            change = np.abs(self.contributions[-1] - self.contributions[0]).mean(-1)
        return np.where(change < ROUNDING, 0.0, change)

    @property
    def order(self) -> Array:
        """The units, those first that moved most, (units,)."""
        return np.argsort(-self.moved, kind="stable")


@dataclass(frozen=True)
class Parts:
    """A network on its walk, taken apart.

    Attributes:
        x: where, (points,).
        curve: what the network puts out, (S + 1, points).
        layers: those whose contributions and rest add up to the curve: both, or the second alone
            where the activation is not piecewise linear.
    """

    x: Array
    curve: Array
    layers: tuple[Layer, ...]


def parts(walk: Walk, x: Array) -> Parts:
    """Take the network of a walk apart.

    Args:
        x: (points,).

    Raises:
        ValueError: for a network that is no `Regressor`.
    """
    network = walk.learner.network
    if not isinstance(network, Regressor):
        raise ValueError("only a network of curves has such parts")
    params = walk.params(walk.weights)
    inputs = torch.as_tensor(x).double()[:, None]
    y, h2, h1 = network.activations(params, inputs)
    head = params["4.weight"]  # (S + 1, 1, units)
    bias = params["4.bias"].expand(-1, len(inputs))
    pushes = _pushes(walk)
    layers = [_layer(2, h2, h2 * head, bias, pushes[1])]
    if network.activation in SLOPES:
        below, above = SLOPES[network.activation]
        slopes = head * torch.where(h2 > 0, above, below)  # dy / dz2: (S + 1, points, units)
        rest = (slopes @ params["2.bias"].unsqueeze(-1)).squeeze(-1) + bias
        layers.insert(0, _layer(1, h1, h1 * (slopes @ params["2.weight"]), rest, pushes[0]))
    return Parts(np.asarray(x, dtype=float), y.squeeze(-1).numpy(), tuple(layers))


def _layer(number: int, activations: Tensor, shares: Tensor, rest: Tensor, pushes: Tensor) -> Layer:
    return Layer(number, activations.mT.numpy(), shares.mT.numpy(), rest.numpy(), pushes.numpy())


def _pushes(walk: Walk) -> tuple[Tensor, Tensor]:
    """How hard each support point pushes each unit of the first layer, and of the second.

    Returns:
        (S + 1, support points, units) each.
    """
    steps = [
        walk.params(walk.step_sizes(k) * point_gradients(walk, weights, k))
        for k, weights in enumerate(walk.weights)
    ]
    pairs = [(_length_at(step, 0, 2), _length_at(step, 2, 4)) for step in steps]
    first, second = zip(*pairs, strict=True)
    return torch.stack(first), torch.stack(second)


def _length_at(step: Params, layer: int, behind: int) -> Tensor:
    """The length of steps (points, ...) in the weights at each unit of a layer, (points, units)."""
    incoming = step[f"{layer}.weight"].square().sum(-1) + step[f"{layer}.bias"].square()
    return (incoming + step[f"{behind}.weight"].square().sum(-2)).sqrt()


def point_gradients(walk: Walk, weights: Tensor, step: int) -> Tensor:
    """The gradient of each support point's share of the inner loss, at weights (weights,).

    The inner loss is the mean over the points, so each is a task of its own, and has one share of
    them. They add up to the gradient of the whole.

    Returns:
        (support points, weights); of what an unlabelled support set shows at `step`, (1, weights).
    """
    each = _each(walk.support)
    networks = weights.repeat(len(each.x), 1).requires_grad_()
    loss = walk.learner.inner_loss(walk.meta, walk.params(networks), each, step)
    (gradient,) = torch.autograd.grad(loss.sum() / max(1, len(loss)), networks)
    return gradient


def _each(support: Examples[Tensor]) -> Examples[Tensor]:
    """Each point of one task as a task; unlabelled inputs stay together, if there are any."""
    if support.y is None:
        return support if support.x.shape[1] else support.map(lambda values: values[:0])
    return support.map(lambda values: values.mT)
