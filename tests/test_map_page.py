"""The map where one sees inside: there if CAVIA was trained on the waves, and not missed if not."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from helpers import checkpoint_of
from pages import component, components, start, unfold, widget

from metademo import checkpoints
from metademo.analysis.context_map import context_map
from metademo.models import Model
from metademo.moments.views import MamlView
from metademo.moments.walked import context_walk
from metademo.recipes import configure
from metademo.tasks import FAMILIES
from metademo.ui.scenes.map_scene import map_scene
from metademo.ui.server import resources

MAP = {"unfolded": "inside", "inside": "map"}


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """The folder of weights, as far as the MAML page needs them; none of CAVIA."""
    for name in resources.SHIPPED:
        shutil.copy(checkpoints.shipped(name), tmp_path)
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path)
    resources._looked_at.cache_clear()
    yield tmp_path
    resources._looked_at.cache_clear()


def cavia(family: str = "any-phase") -> checkpoints.Checkpoint:
    return checkpoint_of(configure("cavia", family))


def test_with_weights_of_cavia_a_link_leads_to_the_map(weights):
    checkpoints.save(weights / "cavia-any-phase.safetensors", cavia())
    app = start("maml", MAP)
    assert not app.exception
    shown = component(app, "context_map")
    assert shown["page"] == "maml"
    assert len(shown["walk"]) == 6
    assert len(shown["tasks"]) == 200
    assert shown["curves"]["rows"] == 21 * 21
    assert "5 numbers" in shown["sentence"]
    assert "% of their variance" in shown["detail"]


def test_without_them_it_is_not_offered_and_a_link_shows_the_ground(weights):
    app = start("maml", MAP)
    assert not app.exception
    assert not components(app, "context_map")
    assert component(app, "inside")["page"] == "maml"
    assert offered(app) == ["The ground", "The parts"]


def test_another_family_has_a_map_of_its_own(weights):
    checkpoints.save(weights / "cavia-two-phase.safetensors", cavia("two-phase"))
    app = start("maml", {"weights": "maml-two-phase"})
    unfold(app, "inside", "maml")
    widget(app, "button_group", "inside").set_value("map").run()
    assert {round(turn, 2) for _, _, turn, _ in component(app, "context_map")["tasks"]} == {0, 0.5}


def test_without_points_there_is_a_map_and_no_way_on_it(weights):
    checkpoints.save(weights / "cavia-any-phase.safetensors", cavia())
    app = start("maml", MAP | {"points": ""})
    assert not app.exception
    assert len(component(app, "context_map")["walk"]) == 1


def offered(app) -> list[str]:
    return list(widget(app, "button_group", "inside").options)


def playing(algorithm: str, scale: float = 1.0, **view):
    """The page with weights of this visit, unfolded; they are so many times as large as drawn."""
    app = start("maml")
    drawn = checkpoint_of(configure(algorithm, "any-phase", hidden=8))
    mine = replace(drawn, meta={name: scale * value for name, value in drawn.meta.items()})
    app.session_state[resources.OWN] = {"mine": mine}
    history = app.session_state["history of maml"]
    app.session_state["history of maml"] = history.commit(MamlView.first(weights="mine", **view))
    return unfold(app, "inside", "maml")


def test_weights_of_this_visit_have_a_map_of_their_own(weights):
    app = playing("cavia", inside="map")
    assert not app.exception
    assert len(component(app, "context_map")["tasks"]) == 200
    assert offered(app) == ["The ground", "The map"]


def test_what_takes_no_gradient_steps_has_nothing_inside(weights):
    app = playing("cnp")
    assert not app.exception
    assert any("no gradient steps" in info.value for info in app.info)


def scene_of(family: str, **view):
    model = Model.of(cavia(family))
    found = context_map(model, FAMILIES[family], shots=5)
    shown = MamlView(points=((0.0, 0.5), (2.0, -0.5)), **view)
    return found, context_walk(shown, model), shown, FAMILIES[family]


def test_tasks_have_their_phase_in_turns_and_their_height():
    found, walk, view, family = scene_of("finn")
    scene = map_scene(found, walk, view, family)
    assert scene.sizes == ["0.1", "5"]
    for task, phase, height in zip(
        scene.tasks, found.waves.phase, found.waves.amplitude, strict=True
    ):
        assert 0 <= task.turn < 1
        assert np.cos(2 * np.pi * task.turn) == pytest.approx(np.cos(phase))
        assert np.sin(2 * np.pi * task.turn) == pytest.approx(np.sin(phase))
        assert task.size == pytest.approx(height / found.waves.amplitude.max())
    np.testing.assert_allclose(scene.walk, found.plane.places(walk))
    assert "A cos φ" in scene.detail


def test_where_all_waves_are_of_one_height_nothing_is_said_of_it():
    scene = map_scene(*scene_of("two-phase"))
    assert not scene.sizes
    assert "A cos" not in scene.detail
    assert "sin φ" not in scene.detail  # 0 for both waves
    assert "height" not in scene.sentence


def test_it_says_why_a_line_is_enough_only_where_it_is():
    found, walk, view, family = scene_of("any-phase")
    for shares, said in (((0.95, 0.01), True), ((0.6, 0.3), False)):
        plane = replace(found.plane, shares=np.array(shares))
        scene = map_scene(replace(found, plane=plane), walk, view, family)
        assert ("a line is enough" in scene.detail) == said
    assert "a line" not in map_scene(*scene_of("two-phase")).detail


def test_it_says_that_alike_waves_lie_side_by_side_only_where_they_do():
    found, *rest = scene_of("finn")
    for share, said in ((0.9, True), (0.2, False)):
        told = map_scene(replace(found, r_squared=(share, float("nan"))), *rest)
        assert ("side by side" in told.sentence) == said


def test_steps_that_ran_away_are_on_no_map(weights):
    app = playing("cavia", inside="map")
    assert component(app, "context_map")["walk"]
    app = playing("cavia", 1e9, inside="map")
    assert not app.exception
    assert not components(app, "context_map")
    assert any("run away" in info.value for info in app.info)
