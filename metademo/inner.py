"""The inner loop: gradient steps of a network on a support set.

    theta_{k+1} = theta_k - alpha * grad L(theta_k),   k = 0 .. S-1        (Finn et al. 2017, eq. 1)

The loop knows neither the network nor where the loss comes from: labelled points (MAML) or a
learned loss on an unlabelled input (DAML). It returns the whole trajectory, item 0 being the
initialisation, so a step scrubber, a loss-per-step chart and an evaluation are all the same call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from metademo.network import Params

LossAt = Callable[[int, Params], Tensor]
StepSizes = Callable[[int], float | Mapping[str, float | Tensor]]


class Adaptation(NamedTuple):
    """What one inner loop did.

    Attributes:
        trajectory: parameters after 0, 1, .. S steps, each tensor with a leading axis of tasks.
        losses: the inner loss at each of them, shape (S + 1, tasks); the last one is measured on
            what the last step saw.
    """

    trajectory: list[Params]
    losses: Tensor


def adapt(
    theta: Mapping[str, Tensor],
    loss_at: LossAt,
    step_sizes: StepSizes,
    *,
    tasks: int,
    steps: int,
    differentiable: bool = False,
    second_order: bool = True,
) -> Adaptation:
    """Run the inner loop for a batch of tasks at once.

    Args:
        theta: the initialisation shared by all tasks, tensors without a task axis.
        loss_at: ``loss_at(k, params)`` is the inner loss of each task at step `k`, shape (tasks,).
        step_sizes: ``step_sizes(k)`` is alpha: one number, or one size for each parameter that
            moves (a number or a tensor that broadcasts); parameters without one stay as they are.
        tasks: how many tasks are adapted side by side.
        steps: how many gradient steps, S.
        differentiable: keep the result connected to `theta` for an outer gradient; otherwise the
            trajectory is detached and nothing is kept.
        second_order: let that outer gradient see how the inner gradient depends on theta (the
            Hessian); without it the inner gradient counts as a constant (FOMAML).
    """
    create_graph = differentiable and second_order
    params = {name: value.expand(tasks, *value.shape) for name, value in theta.items()}
    if not differentiable:
        params = _fresh(params)
    trajectory, losses = [params], []
    with torch.enable_grad():
        for k in range(steps):
            loss = loss_at(k, params)
            alpha = step_sizes(k)
            sizes = dict.fromkeys(params, alpha) if isinstance(alpha, float) else alpha
            # Tasks share no parameters, so the gradient of the sum is each task's own gradient.
            grads = torch.autograd.grad(
                loss.sum(), [params[name] for name in sizes], create_graph=create_graph
            )
            moved = {
                name: params[name] - size * grad
                for (name, size), grad in zip(sizes.items(), grads, strict=True)
            }
            params = params | moved
            if not differentiable:
                params = _fresh(params)
            trajectory.append(params)
            losses.append(loss.detach())
    with torch.no_grad():
        losses.append(loss_at(max(0, steps - 1), params))
    if not differentiable:
        trajectory = [{n: v.detach() for n, v in params.items()} for params in trajectory]
    return Adaptation(trajectory, torch.stack(losses))


def _fresh(params: Params) -> Params:
    """The same values as new leaves, so that one step's graph does not outlive it."""
    return {name: value.detach().requires_grad_() for name, value in params.items()}
