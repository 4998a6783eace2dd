"""`sweep`: algorithms x families x settings x seeds, on all cores or on a cluster."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from metademo import figures, files
from metademo.command_line.arguments import Commands, Crew, add_command, add_settings, given
from metademo.described import ConfigError, described, shown
from metademo.settings import TrainConfig
from metademo.sweep.plan import NAMED, Extent, Plan
from metademo.sweep.run import carry_out_plan
from metademo.sweep.table import Table, table, table_of
from metademo.tasks import FAMILIES
from metademo.workers import CLUSTERS, Where

FIGURE_BYTES = 8 * 2**20
"""More than a figure takes."""


def add(commands: Commands) -> None:
    text = "train and score algorithms x families x settings x seeds, each run once"
    parser = add_command(commands, "sweep", run, text)
    parser.add_argument("plan", nargs="?", metavar="PLAN.toml", help="the same words in a file")
    parser.add_argument("--algorithms", metavar="NAME,...", help="see list")
    parser.add_argument("--families", metavar="NAME,...", help="see list")
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="SETTING=VALUE,...",
        help="a setting with all values that it is to have: inner_lr=0.01,0.03 (may be repeated)",
    )
    add_settings(parser, Extent)
    parser.add_argument(
        "--out",
        default="sweep.jsonl",
        metavar="FILE.jsonl",
        help="a line for each run, and what is there is not run again (default: sweep.jsonl)",
    )
    parser.add_argument("--weights", metavar="FOLDER", help="keep the weights of each run there")
    parser.add_argument("--figure", metavar="FILE.html", help="write the picture, self-contained")
    add_settings(parser, Crew)
    parser.add_argument("--cluster", choices=CLUSTERS, help="carry the runs out there")
    parser.add_argument("--address", help="of the cluster: tcp://HOST:8786, or HOST:6379 for Ray")
    settings = parser.add_argument_group("settings of all runs, in place of the recipe's")
    add_settings(settings, TrainConfig, but=NAMED, default="the recipe's")


def run(arguments: argparse.Namespace) -> int:
    plan = Plan.of(document(arguments))
    processes = Crew(**given(arguments, Crew)).processes
    where = Where(processes, arguments.cluster or "", arguments.address or "")
    if arguments.figure:
        files.check_place(arguments.figure, overwrite=True, size=FIGURE_BYTES)

    def say(what: str) -> None:
        print(f"sweep: {what}", file=sys.stderr)

    outcome = carry_out_plan(plan, arguments.out, where=where, weights=arguments.weights, say=say)
    report = table_of(plan, outcome, arguments.out)
    if arguments.figure and report.rows:
        figure = figures.sweep_figure(_cells(report))
        figure.write_html(arguments.figure, include_plotlyjs=True)
    print(report.to_json() if arguments.json else table(report))
    return 1 if report.failed else 0


def document(arguments: argparse.Namespace) -> dict[str, Any]:
    """The plan as a file has it; what stands on the command line holds.

    Raises:
        ConfigError: for a value that can't be read.
        OSError: if there is no such file.
        ValueError: if it is no TOML.
    """
    found = _read(arguments.plan) if arguments.plan else {}
    for name in ("algorithms", "families"):
        if (text := getattr(arguments, name)) is not None:
            found[name] = text.split(",")
    found |= given(arguments, Extent)
    settings, varied = given(arguments, TrainConfig), dict(_varied(arguments.vary))
    _override(found, "settings", settings, but=varied)
    _override(found, "vary", varied, but=settings)
    return found


def _override(
    found: dict[str, Any], table: str, values: dict[str, Any], but: Iterable[str]
) -> None:
    """Put values into a table of the file's, without what stands elsewhere on the command line."""
    there = found.get(table, {})
    if values or but:
        if not isinstance(there, dict):
            return  # the plan complains of it
        there = {name: value for name, value in there.items() if name not in but}
        found[table] = there | values


def _read(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as fault:
        raise OSError(f"{path} can't be read ({fault.strerror})") from fault
    except ValueError as fault:  # tomllib's, or what is no text
        raise ValueError(f"{path} is no TOML: {fault}") from fault


def _varied(options: Iterable[str]) -> Iterable[tuple[str, list[Any]]]:
    """`inner_lr=0.01,0.03` as a name and its values."""
    for text in options:
        name, equals, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not (name and equals and values):
            raise ConfigError(f"must be such as inner_lr=0.01,0.03, not {shown(text)}", "vary")
        setting = described(TrainConfig).get(name)
        read = setting.read if setting else str  # of a name that is none the plan complains
        yield name, [read(value.strip()) for value in values.split(",")]


def _cells(report: Table) -> dict[str, dict[str, list[figures.Cell]]]:
    found: dict[str, dict[str, list[figures.Cell]]] = {}
    for row in report.rows:
        place = ", ".join(f"{name} {value}" for name, value in row.varied.items())
        cell = figures.Cell(place or "the recipe's", row.mean[-1], row.ci95[-1], row.of_each_seed)
        measured = row.metric + " error" * (not FAMILIES[row.family].more_is_better)
        panel = found.setdefault(f"{row.family}: {measured} after the last inner step", {})
        panel.setdefault(row.algorithm, []).append(cell)
    return found
