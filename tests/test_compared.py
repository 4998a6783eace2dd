"""Who takes part on the Compare page, and what is measured of them, without the page."""

from __future__ import annotations

import math

import numpy as np
import pytest
from compare_parts import few_tasks, of_all, shipped
from helpers import checkpoint_of
from test_pages import own_weights

from metademo import reproduced
from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.evaluation import Evaluation, evaluate
from metademo.moments.candidates import candidates, missing, steps_of
from metademo.moments.compared import compare
from metademo.moments.outside import ATTRIBUTES
from metademo.moments.views import CompareView
from metademo.recipes import configure
from metademo.tasks import FAMILIES, wave_families
from metademo.ui.components.scores.scores import _encode_board
from metademo.ui.scenes import scores_scene
from metademo.ui.scenes.compare_scene import CEILING, compare_scene
from metademo.ui.server import measurements
from metademo.ui.server.measurements import (
    Measured,
    Standing,
    held_out_errors,
    milliseconds,
    swept,
)

_ = few_tasks, own_weights  # fixtures, found by their names

WAVES = wave_families()
families = pytest.mark.parametrize("family", WAVES.values(), ids=WAVES.keys())


@families
def test_every_algorithm_that_can_be_trained_on_a_family_takes_part_and_so_do_the_yardsticks(
    family,
):
    found = candidates(shipped(), {}, family)
    expected = [name for name, kind in ALGORITHMS.items() if not kind.unsuited(family)]
    without = missing(found, family)
    assert without == [] or family.noise, "with noise only those that have something to show"
    expected = [name for name in expected if name not in without]
    assert [name for name in found if name in ALGORITHMS] == expected
    yardsticks = [name for name, kind in YARDSTICKS.items() if not kind.unsuited(family)]
    assert list(found)[-len(yardsticks) :] == yardsticks


def test_weights_besides_those_of_the_registry_are_told_apart_from_them():
    family = FAMILIES["two-phase"]
    own = {"run 1, step 7": checkpoint_of(configure("maml", "two-phase"))}
    found = candidates(shipped(), own | {"other": checkpoint_of(configure("maml", "finn"))}, family)
    assert "other" not in found, "trained on another family"
    mine = found["run 1, step 7"]
    assert "run 1, step 7" in mine.title
    assert mine.style.light == found["maml"].style.light
    assert mine.style.dash != found["maml"].style.dash


def test_without_any_weights_there_is_nobody():
    assert candidates({}, {}, FAMILIES["finn"]) == {}


def test_held_out_errors_are_what_evaluate_says(monkeypatch):
    monkeypatch.setattr(measurements, "TASKS", 30)
    family = FAMILIES["finn"]
    one = candidates(shipped(), {}, family)["anil"]
    found = held_out_errors(one.model, family, shots=7, steps=3)
    again = evaluate(
        one.model.learner,
        one.model.meta,
        family,
        shots=7,
        steps=3,
        tasks=30,
        every=8,
    )
    np.testing.assert_array_equal(found.errors, again.errors)
    assert again.metric == family.metric == "mse"
    assert milliseconds(one.model, family, shots=7, steps=3) > 0


@pytest.mark.parametrize("along", ATTRIBUTES)
@families
def test_a_sweep_at_a_trained_value_is_the_familys_own_error(family, along):
    attribute = ATTRIBUTES[along]
    one = next(iter(candidates(shipped(), {}, family).values()))
    errors = swept(one.model, family, shots=4, steps=2, along=along)
    values = attribute.values(family)
    assert errors.shape == (3, len(values))
    assert np.isfinite(errors).all()
    inside = [i for i, v in enumerate(values) if attribute.contains(family, float(v))]
    assert inside, "the trained range is among the values"
    moved = attribute.at(family, float(values[inside[0]]))
    own = evaluate(
        one.model.learner,
        one.model.meta,
        moved,
        shots=4,
        steps=2,
        tasks=measurements.SWEPT_TASKS,
        every=8,
        metric=family.metric,
    )
    np.testing.assert_allclose(errors[:, inside[0]], own.mean)


def test_a_sweep_leaves_open_where_an_unlabelled_learner_has_no_input():
    family = FAMILIES["any-phase"]
    one = candidates(shipped(), {}, family)["daml"]
    errors = swept(one.model, family, shots=4, steps=2, along="phase")
    degrees = ATTRIBUTES["phase"].values(family)
    trained = (degrees >= 0) | (degrees == -180)  # which is that of 180 degrees
    np.testing.assert_array_equal(np.isfinite(errors[0]), trained)


