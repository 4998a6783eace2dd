"""The two loops of learners that take gradient steps, as text; see `in_torch`.

What is a learner's own it says itself: its network, its inner loss, its step sizes, what each task
starts from, how it draws them, its meta-gradient. Here they are put together, and what is common to
all is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from metademo.algorithms.in_torch import InTorch, Passage, tells_of
from metademo.network import LINEAR_IN_TORCH, MLP, Embedding, Network

if TYPE_CHECKING:
    from metademo.algorithms.gradient_based import GradientBased

LOSSES = {
    "l1": "mean |error|",
    "mse": "mean squared error",
    "cross-entropy": "mean cross-entropy",
    "class-cross-entropy": "sum over classes of their mean cross-entropy",
}
LEAVES = "{name: value.detach().requires_grad_() for name, value in theta.items()}"
"""The meta-parameters as what a gradient is taken with respect to."""


def adapting(learner: GradientBased, inner_lr: float, *, training: bool = False) -> InTorch | None:
    """`run`, by way of `network` and `inner_step`; None where they are not told.

    Args:
        inner_lr: alpha.
        training: whether it is for many tasks at once, with an outer gradient that may look
            through the inner ones.
    """
    told = (
        tells_of(learner, "in_torch", "adapt", "run")
        and tells_of(learner, "own_in_torch", "_inner_loop", "start")
        and tells_of(learner, "network_in_torch", "parts")
        and tells_of(learner, "inner_loss_in_torch", "inner_loss", "task_loss")
        and tells_of(learner, "alpha_in_torch", "step_sizes", "with_inner_lr")
    )
    network, inner_loss = learner.network_in_torch, learner.inner_loss_in_torch
    if not told or not network or not inner_loss:
        return None
    alpha = learner.alpha_in_torch(inner_lr)
    passages = (
        Passage(
            "## The network\n\n`theta` holds its weights by name. They are an argument, for the "
            "inner loop makes new ones at each step.",
            f"{LINEAR_IN_TORCH}\n\n{network}",
        ),
        Passage("## The inner loop\n\nThis is what its steps descend:", inner_loss),
        Passage(
            "And this is a step: "
            + ("how far it goes was learned, too." if alpha else "plain gradient descent."),
            _inner_step(learner, alpha, training and learner.order == "second"),
        ),
        Passage("So many steps one after the other:", _run(learner, training)),
    )
    return InTorch(passages, {} if alpha else {"alpha": inner_lr})


def meta_training(learner: GradientBased) -> InTorch | None:
    """`draw` and `meta_gradient`, with what they need; None where they are not told."""
    found = adapting(learner, learner.inner_lr, training=True)
    told = (
        tells_of(learner, "draw_in_torch", "init")
        and tells_of(learner, "meta_gradient_in_torch", "meta_gradient", "outer_loss", "query_loss")
        and tells_of(learner, "query_weights_in_torch", "query_weights", "query_shares")
    )
    draw, query_loss = learner.draw_in_torch, learner.kind.losses_in_torch.get(learner.loss)
    if not told or not found or not draw or not query_loss:
        return None
    error = (
        f"def query_loss(theta, x, y):\n    return {query_loss.format('network(theta, x)', 'y')}\n"
    )
    further = (error, learner.query_weights_in_torch, learner.meta_gradient_in_torch)
    passages = (
        Passage("## Before any training", draw),
        *found.passages,
        Passage("## The outer loop", "\n\n".join(code for code in further if code)),
    )
    return InTorch(passages, found.settings)


def drawn(parts: Mapping[str, Network]) -> str:
    """The expression that draws the parameters of all these networks; "" if not told."""
    networks = [n for n in parts.values() if isinstance(n, MLP)]
    if len(networks) < len(parts) or not all(
        tells_of(network, "draw_in_torch", "init") for network in networks
    ):
        return ""
    calls = [
        f'draw_network(rng, "{role}", {network.sizes})'
        for role, network in zip(parts, networks, strict=True)
    ]
    if len(calls) == 1:
        return calls[0]
    return "{{\n{}    }}".format("".join(f"        **{call},\n" for call in calls))


def moves(learner: GradientBased) -> str:
    """The condition under which a meta-parameter `name` moves in the inner loop."""
    role = learner.kind.role
    if set(learner.moving) == {*learner.network.shapes, *learner.network.head}:
        return f'name.startswith("{role}.")'
    if len(learner.moving) == 1:
        return f'name == "{role}.{learner.moving[0]}"'
    return "name in MOVING"


def adapted(learner: GradientBased, *, along: bool) -> str:
    """The lines of a meta-gradient that run the inner loop for all tasks of the meta-batch.

    Args:
        along: whether to keep `trajectory`, the weights after each step, or `fast`, the last ones.
    """
    x = learner.inputs_in_torch
    step = (
        f"trajectory.append(inner_step(trajectory[-1], {x}, y, k))"
        if along
        else f"fast = inner_step(fast, {x}, y, k)"
    )
    begin = "    trajectory = [fast]\n" if along else ""
    loop = f"{begin}    for k in range({learner.trained_steps}):\n        {step}\n"
    return _start(learner, many=True) + (loop if along or learner.trained_steps else "")


def query_losses_along(shares: list[float] | None) -> str:
    """The lines of a meta-gradient that weigh the query losses along the `trajectory`.

    Args:
        shares: see `GradientBased.query_shares`; None if all of the labels are asked of each step.
    """
    if shares is None:
        return """\
    loss = sum(
        weight * query_loss(params, query_x, query_y).mean()
        for weight, params in zip(query_weights(progress), trajectory, strict=True)
        if weight
    )
