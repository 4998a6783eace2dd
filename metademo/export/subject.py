"""A subject: what one learner makes of the task on the screen."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from metademo.algorithms import Conditioned, Learner
from metademo.algorithms.in_torch import InTorch
from metademo.algorithms.papers import in_text
from metademo.checkpoints import SUFFIX
from metademo.models import Model
from metademo.moments.candidates import Candidate
from metademo.moments.scaling import UNSCALED, Scaling
from metademo.moments.views import CompareView, DamlView, PointsView
from metademo.tasks import Array, Examples, WaveFamily, Waves


@dataclass(frozen=True)
class Subject:
    """One learner, one task and the inner loop's settings: all that a curve follows from.

    Attributes:
        title: of the learner, as the page calls it.
        support: one task's points, or its source inputs.
        inner_lr: alpha; None for that of training.
        truth: the wave that is to be found; None if the support set stands for none.
        truth_is: what to call it.
        weights: the name of the weights; "" if none were trained, and they are drawn.
        scaling: how the visitor's own numbers lie on the chart.
    """

    title: str
    model: Model
    family: WaveFamily
    support: Examples[Array]
    steps: int
    inner_lr: float | None
    truth: Waves | None
    truth_is: str = "the true wave"
    weights: str = ""
    scaling: Scaling = UNSCALED

    @property
    def learner(self) -> Learner:
        return self.model.learner

    @property
    def file(self) -> str:
        """The name of the file that holds the weights."""
        return re.sub(r"[^\w+.]+", "-", self.weights).strip("-.") + SUFFIX

    @property
    def sees(self) -> str:
        """What it learns from, in words: "on 4 points"."""
        count = self.support.x.shape[1]
        what = "source input" if self.learner.unlabelled else "point"
        return f"on {count} {what}{'s' * (count != 1)}"

    @property
    def by_points(self) -> bool:
        """Whether each of its steps is one more point that it sees."""
        return isinstance(self.learner, Conditioned)

    @property
    def citation(self) -> str:
        """Where the method is from, in plain text; "" if it is nobody's."""
        return in_text(self.learner.papers)

    @property
    def told(self) -> InTorch | None:
        """How the learner adapts, as text; None if it has no words for that."""
        return self.learner.in_torch(self.inner_lr)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to learn from."""
        return not self.support.x.size


def of_points(view: PointsView, family: WaveFamily, model: Model, weights: str) -> Subject:
    """Weights on the visitor's points, as the MAML page shows them."""
    points = np.array(view.points).reshape(-1, 2)
    return Subject(
        title=model.learner.title,
        model=model,
        family=family,
        support=Examples(points[None, :, 0], points[None, :, 1]),
        steps=view.steps,
        inner_lr=view.inner_lr,
        truth=view.wave,
        truth_is="the nearest wave" if view.fitted else "the true wave",
        weights=weights,
        scaling=Scaling.of(view.scaling),
    )


def of_source(view: DamlView, family: WaveFamily, model: Model, weights: str) -> Subject:
    """Weights at a source input, as the DAML page shows them."""
    band = family.band_of(view.source)
    return Subject(
        title=model.learner.title,
        model=model,
        family=family,
        support=Examples(view.inputs(family)[None]),
        steps=view.steps,
        inner_lr=view.inner_lr,
        truth=None if band is None else Waves.one(phase=band.phase(view.source)),
        truth_is="the wave it stands for",
        weights=weights,
    )


def of_compared(
    view: CompareView, family: WaveFamily, one: Candidate, steps: int
) -> Subject | None:
    """One of the learners that the Compare page shows; None if it can't take part.

    Args:
        steps: that it is shown for, see `Compared.steps`.
    """
    found = of_points(view.changed(steps=steps), family, one.model, one.weights)
    found = replace(found, title=one.title)
    if not one.model.learner.unlabelled:
        return found
    source = family.source_of(view.phase)
    return None if source is None else replace(found, support=Examples(np.array([[source]])))
