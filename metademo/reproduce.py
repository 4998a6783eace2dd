"""The standard benchmark, from nothing: ``python -m metademo reproduce``.

Sinusoid regression as in Finn, Abbeel & Levine 2017, section 5.1 (the family `finn`): each row of
`ROWS` is trained from several seeds, and scored on held-out tasks of each after 1, 5 and 10 inner
steps on 5, 10 and 20 labelled points, beside what was published. Where a learner takes no gradient
steps, a step is one more point that it has seen, as everywhere. What was trained is kept in a
folder and read again the next time.

A mean says little where a few tasks of large amplitude run away under a fixed step size: one of
them outweighs a thousand others. So the median and the share that diverged stand beside it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from metademo import checkpoints
from metademo.algorithms import YARDSTICKS, Learner, Meta
from metademo.checkpoints import Checkpoint, CheckpointError
from metademo.engines import uncovered
from metademo.evaluation import Z95, evaluate, ordered
from metademo.recipes import configure
from metademo.reports import Claim, Place, Table, TableConditions, TableRow
from metademo.reproduced import DIVERGED, RUNAWAY
from metademo.settings import TrainConfig
from metademo.tasks import FAMILIES, Array, as_waves
from metademo.training import INIT_STREAM, MetaTrainer
from metademo.workers import Say, Where, carry_out

FAMILY = "finn"
SHOTS, STEPS = (5, 10, 20), (1, 5, 10)
SEEDS, TASKS, FEWEST_TASKS = 3, 1000, 600
EVERY = 4
"""Errors are measured on every fourth point of the family's grid: 100 points."""
SHIPS = 1
"""The seed of the row `best` whose weights ship."""
POINTS_SEEN = (
    "It takes no gradient steps: after 1, 5 and 10 it has seen the first 1, 5 and 10 points, or "
    "all where there are fewer. So of 20 points it has seen no more than half."
)
"""The note of a row whose steps are points."""
FINN = "Finn, Abbeel & Levine 2017, table 2 (5-shot)"


@dataclass(frozen=True)
class Row:
    """A row of the table: an algorithm with its settings, and what was published about it.

    Attributes:
        name: of the row, and of its checkpoints.
        title: in words.
        algorithm: a name in `ALGORITHMS` or `YARDSTICKS`.
        recipe, changes: how it is trained; see `configure`.
        published: mean error by number of inner steps, on 5 labelled points.
        source: of those figures.
        note: why a figure is as it is.
    """

    name: str
    title: str
    algorithm: str
    recipe: str = "finn"
    changes: dict[str, Any] = field(default_factory=dict)
    published: dict[int, float] = field(default_factory=dict)
    source: str = ""
    note: str = ""

    @property
    def trained(self) -> bool:
        return self.algorithm not in YARDSTICKS

    def config(self, seed: int) -> TrainConfig:
        """The settings of one run; those of a yardstick shape its network only."""
        algorithm = self.algorithm if self.trained else "maml"
        return configure(algorithm, FAMILY, self.recipe, seed=seed, **self.changes)


