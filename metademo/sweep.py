"""A sweep: algorithms x families x settings x seeds, each a run: ``python -m metademo sweep``.

What is to be run a :class:`Plan` says, from the command line or from a TOML file. Each finished run
is a line in a file, written before anything else happens; runs that have one already are not
carried out again, so the same command goes on where it was cut short. The runs are carried out by
:mod:`metademo.workers`.
"""

from __future__ import annotations

import itertools
import math
import os
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NamedTuple, Self

from pydantic import Field, PlainSerializer, ValidationError

from metademo import __version__, checkpoints, files
from metademo.algorithms import ALGORITHMS
from metademo.checkpoints import Checkpoint
from metademo.described import ConfigError, Described, OneOf, described, shown, unknown
from metademo.evaluation import Z95
from metademo.formats import readable
from metademo.recipes import RECIPES, configure
from metademo.reports import Report, Unbounded
from metademo.scores import MAX_TASKS, Conditions, Scores, measure
from metademo.settings import TrainConfig
from metademo.tasks import FAMILIES
from metademo.training import train
from metademo.workers import Say, Where, carry_out

MAX_RUNS = 100_000
FINISHED = "finished"
NAMED = ("algorithm", "family")
"""Settings that have lists of their own."""
T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""Student's t for an interval of 95 % with 1, 2, .. degrees of freedom."""


# ------------------------------------------------------------------------------- what is to be run


