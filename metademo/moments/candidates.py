"""Who takes part in a comparison: the learners of a family, with how they look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.checkpoints import Checkpoint
from metademo.figures import Style, style_of
from metademo.models import Model
from metademo.moments.views import MAX_STEPS, CompareView
from metademo.recipes import can_train
from metademo.settings import TrainConfig
from metademo.tasks import TaskFamily


@dataclass(frozen=True)
class Candidate:
    """A learner that can be compared, with how it looks and what made it.

    Attributes:
        config: of its training; None if there was none.
        weights: their name; "" if there are none.
    """

    name: str
    title: str
    style: Style
    model: Model
    config: TrainConfig | None = None
    weights: str = ""

    @property
    def colours_and_dash(self) -> tuple[tuple[str, str], str]:
        return self.style.colours, self.style.dash

    @property
    def in_a_sentence(self) -> str:
        """What it is called there, with its article."""
        learner = self.model.learner
        return self.title.replace(learner.title, learner.in_a_sentence or learner.title, 1)

    @property
    def summary(self) -> str:
        """What it is, in a line."""
        return self.model.learner.summary

    @property
    def trained_steps(self) -> int:
        """The inner steps it was meta-trained for; 0 if that means nothing for it."""
        return self.model.learner.trained_steps if self.config else 0


def candidates(
    usable: Mapping[str, Checkpoint], own: Mapping[str, Checkpoint], family: TaskFamily
) -> dict[str, Candidate]:
    """All that can be compared on a family: registry order, further weights, then the yardsticks.

    Args:
        usable: weights that ship, by name. Those called ALGORITHM-FAMILY stand for the algorithm.
        own: weights of this visit.
    """
    found: dict[str, Candidate] = {}
    for name in ALGORITHMS:
        weights = f"{name}-{family.name}"
        if weights in usable:
            found[name] = _of_weights(name, ALGORITHMS[name].title, weights, usable[weights])
    standing_in = {one.weights for one in found.values()}
    for name, checkpoint in {**usable, **own}.items():
        if checkpoint.config.family == family.name and name not in standing_in:
            further = _of_weights(name, _title_of(name, checkpoint), name, checkpoint)
            dash = "dot" if further.style.dash != "dot" else "dashdot"
            found[name] = replace(further, style=replace(further.style, dash=dash))
    like = next(iter(found.values()), None)
    for name, kind in YARDSTICKS.items():
        if like is not None and not kind.unsuited(family):
            model = Model(*kind.for_family(like.model.learner, family, np.random.default_rng(1)))
            found[name] = Candidate(name, kind.title, style_of(name), model)
    return found


def missing(found: Mapping[str, Candidate], family: TaskFamily) -> list[str]:
    """Names of the algorithms that could be trained on the family, but have no weights."""
    return [name for name in ALGORITHMS if name not in found and can_train(name, family.name)]


def steps_of(view: CompareView, chosen: Sequence[Candidate]) -> dict[str, int]:
    """The inner steps that each is shown for, by name.

    Each has its own if the view says so. Those trained for none then take as many as the longest.
    """
    own = {one.name: min(one.trained_steps, MAX_STEPS) for one in chosen if one.trained_steps}
    if not view.own_steps or not own:
        return {one.name: view.steps for one in chosen}
    return {one.name: own.get(one.name, max(own.values())) for one in chosen}


def _of_weights(name: str, title: str, weights: str, checkpoint: Checkpoint) -> Candidate:
    config = checkpoint.config
    style = style_of(config.algorithm)
    return Candidate(name, title, style, Model.of(checkpoint), config, weights)


def _title_of(name: str, checkpoint: Checkpoint) -> str:
    return f"{ALGORITHMS[checkpoint.config.algorithm].title} ({name})"
