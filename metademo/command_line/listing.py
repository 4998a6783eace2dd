"""`list`: what there is."""

from __future__ import annotations

import argparse

from metademo import checkpoints
from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.algorithms.papers import in_text
from metademo.checkpoints import CheckpointError
from metademo.command_line.arguments import Commands, add_command
from metademo.command_line.reports import Listing
from metademo.formats import DIVERGES, readable
from metademo.recipes import RECIPES
from metademo.tasks import FAMILIES


def add(commands: Commands) -> None:
    add_command(commands, "list", run, "show algorithms, families, recipes and shipped weights")


def run(arguments: argparse.Namespace) -> int:
    listing = Listing(
        algorithms={name: algorithm.summary for name, algorithm in ALGORITHMS.items()},
        yardsticks={name: yardstick.summary for name, yardstick in YARDSTICKS.items()},
        papers={
            name: in_text(algorithm.papers)
            for name, algorithm in (ALGORITHMS | YARDSTICKS).items()
            if algorithm.papers
        },
        families={name: family.title for name, family in FAMILIES.items()},
        recipes={name: recipe.title for name, recipe in RECIPES.items()},
        weights={name: _describe(name) for name in checkpoints.shipped_names()},
    )
    if arguments.json:
        print(listing.to_json())
        return 0
    for title, entries in listing:
        print(title)
        for name, text in entries.items():
            print(f"  {name:<24}{text}")
    return 0


def _describe(name: str) -> str:
    """One line about shipped weights, or what is wrong with them."""
    try:
        checkpoint = checkpoints.load(checkpoints.shipped(name))
    except CheckpointError as fault:
        return f"unusable: {fault}"
    scores = checkpoint.scores
    if not scores:
        return f"{checkpoint.steps:,} outer steps"
    error = readable(scores.mean[-1], 3)
    if error != DIVERGES:
        error += f" ± {readable(scores.ci95[-1], 3)}"
    family = checkpoint.config.task_family
    measured = scores.metric + " error" * (not family.more_is_better)
    return (
        f"{checkpoint.steps:,} outer steps; {measured} {error} "
        f"after {scores.inner_steps} inner steps"
    )
