"""Views and their history: pure values."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from views_at_random import KINDS, views

from metademo.moments.views import (
    MAX_POINTS,
    MAX_STEPS,
    CompareView,
    DamlView,
    MamlView,
)
from metademo.tasks import FAMILIES, PI, wave_families
from metademo.ui.state.history import HISTORY, History

TWO_PHASE, ANY_PHASE = FAMILIES["two-phase"], FAMILIES["any-phase"]
MANY = settings(max_examples=300, deadline=None)
TRIES = settings(max_examples=25, deadline=None)
CLICK = (0.4, -1.3)
POINTS = st.lists(
    st.tuples(st.floats(-2 * PI, 2 * PI), st.floats(-2, 2)), min_size=1, max_size=8
).map(tuple)
VIEWS = [
    MamlView(),
    MamlView.first(),
    MamlView(points=((0.5, 1.0),), phase=2.0, snap=True, steps=9, contrast=True),
    DamlView(),
    DamlView(source=-0.3, fresh=True, draw=7),
]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: type(view).__name__)
def test_a_view_goes_to_json_and_back(view):
    assert type(view).from_dict(json.loads(json.dumps(view.to_dict()))) == view


@pytest.mark.parametrize(
    ("values", "name", "mended"),
    [
        ({"phase": math.nan}, "phase", 0.0),
        ({"phase": "x"}, "phase", 0.0),
        ({"steps": 10**9}, "steps", MAX_STEPS),
        ({"steps": -1}, "steps", 0),
        ({"inner_lr": 7}, "inner_lr", 1.0),
        ({"unheard_of": 1}, "steps", 5),
        ({"steps": 10**400}, "steps", MAX_STEPS),
        ({"shape": "heart"}, "shape", "sine"),
        ({"weights": 3}, "weights", "maml-any-phase"),
        ({"snap": "yes"}, "snap", False),
        ({"points": [[0, 1], [0, math.nan]]}, "points", ()),
        ({"points": [[0, 1]], "fitted": True}, "fitted", True),
        ({"points": [[0, 1]], "fitted": True, "snap": True}, "fitted", False),
        ({"points": [], "example": True}, "example", False),
        ({"unfolded": ["", "steps"]}, "unfolded", ("steps",)),
    ],
)
def test_unusable_values_are_mended(values, name, mended):
    assert getattr(MamlView.from_dict(values), name) == mended


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
"""Any JSON; as Python reads it, with NaN, infinities and numbers of any size."""
NAMES = sorted({name for kind in KINDS for name in kind.model_fields})


def _through_json(view):
    return type(view).from_dict(json.loads(json.dumps(view.to_dict())))


@MANY
@given(views())
def test_any_view_survives_json(view):
    assert _through_json(view) == view
    assert hash(_through_json(view)) == hash(view)
    assert view.changed() == view


@MANY
@given(st.sampled_from(KINDS), ANYTHING | st.dictionaries(st.sampled_from(NAMES), ANYTHING))
def test_any_json_makes_a_view(kind, document):
    view = kind.from_dict(document)
    assert _through_json(view) == view
    for name, value in view.to_dict().items():
        if isinstance(value, float):
            assert math.isfinite(value), name


def test_a_value_that_no_view_has_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="wheels"):
        MamlView().changed(wheels=4)


def test_points_beyond_the_cap_are_left_out():
    points = [(float(k), 0.0) for k in range(MAX_POINTS + 5)]
    assert MamlView(points=points).points == tuple(points[:MAX_POINTS])


def test_free_points_choose_the_nearest_wave_of_the_family():
    xs = np.array([-3.0, 0.4, 2.0])
    points = tuple(zip(xs, np.sin(xs + math.radians(70)), strict=True))
    assert MamlView().with_points(points, ANY_PHASE).phase == pytest.approx(math.radians(70))
    flipped = tuple((x, -math.sin(x) + 0.1) for x in xs)
    assert MamlView().with_points(flipped, TWO_PHASE).phase == PI


def test_a_wave_that_fits_is_not_changed():
    view = MamlView(phase=math.radians(30.5))
    points = tuple((x, math.sin(x + view.phase)) for x in (-1.0, 2.0))
    assert view.with_points(points, ANY_PHASE).phase == view.phase
    assert view.with_points((), ANY_PHASE).phase == view.phase


@pytest.mark.parametrize("view", [MamlView.first(), CompareView.first()], ids=["maml", "compare"])
def test_a_page_begins_with_four_example_points_on_its_wave(view):
    xs, ys = np.array(view.points).T
    assert view.example
    assert view.points_label == "example points"
    assert not view.fitted
    np.testing.assert_allclose(ys, np.sin(xs + view.phase), atol=1e-12)
    assert len(xs) == 4


def test_the_maml_page_begins_with_weights_that_know_any_phase():
    view = MamlView.first()
    assert view.weights == "maml-any-phase"
    assert view.phase == pytest.approx(math.radians(45))
    assert view.within(ANY_PHASE) == view


def test_the_points_of_a_first_click_are_the_visitors_and_an_undo_brings_the_example_back():
    history = History(MamlView.first())
    clicked = history.commit(history.present.with_points((CLICK,), ANY_PHASE))
    assert clicked.present.points == (CLICK,)
    assert not clicked.present.example
    assert clicked.present.points_label == "your points"
    again = clicked.present.with_points((*clicked.present.points, (1.0, 1.0)), ANY_PHASE)
    assert again.points == (CLICK, (1.0, 1.0))
    assert clicked.undo().present == MamlView.first()
    assert clicked.undo().present.example


def test_a_dragged_example_becomes_the_visitors_with_the_points_beside_it():
    moved = ((-5.0, 0.1), *MamlView.first().points[1:])
    view = MamlView.first().with_points(moved, ANY_PHASE)
    assert view.points == moved
    assert not view.example


def test_points_are_an_example_until_the_visitor_asks_for_others():
    first = MamlView.first()
    assert first.with_wave(phase=1.0).example
    assert first.with_snap(True).example
    assert first.within(TWO_PHASE).example
    assert not first.with_random_points(np.random.default_rng(0), ANY_PHASE).example
    assert not first.changed(points=()).example


def test_only_points_placed_freely_have_a_wave_fitted_to_them():
    free = MamlView.first().with_points((CLICK,), ANY_PHASE)
    assert free.fitted
    assert not free.with_wave(phase=1.0).fitted
    assert not free.with_snap(True).fitted
    assert not free.with_random_points(np.random.default_rng(0), ANY_PHASE).fitted
    assert not MamlView(snap=True).with_points((CLICK,), ANY_PHASE).fitted


@pytest.mark.parametrize("family", wave_families().values(), ids=list(wave_families()))
@TRIES
@given(POINTS, st.floats(-2 * PI, 2 * PI))
def test_a_fitted_wave_is_one_of_the_family_and_none_is_nearer(family, points, phase):
    points = tuple((max(min(x, family.x_range[1]), family.x_range[0]), y) for x, y in points)
    start = MamlView(phase=phase, amplitude=7.0, frequency=2.0, shape="square")
    view = start.with_points(points, family)
    assert view.points == points
    assert family.contains_phase(view.phase)
    assert family.contains_amplitude(view.amplitude)
    assert (view.frequency, view.shape) == (1.0, "sine")
    xs, ys = np.array(points).T
    others = family.sample_tasks(np.random.default_rng(0), 300)
    nearest = np.abs(others(xs) - ys).mean(1).min()
    coarse = math.radians(0.5) * view.amplitude + 0.05 * np.diff(family.amplitudes)[0]
    assert np.abs(view.wave(xs)[0] - ys).mean() <= nearest + coarse + 1e-9


@TRIES
@given(POINTS)
def test_free_points_stay_when_other_weights_are_chosen(points):
    view = MamlView().with_points(points, ANY_PHASE)
    other = view.within(TWO_PHASE)
    assert other.points == points
    assert other.fitted
    assert TWO_PHASE.contains_phase(other.phase)
    assert other.within(ANY_PHASE).points == points


def test_free_points_stay_on_the_chart_when_other_weights_make_it_smaller():
    view = MamlView().with_points(((4.0, 6.0),), FAMILIES["finn"])
    assert view.within(TWO_PHASE).points == ((4.0, 2.0),)


def test_points_that_stay_on_the_wave_are_put_onto_it():
    view = MamlView(phase=1.0, snap=True).with_points(((0.5, 1.9),), ANY_PHASE)
    assert view.points == ((0.5, pytest.approx(math.sin(1.5))),)
    assert view.phase == 1.0


def test_daml_inputs_are_one_or_one_per_step_from_the_band():
    assert DamlView(source=0.1, fresh=True).inputs(TWO_PHASE) == [0.1]
    assert DamlView(source=1.0).inputs(TWO_PHASE) == [1.0]
    drawn = DamlView(source=-1.0, fresh=True, steps=7).inputs(TWO_PHASE)
    assert len(drawn) == 7
    assert ((drawn >= -PI / 2) & (drawn <= -PI / 4)).all()
    assert (drawn == DamlView(source=-1.0, fresh=True, steps=7).inputs(TWO_PHASE)).all()


def test_undo_and_redo_walk_the_history():
    a, b, c = (MamlView(steps=n) for n in (1, 2, 3))
    history = History(a).commit(b).commit(c)
    assert history.undo().present == b
    assert history.undo().undo().present == a
    assert history.undo().undo().undo().present == a
    assert history.undo().redo().present == c
    assert history.redo() == history
    assert history.undo().commit(a).future == ()


def test_a_whole_drag_is_one_thing_to_undo():
    a, b, c, d = (MamlView(steps=n) for n in (1, 2, 3, 4))
    history = History(a).preview(b).preview(c).commit(d)
    assert history.present == d
    assert history.undo().present == a


def test_a_commit_without_a_change_adds_nothing():
    history = History(MamlView()).commit(MamlView())
    assert history.past == ()


def test_the_history_is_bounded():
    history = History(MamlView(steps=0))
    for k in range(HISTORY + 50):
        history = history.commit(MamlView(phase=k * 1e-3))
    assert len(history.past) == HISTORY
