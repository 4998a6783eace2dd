"""Contracts that every learner of the registries keeps, on every family that it suits."""

import datetime
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import PAIRS, assert_near, assert_same, draw, generic_meta, one_of, small

from metademo import figures
from metademo.algorithms import ALGORITHMS, YARDSTICKS, Learner
from metademo.algorithms.learner import MAX_INNER_STEPS
from metademo.algorithms.papers import ARTICLE, in_markdown, in_text
from metademo.described import ConfigError
from metademo.evaluation import evaluate, run_learner
from metademo.settings import TrainConfig
from metademo.tasks import FAMILIES, Examples, wave_families

LEARNERS = ALGORITHMS | YARDSTICKS
every_pair = pytest.mark.parametrize(("algorithm", "family"), PAIRS)
every_learner = pytest.mark.parametrize(
    ("name", "family"),
    [(n, f) for n, kind in LEARNERS.items() for f in FAMILIES if not kind.unsuited(FAMILIES[f])],
)


def _places(family, tasks=1):
    """Nine inputs of a family's kind, and nine others for each further task."""
    if family in wave_families():
        return np.stack([np.linspace(-2, 2, 9) + task % 2 for task in range(tasks)])
    x = FAMILIES[family].sample_held_out(np.random.default_rng(4), 2, shots=1).query.x[:, :9]
    return np.stack([x[task % 2] for task in range(tasks)])


def _learner(name, family):
    """A small learner, with meta-parameters (float64) at no special place."""
    if name in ALGORITHMS:
        config = small(name, family)
        return config.learner, generic_meta(config)
    like = small("maml", family)
    learner = YARDSTICKS[name].configured(like.learner, like.task_family.kind)
    return learner, {n: v.double() for n, v in learner.init(np.random.default_rng(0)).items()}


def _support(learner, family, tasks=3):
    sources = 5 if learner.unlabelled else 0
    rng = np.random.default_rng(0)
    return FAMILIES[family].sample_held_out(rng, tasks, shots=4, sources=sources).support


# The registry


@pytest.mark.parametrize("name", LEARNERS)
def test_a_row_has_a_name_words_for_people_and_a_look(name):
    row = LEARNERS[name]
    assert issubclass(row, Learner)
    assert row.name == name
    assert row.title
    assert row.summary
    assert len(row.about.split()) >= 20
    assert row.formula.count("{") == row.formula.count("}")
    assert name in figures.STYLES
    own = [text for text in ("title", "summary", "about", "formula") if text in vars(row)]
    assert len(own) == 4, "words of its own, not those of the class it is made from"


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_row_says_where_it_was_published_with_an_address(name):
    papers = ALGORITHMS[name].papers
    assert papers
    for paper in papers:
        assert paper.title
        assert 1980 <= paper.year <= datetime.date.today().year
        if paper is not ARTICLE:
            assert paper.authors
            assert re.fullmatch(r"https://[\w./-]+", paper.url)
            assert paper.markdown.count(f"[*{paper.title}*]({paper.url})") == 1
        assert in_markdown(papers).count(paper.title) == in_text(papers).count(paper.title) == 1
    assert "*" not in in_text(papers)
    assert not any(yardstick.papers for yardstick in YARDSTICKS.values())


def test_the_readme_links_to_every_paper_once():
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    for paper in {replace(p, place="") for row in ALGORITHMS.values() for p in row.papers}:
        assert text.count(paper.markdown) == 1


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_one_rule_says_what_can_be_trained_on_what(name, family):
    reason = ALGORITHMS[name].unsuited(FAMILIES[family])
    settings = dict(algorithm=name, family=family, loss=FAMILIES[family].kind.default_loss)
    if not reason:
        assert TrainConfig(**settings).learner.name == name
        return
    assert reason.startswith(name)
    with pytest.raises(ConfigError, match=re.escape(reason)):
        TrainConfig(**settings)


def test_every_algorithm_suits_some_family_and_daml_those_with_a_source_domain():
    assert {name for name, _ in PAIRS} == set(ALGORITHMS)
    suited = {family for name, family in PAIRS if name == "daml"}
    assert suited == {name for name, family in wave_families().items() if family.bands}


