"""`evaluate`: measure the error on held-out tasks."""

from __future__ import annotations

import argparse

from metademo.command_line.arguments import (
    Commands,
    add_command,
    add_settings,
    given,
    load_weights,
)
from metademo.command_line.reports import print_scores
from metademo.formats import to_json
from metademo.scores import Conditions, measure
from metademo.tasks import FAMILIES


def add(commands: Commands) -> None:
    parser = add_command(commands, "evaluate", run, "measure the error on held-out tasks")
    parser.add_argument("weights", help="a file, or the name of shipped weights")
    parser.add_argument("--family", choices=list(FAMILIES), help="default: the one of training")
    add_settings(parser, Conditions)


def run(arguments: argparse.Namespace) -> int:
    checkpoint = load_weights(arguments.weights)
    config = checkpoint.config
    if arguments.family:
        config = config.changed(family=arguments.family)
    scores = measure(config, checkpoint.meta, Conditions(**given(arguments, Conditions)))
    if arguments.json:
        print(to_json(scores.to_dict()))
    else:
        print_scores(scores)
    return 0