def test_minus_180_degrees_are_180_degrees_in_badges_and_in_the_sweep():
    phase = ATTRIBUTES["phase"]
    for family in WAVES.values():
        assert phase.contains(family, -180.0)
        assert phase.contains(family, 180.0)
    two, any_, finn = (phase.trained_among(FAMILIES[n]) for n in ("two-phase", "any-phase", "finn"))
    assert two == [(-180, -180), (0, 0), (180, 180)]
    assert any_ == [(-180, -180), (0, 180)]
    assert finn == [(-180, 0), (180, 180)]
    assert not phase.contains(FAMILIES["any-phase"], -90.0)
    assert phase.contains(FAMILIES["finn"], 270.0)


def test_the_oracle_breaks_where_waves_are_no_sines_of_frequency_one():
    family = FAMILIES["any-phase"]
    oracle = candidates(shipped(), {}, family)["oracle"].model
    errors = swept(oracle, family, shots=4, steps=1, along="frequency")[-1]
    values = ATTRIBUTES["frequency"].values(family)
    assert errors[values == 1.0] < 1e-5
    assert (errors[values != 1.0] > 0.01).all()
    shapes = swept(oracle, family, shots=4, steps=1, along="shape")[-1]
    assert shapes[0] < 1e-5 < 0.01 < shapes[1:].min()


def test_phases_are_swept_one_at_a_time_also_where_there_are_two():
    family = ATTRIBUTES["phase"].at(FAMILIES["two-phase"], 60.0)
    waves = family.sample_tasks(np.random.default_rng(0), 50)
    np.testing.assert_allclose(waves.phase, math.radians(60))


@pytest.fixture
def computed(monkeypatch) -> list[str]:
    """What is computed in the background, by the name of the function."""
    names = []
    for name in ("held_out_errors", "milliseconds", "swept"):
        real = getattr(measurements, name)

        def counted(*given, real=real, name=name):
            names.append(name)
            return real(*given)

        counted.__name__ = name
        monkeypatch.setattr(measurements, name, counted)
    return names


def test_a_request_is_answered_at_once_and_in_full_later(computed):
    shown, chosen = of_all("finn", chosen=("maml", "oracle"))
    first = measurements.request(shown, FAMILIES["finn"], chosen)
    assert (first.standings, first.sweeps) == ({}, {})
    assert first.pending == ("maml", "oracle")
    assert measurements.shared_cache().join(60)
    then = measurements.request(shown, FAMILIES["finn"], chosen)
    assert then.pending == ()
    assert then.standings.keys() == then.sweeps.keys() == {"maml", "oracle"}
    assert all(one.milliseconds > 0 for one in then.standings.values())
    assert sorted(computed) == ["held_out_errors"] * 2 + ["milliseconds"] * 2 + ["swept"] * 2


def test_only_the_number_of_points_matters_not_where_they_are(computed):
    shown, chosen = of_all("two-phase", chosen=("maml", "reptile"))
    family, cache = FAMILIES["two-phase"], measurements.shared_cache()
    measurements.request(shown, family, chosen)
    assert cache.join(60)
    computed.clear()
    moved = shown.changed(points=tuple((x + 0.3, y) for x, y in shown.points), phase=1.0)
    assert measurements.request(moved, family, chosen).pending == ()
    assert computed == []
    more = shown.changed(points=(*shown.points, (0.0, 0.0)))
    assert measurements.request(more, family, chosen).pending == ("maml", "reptile")


def test_each_takes_the_steps_that_it_was_trained_for():
    shown, chosen = of_all("finn", chosen=("maml", "reptile", "maml++", "pretrained", "oracle"))
    assert shown.own_steps
    expected = {"maml": 1, "reptile": 8, "maml++": 5, "pretrained": 8, "oracle": 8}
    assert steps_of(shown, chosen) == expected
    assert set(steps_of(shown.changed(own_steps=False, steps=3), chosen).values()) == {3}
    yardsticks = [one for one in chosen if one.name in ("pretrained", "oracle")]
    assert set(steps_of(shown, yardsticks).values()) == {shown.steps}
    assert steps_of(shown, []) == {}


def test_who_stands_after_which_step_is_said_and_all_charts_agree():
    shown, chosen = of_all("finn", chosen=("maml", "reptile", "maml++", "pretrained"))
    family = FAMILIES["finn"]
    scene = compare_scene(shown, family, compare(shown, family, chosen))
    said = "1 by MAML; 5 by MAML++; 8 by Reptile and Ordinary training"
    assert all(said in text for text in scene.details)
    assert "After 8 steps, or as many as each was trained for," in scene.captions[-1]
    assert "or as many" not in scene.captions[1]
    rows = {c.label: len(c.y) - 1 for c in scene.curves if c.name != "truth"}
    assert rows == {"MAML": 1, "Reptile": 8, "MAML++": 5, "Ordinary training": 8}
    for panel in scene.panels:
        assert {s.label: len(s.values) - 1 for s in panel.series} == rows
    measurements.request(shown, family, chosen)
    assert measurements.shared_cache().join(60)
    known = measurements.request(shown, family, chosen)
    board, sweep = scores_scene.scores_scene(shown, family, compare(shown, family, chosen), known)
    assert {s.label: len(s.mean) - 1 for s in board.scores} == rows
    assert {s.label: len(s.values) - 1 for s in sweep.series} == rows


