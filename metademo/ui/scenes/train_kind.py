"""What the Train page shows and says of a run, as far as its kind of task decides. No Streamlit."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from metademo.algorithms import Meta
from metademo.jobs import Snapshot, held_out_errors
from metademo.settings import TrainConfig
from metademo.tasks import Array
from metademo.training import INIT_STREAM
from metademo.ui.components.kernel.curves import Curve, Ticks
from metademo.ui.scenes.facts import told
from metademo.ui.scenes.train_words import count

MARGIN = 0.1
"""Share by which less must be wrong than without adapting. The held-out tasks are few, and a
difference of a few per cent may be chance."""


@dataclass(frozen=True)
class Figure:
    """The probe tasks, adapted from each snapshot.

    Attributes:
        curves: those with a row for each snapshot move with the slider.
        points: the labelled points of the probe tasks.
        images: of a probe task, the examples and then what is asked, both in the order of their
            classes, (2, classes, pixels); empty where inputs are no images.
    """

    curves: Sequence[Curve]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_ticks: Ticks | None = None
    points: Sequence[tuple[float, float]] = ()
    images: Array | Sequence[Sequence[Array]] = ()


class RunKind(ABC):
    """The probe tasks of one run's settings, and the words for its results.

    A few fixed tasks stand for all: what each snapshot makes of them is shown.

    Attributes:
        config: the settings.
        shares: whether results are shares of what is right, so that more is better; otherwise they
            are errors.
        measure: what results are, in words.
        axis: what query losses are, for the loss chart.
        keys: what its lines are called: "query" ("" where it joins the held-out results),
            "heldOut" and "ignoring".
    """

    shares: ClassVar[bool] = False
    measure: str
    axis: str
    keys: Mapping[str, str]

    def __init__(self, config: TrainConfig):
        self.config = config
        self._drawn: dict[int, tuple[Array, Array]] = {}

    # ------------------------------------------------------------------------ what is shown

    def draw(self, snapshots: Sequence[Snapshot]) -> list[tuple[Array, Array]]:
        """For each snapshot what `adapted` gives.

        What was drawn for the last call is kept, and nothing else: a run has very many snapshots
        that soon give way.
        """
        before = self._drawn
        self._drawn = {s.step: before.get(s.step) or self.adapted(s.meta) for s in snapshots}
        return list(self._drawn.values())

    @abstractmethod
    def adapted(self, meta: Meta) -> tuple[Array, Array]:
        """The probe tasks from these meta-parameters: rows of numbers, and mean losses (2,).

        The first row is the start's. The losses are the mean inner losses at the start and the end.
        """

    @abstractmethod
    def figure(self, rows: Array) -> Figure:
        """What is drawn of the rows of all snapshots, (rows, snapshots, numbers)."""

    @abstractmethod
    def moved(self, rows: Array) -> Array:
        """Whether it can be seen that the inner loop did anything, for each snapshot."""

    # ------------------------------------------------------------------------ results

    def wrong(self, result: float) -> float:
        """How much is wrong with a result: less is better, whatever results are."""
        return 1 - result if self.shares else result

    @property
    @abstractmethod
    def without(self) -> float:
        """The result on the run's held-out tasks without having learned to adapt."""

    def has_learned(self, snapshot: Snapshot) -> bool:
        """Whether adapting helps: less is wrong than before the inner loop, and than `without`.

        An error that is not finite is never less.
        """
        before, after, without = map(self.wrong, (*snapshot.errors[[0, -1]], self.without))
        least = min(before, without) if np.isfinite(before) else without
        return bool(after < (1 - MARGIN) * least)

    @property
    @abstractmethod
    def top(self) -> float:
        """As high as the loss chart has to reach for this run: what is above went wild."""

    def on_the_axis(self, losses: Array) -> Array:
        """Query losses as the loss chart shows them beside results."""
        return losses

    # ------------------------------------------------------------------------ in words

    @property
    def inner(self) -> str:
        """What a task takes: "5 inner steps", or "10 points" of learners whose steps are points."""
        a_step = self.config.learner.a_step
        return count(self.config.inner_steps, "inner step" if a_step == "step" else a_step)

    def steps(self, count_of: int) -> str:
        """So many steps, by the name that the learner has for them."""
        return count(count_of, self.config.learner.a_step)

    def result(self, step: int, value: float) -> str:
        """A result, with its formula."""
        return told(self.shown(value), self.formula(step, value))

    @abstractmethod
    def shown(self, value: float) -> str:
        """A result as it is read."""

    @abstractmethod
    def formula(self, step: int, value: float) -> str:
        """How a result was computed, after so many steps."""

    @abstractmethod
    def about(self) -> dict[str, str]:
        """What the lines of the loss chart are, by their `keys`."""

    @property
    @abstractmethod
    def alternative(self) -> tuple[str, str]:
        """Who has the result `without`, as the subject of a sentence, and that result."""

    @property
    def ends(self) -> tuple[str, str]:
        """When the inner loop starts and ends."""
        return f"before any {self.config.learner.a_step}", "after the last"

    def tells(self, losses: Array) -> str:
        """A line below the caption, of the losses of `adapted`; "" where they tell nothing."""
        if not np.isfinite(losses).all():
            return ""
        return self.detail(*map(float, losses))

    @abstractmethod
    def detail(self, first: float, last: float) -> str:
        """The same of losses that are numbers."""


@functools.lru_cache(maxsize=64)
def untrained(config: TrainConfig) -> Snapshot:
    """What a run of `config` will start from."""
    meta = config.learner.init(np.random.default_rng([config.seed, INIT_STREAM]))
    return Snapshot(0, meta, held_out_errors(config, meta))
