"""Moments of the weights that ship, as the pages show them, for tests of what is taken home."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from metademo import checkpoints
from metademo.checkpoints import Checkpoint
from metademo.export.signs import SignSubject, of_asked
from metademo.export.subject import Subject
from metademo.export.waves import WaveSubject, of_compared, of_source
from metademo.models import Model
from metademo.moments.asked import Asked, ask
from metademo.moments.candidates import candidates
from metademo.moments.compared import compare
from metademo.moments.drawn import Drawn, draw
from metademo.moments.signs import DrawView
from metademo.moments.views import CompareView, DamlView
from metademo.tasks import FAMILIES, as_waves, wave_families


@functools.cache
def library() -> dict[str, Checkpoint]:
    """All weights that ship, by name."""
    return {
        name: checkpoints.load(checkpoints.shipped(name)) for name in checkpoints.shipped_names()
    }


WITHOUT_WORDS = dict.fromkeys(
    ("gp-rbf", "gp-periodic", "gp-cosine"),
    "yardsticks, of which libraries of Gaussian processes have more",
)
"""Learners that have no script, and why: whoever is not named here tells all of itself."""
COMPARED = {
    f"{name} on {family}": (name, family)
    for family, tasks in wave_families().items()
    for name, one in candidates(library(), {}, tasks).items()
    if name not in WITHOUT_WORDS
}
"""Every learner of the Compare page with every family, the yardsticks, too."""
WITHOUT_WORDS_ON_SIGNS = {"random": "its network is not drawn in words"}
ON_SIGNS = [
    name
    for name in candidates(library(), {}, FAMILIES["glyphs"])
    if name not in WITHOUT_WORDS_ON_SIGNS
]
"""Every learner of the Draw page that tells all of itself."""
SOURCES = {
    "two waves, one input": DamlView(),
    "two waves, fresh inputs": DamlView(fresh=True, draw=3),
    "two waves, between the bands": DamlView(source=0.2, steps=7),
    "any phase": DamlView(weights="daml-any-phase", source=-0.4),
    "any phase, another alpha": DamlView(weights="daml-any-phase", inner_lr=0.02, steps=3),
}


def compared(name: str, family: str, **changes: object) -> WaveSubject:
    """A learner on points of the Compare page."""
    tasks = wave_families()[family]
    view = CompareView.first(chosen=(name,)).with_family(family)
    view = view.with_random_points(np.random.default_rng(5), tasks, 6).changed(**changes)
    one = candidates(library(), {}, tasks)[name]
    found = of_compared(view, tasks, one, compare(view, tasks, [one]).steps[name])
    assert found is not None
    return found


def at_source(view: DamlView) -> WaveSubject:
    """The DAML page at one of its source inputs."""
    checkpoint = library()[view.weights]
    return of_source(
        view, as_waves(checkpoint.config.task_family), Model.of(checkpoint), view.weights
    )


def drawn(subject: WaveSubject) -> Drawn:
    """What the page draws, by the pages' own function."""
    view = DamlView(steps=subject.steps, inner_lr=subject.inner_lr)
    return draw(subject.model, subject.support, view, subject.family.grid)


def asked(view: DrawView, *names: str) -> Asked:
    """What the Draw page shows of these learners."""
    found = candidates(library(), {}, FAMILIES["glyphs"])
    return ask(view, [found[name] for name in names])


def on_signs(name: str, view: DrawView) -> SignSubject:
    """A learner on the signs of the Draw page."""
    found = asked(view, name)
    (one,) = found.chosen
    return of_asked(found, one)


def with_title(subject: Subject, title: str, weights: str) -> Subject:
    return replace(subject, title=title, weights=weights)
