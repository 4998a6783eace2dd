"""Learners that condition on points: what they have seen is all that counts, in any order."""

import numpy as np
import pytest
import torch
from helpers import draw, generic_meta, small

from metademo.algorithms import ALGORITHMS, Conditioned
from metademo.algorithms.learner import MAX_INNER_STEPS, part
from metademo.evaluation import Z90, evaluate
from metademo.tasks import FAMILIES, Examples

NAMES = [name for name, kind in ALGORITHMS.items() if issubclass(kind, Conditioned)]
every_name = pytest.mark.parametrize("name", NAMES)
X = np.linspace(-5, 5, 21)


def _ready(name, points=6, **changes):
    """A learner with meta-parameters at no special place, and the points of three tasks."""
    config = small(name, "finn", hidden=8, **changes)
    rng = np.random.default_rng(1)
    support = config.task_family.sample_held_out(rng, 3, shots=points).support
    return config.learner, generic_meta(config), support


@every_name
def test_the_order_of_the_points_changes_nothing(name):
    learner, meta, support = _ready(name)
    turned = support.map(lambda values: values[:, [3, 0, 5, 1, 4, 2]])
    one, other = (learner.run(meta, points, X) for points in (support, turned))
    np.testing.assert_allclose(one.outputs[-1], other.outputs[-1], rtol=0, atol=1e-6)
    if one.std is not None:
        np.testing.assert_allclose(one.std[-1], other.std[-1], rtol=0, atol=1e-6)


@every_name
def test_stages_of_one_call_are_those_of_separate_calls(name):
    learner, meta, support = _ready(name)
    whole = learner.run(meta, support, X)
    assert len(whole.outputs) == 7
    for seen in range(7):
        first = support.map(lambda values, seen=seen: values[:, :seen])
        alone = learner.run(meta, first, X)
        assert len(alone.outputs) == seen + 1
        np.testing.assert_allclose(whole.outputs[seen], alone.outputs[-1], rtol=0, atol=1e-10)
        if whole.std is not None:
            np.testing.assert_allclose(whole.std[seen], alone.std[-1], rtol=0, atol=1e-10)


@every_name
def test_the_last_stage_alone_is_that_of_all(name):
    learner, meta, support = _ready(name)
    whole, (mean, std) = learner.run(meta, support, X), learner.read(meta, support, X)
    np.testing.assert_allclose(mean, whole.outputs[-1], rtol=0, atol=1e-10)
    assert (std is None) == (whole.std is None) == (not learner.bands)
    if std is not None:
        np.testing.assert_allclose(std, whole.std[-1], rtol=0, atol=1e-10)


@every_name
def test_more_steps_than_points_stay_where_the_last_point_led(name):
    learner, meta, support = _ready(name, points=3)
    found = learner.run(meta, support, X, steps=6)
    for values in (found.outputs, found.losses, found.std):
        if values is not None:
            assert len(values) == 7
            for later in (4, 5, 6):
                np.testing.assert_array_equal(values[later], values[3])
    assert not np.array_equal(found.outputs[2], found.outputs[3])


@every_name
def test_very_many_points_are_seen_as_far_as_steps_go(name):
    learner, meta, support = _ready(name, points=MAX_INNER_STEPS + 20)
    found = learner.run(meta, support, X)
    assert len(found.outputs) == MAX_INNER_STEPS + 1
    assert np.isfinite(found.outputs).all()


@every_name
def test_points_in_one_place_do_no_harm(name):
    learner, meta, _ = _ready(name)
    single = {key: value.float() for key, value in meta.items()}
    support = Examples(np.full((1, 8), 1.5), np.array([[1.0, -1.0] * 4]))
    assert np.isfinite(learner.run(single, support, X).outputs).all()


@every_name
def test_training_shows_each_number_of_points_as_often(name):
    config = small(name, "finn", shots=4, fewest_shots=1)
    support, query = draw(config, 4000).map(torch.from_numpy)
    seen = config.learner._shown(support, query)
    assert (seen[:, :-1] >= seen[:, 1:]).all(), "the first points"
    counts = seen.sum(1).unique(return_counts=True)
    assert counts[0].tolist() == [1, 2, 3, 4]
    assert (counts[1] > 900).all()
    assert small(name, "finn").learner._shown(support, query).all()