def test_more_and_fewer_steps_than_trained_for_are_said():
    shown, chosen = of_all("finn", chosen=("maml", "reptile", "maml++"), own_steps=False)
    family = FAMILIES["finn"]
    details = compare_scene(shown, family, compare(shown, family, chosen)).details
    assert len(details) == shown.steps + 1 == 6
    assert "trained for" not in details[1]
    assert "More steps than trained for: MAML (1)." in details[2]
    assert "Fewer steps than trained for: Reptile (8)." in details[5]
    assert "MAML++" not in details[5]


def test_with_as_many_steps_for_all_nothing_is_said_of_steps():
    shown, chosen = of_all("two-phase", chosen=("maml", "maml++"))
    scene = compare_scene(
        shown, FAMILIES["two-phase"], compare(shown, FAMILIES["two-phase"], chosen)
    )
    assert set(scene.details) == {""}


def test_better_than_how_many_is_left_open_where_it_would_be_rounding():
    errors = np.array([np.linspace(0.1, 1.0, 10), np.full(10, 0.5), np.full(10, 5e-14)])
    shares = scores_scene.better(errors, np.array([0.35, 0.5, 6e-14]))
    assert shares[0] == pytest.approx(0.7)
    assert np.isnan(shares[1:]).all()
    diverged = np.array([[0.1] * 5 + [np.inf] * 15])
    assert scores_scene.better(diverged, np.array([0.05])) == [1.0]
    assert np.isnan(scores_scene.better(diverged, np.array([np.nan])))


def test_a_run_away_learner_is_said_to_diverge():
    family = FAMILIES["finn"]
    found = candidates(shipped(), {}, family)
    chosen = [found["maml"], found["pretrained"]]
    points = tuple((x, 5 * math.sin(x)) for x in (-4.0, -2.0, 0.5, 3.0))
    shown = CompareView(
        family="finn", points=points, amplitude=5.0, inner_lr=0.5, steps=20, own_steps=False
    )
    scene = compare_scene(shown, family, compare(shown, family, chosen))
    assert "diverges" in scene.captions[-1]
    for panel in scene.panels:
        assert CEILING in panel.series[0].values, "drawn at the top, and said in words"
        assert np.isfinite([s.values for s in panel.series]).all()


def test_infinite_errors_are_ranked_last_and_survive_the_way_to_the_browser():
    family = FAMILIES["finn"]
    found = candidates(shipped(), {}, family)
    chosen = [found["meta-sgd"], found["maml++"]]
    shown = CompareView.first().with_family("finn")
    lost = Standing(Evaluation(np.full((2, 20), np.inf), "mse"), 1.0)
    fine = Standing(Evaluation(np.full((6, 20), 0.5), "mse"), 1.0)
    known = Measured({"meta-sgd": lost, "maml++": fine}, {"maml++": np.full((6, 10), np.inf)})
    compared = compare(shown, family, chosen)
    board, sweep = scores_scene.scores_scene(shown, family, compared, known)
    assert [score.label for score in board.scores] == ["MAML++", "Meta-SGD"]
    assert _encode_board(board)["scores"][1]["mean"] == [None] * 2
    assert (sweep.series[0].values == CEILING).all()
    empty = scores_scene.scores_scene(shown, family, compared, Measured({}, {}))
    assert [score.missing for score in empty[0].scores] == ["measuring…"] * 2
    assert empty[1].series == []


def test_noise_is_drawn_anew_with_new_points_and_kept_otherwise():
    family = FAMILIES["any-phase"]
    noisy = CompareView.first().with_wave(noise=0.3)
    assert noisy.with_wave() == noisy
    rng = np.random.default_rng(0)
    one, two = (noisy.with_random_points(rng, family) for _ in range(2))
    residue = [np.array(v.points)[:, 1] - v.wave(np.array(v.points)[:, 0])[0] for v in (one, two)]
    assert not np.allclose(*residue)
    assert one.changed(noise=0.0).with_wave().noise == 0.0


@pytest.mark.parametrize("text", ["", "{}", '{"rows": [{}]}', "[1]"])
def test_a_table_that_cannot_be_read_is_left_out(text, tmp_path, monkeypatch):
    path = tmp_path / "table.json"
    path.write_text(text)
    monkeypatch.setattr(reproduced, "COMMITTED", path)
    assert reproduced.committed() is None
