"""What a learner sees of tasks: examples and episodes, whatever kind of task they are of.

The leading axis of every array is the task; a single task is a batch of one. Where examples are
drawn they are float64 NumPy arrays; a learner converts them to its own device and precision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import numpy as np

Array = np.ndarray
A = TypeVar("A", covariant=True)
B = TypeVar("B")


class Examples(NamedTuple, Generic[A]):
    """Points of some tasks: `x` of shape (tasks, points, *features), `y` of shape (tasks, points).

    A kind of task says what one input is, see `TaskKind.features`: where it is a number, x is
    (tasks, points). `y` is None when the points are unlabelled; classes are whole numbers from 0.
    """

    x: A
    y: A | None = None

    @property
    def labels(self) -> A:
        """`y`, where it has to be there.

        Raises:
            ValueError: if these are unlabelled.
        """
        if self.y is None:
            raise ValueError("these examples have no labels")
        return self.y

    def map(self, change: Callable[[A], B]) -> Examples[B]:
        """The same with `change` done to x, and to y where there is one."""
        return Examples(change(self.x), None if self.y is None else change(self.y))


class Episode(NamedTuple, Generic[A]):
    """A support set to adapt on and a query set to judge the adapted network on."""

    support: Examples[A]
    query: Examples[A]

    def map(self, change: Callable[[A], B]) -> Episode[B]:
        """The same with `change` done to all of its arrays."""
        return Episode(self.support.map(change), self.query.map(change))
