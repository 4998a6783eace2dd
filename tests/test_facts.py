"""Each number on the pages is what its formula says: computed again from what the formula names."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import chart, component, start
from test_scenes import POINTS, TRIES, independent, learner, scene_of

from metademo.analysis.worst import TRAITS, Reason, Trial, worst_points
from metademo.formats import percent
from metademo.models import Model
from metademo.moments import duel
from metademo.moments.candidates import candidates
from metademo.moments.compared import compare
from metademo.moments.views import CompareView, DamlView, MamlView
from metademo.recipes import configure
from metademo.tasks import FAMILIES, as_waves
from metademo.training import HELD_OUT_STREAM
from metademo.ui.scenes import worst_words
from metademo.ui.scenes.compare_scene import compare_scene
from metademo.ui.scenes.duel_scene import duel_scene, score_formula
from metademo.ui.scenes.duel_scene import score as score_line
from metademo.ui.scenes.facts import exact, unfold
from metademo.ui.scenes.scenes import daml_scene
from metademo.ui.scenes.train_kind import untrained
from metademo.ui.scenes.train_scene import train_scene, unstarted
from metademo.ui.server import resources

ANY_PHASE = FAMILIES["any-phase"]
OVER_CURVE = re.compile(
    r"(?P<value>\S+) = mean of (?P<term>\|network − (?P<what>.+)\||\(network − (?P<what2>.+)\)²) "
    r"over (?P<n>\d+) points from (?P<low>\S+) to (?P<high>\S+)"
)
AT_POINTS = re.compile(
    r"(?P<value>\S+) = (mean of )?(?P<term>\|(network|wave) − y\||\((network|wave) − y\)²) "
    r"at the (point|(?P<n>\d+) points)( = \((?P<terms>.+)\) / (?P<over>\d+))?"
)


def as_number(text: str) -> float:
    return float(text.replace("−", "-"))


def holds(about: str, curve, truth, gaps) -> float:
    """The value of a formula, computed anew from a curve and the truth, or from gaps at points."""
    if found := OVER_CURVE.fullmatch(about):
        assert int(found["n"]) == len(curve)
        difference = np.asarray(curve) - truth
        squared = found["term"].endswith("²")
        value = np.mean(difference**2 if squared else np.abs(difference))
    else:
        found = AT_POINTS.fullmatch(about)
        assert found, about
        gaps = np.asarray(gaps) ** (2 if found["term"].endswith("²") else 1)
        assert int(found["n"] or 1) == len(gaps)
        value = np.mean(gaps)
        if found["terms"]:
            written = [as_number(term) for term in found["terms"].split(" + ")]
            assert written == pytest.approx(gaps, rel=6e-3, abs=2e-6)
            assert int(found["over"]) == len(gaps)
    assert as_number(found["value"]) == pytest.approx(value, rel=6e-3, abs=2e-6)
    return float(value)


def reads(shown: str, value: float) -> bool:
    """Whether a number in a sentence is this one, rounded."""
    if found := re.fullmatch(r"less than (\S+)", shown):
        return value < float(found[1])
    digits = len(shown.partition(".")[2])
    return abs(float(shown.replace(",", "")) - value) <= 0.51 * 10**-digits


@TRIES
@given(points=POINTS, free=st.booleans(), contrast=st.booleans())
def test_numbers_of_the_maml_page(points, free, contrast):
    view = MamlView().with_points(points, ANY_PHASE)
    if not free:
        view = view.with_snap(True)
    contrasts = {"pretrained": learner("pretrained-any-phase")} if contrast else {}
    scene = scene_of(view, **contrasts)
    xs, ys = np.array(view.points).T
    truth = view.wave(ANY_PHASE.grid)[0]
    models = {"maml": learner("maml-any-phase"), **contrasts}
    found = {}
    for k in range(view.steps + 1):
        for i, one in enumerate(models.values()):
            curve = independent(one, view, ANY_PHASE.grid)[k]
            gaps = np.abs(independent(one, view, xs)[k] - ys)
            for panel in scene.panels:
                series = panel.series[i]
                value = holds(series.about[k], curve, truth, gaps)
                assert series.values[k] == pytest.approx(value, rel=1e-3, abs=1e-5)
                found[series.about[k], k] = value
    wave_gaps = np.abs(view.wave(xs)[0] - ys)
    captions = zip(scene.captions, scene.caption_facts, strict=True)
    details = zip(scene.details, scene.detail_facts, strict=True)
    for k, text, facts in (
        (k, text, facts)
        for sentences in (captions, details)
        for k, (text, facts) in enumerate(sentences)
    ):
        place = 0
        for shown, about in facts:
            place = text.index(shown, place) + len(shown)
            if about.endswith("its amplitude"):
                left, right = about.split(" = ")
                factors = [as_number(f) for f in right.split(",")[0].split(" × ")]
                assert reads(shown, math.prod(factors))
                assert as_number(left) == pytest.approx(math.prod(factors))
            elif "wave − y" in about:
                assert reads(shown, holds(about, None, None, wave_gaps))
            else:
                # Of this step, or of none: two values may have one formula, to three digits.
                values = [found[about, step] for step in (k, 0) if (about, step) in found]
                assert values
                assert any(reads(shown, value) for value in values)
        assert not re.search(r"\d\.\d\d", _without(text, facts)), "a number that says nothing"


def _without(text: str, facts) -> str:
    for shown, _ in facts:
        text = text.replace(shown, "", 1)
    return text


@pytest.mark.parametrize("weights", ["daml-two-phase", "daml-any-phase"])
@pytest.mark.parametrize("source", [1.2, 0.0, -1.0])
def test_numbers_of_the_daml_page(weights, source):
    one = learner(weights)
    family = FAMILIES[weights.removeprefix("daml-")]
    scene = daml_scene(DamlView(weights=weights, source=source), family, one)
    curves = scene.curves[-1].y
    truths = {c.about.removeprefix("y = "): c.y for c in scene.curves if c.name.startswith("truth")}
    learned, errors = scene.panels
    for series in errors.series:
        for k, about in enumerate(series.about):
            what = OVER_CURVE.fullmatch(about)["what"]
            assert series.values[k] == pytest.approx(holds(about, curves[k], truths[what], None))
    (series,) = learned.series
    for value, about in zip(series.values, series.about, strict=True):
        if "²" in about:
            stated, g = re.fullmatch(r"(\S+) = g² / 2 with \|g\| = (\S+): .+", about).groups()
            assert as_number(stated) == pytest.approx(as_number(g) ** 2 / 2, rel=1.2e-2)
        else:
            (stated,) = re.fullmatch(r"(\S+) = \|g\|: .+", about).groups()
        assert as_number(stated) == pytest.approx(value, rel=6e-3)
    for k, facts in enumerate(scene.caption_facts):
        for shown, about in facts:
            truth = truths[OVER_CURVE.fullmatch(about)["what"]]
            step = k if (shown, about) == facts[0] else 0
            assert reads(shown, holds(about, curves[step], truth, None))


@pytest.mark.parametrize("family", ["two-phase", "finn"])
def test_numbers_of_the_compare_page(family):
    tasks = FAMILIES[family]
    found = candidates(resources.library()[0], {}, tasks)
    view = CompareView.first().with_family(family).changed(own_steps=False, steps=3)
    compared = compare(view, tasks, list(found.values()))
    scene = compare_scene(view, tasks, compared)
    truth = view.wave(tasks.grid)[0]
    seen, errors = scene.panels
    for one, loss, error in zip(compared.shown, seen.series, errors.series, strict=True):
        run = compared.runs[one.name]
        for k, about in enumerate(error.about):
            value = holds(about, run.curves[k], truth, None)
            assert compared.errors[one.name][k] == pytest.approx(value)
        for k, about in enumerate(loss.about):
            if not one.model.learner.unlabelled:
                assert run.losses[k] == pytest.approx(
                    holds(about, None, None, run.gaps[k]), rel=1e-3, abs=1e-6
                )
    for facts in scene.caption_facts:
        for shown, about in facts:
            assert reads(shown, as_number(about.split(" = ")[0])) or "less" in shown


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.004, "<1 %"),
        (0.125, "13 %"),
        (0.685, "69 %"),
        (0.996, ">99 %"),
        (1, "100 %"),
        (math.nan, "–"),
    ],
)
def test_shares_as_the_browser_writes_them(share, text):  # see formats.test.mjs
    assert percent(share) == text


def test_numbers_of_the_duel():
    checkpoint = resources.library()[0][duel.WEIGHTS]
    model, view = Model.of(checkpoint), duel.DuelView(seed=3)
    for _ in range(3):
        view = view.with_wave(phase=30.0).done()
        drawing = view.curve
        played = duel.results(view, model)
        scene, last = duel_scene(view, model, played), played[-1]
        (yours, theirs, margin) = scene.caption_facts[0]
        truth, x = last.played.truth, duel.FAMILY.grid
        for (shown, about), curve, value in (
            (yours, drawing, last.yours),
            (theirs, last.played.network(model), last.theirs),
        ):
            assert as_number(about.split(" = ")[0]) == pytest.approx(value, rel=1e-2)
            assert float(shown) == pytest.approx(np.abs(curve - truth).mean(), abs=6e-4)
            assert f"over {len(x)} points" in about
        by, larger, smaller = re.match(r"(\S+) = (\S+) − (\S+)", margin[1]).groups()
        assert float(by) == pytest.approx(float(larger) - float(smaller), abs=1.1e-3)
        means = re.findall(r"(\S+) = \(([^)]*)\) / (\d+)", score_formula(played))
        for mean, terms, n in means:
            assert float(mean) == pytest.approx(
                sum(map(float, terms.split(" + "))) / int(n), abs=1e-3
            )
            assert mean in score_line(played)
        assert len(means) == 2
        view = view.next()


def test_numbers_of_the_worst_four():
    family = FAMILIES["any-phase"]
    model = Model.of(resources.library()[0]["maml-any-phase"])
    trial = Trial(model, family, MamlView().wave, 5)
    worst = worst_points(trial)
    about = worst_words.found_formula(trial, worst)
    assert as_number(about.split(" = ")[0]) == pytest.approx(worst.error, rel=1e-2)
    made = {
        trait.name: Reason(trait.name, float(trait.measure(trial, worst.x[None])[0]), 0.5, 1.0, 0.2)
        for trait in TRAITS
    }
    for name, reason in made.items():
        text = worst_words.why_formula(trial, worst, [reason])
        said = worst_words.why(trial, worst, [reason])
        numbers = [as_number(n) for n in re.findall(r"−?\d+\.?\d*", text)]
        match name:
            case "rival":
                shown, *gaps, four = numbers[:6]
                assert shown == pytest.approx(sum(gaps) / four, abs=6e-3)
                assert f"{shown:.2f}" in said
            case "one phase":
                *turns, _, shown = numbers[:6]
                around = np.diff([*turns, turns[0] + 180])
                assert shown == pytest.approx(180 - around.max(), abs=2)
                assert f"{shown:.0f}°" in said
            case "near zero":
                shown, *heights, amplitude = numbers[:6]
                assert shown == pytest.approx(np.median(heights) / amplitude, abs=6e-3)
            case "gap":
                share, widest, whole = numbers[:3]
                edges = np.diff([family.x_range[0], *worst.x, family.x_range[1]])
                assert widest == pytest.approx(edges.max(), abs=6e-3)
                assert share / 100 == pytest.approx(widest / whole, abs=6e-3)
    assert worst_words.why_formula(trial, worst, []) == ""
    assert worst_words.attempt_formula(trial, None) == ""


def test_numbers_of_the_board():
    app = start("compare")
    for _ in range(100):
        data = component(app, "scores")
        if not data["pending"]:
            break
        app.run()
    assert not data["pending"]
    for score in data["board"]["scores"]:
        for name in ("mine", "mean", "half"):
            for value, about in zip(score[name], score["formulas"][name], strict=True):
                assert as_number(about.split(" = ")[0]) == pytest.approx(value, rel=1e-2, abs=1e-6)
        for half, about in zip(score["half"], score["formulas"]["half"], strict=True):
            z, spread, n = re.match(r"\S+ = (\S+) × (\S+) / √(\d+)", about).groups()
            assert half == pytest.approx(float(z) * float(spread) / int(n) ** 0.5, rel=1e-2)
        for share, about in zip(score["better"], score["formulas"]["better"], strict=True):
            if share is None:
                assert about == ""
                continue
            count, n = re.match(r"(\d+) of (\d+) tasks", about).groups()
            assert share == pytest.approx(int(count) / int(n), abs=0.01)


def test_numbers_of_the_train_page():
    """The errors of a snapshot, measured again on the tasks that the formulas speak of."""
    config = configure("maml", "two-phase")
    snapshot = untrained(config)
    scene = train_scene(unstarted(config), [snapshot])
    family = as_waves(config.task_family)
    rng = np.random.default_rng([config.seed, HELD_OUT_STREAM])
    support, query = family.sample_held_out(rng, 40, shots=config.shots, sources=0)
    rows = config.learner.run(snapshot.meta, support, query.x)
    errors = np.abs(rows.outputs - query.labels).mean(-1).mean(-1)
    told = dict(zip(("before", "after"), scene.caption_facts[0], strict=True))
    for name, k, steps in (("before", 0, "0 steps"), ("after", -1, "5 steps")):
        shown, about = told[name]
        assert about.endswith(f"mean error over 40 held-out tasks, after {steps}")
        assert as_number(about.split(" = ")[0]) == pytest.approx(errors[k], rel=2e-2)
        assert reads(shown, snapshot.errors[k])
    text, facts = scene.details[0], scene.detail_facts[0]
    assert [shown in text for shown, _ in facts] == [True, True]


def test_every_key_says_what_it_is():
    for page in ("maml", "daml", "compare"):
        for curve in chart(start(page))["curves"]:
            assert not curve["legend"] or curve["about"].startswith("y = ")
    about = component(start("train"), "train_stage")["about"]
    assert set(about) == {"query", "heldOut", "ignoring"}


def test_a_marked_sentence_is_taken_apart():
    assert unfold("plain") == ("plain", [])
    assert exact(-0.012345) == "−0.0123"
    assert exact(float("inf")) == exact(float("nan")) == "too much to count"
