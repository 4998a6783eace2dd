"""The page In context through Streamlit's own test harness, and the scene that it draws."""

from __future__ import annotations

import base64

import numpy as np
import pages
import pytest
from pages import chart, click, component, press, view, widget
from streamlit.testing.v1 import AppTest
from test_pages import own_weights

from metademo import checkpoints
from metademo.algorithms.in_context import InContext
from metademo.analysis.asking import POINTS, Asked, asked
from metademo.evaluation import Z90
from metademo.models import Model
from metademo.moments.address import follow
from metademo.moments.drawn import draw_ends, draw_points, draw_points_seen
from metademo.moments.played import play
from metademo.moments.views import ContextView
from metademo.tasks import FAMILIES, wave_families
from metademo.ui.controls.play import page_of
from metademo.ui.scenes import asking_words
from metademo.ui.scenes.attention_scene import PLACES, attention
from metademo.ui.scenes.context_scene import context_scene, context_story, widest, width_in_words

_ = own_weights  # a fixture, found by its name


def start(**said: str) -> AppTest:
    return pages.start("context", said)


def model(name: str) -> Model:
    return Model.of(checkpoints.load(checkpoints.shipped(name)))


def names(app: AppTest) -> list[str]:
    return [curve["name"] for curve in chart(app)["curves"]]


def test_each_point_is_a_step_and_no_weight_changes():
    app = start()
    data = chart(app)
    assert data["steps"] == len(data["points"]) == 4
    assert data["stands"][:2] == ["before any point", "after 1 point"]
    assert all("no weight has changed" in caption for caption in data["captions"])
    assert "MAML, after 5 gradient steps on the same points" in data["captions"][-1]
    assert names(app) == ["truth", "maml", "in-context"]
    app = click(app, (1.0, 0.5), (2.0, 0.1), page="context")
    assert chart(app)["steps"] == 2
    assert component(app, "attention")["points"] == chart(app)["points"]


def test_the_learner_and_what_it_was_trained_on_are_switched():
    app = start()
    widget(app, "button_group", "learner", "context").set_value("alpaca").run()
    assert view(app, "context").weights == "alpaca-any-phase"
    assert names(app) == ["truth", "maml", "widest", "alpaca"]
    assert chart(app)["curves"][-1]["band"]["label"] == "90\u00a0% band"
    assert not any("attention" in e.proto.component_name for e in app.get("bidi_component"))
    widget(app, "button_group", "weights", "context").set_value("alpaca-finn-noisy").run()
    assert not app.exception
    family = wave_families()["finn-noisy"]
    shown = view(app, "context")
    assert shown.noise == family.noise
    assert family.contains_phase(shown.phase)


@pytest.mark.parametrize("weights", ["in-context-any-phase", "alpaca-any-phase"])
def test_without_points_there_is_what_it_expects_and_free_points_have_a_nearest_wave(weights):
    app = pages.gesture(start(weights=weights), "clear", "context")
    assert not app.exception
    assert chart(app)["steps"] == 0
    [caption] = chart(app)["captions"]
    assert caption.startswith("Before any point it is off by")
    widget(app, "toggle", "snap", "context").set_value(False).run()
    app = click(app, (0.0, 1.5), page="context")
    assert chart(app)["points"] == [[0.0, 1.5]]
    assert "from the nearest wave" in chart(app)["captions"][-1]


def test_own_weights_of_this_kind_are_for_this_page():
    checkpoint = checkpoints.load(checkpoints.shipped("alpaca-finn-noisy"))
    assert page_of(checkpoint) == "context"
    app = start()
    app.session_state["own weights"] = {"mine": checkpoint}
    app.run()
    widget(app, "button_group", "learner", "context").set_value("alpaca").run()
    widget(app, "button_group", "weights", "context").set_value("mine").run()
    assert not app.exception
    assert view(app, "context").weights == "mine"
    assert "weights=" not in chart(app)["address"]


def test_asking_adds_the_point_where_the_band_is_widest():
    app = start(weights="alpaca-finn-noisy")
    before, family = view(app, "context"), wave_families()["finn-noisy"]
    x = widest(before, family, model("alpaca-finn-noisy"))
    press(app, "Ask where it knows least")
    after = view(app, "context")
    assert after.points[:-1] == before.points
    assert after.points[-1][0] == pytest.approx(x)
    off = after.points[-1][1] - after.wave([x])[0, 0]
    assert 0 < abs(off) < 5 * family.noise
    assert not after.example
    pages.gesture(app, "undo", "context")
    assert view(app, "context") == before


