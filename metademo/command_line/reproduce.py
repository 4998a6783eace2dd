"""`reproduce`: the standard benchmark's table."""

from __future__ import annotations

import argparse
import sys

from pydantic import Field

from metademo import files, reproduce, reproduced
from metademo.command_line.arguments import Commands, Crew, add_command, add_settings, given
from metademo.described import Described
from metademo.scores import MAX_TASKS
from metademo.workers import Where

REPORT_BYTES = 2**20
"""More than the report takes."""


class Extent(Described):
    """How much is trained and scored."""

    seeds: int = Field(
        reproduce.SEEDS, ge=1, le=100, title="seeds", description="Runs of each row."
    )
    tasks: int = Field(
        reproduce.TASKS,
        ge=reproduce.FEWEST_TASKS,
        le=MAX_TASKS,
        title="tasks",
        description="Held-out tasks of each seed.",
    )


def add(commands: Commands) -> None:
    text = "the standard benchmark: train what is missing, score"
    parser = add_command(commands, "reproduce", run, text)
    add_settings(parser, Extent)
    parser.add_argument("--runs", default="runs", help="folder of what is trained (default: runs)")
    parser.add_argument("--out", metavar="FILE.json", help="write the report there, too")
    add_settings(parser, Crew)


def run(arguments: argparse.Namespace) -> int:
    extent = Extent(**given(arguments, Extent))
    where = Where(Crew(**given(arguments, Crew)).processes)
    if arguments.out:
        files.check_place(arguments.out, overwrite=True, size=REPORT_BYTES)

    def say(what: str) -> None:
        print(f"reproduce: {what}", file=sys.stderr)

    report = reproduce.run(**extent.to_dict(), folder=arguments.runs, say=say, where=where)
    if arguments.out:
        data = (report.to_json(indent=1) + "\n").encode()
        files.write_or_keep(arguments.out, data, overwrite=True)
    print(report.to_json() if arguments.json else reproduced.table(report))
    return 0
