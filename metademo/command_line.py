"""The command line: ``python -m metademo list | train | evaluate | adapt | reproduce | benchmark``.

Text is for people, ``--json`` for machines. Bad input ends with exit code 2 and one line on stderr
that names the fault and the mend.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import math
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from tqdm import tqdm

from metademo import benchmark, checkpoints, figures, files, reproduce, seeds
from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.checkpoints import Checkpoint, CheckpointError
from metademo.engines import ENGINES, Diverged
from metademo.evaluation import evaluate, run_learner
from metademo.files import KeptElsewhere
from metademo.formats import DIVERGES, readable, to_json
from metademo.tasks import FAMILIES, SHAPES, Examples, TaskFamily, as_waves
from metademo.training import RECIPES, MetaTrainer, TrainConfig, configure

MAX_TASKS = 100_000
INTERRUPTED = 130
"""The exit code of a command that was interrupted, as shells have it."""
REPORT_BYTES = 2**20
"""More than the report of `reproduce` takes."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {' '.join(message.split())}", file=sys.stderr)
        raise SystemExit(2)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = _parser().parse_args(_joined(sys.argv[1:] if argv is None else argv))
    torch.set_num_threads(1)  # the networks are so small that threads would wait for each other
    try:
        return arguments.command(arguments)
    except (ValueError, OSError) as fault:  # ConfigError and CheckpointError are ValueErrors
        print(f"metademo: {' '.join(str(fault).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("metademo: interrupted", file=sys.stderr)
        return INTERRUPTED


def _joined(argv: Sequence[str]) -> list[str]:
    """`--source -1,1` as `--source=-1,1`: argparse takes a value that begins so for an option."""
    joined: list[str] = []
    for item in argv:
        if joined and joined[-1] in ("--points", "--source") and re.match(r"-[\d.]", item):
            joined[-1] += "=" + item
        else:
            joined.append(item)
    return joined


def _list(arguments: argparse.Namespace) -> int:
    listing = {
        "algorithms": {name: algorithm.summary for name, algorithm in ALGORITHMS.items()},
        "yardsticks": {name: yardstick.summary for name, yardstick in YARDSTICKS.items()},
        "families": {name: family.title for name, family in FAMILIES.items()},
        "recipes": {name: recipe.title for name, recipe in RECIPES.items()},
        "weights": {name: _describe(name) for name in checkpoints.shipped_names()},
    }
    if arguments.json:
        print(to_json(listing))
        return 0
    for title, entries in listing.items():
        print(title)
        for name, text in entries.items():
            print(f"  {name:<24}{text}")
    return 0


def _describe(name: str) -> str:
    """One line about shipped weights, or what is wrong with them."""
    try:
        checkpoint = checkpoints.load(checkpoints.shipped(name))
    except CheckpointError as fault:
        return f"unusable: {fault}"
    scores = checkpoint.scores
    if not scores:
        return f"{checkpoint.steps:,} outer steps"
    error = readable(scores["mean"][-1], 3)
    if error != DIVERGES:
        error += f" ± {readable(scores['ci95'][-1], 3)}"
    return (
        f"{checkpoint.steps:,} outer steps; {scores['metric']} error {error} "
        f"after {scores['inner_steps']} inner steps"
    )


def _train(arguments: argparse.Namespace) -> int:
    changes = {name: value for name in _CHANGES if (value := getattr(arguments, name)) is not None}
    config = configure(arguments.algorithm, arguments.family, arguments.recipe, **changes)
    if arguments.seeds is not None:
        return _compare_seeds(config, arguments)
    out = Path(arguments.out or f"{config.algorithm}-{config.family}{checkpoints.SUFFIX}")
    # Said before the work, not after it.
    files.check_place(out, overwrite=arguments.force, size=checkpoints.size_of(config))
    trainer = MetaTrainer(config, engine=arguments.engine)
    began = time.perf_counter()
    ending = _consume(trainer, quiet=arguments.json)
    seconds = time.perf_counter() - began
    try:
        scores = _scores(config, trainer, shots=config.shots, steps=config.inner_steps)
    except KeyboardInterrupt:  # impatient, perhaps, but the weights are worth saving
        scores, ending = {}, "interrupted"
    checkpoint = Checkpoint(config, trainer.meta, trainer.step, scores)
    code = {"finished": 0, "interrupted": INTERRUPTED}.get(ending, 1)
    try:
        with _ctrl_c():  # one more Ctrl-C does not lose the weights
            checkpoints.save_or_keep(out, checkpoint, overwrite=arguments.force)
    except KeptElsewhere as fault:
        print(f"metademo: {fault}", file=sys.stderr)
        out, code = fault.path, 1
    if arguments.json:
        report: dict[str, Any] = dict(file=str(out), ending=ending, engine=trainer.engine.name)
        report |= dict(steps=trainer.step, seconds=seconds, scores=scores, config=config.to_dict())
        print(to_json(report))
    else:
        print(f"{ending} after {trainer.step:,} outer steps and {seconds:.1f} s: {out}")
        if scores:
            _print_scores(scores)
    return code


def _compare_seeds(config: TrainConfig, arguments: argparse.Namespace) -> int:
    """Train from several seeds and say how each run ends; nothing is saved."""
    say = (lambda line: None) if arguments.json else print
    report = seeds.run(config, arguments.seeds, engine=arguments.engine, say=say)
    if arguments.json:
        print(to_json(report))
    return 1 if any(run["fault"] for run in report["runs"]) else 0


def _consume(trainer: MetaTrainer, *, quiet: bool) -> str:
    """Train behind a progress bar; how it ended: finished, interrupted, or why it diverged."""
    name = trainer.engine.name
    if name == "fused" and not quiet:
        print("fused engine: compiled at its first use, which takes a moment", file=sys.stderr)
    total = trainer.config.steps
    bar = tqdm(total=total, desc=name, unit="step", disable=quiet, smoothing=0.1)
    with bar, _ctrl_c() as asked:
        try:
            for record in trainer.run():
                bar.update(record.step - bar.n)
                loss = readable(record.query_losses.mean(), 3)
                bar.set_postfix_str(f"query loss {loss}", refresh=False)
                if asked.is_set():
                    return "interrupted"
        except KeyboardInterrupt:
            return "interrupted"
        except Diverged as fault:
            return f"diverged ({fault})"
    return "finished"


@contextlib.contextmanager
def _ctrl_c() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets; a second Ctrl-C interrupts at once.

    An exception could be lost on the way, if it arrives while compiled code is being called.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def handle(number: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _evaluate(arguments: argparse.Namespace) -> int:
    checkpoint = checkpoints.load(_weights(arguments.weights))
    config = checkpoint.config
    if arguments.family:
        config = TrainConfig.from_dict(config.to_dict() | {"family": arguments.family})
    family, outside = config.task_family, _outside(arguments)
    if outside:
        family = replace(as_waves(family), **outside)
    scores = outside | _scores(
        config,
        checkpoint,
        family=family,
        shots=config.shots if arguments.shots is None else arguments.shots,
        steps=config.inner_steps if arguments.inner_steps is None else arguments.inner_steps,
        tasks=arguments.tasks,
        seed=arguments.seed,
    )
    if arguments.json:
        print(to_json(scores))
    else:
        _print_scores(scores)
    return 0


def _scores(
    config: TrainConfig,
    holder: MetaTrainer | Checkpoint,
    *,
    shots: int,
    steps: int,
    family: TaskFamily | None = None,
    tasks: int = 400,
    seed: int = 0,
) -> dict[str, Any]:
    """Held-out scores of a holder of meta-parameters, with their conditions."""
    result = evaluate(
        config.learner,
        holder.meta,
        family or config.task_family,
        shots=_within("shots", shots, 1, 1000),
        steps=steps,
        tasks=_within("tasks", tasks, 2, MAX_TASKS),
        seed=_within("seed", seed, 0, 2**63 - 1),
    )
    scores: dict[str, Any] = dict(
        algorithm=config.algorithm,
        family=config.family,
        shots=0 if config.learner.unlabelled else shots,
        inner_steps=steps,
        tasks=tasks,
        seed=seed,
        metric=result.metric,
    )
    for name in ("mean", "ci95", "median", "p90"):
        scores[name] = [round(float(value), 6) for value in getattr(result, name)]
    return scores


def _outside(arguments: argparse.Namespace) -> dict[str, Any]:
    """Attributes of the task family to test on that are not those of training."""
    given = dict(amplitudes=arguments.amplitude, frequencies=arguments.frequency)
    outside: dict[str, Any] = {
        name: (float(value), float(value)) for name, value in given.items() if value is not None
    }
    outside |= dict(shape=arguments.shape) if arguments.shape else {}
    outside |= dict(noise=arguments.noise) if arguments.noise else {}
    for name in ("amplitude", "frequency", "noise"):
        value = getattr(arguments, name)
        if value is not None and not 0 <= value <= 1000:
            raise ValueError(f"{name} must be from 0 to 1000, not {value:g}")
    return outside


def _print_scores(scores: dict[str, Any]) -> None:
    print(
        "{algorithm} on {family}: {metric} {measured}, {shots} labelled points, "
        "{tasks} held-out tasks".format(measured=FAMILIES[scores["family"]].measured, **scores)
    )
    for name in ("shape", "amplitudes", "frequencies", "noise"):
        if name in scores:
            print(f"  {name}: {scores[name]}")
    print("  step      mean     ±95 %    median       p90")
    rows = zip(scores["mean"], scores["ci95"], scores["median"], scores["p90"], strict=True)
    for k, row in enumerate(rows):
        print(f"  {k:>4}" + "".join(f"{readable(value):>10}" for value in row))


def _adapt(arguments: argparse.Namespace) -> int:
    checkpoint = checkpoints.load(_weights(arguments.weights))
    learner, family = checkpoint.config.learner, as_waves(checkpoint.config.task_family)
    wanted = "--source" if learner.unlabelled else "--points"
    given = "--points" if arguments.points is not None else "--source"
    if wanted != given:
        raise ValueError(f"{learner.name} adapts from {wanted}, not from {given}")
    if learner.unlabelled:
        points = None
        support = Examples(np.array([_numbers(arguments.source, "--source")]))
    else:
        points = _points(arguments.points)
        support = Examples(points[None, :, 0], points[None, :, 1])
    found = run_learner(learner, checkpoint.meta, support, family.grid, steps=arguments.steps)
    drawn, loss = found.outputs[:, 0], found.losses[:, 0]
    if not np.isfinite(drawn).all():
        raise ValueError("the adaptation diverged: take fewer --steps or points nearer to the wave")
    if arguments.figure:
        figure = figures.adaptation_figure(learner.name, family.grid, drawn, loss, points)
        figure.write_html(arguments.figure, include_plotlyjs=True)
    if arguments.json:
        print(to_json({"x": family.grid.tolist(), "curves": drawn.tolist(), "loss": loss.tolist()}))
        return 0
    print("  step  inner loss")
    for k, value in enumerate(loss):
        print(f"  {k:>4}{readable(value):>12}")
    if arguments.figure:
        print(f"the picture is in {arguments.figure}")
    return 0


def _benchmark(arguments: argparse.Namespace) -> int:
    if arguments.peers and importlib.util.find_spec("jax") is None:
        raise ValueError("--peers needs JAX: install it with pip install jax, or leave --peers out")

    def say(what: str) -> None:
        print(f"benchmark: {what}", file=sys.stderr)

    report = benchmark.run(peers=arguments.peers, rounds=arguments.rounds, say=say)
    if arguments.json:
        print(to_json(report))
    else:
        print(benchmark.table(report))
    return 0


def _reproduce(arguments: argparse.Namespace) -> int:
    count = _within("seeds", arguments.seeds, 1, 100)
    tasks = _within("tasks", arguments.tasks, reproduce.FEWEST_TASKS, MAX_TASKS)
    if arguments.out:
        files.check_place(arguments.out, overwrite=True, size=REPORT_BYTES)

    def say(what: str) -> None:
        print(f"reproduce: {what}", file=sys.stderr)

    report = reproduce.run(seeds=count, tasks=tasks, folder=arguments.runs, say=say)
    if arguments.out:
        data = (to_json(report, indent=1) + "\n").encode()
        files.write_or_keep(arguments.out, data, overwrite=True)
    if arguments.json:
        print(to_json(report))
    else:
        print(reproduce.table(report))
    return 0


def _weights(name: str) -> Path:
    """A file, or the name of shipped weights."""
    path = Path(name)
    return path if path.exists() or path.suffix else checkpoints.shipped(name)


def _points(text: str) -> np.ndarray:
    pairs = [_numbers(pair, "--points") for pair in text.split()]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise ValueError('--points takes pairs, such as "0,0 1.57,1"')
    return np.array(pairs)


def _numbers(text: str, option: str) -> list[float]:
    try:
        numbers = [float(item) for item in text.split(",")]
    except ValueError:
        raise ValueError(f"{option}: {text!r} is not a list of numbers such as 0.5,1") from None
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{option}: {text!r} holds a number that is not finite")
    return numbers


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low} to {high}, not {value}")
    return value


_CHANGES = {
    "steps": (int, "outer steps"),
    "seed": (int, "of the initial weights and of the episodes"),
    "hidden": (int, "width of the hidden layers"),
    "inner_steps": (int, "gradient steps per adaptation"),
    "inner_lr": (float, "alpha"),
    "support_loss": (str, "of the inner loop: l1 or mse"),
    "intermediate_weight": (float, "of the query losses on the way, 0 for none"),
    "outer_lr": (float, "beta, at its peak"),
    "shots": (int, "support points per task"),
    "queries": (int, "query points per task"),
    "meta_batch": (int, "tasks per outer step"),
}


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="metademo", description="Meta-learning on sine waves.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=run)
        added.add_argument("--json", action="store_true", help="print JSON")
        return added

    command("list", _list, "show algorithms, families, recipes and shipped weights")

    train = command("train", _train, "meta-train and save a checkpoint")
    train.add_argument("algorithm", choices=list(ALGORITHMS))
    train.add_argument("--family", choices=list(FAMILIES), required=True)
    train.add_argument("--recipe", choices=list(RECIPES), default="fast")
    for name, (kind, text) in _CHANGES.items():
        train.add_argument("--" + name.replace("_", "-"), type=kind, help=text)
    train.add_argument("--engine", choices=ENGINES, default="auto", help="default: auto")
    train.add_argument("--seeds", type=int, help="compare runs of so many seeds, and save nothing")
    train.add_argument("--out", help="file to write (default: ALGORITHM-FAMILY.safetensors)")
    train.add_argument("--force", action="store_true", help="overwrite an existing file")

    score = command("evaluate", _evaluate, "measure the error on held-out tasks")
    score.add_argument("weights", help="a file, or the name of shipped weights")
    score.add_argument("--family", choices=list(FAMILIES), help="default: the one of training")
    score.add_argument("--shape", choices=list(SHAPES), help="of the waves (default: sine)")
    score.add_argument("--amplitude", type=float, help="of all waves, instead of the family's")
    score.add_argument("--frequency", type=float, help="of all waves, instead of the family's")
    score.add_argument("--noise", type=float, help="standard deviation, on the support labels")
    score.add_argument("--shots", type=int, help="default: as in training")
    score.add_argument("--inner-steps", type=int, help="default: as in training")
    score.add_argument("--tasks", type=int, default=400)
    score.add_argument("--seed", type=int, default=0)

    fit = command("adapt", _adapt, "adapt to points, or from a source input")
    fit.add_argument("weights", help="a file, or the name of shipped weights")
    what = fit.add_mutually_exclusive_group(required=True)
    what.add_argument("--points", metavar="X,Y ...", help='labelled points: "0,0 1.57,1"')
    what.add_argument("--source", metavar="X[,X...]", help="unlabelled source inputs, in turn")
    fit.add_argument("--steps", type=int, help="inner steps (default: as in training)")
    fit.add_argument("--figure", metavar="FILE.html", help="write the picture, self-contained")

    again = command("reproduce", _reproduce, "the standard benchmark: train what is missing, score")
    again.add_argument("--seeds", type=int, default=reproduce.SEEDS, help="runs of each row")
    again.add_argument("--tasks", type=int, default=reproduce.TASKS, help="held-out tasks a seed")
    again.add_argument("--runs", default="runs", help="folder of what is trained (default: runs)")
    again.add_argument("--out", metavar="FILE.json", help="write the report there, too")

    speed = command("benchmark", _benchmark, "measure the engines side by side (some minutes)")
    speed.add_argument("--peers", action="store_true", help="measure JAX, too, if it is installed")
    speed.add_argument("--rounds", type=int, default=5, help="repetitions (default: 5)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
