"""The Compare page: who takes part, what is measured, and the page through Streamlit's harness."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from helpers import Toy, checkpoint_of
from streamlit.testing.v1 import AppTest
from test_pages import ROOT, chart, own_weights, press, view, widget

from metademo import checkpoints, reproduce
from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.evaluation import Evaluation, evaluate
from metademo.tasks import FAMILIES, SHAPES
from metademo.training import configure
from metademo.ui import compare_scene, resources
from metademo.ui.compare_scene import (
    Standing,
    contestants,
    metric_of,
    missing,
    standing,
    swept,
)
from metademo.ui.outside import ATTRIBUTES
from metademo.ui.resources import Shelf
from metademo.ui.views import CompareView

_ = own_weights  # a fixture, found by its name

families = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())


def start(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    return app.switch_page("metademo/ui/compare.py").run()


def set_widget(app: AppTest, kind: str, name: str, value) -> AppTest:
    return widget(app, kind, name, "compare").set_value(value).run()


def shipped() -> dict:
    return {n: checkpoints.load(checkpoints.shipped(n)) for n in checkpoints.shipped_names()}


@pytest.fixture(autouse=True)
def few_tasks(monkeypatch):
    """Enough to have a distribution, few enough to be quick on the reference engine."""
    monkeypatch.setattr(compare_scene, "TASKS", 20)
    monkeypatch.setattr(compare_scene, "SWEPT_TASKS", 5)
    monkeypatch.setattr(compare_scene, "TIMED", 1)


# ---------------------------------------------------------------------------- who takes part


@families
def test_every_algorithm_that_can_be_trained_on_a_family_takes_part_and_so_do_the_yardsticks(
    family,
):
    found = contestants(shipped(), {}, family)
    assert missing(found, family) == []
    expected = [n for n, kind in ALGORITHMS.items() if family.bands or not kind.unlabelled]
    assert [name for name in found if name in ALGORITHMS] == expected
    assert list(found)[-len(YARDSTICKS) :] == list(YARDSTICKS)


def test_weights_besides_those_of_the_registry_are_told_apart_from_them():
    family = FAMILIES["two-phase"]
    own = {"run 1, step 7": checkpoint_of(configure("maml", "two-phase"))}
    found = contestants(
        shipped(), own | {"other": checkpoint_of(configure("maml", "finn"))}, family
    )
    assert "other" not in found, "trained on another family"
    mine = found["run 1, step 7"]
    assert "run 1, step 7" in mine.title
    assert mine.style.light == found["maml"].style.light
    assert mine.style.dash != found["maml"].style.dash


def test_without_any_weights_there_is_nobody():
    assert contestants({}, {}, FAMILIES["finn"]) == {}


# ---------------------------------------------------------------------------- measurements


def test_a_standing_is_what_evaluate_says(monkeypatch):
    monkeypatch.setattr(compare_scene, "TASKS", 30)
    family = FAMILIES["finn"]
    one = contestants(shipped(), {}, family)["anil"]
    found = standing(one.learner, family, shots=7, steps=3)
    again = evaluate(
        one.learner.algorithm,
        one.learner.meta,
        family,
        shots=7,
        steps=3,
        tasks=30,
        grid=family.grid[::8],
    )
    np.testing.assert_array_equal(found.held_out.errors, again.errors)
    assert again.metric == metric_of(family) == "mse"
    assert found.milliseconds > 0


@pytest.mark.parametrize("along", ATTRIBUTES)
@families
def test_a_sweep_at_a_trained_value_is_the_familys_own_error(family, along):
    attribute = ATTRIBUTES[along]
    one = contestants(shipped(), {}, family)["pretrained"]
    errors = swept(one.learner, family, along, shots=4, steps=2)
    values = attribute.values(family)
    assert errors.shape == (3, len(values))
    assert np.isfinite(errors).all()
    inside = [i for i, v in enumerate(values) if attribute.contains(family, float(v))]
    assert inside, "the trained range is among the values"
    moved = attribute.at(family, float(values[inside[0]]))
    own = evaluate(
        one.learner.algorithm,
        one.learner.meta,
        moved,
        shots=4,
        steps=2,
        tasks=compare_scene.SWEPT_TASKS,
        grid=family.grid[::8],
        metric=metric_of(family),
    )
    np.testing.assert_allclose(errors[:, inside[0]], own.mean)


def test_a_sweep_leaves_open_where_an_unlabelled_learner_has_no_input():
    family = FAMILIES["any-phase"]
    one = contestants(shipped(), {}, family)["daml"]
    errors = swept(one.learner, family, "phase", shots=4, steps=2)
    degrees = ATTRIBUTES["phase"].values(family)
    np.testing.assert_array_equal(np.isfinite(errors[0]), (degrees >= 0) & (degrees <= 180))


def test_the_oracle_breaks_where_waves_are_no_sines_of_frequency_one():
    family = FAMILIES["any-phase"]
    oracle = contestants(shipped(), {}, family)["oracle"].learner
    errors = swept(oracle, family, "frequency", shots=4, steps=1)[-1]
    values = ATTRIBUTES["frequency"].values(family)
    assert errors[values == 1.0] < 1e-5
    assert (errors[values != 1.0] > 0.01).all()
    shapes = swept(oracle, family, "shape", shots=4, steps=1)[-1]
    assert shapes[0] < 1e-5 < 0.01 < shapes[1:].min()


def test_phases_are_swept_one_at_a_time_also_where_there_are_two():
    family = ATTRIBUTES["phase"].at(FAMILIES["two-phase"], 60.0)
    waves = family.sample_tasks(np.random.default_rng(0), 50)
    np.testing.assert_allclose(waves.phase, math.radians(60))


def test_a_shelf_keeps_the_latest_and_makes_each_once():
    shelf, made = Shelf(2), []
    for key in "ababcb":
        assert shelf.fetch(key, lambda key=key: made.append(key) or key) == key
    assert made == ["a", "b", "c"]
    assert (shelf.peek("a"), shelf.peek("b"), shelf.peek("c")) == (None, "b", "c")


# ---------------------------------------------------------------------------- the page


def test_the_first_look_compares_several_on_four_points_with_all_their_numbers():
    app = start()
    assert not app.exception
    data = chart(app)
    names = [curve["name"] for curve in data["curves"]]
    assert names == ["truth", "maml", "reptile", "maml++", "pretrained"]
    assert len(data["points"]) == 4
    assert "is nearest" in data["captions"][-1]
    scores = {score["label"]: score for score in data["board"]["scores"]}
    assert scores.keys() == {"MAML", "MAML++", "Reptile", "Ordinary training"}
    for score in scores.values():
        assert len(score["mean"]) == len(score["half"]) == len(score["harder"]) == 6
        assert len(score["spread"][0]) == 5
        assert "ms" in score["note"]
        assert "trained on" in score["note"]
    means = [score["mean"][-1] for score in data["board"]["scores"]]
    assert means == sorted(means)
    assert scores["MAML"]["mean"][-1] < scores["Ordinary training"]["mean"][-1]
    assert [len(s["values"]) for s in data["sweep"]["series"]] == [6] * 4


@pytest.mark.parametrize("family", FAMILIES)
def test_all_of_them_at_once_on_each_family(family):
    app = set_widget(start(), "button_group", "family", family)
    everyone = list(widget(app, "button_group", "chosen", "compare").options)
    found = contestants(shipped(), {}, FAMILIES[family])
    assert len(everyone) == len(found)
    set_widget(app, "button_group", "chosen", list(found))
    assert not app.exception
    data = chart(app)
    assert [c["name"] for c in data["curves"]] == ["truth", *found]
    assert len({(*c["color"], c["dash"]) for c in data["curves"]}) == len(data["curves"])
    assert {s["label"] for s in data["board"]["scores"]} == {one.title for one in found.values()}
    notes = {s["label"]: s["note"] for s in data["board"]["scores"]}
    assert notes["Least squares on a sine"].startswith("least squares")
    assert notes["MAML++"].startswith("α learned from")
    assert notes["MAML"].startswith(f"α {found['maml'].config.inner_lr:g}")


def test_nobody_chosen_is_no_fault():
    app = set_widget(start(), "button_group", "chosen", [])
    assert not app.exception
    data = chart(app)
    assert [c["name"] for c in data["curves"]] == ["truth"]
    assert "Choose at least one" in data["captions"][-1]
    assert data["board"] is None
    press(app, "Undo")
    assert len(chart(app)["curves"]) == 5


def test_no_points_is_no_fault():
    app = press(start(), "Clear")
    assert not app.exception
    assert "No points yet" in chart(app)["captions"][-1]


def test_a_click_of_more_points_is_compared_with_tasks_of_as_many():
    app = start()
    app.text_input(key="compare points as text").set_value("0,0 1,0.8 2,0.9 3,0.1 4,-0.7 5,-1")
    press(app, "Place these points")
    assert len(view(app, "compare").points) == 6
    assert "each with 6 points" in chart(app)["board"]["note"]


@pytest.mark.parametrize(
    ("kind", "name", "value", "said"),
    [
        ("slider", "frequency", 1.5, "frequency 1.5 (trained: 1)"),
        ("slider", "amplitude", 1.5, "amplitude 1.5 (trained: 1)"),
        ("slider", "phase", 90, "phase 90° (trained: 0° or 180°)"),
        ("slider", "noise", 0.2, "noise 0.2 (trained: 0)"),
        ("selectbox", "shape", "square", "shape square (trained: sine)"),
    ],
)
def test_leaving_the_trained_range_is_said_and_the_points_go_along(kind, name, value, said):
    app = start()
    assert chart(app)["details"] == [""]
    set_widget(app, kind, name, value)
    assert said in chart(app)["details"][0]
    assert "trained" in widget(app, kind, name, "compare").label
    assert "orange" in widget(app, kind, name, "compare").label
    now = view(app, "compare")
    xs, ys = np.array(now.points).T
    if name == "noise":
        assert not np.allclose(ys, now.wave(xs)[0])
        assert np.abs(ys - now.wave(xs)[0]).max() < 1
    else:
        np.testing.assert_allclose(ys, now.wave(xs)[0])
    press(app, "Undo")
    assert view(app, "compare") == CompareView.first()


@pytest.mark.parametrize("along", ATTRIBUTES)
def test_the_sweep_marks_what_was_trained_and_where_the_wave_is(along):
    app = set_widget(start(), "selectbox", "along", along)
    sweep = chart(app)["sweep"]
    assert sweep["trained"] == [
        list(pair) for pair in ATTRIBUTES[along].trained(FAMILIES["two-phase"])
    ]
    assert sweep["here"] == view(app, "compare").value(along)
    assert (sweep["names"] == list(SHAPES)) == (along == "shape")
    assert not app.exception


def test_a_new_family_brings_a_wave_of_its_own():
    app = set_widget(start(), "slider", "frequency", 2.0)
    set_widget(app, "button_group", "family", "finn")
    now = view(app, "compare")
    finn = FAMILIES["finn"]
    assert finn.contains_amplitude(now.amplitude)
    assert finn.contains_phase(now.phase)
    assert now.frequency == 1.0
    assert all(finn.x_range[0] <= x <= finn.x_range[1] for x, _ in now.points)
    assert chart(app)["details"] == [""]


def test_daml_takes_part_where_an_input_stands_for_the_wave():
    app = set_widget(start(), "button_group", "chosen", ["maml", "daml"])
    assert "DAML sees no points" in chart(app)["details"][0]
    set_widget(app, "slider", "phase", 90)
    assert [c["name"] for c in chart(app)["curves"]] == ["truth", "maml"]
    assert "DAML is not shown" in chart(app)["details"][0]


def test_a_toy_of_one_class_and_one_row_is_compared(own_weights, monkeypatch):
    monkeypatch.setitem(ALGORITHMS, Toy.name, Toy)
    app = start()
    assert any("No weights of toy" in caption.value for caption in app.caption)
    path = own_weights / f"{Toy.name}-two-phase.safetensors"
    checkpoints.save(path, checkpoint_of(configure(Toy.name, "two-phase")))
    app = set_widget(start(), "button_group", "chosen", ["maml", Toy.name])
    assert not app.exception
    assert [c["name"] for c in chart(app)["curves"]] == ["truth", "maml", Toy.name]
    assert Toy.title in {s["label"] for s in chart(app)["board"]["scores"]}


def test_without_weights_of_a_family_the_page_says_how_to_make_some(own_weights):
    for path in own_weights.glob("*-finn.safetensors"):
        path.unlink()
    app = set_widget(start(), "button_group", "family", "finn")
    assert not app.exception
    assert "python -m metademo train maml --family finn" in app.error[0].value


def test_the_board_waits_for_its_numbers_without_holding_up_the_curves(monkeypatch):
    monkeypatch.setattr(resources, "measured", lambda *_, wait: ({}, {}))
    monkeypatch.setattr("streamlit.rerun", lambda **_: None)
    data = chart(start())
    assert [score["mean"] for score in data["board"]["scores"]] == [[]] * 4
    assert "Scoring" in data["board"]["note"]
    assert data["sweep"] is None
    assert len(data["curves"]) == 5


def test_a_run_away_learner_is_said_to_have_run_away():
    family = FAMILIES["finn"]
    found = contestants(shipped(), {}, family)
    chosen = [found["maml"], found["pretrained"]]
    points = tuple((x, 5 * math.sin(x)) for x in (-4.0, -2.0, 0.5, 3.0))
    shown = CompareView(family="finn", points=points, amplitude=5.0, inner_lr=0.5, steps=20)
    scene = compare_scene.compare_scene(shown, family, chosen, {}, {})
    assert "run away" in scene.captions[-1]


def test_infinite_errors_are_ranked_last_and_survive_the_way_to_the_browser():
    family = FAMILIES["finn"]
    found = contestants(shipped(), {}, family)
    chosen = [found["meta-sgd"], found["maml++"]]
    shown = CompareView.first().with_family("finn")
    lost = Standing(Evaluation(np.full((6, 20), np.inf), "mse"), 1.0)
    fine = Standing(Evaluation(np.full((6, 20), 0.5), "mse"), 1.0)
    standings = {"meta-sgd": lost, "maml++": fine}
    scene = compare_scene.compare_scene(shown, family, chosen, standings, {})
    assert [score.label for score in scene.board.scores] == ["MAML++", "Meta-SGD"]
    encoded = compare_scene_encoded(scene)
    assert encoded["scores"][1]["mean"] == [None] * 6


def compare_scene_encoded(scene) -> dict:
    from metademo.ui.chart import _encode_board

    return _encode_board(scene.board)


def test_noise_is_drawn_anew_with_new_points_and_kept_otherwise():
    family = FAMILIES["any-phase"]
    noisy = CompareView.first().with_wave(noise=0.3)
    assert noisy.with_wave() == noisy
    rng = np.random.default_rng(0)
    one, two = (noisy.with_random_points(rng, family) for _ in range(2))
    residue = [np.array(v.points)[:, 1] - v.wave(np.array(v.points)[:, 0])[0] for v in (one, two)]
    assert not np.allclose(*residue)
    assert replace(one, noise=0.0).with_wave().noise == 0.0


def test_the_benchmark_shows_its_committed_table():
    app = start()
    assert not app.dataframe
    set_widget(app, "button_group", "family", "finn")
    rows = app.dataframe[0].value
    assert list(rows["published"][rows["way of learning"] == "MAML as published"]) == [
        "0.67 / 0.38 / 0.35"
    ]
    app.button_group(key="compare table shots").set_value(20).run()
    assert not (app.dataframe[0].value["5 steps"] == rows["5 steps"]).all()


@pytest.mark.parametrize("text", ["", "{}", '{"rows": [{}]}', "[1]"])
def test_a_table_that_cannot_be_read_is_left_out(text, tmp_path, monkeypatch):
    path = tmp_path / "table.json"
    path.write_text(text)
    monkeypatch.setattr(reproduce, "COMMITTED", path)
    assert reproduce.committed() is None
