"""What is measured while a job runs: its loss, its time and speed, and whether anyone watches."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from metademo.tasks import Array

CURVE_POINTS = 1_000
"""How many points the loss curve of a run keeps at most, however long the run."""
RATE_SECONDS = 2.0
"""The speed is that of the last so many seconds."""
WATCHERS = 8
"""Sessions that may look at one job; the oldest gives way."""


class LossCurve:
    """A curve of any length in bounded memory: averages over bins that double when there are many.

    >>> curve = LossCurve(2)
    >>> curve.add(np.array([1.0, 3.0, 5.0, 7.0, 9.0]))
    >>> curve.points()
    (array([2., 4., 5.]), array([2., 6., 9.]))
    """

    def __init__(self, max_points: int = CURVE_POINTS):
        self._max_points = max_points
        self._width = 1
        self._means: list[float] = []
        self._partial_bin = np.empty(0)
        self._count = 0

    def add(self, values: Array) -> None:
        self._count += len(values)
        values = np.concatenate([self._partial_bin, values])
        whole = len(values) // self._width * self._width
        self._means += values[:whole].reshape(-1, self._width).mean(1).tolist()
        self._partial_bin = values[whole:]
        while len(self._means) > self._max_points:
            self._halve()

    def points(self) -> tuple[Array, Array]:
        """At how many values each average ends, and the averages."""
        ends = self._width * (1.0 + np.arange(len(self._means)))
        if not len(self._partial_bin):
            return ends, np.array(self._means)
        return np.append(ends, self._count), np.append(self._means, self._partial_bin.mean())

    def _halve(self) -> None:
        if len(self._means) % 2:
            left_over = np.full(self._width, self._means.pop())
            self._partial_bin = np.concatenate([left_over, self._partial_bin])
        self._means = np.reshape(self._means, (-1, 2)).mean(1).tolist()
        self._width *= 2


class Stopwatch:
    """How long a job has trained, in seconds, and how fast, in outer steps per second."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._steps = 0
        self._first = (0.0, 0)
        self._recent: deque[tuple[float, int]] = deque([(0.0, 0)])

    def add(self, steps: int, seconds: float) -> None:
        self.seconds += seconds
        self._steps += steps
        now = (self.seconds, self._steps)
        if steps and not self._first[1]:  # the first steps may have had to wait for the compiler
            self._first = now
            self._recent.clear()
        self._recent.append(now)
        while self.seconds - self._recent[0][0] > RATE_SECONDS and len(self._recent) > 2:
            self._recent.popleft()

    @property
    def recent_rate(self) -> float:
        """Steps per second in the last moments."""
        return self._rate_since(*self._recent[0])

    @property
    def overall_rate(self) -> float:
        """Steps per second since the first ones were done."""
        return self._rate_since(*self._first)

    def _rate_since(self, seconds: float, steps: int) -> float:
        passed = self.seconds - seconds
        return (self._steps - steps) / passed if passed > 0 else 0.0


class Presence:
    """Whether anyone is still there to look at a job. A visitor who reloads is away for a moment.

    >>> Presence(lambda: True, grace_seconds=8.0).left
    False
    """

    def __init__(self, alive: Callable[[], bool], grace_seconds: float):
        self._watchers: tuple[Callable[[], bool], ...] = (alive,)
        self._grace_seconds = grace_seconds
        self._next_check = 0.0
        self._absent_since: float | None = None

    def join(self, alive: Callable[[], bool]) -> None:
        """Another session looks at the job: after a reload, or with the same address."""
        self._watchers = (*self._watchers, alive)[-WATCHERS:]
        self.seen()

    def seen(self) -> None:
        self._absent_since = None

    @property
    def left(self) -> bool:
        """True when nobody was there for the grace period; checks about once a second.

        The period begins when somebody is missed, not when somebody was seen: between two checks
        there may have been a long wait for the compiler.
        """
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + min(1.0, self._grace_seconds / 4)
            if any(alive() for alive in self._watchers):
                self._absent_since = None
            elif self._absent_since is None:
                self._absent_since = now
        since = self._absent_since
        return since is not None and now - since >= self._grace_seconds
