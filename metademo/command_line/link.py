"""`link`: the link to a moment on the pages; and for `adapt --link`, what such a link shows."""

from __future__ import annotations

import argparse
from typing import Any

from metademo import checkpoints
from metademo.checkpoints import Checkpoint, CheckpointError
from metademo.command_line.arguments import Commands, add_command
from metademo.command_line.reports import LinkReport
from metademo.command_line.support import adaptation, add_support, points, sources
from metademo.described import ConfigError
from metademo.moments import address
from metademo.moments.asked import Asked
from metademo.moments.candidates import candidates
from metademo.moments.mended import PageView
from metademo.moments.played import Played, play
from metademo.moments.views import MAX_POINTS, MAX_STEPS, CompareView, DamlView, MamlView
from metademo.tasks import WaveFamily, as_waves


def add(commands: Commands) -> None:
    parser = add_command(commands, "link", run, "print the link to points, or to a source input")
    parser.add_argument("weights", help="the name of shipped weights")
    add_support(parser)


def run(arguments: argparse.Namespace) -> int:
    name = arguments.weights
    if name not in checkpoints.shipped_names():
        raise ValueError(f"a link can hold shipped weights only, and {name} are none of them")
    checkpoint = checkpoints.load(checkpoints.shipped(name))
    steps = adaptation(arguments, checkpoint.config.learner).steps
    page, view = _moment(name, checkpoint, arguments, steps)
    link = address.link(page, view)
    print(LinkReport(link=link).to_json() if arguments.json else link)
    return 0


def _moment(
    name: str, checkpoint: Checkpoint, arguments: argparse.Namespace, steps: int | None
) -> tuple[str, PageView]:
    """The page that plays with the weights, and its view."""
    config = checkpoint.config
    family = as_waves(config.task_family)
    steps = config.inner_steps if steps is None else steps
    if steps > MAX_STEPS:
        raise ConfigError(f"must be at most {MAX_STEPS} in a link, not {steps}", "steps")
    if config.learner.unlabelled:
        found = sources(arguments.source)
        if len(found) != 1:
            raise ConfigError("must be a single input in a link", "source")
        return "daml", DamlView.first().changed(weights=name, source=found[0], steps=steps)
    own = config.algorithm == "maml" and family.unit_amplitude
    view: MamlView | CompareView = MamlView.first() if own else CompareView.first()
    changes = {"weights": name} if own else _alone(name, checkpoint, family)
    view = view.changed(steps=steps, snap=False, **changes)
    return "maml" if own else "compare", view.with_points(_placed(arguments, family), family)


def _alone(name: str, checkpoint: Checkpoint, family: WaveFamily) -> dict[str, Any]:
    """What the Compare page is to show: this learner alone, and all its steps."""
    known = next(iter(candidates({name: checkpoint}, {}, family)))
    return {"chosen": (known,), "family": family.name, "own_steps": False}


def _placed(arguments: argparse.Namespace, family: WaveFamily) -> tuple[tuple[float, float], ...]:
    found = points(arguments.points)
    if len(found) > MAX_POINTS:
        raise ConfigError(f"must be at most {MAX_POINTS} in a link, not {len(found)}", "points")
    low, high = family.x_range
    if not all(low <= x <= high for x, _ in found):
        raise ConfigError(f"must lie from {low:.4g} to {high:.4g} for a link", "points")
    return found


def played(link: str) -> tuple[Played | Asked, tuple[str, ...]]:
    """What a link shows, and what of it could not be read.

    Raises:
        ConfigError: if there is no such page or no such weights.
    """
    moment = address.follow(link)
    return play(moment, _shipped()), moment.notes


def _shipped() -> dict[str, Checkpoint]:
    """The weights that ship and can be used."""
    found = {}
    for name in checkpoints.shipped_names():
        try:
            found[name] = checkpoints.load(checkpoints.shipped(name))
        except CheckpointError:  # the pages do without it, too
            continue
    return found
