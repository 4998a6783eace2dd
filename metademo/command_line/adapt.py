"""`adapt`: adapt to points, or from a source input; or show what a link to a page shows."""

from __future__ import annotations

import argparse
import sys

import numpy as np

from metademo import figures
from metademo.command_line import link
from metademo.command_line.arguments import Commands, add_command, load_weights
from metademo.command_line.reports import AdaptReport, AnswersReport, ComparedReport
from metademo.command_line.support import adaptation, add_support, points, sources
from metademo.described import ConfigError
from metademo.evaluation import run_learner
from metademo.formats import percent, readable
from metademo.moments.asked import Asked
from metademo.moments.played import Played
from metademo.moments.signs import ORDINALS
from metademo.tasks import Array, Examples, as_waves


def add(commands: Commands) -> None:
    parser = add_command(commands, "adapt", run, "adapt to points, or from a source input")
    parser.add_argument("weights", nargs="?", help="a file, or the name of shipped weights")
    add_support(parser).add_argument(
        "--link", metavar="LINK", help='what a page shows, without weights: "/?points=0,0+1.57,1"'
    )
    parser.add_argument("--figure", metavar="FILE.html", help="write the picture, self-contained")


def run(arguments: argparse.Namespace) -> int:
    if arguments.link is not None:
        return _follow(arguments)
    if arguments.weights is None:
        raise ValueError("weights are needed beside --points or --source")
    checkpoint = load_weights(arguments.weights)
    learner, family = checkpoint.config.learner, as_waves(checkpoint.config.task_family)
    steps = adaptation(arguments, learner).steps
    if learner.unlabelled:
        placed = None
        support = Examples(np.array([sources(arguments.source)]))
    else:
        placed = np.array(points(arguments.points))
        support = Examples(placed[None, :, 0], placed[None, :, 1])
    found = run_learner(learner, checkpoint.meta, support, family.grid, steps=steps)
    drawn, loss = found.outputs[:, 0], found.losses[:, 0]
    if not np.isfinite(drawn).all():
        raise ValueError("the adaptation diverged: take fewer --steps or points nearer to the wave")
    if arguments.figure:
        figure = figures.adaptation_figure(learner.name, family.grid, drawn, loss, placed)
        figure.write_html(arguments.figure, include_plotlyjs=True)
    if arguments.json:
        print(_report(family.grid, drawn, loss).to_json())
        return 0
    _print_losses(loss)
    if arguments.figure:
        print(f"the picture is in {arguments.figure}")
    return 0


def _follow(arguments: argparse.Namespace) -> int:
    """What the page shows that a link leads to."""
    if arguments.weights is not None or arguments.figure or "steps" in arguments:
        raise ConfigError("says all by itself: no weights, steps or figure beside it", "link")
    played, notes = link.played(arguments.link)
    for note in notes:
        print(f"metademo: {note}", file=sys.stderr)
    if isinstance(played, Asked):
        print(_answers(played).to_json() if arguments.json else _in_words(played))
        return 0
    if arguments.json:
        print(_json(played))
        return 0
    for name, run in played.runs.items():
        print(name)
        _print_losses(run.losses)
    return 0


def _answers(asked: Asked) -> AnswersReport:
    shares = {name: rows.tolist() for name, rows in asked.shares.items()}
    return AnswersReport(signs=[1 + sign for sign in asked.ways], learners=shares)


def _in_words(asked: Asked) -> str:
    """What each learner says at its end, such as "ANIL: the second sign, 94 %"."""
    if asked.missing:
        return asked.missing
    lines = []
    for one in asked.chosen:
        pick, likeliest = asked.pick(one.name, asked.steps), asked.at(one.name, asked.steps).max()
        said = f"the {ORDINALS[pick]} sign" if pick is not None else "can’t tell"
        lines.append(f"{one.title}: {said}, {percent(likeliest)}")
    return "\n".join(lines)


def _json(played: Played) -> str:
    reports = {name: _report(played.x, run.curves, run.losses) for name, run in played.runs.items()}
    if played.compared:
        return ComparedReport(learners=reports).to_json()
    (report,) = reports.values()
    return report.to_json()


def _report(x: Array, curves: Array, loss: Array) -> AdaptReport:
    return AdaptReport(x=x.tolist(), curves=curves.tolist(), loss=loss.tolist())


def _print_losses(loss: Array) -> None:
    print("  step  inner loss")
    for k, value in enumerate(loss):
        print(f"  {k:>4}{readable(value):>12}")
