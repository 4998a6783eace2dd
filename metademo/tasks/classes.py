"""What kinds of task share whose labels are classes: whole numbers from 0, predicted by logits."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn.functional import cross_entropy as each_cross_entropy

from metademo.tasks.episodes import Array


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Of logits (tasks, points, classes) and labels (tasks, points): the mean, (tasks,).

    Without any point there is no error, and so no gradient.
    """
    each = each_cross_entropy(logits.movedim(-1, 1), labels.long(), reduction="none")
    return each.sum(-1) / max(1, each.shape[-1])


def class_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The sum over classes of the mean over the points of each, (tasks,).

    As a support loss it takes each class for one, however often it was shown. And a step of a fresh
    head makes the logits equally large for any number of classes; with the mean over all points
    they would be the smaller the more there are, and the answers less sure than they should be.
    """
    each = each_cross_entropy(logits.movedim(-1, 1), labels.long(), reduction="none")
    alike = labels.unsqueeze(-1) == labels.unsqueeze(-2)
    return (each / alike.sum(-1)).sum(-1)


LOSSES_IN_TORCH = {
    "cross-entropy": "torch.nn.functional.cross_entropy({0}, {1})",
    "class-cross-entropy": """(
        torch.nn.functional.cross_entropy({0}, {1}, reduction="none")
        / ({1}[:, None] == {1}).sum(-1)
    ).sum()""",
}
"""The same of one task, as scripts that are taken home write them: see `TaskKind`."""


def accuracy(logits: Array, truth: Array) -> Array:
    """The share of points whose likeliest class is right: logits (.., tasks, points, classes)."""
    return (logits.argmax(-1) == truth).mean(-1)


def probabilities(logits: Array) -> Array:
    """What logits (.., classes) give to each class, as shares of 1."""
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)
