"""The same settings with one seed after the other: ``python -m metademo train ... --seeds 10``.

A single run says little of a way of training: another seed may learn nothing. Nothing is saved.
"""

from __future__ import annotations

from collections.abc import Callable

from metademo.reports import Report
from metademo.scores import measure
from metademo.settings import TrainConfig
from metademo.training import train


class SeedRun(Report):
    """One run.

    Attributes:
        seconds: wall time of the training.
        fault: "", or why it diverged.
        mean: the mean error on held-out tasks after 0, 1, .. inner steps.
    """

    seed: int
    seconds: float
    fault: str
    mean: list[float]


class SeedsReport(Report):
    """Runs of one config with one seed after the other."""

    config: TrainConfig
    runs: list[SeedRun]


def run(
    config: TrainConfig, seeds: int, *, engine: str = "auto", say: Callable[[str], None] = print
) -> SeedsReport:
    """One run per seed, from that of `config` on, all measured on the same 400 held-out tasks.

    Args:
        say: is told a line about each run as soon as it is done, after two of heading.
    """
    family = config.task_family
    say(
        f"{config.algorithm} on {family.name}: {family.metric} {family.measured} after "
        f"0 .. {config.inner_steps} inner steps, mean over 400 held-out tasks"
    )
    say("  seed  seconds")
    runs = []
    for seed in range(config.seed, config.seed + seeds):
        runs.append(_one(config.changed(seed=seed), engine))
        say(_line(runs[-1]))
    return SeedsReport(config=config, runs=runs)


def _one(config: TrainConfig, engine: str) -> SeedRun:
    trainer, fault, seconds = train(config, engine=engine)
    mean = list(measure(config, trainer.meta).mean)
    return SeedRun(seed=config.seed, seconds=seconds, fault=fault, mean=mean)


def _line(report: SeedRun) -> str:
    means = "".join(f"{value:>8.4f}" for value in report.mean)
    return f"  {report.seed:>4}{report.seconds:>9.1f}{means}  {report.fault}".rstrip()