@every_name
def test_a_task_of_another_kind_does_not_suit_it(name):
    class Other:
        name, kind = "other", None

    assert ALGORITHMS[name].unsuited(Other()).startswith(name)


# ALPaCA


def _alpaca(**changes):
    learner, meta, support = _ready("alpaca")
    meta |= {name: torch.tensor(value).double() for name, value in changes.items()}
    tensors = support.map(torch.from_numpy)
    seen = torch.ones_like(tensors.x)
    return learner, meta, tensors, learner.posterior(meta, tensors, seen, torch.from_numpy(X))


def _weights_prior(learner, meta, support):
    """Features, prior mean and covariance, and the variance of labels, for a task each."""
    factor = meta["prior.factor"].tril()
    noise = meta["log_noise"].exp() + 1e-5
    features = learner.features(meta, support.x)
    return features, meta["prior.mean"], factor @ factor.T, noise


def test_its_posterior_is_that_of_the_weights():
    """By Bayes' rule in the weights: Lambda = P^-1 + F^T F / s^2 (Bishop 2006, eq. 3.50 f.)."""
    learner, meta, support, (mean, variance) = _alpaca()
    features, m, covariance, noise = _weights_prior(learner, meta, support)
    asked = learner.features(meta, torch.from_numpy(X))
    for task in range(3):
        known, y = features[task], support.labels[task]
        inverse = torch.linalg.inv(covariance)
        posterior = torch.linalg.inv(inverse + known.T @ known / noise)
        weights = posterior @ (inverse @ m + known.T @ y / noise)
        torch.testing.assert_close(mean[task], asked @ weights, rtol=1e-6, atol=1e-6)
        expected = ((asked @ posterior) * asked).sum(-1)
        torch.testing.assert_close(variance[task], expected, rtol=1e-6, atol=1e-6)


def test_with_a_wide_prior_it_is_ridge_regression_on_its_features():
    learner, meta, support, _ = _alpaca(log_noise=-1.0)
    features = learner.features(meta, support.x)
    count = features.shape[-1]
    meta |= {"prior.mean": torch.zeros(count), "prior.factor": 20 * torch.eye(count).double()}
    meta = {name: value.double() for name, value in meta.items()}
    x = torch.from_numpy(X)
    mean, _ = learner.posterior(meta, support, torch.ones_like(support.x), x)
    ridge = (meta["log_noise"].exp() + 1e-5) / 400
    for task in range(3):
        known, y = features[task], support.labels[task]
        weights = torch.linalg.solve(known.T @ known + ridge * torch.eye(count), known.T @ y)
        torch.testing.assert_close(mean[task], learner.features(meta, x) @ weights)


def test_its_band_narrows_with_each_point_and_is_the_prior_before_the_first():
    learner, meta, support = _ready("alpaca")
    found = learner.run(meta, support, X)
    assert (np.diff(found.std, axis=0) <= 1e-12).all()
    factor, asked = meta["prior.factor"].tril(), learner.features(meta, torch.from_numpy(X))
    prior = (asked @ factor).square().sum(-1) + meta["log_misfit"].exp() + 1e-5
    np.testing.assert_allclose(found.std[0, 0], prior.sqrt().numpy())
    np.testing.assert_allclose(found.outputs[0, 0], (asked @ meta["prior.mean"]).numpy())


# CNP


def test_a_cnp_predicts_from_the_mean_of_its_codes_and_their_number():
    """By hand, from the equation: g(x, 1 / (1 + n), mean of h)."""
    learner, meta, support = _ready("cnp")
    tensors, task, n = support.map(torch.from_numpy), 1, 3
    seen = (torch.arange(6) < n).double().expand(3, 6)
    mean, std = learner.predict(meta, tensors, seen, torch.from_numpy(X))

    def network(name, inputs):
        for layer in (0, 2, 4):
            weight, bias = (meta[f"{name}.{layer}.{kind}"] for kind in ("weight", "bias"))
            inputs = weight @ inputs + bias
            inputs = torch.nn.functional.gelu(inputs) if layer < 4 else inputs
        return inputs

    points = torch.stack([tensors.x[task, :n] / np.pi, tensors.labels[task, :n] / 2], dim=-1)
    code = torch.stack([network("encoder", point) for point in points]).mean(0)
    for place in (0, 7):
        asked = torch.tensor([X[place] / np.pi, 1 / (1 + n)]).double()
        centre, spread = network("decoder", torch.cat([asked, code]))
        torch.testing.assert_close(mean[task, place], 2 * centre)
        expected = 2 * torch.nn.functional.softplus(spread) + 1e-3
        torch.testing.assert_close(std[task, place], expected)


