"""To carry out a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from metademo import __version__, checkpoints, files
from metademo.checkpoints import Checkpoint
from metademo.formats import readable
from metademo.scores import Conditions, measure
from metademo.settings import TrainConfig
from metademo.sweep.file import FINISHED, Lines, Run
from metademo.sweep.plan import Plan
from metademo.training import train
from metademo.workers import Say, Where, carry_out


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
