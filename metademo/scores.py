"""Held-out scores: the schema that reports and checkpoints share, and how they are measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    model_validator,
)

from metademo.algorithms import Learner, Meta
from metademo.algorithms.learner import MAX_INNER_STEPS
from metademo.described import ConfigError, Described, OneOf, shown
from metademo.evaluation import evaluate
from metademo.reports import Unbounded
from metademo.settings import MAX_EXAMPLES, MAX_SEED, MAX_WAYS, TrainConfig
from metademo.tasks import SHAPES, WRITTEN, TaskFamily, as_waves

MAX_TASKS = 100_000
DIGITS = 6
"""Decimals that are kept of an error."""


class Conditions(Described):
    """What learners are scored on; None stands for what they were trained on.

    Raises:
        ConfigError: for a value that can't be used.
    """

    shape: Annotated[str, OneOf(SHAPES)] | None = Field(
        None, title="shape", description="Of the waves; by default the family's."
    )
    amplitude: float | None = Field(
        None,
        ge=0,
        le=1000,
        title="amplitude",
        description="Of all waves, instead of the family's.",
    )
    frequency: float | None = Field(
        None,
        ge=0,
        le=1000,
        title="frequency",
        description="Of all waves, instead of the family's.",
    )
    noise: float | None = Field(
        None,
        ge=0,
        le=1000,
        title="noise",
        description="Standard deviation, on the support labels.",
    )
    on: Annotated[str, OneOf(WRITTEN)] | None = Field(
        None,
        title="images",
        description="Of what people have written, for those who tell signs apart; by default the "
        "family's own.",
    )
    ways: int | None = Field(
        None,
        ge=2,
        le=MAX_WAYS,
        title="ways",
        description="Classes per task; by default the family's, or as in training.",
    )
    shots: int | None = Field(
        None,
        ge=1,
        le=MAX_EXAMPLES,
        title="shots K",
        description="Labelled points per task, or per class; by default as in training.",
    )
    inner_steps: int | None = Field(
        None,
        ge=0,
        le=MAX_INNER_STEPS,
        title="inner steps",
        description="Gradient steps per adaptation; by default as in training.",
    )
    tasks: int = Field(
        400,
        ge=2,
        le=MAX_TASKS,
        title="tasks",
        description="Held-out tasks, which training never sees.",
    )
    seed: int = Field(0, ge=0, le=MAX_SEED, title="seed", description="Of the held-out tasks.")

    @property
    def outside(self) -> dict[str, Any]:
        """Attributes of the task family that are not those of training."""
        given: dict[str, Any] = dict(shape=self.shape)
        for name, value in (("amplitudes", self.amplitude), ("frequencies", self.frequency)):
            given[name] = None if value is None else (value, value)
        given["noise"] = self.noise or None
        return {name: value for name, value in given.items() if value is not None}


Pair = Annotated[tuple[float, float], Strict(False)]
Errors = Annotated[tuple[Unbounded, ...], Strict(False), Field(min_length=1)]


class Scores(BaseModel):
    """Held-out errors after 0, 1, .. S inner steps, with the conditions they were measured under.

    Attributes:
        shape, amplitudes, frequencies, noise: of the waves, where they are not the family's own.
        on: whose images were told apart, where they are not the family's own.
        ways: classes per task, where there are some.
        shots: labelled points per task, or per class.
        metric: a name among those of the kind of task.
        mean, ci95, median, p90: see `Evaluation`; infinite where the inner loop ran away.
        coverage, log_likelihood: of learners that know how sure they are, see `Evaluation`.
        calibration_error: of those that tell classes apart, see `Evaluation`.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    shape: str | None = None
    amplitudes: Pair | None = None
    frequencies: Pair | None = None
    noise: float | None = None
    algorithm: str
    family: str
    on: str | None = None
    ways: int | None = None
    shots: int
    inner_steps: int
    tasks: int
    seed: int
    metric: str
    mean: Errors
    ci95: Errors
    median: Errors
    p90: Errors
    coverage: Errors | None = None
    log_likelihood: Errors | None = None
    calibration_error: Errors | None = None

    @model_validator(mode="after")
    def _one_error_per_step(self) -> Self:
        lists = (self.mean, self.ci95, self.median, self.p90)
        known = (self.coverage, self.log_likelihood, self.calibration_error)
        lengths = {len(values) for values in (*lists, *known) if values is not None}
        if lengths != {self.inner_steps + 1}:
            steps, errors = shown(self.inner_steps), shown(self.inner_steps + 1)
            raise ValueError(f"{steps} inner steps have {errors} errors")
        return self

    @property
    def outside(self) -> dict[str, Any]:
        """The conditions that are not those of training."""
        names = {"shape", "amplitudes", "frequencies", "noise"}
        return self.model_dump(include=names, exclude_none=True)

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


ScoresOrNone = Annotated[
    Scores | None,
    BeforeValidator(lambda value: None if value == {} else value),
    PlainSerializer(lambda scores: scores.to_dict() if scores else {}),
]
"""Scores in a report or a file, where an empty object stands for none."""


def measure(
    config: TrainConfig,
    meta: Meta,
    conditions: Conditions | None = None,
    learner: Learner | None = None,
) -> Scores:
    """The held-out scores of a run's meta-parameters, on its own family unless told otherwise.

    Args:
        learner: whose meta-parameters they are, if not of the learner that the run has trained.

    Raises:
        ConfigError: for conditions that its tasks can't be put under.
    """
    learner = learner or config.learner
    conditions = conditions or Conditions()
    shots = config.shots if conditions.shots is None else conditions.shots
    steps = config.inner_steps if conditions.inner_steps is None else conditions.inner_steps
    family = _under(conditions, config.task_family)
    result = evaluate(
        learner,
        meta,
        family,
        shots=shots,
        steps=steps,
        tasks=conditions.tasks,
        seed=conditions.seed,
    )

    def rounded(name: str) -> tuple[float, ...]:
        return tuple(round(float(value), DIGITS) for value in getattr(result, name))

    def if_known(name: str) -> tuple[float, ...] | None:
        return None if getattr(result, name) is None else rounded(name)

    return Scores(
        **conditions.outside,
        algorithm=learner.name,
        family=config.family,
        on=conditions.on,
        ways=family.ways or None,
        shots=0 if learner.unlabelled else shots,
        inner_steps=steps,
        tasks=conditions.tasks,
        seed=conditions.seed,
        metric=result.metric,
        mean=rounded("mean"),
        ci95=rounded("ci95"),
        median=rounded("median"),
        p90=rounded("p90"),
        coverage=if_known("coverage"),
        log_likelihood=if_known("log_likelihood"),
        calibration_error=if_known("calibration_error"),
    )


def _under(conditions: Conditions, family: TaskFamily) -> TaskFamily:
    """What tasks are drawn from under these conditions, instead of the family of a run."""
    if conditions.on is not None:
        written = WRITTEN[conditions.on]
        if written.kind is not family.kind:
            raise ConfigError(f"has images, and the tasks of {family.name!r} have none", "on")
        family = written
    if conditions.ways is not None:
        family = family.of_ways(conditions.ways)
    if conditions.outside:
        family = replace(as_waves(family), **conditions.outside)
    return family