def test_what_asking_is_worth_is_told_in_numbers():
    app = start(weights="alpaca-finn-noisy", unfolded="asking")
    told = "\n".join(element.value for element in [*app.markdown, *app.caption])
    assert "500 held-out waves, labels with noise of 0.3" in told
    assert "| points | asked there | random |" in told
    assert "Asking there helps with 1, 2" in told
    assert "The same of “Smooth GP”" in told
    assert told.count("| points | asked there | random |") == 2


def test_without_weights_the_page_says_how_to_make_some(own_weights):
    for file in own_weights.glob("*.safetensors"):
        if not file.name.startswith(("maml", "pretrained", "daml")):
            file.unlink()
    app = start()
    assert not app.exception
    assert "metademo train in-context --family any-phase" in app.error[0].value


def test_where_the_family_has_no_maml_none_is_shown(own_weights):
    (own_weights / "maml-finn.safetensors").unlink()
    app = start(weights="alpaca-finn")
    assert names(app) == ["truth", "widest", "alpaca"]
    assert "MAML" not in chart(app)["captions"][-1]


def test_each_stage_is_what_the_first_points_alone_lead_to():
    family = wave_families()["any-phase"]
    view = ContextView.first(phase=1.0)
    story = context_story(view, family, model("alpaca-any-phase"), model("maml-any-phase"))
    first = context_story(
        view.changed(points=view.points[:2]),
        family,
        model("alpaca-any-phase"),
        model("maml-any-phase"),
    )
    np.testing.assert_allclose(story.run.curves[2], first.run.curves[2], atol=1e-5)
    np.testing.assert_allclose(story.beside.curves[2], first.beside.curves[2], atol=1e-5)


POINTS_IN_TURN = tuple((x, float(np.sin(x + 1))) for x in (-5.0, 3.1, -1.2, 0.4, 5.5, 2.0))


@pytest.mark.parametrize("name", ["in-context", "alpaca", "cnp", "maml"])
def test_what_is_kept_of_each_point_is_what_one_call_says_of_all(name):
    family, learner = wave_families()["any-phase"], model(f"{name}-any-phase")
    shown = ContextView.first(phase=1.0).changed(points=POINTS_IN_TURN)
    ends = draw_ends(shown, family, learner)
    if name == "maml":
        each = (shown.changed(points=POINTS_IN_TURN[:t]) for t in range(7))
        whole = np.stack([draw_points(one, family, learner).curves[-1] for one in each])
    else:
        run = draw_points_seen(shown, family, learner)
        whole = run.curves
        assert (ends.std is None) == (run.std is None)
        if run.std is not None:
            np.testing.assert_allclose(ends.std, run.std, rtol=0, atol=1e-5)
    np.testing.assert_allclose(ends.curves, whole, rtol=0, atol=1e-5)


def test_a_further_point_has_one_curve_made_and_no_more(monkeypatch):
    """Whatever the page draws of it: the chart, what is looked at, and where to ask."""
    family, learner = wave_families()["any-phase"], model("in-context-any-phase")
    lower = tuple((x, y / 2) for x, y in POINTS_IN_TURN)  # of which no test has drawn a curve
    counted, through = [], InContext._through
    monkeypatch.setattr(
        InContext, "_through", lambda *given: counted.append(given[3]) or through(*given)
    )
    for points in (lower[:5], lower):
        counted.clear()
        shown = ContextView.first(phase=1.1).changed(points=points)
        context_story(shown, family, learner, None)
        widest(shown, family, learner)
        attention(shown, family, "in-context", learner)
    assert [seen.shape[-1] for seen in counted] == [6, 6]