@every_pair
def test_a_learner_is_configured_with_the_settings_that_it_has(algorithm, family):
    config = small(algorithm, family, inner_steps=3, hidden=7)
    learner = config.learner
    assert learner.kind is config.task_family.kind
    settings = {name: value for name, value in vars(learner).items() if name != "kind"}
    assert settings.items() <= config.to_dict().items()
    assert type(learner).configured(learner, learner.kind) == learner


# Meta-parameters


@every_pair
def test_fresh_meta_parameters_have_the_announced_shapes(algorithm, family):
    learner = small(algorithm, family).learner
    meta = learner.init(np.random.default_rng(0))
    assert {name: tuple(value.shape) for name, value in meta.items()} == learner.shapes
    assert list(meta) == list(learner.shapes)
    assert all(value.dtype == torch.float32 for value in meta.values())


@every_pair
def test_fresh_meta_parameters_depend_on_the_generator_alone(algorithm, family):
    learner = small(algorithm, family).learner
    first, again, other = (learner.init(np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert_same(first, again)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@every_pair
def test_what_training_costs_is_known_before_it(algorithm, family):
    learner = small(algorithm, family).learner
    assert isinstance(learner.gradients_per_task, int)
    assert learner.gradients_per_task > 0
    assert 0 <= learner.trained_steps <= MAX_INNER_STEPS


# From a support set to predictions


@every_learner
@pytest.mark.parametrize("steps", [0, 1, 4, 9])
def test_run_shows_the_whole_way(name, family, steps):
    learner, meta = _learner(name, family)
    found = learner.run(meta, _support(learner, family), _places(family)[0], steps=steps)
    assert found.outputs.shape[:3] == (steps + 1, 3, 9)
    assert found.losses.shape == (steps + 1, 3)
    assert np.isfinite(found.outputs).all()
    assert np.isfinite(found.losses).all()
    if found.std is not None:
        assert found.std.shape == found.outputs.shape
        assert (found.std >= 0).all()
    assert learner.cost(steps)


@every_learner
def test_run_goes_some_way_by_itself_and_leaves_no_trace(name, family):
    learner, meta = _learner(name, family)
    before = {key: value.clone() for key, value in meta.items()}
    one, again = (
        learner.run(meta, _support(learner, family), _places(family)[0]) for _ in range(2)
    )
    assert len(one.outputs) > 1
    assert not np.array_equal(one.outputs[-1], one.outputs[0])
    np.testing.assert_array_equal(one.outputs, again.outputs)
    assert_same(meta, before)


@every_learner
def test_more_steps_go_on_where_fewer_ended(name, family):
    learner, meta = _learner(name, family)
    support, x = _support(learner, family), _places(family)[0]
    few, many = (learner.run(meta, support, x, steps=steps) for steps in (3, 5))
    np.testing.assert_allclose(few.outputs, many.outputs[:4], rtol=0, atol=1e-12)


@every_learner
def test_tasks_side_by_side_are_as_each_alone(name, family):
    learner, meta = _learner(name, family)
    support, x = _support(learner, family), _places(family)[0]
    together = learner.run(meta, support, x, steps=5)
    for task in range(3):
        alone = learner.run(meta, one_of(support, task), x, steps=5)
        np.testing.assert_allclose(together.outputs[:, task], alone.outputs[:, 0], atol=1e-12)
        np.testing.assert_allclose(together.losses[:, task], alone.losses[:, 0], atol=1e-12)


@every_learner
def test_inputs_may_be_shared_or_each_tasks_own(name, family):
    learner, meta = _learner(name, family)
    support, x = _support(learner, family), _places(family)[0]
    shared = learner.run(meta, support, x, steps=2).outputs
    own = learner.run(meta, support, _places(family, 3), steps=2).outputs
    np.testing.assert_allclose(own[:, [0, 2]], shared[:, [0, 2]], atol=1e-12)
    assert not np.allclose(own[:, 1], shared[:, 1])


@every_learner
def test_the_order_of_labelled_points_makes_no_difference_in_the_end(name, family):
    learner, meta = _learner(name, family)
    if learner.unlabelled:
        return  # they see one input at each step
    support, x = _support(learner, family), _places(family)[0]
    turned = support.map(lambda values: values[:, ::-1].copy())
    ends = [learner.run(meta, s, x, steps=5).outputs[-1] for s in (support, turned)]
    np.testing.assert_allclose(*ends, atol=1e-6)


@every_learner
@pytest.mark.parametrize("steps", [-1, MAX_INNER_STEPS + 1, 10**30])
def test_an_impossible_number_of_steps_is_rejected(name, family, steps):
    learner, meta = _learner(name, family)
    fault = f"inner steps must be 0 to {MAX_INNER_STEPS}, not {steps}"
    with pytest.raises(ValueError, match=fault):
        learner.run(meta, _support(learner, family), _places(family)[0], steps=steps)


LABELLED = [
    name
    for name, kind in LEARNERS.items()
    if not kind.unlabelled and not kind.unsuited(FAMILIES["two-phase"])
]
UNUSABLE = {
    "no axis of tasks": (Examples(np.ones(4), np.ones(4)), r"\(tasks, points\), not \(4,\)"),
    "an axis too many": (Examples(np.ones((1, 4, 1)), np.ones((1, 4, 1))), r"not \(1, 4, 1\)"),
    "a single number": (Examples(np.float64(1), np.float64(1)), r"not \(\)"),
    "no labels": (Examples(np.ones((1, 4))), "needs labels: the support set has no y"),
    "a label too few": (Examples(np.ones((2, 4)), np.ones((2, 3))), r"\(2, 4\).*not \(2, 3\)"),
    "labels of one task": (Examples(np.ones((2, 4)), np.ones((1, 4))), r"\(2, 4\).*not \(1, 4\)"),
    "a label for all": (Examples(np.ones((2, 4)), np.float64(1)), r"\(2, 4\).*not \(\)"),
}


@pytest.mark.parametrize(("support", "fault"), UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("warm", [False, True], ids=["reference", "compiled"])
def test_an_unusable_support_set_is_rejected_by_either_engine(
    name, support, fault, warm, monkeypatch
):
    learner = LEARNERS[name].configured(small("maml"), FAMILIES["two-phase"].kind)
    meta = learner.init(np.random.default_rng(0))
    monkeypatch.setattr("metademo.engines.is_warm", lambda: warm)
    with pytest.raises(ValueError, match=fault):
        run_learner(learner, meta, support, np.linspace(-2, 2, 9))
    with pytest.raises(ValueError, match=fault):
        learner.run(meta, support, np.linspace(-2, 2, 9))


@every_learner
def test_it_is_measured_on_the_families_own_terms(name, family):
    learner, meta = _learner(name, family)
    result = evaluate(learner, meta, FAMILIES[family], steps=3, tasks=5, every=20)
    assert result.errors.shape == (4, 5)
    assert result.metric == FAMILIES[family].metric


# The outer loss and what the outer loop descends


@every_pair
def test_the_outer_loss_is_one_for_each_task(algorithm, family):
    config = small(algorithm, family)
    leaves = {name: value.requires_grad_() for name, value in generic_meta(config).items()}
    loss = config.learner.outer_loss(leaves, draw(config, 3))
    assert loss.shape == (3,)
    assert torch.isfinite(loss).all()


@every_pair
def test_meta_gradient_of_a_meta_batch_is_the_mean_of_those_of_its_tasks(algorithm, family):
    config = small(algorithm, family)
    meta, episode = generic_meta(config), draw(config, 3)
    together, loss = config.learner.meta_gradient(meta, episode)
    alone = [
        config.learner.meta_gradient(meta, type(episode)(*(one_of(e, task) for e in episode)))
        for task in range(3)
    ]
    mean = {name: sum(grads[name] for grads, _ in alone) / 3 for name in meta}
    largest = max(1.0, *(value.abs().max().item() for value in mean.values()))
    assert_near(together, mean, 1e-14 * largest)
    assert loss.item() == pytest.approx(np.mean([value.item() for _, value in alone]))


@every_pair
def test_meta_gradient_leaves_the_meta_parameters_alone(algorithm, family):
    config = small(algorithm, family)
    meta = generic_meta(config)
    before = {name: value.clone() for name, value in meta.items()}
    gradient, loss = config.learner.meta_gradient(meta, draw(config, 2))
    assert_same(meta, before)
    assert loss.shape == ()
    assert {n: g.shape for n, g in gradient.items()} == {n: v.shape for n, v in meta.items()}
    assert not loss.requires_grad
