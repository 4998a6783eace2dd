"""The families of learning to learn: what the table says of each is true of its members."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from helpers import OF_WAVES
from pages import start

from metademo.algorithms import ALGORITHMS, GradientBased, Learner
from metademo.algorithms.learner import WAYS
from metademo.recipes import configure
from metademo.ui.scenes.ways import (
    FAMILY,
    RECIPE,
    STEPS,
    Traits,
    _cannot,
    members_in_words,
    traits,
    ways_table,
)


def test_each_learner_that_has_learned_to_learn_is_in_one_column():
    columns = {way: titles.split(", ") for way, titles in members_in_words().items()}
    listed = [title for titles in columns.values() for title in titles]
    assert len(set(listed)) == len(listed)
    for kind in map(ALGORITHMS.get, OF_WAVES):
        assert kind.way in ("", *WAYS)
        assert (kind.title in listed) == bool(kind.way)
        if kind.way:
            assert kind.title in columns[kind.way]


def test_those_that_optimise_are_those_that_take_gradient_steps_in_training():
    for kind in map(ALGORITHMS.get, OF_WAVES):
        trained = configure(kind.name, FAMILY, RECIPE).learner.trained_steps
        assert (kind.way == "optimise") == (issubclass(kind, GradientBased) and trained > 0)


@pytest.mark.parametrize("name", OF_WAVES)
def test_traits_are_those_of_the_learner(name):
    learner = configure(name, FAMILY, RECIPE).learner
    found = traits(name)
    assert found.gradients == learner.gradients_per_task
    drawn = learner.init(np.random.default_rng(0))
    assert found.weights == sum(value.numel() for value in drawn.values())
    assert learner.cost(STEPS).endswith(found.cost)
    assert ("do without labels" in found.lacks) != learner.unlabelled
    if isinstance(learner, GradientBased):
        assert found.moving == sum(prod(learner.network.shapes[one]) for one in learner.moving)
        assert "gain by more steps on the same points" not in found.lacks
    else:
        assert found.moving == 0


def test_who_knows_a_band_is_not_said_to_lack_it():
    banded = {name for name in OF_WAVES if "say how sure it is" not in traits(name).lacks}
    assert banded == {"alpaca", "cnp"}


def test_what_some_lack_is_said_of_them_alone():
    def one(title: str, *lacks: str) -> Traits:
        return Traits(title, "", 0, 0, 0, lacks)

    assert _cannot([one("A", "fly"), one("B", "fly")]) == "fly"
    assert _cannot([one("A", "fly"), one("B")]) == "fly (A)"
    assert _cannot([one("A", "fly"), one("B", "fly"), one("C")]) == "fly (C can)"


def test_a_learner_is_in_no_family_until_it_says_so():
    assert Learner.way == ""


def test_how_it_works_shows_the_table():
    app = start("how")
    assert not app.exception
    shown = [text.value for text in app.markdown]
    assert ways_table() in shown
    (words,) = (text for text in shown if "Three families" in text)
    for titles in members_in_words().values():
        assert f"({titles})" in words


def test_each_row_of_the_table_has_a_cell_for_each_family():
    head, _, *lines = (line.strip("| ").split(" | ") for line in ways_table().splitlines())
    assert head == ["Family", "Optimise", "Condition", "Infer"]
    assert {len(cells) for cells in lines} == {4}