ROWS: tuple[Row, ...] = (
    Row("oracle", "least squares on A sin(x + b)", "oracle", note="The floor: it knows the form."),
    Row(
        "gp-cosine",
        "Gaussian process on sines, points seen in place of steps",
        "gp-cosine",
        note=f"{POINTS_SEEN} Its kernel knows the form, and was fitted to 500 tasks of the family; "
        "so were those of the other two. Nothing in that depends on a training seed.",
    ),
    Row(
        "gp-periodic",
        "Gaussian process, periodic, points seen in place of steps",
        "gp-periodic",
        note=POINTS_SEEN,
    ),
    Row(
        "gp-rbf",
        "Gaussian process, smooth (RBF), points seen in place of steps",
        "gp-rbf",
        note=f"{POINTS_SEEN} What smoothness alone is worth: after one, two and three points "
        "it is further off than before the first.",
    ),
    Row("random", "not trained", "random"),
    Row(
        "pretrained",
        "joint pre-training, fine-tuned",
        "pretrained",
        published={1: 2.41, 5: 2.23, 10: 2.19},
        source=FINN,
    ),
    Row(
        "maml",
        "MAML as published",
        "maml",
        published={1: 0.67, 5: 0.38, 10: 0.35},
        source=FINN,
        note="Trained for one step of alpha = 0.01. More steps of that size are more than a few "
        "tasks of large amplitude bear: the gradient grows with the error, they overshoot and run "
        "away, and the mean after 5 and 10 steps is theirs. The median is not. Runs differ "
        "by their seed, too: after one step, on 4,000 tasks, seeds 0 to 2 end at .64, .68 and .71.",
    ),
    Row(
        "maml-5",
        "MAML, trained for 5 steps on 5 points",
        "maml",
        changes=dict(inner_steps=5, shots=5, clip=10.0, schedule="cosine", skips=1000),
        published={5: 0.38, 10: 0.35},
        source=FINN,
    ),
    Row(
        "fomaml",
        "first-order MAML, one step on 5 points",
        "fomaml",
        note="On as many points as it is scored on it comes as near to MAML as others report.",
    ),
    Row(
        "fomaml-10",
        "first-order MAML, otherwise as published",
        "fomaml",
        changes=dict(shots=10),
        note="Trained on 10 points it trusts them: its error before any step is twice that of the "
        "best guess, and a step on 5 points does not make up for that. MAML, whose gradient sees "
        "what the step does, does not suffer from it.",
    ),
    Row("reptile", "Reptile, 8 steps of 0.02 on 10 points", "reptile"),
    Row("anil", "ANIL, 5 steps on 10 points", "anil"),
    Row(
        "meta-sgd",
        "Meta-SGD, one step on 5 points",
        "meta-sgd",
        note="Its step sizes are learned for one step; taken five or ten times they lead astray.",
    ),
    Row(
        "cavia",
        "CAVIA, 2 steps on 5 points",
        "cavia",
        note="It moves five numbers beside x, and no weight.",
    ),
    Row(
        "in-context",
        "in-context transformer, points seen in place of steps",
        "in-context",
        note=POINTS_SEEN,
    ),
    Row("alpaca", "ALPaCA, points seen in place of steps", "alpaca", note=POINTS_SEEN),
    Row("cnp", "CNP, points seen in place of steps", "cnp", note=POINTS_SEEN),
    Row("maml++", "MAML++, 5 steps on 5 points", "maml++"),
    Row(
        "best",
        "MAML++ per weight, trained for longer: ships as best-finn",
        "maml++w",
        recipe="finn-best",
        note="MAML++ with a step size for each weight, trained for exactly 5 steps on 5 points; "
        "further steps repeat the fifth, which not every run bears. What is left of its "
        "mean comes from a few tasks whose points nearly coincide half a period apart, so that "
        "they hardly tell amplitude from phase. Seed 1 ships: alike after 5 steps, and of the "
        "three the best after 10, where seed 0 runs away on more than half of the tasks.",
    ),
)


# ---------------------------------------------------------------------------- training


def trained(row: Row, seed: int, folder: Path, say: Say) -> Checkpoint:
    """The row's run from this seed: read from the folder if it is there, otherwise trained."""
    config, path = row.config(seed), folder / f"{row.name}-seed{seed}{checkpoints.SUFFIX}"
    try:
        kept = checkpoints.load(path)
        if kept.config == config and kept.steps == config.steps:
            return kept
    except CheckpointError:
        pass  # not there yet, or of an older version: trained afresh
    began, trainer = time.perf_counter(), MetaTrainer(config)
    for _ in trainer.run(every=500):
        pass
    done = Checkpoint(config, trainer.meta, trainer.step)
    checkpoints.save_or_keep(path, done, overwrite=True)
    left_out = f", {trainer.skipped} steps left out" if trainer.skipped else ""
    say(f"trained {row.name}, seed {seed}, in {time.perf_counter() - began:.0f} s{left_out}")
    return done


