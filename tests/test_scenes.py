"""What the MAML and the DAML page draw and say: true for any points, whatever the losses."""

from __future__ import annotations

import functools
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from helpers import checkpoint_of, small
from hypothesis import given, settings
from hypothesis import strategies as st

from metademo import checkpoints
from metademo.models import Model
from metademo.moments.drawn import Drawn
from metademo.moments.views import DamlView, MamlView
from metademo.tasks import FAMILIES, PI, Examples, Waves
from metademo.ui.scenes.facts import unfold
from metademo.ui.scenes.maml_story import FITS, Story
from metademo.ui.scenes.scenes import daml_scene, maml_scene
from metademo.ui.scenes.sentences import number, wave_name

TWO_PHASE, ANY_PHASE = FAMILIES["two-phase"], FAMILIES["any-phase"]
POINTS = st.lists(
    st.tuples(st.floats(-2 * PI, 2 * PI), st.floats(-2, 2)), min_size=1, max_size=6
).map(tuple)
TRIES = settings(max_examples=25, deadline=None)
X = np.array([-5.0, -2.0, 1.0, 4.5])


@functools.cache
def learner(name: str) -> Model:
    """Weights that ship, by name, or "squared": fresh ones with a squared inner loss."""
    if name == "squared":
        return Model.of(checkpoint_of(small("maml", "any-phase", hidden=8, loss="mse")))
    return Model.of(checkpoints.load(checkpoints.shipped(name)))


def on(wave: Waves, xs=X) -> tuple[tuple[float, float], ...]:
    return tuple(zip(map(float, xs), map(float, wave(xs)[0]), strict=True))


def independent(one: Model, view: MamlView, x) -> np.ndarray:
    """The network on `x` after each step on the view's points, (steps + 1, points)."""
    points = np.array(view.points)
    support = Examples(points[None, :, 0], points[None, :, 1])
    return drawn(one, support, x, steps=view.steps, inner_lr=view.inner_lr)


def drawn(one: Model, support: Examples, x, **options) -> np.ndarray:
    """The network on `x` after each step, (steps + 1, points), by plain matrix products."""
    rows = []
    for params in one.learner.adapt(one.meta, support, **options).trajectory:
        w1, b1, w2, b2, w3, b3 = (
            params[f"{layer}.{kind}"][0].double().numpy()
            for layer in (0, 2, 4)
            for kind in ("weight", "bias")
        )
        hidden = np.maximum(np.asarray(x)[:, None] @ w1.T + b1, 0)
        rows.append((np.maximum(hidden @ w2.T + b2, 0) @ w3.T + b3)[:, 0])
    return np.array(rows)


def numbers(text: str) -> list[float]:
    """The distances that a sentence gives; "less than 0.01" counts as 0."""
    return [float(n) for n in re.findall(r"\d+\.\d\d", text.replace("less than 0.01", "0.00"))]


def scene_of(view: MamlView, family=ANY_PHASE, of="maml-any-phase", **contrasts):
    return maml_scene(view, family, learner(of), contrasts)


# ---------------------------------------------------------------------------- free points


@pytest.mark.parametrize("name", ["maml-any-phase", "squared"])
@TRIES
@given(points=POINTS)
def test_the_sentence_about_free_points_gives_their_mean_distance(name, points):
    view = MamlView().with_points(points, ANY_PHASE)
    scene = scene_of(view, of=name)
    xs, ys = np.array(points).T
    misses = np.abs(independent(learner(name), view, xs) - ys).mean(1)
    several = len(points) > 1
    for k, caption in enumerate(scene.captions):
        assert ("passes your points within" if several else "passes your point within") in caption
        assert ("on average" in caption) == several
        wanted = [misses[k], misses[0]] if k else [misses[0]]
        assert numbers(caption) == pytest.approx(wanted, abs=0.0051)
    assert scene.panels[0].series[0].values == pytest.approx(misses, abs=1e-3)


@TRIES
@given(points=POINTS)
def test_free_points_have_a_nearest_wave_and_no_true_one(points):
    view = MamlView().with_points(points, ANY_PHASE)
    scene = scene_of(view)
    words = " ".join(
        [scene.curves[0].label, *(p.title for p in scene.panels), *scene.captions, *scene.details]
    )
    assert "true wave" not in words
    assert scene.curves[0].label == "the nearest wave it was trained on"
    assert scene.panels[1].title == "Error against the nearest wave"
    xs, ys = np.array(points).T
    distance = np.abs(view.wave(xs)[0] - ys).mean()
    for detail in scene.details:
        assert number(distance) in detail
        assert ("none of the waves it was trained on" in detail) == (distance > FITS)
        assert wave_name(view.phase) in detail
    if distance <= FITS:
        grid = ANY_PHASE.grid
        error = np.abs(independent(learner("maml-any-phase"), view, grid) - view.wave(grid)).mean(1)
        said = [numbers(detail)[-1] for detail in scene.details]
        assert said == pytest.approx(error, abs=0.0051)


