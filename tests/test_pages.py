"""Every page through Streamlit's own test harness: no browser, real weights."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import Toy
from pages import (
    chart,
    click,
    component,
    gesture,
    press,
    send,
    start,
    type_points,
    view,
    widget,
)
from streamlit.testing.v1 import AppTest

from metademo import checkpoints
from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.algorithms.papers import YU_2018, in_markdown
from metademo.figures import OTHER, STYLES
from metademo.moments.outer import HowView
from metademo.moments.views import DamlView, MamlView
from metademo.ui.controls import how_figures
from metademo.ui.scenes.symbols import AFTER, BEFORE
from metademo.ui.scenes.ways import ways_table
from metademo.ui.server import resources

PAGES = {name: f"metademo/ui/pages/{name}.py" for name in ("maml", "daml", "how")}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_without_a_complaint(page):
    app = start(page)
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert app.title


def test_the_first_paint_shows_a_wave_four_examples_on_it_and_the_adapted_curve():
    app = start()
    data = chart(app)
    assert [curve["name"] for curve in data["curves"]] == ["truth", "maml-before", "maml"]
    points = np.array(data["points"])
    assert points.shape == (4, 2)
    np.testing.assert_allclose(points[:, 1], np.sin(points[:, 0] + math.pi / 4), atol=1e-12)
    assert len(data["captions"]) == 6
    error, before = map(float, re.findall(r"0\.\d\d", data["captions"][-1]))
    assert error < before / 2
    assert "click anywhere to place your own" in data["details"][-1]


def test_the_sentence_speaks_of_points_that_were_placed_freely():
    app = start()
    type_points(app, "0,0.5\n1,1\n2,-0.5")
    data = chart(app)
    assert "passes your points within" in data["captions"][-1]
    assert "an example" not in data["details"][-1]
    assert data["curves"][0]["label"] == "the nearest wave it was trained on"
    widget(app, "toggle", "snap").set_value(True).run()
    data = chart(app)
    assert "on average from the true wave" in data["captions"][-1]
    assert data["curves"][0]["label"] == "the true wave"


def test_the_phase_slider_takes_the_points_along_and_undo_brings_all_back():
    app = start()
    before = view(app)
    widget(app, "slider", "phase").set_value(180).run()
    moved = view(app)
    assert moved.phase == pytest.approx(math.pi)
    for (x, y), (old_x, _) in zip(moved.points, before.points, strict=True):
        assert x == old_x
        assert y == pytest.approx(math.sin(x + math.pi))
    gesture(app, "undo")
    assert view(app) == before
    assert widget(app, "slider", "phase").value == 45
    gesture(app, "redo")
    assert view(app) == moved


def test_new_points_lie_on_the_wave_and_clear_shows_the_initialisation():
    app = start()
    gesture(app, "new")
    assert len(view(app).points) == 4
    assert view(app).points != MamlView.first().points
    gesture(app, "clear")
    data = chart(app)
    assert data["points"] == []
    assert "No points yet" in data["captions"][-1]
    curve = next(c for c in data["curves"] if c["name"] == "maml")
    assert not app.exception
    assert curve["rows"] == 6


def test_the_contrast_adds_the_ordinary_and_the_untrained_network():
    app = start()
    widget(app, "toggle", "contrast").set_value(True).run()
    data = chart(app)
    assert {"pretrained", "random"} < {curve["name"] for curve in data["curves"]}
    assert "trained the ordinary way" in data["captions"][-1]
    assert "Ordinary training" in data["details"][-1]


@pytest.mark.parametrize("steps", [1, 12, 20])
def test_more_or_fewer_inner_steps_than_in_training(steps):
    app = start()
    widget(app, "slider", "steps").set_value(steps).run()
    assert len(chart(app)["captions"]) == steps + 1


def test_an_inner_learning_rate_of_any_size_is_survived():
    app = start()
    widget(app, "number_input", "inner_lr").set_value(1.0).run()
    widget(app, "slider", "steps").set_value(20).run()
    assert not app.exception
    assert re.search("off by|has run away", chart(app)["captions"][-1])


def test_other_weights_are_one_choice_away():
    app = start()
    widget(app, "button_group", "weights").set_value("maml-two-phase").run()
    assert view(app).weights == "maml-two-phase"
    assert view(app).phase == 0
    assert not app.exception


def test_snapping_puts_points_onto_the_wave():
    app = start()
    type_points(app, "0,0.9\n1,-0.5")
    assert view(app).points == ((0.0, 0.9), (1.0, -0.5))
    widget(app, "toggle", "snap").set_value(True).run()
    phase = view(app).phase
    assert [y for _, y in view(app).points] == pytest.approx([math.sin(phase), math.sin(1 + phase)])


def test_daml_follows_its_source_input():
    app = start("daml")
    assert "sin(x)" in chart(app)["captions"][-1]
    widget(app, "slider", "source", "daml").set_value(-1.2).run()
    assert view(app, "daml").source == -1.2
    assert re.search(r"from sin\(x \+ π\) by (less than )?0\.0", chart(app)["captions"][-1])
    gesture(app, "undo", "daml")
    assert view(app, "daml") == DamlView()


def test_daml_tells_what_its_number_stands_for_and_does_not_call_it_x():
    app = start("daml")
    assert widget(app, "slider", "source", "daml").label == "Source input xₛ"
    line = component(app, "source_line")
    assert line["symbol"] == "xₛ"
    assert "never the captions" in line["status"]
    (story,) = (
        text for text in texts(app) if "A robot watches one video of a person at work" in text
    )
    assert "They never reach the network." in story
    assert YU_2018.markdown in story


def test_daml_between_the_bands_is_allowed_and_labelled():
    app = start("daml")
    widget(app, "slider", "source", "daml").set_value(0.1).run()
    assert "between the bands" in component(app, "source_line")["status"]
    assert "never trained between the bands" in chart(app)["captions"][-1]


def test_daml_slides_the_wave_where_each_input_means_a_phase_of_its_own():
    app = start("daml")
    widget(app, "button_group", "weights", "daml").set_value("daml-any-phase").run()
    for source in (1.2, 0.3, -0.8):
        widget(app, "slider", "source", "daml").set_value(source).run()
        phase = math.pi / 2 - source
        assert f"sin(x + {round(math.degrees(phase))}°)" in chart(app)["captions"][-1]
        assert re.search(r"by (less than )?0\.0", chart(app)["captions"][-1])
        assert component(app, "source_line")["status"].startswith("means sin(x + ")
    assert not app.radio, "there are no other inputs that mean the same"
    assert [c["name"] for c in chart(app)["curves"]] == ["truth 0", "daml-before", "daml"]


def test_daml_draws_fresh_inputs_from_the_band():
    app = start("daml")
    widget(app, "radio", "fresh", "daml").set_value(True).run()
    draws = component(app, "source_line")["draws"]
    assert len(draws) == 5
    assert all(math.pi / 4 <= x <= math.pi / 2 for x in draws)
    press(app, "Draw again")
    assert component(app, "source_line")["draws"] != draws


def test_a_view_survives_a_page_switch():
    app = start()
    widget(app, "slider", "phase").set_value(180).run()
    kept = view(app)
    app.switch_page(PAGES["daml"]).run()
    app.switch_page(PAGES["maml"]).run()
    assert view(app) == kept
    assert widget(app, "slider", "phase").value == 180


def test_how_it_works_shows_the_steps_of_the_visitors_own_points():
    app = start("how")
    table = app.dataframe[0].value
    assert list(table["step k"]) == list(range(6))
    for column in ("loss L", "error"):
        assert table[column].iloc[-1] < table[column].iloc[0]
    assert any(
        "example points there now, and the mean |error| against the true wave" in text
        for text in texts(app)
    )


def facts(app: AppTest) -> str:
    """What How it works says of the weights on the other pages."""
    return "\n".join(text for text in texts(app) if text.startswith("*The weights on"))


@pytest.mark.parametrize("name", ["maml-any-phase", "maml-two-phase"])
def test_how_it_works_takes_its_numbers_from_the_weights_that_are_shown(name):
    app = start()
    widget(app, "button_group", "weights").set_value(name).run()
    said = facts(app.switch_page(PAGES["how"]).run())
    checkpoint = checkpoints.load(checkpoints.shipped(name))
    config = checkpoint.config
    count = sum(value.numel() for value in checkpoint.meta.values())
    assert f"{count:,} of them" in said
    assert f"on {checkpoint.steps * config.meta_batch:,} tasks" in said
    assert f"$\\alpha$ = {config.inner_lr:g} and $S$ = {config.inner_steps}" in said
    assert f"{checkpoint.steps:,} outer steps by Adam, with $\\beta$ = {config.outer_lr:g}" in said
    assert ("two sine waves" in said) == (config.family == "two-phase")


def test_how_it_works_types_no_numbers_in(own_weights):
    for path in own_weights.glob("*"):
        path.unlink()
    app = start("how")
    assert not app.exception
    assert facts(app) == ""
    assert not app.dataframe
    assert not any("figure" in data or "tasks" in data for data in components(app))
    written = " ".join(text for text in texts(app) if text != ways_table())
    assert not re.search(r"1,153|\b0\.03\b|thousands|five steps|[Ff]our points", written)


def test_how_it_works_defines_the_loss_and_no_outer_step_that_adam_does_not_take():
    written = re.sub(r"\{\\textcolor\{#\w+\}\{(.*?\}?)\}\}", r"\1", " ".join(texts(start("how"))))
    assert r"L_{\text{support}}(\theta) = \frac{1}{K}" in written
    assert r"- \beta \, \operatorname{step}(g)" in written
    assert r"\tfrac{1}{2} \, g_\psi(y, h_2, h_1)^2" in written


def test_how_it_works_shows_an_outer_step_and_the_next_ones():
    app = start("how")
    first = component(app, "outer_step")
    assert first["step"] == "untrained 0"
    assert len(first["names"]) == len(first["captions"]) == len(first["details"]) == 15
    assert len(first["tasks"]) == 3
    assert all(len(task["values"]) == 15 for task in first["tasks"])
    second = component(press(app, "Again"), "outer_step")
    assert second["step"] == "untrained 1"
    assert second["moment"]["address"] == "outer=1"
    assert second["tasks"] != first["tasks"]
    assert component(press(app, "Back to the start"), "outer_step") == first
    widget(app, "button_group", "start", "how").set_value("meta-trained").run()
    assert component(app, "outer_step")["step"] == "meta-trained 0"
    assert any("Outer step 1, β = 0.003" in text for text in texts(app))


def test_how_it_works_goes_on_from_a_link_and_ends_somewhere(monkeypatch):
    app = start("how", {"start": "meta-trained", "outer": "2"})
    assert component(app, "outer_step")["step"] == "meta-trained 2"
    assert view(app, "how") == HowView(start="meta-trained", outer=2)
    monkeypatch.setattr(how_figures, "MOST", 2)
    app.run()
    again = next(button for button in app.button if button.label == "Again")
    assert again.disabled


def test_the_figures_of_how_it_works_show_what_the_visitor_has_left():
    app = start()
    type_points(app, "0,0.5\n1,1\n2,-0.5")
    app.switch_page(PAGES["how"]).run()
    problem, inner, daml = (element for element in components(app) if element.get("figure") is True)
    for data in (problem, inner):
        assert data["points"] == [[0, 0.5], [1, 1], [2, -0.5]]
        assert not data["editable"]
    assert [curve["label"] for curve in inner["curves"]][1:] == [BEFORE, AFTER]
    assert [curve["label"] for curve in daml["curves"]][-2:] == [BEFORE, AFTER]
    linked = [data["symbols"] for data in components(app) if "symbols" in data]
    named = [{symbol["name"] for symbol in symbols} for symbols in linked]
    shown = {curve["label"] for curve in inner["curves"]} | {
        panel["title"] for panel in inner["panels"]
    }
    assert named[0] <= shown | {inner["pointsLabel"]}
    shown = {curve["label"] for curve in daml["curves"]} | {
        panel["title"] for panel in daml["panels"]
    }
    assert named[2] <= shown | {component(app, "source_line")["label"]}


def components(app: AppTest) -> list[dict]:
    """What the components of a page were given, in order."""
    return [json.loads(element.proto.json)[0] for element in app.get("bidi_component")]


def texts(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown]


def swatches(app: AppTest) -> list[str]:
    return [element.proto.body for element in app.get("html") if "<div" in element.proto.body]


def test_how_it_works_lets_every_algorithm_explain_itself():
    app = start("how")
    rows = ALGORITHMS | YARDSTICKS
    shown = texts(app)
    titles = [text.removeprefix("### ") for text in shown if text.startswith("### ")]
    assert titles == [row.title for row in rows.values()]
    for name, row in rows.items():
        at = shown.index(f"### {row.title}")
        papers = [in_markdown(row.papers)] if row.papers else []
        expected = [row.about, f"$$\n{row.formula}\n$$", *papers]
        assert shown[at + 1 : at + 1 + len(expected)] == expected
        assert not papers or shown.count(papers[0]) == 1
        assert STYLES[name].light in swatches(app)[titles.index(row.title)]


def test_a_new_row_of_the_registry_explains_itself_as_far_as_it_can(monkeypatch):
    monkeypatch.setitem(ALGORITHMS, "toy", Toy)
    before = len(YARDSTICKS) + len(ALGORITHMS) - 1
    app = start("how")
    assert not app.exception
    shown = texts(app)
    at = shown.index("### A toy of one class")
    assert shown[at + 1] == "It moves biases only."
    assert shown[at + 2].startswith("## What they are measured against")
    assert len(swatches(app)) == before + 1
    assert OTHER.dark in swatches(app)[len(ALGORITHMS) - 1]


@pytest.fixture
def own_weights(tmp_path, monkeypatch) -> Path:
    """A copy of the shipped weights, free to be damaged."""
    folder = tmp_path / "weights"
    shutil.copytree(checkpoints.SHIPPED, folder)
    monkeypatch.setattr(checkpoints, "SHIPPED", folder)
    monkeypatch.setattr(resources, "LOOK_SECONDS", 1e-9)
    return folder


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def replace_by_foreign(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"w": np.zeros(3)}, path)


@pytest.mark.parametrize("harm", [Path.unlink, damage, replace_by_foreign])
def test_a_bad_weights_file_is_named_and_the_page_goes_on_with_the_others(own_weights, harm):
    harm(own_weights / "maml-any-phase.safetensors")
    app = start()
    assert not app.exception
    assert "weights/maml-any-phase.safetensors" in app.warning[0].value
    assert view(app).weights == "maml-two-phase"
    assert chart(app)["captions"]


@pytest.mark.parametrize("page", ["maml", "daml", "compare"])
def test_where_no_weights_are_whole_all_are_listed_under_the_headline(own_weights, page):
    files = list(own_weights.glob("*.safetensors"))
    for path in files:
        damage(path)
    app = start(page)
    assert not app.exception
    assert app.title[0].value
    assert not app.warning
    (folded,) = [part for part in app.expander if "files of weights" in part.label]
    assert folded.label.startswith(f":material/warning: {len(files)} ")
    assert all(path.name in folded.markdown[0].value for path in files)


@pytest.mark.parametrize("page", ["maml", "daml"])
def test_weights_that_vanish_under_an_open_page_are_told(own_weights, page):
    app = start(page)
    for path in own_weights.glob(f"{page}-*"):
        path.unlink()
    gesture(app, "undo", page)
    app.run()
    assert not app.exception
    assert f"python -m metademo train {page}" in app.error[0].value


def test_without_any_weights_the_page_says_how_to_make_some(own_weights):
    for path in own_weights.glob("maml-*"):
        path.unlink()
    app = start()
    assert not app.exception
    assert "python -m metademo train maml" in app.error[0].value


def test_the_same_choice_again_right_after_an_undo_is_kept():
    app = start()
    widget(app, "slider", "steps").set_value(8).run()
    gesture(app, "undo")
    assert view(app).steps == widget(app, "slider", "steps").value == 5
    widget(app, "slider", "steps").set_value(8).run()
    assert view(app).steps == 8


def test_clear_a_click_and_the_slider_in_a_row_are_all_kept():
    app = start()
    gesture(app, "clear")
    click(app, (0.5, 1.5))
    widget(app, "slider", "phase").set_value(90).run()
    assert view(app).phase == pytest.approx(math.pi / 2)
    assert len(view(app).points) == 1


def test_what_a_widget_showed_before_the_server_changed_it_is_not_a_choice():
    app = start()
    widget(app, "slider", "steps").set_value(8).run()
    stale = app._tree.get_widget_states()
    gesture(app, "undo")
    app._run(stale)
    assert view(app).steps == 5


def test_a_choice_that_crosses_a_change_by_the_server_is_kept():
    app = start()
    widget(app, "slider", "steps").set_value(8).run()
    crossing = app._tree.get_widget_states()
    next(w for w in crossing.widgets if "steps" in w.id).double_array_value.data[:] = [12.0]
    gesture(app, "undo")
    app._run(crossing)
    assert view(app).steps == 12


def test_the_slider_shows_the_wave_that_free_points_have_chosen():
    app = start()
    data = chart(app)
    click(app, (0.5, 1.5))
    assert chart(app)["ack"] == data["ack"] + 1
    slider = widget(app, "slider", "phase")
    assert slider.value == round(math.degrees(view(app).phase))


def test_gestures_that_are_sent_twice_or_out_of_order_are_carried_out_once_and_in_order():
    app = start()
    first = {"kind": "clear", "final": True, "seq": 1}
    second = {"kind": "add", "to": [1.0, 0.5], "final": True, "seq": 2}
    third = {"kind": "move", "at": [1.0, 0.5], "to": [2.0, 0.25], "final": True, "seq": 3}
    send(app, "maml", {"visit": "v", "gestures": [second, first]})
    send(app, "maml", {"visit": "v", "gestures": [first, second, third]})
    assert view(app).points == ((2.0, 0.25),)
    assert chart(app)["ack"] == 3
    send(app, "maml", {"visit": "v", "gestures": [first]})
    assert view(app).points == ((2.0, 0.25),)


def test_a_server_that_has_forgotten_the_visit_is_told_what_to_show():
    app = start()
    click(app, (0.5, 1.5), (1.0, -1.0))
    widget(app, "slider", "steps").set_value(9).run()
    kept, before = chart(app)["view"], view(app)
    app = start()  # another server, which knows nothing
    restore = {"kind": "restore", "view": kept, "final": True, "seq": 1}
    pending = {"kind": "add", "to": [3.0, 0.0], "final": True, "seq": 2}
    send(app, "maml", {"visit": "v", "gestures": [restore, pending]})
    assert view(app).points == (*before.points, (3.0, 0.0))
    assert view(app).steps == 9
    assert chart(app)["points"] == [list(p) for p in view(app).points]


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        [],
        {"visit": 3, "gestures": []},
        {"visit": "v", "gestures": 5},
        {"visit": "v", "gestures": [None, 3, {"kind": ["add"], "seq": 1}]},
        {"visit": "v", "gestures": [{"kind": "add", "seq": 1, "to": [0]}]},
        {"visit": "v", "gestures": [{"kind": "restore", "seq": 1, "view": "[1]"}]},
        {"visit": "v", "gestures": [{"kind": "restore", "seq": 1, "view": '{"points": 3}'}]},
        {"visit": "v", "gestures": [{"kind": "restore", "seq": 1, "view": "[" * 9000}]},
    ],
)
def test_a_message_that_makes_no_sense_changes_nothing(message):
    app = start()
    before = view(app)
    send(app, "maml", message)
    assert not app.exception
    assert view(app).points == before.points


@pytest.mark.parametrize("page", ["maml", "daml", "compare", "train"])
def test_what_a_widget_shows_is_its_default_at_every_run(page):
    """So a browser that draws two runs at once, and hears of the second alone, shows it, too."""
    app = start(page).run()
    placed = [*((e, e.index) for e in [*app.radio, *app.selectbox])]
    placed += [(e, e.indices) for e in app.button_group]
    valued = [(e, e.value) for e in [*app.slider, *app.number_input, *app.toggle]]
    bound = [(e, shown) for e, shown in placed + valued if " widget " in (e.key or "")]
    assert len(bound) >= 5
    for element, shown in bound:
        assert not element.proto.set_value
        assert np.ravel(element.proto.default).tolist() == np.ravel(shown).tolist(), element.key


def test_only_a_visitor_who_has_just_arrived_is_told_where_to_begin():
    app = start()
    assert chart(app)["nudge"] == {
        "text": "Click here: the network bends to your point.",
        "at": [-2.4, 0.8],
    }
    click(app, (1.0, 0.5))
    assert chart(app)["nudge"] is None
    app = start("daml")
    assert component(app, "source_line")["nudge"]
    widget(app, "slider", "source", "daml").set_value(-1.2).run()
    assert component(app, "source_line")["nudge"] == ""
