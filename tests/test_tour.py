"""The guided tour: what it claims is so on the shipped weights, and it can be taken."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from pages import chart, start, view
from streamlit.testing.v1 import AppTest

from metademo import checkpoints
from metademo.moments.address import follow, parameters
from metademo.moments.played import Played, play
from metademo.moments.tour import CONTROLS, PANELS, SENTENCES, TOUR, Stop
from metademo.tasks import Waves
from metademo.ui.scenes.train_kind import untrained
from metademo.ui.server import resources

STOPS = {stop.title: stop for stop in TOUR}


def played(stop: Stop | str, **changes) -> Played:
    moment = follow((STOPS[stop] if isinstance(stop, str) else stop).link)
    assert moment.notes == ()
    moment = replace(moment, view=moment.view.changed(**changes))
    return play(moment, resources.library()[0])


def errors(stop: str, name: str, **changes) -> np.ndarray:
    """Mean |error| of a learner against the stop's true wave, after each step."""
    found, moment = played(stop, **changes), follow(STOPS[stop].link)
    return found.runs[name].errors(moment.view.wave(found.x)[0])


def test_four_points_become_the_whole_wave():
    off = errors("Four points", "maml-any-phase")
    assert off[0] > 0.4
    assert off[5] < 0.05


def test_of_two_networks_only_the_meta_trained_one_gets_there():
    moment = follow(STOPS["Which is which?"].link)
    ordinary = replace(moment, view=moment.view.changed(weights="pretrained-any-phase"))
    found = play(ordinary, resources.library()[0])
    truth = moment.view.wave(found.x)[0]
    part = found.runs["pretrained-any-phase"].errors(truth)
    assert 0.4 * part[0] < part[5] < 0.9 * part[0]
    assert errors("Which is which?", "maml-any-phase")[5] < 0.2 * part[5]


def test_before_meta_training_five_steps_do_not_help():
    view = follow(STOPS["Where it comes from"].link).view
    before, *_, after = untrained(view.config).errors
    assert before < after < 2 * before


def test_most_of_the_error_is_gone_after_the_first_step():
    off = errors("How many steps?", "maml-any-phase")
    assert (off[0] - off[1]) / (off[0] - off[5]) > 0.6


def test_a_second_point_helps_at_a_crest_and_not_at_a_crossing():
    stop = "Where must the next point go?"
    assert errors(stop, "maml-two-phase")[5] > 0.5
    crest = errors(stop, "maml-two-phase", points=((0.0, 0.0), (math.pi / 2, 1.0)))[5]
    crossing = errors(stop, "maml-two-phase", points=((0.0, 0.0), (math.pi, 0.0)))[5]
    assert crest < 0.3
    assert crossing > 2 * crest


def test_the_network_without_labels_becomes_the_wave_of_its_band():
    found = played("No label")
    run = found.runs["daml-two-phase"]
    assert run.errors(Waves.one()(found.x)[0])[5] < 0.05


def test_between_the_bands_the_learned_loss_falls_and_neither_wave_comes():
    found = played("Between the bands")
    run = found.runs["daml-two-phase"]
    assert (np.diff(run.losses) < 0).all()
    for phase in (0.0, math.pi):
        off = run.errors(Waves.one(phase=phase)(found.x)[0])
        assert off[5] > 0.95 * off[0]


def test_a_wave_twice_as_high_is_reached_part_of_the_way():
    off, ordinary = (errors("Twice as high", name) for name in ("maml", "pretrained"))
    assert 0.2 * off[0] < off[5] < 0.6 * off[0]
    assert ordinary[5] > 0.9 * ordinary[0]


def test_first_order_maml_loses_about_a_third():
    whole, first = (
        checkpoints.load(checkpoints.shipped(f"{name}-any-phase")).scores
        for name in ("maml", "fomaml")
    )
    assert 1.2 < first.mean[5] / whole.mean[5] < 1.5


@pytest.mark.parametrize("stop", TOUR, ids=STOPS)
def test_a_stop_hides_what_is_there(stop):
    page = start(follow(stop.link).page, parameters(stop.link.partition("?")[2]))
    shown = set() if not page.get("bidi_component") or "/train" in stop.link else names(page)
    hideable = shown | {CONTROLS, SENTENCES, PANELS}
    assert hideable.issuperset(stop.hide)
    assert hideable.issuperset(stop.disguise)
    assert 0 <= stop.right < len(stop.options)


def names(app: AppTest) -> set[str]:
    return {curve["name"] for curve in chart(app)["curves"]}


def test_the_whole_tour_can_be_taken_and_drives_the_pages():
    app, page = start(), "maml"
    app.button(key="maml take tour").click().run()
    for number, stop in enumerate(TOUR, start=1):
        page = follow(stop.link).page
        assert app.session_state[f"{page} lesson"].tour == number
        assert any(stop.title in text.value for text in app.markdown)
        assert not any(stop.answer in text.value for text in app.markdown)
        if page != "train":
            assert not names(app) & set(stop.hide)
            labels = {curve["label"] for curve in chart(app)["curves"]}
            assert labels.issuperset(stop.disguise.values())
        guess = 1 if number % 2 else stop.right + 1
        app.radio(key=f"{page} tour {number}").set_value(guess).run()
        verdict = "Right." if guess == stop.right + 1 else "Not quite."
        assert any(f"**{verdict}** {stop.answer}" in text.value for text in app.markdown)
        if page != "train":
            assert names(app).issuperset(set(stop.hide) - {SENTENCES, PANELS})
            assert chart(app)["captions"]
        app.button(key=f"{page} tour next").click().run()
        assert not app.exception
    assert app.session_state["train lesson"].tour == 0


def test_the_tour_is_taken_up_from_its_address():
    app = start("maml", {"phase": "1", "tour": "3"})
    assert chart(app)["captions"] == []
    assert chart(app)["address"] == "phase=1&tour=3"
    app.radio(key="maml tour 3").set_value(2).run()
    assert chart(app)["captions"]
    assert chart(app)["address"] == "phase=1&tour=3&guess=2"
    app.button(key="maml tour back").click().run()
    assert view(app).contrast
    app.button(key="maml tour leave").click().run()
    assert chart(app)["address"] == "contrast=1", "the page stays as it is"
    assert chart(app)["captions"]
