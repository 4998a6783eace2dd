"""`train`: meta-train and save a checkpoint, or compare seeds."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field
from tqdm import tqdm

from metademo import checkpoints, files, seeds
from metademo.algorithms import ALGORITHMS
from metademo.checkpoints import Checkpoint
from metademo.command_line.arguments import Commands, add_command, add_settings, given
from metademo.command_line.reports import TrainReport, print_scores
from metademo.described import Described
from metademo.engines import ENGINES, Diverged
from metademo.files import KeptElsewhere
from metademo.formats import readable
from metademo.recipes import RECIPES, configure
from metademo.scores import measure
from metademo.settings import TrainConfig
from metademo.tasks import FAMILIES
from metademo.training import MetaTrainer

INTERRUPTED = 130
"""The exit code of a command that was interrupted, as shells have it."""
NAMED = ("algorithm", "family")
"""Settings that have to be given, so that they are no options like the others."""


class Comparison(Described):
    """How many runs are compared."""

    seeds: int | None = Field(
        None,
        ge=1,
        le=1000,
        title="seeds",
        description="Compare so many runs, each with the next seed, and save nothing.",
    )


def add(commands: Commands) -> None:
    parser = add_command(commands, "train", run, "meta-train and save a checkpoint")
    parser.add_argument("algorithm", choices=list(ALGORITHMS))
    parser.add_argument("--family", choices=list(FAMILIES), required=True)
    parser.add_argument("--recipe", choices=list(RECIPES), default="fast", help="default: fast")
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="default: auto")
    add_settings(parser, Comparison)
    parser.add_argument("--out", help="file to write (default: ALGORITHM-FAMILY.safetensors)")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")
    settings = parser.add_argument_group("settings, in place of the recipe's")
    add_settings(settings, TrainConfig, but=NAMED, default="the recipe's")


def config_of(arguments: argparse.Namespace) -> TrainConfig:
    """What is to be trained.

    Raises:
        ConfigError: for a value that can't be used.
    """
    changes = {n: v for n, v in given(arguments, TrainConfig).items() if n not in NAMED}
    return configure(arguments.algorithm, arguments.family, arguments.recipe, **changes)


def run(arguments: argparse.Namespace) -> int:
    config = config_of(arguments)
    comparison = Comparison(**given(arguments, Comparison))
    if comparison.seeds is not None:
        return _compare_seeds(config, comparison.seeds, arguments)
    out = Path(arguments.out or f"{config.algorithm}-{config.family}{checkpoints.SUFFIX}")
    # Said before the work, not after it.
    files.check_place(out, overwrite=arguments.force, size=checkpoints.size_of(config))
    trainer = MetaTrainer(config, engine=arguments.engine)
    began = time.perf_counter()
    ending = _consume(trainer, quiet=arguments.json)
    seconds = time.perf_counter() - began
    try:
        scores = measure(config, trainer.meta)
    except KeyboardInterrupt:  # impatient, perhaps, but the weights are worth saving
        scores, ending = None, "interrupted"
    checkpoint = Checkpoint(config, trainer.meta, trainer.step, scores)
    code = {"finished": 0, "interrupted": INTERRUPTED}.get(ending, 1)
    try:
        with _ctrl_c():  # one more Ctrl-C does not lose the weights
            checkpoints.save_or_keep(out, checkpoint, overwrite=arguments.force)
    except KeptElsewhere as fault:
        print(f"metademo: {fault}", file=sys.stderr)
        out, code = fault.path, 1
    report = TrainReport(
        file=str(out),
        ending=ending,
        engine=trainer.engine.name,
        steps=trainer.step,
        seconds=seconds,
        scores=scores,
        config=config,
    )
    print(report.to_json() if arguments.json else _in_words(report))
    if scores and not arguments.json:
        print_scores(scores)
    return code


def _in_words(report: TrainReport) -> str:
    return (
        f"{report.ending} after {report.steps:,} outer steps and {report.seconds:.1f} s: "
        f"{report.file}"
    )


def _compare_seeds(config: TrainConfig, count: int, arguments: argparse.Namespace) -> int:
    """Train from several seeds and say how each run ends; nothing is saved."""
    say = (lambda line: None) if arguments.json else print
    report = seeds.run(config, count, engine=arguments.engine, say=say)
    if arguments.json:
        print(report.to_json())
    return 1 if any(run.fault for run in report.runs) else 0


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
