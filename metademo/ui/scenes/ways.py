"""The families of learning to learn in a table: what each costs and can't do. No Streamlit here.

Nothing is known of a learner by its name: all is asked of it, or seen in a small run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from metademo.algorithms import ALGORITHMS, GradientBased
from metademo.algorithms.learner import WAYS
from metademo.recipes import can_train, configure
from metademo.tasks import FAMILIES

FAMILY, RECIPE, STEPS = "any-phase", "fast", 5
WAYS_MEASURED = (
    f"Read off the code: {STEPS} steps on a task of “{FAMILIES[FAMILY].title}”, and the "
    f"settings of the recipe “{RECIPE}”."
)


@dataclass(frozen=True)
class Traits:
    """What a learner takes, and what it can't do.

    Attributes:
        cost: of a new task, in words.
        moving: how many numbers a new task moves.
        gradients: that a task costs in training.
        weights: how many numbers the outer loop learns.
        lacks: what it can't do.
    """

    title: str
    cost: str
    moving: int
    gradients: int
    weights: int
    lacks: tuple[str, ...]


@functools.cache
def traits(name: str) -> Traits:
    """Those of a row of the registry."""
    config = configure(name, FAMILY, RECIPE)
    learner = config.learner
    moving = 0
    if isinstance(learner, GradientBased):
        moving = sum(prod(learner.network.shapes[one]) for one in learner.moving)
    return Traits(
        learner.title,
        learner.cost(STEPS).rpartition(" · ")[2],  # without the alpha that some tell first
        moving,
        learner.gradients_per_task,
        sum(map(prod, learner.shapes.values())),
        _lacks(name),
    )


def _lacks(name: str) -> tuple[str, ...]:
    """What an untrained one can't do on a task of two points: no training would change that."""
    config = configure(name, FAMILY, RECIPE, shots=2)
    learner, rng = config.learner, np.random.default_rng(0)
    support = config.sample_episodes(rng, 1).support
    run = learner.run(learner.init(rng), support, np.zeros(1), steps=4)
    before, after = run.outputs[-2:]
    able = {
        "do without labels": learner.unlabelled,
        "say how sure it is": run.std is not None,
        "gain by more steps on the same points": not np.array_equal(before, after),
    }
    return tuple(what for what, can in able.items() if not can)


def members_in_words() -> dict[str, str]:
    """Who belongs to each family."""
    return {way: ", ".join(one.title for one in _members(way)) for way in WAYS}


def ways_table() -> str:
    """A column for each family that has members, in Markdown."""
    members = {way: _members(way) for way in WAYS}
    columns = [found for found in members.values() if found]
    rows: dict[str, Callable[[Sequence[Traits]], str]] = {
        "a new task costs": lambda found: " or ".join(dict.fromkeys(one.cost for one in found)),
        "numbers it moves": lambda found: _span([one.moving for one in found]),
        "a task in training costs": _training,
        "learned numbers": lambda found: _span([one.weights for one in found]),
        "can’t": _cannot,
    }
    titles = [way.capitalize() for way, found in members.items() if found]
    lines = [["Family", *titles], ["---"] * (1 + len(titles))]
    lines += [[f"**{name}**", *map(told, columns)] for name, told in rows.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _members(way: str) -> list[Traits]:
    return [
        traits(name)
        for name, kind in ALGORITHMS.items()
        if kind.way == way and can_train(name, FAMILY)
    ]


def _training(found: Sequence[Traits]) -> str:
    gradients = [one.gradients for one in found]
    return f"{_span(gradients)} gradient{'s' * (max(gradients) != 1)}"


def _span(values: Sequence[int]) -> str:
    """From the least to the greatest, in words."""
    least, greatest = min(values), max(values)
    ends = [f"{least:,}"] if least == greatest else [f"{least:,}", f"{greatest:,}"]
    return " to ".join(ends) if greatest else "none"


def _cannot(found: Sequence[Traits]) -> str:
    """What the members lack, and which of them do not, or which alone do."""
    told = []
    for what in dict.fromkeys(lack for one in found for lack in one.lacks):
        lacking = [one.title for one in found if what in one.lacks]
        others = [one.title for one in found if what not in one.lacks]
        if not others:
            told.append(what)
        elif len(others) < len(lacking):
            told.append(f"{what} ({', '.join(others)} can)")
        else:
            told.append(f"{what} ({', '.join(lacking)})")
    return "; ".join(told)
