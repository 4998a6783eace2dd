"""Numbers and settings in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from helpers import GRADIENT_BASED

from metademo.algorithms.maml import MAML
from metademo.recipes import configure
from metademo.tasks import FAMILIES
from metademo.ui.scenes import sentences
from metademo.ui.scenes.sentences import number, wave_name


@pytest.mark.parametrize(
    ("degrees", "amplitude", "name"),
    [
        (0, 1, "sin(x)"),
        (180, 1, "sin(x + π)"),
        (-180, 1, "sin(x + π)"),
        (360, 1, "sin(x)"),
        (57.3, 1, "sin(x + 57°)"),
        (-57, 1, "sin(x − 57°)"),
        (-270, 2.5, "2.5 sin(x + 90°)"),
    ],
)
def test_waves_have_names(degrees, amplitude, name):
    assert wave_name(math.radians(degrees), amplitude) == name


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "less than 0.01"),
        (0.0049, "less than 0.01"),
        (0.07, "0.07"),
        (12.345, "12.35"),
        (1234.5, "1,234"),
        (1e7, "more than a million"),
        (math.inf, "more than a million"),
        (math.nan, "more than a million"),
    ],
)
def test_numbers_in_words(value, words):
    assert number(value) == words


@pytest.mark.parametrize("name", GRADIENT_BASED)
@pytest.mark.parametrize("loss", sentences.LOSSES)
def test_every_way_of_learning_says_which_losses_it_uses(name, loss):
    learner = configure(name, "two-phase", loss=loss).learner
    text = sentences.losses_in_words(learner)
    assert f"by {sentences.LOSSES[loss]} at" in text
    assert ("learned loss" in text) == learner.unlabelled
    assert ("without any step" in text) == (learner.trained_steps == 0)


@dataclass(frozen=True)
class Mixed(MAML):
    """Squared error in the inner loop, |error| in the outer one."""

    support_loss: str | None = "mse"


def test_an_inner_loss_of_its_own_is_named_beside_the_outer_one():
    text = sentences.losses_in_words(Mixed(loss="l1", inner_steps=5))
    assert text == (
        "Each inner step descends the mean squared error on the points. In training the network "
        "was judged after 5 steps, by the mean |error| at further points of the wave."
    )


@pytest.mark.parametrize(
    ("family", "words"),
    [
        ("two-phase", "two sine waves, sin(x) and sin(x + π)"),
        ("any-phase", "sine waves sin(x + b) with b anywhere from 0° to 180°"),
        ("finn", "sine waves A sin(x + b) with A from 0.1 to 5 and b anywhere from −180° to 0°"),
    ],
)
def test_the_promise_names_the_waves_of_the_weights(family, words):
    assert sentences.family_in_words(FAMILIES[family]) == words
    recipe = "finn" if family == "finn" else "fast"
    assert words in sentences.promise(configure("maml", family, recipe))
