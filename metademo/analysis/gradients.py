"""Which way losses point on a walk, and where the same steps would lead on another loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms.daml import DAML
from metademo.algorithms.learner import part
from metademo.analysis.walk import Walk, flattened
from metademo.inner import adapt
from metademo.tasks import Array


@dataclass(frozen=True)
class Slopes:
    """Both losses of a walk and their gradients, each (S + 1,).

    Attributes:
        inner, true: what the inner loop descends, and the error against the truth.
        inner_length, true_length: of their gradients, in the weights that the inner loop moves.
        cosine: between them; NaN where one of them is zero, for then it is undefined.
    """

    inner: Array
    true: Array
    inner_length: Array
    true_length: Array
    cosine: Array


def slopes(walk: Walk) -> Slopes:
    """The gradients of both losses after each step, in the weights that the inner loop moves."""
    last, moving = max(0, walk.steps - 1), walk.moving
    inner = torch.stack(
        [_inner_gradient(walk, min(k, last), w) for k, w in enumerate(walk.weights)]
    )
    true = torch.stack([gradient(walk.true_loss, weights) for weights in walk.weights])
    inner, true = inner * moving, true * moving
    inner_length, true_length = inner.norm(dim=1), true.norm(dim=1)
    product = inner_length * true_length
    cosine = torch.where(product > 0, (inner * true).sum(1) / product, torch.nan)
    return Slopes(
        inner=walk.inner_losses.numpy(),
        true=walk.true_losses.numpy(),
        inner_length=inner_length.numpy(),
        true_length=true_length.numpy(),
        cosine=cosine.clamp(-1, 1).numpy(),
    )


def _inner_gradient(walk: Walk, step: int, weights: Tensor) -> Tensor:
    return gradient(lambda networks: walk.inner_loss(networks, step), weights)


def gradient(loss: Callable[[Tensor], Tensor], weights: Tensor) -> Tensor:
    """Of a loss of networks (1, weights) at one of them, (weights,)."""
    leaf = weights.detach().clone().requires_grad_()
    (found,) = torch.autograd.grad(loss(leaf[None]).sum(), leaf, materialize_grads=True)
    return found


def instead(walk: Walk, *, start: Tensor | None = None, truth: bool = False) -> Walk:
    """As many steps of the same size, from other weights or on the true loss.

    Args:
        start: where from, (weights,); by default where the walk begins.
        truth: descend the error against the truth in place of what the inner loop descends.

    Raises:
        ValueError: for a start of another network.
    """
    theta = walk.weights[0] if start is None else start
    if theta.shape != walk.weights[0].shape:
        raise ValueError(
            f"these are {len(theta)} weights, and the network has {walk.weights.shape[1]}"
        )

    def loss_at(step: int, params: dict[str, Tensor]) -> Tensor:
        weights = flattened(params)
        return walk.true_loss(weights) if truth else walk.inner_loss(weights, step)

    found = adapt(
        walk.params(theta.double()),
        loss_at,
        lambda step: walk.learner.step_sizes(walk.meta, step),
        tasks=1,
        steps=walk.steps,
    )
    return replace(walk, weights=torch.stack([flattened(p)[0] for p in found.trajectory]))


@dataclass(frozen=True)
class Seen:
    """What a learned loss looks at, and what it makes of that, on a line of source inputs.

    Attributes:
        inputs: source inputs, (inputs,).
        h1, h2: the network's hidden activations after each step, (S + 1, units, inputs).
        y: its outputs, (S + 1, inputs).
        units1, units2: the activations of the loss network's own hidden units, likewise.
        g: what it puts out, (S + 1, inputs); the loss is made of that.
        answers: how much each unit of the loss network's first layer answers to each of y, h2 and
            h1 before the first step: its weight times what that varies by over the inputs
            (standard deviation), (units, 1 + units of h2 + units of h1).
    """

    inputs: Array
    h1: Array
    h2: Array
    y: Array
    units1: Array
    units2: Array
    g: Array
    answers: Array


def seen(walk: Walk, inputs: Array) -> Seen:
    """What the learned loss sees after each step of a walk of DAML.

    Args:
        inputs: source inputs, (inputs,).

    Raises:
        ValueError: for a learner without a learned loss.
    """
    learner = walk.learner
    if not isinstance(learner, DAML):
        raise ValueError(f"{learner.name} has no learned loss")
    x = torch.as_tensor(inputs).double()[None, :, None]
    psi = part(walk.meta, "adaptation_loss")
    with torch.no_grad():
        y, h2, h1 = learner.network.activations(walk.params(walk.weights), x)
        looked_at = torch.cat([y, h2, h1], dim=-1)
        g, units2, units1 = learner.adaptation_loss.activations(psi, looked_at)
        answers = psi["0.weight"] * looked_at[0].std(0, correction=0)
    return Seen(
        np.asarray(inputs),
        h1=h1.mT.numpy(),
        h2=h2.mT.numpy(),
        y=y[..., 0].numpy(),
        units1=units1.mT.numpy(),
        units2=units2.mT.numpy(),
        g=g[..., 0].numpy(),
        answers=answers.numpy(),
    )
