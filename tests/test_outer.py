"""The outer steps that How it works shows: what their number decides, and what is said of them."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from helpers import checkpoint_of, small

from metademo import checkpoints
from metademo.analysis.backward import outer_step
from metademo.moments.outer import (
    BETAS,
    MOST,
    QUERIES,
    STARTS,
    TASKS,
    Course,
    HowView,
    step_of,
    suits,
)
from metademo.ui.scenes.outer_scene import OuterScene, outer_scene, stage_of, times_of
from metademo.ui.scenes.symbols import OUTER_SYMBOLS, Symbol, linked

STAGES = ["start", *["inner"] * 5, "query", *["back"] * 6, "directions", "moved"]
SHOWN = pytest.mark.parametrize("name", ["maml-two-phase", "maml-any-phase"])


@pytest.fixture
def any_phase():
    return checkpoints.load(checkpoints.shipped("maml-any-phase"))


def scenes(name: str, steps: int = 6) -> list[OuterScene]:
    """The first steps from either start."""
    checkpoint = checkpoints.load(checkpoints.shipped(name))
    courses = [Course.of(checkpoint, start) for start in STARTS]
    return [outer_scene(course, number) for course in courses for number in range(steps)]


def test_the_number_of_a_step_decides_it(any_phase):
    for start in STARTS:
        course, again = Course.of(any_phase, start), Course.of(any_phase, start)
        assert course == again
        step_of.cache_clear()
        later = step_of(course, 3)
        assert torch.equal(later.start, step_of(again, 2).moved)
        assert later.beta == BETAS[start]
    assert Course.of(any_phase, "untrained") != Course.of(any_phase, "meta-trained")


def test_a_course_begins_with_the_weights_or_with_fresh_ones(any_phase):
    trained, fresh = (Course.of(any_phase, start) for start in ("meta-trained", "untrained"))
    assert trained.meta is any_phase.meta
    before = [step_of(course, 0).query_losses[:, 0].mean() for course in (fresh, trained)]
    after = [step_of(course, 0).query_losses[:, -1].mean() for course in (fresh, trained)]
    assert after[1] < 0.2 < after[0]
    assert min(before) > 0.3


def test_meta_batches_are_fresh_and_both_of_two_waves_occur_at_once():
    checkpoint = checkpoints.load(checkpoints.shipped("maml-two-phase"))
    course = Course.of(checkpoint, "untrained")
    phases = [course.meta_batch(number)[0].phase for number in range(20)]
    assert set(phases[0]) == {0, np.pi}
    assert len({tuple(one) for one in phases}) > 4
    _, episode = course.meta_batch(0)
    assert episode.support.x.shape == (TASKS, 4)
    assert episode.query.x.shape == (TASKS, QUERIES)


def test_what_can_be_shown():
    assert suits(checkpoint_of(small("maml", "any-phase")))
    assert suits(checkpoint_of(small("meta-sgd", "two-phase")))
    assert not suits(checkpoint_of(small("daml", "any-phase")))
    assert not suits(checkpoint_of(small("pretrained", "any-phase")))
    assert not suits(checkpoint_of(small("maml", "finn")))
    assert not suits(checkpoint_of(small("maml", "any-phase", inner_steps=20)))


def test_the_view_counts_steps_up_to_an_end():
    assert HowView().again().outer == 1
    assert HowView(outer=MOST).again().outer == MOST
    assert HowView(start="elsewhere").start == "untrained"
    assert HowView(start="meta-trained", outer=1).in_words.endswith("weights after 1 outer step")


def test_stages():
    found = [stage_of(stage, 5) for stage in range(15)]
    assert [kind for kind, _ in found] == STAGES
    assert [k for kind, k in found if kind == "back"] == [5, 4, 3, 2, 1, 0]
    assert [k for kind, k in found if kind == "inner"] == [1, 2, 3, 4, 5]


@SHOWN
def test_every_stage_has_a_sentence_and_every_number_its_formula(name):
    for scene in scenes(name):
        assert len(scene.names) == len(scene.captions) == len(scene.details) == len(STAGES)
        assert all(caption.endswith(".") for caption in scene.captions)
        for text, facts in zip(
            [*scene.captions, *scene.details], [*scene.facts, *scene.detail_facts], strict=True
        ):
            assert all(shown in text for shown, _ in facts)
            numbers = re.findall(r"\d[\d.]*%|\d+°", text)
            told = " ".join(shown for shown, _ in facts)
            assert all(number in told for number in numbers)


@SHOWN
def test_whether_it_helped_is_said_as_it_is(name):
    said = set()
    for scene in scenes(name):
        step = scene.step
        better = step.losses_again[:, -1].mean() < step.query_losses[:, -1].mean()
        assert ("helped these waves" in scene.captions[-1]) == better
        assert ("did these very waves harm" in scene.captions[-1]) != better
        said.add(better)
    assert True in said


@SHOWN
def test_what_is_drawn_is_what_was_computed(name):
    for scene in scenes(name, steps=2):
        step = scene.step
        assert scene.walks.shape == (3, 6, 2) == scene.lambdas.shape
        np.testing.assert_array_equal(scene.walks[:, 0], 0)
        np.testing.assert_allclose(scene.lambdas[:, 0].mean(0), scene.moved, atol=1e-12)
        assert scene.moved[0] > 0
        for direction in scene.directions.values():
            assert np.hypot(*direction) <= 1 + 1e-9
        for task, walk in zip(scene.tasks, step.walks, strict=True):
            assert task.curves.shape == (7, len(task.truth))
            assert len(task.support) == 4
            np.testing.assert_allclose([x for x, _ in task.query], walk.truth.x[0])
        drawn = times_of(step) * step.beta * float(step.lambdas.norm(dim=2).max())
        longest = float(step.offsets.norm(dim=1).max())
        assert longest / 1.7 < drawn < 1.7 * longest


def test_a_step_that_has_run_away_is_known(any_phase):
    course = Course.of(any_phase, "untrained")
    episode = course.meta_batch(0)[1]
    assert step_of(course, 0).finite
    assert not outer_step(course.learner, course.meta, episode, 1e200).finite


# Symbols


def test_symbols_are_marked_each_in_a_colour_of_its_own():
    text = r"$\theta_0$ and $\nabla_{\theta_0} L(\theta_{0k})$; $g$ (not $g_\psi$, log, $\log g$)"
    marked = linked(text, [Symbol(r"\theta_0", "a", "A"), Symbol("g", "b", "B", letter=True)], 1)
    assert marked.count(r"{\textcolor{#747575}{\theta_0}}") == 2
    assert marked.count(r"{\textcolor{#747576}{g}}") == 2
    assert r"\theta_{0k}" in marked
    assert r"g_\psi" in marked


def test_no_two_symbols_share_a_colour():
    colours = set()
    for number in (1, 2, 3):
        text = " ".join(symbol.tex for symbol in OUTER_SYMBOLS)
        colours |= set(re.findall(r"#\w{6}", linked(text, OUTER_SYMBOLS, number)))
    assert len(colours) == 3 * len(OUTER_SYMBOLS)
