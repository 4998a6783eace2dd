"""The two loops of learners that condition on points, as text; see `in_torch`.

What is a learner's own it says itself: how it predicts from the points that it has seen, and how it
draws its parameters. What is common to all is said here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metademo.algorithms.gradient_steps_in_torch import LEAVES
from metademo.algorithms.in_torch import InTorch, Passage, tells_of

if TYPE_CHECKING:
    from metademo.algorithms.conditioned import Conditioned


def adapting(learner: Conditioned) -> InTorch | None:
    """`run`, by way of `predict`; None where it is not told."""
    told = learner.predict_in_torch
    if not tells_of(learner, "in_torch", "run") or told is None:
        return None
    words = (
        "## Point by point\n\nNo weight changes: after so many steps it has seen so many of the "
        "points."
    )
    return replace(told, passages=(*told.passages, Passage(words, _run(told.std))))


def meta_training(learner: Conditioned) -> InTorch | None:
    """`draw` and `meta_gradient`, with what they need; None where they are not told."""
    found, draw = adapting(learner), learner.draw_in_torch
    told = tells_of(learner, "draw_in_torch", "init") and tells_of(
        learner, "training_in_torch", "meta_gradient", "outer_loss", "_shown"
    )
    query_loss = _query_loss(learner, found.std) if found else ""
    if not told or not found or not draw or not query_loss:
        return None
    passages = (
        Passage("## Before any training", draw),
        *found.passages,
        Passage(
            "## The outer loop", f"{_shown(learner.fewest_shots)}\n\n{_meta_gradient(query_loss)}"
        ),
    )
    return replace(found, passages=passages)


def _run(std: bool) -> str:
    made = (
        "means, stds = zip(*stages, strict=True)\n    return torch.stack(means), torch.stack(stds)"
        if std
        else "return torch.stack(stages)"
    )
    what = "Mean and standard deviation" if std else "The height of the curve"
    return f'''\
def run(theta, x, y, query_x, steps):
    """{what} at query_x after 0, 1, .. points."""
    number = torch.arange(x.shape[-1])
    with torch.no_grad():
        stages = [predict(theta, x, y, (number < k).to(x), query_x) for k in range(steps + 1)]
    {made}
'''


def _shown(fewest: int | None) -> str:
    """`shown(x, query_x)`, which tells of the method `_shown`."""
    if fewest is None:
        return '''\
def shown(x, query_x):
    """1 for each point that training shows: all of them."""
    return torch.ones_like(x)
'''
    return f'''\
def shown(x, query_x):
    """1 for the points that training shows: {fewest} to all, as far digits of an input decide."""
    points = x.shape[1]
    fewest = min({fewest}, points)
    uniform = (1009 * query_x[:, :1]).frac().abs()
    count = fewest + torch.floor(uniform * (points + 1 - fewest))
    return (torch.arange(points) < count).to(x)
'''


def _query_loss(learner: Conditioned, std: bool) -> str:
    """The lines that make `loss`, which tell of the method `outer_loss`; "" if not told."""
    predict = "predict(start, x, y, shown(x, query_x), query_x)"
    if std:
        return f"""\
    mean, std = {predict}
    loss = -torch.distributions.Normal(mean, std).log_prob(query_y).mean()
"""
    error = learner.kind.losses_in_torch.get(learner.loss, "")
    return error and (
        f"    mean = {predict}\n    loss = {error.format('mean', 'query_y')}.mean()\n"
    )


def _meta_gradient(query_loss: str) -> str:
    return f'''\
def meta_gradient(theta, x, y, query_x, query_y, progress):
    """The gradient of the mean query loss, and that loss."""
    start = {LEAVES}
{query_loss}\
    gradients = torch.autograd.grad(loss, list(start.values()), materialize_grads=True)
    return dict(zip(start, gradients, strict=True)), loss.detach()
'''
