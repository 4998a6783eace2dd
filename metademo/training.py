"""The outer loop: a generator of step records.

:class:`MetaTrainer` carries out a `TrainConfig` and yields a :class:`StepRecord` now and then; a
progress bar, a chart, a log line and a test are each just a consumer of that generator.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from metademo.algorithms import Meta
from metademo.engines import Diverged, Engine, make_engine
from metademo.settings import TrainConfig
from metademo.tasks import Array, Episode

AT_ONCE = 5_000_000
"""Numbers among the inputs that are drawn at once: they bound the memory, not the result."""
INIT_STREAM, EPISODE_STREAM, HELD_OUT_STREAM = range(3)
"""Independent random streams of one seed: held-out tasks are never those of training."""


@dataclass(frozen=True)
class StepRecord:
    """What a trainer reports.

    Attributes:
        step: outer steps done so far.
        query_losses: the meta-batch's mean query loss at each step since the last record.
        meta: a copy of the meta-parameters after `step` steps.
    """

    step: int
    query_losses: np.ndarray
    meta: Meta


class MetaTrainer:
    """Carries out one :class:`TrainConfig`; the same config gives the same run.

    `meta` holds the meta-parameters and `step` the outer steps done, at any time, so a caller that
    stops consuming :meth:`run`, or sees it raise, still has everything up to then. `engine.name`
    says which engine does the work, `skipped` how many steps were left out.
    """

    def __init__(
        self,
        config: TrainConfig,
        *,
        engine: str = "auto",
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        self.config = config
        init = config.learner.init(np.random.default_rng([config.seed, INIT_STREAM]))
        self._episodes = np.random.default_rng([config.seed, EPISODE_STREAM])
        self.skipped = 0
        self.engine: Engine = make_engine(
            config.learner,
            init,
            engine=engine,
            device=device,
            dtype=dtype,
            optimizer=config.optimizer,
            clip=config.clip,
        )

    @property
    def meta(self) -> Meta:
        return self.engine.meta

    @property
    def step(self) -> int:
        return self.engine.steps

    def run(self, every: int = 100) -> Iterator[StepRecord]:
        """Train to the end, with a record after every `every` outer steps and at the end.

        Raises:
            Diverged: see `advance`.
        """
        while self.step < self.config.steps:
            yield self.advance(every)

    def advance(self, steps: int) -> StepRecord:
        """Take that many outer steps, or as many as are left; how they are grouped is all the same.

        Raises:
            Diverged: at the first loss or gradient that is not finite; `meta` is then the last good
                one, and `step` says which step that was.
        """
        stop = min(self.config.steps, self.step + steps)
        losses = np.empty(0)
        while self.step < stop:
            steps = min(stop - self.step, max(1, AT_ONCE // self.config.step_numbers))
            losses = np.concatenate([losses, self._take(steps)])
        return StepRecord(stop, losses, self.meta)

    def _take(self, steps: int) -> np.ndarray:
        """One outer step on each of `steps` fresh meta-batches, except for those left out.

        Returns:
            The outer losses of those that went well.
        """
        config, losses = self.config, []
        episodes = config.sample_episodes(self._episodes, steps * config.meta_batch)
        while steps:
            rates = config.learning_rates(self.step, self.step + steps)
            weights = config.query_weights(self.step, self.step + steps)
            try:
                losses.append(self.engine.run(episodes, rates, weights))
                break
            except Diverged as fault:
                if self.skipped == config.skips:
                    raise
                losses.append(fault.losses)
                self.skipped += 1
                done = len(fault.losses) + 1
                steps -= done
                episodes = _without(episodes, done * config.meta_batch)
        return np.concatenate([np.empty(0), *losses])


class Trained(NamedTuple):
    """A whole run.

    Attributes:
        trainer: as it is after the last step that was taken.
        fault: "", or why it diverged.
        seconds: wall time.
    """

    trainer: MetaTrainer
    fault: str
    seconds: float


def train(config: TrainConfig, *, engine: str = "auto") -> Trained:
    """Train from the first step to the last, or until it diverges; see `MetaTrainer`."""
    trainer, fault = MetaTrainer(config, engine=engine), ""
    began = time.perf_counter()
    try:
        for _ in trainer.run(every=1000):
            pass
    except Diverged as reason:
        fault = f"diverged ({reason})"
    return Trained(trainer, fault, time.perf_counter() - began)


def _without(episodes: Episode[Array], tasks: int) -> Episode[Array]:
    """The episodes after the first so many tasks."""
    return episodes.map(lambda v: v[tasks:])
