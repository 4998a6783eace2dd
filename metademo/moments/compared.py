"""Several learners on the same points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metademo.models import Model
from metademo.moments.candidates import Candidate, steps_of
from metademo.moments.drawn import Drawn, draw, draw_points
from metademo.moments.views import CompareView
from metademo.tasks import Array, Examples, WaveFamily


@dataclass(frozen=True)
class Compared:
    """Learners on the visitor's points.

    Attributes:
        chosen: all that were chosen.
        shown: those of them that can take part.
        steps: the inner steps that each of the chosen is shown for, by name.
        runs: by name of those shown, each over its own steps.
        errors: against the true wave after each of them, (steps + 1,).
    """

    chosen: Sequence[Candidate]
    shown: Sequence[Candidate]
    steps: Mapping[str, int]
    runs: Mapping[str, Drawn]
    errors: Mapping[str, Array]

    @property
    def most_steps(self) -> int:
        return max((self.steps[one.name] for one in self.shown), default=0)


def compare(view: CompareView, family: WaveFamily, chosen: Sequence[Candidate]) -> Compared:
    """Adapt each of the chosen learners to the visitor's points."""
    steps = steps_of(view, chosen)
    found = {one.name: _run(view, family, one.model, steps[one.name]) for one in chosen}
    runs = {name: run for name, run in found.items() if run is not None}
    truth, metric = view.wave(family.grid)[0], family.metric
    return Compared(
        chosen,
        [one for one in chosen if one.name in runs],
        steps,
        runs,
        {name: run.errors(truth, metric) for name, run in runs.items()},
    )


def _run(view: CompareView, family: WaveFamily, model: Model, steps: int) -> Drawn | None:
    """The inner loop on the points; without labels, on an input that stands for the true wave."""
    view = view.changed(steps=steps)
    if not model.learner.unlabelled:
        return draw_points(view, family, model)
    source = family.source_of(view.phase)
    if source is None:
        return None
    return draw(model, Examples(np.array([[source]])), view, family.grid)
