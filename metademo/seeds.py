"""The same settings with one seed after the other: ``python -m metademo train ... --seeds 10``.

A single run says little of a way of training: another seed may learn nothing. Nothing is saved.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from metademo.engines import Diverged
from metademo.evaluation import evaluate
from metademo.training import ConfigError, MetaTrainer, TrainConfig

MAX_SEEDS = 1000


def run(
    config: TrainConfig, seeds: int, *, engine: str = "auto", say: Callable[[str], None] = print
) -> dict[str, Any]:
    """One run per seed, from that of `config` on, all measured on the same 400 held-out tasks.

    Args:
        say: is told a line about each run as soon as it is done, after two of heading.

    Returns:
        The config, and of each run its seed, seconds, `fault` ("", or why it diverged) and the mean
        error after 0, 1, .. inner steps.

    Raises:
        ConfigError: for a number of seeds that can't be used.
    """
    if not 1 <= seeds <= MAX_SEEDS:
        raise ConfigError(f"seeds must be from 1 to {MAX_SEEDS}, not {seeds}")
    family = config.task_family
    say(
        f"{config.algorithm} on {family.name}: {family.metric} {family.measured} after "
        f"0 .. {config.inner_steps} inner steps, mean over 400 held-out tasks"
    )
    say("  seed  seconds")
    runs = []
    for seed in range(config.seed, config.seed + seeds):
        runs.append(_one(replace(config, seed=seed), engine))
        say(_line(runs[-1]))
    return dict(config=config.to_dict(), runs=runs)


def _one(config: TrainConfig, engine: str) -> dict[str, Any]:
    trainer, fault = MetaTrainer(config, engine=engine), ""
    began = time.perf_counter()
    try:
        for _ in trainer.run(every=1000):
            pass
    except Diverged as reason:
        fault = f"diverged ({reason})"
    seconds = time.perf_counter() - began
    result = evaluate(
        config.learner,
        trainer.meta,
        config.task_family,
        shots=config.shots,
        steps=config.inner_steps,
    )
    mean = [round(float(value), 6) for value in result.mean]
    return dict(seed=config.seed, seconds=seconds, fault=fault, mean=mean)


def _line(report: dict[str, Any]) -> str:
    means = "".join(f"{value:>8.4f}" for value in report["mean"])
    return f"  {report['seed']:>4}{report['seconds']:>9.1f}{means}  {report['fault']}".rstrip()
