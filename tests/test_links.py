"""Links to a page as it is, and what a page makes of them, without a browser."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pages import INPUT, chart, click, component, gesture, start, view, widget
from streamlit.testing.v1 import AppTest

from metademo.engines import warm_up
from metademo.moments.address import HOME, PAGES, follow, parameters, query
from metademo.moments.tour import CONTROLS, PANELS, SENTENCES
from metademo.moments.train_view import TrainView
from metademo.moments.views import MamlView
from metademo.recipes import configure
from metademo.tasks import FAMILIES
from metademo.ui.server import resources

FREE = MamlView.first().with_points(((-4.0, 0.5), (1.5, -1.0)), FAMILIES["any-phase"])
LINKS = {
    "maml": query(FREE.changed(contrast=True, inner_lr=0.02, unfolded=("inner",))),
    "daml": "x=0.9&steps=3&fresh=1&draw=7&unfolded=inner",
    "context": "weights=alpaca-any-phase&frequency=1.2&unfolded=asking",
    "compare": "family=finn&amplitude=2&chosen=maml,oracle&own_steps=0&steps=3&unfolded=outside",
    "train": "algorithm=anil&pace=100&inner_lr=0.05&seed=7",
}


@pytest.fixture(scope="module", autouse=True)
def same_engine():
    """The compiled engine's last digits are not the reference's: what draws may not change."""
    warm_up()


def arrive(page: str, query: str) -> AppTest:
    return start(page, parameters(query))


def said_by(app: AppTest, page: str) -> str:
    """The address that the browser is told to show."""
    stages = {"train": "train_stage", "how": "outer_step"}
    if page in stages:
        return component(app, stages[page])["moment"]["address"]
    return component(app, INPUT[page])["address"]


@pytest.mark.parametrize("page", LINKS)
def test_a_link_is_the_moment(page):
    app = arrive(page, LINKS[page])
    assert not app.exception
    assert not app.warning
    wanted = follow(f"/{page * (page != HOME)}?{LINKS[page]}")
    assert wanted.notes == ()
    assert view(app, page) == wanted.view
    again = arrive(page, said_by(app, page))
    assert view(again, page) == wanted.view
    if page != "train":
        assert drawn(again) == drawn(app)


def drawn(app: AppTest) -> dict:
    """What the chart shows, to the last bit that is sent."""
    names = ("curves", "points", "captions", "details", "panels", "steps", "xRange", "yRange")
    return {name: chart(app)[name] for name in names}


@pytest.mark.parametrize("page", PAGES)
def test_the_first_view_needs_no_words(page):
    app = start(page)
    assert said_by(app, page) == ""
    assert not app.warning


def test_the_address_follows_what_is_done():
    app = click(start(), (0.5, 1.0))
    assert said_by(app, "maml").startswith("points=0.5,1&")
    widget(app, "toggle", "contrast").set_value(True).run()
    assert said_by(app, "maml").endswith("contrast=1")
    assert view(arrive("maml", said_by(app, "maml"))) == view(app)


def test_an_undo_folds_nothing():
    app = click(start(), (0.5, 1.0), (1.0, 1.0))
    history = app.session_state["history of maml"]
    app.session_state["history of maml"] = history.amend(history.present.unfold("inner", True))
    app = gesture(app.run(), "undo")
    assert len(view(app).points) == 1
    assert view(app).unfolded == ("inner",)


def test_what_is_malformed_is_said_and_the_page_is_there():
    app = arrive("daml", "x=far&steps=99&fresh=1")
    assert [warning.value for warning in app.warning] == [
        "“x=far” in the link can’t be used.",
        "“steps=99” in the link counts as 20.",
    ]
    assert view(app, "daml").fresh
    assert chart(app)["captions"]


def test_weights_that_are_not_here_are_said():
    app = arrive("maml", "weights=mine&phase=1")
    assert "weights “mine” of the link are not on this server" in app.warning[0].value
    assert view(app).weights in resources.library()[0]


def test_a_wave_that_the_weights_do_not_know_becomes_one_that_they_do():
    assert view(arrive("maml", "weights=maml-two-phase&phase=1")).phase == 0.0


def test_own_weights_are_not_in_a_link_and_it_says_how_to_get_them():
    app = start()
    checkpoint = resources.library()[0]["maml-any-phase"]
    app.session_state[resources.OWN] = {"run 1, step 400": checkpoint}
    history = app.session_state["history of maml"]
    own = history.present.changed(weights="run 1, step 400", phase=1.0).with_wave()
    app.session_state["history of maml"] = history.commit(own)
    app.run()
    assert said_by(app, "maml") == "phase=1"
    said = [caption.value for caption in app.caption if "run 1, step 400" in caption.value]
    recipe = TrainView.of(checkpoint.config)
    assert recipe is not None
    assert recipe.config == checkpoint.config
    assert "](train?" in said[0], "seen from the page, wherever the app is served"


def test_a_class_is_not_led_out_of_its_lesson_by_the_tour():
    assert arrive("maml", "lock=1").button(key="maml take tour").disabled
    assert not start().button(key="maml take tour").disabled


def test_a_recipe_link_trains_the_same():
    config = configure("reptile", "finn", "fast", seed=9, outer_lr=0.002)
    assert TrainView.of(config).config == config


# ---------------------------------------------------------------------------- for a class


def test_a_locked_page_says_so_and_can_be_left():
    app = arrive("maml", "phase=1&lock=1")
    assert widget(app, "slider", "phase").disabled
    assert widget(app, "toggle", "snap").disabled
    assert not chart(app)["editable"]
    assert "This page is a lesson" in " ".join(text.value for text in app.markdown)
    assert said_by(app, "maml") == "phase=1&lock=1"
    app.button(key="maml leave lesson").click().run()
    assert not widget(app, "slider", "phase").disabled
    assert chart(app)["editable"]
    assert said_by(app, "maml") == "phase=1"
    assert view(app).phase == 1.0


@pytest.mark.parametrize("page", LINKS)
def test_nothing_that_is_locked_can_be_moved(page):
    app = arrive(page, "lock=1")
    kinds = ("slider", "toggle", "select_slider", "selectbox", "number_input", "radio", "pills")
    bound = [w for kind in kinds for w in app.get(kind) if " widget " in str(w.key)]
    assert len(bound) >= 3
    assert all(widget.disabled for widget in bound)


def test_what_is_hidden_is_not_sent():
    app = arrive("maml", f"hide=truth,{PANELS},{SENTENCES},{CONTROLS}")
    shown = chart(app)
    assert [curve["name"] for curve in shown["curves"]] == ["maml-before", "maml"]
    assert shown["panels"] == shown["captions"] == shown["details"] == []
    assert not app.slider
    free = json.dumps(chart(start())["curves"][0]["y"])
    assert free not in json.dumps(shown)


def test_hidden_errors_are_hidden_from_the_board_too():
    with pytest.raises(LookupError):
        component(arrive("compare", f"hide={PANELS}"), "scores")
    assert component(start("compare"), "scores")["board"]


def test_other_pages_are_free():
    app = arrive("maml", "lock=1")
    app.query_params.clear()  # as the navigation does in a browser
    app.switch_page("metademo/ui/pages/daml.py").run()
    assert not widget(app, "slider", "source", "daml").disabled


def test_a_class_link_is_made_and_looked_at_beforehand():
    app = start()
    app.session_state["maml class hide"] = ["truth"]
    app.button(key="maml class link").click().run()
    links = [
        json.loads(e.proto.json)[0] for e in app.get("bidi_component") if "link" in e.proto.json
    ]
    offered = [link["query"] for link in links if link.get("query")]
    assert offered == ["lock=1&hide=truth"]
    charts = [
        json.loads(element.proto.json)[0]
        for element in app.get("bidi_component")
        if element.proto.component_name.endswith("chart")
    ]
    assert len(charts) == 2
    assert "truth" not in [curve["name"] for curve in charts[-1]["curves"]]
    np.testing.assert_equal(charts[0]["points"], charts[-1]["points"])
