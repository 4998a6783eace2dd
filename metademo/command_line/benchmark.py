"""`benchmark`: engine beside engine."""

from __future__ import annotations

import argparse
import importlib.util
import sys

from pydantic import Field

from metademo import benchmark
from metademo.command_line.arguments import Commands, add_command, add_settings, given
from metademo.described import Described


class Extent(Described):
    """How much is measured."""

    rounds: int = Field(
        5, ge=1, le=1000, title="rounds", description="Repetitions, of which medians are taken."
    )


def add(commands: Commands) -> None:
    text = "measure the engines side by side (some minutes)"
    parser = add_command(commands, "benchmark", run, text)
    parser.add_argument("--peers", action="store_true", help="measure JAX, too, if it is installed")
    add_settings(parser, Extent)


def run(arguments: argparse.Namespace) -> int:
    extent = Extent(**given(arguments, Extent))
    if arguments.peers and importlib.util.find_spec("jax") is None:
        raise ValueError("--peers needs JAX: install it with pip install jax, or leave --peers out")

    def say(what: str) -> None:
        print(f"benchmark: {what}", file=sys.stderr)

    report = benchmark.run(peers=arguments.peers, **extent.to_dict(), say=say)
    print(report.to_json() if arguments.json else benchmark.table(report))
    return 0
