"""`evaluate`: measure the error on held-out tasks."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from metademo.algorithms import YARDSTICKS
from metademo.command_line.arguments import (
    Commands,
    add_command,
    add_settings,
    given,
    load_weights,
)
from metademo.command_line.reports import print_scores
from metademo.described import ConfigError
from metademo.formats import to_json
from metademo.recipes import configure
from metademo.scores import Conditions, Scores, measure
from metademo.tasks import FAMILIES
from metademo.training import INIT_STREAM


def add(commands: Commands) -> None:
    parser = add_command(commands, "evaluate", run, "measure the error on held-out tasks")
    parser.add_argument("weights", help="a file, or the name of shipped weights or of a yardstick")
    parser.add_argument("--family", choices=list(FAMILIES), help="default: the one of training")
    add_settings(parser, Conditions)


def run(arguments: argparse.Namespace) -> int:
    conditions = Conditions(**given(arguments, Conditions))
    name, family = arguments.weights, arguments.family
    yardstick = name in YARDSTICKS and not Path(name).exists()
    scores = (_of_yardstick if yardstick else _of_weights)(name, family, conditions)
    if arguments.json:
        print(to_json(scores.to_dict()))
    else:
        print_scores(scores)
    return 0


def _of_weights(name: str, family: str | None, conditions: Conditions) -> Scores:
    checkpoint = load_weights(name)
    config = checkpoint.config.changed(family=family) if family else checkpoint.config
    return measure(config, checkpoint.meta, conditions)


def _of_yardstick(name: str, family: str | None, conditions: Conditions) -> Scores:
    """Beside a network of the recipe `fast`, whose settings it has as far as it has any.

    Raises:
        ConfigError: if no family is named: a yardstick was trained on none; or if it is no
            yardstick for that one.
    """
    if family is None:
        raise ConfigError(f"must be there: {name} was trained on none", "family")
    if reason := YARDSTICKS[name].unsuited(FAMILIES[family]):
        raise ConfigError(reason)
    config = configure("maml", family)
    rng = np.random.default_rng([conditions.seed, INIT_STREAM])
    learner, meta = YARDSTICKS[name].for_family(config, config.task_family, rng)
    return measure(config, meta, conditions, learner)
