"""`adapt`: adapt to points, or from a source input."""

from __future__ import annotations

import argparse

import numpy as np
from pydantic import Field

from metademo import figures
from metademo.algorithms.learner import MAX_INNER_STEPS
from metademo.command_line.arguments import (
    Commands,
    add_command,
    add_settings,
    given,
    load_weights,
    numbers,
)
from metademo.command_line.reports import AdaptReport
from metademo.described import ConfigError, Described, shown
from metademo.evaluation import run_learner
from metademo.formats import readable
from metademo.tasks import Examples, as_waves


class Adaptation(Described):
    """How far to adapt; the range is the same for every learner."""

    steps: int | None = Field(
        None,
        ge=0,
        le=MAX_INNER_STEPS,
        title="inner steps",
        description="How many to take; by default as in training.",
    )


def add(commands: Commands) -> None:
    parser = add_command(commands, "adapt", run, "adapt to points, or from a source input")
    parser.add_argument("weights", help="a file, or the name of shipped weights")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--points", metavar="X,Y ...", help='labelled points: "0,0 1.57,1"')
    what.add_argument("--source", metavar="X[,X...]", help="unlabelled source inputs, in turn")
    add_settings(parser, Adaptation)
    parser.add_argument("--figure", metavar="FILE.html", help="write the picture, self-contained")


def run(arguments: argparse.Namespace) -> int:
    adaptation = Adaptation(**given(arguments, Adaptation))
    checkpoint = load_weights(arguments.weights)
    learner, family = checkpoint.config.learner, as_waves(checkpoint.config.task_family)
    wanted = "--source" if learner.unlabelled else "--points"
    has = "--points" if arguments.points is not None else "--source"
    if wanted != has:
        raise ValueError(f"{learner.name} adapts from {wanted}, not from {has}")
    if learner.unlabelled:
        points = None
        support = Examples(np.array([numbers(arguments.source, "source")]))
    else:
        points = _points(arguments.points)
        support = Examples(points[None, :, 0], points[None, :, 1])
    found = run_learner(learner, checkpoint.meta, support, family.grid, steps=adaptation.steps)
    drawn, loss = found.outputs[:, 0], found.losses[:, 0]
    if not np.isfinite(drawn).all():
        raise ValueError("the adaptation diverged: take fewer --steps or points nearer to the wave")
    if arguments.figure:
        figure = figures.adaptation_figure(learner.name, family.grid, drawn, loss, points)
        figure.write_html(arguments.figure, include_plotlyjs=True)
    if arguments.json:
        report = AdaptReport(x=family.grid.tolist(), curves=drawn.tolist(), loss=loss.tolist())
        print(report.to_json())
        return 0
    print("  step  inner loss")
    for k, value in enumerate(loss):
        print(f"  {k:>4}{readable(value):>12}")
    if arguments.figure:
        print(f"the picture is in {arguments.figure}")
    return 0


def _points(text: str) -> np.ndarray:
    pairs = [numbers(pair, "points") for pair in text.split()]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise ConfigError(f'must be pairs such as "0,0 1.57,1", not {shown(text)}', "points")
    return np.array(pairs)
