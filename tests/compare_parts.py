"""What the tests of the Compare page and of its measurements share."""

from __future__ import annotations

import pytest

from metademo import checkpoints
from metademo.moments.candidates import candidates
from metademo.moments.views import CompareView
from metademo.tasks import FAMILIES
from metademo.ui.scenes import scores_scene
from metademo.ui.server import measurements

_ = scores_scene  # it says how many tasks there are, and has to be here before that is changed


def shipped() -> dict:
    return {n: checkpoints.load(checkpoints.shipped(n)) for n in checkpoints.shipped_names()}


@pytest.fixture(autouse=True)
def few_tasks(monkeypatch):
    """Enough to have a distribution, few enough to be quick on the reference engine."""
    measurements.shared_cache().join(60)
    measurements.shared_cache.cache_clear()
    monkeypatch.setattr(measurements, "TASKS", 20)
    monkeypatch.setattr(measurements, "SWEPT_TASKS", 5)
    monkeypatch.setattr(measurements, "TIMED", 1)
    yield
    measurements.shared_cache().join(60)
    measurements.shared_cache.cache_clear()


def of_all(name: str, **changes) -> tuple[CompareView, list]:
    """A view on a family with everyone chosen, and everyone."""
    found = candidates(shipped(), {}, FAMILIES[name])
    chosen = changes.pop("chosen", tuple(found))
    view = CompareView.first().with_family(name).changed(chosen=chosen, **changes)
    return view, [found[n] for n in chosen]