def test_points_on_a_cosine_of_half_the_height_fit_none():
    view = MamlView().with_points(on(Waves.one(0.5, 1.0, -PI / 2)), ANY_PHASE)
    scene = scene_of(view)
    assert "passes your points within" in scene.captions[-1]
    assert "Your points fit none of the waves it was trained on" in scene.details[-1]
    assert "(a fit is 0.10 or less)" in scene.details[-1]


def test_points_of_a_wave_it_knows_fit_that_wave():
    view = MamlView().with_points(on(Waves.one(phase=math.radians(60))), ANY_PHASE)
    detail = scene_of(view).details[-1]
    assert "sin(x + 60°), passes them within less than 0.01 on average" in detail
    assert "the network is off by" in detail


def test_one_point_is_spoken_of_in_the_singular():
    scene = scene_of(MamlView().with_points(((1.0, 1.9),), ANY_PHASE))
    assert scene.panels[0].title == "Error on your point"
    assert "Your point fits none" in scene.details[-1]
    assert "misses it by" in scene.details[-1]


# ---------------------------------------------------------------------------- points on a wave


@TRIES
@given(st.lists(st.floats(-2 * PI, 2 * PI), min_size=1, max_size=6), st.floats(0, PI))
def test_points_that_stay_on_a_wave_have_a_true_one_and_an_error_against_it(xs, phase):
    points = tuple((x, 0.0) for x in xs)
    view = MamlView(points=points, phase=phase, snap=True).with_wave()
    scene = scene_of(view)
    assert scene.curves[0].label == "the true wave"
    assert scene.panels[1].title == "Error against the true wave"
    grid = ANY_PHASE.grid
    error = np.abs(independent(learner("maml-any-phase"), view, grid) - view.wave(grid)).mean(1)
    for k, caption in enumerate(scene.captions):
        assert "on average from the true wave" in caption
        wanted = [error[k], error[0]] if k else [error[0]]
        assert numbers(caption) == pytest.approx(wanted, abs=0.0051)
    assert not any("not one of those" in detail for detail in scene.details)


def test_a_wave_that_it_was_not_trained_on_is_called_so():
    view = MamlView(points=on(Waves.one()), phase=1.0, snap=True).with_wave()
    assert "not one of those it was trained on" in scene_of(view, TWO_PHASE).details[0]


def test_the_example_is_called_one_and_good():
    scene = scene_of(MamlView.first())
    assert all("These points are an example: click" in detail for detail in scene.details)
    assert scene.panels[0].title == "Error on the example points"
    error, before = numbers(scene.captions[-1])
    assert error < before / 2


def test_without_points_there_is_nothing_to_say_of_any():
    cleared = MamlView().with_points(((1.0, 1.0),), ANY_PHASE).with_points((), ANY_PHASE)
    scene = scene_of(cleared, pretrained=learner("pretrained-any-phase"))
    assert scene.curves[0].label == "the wave for new points"
    assert np.isnan([s.values for p in scene.panels for s in p.series]).all()
    assert set(scene.captions) == {
        "No points yet, so nothing to learn from: this is the network before any step."
    }
    assert set(scene.details) == {""}


def test_a_step_is_one_step():
    scene = scene_of(MamlView.first())
    assert scene.captions[1].startswith("After 1 step it")
    assert scene.curves[-1].label == "after {steps}"


def read(text: str) -> str:
    """A sentence without what its numbers can tell."""
    return unfold(text)[0]


def story(view: MamlView, family=TWO_PHASE, **values: list[tuple[float, float]]) -> Story:
    """Sentences about runs that miss the points and the wave by so much after each step."""
    truth = view.wave(family.grid)[0]
    runs = {
        name: Drawn(
            np.array([truth + wave for _, wave in pairs]), np.zeros(len(pairs)), misses[:, None]
        )
        for name, pairs in values.items()
        if len(misses := np.array([points for points, _ in pairs]))
    }
    return Story(view, family, {name: learner("maml-two-phase") for name in values}, runs)


BOUND = MamlView(points=on(Waves.one()), snap=True)
FREE = MamlView().with_points(on(Waves.one()), TWO_PHASE)


