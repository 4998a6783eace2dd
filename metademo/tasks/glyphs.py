"""Signs, a kind of task: which of a few signs is it, when each was drawn once?

A task is a few classes of signs that nobody has seen before, made by the generator of `pen`. Its
support set holds some images of each class, its query set others of the same classes.

Each episode is a function of one row of uniform random numbers, as in `waves`: so the stream of
episodes depends on the seed alone, never on how many are drawn at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from metademo.convolutional import ConvNet
from metademo.tasks.base import TaskFamily, TaskKind
from metademo.tasks.classes import (
    LOSSES_IN_TORCH,
    accuracy,
    class_cross_entropy,
    cross_entropy,
)
from metademo.tasks.episodes import Array, Episode, Examples
from metademo.tasks.strokes import drawn, load_pen

SIDE = 14
"""Pixels along a side of an image."""
HELD_OUT_QUERIES = 5
"""Images of each class that a learner is asked about where it is measured."""


GLYPHS = TaskKind(
    name="glyph",
    role="classifier",
    network=lambda filters, activation: ConvNet(SIDE, filters, activation),
    losses={"cross-entropy": cross_entropy, "class-cross-entropy": class_cross_entropy},
    metrics={"accuracy": accuracy},
    more_is_better=("accuracy",),
    initialisations=("fan-in",),
    work=20,
    classes=True,
    features=(SIDE * SIDE,),
    predicts="The logit of each class",
    losses_in_torch=LOSSES_IN_TORCH,
)


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
        load_pen().draw_signs(classes, samples, images.reshape(*samples.shape[:2], SIDE * SIDE))
        return images

    def strokes(self, task: int, way: int, sample: int) -> tuple[list[Array], float]:
        """A sample as strokes, in pixels of the canvas, and how thick they are."""
        compiled = load_pen()
        points = np.empty((compiled.STROKES * compiled.POINTS, 2))
        given = self.classes[task, way], self.samples[task, way, sample]
        count, thickness = compiled.trace_sign(*given, points)
        strokes = points.reshape(compiled.STROKES, compiled.POINTS, 2)[:count]
        return list(strokes), thickness


@dataclass(frozen=True)
class GlyphFamily(TaskFamily):
    """Signs of a few random strokes; see `pen` for how they are made, and how they vary.

    Attributes:
        ways: how many classes a task has.
    """

    kind: ClassVar[TaskKind] = GLYPHS
    measured: ClassVar[str] = "on images that were not seen"
    not_in_numpy: ClassVar[str] = (
        "signs are made by a compiled generator, which would be longer than the training itself"
    )

    name: str
    title: str
    ways: int = 5
    metric: str = "accuracy"

    def of_ways(self, ways: int) -> Self:
        return replace(self, ways=ways)

    def sample_signs(self, rng: np.random.Generator, n: int, samples: int) -> Signs:
        """Draw `n` tasks with so many samples of each class."""
        of_class, of_sample = load_pen().CLASS_NUMBERS, load_pen().SAMPLE_NUMBERS
        uniform = rng.random((n, self.ways * (of_class + samples * of_sample)))
        classes, others = np.split(uniform, [self.ways * of_class], axis=1)
        return Signs(
            classes.reshape(n, self.ways, of_class),
            others.reshape(n, self.ways, samples, of_sample),
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


def warm_signs() -> None:
    """Compile the pen, or load it from disk."""
    signs = GlyphFamily("", "", ways=1).sample_signs(np.random.default_rng(0), 1, 1)
    signs.images()
    drawn(*signs.strokes(0, 0, 0))


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
