"""Signs, a kind of task: which of a few signs is it, when each was drawn once?

A task is a few classes of signs that nobody has seen before, made by the generator of `pen`. Its
support set holds some images of each class, its query set others of the same classes.

Each episode is a function of one row of uniform random numbers, as in `waves`: so the stream of
episodes depends on the seed alone, never on how many are drawn at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from torch import Tensor
from torch.nn.functional import cross_entropy

from metademo.convolutional import ConvNet
from metademo.tasks.base import TaskFamily, TaskKind
from metademo.tasks.episodes import Array, Episode, Examples

SIDE = 14
"""Pixels along a side of an image."""
HELD_OUT_QUERIES = 5
"""Images of each class that a learner is asked about where it is measured."""


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Of logits (tasks, points, classes): the mean over points, (tasks,)."""
    each = cross_entropy(logits.movedim(-1, 1), labels.long(), reduction="none")
    return each.sum(-1) / max(1, each.shape[-1])


GLYPHS = TaskKind(
    name="glyph",
    role="classifier",
    network=lambda filters, activation: ConvNet(SIDE, filters, activation),
    losses={"cross-entropy": _cross_entropy},
    metrics={"accuracy": lambda logits, truth: (logits.argmax(-1) == truth).mean(-1)},
    more_is_better=("accuracy",),
    classes=True,
    features=(SIDE * SIDE,),
)


def probabilities(logits: Array) -> Array:
    """What a learner of classes gives to each of them: logits (.., classes) as shares of 1."""
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


@dataclass(frozen=True)
class Signs:
    """Tasks as the generator knows them: uniform numbers.

    Attributes:
        classes: (tasks, ways, numbers of a class).
        samples: (tasks, ways, samples of each class, numbers of a sample).
    """

    classes: Array
    samples: Array

    def images(self) -> Array:
        """All samples as images, (tasks, ways, samples, 196), float32."""
        *axes, numbers = self.samples.shape
        images = np.empty((*axes, SIDE * SIDE), dtype=np.float32)
        classes = self.classes.reshape(-1, self.classes.shape[-1])
        samples = self.samples.reshape(len(classes), axes[-1], numbers)
        _pen().draw_signs(classes, samples, images.reshape(*samples.shape[:2], SIDE * SIDE))
        return images

    def strokes(self, task: int, way: int, sample: int) -> tuple[list[Array], float]:
        """A sample as strokes, in pixels of the canvas, and how thick they are."""
        pen = _pen()
        points = np.empty((pen.STROKES * pen.POINTS, 2))
        given = self.classes[task, way], self.samples[task, way, sample]
        count, thickness = pen.trace_sign(*given, points)
        return list(points[: count * pen.POINTS].reshape(count, pen.POINTS, 2)), thickness


@dataclass(frozen=True)
class GlyphFamily(TaskFamily):
    """Signs of a few random strokes; see `pen` for how they are made, and how they vary.

    Attributes:
        ways: how many classes a task has.
    """

    kind: ClassVar[TaskKind] = GLYPHS
    measured: ClassVar[str] = "on images that were not seen"

    name: str
    title: str
    ways: int = 5
    metric: str = "accuracy"

    def of_ways(self, ways: int) -> Self:
        return replace(self, ways=ways)

    def sample_signs(self, rng: np.random.Generator, n: int, samples: int) -> Signs:
        """Draw `n` tasks with so many samples of each class."""
        pen = _pen()
        sizes = self.ways * np.array([pen.CLASS_NUMBERS, samples * pen.SAMPLE_NUMBERS])
        classes, others = np.split(rng.random((n, sizes.sum())), sizes[:1], axis=1)
        return Signs(
            classes.reshape(n, self.ways, pen.CLASS_NUMBERS),
            others.reshape(n, self.ways, samples, pen.SAMPLE_NUMBERS),
        )

    def sample_episodes(
        self, rng: np.random.Generator, n: int, *, shots: int, queries: int, sources: int = 0
    ) -> tuple[Signs, Episode[Array]]:
        """As every family does; shots and queries are images of each class."""
        if sources:
            raise ValueError(f"family {self.name!r} has no source domain")
        signs = self.sample_signs(rng, n, shots + queries)
        return signs, episode_of(signs.images(), shots)

    def sample_held_out(
        self, rng: np.random.Generator, n: int, *, shots: int, sources: int = 0, every: int = 1
    ) -> Episode[Array]:
        """As every family does; each task has images of its own."""
        queries = max(1, HELD_OUT_QUERIES // every)
        return self.sample_episodes(rng, n, shots=shots, queries=queries, sources=sources)[1]


def episode_of(images: Array, shots: int) -> Episode[Array]:
    """Images (tasks, ways, samples, pixels), the first `shots` of each class as support set."""
    tasks, ways, samples, _ = images.shape
    y = np.tile(np.arange(ways)[:, None], (tasks, 1, samples))

    def examples(part: slice) -> Examples[Array]:
        return Examples(
            images[:, :, part].reshape(tasks, -1, images.shape[-1]),
            y[:, :, part].reshape(tasks, -1),
        )

    return Episode(examples(slice(None, shots)), examples(slice(shots, None)))


def _pen() -> Any:
    """The compiled part: Numba is imported, and code loaded, where something is drawn at last."""
    from metademo.tasks import pen

    return pen