# The transformer


def test_attention_is_shared_out_among_the_points_that_are_seen():
    learner, meta, support = _ready("in-context")
    tensors = support.map(torch.from_numpy)
    seen = torch.ones_like(tensors.x)
    seen[:, 4:] = 0
    shares = learner.attention(meta, tensors, seen, torch.from_numpy(X))
    assert shares.shape == (2, 3, 4, len(X), 7)
    torch.testing.assert_close(shares.sum(-1), torch.ones(shares.shape[:-1]).double())
    assert not shares[..., 5:].any()
    assert (shares[..., :5] > 0).all()


def test_places_do_not_see_each_other():
    learner, meta, support = _ready("in-context")
    whole = learner.run(meta, support, X).outputs
    alone = learner.run(meta, support, X[7:8]).outputs
    np.testing.assert_allclose(whole[..., 7:8], alone, rtol=0, atol=1e-12)


def test_a_head_looks_where_its_queries_and_keys_agree():
    """By hand, from the equation: softmax(Q K^T / sqrt(size))."""
    learner, meta, support = _ready("in-context")
    tensors, seen = support.map(torch.from_numpy), torch.ones(3, 6).double()
    shares = learner.attention(meta, tensors, seen, torch.from_numpy(X))[0]
    norm, size = torch.nn.functional.layer_norm, 2
    block = part(meta, "blocks.0")
    tokens = learner._tokens(meta, tensors, seen, torch.from_numpy(X))
    normed = norm(tokens, (8,), block["norm1.scale"], block["norm1.shift"])
    place, head, task = 7, 1, 2
    rows = slice(head * size, (head + 1) * size)
    asked = (block["queries.weight"] @ normed[task, 6 + place] + block["queries.bias"])[rows]
    sources = torch.cat([block["null"][None], normed[task, :6]])
    keys = (sources @ block["keys.weight"].T + block["keys.bias"])[:, rows]
    expected = (keys @ asked / np.sqrt(size)).softmax(0)
    torch.testing.assert_close(shares[task, head, place], expected)


# How sure they are


def test_the_band_and_the_likelihood_are_measured_where_there_is_one():
    config = small("cnp", "finn-noisy")
    meta, family = generic_meta(config), config.task_family
    result = evaluate(config.learner, meta, family, shots=3, steps=3, tasks=7, every=10)
    rng = np.random.default_rng([0, 2])
    support, query = family.sample_held_out(rng, 7, shots=3, every=10)
    found = config.learner.run(meta, support, query.x)
    inside = np.abs(found.outputs - query.y) <= Z90 * found.std
    np.testing.assert_allclose(result.coverage, inside.mean((1, 2)))
    normal = torch.distributions.Normal(*map(torch.from_numpy, (found.outputs, found.std)))
    density = normal.log_prob(torch.from_numpy(query.y)).numpy()
    np.testing.assert_allclose(result.log_likelihood, density.mean((1, 2)))
    none = evaluate(*_untrained("in-context"), family, tasks=3)
    assert none.coverage is none.log_likelihood is None


def _untrained(name):
    config = small(name, "finn-noisy")
    return config.learner, generic_meta(config)


def test_the_noisy_family_is_the_benchmark_with_noise_and_without_it_where_it_is_judged():
    noisy, plain = FAMILIES["finn-noisy"], FAMILIES["finn"]
    rng = np.random.default_rng(0)
    waves, episode = noisy.sample_episodes(rng, 500, shots=10, queries=4)
    assert np.std(episode.support.y - waves(episode.support.x)) == pytest.approx(0.3, rel=0.03)
    np.testing.assert_allclose(episode.query.y, waves(episode.query.x))
    assert (noisy.phases, noisy.amplitudes) == (plain.phases, plain.amplitudes)
