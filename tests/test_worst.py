"""The worst points: found again by the same seed, far worse than random ones, and explained."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metademo import checkpoints
from metademo.algorithms import YARDSTICKS
from metademo.analysis import worst as analysis
from metademo.analysis.worst import (
    APART,
    POINTS,
    Reason,
    Trial,
    Worst,
    reasons,
    rival,
    worst_points,
)
from metademo.models import Model
from metademo.moments.drawn import draw_points
from metademo.moments.views import MamlView
from metademo.tasks import FAMILIES, PI, Waves
from metademo.ui.scenes import worst_words

FOURS = 2_000
ANY, TWO = FAMILIES["any-phase"], FAMILIES["two-phase"]


def trial_of(name: str, phase: float, steps: int = 5, **wave: float) -> Trial:
    checkpoint = checkpoints.load(checkpoints.shipped(name))
    family = checkpoint.config.task_family
    return Trial(Model.of(checkpoint), family, Waves.one(phase=phase, **wave), steps)


TRIALS = {
    "any phase": ("maml-any-phase", PI / 4),
    "any phase, at its edge": ("maml-any-phase", 0.0),
    "two waves": ("maml-two-phase", PI),
    "a wave that it was not trained on": ("maml-two-phase", 1.0),
}


@pytest.fixture(scope="module", params=TRIALS.values(), ids=TRIALS)
def searched(request) -> tuple[Trial, Worst]:
    trial = trial_of(*request.param)
    return trial, worst_points(trial)


def test_no_random_four_in_a_hundred_is_as_bad(searched):
    """On draws that the search has not seen, measured on the whole grid."""
    trial, worst = searched
    fresh = analysis.random_points(np.random.default_rng(99), FOURS, trial.family, POINTS)
    errors = trial.errors(fresh)
    assert worst.error > np.percentile(errors, 99)
    assert worst.error > worst.errors.max(), "and it is worse than what it began with"
    assert worst.median == pytest.approx(np.median(errors), rel=0.2)


def test_the_error_is_that_of_the_page(searched):
    trial, worst = searched
    points = tuple((float(x), 0.0) for x in worst.x)
    view = MamlView(points=points, phase=float(trial.wave.phase[0]), snap=True).with_wave()
    drawn = draw_points(view, trial.family, trial.model)
    truth = view.wave(trial.family.grid)[0]
    assert drawn.errors(truth)[-1] == pytest.approx(worst.error, rel=1e-3)


def test_a_search_depends_on_its_seed_alone():
    trial = trial_of("maml-any-phase", 1.0)
    first, again, other = (worst_points(trial, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.x, again.x)
    assert first.error == again.error
    assert (first.x != other.x).any()


def test_points_can_be_told_apart_and_lie_on_the_chart(searched):
    trial, worst = searched
    low, high = trial.family.x_range
    for x in (worst.x[None], worst.random):
        assert x.min() >= low - 1e-9
        assert x.max() <= high + 1e-9
        assert np.diff(x, axis=1).min() >= APART * (high - low) - 1e-9


@given(st.lists(st.floats(-50, 50), min_size=4, max_size=4))
def test_any_points_are_moved_apart_and_those_that_are_stay(xs):
    low, high = ANY.x_range
    [moved] = analysis.apart(np.array([xs]), ANY)
    assert low - 1e-9 <= moved[0]
    assert moved[-1] <= high + 1e-9
    assert np.diff(moved).min() >= APART * (high - low) - 1e-9
    np.testing.assert_allclose(analysis.apart(moved[None], ANY)[0], moved, atol=1e-9)


def test_other_numbers_of_points_can_be_looked_for():
    trial = trial_of("maml-any-phase", 1.0)
    assert worst_points(trial, count=2).x.shape == (2,)


def test_a_learner_without_labels_is_refused():
    with pytest.raises(ValueError, match="daml learns from no labelled points"):
        worst_points(trial_of("daml-any-phase", 1.0))


def test_what_runs_away_is_infinitely_bad():
    trial = dataclasses.replace(trial_of("maml-any-phase", 1.0, steps=20), inner_lr=1.0)
    with np.errstate(all="raise"):
        worst = worst_points(trial)
    assert worst.error > 1e6
    assert "it has run away" in worst_words.found(trial, worst)


# Why


def test_points_near_zero_crossings_do_not_tell_two_opposite_waves_apart():
    trial = trial_of("maml-two-phase", 0.0)
    worst = worst_points(trial)
    found = {reason.trait: reason for reason in reasons(trial, worst)}
    assert {"near zero", "rival"} <= found.keys()
    assert found["near zero"].value < 0.25 < found["near zero"].usual
    assert rival(trial, worst.x).phase == PI
    assert "sin(x + π)" in worst_words.why(trial, worst, list(found.values()))


def test_points_of_one_phase_leave_another_wave_possible():
    trial = trial_of("maml-any-phase", PI / 4)
    worst = worst_points(trial)
    found = {reason.trait: reason for reason in reasons(trial, worst)}
    assert {"one phase", "rival"} <= found.keys()
    # Where the wave is at 45° so is the one at 135°.
    assert math.degrees(rival(trial, worst.x).phase[0]) == pytest.approx(135, abs=20)


def test_every_reason_is_borne_out_by_random_fours(searched):
    trial, worst = searched
    for reason in reasons(trial, worst):
        [trait] = [trait for trait in analysis.TRAITS if trait.name == reason.trait]
        values = trait.measure(trial, worst.random)
        assert (values > reason.value).mean() >= 0.9
        assert reason.usual == np.median(values)
        having = worst.errors[values <= np.sort(values)[len(values) // 10]]
        assert reason.with_it == np.median(having) >= 1.25 * np.median(worst.errors)


def test_no_reason_is_made_up():
    trial = trial_of("maml-any-phase", 1.0)
    worst = worst_points(trial)
    dull = dataclasses.replace(worst, x=worst.random[np.argmin(worst.errors)])
    assert reasons(trial, dull) == []
    assert "What was compared does not say" in worst_words.why(trial, dull, [])


def test_traits_of_points_that_can_be_counted_by_hand():
    trial = trial_of("maml-any-phase", 0.0)
    x = np.array([[-PI, 0.0, PI, 2 * PI], [0.0, PI / 4, PI / 2, 3 * PI / 4]])
    np.testing.assert_allclose(analysis.one_phase(trial, x), [0, 3 * PI / 4], atol=1e-9)
    np.testing.assert_allclose(analysis.near_zero(trial, x), [0, math.sqrt(0.5)], atol=1e-9)
    np.testing.assert_allclose(analysis.covered(trial, x), [0.75, 0.5], atol=1e-9)
    # sin(x + 90°) is another wave, and passes the zero crossings of sin(x) at a distance of 1.
    assert analysis.rivalled(trial, x)[0] == pytest.approx(0, abs=1e-9)
    assert rival(trial, x[0]).phase == pytest.approx(PI)


def test_a_family_without_another_wave_has_no_rival():
    one = dataclasses.replace(TWO, phases=(0.0, 0.0))
    trial = dataclasses.replace(trial_of("maml-two-phase", 0.0), family=one)
    worst = worst_points(trial)
    assert rival(trial, worst.x) is None
    assert "rival" not in {reason.trait for reason in reasons(trial, worst)}


def test_every_trait_has_its_words():
    trial = trial_of("maml-any-phase", 1.0)
    worst = worst_points(trial)
    assert worst_words.SAY.keys() == {trait.name for trait in analysis.TRAITS}
    for name, say in worst_words.SAY.items():
        assert say(Reason(name, 0.1, 0.2, 0.3, 0.1), trial, worst.x).endswith(".")


def test_least_squares_can_be_tried_too():
    """It needs no gradient steps; whatever it can't tell is not a matter of training."""
    like = trial_of("maml-any-phase", 1.0)
    kind = YARDSTICKS["oracle"]
    learner = kind.configured(like.model.learner, like.family.kind)
    trial = dataclasses.replace(like, model=Model(learner, {}))
    x = analysis.random_points(np.random.default_rng(0), 50, ANY, POINTS)
    assert trial.errors(x).max() < 1e-6


def test_a_beaten_search_says_so():
    worst = Worst(np.arange(4.0), 0.5, np.zeros((1, 4)), np.array([0.1]))
    assert "beats the search" in worst_words.attempt(worst, 0.6)
    assert "not beaten" in worst_words.attempt(worst, 0.5)
    assert "Can you find worse" in worst_words.attempt(worst, None)