def test_beside_a_band_for_noisy_points_gradient_descent_follows_the_noise():
    """Of one wave with labels that differ by their noise alone its curves differ most."""
    family = wave_families()["finn-noisy"]
    learners = {name: model(f"{name}-finn-noisy") for name in ("alpaca", "maml")}
    rng, x = np.random.default_rng(0), np.linspace(-4.5, 4.5, 10)
    labels = 2.5 * np.sin(x) + family.noise * rng.standard_normal((20, 10))
    first = ContextView.first().with_weights("alpaca-finn-noisy", family)
    curves: dict[str, list] = {name: [] for name in learners}
    for row in labels:
        shown = first.changed(points=tuple(zip(x.tolist(), row.tolist(), strict=True)))
        for name, learner in learners.items():
            curves[name].append(draw_ends(shown, family, learner).curves[-1])
    spread = {name: np.std(found, axis=0).mean() for name, found in curves.items()}
    assert spread["maml"] > 1.5 * spread["alpaca"]
    story = context_story(first, family, learners["alpaca"], learners["maml"])
    assert "MAML, which has no band at all, follows the noise" in story.detail(4, None)
    assert "follows the noise" not in story.detail(0, None)
    app = start(weights="alpaca-finn-noisy")
    assert names(app) == ["truth", "maml", "widest", "alpaca"]


def test_the_band_is_nine_tenths_of_a_normal_and_marked_where_it_is_widest():
    family = wave_families()["any-phase"]
    story = context_story(ContextView.first(), family, model("alpaca-any-phase"), None)
    curves = {curve.name: curve for curve in context_scene(story, "alpaca", "A", ()).curves}
    band, mark = curves["alpaca"].band, curves["widest"].band
    np.testing.assert_allclose((band.high - band.low) / 2, Z90 * story.run.std, rtol=1e-5)
    for t, std in enumerate(story.run.std):
        [marked] = np.nonzero(np.isfinite(mark.low[t]))
        assert marked.min() <= std.argmax() <= marked.max()
        assert len(marked) < 0.05 * len(std)


def test_outside_of_its_training_it_is_confidently_wrong_and_that_is_said():
    family = wave_families()["any-phase"]
    view = ContextView.first().with_wave(frequency=1.2)
    story = context_story(view, family, model("alpaca-any-phase"), None)
    detail = story.detail(4, 0.99)
    assert "Outside of what it was trained on: frequency 1.2 (trained: 1)." in detail
    assert story.covered[4] < 0.5
    assert "confidently wrong" in detail


def test_a_band_of_another_width_than_it_says_is_told():
    assert width_in_words(0.9) == width_in_words(0.934) == ""
    assert "wider than it need be" in width_in_words(0.99)
    assert "narrower than it should be" in width_in_words(0.8)


def test_shares_of_attention_add_up_and_are_sent_step_by_step():
    family, view = wave_families()["any-phase"], ContextView.first()
    found = attention(view, family, "in-context", model("in-context-any-phase"))
    assert [share.shape[-1] for share in found.shares] == [1, 2, 3, 4, 5]
    for share in found.shares:
        np.testing.assert_allclose(share.sum(-1), 1, atol=1e-5)
    sent = base64.b64decode(component(start(), "attention")["shares"])
    assert len(sent) == found.layers * found.heads * PLACES * (1 + 2 + 3 + 4 + 5)
    assert attention(view, family, "alpaca", model("alpaca-any-phase")) is None


def test_asking_is_worth_most_with_few_noisy_points_and_nothing_with_many():
    found = asked(model("alpaca-finn-noisy"), FAMILIES["finn-noisy"])
    gain, half = found.gain(2)
    assert gain > half
    assert found.chosen[2].mean() < 0.5 * found.random[2].mean()
    np.testing.assert_allclose(found.chosen[0], found.random[0])


def test_the_verdict_on_asking_goes_by_the_interval():
    rng = np.random.default_rng(0)
    random = rng.uniform(1, 2, (POINTS + 1, 200))
    chosen = random - 0.5
    chosen[5] = random[5] + rng.normal(0, 1, 200)
    chosen[10] = random[10] + 0.5
    told = asking_words.verdict(Asked(chosen, random, places=5.0))
    assert told.startswith(
        "Asking there helps with 1, 2, 3 and 4 points; it does harm with 10 points; "
        "it makes no difference with 5 points."
    )
    assert "50 % are at a place where it has asked before" in told


def test_a_link_shows_the_same_without_a_browser():
    weights = {"alpaca-any-phase": checkpoints.load(checkpoints.shipped("alpaca-any-phase"))}
    played = play(follow("/context?weights=alpaca-any-phase&frequency=1.2"), weights)
    [run] = played.runs.values()
    assert run.curves.shape == run.std.shape == (5, len(played.x))