@pytest.mark.parametrize("view", [BOUND, FREE], ids=["on a wave", "free"])
@pytest.mark.parametrize("lost", [math.inf, math.nan, 1e9])
def test_where_it_runs_away_is_said_of_those_steps_only(view, lost):
    told = story(view, maml=[(0.7, 0.6), (12.0, 14.0), (lost, lost)])
    assert read(told.caption(1)).startswith("After 1 step it ")
    assert "run away" not in read(told.caption(0)) + read(told.caption(1))
    assert read(told.caption(2)) == (
        "After 2 steps it has run away: choose a smaller inner learning rate."
    )
    assert "million" not in read(told.detail(2))


# ---------------------------------------------------------------------------- the contrast


def contrast(view: MamlView, family=TWO_PHASE, alpha: float | None = None):
    """The scene with an ordinarily trained network beside it, and that network."""
    ordinary = learner(f"pretrained-{family.name}")
    if alpha is not None:
        ordinary = replace(ordinary, learner=replace(ordinary.learner, inner_lr=alpha))
    scene = maml_scene(view, family, learner(f"maml-{family.name}"), {"pretrained": ordinary})
    return scene, ordinary


@pytest.mark.parametrize("family", [TWO_PHASE, ANY_PHASE], ids=lambda f: f.name)
@TRIES
@given(points=POINTS, snap=st.booleans(), alpha=st.sampled_from([0.01, 0.03, 0.1]))
def test_what_is_said_of_ordinary_training_is_so(family, points, snap, alpha):
    view = MamlView(phase=0.0, snap=snap, contrast=True).with_points(points, family)
    scene, ordinary = contrast(view, family, alpha)
    xs, ys = np.array(view.points).T
    grid = family.grid
    misses = np.abs(independent(ordinary, view, xs) - ys).mean(1)
    errors = np.abs(independent(ordinary, view, grid) - view.wave(grid)).mean(1)
    for k, detail in list(enumerate(scene.details))[1:]:
        told = re.search(r"Ordinary training.*?: (.*?)\.(?= |$)", detail)
        if told is None:
            assert re.search(r"Ordinary training.* has run away\.", detail)
            assert not (misses[k] < 1e6 and errors[k] < 1e6)
            continue
        said = told[0]
        for verb, before, now in re.findall(r"(falls|rises) from (\S+) to ([\d.]+\d)", said):
            assert (float(now) < float(before)) == (verb == "falls")
        fallen = misses[k] / misses[0], errors[k] / errors[0]
        if "and not the wave" in said:
            assert fallen[0] <= 0.81
            assert fallen[1] >= 0.79
        if "gains little" in said:
            assert 0.79 <= fallen[0] <= 1.21
        if "thrown off" in said:
            assert fallen[0] >= 1.19
        if "something of the wave" in said:
            assert fallen[1] <= 0.81


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (
            [(0.70, 0.64), (0.21, 0.63)],
            "learns your points and not the wave: its error on your points falls from 0.70 to "
            "0.21, that against the true wave falls from 0.64 to 0.63.",
        ),
        (
            [(0.70, 0.64), (0.21, 0.70)],
            "learns your points and not the wave: its error on your points falls from 0.70 to "
            "0.21, that against the true wave rises from 0.64 to 0.70.",
        ),
        (
            [(0.70, 0.64), (0.21, 0.30)],
            "learns something of the wave, too: its error on your points falls from 0.70 to 0.21, "
            "that against the true wave falls from 0.64 to 0.30.",
        ),
        (
            [(0.70, 0.64), (0.70, 0.64)],
            "gains little from these steps: its error on your points stays at 0.70, that against "
            "the true wave stays at 0.64.",
        ),
        (
            [(0.70, 0.64), (1.9, 1.7)],
            "is thrown off by these steps: its error on your points rises from 0.70 to 1.90, "
            "that against the true wave rises from 0.64 to 1.70.",
        ),
        (
            [(0.0, 0.0), (0.0, 0.0)],
            "gains little from these steps: its error on your points stays at less than 0.01, "
            "that against the true wave stays at less than 0.01.",
        ),
        ([(0.70, 0.64), (math.nan, math.inf)], "has run away."),
    ],
)
def test_what_ordinary_training_learns_is_judged_by_the_numbers(pairs, said):
    told = story(BOUND, maml=[(0.7, 0.6), (0.1, 0.1)], pretrained=pairs)
    assert f"Ordinary training {said}" in read(told.detail(1))
    assert "its error" not in read(told.detail(0))


def test_of_points_that_fit_no_wave_ordinary_training_can_only_get_nearer():
    free = MamlView().with_points(((0.0, 1.8), (1.0, -1.9)), TWO_PHASE)
    pairs = [(0.70, 0.64), (0.21, 0.30)]
    told = read(story(free, maml=pairs, pretrained=pairs).detail(1))
    assert (
        "Ordinary training gets nearer to your points: its error on your points falls from 0.70 "
        "to 0.21." in told
    )