class Extent(Described):
    """How the runs are trained and scored, but for their settings."""

    recipe: Annotated[str, OneOf(RECIPES)] = Field(
        "fast", title="recipe", description="Named settings, which the others come on top of."
    )
    seeds: int = Field(
        3, ge=1, le=1000, title="seeds", description="Runs of each, each with the next seed."
    )
    tasks: int = Field(
        400,
        ge=2,
        le=MAX_TASKS,
        title="tasks",
        description="Held-out tasks that each run is scored on, the same for all.",
    )


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes:
        settings: those of all runs, on top of the recipe's; their seed is the first one.
        vary: the values of each setting that varies.
    """

    algorithms: tuple[str, ...]
    families: tuple[str, ...]
    extent: Extent = field(default_factory=Extent)
    settings: Mapping[str, Any] = field(default_factory=dict)
    vary: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """A plan as a TOML file has it: `algorithms` and `families` are lists of names; `recipe`,
        `seeds` and `tasks` as in `Extent`; `settings` is a table, and `vary` one of lists.

        Raises:
            ConfigError: for an unknown key, or a value that can't be used.
        """
        scalars = described(Extent)
        known = ("algorithms", "families", *scalars, "settings", "vary")
        for key in document:
            if key not in known:
                raise ConfigError(f"is not known in a plan: choose from {', '.join(known)}", key)
        settings, vary = _table(document, "settings"), _table(document, "vary")
        _check_names(settings, vary)
        return cls(
            algorithms=_names(document, "algorithms", ALGORITHMS),
            families=_names(document, "families", FAMILIES),
            extent=Extent(**{name: document[name] for name in scalars if name in document}),
            settings=settings,
            vary={name: _values(values, name) for name, values in vary.items()},
        )

    def runs(self) -> tuple[list[TrainConfig], list[str]]:
        """The configs of all runs, and why some pairs of algorithm and family are left out.

        Raises:
            ConfigError: for a setting that can't be used, or if nothing is left.
        """
        configs: dict[TrainConfig, None] = {}
        left_out = []
        pairs = list(itertools.product(self.families, self.algorithms))
        each = self.extent.seeds * math.prod(len(values) for values in self.vary.values())
        if len(pairs) * each > MAX_RUNS:
            raise ConfigError(f"these are {len(pairs) * each:,} runs: at most {MAX_RUNS:,} go")
        for family, algorithm in pairs:
            if reason := ALGORITHMS[algorithm].unsuited(FAMILIES[family]):
                left_out.append(reason)
            else:
                configs |= dict.fromkeys(self._runs_of(algorithm, family))
        if not configs:
            raise ConfigError(f"nothing is left to run: {'; '.join(left_out)}")
        return list(configs), left_out

    def _runs_of(self, algorithm: str, family: str) -> Iterator[TrainConfig]:
        for values in itertools.product(*self.vary.values()):
            changes = {**self.settings, **dict(zip(self.vary, values, strict=True))}
            first = configure(algorithm, family, self.extent.recipe, **changes)
            for seed in range(first.seed, first.seed + self.extent.seeds):
                yield first.changed(seed=seed)


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, Mapping):
        raise ConfigError(f"must be a table of settings, not {shown(found)}", name)
    return found


def _values(found: Any, name: str) -> tuple[Any, ...]:
    """A list of values, without those that stand in it twice."""
    if not isinstance(found, (list, tuple)) or not found:
        raise ConfigError(f"must be a list of values, not {shown(found)}", name)
    for value in found:
        if not isinstance(value, (str, int, float)):
            raise ConfigError(f"must be a list of values, and {shown(value)} is none", name)
    return tuple(dict.fromkeys(found))


def _names(document: Mapping[str, Any], key: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    if key not in document:
        raise ConfigError(f"are missing: choose from {', '.join(known)}", key)
    found = _values(document[key], key)
    for name in found:
        if name not in known:
            raise ConfigError(unknown(name, known), key)
    return found


def _check_names(settings: Mapping[str, Any], vary: Mapping[str, Any]) -> None:
    """See that each setting is one, and has its place."""
    for name in (*settings, *vary):
        if name in NAMED:
            raise ConfigError("has a list of its own: algorithms, or families", name)
        if name not in described(TrainConfig):
            TrainConfig.from_dict({name: None})  # which complains
    if "seed" in vary:
        raise ConfigError("is counted by seeds, and does not vary otherwise", "seed")
    for name in settings.keys() & vary.keys():
        raise ConfigError("can't both have one value and vary", name)


# --------------------------------------------------------------------------------------- its file


class Run(Report):
    """A run that has been carried out: a line of the file.

    Attributes:
        version: of this project.
        ending: "finished", or why it diverged; what is scored is then the last good step's.
        steps: outer steps done.
        seconds: wall time of the training; a process's first run loads the compiled engine in it.
        scores: on the held-out tasks, after 0, 1, .. inner steps, with 95 % intervals over tasks.
    """

    version: str
    seed: int
    ending: str
    steps: int
    seconds: float
    scores: Annotated[Scores, PlainSerializer(Scores.to_dict)]
    config: TrainConfig

    @property
    def diverged(self) -> bool:
        return self.ending != FINISHED

    @property
    def tasks(self) -> int:
        return self.scores.tasks


HEAD = b'{"version": "'
"""How each line begins."""


class Lines:
    """The file of a sweep: what is in it, and a place for more. To be closed.

    Attributes:
        runs: those in the file, by config and number of held-out tasks; of two alike the later.
        others: how many lines are of another version, and can't be read; they stay as they are.
    """

    def __init__(self, path: Path | str):
        """Raises:
        OSError: if the file can't be read and written, or another sweep is writing it.
        ValueError: if it is no file of a sweep.
        """
        path = files.check_place(path, overwrite=True, size=2**20)
        self._file: BinaryIO = open(path, "a+b", buffering=0)  # noqa: SIM115
        try:
            self.runs: dict[tuple[TrainConfig, int], Run] = {}
            self.others = 0
            self._lock(path)
            self._read(path)
        except BaseException:
            self.close()
            raise

    def _lock(self, path: Path) -> None:
        """Until it is closed: two sweeps at once would run the same runs, and mix their lines."""
        if sys.platform == "win32":  # it has no such locks
            return
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(
                f"another sweep is writing {path}: wait until it has ended, or choose another file"
            ) from None
        except OSError:
            pass  # not every file system has locks

    def _read(self, path: Path) -> None:
        self._file.seek(0)
        data = self._file.read()
        *lines, rest = data.split(b"\n")
        for number, line in enumerate((*lines, *([rest] if rest else [])), 1):
            whole = number <= len(lines)
            if not line.startswith(HEAD if whole else HEAD[: len(line)]):
                raise ValueError(f"{path} is no file of a sweep (line {number}): choose another")
            self._take(line, whole)
        if rest:  # the process that wrote it was killed
            self._file.truncate(len(data) - len(rest))

    def _take(self, line: bytes, whole: bool) -> None:
        try:
            run = Run.model_validate_json(line)
        except ValidationError:
            self.others += whole
        else:
            if whole:
                self.runs[run.config, run.tasks] = run

    def append(self, run: Run) -> None:
        """Write a line, down to the disk.

        Raises:
            OSError: if that fails.
        """
        line = (run.to_json() + "\n").encode()
        if self._file.write(line) != len(line):
            raise OSError(f"{self._file.name} is full: make room, and begin again")
        os.fsync(self._file.fileno())
        self.runs[run.config, run.tasks] = run

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()


# -------------------------------------------------------------------------------------- to run it


def train_and_score(config: TrainConfig, tasks: int) -> tuple[Run, bytes]:
    """One run, with its weights as the bytes of a checkpoint; one that diverges is one, too."""
    trainer, fault, seconds = train(config)
    scores = measure(config, trainer.meta, Conditions(tasks=tasks))
    run = Run(
        version=__version__,
        seed=config.seed,
        ending=fault or FINISHED,
        steps=trainer.step,
        seconds=round(seconds, 3),
        scores=scores,
        config=config,
    )
    return run, checkpoints.serialise(Checkpoint(config, trainer.meta, trainer.step, scores))


class Outcome(NamedTuple):
    """What became of a sweep.

    Attributes:
        runs: of the plan, in its order; those that failed are missing.
        left_out: pairs of algorithm and family that don't go together, with the reason.
        failed: a line about each run that failed.
    """

    runs: list[Run]
    left_out: list[str]
    failed: list[str]


def carry_out_plan(
    plan: Plan,
    out: Path | str,
    *,
    where: Where | None = None,
    weights: Path | str | None = None,
    say: Say = print,
) -> Outcome:
    """Carry out the runs of a plan that have no line in the file `out` yet.

    Args:
        where: on this machine, on all cores, unless told otherwise.
        weights: a folder where the weights of each run are kept; None to keep none. A run whose
            weights are not there is carried out again.
        say: is told a line about each run as soon as it is done, and about all that goes wrong.

    Raises:
        ConfigError: for a setting that can't be used.
        OSError: if a file can't be written.
        ValueError: if a file is there already, and holds something else.
    """
    configs, left_out = plan.runs()
    for reason in left_out:
        say(f"left out: {reason}")
    places = _places(plan, configs, Path(weights)) if weights is not None else {}
    failed: list[str] = []
    with Lines(out) as lines:
        if lines.others:
            say(f"{lines.others} lines of {out} are of another version, and not used")
        tasks = plan.extent.tasks
        todo = [c for c in configs if (c, tasks) not in lines.runs or not _kept(c, places)]
        if len(todo) < len(configs):
            say(f"{len(configs) - len(todo)} of {len(configs)} runs are in {out} already")
        todo.sort(key=lambda config: -config.gradients)  # so that no core waits for one at the end
        work = partial(train_and_score, tasks=tasks)
        done = carry_out(work, todo, where or Where(), say=say)
        for count, (config, result, fault) in enumerate(done, 1):
            about = f"{count}/{len(todo)} {name_of(plan, config)}"
            if result is None:
                failed.append(f"{name_of(plan, config)} failed: {fault}")
                say(f"{about} failed: {fault}")
                continue
            run, data = result
            if places:
                files.write_or_keep(places[config], data, overwrite=True)
            lines.append(run)
            say(f"{about}: {_in_words(run)}")
        found = [lines.runs[c, tasks] for c in configs if (c, tasks) in lines.runs]
    return Outcome(found, left_out, failed)


def _in_words(run: Run) -> str:
    scores = run.scores
    error = f"{readable(scores.mean[-1])} ± {readable(scores.ci95[-1])} in {run.seconds:.1f} s"
    return f"{error}, {run.ending}" if run.diverged else error


def name_of(plan: Plan, config: TrainConfig) -> str:
    """A run in words: what tells it from the others of its plan."""
    varied = "".join(f", {name} {getattr(config, name)}" for name in plan.vary)
    return f"{config.algorithm} on {config.family}{varied}, seed {config.seed}"


def _places(plan: Plan, configs: Sequence[TrainConfig], folder: Path) -> dict[TrainConfig, Path]:
    """Where the weights of each run belong.

    Raises:
        OSError: if they can't be written.
        ValueError: if those of another run are there.
    """
    files.check_place(
        folder / "weights", overwrite=True, size=max(map(checkpoints.size_of, configs))
    )
    places = {}
    for config in configs:
        varied = "".join(f"-{name}={getattr(config, name)}" for name in plan.vary)
        name = f"{config.algorithm}-{config.family}{varied}-seed{config.seed}"
        places[config] = path = folder / (name + checkpoints.SUFFIX)
        if path.exists() and checkpoints.load(path).config != config:
            raise ValueError(f"{path} holds weights of another run: choose another folder")
    return places


def _kept(config: TrainConfig, places: Mapping[TrainConfig, Path]) -> bool:
    """Whether the weights of a run are where they belong, if they are to be kept."""
    return not places or places[config].exists()


# ------------------------------------------------------------------------------------- its table


class Row(Report):
    """Runs that differ in nothing but the seed.

    Attributes:
        varied: the settings that vary, with their values here.
        metric: "l1" or "mse".
        mean: over the seeds, of the mean error over the held-out tasks, after 0, 1, .. inner steps.
        ci95: half the width of its 95 % interval: by Student's t over the seeds, and where there is
            but one, over its tasks.
        of_each_seed: the error after the last inner step, (seeds,).
        diverged: how many of them.
    """

    algorithm: str
    family: str
    varied: Mapping[str, int | float | str | None]
    metric: str
    seeds: tuple[int, ...]
    mean: tuple[Unbounded, ...]
    ci95: tuple[Unbounded, ...]
    of_each_seed: tuple[Unbounded, ...]
    diverged: int


class Table(Report):
    """The report of `sweep`.

    Attributes:
        runs: the file with a line for each run.
        tasks: held-out tasks of each run.
    """

    runs: str
    tasks: int
    rows: tuple[Row, ...]
    left_out: tuple[str, ...]
    failed: tuple[str, ...]


def table_of(plan: Plan, outcome: Outcome, out: Path | str) -> Table:
    """The report about a sweep."""
    groups: dict[TrainConfig, list[Run]] = {}
    for run in outcome.runs:
        groups.setdefault(run.config.changed(seed=0), []).append(run)
    return Table(
        runs=str(out),
        tasks=plan.extent.tasks,
        rows=tuple(_row(plan, runs) for runs in groups.values()),
        left_out=tuple(outcome.left_out),
        failed=tuple(outcome.failed),
    )


def _row(plan: Plan, runs: Sequence[Run]) -> Row:
    config = runs[0].config
    steps = list(zip(*(run.scores.mean for run in runs), strict=True))
    ci95 = runs[0].scores.ci95 if len(runs) == 1 else tuple(map(interval, steps))
    return Row(
        algorithm=config.algorithm,
        family=config.family,
        varied={name: getattr(config, name) for name in plan.vary},
        metric=runs[0].scores.metric,
        seeds=tuple(run.seed for run in runs),
        mean=tuple(math.fsum(errors) / len(errors) for errors in steps),
        ci95=ci95,
        of_each_seed=steps[-1],
        diverged=sum(run.diverged for run in runs),
    )


def interval(values: Sequence[float]) -> float:
    """Half the width of the 95 % interval of the mean of a few values, by Student's t.

    >>> interval([1.0, 3.0])  # 12.706 x 1.414 / 1.414
    12.706
    """
    if not all(map(math.isfinite, values)):
        return math.inf
    degrees = len(values) - 1
    t = T95[degrees - 1] if degrees <= len(T95) else Z95 + (Z95**3 + Z95) / (4 * degrees)
    return t * statistics.stdev(values) / math.sqrt(len(values))


def table(report: Table) -> str:
    """The report as text: a paragraph for each family, and a line for each row."""
    lines = []
    for family in dict.fromkeys(row.family for row in report.rows):
        rows = [row for row in report.rows if row.family == family]
        measured = f"{rows[0].metric} {FAMILIES[family].measured}"
        lines += [f"{family}: {measured}, {report.tasks} held-out tasks", *_aligned(rows), ""]
    lines.append(
        "± is the 95 % interval over seeds (Student's t); of a single seed, over its tasks"
    )
    if any(row.diverged for row in report.rows):
        lines.append("a run that diverged is scored as it was after its last good step")
    return "\n".join(lines)


def _aligned(rows: Sequence[Row]) -> list[str]:
    head = ["algorithm", *rows[0].varied, "seeds", "before", "after", "±95 %", "diverged"]
    cells = [head]
    for row in rows:
        varied = ["none" if value is None else f"{value}" for value in row.varied.values()]
        errors = [readable(value) for value in (row.mean[0], row.mean[-1], row.ci95[-1])]
        diverged = str(row.diverged) if row.diverged else "-"
        cells.append([row.algorithm, *varied, str(len(row.seeds)), *errors, diverged])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  " + "  ".join(_padded(line, widths)).rstrip() for line in cells]


def _padded(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """The first cell to the left, numbers to the right."""
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        yield cell.rjust(width) if place else cell.ljust(width)
