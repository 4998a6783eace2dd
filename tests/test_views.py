"""Views and their history: pure values."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from metademo.tasks import FAMILIES, PI
from metademo.ui.views import HISTORY, MAX_POINTS, MAX_STEPS, DamlView, History, MamlView

TWO_PHASE, ANY_PHASE = FAMILIES["two-phase"], FAMILIES["any-phase"]
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
    ],
)
def test_unusable_values_are_mended(values, name, mended):
    assert getattr(MamlView.from_dict(values), name) == mended


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


def test_only_the_servers_own_changes_raise_the_epoch():
    a, b = MamlView(steps=1), MamlView(steps=2)
    assert History(a).commit(b).epoch == 0
    assert History(a).commit(b, by_server=True).epoch == 1
    assert History(a).commit(b).undo().epoch == 1


def test_the_history_is_bounded():
    history = History(MamlView(steps=0))
    for k in range(HISTORY + 50):
        history = history.commit(MamlView(phase=k * 1e-3))
    assert len(history.past) == HISTORY