def test_ordinary_training_on_two_waves_starts_at_their_mean():
    details = contrast(MamlView.first().changed(contrast=True).within(TWO_PHASE))[0].details
    wanted = "starts at the zero line, the mean of its two opposite waves."
    assert f"Ordinary training {wanted}" in details[0]
    assert all(f"It {wanted}" in detail for detail in details[1:])


def test_ordinary_training_on_any_phase_starts_at_the_middle_of_its_waves():
    scene, ordinary = contrast(MamlView.first().changed(contrast=True), ANY_PHASE)
    middle = {"mse": "mean", "l1": "median"}[ordinary.learner.loss]
    wanted = f" starts near the {middle} of all its waves."
    assert all(wanted in detail for detail in scene.details)


def test_a_start_that_is_no_mean_is_not_called_one():
    told = story(BOUND, maml=[(0.7, 0.6)] * 2, pretrained=[(0.1, 0.0)] * 2)
    assert " starts " not in read(told.detail(0))


def test_the_contrast_takes_its_own_alpha_until_the_visitor_chooses_one():
    view = MamlView.first().changed(contrast=True).within(TWO_PHASE)
    scene, ordinary = contrast(view, alpha=0.05)
    curve = next(c for c in scene.curves if c.name == "pretrained")
    own = independent(ordinary, view, TWO_PHASE.grid)
    np.testing.assert_allclose(curve.y, own, atol=1e-4)
    assert "Ordinary training (α = 0.05) " in scene.details[-1]
    chosen, _ = contrast(view.changed(inner_lr=0.02), alpha=0.05)
    assert "α" not in chosen.details[-1]


def test_the_contrast_is_in_the_large_sentence_too():
    free = MamlView(contrast=True).with_points(((1.0, 1.0), (2.0, -1.0)), TWO_PHASE)
    assert re.search(r"; trained the ordinary way, within \d", contrast(free)[0].captions[-1])
    bound = MamlView.first().changed(contrast=True).within(TWO_PHASE)
    assert re.search(r"; trained the ordinary way, by \d", contrast(bound)[0].captions[-1])


# ---------------------------------------------------------------------------- DAML


@TRIES
@given(st.floats(-PI / 2, PI / 2))
def test_daml_is_off_from_the_waves_by_what_it_says(source):
    one = learner("daml-two-phase")
    scene = daml_scene(DamlView(source=source), TWO_PHASE, one)
    grid = TWO_PHASE.grid
    curves = drawn(one, Examples(np.array([[source]])), grid, steps=5)
    off = {f: np.abs(curves - Waves.one(phase=f)(grid)).mean(1) for f in TWO_PHASE.phases}
    band = TWO_PHASE.band_of(source)
    for k, caption in enumerate(scene.captions):
        assert caption.startswith(
            ["Before any step it is", "After 1 step it is"][k]
            if k < 2
            else (f"After {k} steps it is")
        )
        if band is None:
            wanted = [min(errors[k] for errors in off.values())]
        else:
            errors = off[band.phase(source)]
            assert f" from {wave_name(band.phase(source))} " in caption
            wanted = [errors[k], errors[0]] if k else [errors[0]]
        assert numbers(caption) == pytest.approx(wanted, abs=0.0051)
    assert scene.curves[-1].label == "after {steps}"


def test_a_learned_loss_of_zero_is_said_to_change_nothing():
    config = small("daml", "two-phase")
    meta = config.learner.init(np.random.default_rng(0))
    dead = {n: v * 0 if n.startswith("adaptation_loss") else v for n, v in meta.items()}
    scene = daml_scene(DamlView(), TWO_PHASE, Model(config.learner, dead))
    assert scene.details[0] == (
        "From here on the learned loss is 0, so further steps change nothing."
    )
    assert scene.details[-1] == ""
    alive = daml_scene(DamlView(), TWO_PHASE, Model(config.learner, meta))
    curves = alive.curves[-1].y
    assert [bool(d) for d in alive.details or [""] * 6] == [
        k < 5 and bool((curves[k:] == curves[k]).all()) for k in range(6)
    ]


def test_no_steps_to_speak_of_are_not_blamed_on_the_learned_loss():
    config = small("daml", "two-phase")
    meta = config.learner.init(np.random.default_rng(0))
    scene = daml_scene(DamlView(inner_lr=0.0), TWO_PHASE, Model(config.learner, meta))
    assert scene.details[0] == "From here on further steps change nothing."
