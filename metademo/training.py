"""The outer loop: a generator of step records.

:class:`TrainConfig` says everything about a run and goes to and from JSON. :class:`MetaTrainer`
carries it out and yields a :class:`StepRecord` now and then; a progress bar, a chart, a log line
and a test are each just a consumer of that generator.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import torch

from metademo.algorithms import ALGORITHMS, LEARNED_LOSSES, Learner, Meta
from metademo.algorithms.learner import MAX_INNER_STEPS
from metademo.engines import OPTIMIZERS, Diverged, Engine, make_engine
from metademo.network import ACTIVATIONS, INITIALISATIONS
from metademo.tasks import FAMILIES, Array, Episode, TaskFamily

SCHEDULES = ("constant", "cosine")
INIT_STREAM, EPISODE_STREAM, HELD_OUT_STREAM = range(3)
"""Independent random streams of one seed: held-out tasks are never those of training."""


class ConfigError(ValueError):
    """A setting that can't be used; the message names it and says what would do."""


@dataclass(frozen=True)
class TrainConfig:
    """All settings of one meta-training run.

    Attributes:
        algorithm: a name in `ALGORITHMS`.
        family: a name in `FAMILIES`.
        hidden, inner_steps, inner_lr, loss, support_loss, intermediate_weight, initialisation,
            activation: see `GradientBased`.
        learned_loss: see `DAML`; the others have none.
        shots: labelled support points per task (an unlabelled algorithm sees one source input
            per inner step instead).
        queries: query points per task.
        meta_batch: tasks per outer step.
        steps: outer steps.
        optimizer: "sgd" or "adam".
        outer_lr: beta, the peak outer learning rate.
        schedule: "constant", or "cosine" (down to zero, after the warm-up).
        warmup: share of the steps over which the learning rate rises from zero.
        clip: largest norm of the meta-gradient, or None for no clipping.
        skips: how many outer steps may be left out because a task's inner loop ran away, so that
            their loss or meta-gradient was not finite; with one more the run has diverged.
        seed: of the initial weights and of the episodes, which are independent streams.
    """

    algorithm: str = "maml"
    family: str = "two-phase"
    hidden: int = 32
    inner_steps: int = 5
    inner_lr: float = 0.03
    loss: str = "l1"
    support_loss: str | None = None
    learned_loss: str = "absolute"
    intermediate_weight: float = 0.0
    initialisation: str = "fan-in"
    activation: str = "relu"
    shots: int = 4
    queries: int = 4
    meta_batch: int = 1
    steps: int = 275_000
    optimizer: str = "sgd"
    outer_lr: float = 0.01
    schedule: str = "constant"
    warmup: float = 0.0
    clip: float | None = None
    skips: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            self._check_choice(name, choices)
        losses = self.task_family.kind.losses
        self._check_choice("loss", losses)
        if self.support_loss is not None:
            self._check_choice("support_loss", losses)
        for name, (kind, low, high) in LIMITS.items():
            value = getattr(self, name)
            if name == "clip" and value is None:
                continue
            accepted = (int,) if kind is int else (int, float)
            if isinstance(value, bool) or not isinstance(value, accepted):
                raise ConfigError(f"{name} must be a number ({kind.__name__}), not {value!r}")
            if not low <= value <= high:  # also false for NaN
                raise ConfigError(f"{name} must be from {low:g} to {high:g}, not {value}")
        if reason := ALGORITHMS[self.algorithm].unsuited(self.task_family):
            raise ConfigError(reason)

    def _check_choice(self, name: str, choices: Collection[str]) -> None:
        value = getattr(self, name)
        if not isinstance(value, str) or value not in choices:
            raise ConfigError(f"{name} {value!r} is not known: choose from {', '.join(choices)}")

    @property
    def learner(self) -> Learner:
        """The algorithm with this run's settings."""
        return ALGORITHMS[self.algorithm].configured(self, self.task_family.kind)

    @property
    def task_family(self) -> TaskFamily:
        return FAMILIES[self.family]

    @property
    def gradients(self) -> int:
        """What the whole run costs, see `Learner.gradients_per_task`."""
        return self.steps * self.meta_batch * self.learner.gradients_per_task

    def learning_rates(self, start: int, stop: int) -> np.ndarray:
        """The outer learning rate of steps `start` .. `stop` - 1."""
        step = np.arange(start, stop)
        warmup = max(1, round(self.warmup * self.steps)) if self.warmup else 0
        rate = np.full(len(step), float(self.outer_lr))
        if self.schedule == "cosine":
            progress = np.clip((step - warmup) / max(1, self.steps - warmup), 0, 1)
            rate *= 0.5 * (1 + np.cos(math.pi * progress))
        if warmup:
            rate = np.where(step < warmup, self.outer_lr * (step + 1) / warmup, rate)
        return rate

    def query_weights(self, start: int, stop: int) -> np.ndarray | None:
        """The weights of the query losses at steps `start` .. `stop` - 1, (steps, inner steps + 1).

        None if only the last query loss counts in all of them.
        """
        learner = self.learner
        rows = [learner.query_weights(step / self.steps) for step in range(start, stop)]
        if all(row is None for row in rows):
            return None
        last = np.eye(learner.trained_steps + 1)[-1]
        return np.stack([last if row is None else row for row in rows])

    def sample_episodes(self, rng: np.random.Generator, tasks: int) -> Episode[Array]:
        """Training episodes of `tasks` tasks, with the support set that the algorithm needs."""
        sources = self.inner_steps if self.learner.unlabelled else 0
        return self.task_family.sample_episodes(
            rng, tasks, shots=self.shots, queries=self.queries, sources=sources
        )[1]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainConfig:
        """The inverse of `to_dict`.

        Raises:
            ConfigError: for an unknown setting or a value that can't be used.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ConfigError(f"unknown setting {unknown[0]!r}: choose from {', '.join(known)}")
        return cls(**values)


_CHOICES: dict[str, Collection[str]] = {
    "algorithm": ALGORITHMS,
    "family": FAMILIES,
    "learned_loss": LEARNED_LOSSES,
    "initialisation": INITIALISATIONS,
    "activation": ACTIVATIONS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}
LIMITS: dict[str, tuple[type, float, float]] = {
    "hidden": (int, 1, 512),
    "inner_steps": (int, 0, MAX_INNER_STEPS),
    "inner_lr": (float, 0, 10),
    "intermediate_weight": (float, 0, 1),
    "shots": (int, 1, 1000),
    "queries": (int, 1, 1000),
    "meta_batch": (int, 1, 4096),
    "steps": (int, 1, 100_000_000),
    "outer_lr": (float, 0, 10),
    "warmup": (float, 0, 1),
    "clip": (float, 1e-6, 1e6),
    "skips": (int, 0, 1_000_000),
    "seed": (int, 0, 2**63 - 1),
}
"""Type, least and greatest value of each numeric setting."""


class Change(NamedTuple):
    """Settings that one algorithm, one family or one pair of them needs different."""

    settings: dict[str, Any]
    algorithm: str = ""
    family: str = ""

    def concerns(self, algorithm: str, family: str) -> bool:
        return self.algorithm in ("", algorithm) and self.family in ("", family)


@dataclass(frozen=True)
class Recipe:
    """A named set of settings.

    Attributes:
        families: those that the recipe was made for, empty for all. A recipe may be tried on any
            other, but only for these it is offered.
        changes: what an algorithm or a family needs different; of several the last one holds.
    """

    title: str
    settings: dict[str, Any]
    families: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    def suits(self, family: str) -> bool:
        return not self.families or family in self.families

    def settings_for(self, algorithm: str, family: str) -> dict[str, Any]:
        settings = dict(self.settings)
        for change in self.changes:
            if change.concerns(algorithm, family):
                settings |= change.settings
        return settings


# A tight clip matters: the L1 loss makes some meta-gradients huge, and with a loose one a seed in
# five ends far above the others.
_ADAM = dict(optimizer="adam", queries=32, schedule="cosine", warmup=0.05, clip=0.2)

_FINN = dict(hidden=40, initialisation="truncated-normal", loss="mse", inner_lr=0.01)
_FINN |= dict(optimizer="adam", outer_lr=1e-3, meta_batch=25)

# Several steps, or learned step sizes, find the edge of what a task bears, and go over it at times.
_COSINE = dict(schedule="cosine", warmup=0.05, skips=1000)
_FIVE = dict(inner_steps=5, shots=5, outer_lr=2e-3, steps=40_000, clip=5.0)
_PER_WEIGHT = dict(initialisation="fan-in", clip=1.0)

_ARTICLE, _BENCHMARK = ("two-phase", "any-phase"), ("finn",)

_ADAPTED = (
    # Steps on |error| are as long near the solution as far from it, so on a family of many waves
    # they end up some way off. On squared errors they shrink. With two waves, which are opposites,
    # |error| does better: both are learned by heart, and the sign is all that is to be found out.
    Change(dict(support_loss="mse", inner_lr=0.01, skips=100), family="any-phase"),
    Change(dict(inner_lr=0.02), "reptile", "any-phase"),  # learns from how far the inner loop gets
    Change(dict(inner_lr=0.03, learned_loss="squared", skips=100), algorithm="daml"),
    # Without an inner loop |error| does not settle on the mean of the waves, and large outer steps
    # close so many units that little can adapt. With two waves the mean is flat, and nothing moves
    # the places where the network bends away from zero, where all units bend at first.
    Change(dict(loss="mse", outer_lr=1e-3, steps=3_000, inner_lr=0.01), algorithm="pretrained"),
    Change(dict(initialisation="spread", outer_lr=3e-4), "pretrained", "two-phase"),
)

RECIPES = {
    "original": Recipe(
        "the article's: SGD, one task per outer step, 275,000 steps",
        {},
        _ARTICLE,
    ),
    "fast": Recipe(
        "Adam on a meta-batch, warm-up and cosine, gradient norm clipped: about a second",
        _ADAM | dict(meta_batch=16, steps=6_000, outer_lr=6e-3),
        changes=_ADAPTED,
    ),
    "best": Recipe(
        "the same with a larger meta-batch and more steps: about a minute",
        _ADAM | dict(meta_batch=32, queries=16, steps=100_000, outer_lr=3e-3),
        _ARTICLE,
        changes=(*_ADAPTED, Change(dict(intermediate_weight=0.1), algorithm="daml")),
    ),
    "finn": Recipe(
        "the benchmark's, as published: one inner step, 70,000 x 25 tasks; for the family finn",
        _FINN | dict(inner_steps=1, shots=10, queries=10, steps=70_000),
        _BENCHMARK,
        changes=(
            Change(dict(shots=5), "fomaml"),
            Change(
                _COSINE | dict(inner_steps=8, inner_lr=0.02, steps=40_000, clip=10.0), "reptile"
            ),
            Change(_COSINE | dict(inner_steps=5, steps=40_000, clip=10.0), "anil"),
            Change(_COSINE | dict(shots=5, clip=10.0), "meta-sgd"),
            Change(_COSINE | _FIVE, "maml++"),
            Change(_COSINE | _FIVE | _PER_WEIGHT, "maml++w"),
        ),
    ),
    "finn-best": Recipe(
        "for the least error on the family finn after five steps: about two minutes",
        _FINN | _COSINE | _FIVE | dict(queries=20, steps=130_000),
        _BENCHMARK,
        changes=(Change(_PER_WEIGHT | dict(steps=100_000), "maml++w"),),
    ),
}


def recipes_for(family: str) -> list[str]:
    """The names of the recipes that suit a family."""
    return [name for name, recipe in RECIPES.items() if recipe.suits(family)]


def configure(algorithm: str, family: str, recipe: str = "fast", **changes: Any) -> TrainConfig:
    """The settings of a recipe for an algorithm and a family, with `changes` on top.

    The family need not be one that the recipe suits: whoever writes both has chosen them.

    Raises:
        ConfigError: for an unknown name or a value that can't be used.
    """
    if recipe not in RECIPES:
        raise ConfigError(f"recipe {recipe!r} is not known: choose from {', '.join(RECIPES)}")
    settings = RECIPES[recipe].settings_for(algorithm, family)
    if family in FAMILIES:  # recipes name losses of curves; another kind of task has its own
        kind = FAMILIES[family].kind
        for name in ("loss", "support_loss"):
            if settings.get(name) not in kind.losses:
                settings.pop(name, None)
        settings.setdefault("loss", kind.default_loss)
    return TrainConfig.from_dict({"algorithm": algorithm, "family": family} | settings | changes)


def can_train(algorithm: str, family: str) -> bool:
    """Whether the algorithm can be trained on the family at all."""
    try:
        configure(algorithm, family)
    except ConfigError:
        return False
    return True


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
            losses = np.concatenate([losses, self._take(stop - self.step)])
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


def _without(episodes: Episode[Array], tasks: int) -> Episode[Array]:
    """The episodes after the first so many tasks."""
    return episodes.map(lambda v: v[tasks:])
