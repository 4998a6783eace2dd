"""All settings of one meta-training run, each described once: see :mod:`metademo.described`."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from metademo.algorithms import ALGORITHMS, LEARNED_LOSSES, STEP_SIZES, Learner
from metademo.algorithms.learner import MAX_INNER_STEPS
from metademo.described import ByHand, ConfigError, Described, OneOf, unknown
from metademo.engines import OPTIMIZERS
from metademo.network import ACTIVATIONS, INITIALISATIONS
from metademo.tasks import FAMILIES, Array, Episode, TaskFamily

SCHEDULES = ("constant", "cosine")
MAX_EXAMPLES = 1000
MAX_WAYS = 20
MAX_SEED = 2**63 - 1


class _LossNames(Collection[str]):
    """The names of the losses that the kinds of task in the registry bring."""

    @property
    def _names(self) -> dict[str, None]:
        return dict.fromkeys(name for family in FAMILIES.values() for name in family.kind.losses)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


LossName = Annotated[str, OneOf(_LossNames())]


class TrainConfig(Described):
    """All settings of one meta-training run; the same settings give the same weights.

    Raises:
        ConfigError: for an unknown name, a value that can't be used, or an algorithm that can't be
            trained on the family.
    """

    algorithm: Annotated[str, OneOf(ALGORITHMS)] = Field(
        "maml", title="algorithm", description="The way of learning to learn."
    )
    family: Annotated[str, OneOf(FAMILIES)] = Field(
        "two-phase", title="task family", description="The family that tasks are drawn from."
    )
    hidden: int = Field(
        32,
        ge=1,
        le=512,
        title="hidden width",
        description="Units in each of the two hidden layers, or filters in each layer of a "
        "network that sees images.",
    )
    inner_steps: int = Field(
        5,
        ge=0,
        le=MAX_INNER_STEPS,
        title="inner steps",
        description="Gradient steps on the support set that the network is trained to make good "
        "use of.",
    )
    inner_lr: float = Field(
        0.03,
        ge=0,
        le=10,
        title="inner learning rate α",
        description="How far each inner step goes. Too large, and the inner loop overshoots.",
    )
    step_size: Annotated[str, OneOf(STEP_SIZES)] = Field(
        "fixed",
        title="inner step sizes",
        description="Fixed at α, or learned: one for each weight matrix, bias vector and inner "
        "step, from α on. That is for MAML, first-order MAML and ANIL; others have their own way.",
    )
    loss: LossName = Field(
        "l1", title="query loss", description="The error that the outer loop lowers."
    )
    support_loss: LossName | None = Field(
        None,
        title="support loss",
        description="The error on the support set that the inner loop descends; that of the query "
        "loss if there is none.",
    )
    learned_loss: Annotated[str, OneOf(LEARNED_LOSSES)] = Field(
        "absolute",
        title="learned loss",
        description="What the output of a learned loss counts as; only DAML has one.",
    )
    intermediate_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        title="intermediate weight",
        description="Weight of the query losses after the inner steps before the last; 0 for none.",
    )
    initialisation: Annotated[str, OneOf(INITIALISATIONS)] = Field(
        "fan-in", title="initialisation", description="How fresh weights are drawn."
    )
    activation: Annotated[str, OneOf(ACTIVATIONS)] = Field(
        "relu", title="activation", description="What the hidden units do to their input."
    )
    shots: int = Field(
        4,
        ge=1,
        le=MAX_EXAMPLES,
        title="shots K",
        description="Labelled points of each task that the inner loop sees, or of each class of "
        "it. A learned loss sees one unlabelled input per step instead.",
    )
    fewest_shots: int | None = Field(
        None,
        ge=0,
        le=MAX_EXAMPLES,
        title="fewest points",
        description="How many of its points a task shows at least while a learner without gradient "
        "steps is trained: each number from there to K is as likely. None for always all.",
    )
    ways: int | None = Field(
        None,
        ge=2,
        le=MAX_WAYS,
        title="ways",
        description="Classes of each task, where tasks have some. None for the family's own "
        "number.",
    )
    queries: int = Field(
        4,
        ge=1,
        le=MAX_EXAMPLES,
        title="query points",
        description="Points of each task, or of each class of it, at which the adapted network "
        "is judged.",
    )
    meta_batch: int = Field(
        1,
        ge=1,
        le=4096,
        title="meta-batch",
        description="Tasks that each outer step averages over.",
    )
    steps: int = Field(
        275_000, ge=1, le=100_000_000, title="outer steps", description="How long to train."
    )
    optimizer: Annotated[str, OneOf(OPTIMIZERS)] = Field(
        "sgd", title="optimizer", description="How the outer loop follows the meta-gradient."
    )
    outer_lr: float = Field(
        0.01,
        ge=0,
        le=10,
        title="outer learning rate β",
        description="How far each outer step goes, at its peak. Too large, and nothing is learned: "
        "with Adam and a clipped gradient (recipes fast and best) MAML ends no better than a curve "
        "that ignores the points, from about 0.3 on; plain SGD (recipe original) diverges, from "
        "about 3 on. Try it.",
    )
    schedule: Annotated[str, OneOf(SCHEDULES)] = Field(
        "constant",
        title="schedule",
        description="How the outer learning rate goes on after the warm-up: constant, or down to "
        "zero as a cosine does.",
    )
    warmup: float = Field(
        0.0,
        ge=0,
        le=1,
        title="warm-up",
        description="Share of the outer steps over which the outer learning rate rises from zero.",
    )
    clip: float | None = Field(
        None,
        ge=1e-6,
        le=1e6,
        title="gradient clip",
        description="Largest norm of the meta-gradient; none for no clipping.",
    )
    skips: int = Field(
        0,
        ge=0,
        le=1_000_000,
        title="skips",
        description="Outer steps that may be left out because a task's inner loop ran away, so "
        "that their loss or meta-gradient was not finite; with one more the run has diverged.",
    )
    seed: Annotated[int, ByHand(9999)] = Field(
        0,
        ge=0,
        le=MAX_SEED,
        title="seed",
        description="Of the initial weights and of the tasks drawn: the same seed gives the same "
        "run.",
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        kind = self.task_family.kind
        for name, known in (
            ("loss", kind.losses),
            ("support_loss", kind.losses),
            ("initialisation", kind.initialisations),
        ):
            value = getattr(self, name)
            if value is not None and value not in known:
                raise ConfigError(unknown(value, known), name)
        if kind.classes and self.intermediate_weight:
            raise ConfigError("must be 0 here: there is no share of a class", "intermediate_weight")
        if reason := ALGORITHMS[self.algorithm].unsuited(self.task_family):
            raise ConfigError(reason)
        return self

    @property
    def learner(self) -> Learner:
        """The algorithm with this run's settings."""
        return ALGORITHMS[self.algorithm].configured(self, self.task_family.kind)

    @property
    def task_family(self) -> TaskFamily:
        """What tasks are drawn from."""
        family = FAMILIES[self.family]
        return family if self.ways is None else family.of_ways(self.ways)

    @property
    def gradients(self) -> int:
        """What the whole run costs, see `Learner.gradients_per_task`."""
        return self.steps * self.meta_batch * self.learner.gradients_per_task

    @property
    def step_work(self) -> int:
        """What one outer step costs: meta-batch x (inner steps + 1) x points x width squared, as
        often as an input of such tasks is more than a number.

        Inner steps count where training takes them: what others call so are stages of one pass.
        """
        work = self.hidden**2 * self.task_family.kind.work
        return self.meta_batch * (self.learner.trained_steps + 1) * self.points * work

    @property
    def points(self) -> int:
        """Labelled points of an episode, of all classes if there are any."""
        return (self.shots + self.queries) * max(1, self.task_family.ways)

    @property
    def step_numbers(self) -> int:
        """Numbers among the inputs of what one outer step sees."""
        return self.meta_batch * self.points * math.prod(self.task_family.kind.features)

    def learning_rates(self, start: int, stop: int) -> np.ndarray:
        """The outer learning rate of steps `start` .. `stop` - 1."""
        step = np.arange(start, stop)
        warmup = max(1, round(self.warmup * self.steps)) if self.warmup else 0
        rate = np.full(len(step), self.outer_lr)
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