def _learner(row: Row, seed: int, folder: Path, say: Say) -> tuple[Learner, Meta]:
    """What is scored: a learner and its meta-parameters."""
    if row.trained:
        run = trained(row, seed, folder, say)
        return run.config.learner, run.meta
    config = row.config(seed)
    rng = np.random.default_rng([seed, INIT_STREAM])
    return YARDSTICKS[row.algorithm].for_family(config, config.task_family, rng)


# ---------------------------------------------------------------------------- scoring


def errors_of(row: Row, seed: int, tasks: int, folder: Path, say: Say) -> dict[int, Array]:
    """Squared error of each task and inner step by shots: arrays (steps + 1, tasks).

    The tasks of a seed are the same for all rows, and new to all of them.
    """
    learner, meta = _learner(row, seed, folder, say)
    family = FAMILIES[FAMILY]
    return {
        shots: evaluate(
            learner,
            meta,
            family,
            shots=shots,
            steps=max(STEPS),
            tasks=tasks,
            seed=seed,
            every=EVERY,
        ).errors
        for shots in SHOTS
    }


def diverged(errors: Array) -> Array:
    """Which tasks have diverged after each step, see `DIVERGED`: booleans (steps + 1, tasks)."""
    bound = RUNAWAY * np.maximum(errors[0], errors[0].mean())
    return ~(errors <= bound)  # also true for NaN


def summary(per_seed: Sequence[Array]) -> dict[int, Place]:
    """What the table says about one row and one number of shots, by inner steps.

    Args:
        per_seed: errors (steps + 1, tasks) of each seed.
    """
    gone = np.concatenate([diverged(errors) for errors in per_seed], axis=1)
    pooled = ordered(np.concatenate(per_seed, axis=1).astype(np.float64))
    with np.errstate(all="ignore"):  # where tasks diverged
        half = Z95 * pooled.std(1, ddof=1) / math.sqrt(pooled.shape[1])
        return {
            k: Place(
                mean=_rounded(pooled[k].mean()),
                ci95=_rounded(half[k]),
                median=_rounded(np.median(pooled[k])),
                diverged=_rounded(gone[k].mean()),
                mean_of_each_seed=tuple(_rounded(errors[k].mean()) for errors in per_seed),
            )
            for k in (0, *STEPS)
        }


def _rounded(value: float) -> float:
    """Four significant digits of it; what is no number ran away, and is infinite."""
    return math.inf if math.isnan(value) else float(f"{value:.4g}")


# ---------------------------------------------------------------------------- the whole


def run(
    *,
    seeds: int = SEEDS,
    tasks: int = TASKS,
    folder: Path | str = "runs",
    say: Say = print,
    where: Where | None = None,
) -> Table:
    """Train what is missing, score everything.

    Args:
        where: on this machine, on all cores, unless told otherwise; the folder has to be there.

    Raises:
        ValueError: if a run failed, after all others; what they have trained is kept.
    """
    began = time.perf_counter()
    jobs = [(row, seed) for row in sorted(ROWS, key=_cost) for seed in range(seeds)]
    # A process that was started for earlier runs may be at work in another folder.
    work = partial(_errors_and_words, tasks=tasks, folder=Path(folder).absolute())
    errors, faults = {}, []
    for (row, seed), found, fault in carry_out(work, jobs, where or Where(), say=say):
        if found is None:
            faults.append(f"{row.name}, seed {seed}: {fault}")
            continue
        errors[row.name, seed], said = found
        for line in said:
            say(line)
    if faults:
        raise ValueError("; ".join(faults))
    rows = tuple(_row(row, [errors[row.name, seed] for seed in range(seeds)]) for row in ROWS)
    report = Table(conditions=_conditions(seeds, tasks), rows=rows, claims=claims(rows))
    say(f"done in {time.perf_counter() - began:.0f} s")
    return report