"""
    return f"""\
    shares = {shares}  # of the labels, asked of each step
    loss = sum(
        weight * query_loss(params, query_x, share * query_y).mean()
        for weight, share, params in zip(query_weights(progress), shares, trajectory, strict=True)
        if weight
    )
"""


def own_weights(learner: GradientBased) -> str:
    """The entries of a dictionary that give each of many tasks all weights as its own."""
    return f"""  # each task has its own weights
        name: value.expand(len({learner.inputs_in_torch}), *value.shape)
        for name, value in start.items()
        if name.startswith("{learner.kind.role}.")
    """


def fresh_head(learner: GradientBased, network: Embedding) -> str:
    """The entries of a dictionary that give one task the last layer that it has for itself."""
    head = "".join(
        f"        {entry},\n" for entry in network.fresh_head_in_torch(learner.kind.role)
    )
    return f"  # the last layer is the task's own\n{head}    "


def _start(learner: GradientBased, many: bool) -> str:
    """The lines that make `fast`, from which a task starts, or each of many, of `theta`."""
    own = learner.own_in_torch(many)
    if not own:
        return f"    fast = {LEAVES}\n"
    return f"    start = {LEAVES}\n    fast = start | {{{own}}}\n"


def _run(learner: GradientBased, many: bool) -> str:
    x = learner.inputs_in_torch
    return f'''\
def run(theta, {x}, y, query_x, steps):
    """{learner.kind.predicts} at query_x after 0, 1, .. steps."""
{_start(learner, many)}\
    outputs = [network(fast, query_x)]
    for k in range(steps):
        fast = inner_step(fast, {x}, y, k)
        outputs.append(network(fast, query_x))
    return torch.stack(outputs).detach()
'''


def _inner_step(learner: GradientBased, alpha: str, differentiable: bool) -> str:
    options = ", create_graph=True" if differentiable else ""
    x = learner.inputs_in_torch
    own = f"        alpha = {alpha}\n" if alpha else ""
    moving = ""
    if moves(learner) == "name in MOVING":
        names = "".join(f'    "{learner.kind.role}.{name}",\n' for name in learner.moving)
        moving = f"MOVING = (\n{names})\n\n\n"
    return f'''\
{moving}def inner_step(theta, {x}, y, k):
    """theta after step k: theta - alpha * gradient."""
    moving = {{name: value for name, value in theta.items() if {moves(learner)}}}
    loss = inner_loss(theta, {x}, y, k).sum()
    gradients = torch.autograd.grad(loss, list(moving.values()){options})
    for (name, value), gradient in zip(moving.items(), gradients, strict=True):
{own}        theta = theta | {{name: value - alpha * gradient}}
    return theta
'''
