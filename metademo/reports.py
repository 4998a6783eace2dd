"""Reports: what is measured at length, by the schema that writes its JSON and reads it back.

:class:`Table` is that of ``reproduce``, :class:`Speeds` that of ``benchmark``.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from metademo.formats import to_json


def _infinite(value: Any) -> Any:
    return math.inf if value is None else value


Unbounded = Annotated[float, BeforeValidator(_infinite)]
"""A number that is infinite where it ran away: JSON knows no infinity, and null stands for it."""


class Report(BaseModel):
    """A report as JSON: its keys in the order of the fields.

    `model_validate_json` is the inverse of `to_json`.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    def to_json(self, **options: Any) -> str:
        """Strict JSON; `options` are those of `json.dumps`."""
        return to_json(self.model_dump(), **options)


# ------------------------------------------------------------------------------------ of reproduce


class Place(Report):
    """What the table says in one place: of one row, after k inner steps on so many points.

    Attributes:
        mean: squared error, over the tasks of all seeds.
        ci95: half the width of its 95 % interval.
        diverged: the share of tasks.
        mean_of_each_seed: (seeds,).
    """

    mean: Unbounded
    ci95: Unbounded
    median: Unbounded
    diverged: float = Field(ge=0, le=1)
    mean_of_each_seed: tuple[Unbounded, ...]


class TableRow(Report):
    """A row of the table: an algorithm as it was trained, its errors, and what was published.

    Attributes:
        errors: by labelled points, then by inner steps.
        published: mean error by inner steps, on 5 labelled points.
        config: the settings without the seed, under their names of that time; none if untrained.
    """

    name: str
    title: str
    algorithm: str
    errors: Mapping[int, Mapping[int, Place]]
    published: Mapping[int, float]
    source: str
    note: str
    config: Mapping[str, int | float | str | None]


class TableConditions(Report):
    """What the table was measured under.

    Attributes:
        command: what makes it again.
        tasks: what is drawn from the family, in words.
        grid: the lower and the upper end, and how many points.
    """

    command: str
    family: str
    tasks: str
    error: str
    grid: tuple[float, float, int]
    training_seeds: tuple[int, ...] = Field(min_length=1)
    held_out_tasks_per_seed: int
    shots: tuple[int, ...] = Field(min_length=1)
    inner_steps: tuple[int, ...] = Field(min_length=1)
    diverged: str
    interval: str


class Claim(Report):
    """A figure that the table is held to: 5-shot means unless it says otherwise."""

    text: str
    value: Unbounded
    bound: str
    holds: bool


class Table(Report):
    """The report of `reproduce`.

    Raises:
        ValueError: if a row lacks a place: each has one for each number of labelled points, after
            each number of inner steps and before the first.
    """

    conditions: TableConditions
    rows: tuple[TableRow, ...]
    claims: tuple[Claim, ...]

    @model_validator(mode="after")
    def _no_place_is_missing(self) -> Self:
        shots, steps = set(self.conditions.shots), {0, *self.conditions.inner_steps}
        for row in self.rows:
            if row.errors.keys() != shots or any(row.errors[k].keys() != steps for k in shots):
                raise ValueError(f"{row.name} has other places than its table")
        return self


# ------------------------------------------------------------------------------------ of benchmark


class Spread(Report):
    """Several measurements of one quantity."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        return cls(median=statistics.median(values), low=min(values), high=max(values))


class Rate(Report):
    """How fast an engine is.

    Attributes:
        times_original: its rate as a multiple of the original loop's in the same round.
    """

    algorithm: str
    meta_batch: int
    engine: str
    tasks_per_second: Spread
    times_original: Spread


class WholeRun(Report):
    """A whole run by the compiled engine.

    Attributes:
        error: on held-out tasks, the family's metric, after the inner steps of the training.
        megabytes: what it took beside what the process held before.
    """

    algorithm: str
    seconds: float
    error: Unbounded
    megabytes: float


class TimeToQuality(Report):
    """Whole runs from several seeds.

    Attributes:
        target: the held-out error to reach.
        errors: what each seed reached, (seeds,).
        reached: how many seeds reached the target.
    """

    algorithm: str
    target: float
    seconds: Spread
    errors: tuple[Unbounded, ...]
    reached: int


class Growth(Report):
    """What a task costs with another value of one setting.

    Attributes:
        microseconds: per task.
    """

    setting: str
    value: int
    microseconds: float


class Speeds(Report):
    """The report of `benchmark`.

    Attributes:
        peak_gflops: of one core, in single precision.
        article: the article's runs.
        share_of_peak: what the compiled engine makes of it at its best.
    """

    peak_gflops: float
    rates: tuple[Rate, ...]
    quality: tuple[TimeToQuality, ...]
    article: tuple[WholeRun, ...]
    scaling: tuple[Growth, ...]
    share_of_peak: float
