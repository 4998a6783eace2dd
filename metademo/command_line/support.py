"""What an inner loop is to see, as `adapt` and `link` take it: points, or source inputs."""

from __future__ import annotations

import argparse
from typing import Protocol

from pydantic import Field

from metademo.algorithms import Learner
from metademo.algorithms.learner import MAX_INNER_STEPS
from metademo.command_line.arguments import Parser, add_settings, given, numbers
from metademo.described import ConfigError, Described, shown


class Adaptation(Described):
    """How far to adapt; the range is the same for every learner."""

    steps: int | None = Field(
        None,
        ge=0,
        le=MAX_INNER_STEPS,
        title="inner steps",
        description="How many to take; by default as in training.",
    )


class Group(Protocol):
    """Where options are added of which one is given."""

    def add_argument(self, name: str, *, metavar: str, help: str) -> argparse.Action: ...


def add_support(parser: Parser) -> Group:
    """The options; returns the group of those of which one has to be given."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--points", metavar="X,Y ...", help='labelled points: "0,0 1.57,1"')
    what.add_argument("--source", metavar="X_S[,X_S...]", help="unlabelled source inputs, in turn")
    add_settings(parser, Adaptation)
    return what


def adaptation(arguments: argparse.Namespace, learner: Learner) -> Adaptation:
    """How far to adapt.

    Raises:
        ValueError: if the learner adapts from something else than what is given.
    """
    wanted = "--source" if learner.unlabelled else "--points"
    has = "--points" if arguments.points is not None else "--source"
    if wanted != has:
        raise ValueError(f"{learner.name} adapts from {wanted}, not from {has}")
    return Adaptation(**given(arguments, Adaptation))


def points(text: str) -> tuple[tuple[float, float], ...]:
    """Points from text such as "0,0 1.57,1".

    Raises:
        ConfigError: if there are none, or some that can't be read.
    """
    pairs = [numbers(pair, "points") for pair in text.split()]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise ConfigError(f'must be pairs such as "0,0 1.57,1", not {shown(text)}', "points")
    return tuple((x, y) for x, y in pairs)


def sources(text: str) -> list[float]:
    """Source inputs from text such as "1.2,0.9".

    Raises:
        ConfigError: if they can't be read.
    """
    return numbers(text, "source")
