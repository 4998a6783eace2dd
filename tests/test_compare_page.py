"""The Compare page through Streamlit's harness."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np
import pages
import pytest
from compare_parts import few_tasks, shipped
from helpers import Toy, checkpoint_of
from pages import chart, component, gesture, type_points, view, widget
from streamlit.testing.v1 import AppTest
from test_pages import own_weights

from metademo import checkpoints
from metademo.algorithms import ALGORITHMS
from metademo.algorithms.papers import in_markdown
from metademo.moments.candidates import candidates
from metademo.moments.outside import ATTRIBUTES
from metademo.moments.views import CompareView
from metademo.recipes import configure
from metademo.tasks import FAMILIES, SHAPES, wave_families
from metademo.ui.server import measurements

_ = few_tasks, own_weights  # fixtures, found by their names

WAVES = wave_families()
families = pytest.mark.parametrize("family", WAVES.values(), ids=WAVES.keys())


def start(said: Mapping[str, str] | None = None) -> AppTest:
    return pages.start("compare", said)


def measured(app: AppTest) -> dict:
    """The board and the sweep, once all is measured that they show."""
    for _ in range(3):  # once the compiled engine is there, all is timed anew
        assert measurements.shared_cache().join(60)
        data = component(app.run(), "scores")
        if not data["pending"]:
            return data
    raise AssertionError("something is still pending")


def set_widget(app: AppTest, kind: str, name: str, value) -> AppTest:
    return widget(app, kind, name, "compare").set_value(value).run()


def one_of_many(found: dict) -> str:
    return found["oracle"].summary


def test_a_measurement_that_fails_is_said_and_holds_up_no_other(monkeypatch, caplog):
    real = measurements.held_out_errors

    def held_out_errors(model, *given):
        if model.learner.name == "reptile":
            raise RuntimeError("no luck")
        return real(model, *given)

    monkeypatch.setattr(measurements, "held_out_errors", held_out_errors)
    app = start()
    assert not app.exception
    missing_words = {s["label"]: s["missing"] for s in measured(app)["board"]["scores"]}
    assert missing_words.pop("Reptile") == "could not be measured"
    assert set(missing_words.values()) == {""}
    assert "no luck" in caplog.text


def test_the_page_switches_between_own_steps_and_the_same_for_all():
    app = set_widget(start(), "button_group", "family", "finn")
    assert len(chart(app)["captions"]) == 9
    assert all(slider.label != "Inner steps" for slider in app.slider)
    set_widget(app, "toggle", "own_steps", False)
    assert len(chart(app)["captions"]) == 6
    set_widget(app, "slider", "steps", 3)
    assert len(chart(app)["captions"]) == 4
    assert "More steps than trained for: MAML (1)." in chart(app)["details"][-1]


def test_without_points_and_for_exact_solutions_nothing_is_called_better():
    app = set_widget(start(), "button_group", "chosen", ["maml", "oracle"])
    better = {s["label"]: s["better"] for s in measured(app)["board"]["scores"]}
    assert better["MAML"][5] is not None
    assert better["Least squares on a sine"][1:] == [None] * 5
    data = measured(gesture(app, "clear", "compare"))
    assert all(s["better"] == [None] * 6 for s in data["board"]["scores"])


def test_the_board_says_which_tasks_it_speaks_of_outside_of_training():
    app = start()
    assert measured(app)["board"]["tasks"] == "300 held-out tasks"
    set_widget(app, "slider", "frequency", 1.5)
    board = measured(app)["board"]
    assert board["tasks"] == "300 tasks like those of training"
    assert "the task in the chart, not one of them" in board["note"]


def test_the_first_look_compares_several_on_four_points_with_all_their_numbers():
    app = start()
    assert not app.exception
    data = chart(app)
    names = [curve["name"] for curve in data["curves"]]
    assert names == ["truth", "maml", "reptile", "maml++", "pretrained"]
    assert len(data["points"]) == 4
    assert "is nearest" in data["captions"][-1]
    assert not {"board", "sweep"} & data.keys(), "a click is answered without them"
    data = measured(app)
    scores = {score["label"]: score for score in data["board"]["scores"]}
    assert scores.keys() == {"MAML", "MAML++", "Reptile", "Ordinary training"}
    for score in scores.values():
        assert len(score["mean"]) == len(score["half"]) == len(score["better"]) == 6
        assert len(score["spread"][0]) == 5
        assert "ms" in score["note"]
        assert "trained" in score["note"]
    means = [score["mean"][-1] for score in data["board"]["scores"]]
    assert means == sorted(means)
    assert scores["MAML"]["mean"][-1] < scores["Ordinary training"]["mean"][-1]
    assert [len(s["values"]) for s in data["sweep"]["series"]] == [6] * 4


def test_learners_are_chosen_in_any_order_and_the_pills_stay_where_they_are():
    """Pills that were drawn anew at each press would be pulled away from under the next one."""
    app = start()
    first = widget(app, "button_group", "chosen", "compare")
    for pressed in (["reptile", "maml"], ["reptile", "maml", "fomaml"], ["fomaml", "reptile"]):
        set_widget(app, "button_group", "chosen", pressed)
        assert set(view(app, "compare").chosen) == set(pressed)
        assert widget(app, "button_group", "chosen", "compare").id == first.id


@pytest.mark.parametrize("family", WAVES)
def test_all_of_them_at_once_on_each_family(family):
    app = start({"family": family})
    everyone = list(widget(app, "button_group", "chosen", "compare").options)
    found = candidates(shipped(), {}, FAMILIES[family])
    assert len(everyone) == len(found)
    set_widget(app, "button_group", "chosen", list(found))
    assert not app.exception
    data = chart(app)
    assert [c["name"] for c in data["curves"]] == ["truth", *found]
    assert len({(*c["color"], c["dash"]) for c in data["curves"]}) == len(data["curves"])
    data = measured(app)
    assert {s["label"] for s in data["board"]["scores"]} == {one.title for one in found.values()}
    assert {s["about"] for s in data["board"]["scores"]} == {one.summary for one in found.values()}
    everyone = next(m.value for m in app.markdown if one_of_many(found) in m.value)
    for one in found.values():
        assert one.summary in everyone
        assert in_markdown(one.model.learner.papers) in everyone
    notes = {s["label"]: s["note"] for s in data["board"]["scores"]}
    assert notes["Least squares on a sine"].startswith("least squares")
    for one in found.values():
        alpha = getattr(one.model.learner, "alpha_in_words", None)
        assert notes[one.title].startswith(f"α {alpha}") == (alpha is not None)


def test_nobody_chosen_is_no_fault():
    app = set_widget(start(), "button_group", "chosen", [])
    assert not app.exception
    data = chart(app)
    assert [c["name"] for c in data["curves"]] == ["truth"]
    assert "Choose at least one" in data["captions"][-1]
    assert component(app, "scores")["board"] is None
    gesture(app, "undo", "compare")
    assert len(chart(app)["curves"]) == 5


def test_no_points_is_no_fault():
    app = gesture(start(), "clear", "compare")
    assert not app.exception
    assert "No points yet" in chart(app)["captions"][-1]


def test_a_click_of_more_points_is_compared_with_tasks_of_as_many():
    app = start()
    type_points(app, "0,0\n1,0.8\n2,0.9\n3,0.1\n4,-0.7\n5,-1", "compare")
    assert len(view(app, "compare").points) == 6
    assert "each with 6 points" in component(app, "scores")["board"]["note"]


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
    assert set(chart(app)["details"]) == {""}
    set_widget(app, kind, name, value)
    assert said in chart(app)["details"][0]
    assert "trained" in widget(app, kind, name, "compare").label
    assert "outside" in widget(app, kind, name, "compare").label
    now = view(app, "compare")
    xs, ys = np.array(now.points).T
    if name == "noise":
        assert not np.allclose(ys, now.wave(xs)[0])
        assert np.abs(ys - now.wave(xs)[0]).max() < 1
    else:
        np.testing.assert_allclose(ys, now.wave(xs)[0])
    gesture(app, "undo", "compare")
    assert view(app, "compare") == CompareView.first()


@pytest.mark.parametrize("along", ATTRIBUTES)
def test_the_sweep_marks_what_was_trained_and_where_the_wave_is(along):
    app = set_widget(start(), "selectbox", "along", along)
    sweep = component(app, "scores")["sweep"]
    assert sweep["trained"] == [
        list(pair) for pair in ATTRIBUTES[along].trained_among(FAMILIES["two-phase"])
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
    assert not any("Outside" in text for text in chart(app)["details"])


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
    assert Toy.title in {s["label"] for s in measured(app)["board"]["scores"]}


def test_without_weights_of_a_family_the_page_says_how_to_make_some(own_weights):
    for path in own_weights.glob("*-finn.safetensors"):
        path.unlink()
    app = start({"family": "finn"})
    assert not app.exception
    assert "python -m metademo train maml --family finn" in app.error[0].value


def test_the_page_waits_for_no_measurement(monkeypatch):
    go = threading.Event()
    real = measurements.held_out_errors

    def held_out_errors(*given):
        assert go.wait(60)
        return real(*given)

    monkeypatch.setattr(measurements, "held_out_errors", held_out_errors)
    try:
        app = start()  # returns, though nothing can be measured
        assert not app.exception
        assert len(chart(app)["curves"]) == 5
        data = component(app, "scores")
        assert data["pending"]
        assert [score["mean"] for score in data["board"]["scores"]] == [[]] * 4
        assert {score["missing"] for score in data["board"]["scores"]} == {"measuring…"}
        waited_for = "Measuring MAML, Reptile, MAML++ and Ordinary training on 300 held-out tasks"
        assert waited_for in data["board"]["note"]
        assert "Measuring" in data["sweep"]["note"]
    finally:
        go.set()
    assert all(score["mean"] for score in measured(app)["board"]["scores"])


def test_the_benchmark_shows_its_committed_table():
    app = start()
    assert not app.dataframe
    set_widget(app, "button_group", "family", "finn")
    rows = app.dataframe[0].value
    assert list(rows["published"][rows["way of learning"] == "MAML as published"]) == [
        "0.67 / 0.38 / 0.35"
    ]
    widget(app, "button_group", "table_shots", "compare").set_value(20).run()
    assert not (app.dataframe[0].value["5 steps"] == rows["5 steps"]).all()
