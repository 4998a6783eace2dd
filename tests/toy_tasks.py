"""A toy: tasks of another kind than curves. Two classes of points in the plane, cut by a line.

All of it is here, as a new kind of task would be in a file of `metademo/tasks/`: its network, loss
and metric, and its family, for one row of the registry.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from metademo.tasks import Episode, Examples, TaskFamily, TaskKind


@dataclass(frozen=True)
class Classifier:
    """2-hidden-2 with tanh units: from points (*batch, points, 2) to logits of the same shape."""

    hidden: int

    @property
    def shapes(self):
        return {
            "body.weight": (self.hidden, 2),
            "body.bias": (self.hidden,),
            "head.weight": (2, self.hidden),
            "head.bias": (2,),
        }

    @property
    def head(self):
        return "head.weight", "head.bias"

    def init(self, rng, scheme=""):
        values = {name: 0.5 * rng.standard_normal(shape) for name, shape in self.shapes.items()}
        return {name: torch.from_numpy(value).float() for name, value in values.items()}

    def predict(self, params, x):
        hidden = torch.tanh(x @ params["body.weight"].mT + params["body.bias"].unsqueeze(-2))
        return hidden @ params["head.weight"].mT + params["head.bias"].unsqueeze(-2)


def _cross_entropy(logits, labels):
    """The mean over points, per task."""
    each = cross_entropy(logits.movedim(-1, 1), labels.long(), reduction="none")
    return each.sum(-1) / max(1, each.shape[-1])


SIDES = TaskKind(
    name="side",
    role="classifier",
    network=lambda hidden, activation: Classifier(hidden),
    losses={"cross-entropy": _cross_entropy},
    metrics={"accuracy": lambda logits, truth: (logits.argmax(-1) == truth).mean(-1)},
    features=(2,),
)


@dataclass(frozen=True)
class LineFamily(TaskFamily):
    """A line through the origin, its angle drawn from `angles`; which side is class 1."""

    kind = SIDES
    measured = "at held-out points"

    name: str = "lines"
    title: str = "on which side of a line"
    metric: str = "accuracy"
    angles: tuple[float, float] = (0.0, np.pi / 2)

    def sample_episodes(self, rng, n, *, shots, queries, sources=0):
        if sources:
            raise ValueError("lines have no source domain")
        uniform = rng.random((n, 1 + 2 * (shots + queries)))
        low, high = self.angles
        angle = low + (high - low) * uniform[:, 0]
        x = 2 * uniform[:, 1:].reshape(n, -1, 2) - 1
        side = x @ np.stack([np.cos(angle), np.sin(angle)], axis=-1)[..., None]
        examples = Examples(x, (side[..., 0] > 0).astype(float))
        support = examples.map(lambda v: v[:, :shots])
        return angle, Episode(support, examples.map(lambda v: v[:, shots:]))

    def sample_held_out(self, rng, n, *, shots, sources=0, every=1):
        return self.sample_episodes(rng, n, shots=shots, queries=200 // every, sources=sources)[1]