def _errors_and_words(
    job: tuple[Row, int], *, tasks: int, folder: Path
) -> tuple[dict[int, Array], list[str]]:
    """`errors_of`, and what it says: in another process there is nobody to hear it."""
    said: list[str] = []
    return errors_of(*job, tasks, folder, said.append), said


def _cost(row: Row) -> int:
    """Long runs first, so that no core waits for one at the end.

    A task takes up to thirty times as long where the compiled engine does not cover the learner.
    """
    config = row.config(0)
    each = (1 + config.learner.trained_steps) * (30 if uncovered(config.learner) else 1)
    return -row.trained * config.steps * config.meta_batch * each


def _row(row: Row, per_seed: list[dict[int, Array]]) -> TableRow:
    config = row.config(0).to_dict()
    del config["seed"]
    return TableRow(
        name=row.name,
        title=row.title,
        algorithm=row.algorithm,
        errors={shots: summary([errors[shots] for errors in per_seed]) for shots in SHOTS},
        published=row.published,
        source=row.source,
        note=row.note,
        config=config if row.trained else {},
    )


def _conditions(seeds: int, tasks: int) -> TableConditions:
    family = as_waves(FAMILIES[FAMILY])
    return TableConditions(
        command=f"python -m metademo reproduce --seeds {seeds} --tasks {tasks}",
        family=family.name,
        tasks=family.title,
        error="squared, mean over the points of the grid, against the true wave",
        grid=(*family.x_range, len(family.grid[::EVERY])),
        training_seeds=tuple(range(seeds)),
        held_out_tasks_per_seed=tasks,
        shots=SHOTS,
        inner_steps=STEPS,
        diverged=DIVERGED,
        interval="normal, 95 %, over the tasks of all seeds",
    )


def claims(rows: Sequence[TableRow]) -> tuple[Claim, ...]:
    """What the table is held to, with how it came out."""
    errors = {row.name: row.errors[5] for row in rows}

    def of(row: str, step: int) -> float:
        return errors[row][step].mean

    def claim(text: str, value: float, bound: str, holds: bool) -> Claim:
        return Claim(text=text, value=_rounded(value), bound=bound, holds=holds)

    def most(text: str, value: float, bound: float) -> Claim:
        return claim(text, value, f"at most {bound}", value <= bound)

    worst = max(errors["maml"][1].mean_of_each_seed)
    ships = errors["best"][5].mean_of_each_seed[SHIPS : SHIPS + 1]  # none, if it has not run
    ratio = of("fomaml", 1) / of("maml", 1)
    before = min(row.errors[5][0].mean for row in rows if row.algorithm not in YARDSTICKS)
    return (
        most("MAML as published, 1 step, each seed", worst, 0.70),
        most("MAML trained for 5 steps, 5 steps", of("maml-5", 5), 0.36),
        most("MAML trained for 5 steps, 10 steps", of("maml-5", 10), 0.32),
        most("  share diverged", max(errors["maml-5"][k].diverged for k in STEPS), 0.0),
        most("first-order MAML over MAML, 1 step", ratio, 1.15),
        most("Meta-SGD, 1 step", of("meta-sgd", 1), 0.50),
        claim("error before any step, all rows", before, "at least 2.9", before >= 2.9),
        *(
            claim(
                f"joint pre-training, {k} step{'s' * (k > 1)}",
                of("pretrained", k),
                f"within 0.2 of {value}",
                abs(of("pretrained", k) - value) <= 0.2,
            )
            for k, value in ((1, 2.4), (5, 2.2), (10, 2.2))
        ),
        *(most("best, 5 steps, the seed that ships", value, 0.02) for value in ships),
        most("  share diverged, all seeds", errors["best"][5].diverged, 0.0),
        most("oracle", of("oracle", 1), 1e-6),
    )
