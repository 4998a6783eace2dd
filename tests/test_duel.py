"""You against MAML: rounds that a seed decides, one score for both, and a view that survives."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metademo import checkpoints
from metademo.models import Model
from metademo.moments import duel
from metademo.moments.duel import (
    FAMILY,
    KNOTS,
    ROUNDS,
    TOP,
    DuelView,
    Result,
    results,
    rounds,
)
from metademo.tasks import Waves
from metademo.ui.scenes import duel_scene as words

SEEDS = range(1, 31)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.of(checkpoints.load(checkpoints.shipped(duel.WEIGHTS)))


# The rounds


def test_a_game_depends_on_its_seed_alone():
    before = rounds(5)
    rounds.cache_clear()
    for one, again in zip(before, rounds(5), strict=True):
        assert one.points == again.points
        np.testing.assert_array_equal(one.truth, again.truth)
    assert [one.x for one in rounds(6)] != [one.x for one in before]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_game_has_two_to_six_points_and_four_waves_of_another_kind(seed):
    game = rounds(seed)
    assert len(game) == ROUNDS == 10
    assert {len(one.x) for one in game} == {2, 3, 4, 5, 6}
    known = [one for one in game if one.title == duel.KNOWN]
    assert len(known) == 6
    for one in game:
        wave = one.wave
        assert (
            FAMILY.contains_amplitude(wave.amplitude[0])
            and FAMILY.contains_frequency(wave.frequency[0])
            and FAMILY.contains_phase(wave.phase[0])
            and wave.shape == FAMILY.shape
        ) == (one in known)
        assert np.abs(one.truth).max() <= TOP


@pytest.mark.parametrize("seed", SEEDS)
def test_the_points_lie_on_the_wave_and_can_be_told_apart(seed):
    low, high = FAMILY.x_range
    for one in rounds(seed):
        x, y = np.array(one.points).T
        np.testing.assert_allclose(y, one.wave(x)[0])
        assert x.min() >= low - 1e-3
        assert x.max() <= high + 1e-3
        assert np.diff(x).min() > 0.2


def test_both_are_scored_by_the_mean_distance_from_the_wave(model):
    one = rounds(1)[0]
    assert one.error(one.truth) == 0
    assert one.error(one.truth + 0.25) == pytest.approx(0.25)
    theirs = one.network(model)
    assert one.error(theirs) == pytest.approx(np.abs(theirs - one.wave(FAMILY.grid)[0]).mean())


def test_neither_always_wins(model):
    """Who joins the dots loses most games and wins some rounds; who knows sine waves does well."""
    won = {"joining dots": 0, "a sine of height 1": 0}
    phases = np.radians(np.arange(-180, 180, 5))
    sines = Waves(*np.ones((2, len(phases))), phases)
    for seed in SEEDS:
        for one in rounds(seed):
            x, y = np.array(one.points).T
            nearest = int(np.argmin(np.abs(sines(x) - y).mean(1)))
            tries = {
                "joining dots": np.interp(FAMILY.grid, x, y),
                "a sine of height 1": sines(FAMILY.grid)[nearest],
            }
            theirs = one.error(one.network(model))
            for name, curve in tries.items():
                won[name] += one.error(curve) < theirs
    count = len(SEEDS) * ROUNDS
    assert 0.1 < won["joining dots"] / count < 0.4
    assert 0.5 < won["a sine of height 1"] / count < 0.9


# The view

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
PAIRS = st.lists(st.tuples(st.integers(-3, KNOTS + 3), st.floats(-300, 300)), max_size=60)
VIEWS = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(-5, 2_000_000),
        "errors": st.lists(st.floats(-1, 5), max_size=12),
        "round": st.integers(-2, 14),
        "drawing": PAIRS,
        "amplitude": st.floats(-1, 4),
        "frequency": st.floats(-1, 4),
        "phase": st.floats(-400, 400),
    },
).map(lambda values: DuelView(**values))


def through_json(view: DuelView) -> DuelView:
    return DuelView.from_dict(json.loads(json.dumps(view.to_dict())))


def whole(view: DuelView) -> None:
    """What holds for every view."""
    assert through_json(view) == view
    assert hash(through_json(view)) == hash(view)
    assert len(view.errors) in (view.round - 1, view.round)
    assert 1 <= view.round <= ROUNDS
    knots = [knot for knot, _ in view.drawing]
    assert knots == sorted(set(knots))
    assert set(knots) <= set(range(KNOTS))
    assert (view.curve is None) == (not view.drawing)
    if view.curve is not None:
        assert np.abs(view.curve).max() <= TOP


@given(VIEWS)
def test_any_view_is_whole(view):
    whole(view)
    assert view.now is rounds(view.seed)[view.round - 1]


@given(ANYTHING | st.dictionaries(st.sampled_from([*DuelView.model_fields]), ANYTHING))
def test_any_json_makes_a_view(document):
    whole(DuelView.from_dict(document))


@given(VIEWS, PAIRS, st.floats(-3, 3))
def test_whatever_is_done_leads_to_a_whole_view(view, drawing, amplitude):
    for after in (
        view.drawn(drawing),
        view.with_wave(amplitude=amplitude),
        view.done(),
        view.next(),
    ):
        whole(after)
        assert after.errors[: len(view.errors)] == view.errors, "what was scored stays scored"
        if view.answered:
            assert after.drawing in (view.drawing, ())


def test_a_view_is_short_enough_for_an_address():
    full = DuelView(
        seed=duel.HIGHEST_SEED,
        errors=[0.123] * (ROUNDS - 1),
        round=ROUNDS,
        drawing=[(knot, -199) for knot in range(KNOTS)],
    )
    written = " ".join(f"{knot:g},{height:g}" for knot, height in full.drawing)
    assert len(written) < 400


def test_a_drawing_goes_straight_between_what_is_drawn_and_level_beyond():
    view = DuelView(drawing=[(10, 0), (20, 100)])
    at = {k: float(np.interp(duel.KNOTS_AT[k], FAMILY.grid, view.curve)) for k in (0, 15, 20, 40)}
    assert at == pytest.approx({0: 0, 15: 0.5, 20: 1, 40: 1}, abs=0.01)


def test_a_drawn_wave_loses_next_to_nothing_by_being_coarse():
    for one in rounds(1):
        if one.wave.shape == "sine":
            numbers = (one.wave.amplitude, one.wave.frequency, np.degrees(one.wave.phase))
            a, f, p = (float(value[0]) for value in numbers)
            assert one.error(DuelView().with_wave(amplitude=a, frequency=f, phase=p).curve) < 0.015


def test_a_game_from_the_first_round_to_the_last():
    view = DuelView(seed=9)
    for number in range(1, ROUNDS + 1):
        assert (view.round, view.answered, view.drawing) == (number, False, ())
        assert view.done() == view, "nothing is scored that was not drawn"
        assert view.next() == view, "no round is passed over"
        view = view.with_wave(phase=10.0)
        score = view.now.error(view.curve)
        view = view.done()
        assert view.answered
        assert view.errors[-1] == pytest.approx(score, abs=5e-4)
        assert view.drawn([(0, 0)]) == view == view.done(), "it is scored once"
        if number < ROUNDS:
            assert not view.over
            view = view.next()
    assert view.over
    assert view.next() == view


# In words


def result(yours: float, theirs: float, number: int = 1) -> Result:
    return Result(number, rounds(1)[number - 1], yours, theirs)


def test_who_won_is_told_by_the_digits_that_are_shown(model):
    view = DuelView().with_wave().done()
    [played] = results(view, model)
    assert (played.yours, played.number) == (view.errors[0], 1)
    assert played.theirs == round(played.theirs, 3)
    assert played.margin == pytest.approx(played.theirs - played.yours)
    assert result(0.1, 0.1).margin == 0
    assert words.tally([result(0.1, 0.2), result(0.1, 0.1), result(0.3, 0.2)]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([(0.1, 0.2)], "You have won the game, 1 to 0."),
        ([(0.2, 0.1), (0.1, 0.1)], "MAML has won the game, 1 to 0, 1 drawn."),
        ([(0.2, 0.1), (0.1, 0.2)], "The game is a draw, 1 to 1."),
    ],
)
def test_the_end_of_a_game(errors, said):
    assert words.final([result(*pair) for pair in errors]) == said


def test_the_score_in_a_line():
    assert words.score([]) == "You 0, MAML 0: no round has been played yet."
    line = words.score([result(0.1, 0.2), result(0.3, 0.3, 2)])
    assert line == "You 1, MAML 0, drawn 1. Mean error: you 0.200, MAML 0.250."


def test_the_winner_of_each_round_is_bold():
    rows = words.table([result(0.1, 0.2), result(0.3, 0.2, 2), result(0.3, 0.3, 3)]).splitlines()
    assert [row.split(" | ")[2:4] for row in rows[2:]] == [
        ["**0.100**", "0.200"],
        ["0.300", "**0.200**"],
        ["0.300", "0.300"],
    ]


def test_waves_in_words():
    assert words.in_words(Waves.one(0.5, 1.4, -0.349)) == "0.5 sin(1.4 x − 20°)"
    assert words.in_words(Waves.one()) == "sin(x)"
    assert words.in_words(Waves.one(shape="square")) == "a square wave in step with sin(x)"


def test_the_truth_is_not_sent_before_both_have_drawn(model):
    view = DuelView().with_wave()
    before = words.duel_scene(view, model, results(view, model))
    assert not before.curves
    title = view.now.title
    assert title not in "".join((*before.captions, *before.details))
    done = view.done()
    after = words.duel_scene(done, model, results(done, model))
    assert [curve.name for curve in after.curves] == ["truth", "maml"]
    assert title in after.details[0]


def test_rounds_differ_between_seeds_in_their_order():
    orders = Counter(tuple(one.title for one in rounds(seed)) for seed in SEEDS)
    assert len(orders) > 20
