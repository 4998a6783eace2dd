"""What the page How it works shows of the outer loop: one step after another, in slow motion.

Each outer step has a fresh meta-batch, which its number decides, and goes by plain gradient
descent. So what is shown after any number of them follows from that number alone.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np

from metademo.algorithms import GradientBased, Meta
from metademo.analysis.backward import OuterStep, after_steps, outer_step
from metademo.checkpoints import Checkpoint
from metademo.described import OneOf
from metademo.models import Model
from metademo.moments.mended import Clamped, PageView
from metademo.tasks import Array, Episode, WaveFamily, Waves, as_waves

BETAS = {"untrained": 0.1, "meta-trained": 0.003}
"""The outer learning rate by where the steps begin: one that moves the weights visibly. What has
been trained lies in a narrow place, and a step as long as the first ones would throw it out."""
STARTS = tuple(BETAS)
MOST = 200
"""Outer steps that can be done."""
TASKS, QUERIES = 3, 8
"""Of a meta-batch, and query points of each task: as many as can be told apart."""
MOST_INNER = 10
"""Inner steps of a learner that is shown: each has two stages."""
SEED = 6
"""Of the meta-batches. Where there are two waves, the first one has both."""


class HowView(PageView):
    """The page How it works.

    Attributes:
        start: what the outer steps begin with, one of `STARTS`.
        outer: how many have been done since.
    """

    start: Annotated[str, OneOf(STARTS)] = STARTS[0]
    outer: Annotated[int, Clamped(0, MOST)] = 0

    @property
    def in_words(self) -> str:
        done = f" after {self.outer} outer step{'s' * (self.outer > 1)}" if self.outer else ""
        return f"this page, with {self.start} weights{done}"

    def again(self) -> HowView:
        """After the step that is shown."""
        return self.changed(outer=self.outer + 1)


def suits(checkpoint: Checkpoint) -> bool:
    """Whether a learner's outer step can be shown: it has inner steps, and not too many."""
    learner, family = checkpoint.config.learner, checkpoint.config.task_family
    return (
        isinstance(learner, GradientBased)
        and not learner.unlabelled
        and 0 < learner.trained_steps <= MOST_INNER
        and isinstance(family, WaveFamily)
        and family.unit_amplitude
    )


@dataclass(frozen=True)
class Course:
    """Outer steps from one start on.

    Attributes:
        key: tells it from others.
        shots: labelled support points of a task.
    """

    key: Hashable
    learner: GradientBased = field(compare=False)
    meta: Meta = field(compare=False)
    family: WaveFamily
    shots: int
    beta: float

    @classmethod
    def of(cls, checkpoint: Checkpoint, start: str) -> Course:
        """Those of some weights, or of the same network before it was trained.

        Raises:
            ValueError: for a learner that takes no gradient steps, and for tasks that are no waves.
        """
        own = start == "meta-trained"
        model = Model.of(checkpoint) if own else Model.untrained(checkpoint)
        learner, config = model.learner, checkpoint.config
        if not isinstance(learner, GradientBased):
            raise ValueError(f"{learner.name} takes no gradient steps")
        key = model.fingerprint, learner
        family = as_waves(config.task_family)
        return cls(key, learner, model.meta, family, config.shots, BETAS[start])

    def meta_batch(self, number: int) -> tuple[Waves, Episode[Array]]:
        """The tasks of outer step `number`, from 0 on, and their episode."""
        rng = np.random.default_rng([SEED, number])
        return self.family.sample_episodes(rng, TASKS, shots=self.shots, queries=QUERIES)


@functools.lru_cache(maxsize=256)
def step_of(course: Course, number: int) -> OuterStep:
    """Outer step `number` of a course, from 0 on."""
    episode = course.meta_batch(number)[1]
    return outer_step(course.learner, _meta_before(course, number), episode, course.beta)


@functools.lru_cache(maxsize=2_048)
def _meta_before(course: Course, number: int) -> Meta:
    """The meta-parameters that step `number` begins with: those before it are done if need be."""
    if not number:
        return course.meta
    before, episode = _meta_before(course, number - 1), course.meta_batch(number - 1)[1]
    return after_steps(course.learner, before, [episode], course.beta)
