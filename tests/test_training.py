"""The outer loop: the article's, step by step, and what a run promises to whoever consumes it."""

import math

import numpy as np
import pytest
import torch
from helpers import COMPILED, GRADIENT_BASED, OF_WAVES, PAIRS, assert_near, assert_same, small
from torch.nn import functional as F

from metademo.algorithms import Learner
from metademo.engines import Diverged
from metademo.recipes import RECIPES, configure
from metademo.settings import TrainConfig
from metademo.tasks import Episode, Examples
from metademo.training import EPISODE_STREAM, HELD_OUT_STREAM, INIT_STREAM, MetaTrainer

every_pair = pytest.mark.parametrize(("algorithm", "family"), PAIRS)
every_algorithm = pytest.mark.parametrize("algorithm", OF_WAVES)


def _trained(config, *, every=100, **options):
    """The trainer after its whole run, and the query loss of each outer step."""
    trainer = MetaTrainer(config, **options)
    losses = np.concatenate([record.query_losses for record in trainer.run(every)])
    return trainer, losses


# The original experiments, literally: the article's loops on the same episodes and weights


def _net(x, params):
    x1 = F.relu(F.linear(x, params[0], params[1]))
    x2 = F.relu(F.linear(x1, params[2], params[3]))
    return F.linear(x2, params[4], params[5]), x2, x1


def _inner_loop(params, loss_at):
    new_params = params
    for k in range(5):
        loss = loss_at(k, new_params)
        grads = torch.autograd.grad(loss, new_params, create_graph=True)
        new_params = [(new_params[i] - 3e-2 * grads[i]) for i in range(len(params))]
    return new_params


def _maml(params, adap_params, x, y):
    return _inner_loop(params, lambda k, p: F.l1_loss(_net(x, p)[0], y))


def _daml(params, adap_params, x, y):
    def adap_loss(k, new_params):
        h = _net(torch.cat(_net(x[k : k + 1], new_params), dim=1), adap_params)[0]
        return F.l1_loss(h, torch.zeros_like(h))

    return _inner_loop(params, adap_loss)


def _article(adapt, meta, episodes: Episode, dtype):
    """The parameters and the query losses of the article's loop, one task per outer step."""
    params = [value.detach().clone().requires_grad_() for value in meta.values()]
    opt = torch.optim.SGD(params, lr=1e-2)

    def column(values, step):
        return None if values is None else torch.from_numpy(values[step]).to(dtype)[:, None]

    losses = []
    for it in range(len(episodes.query.x)):
        opt.zero_grad()
        x, y = (column(values, it) for values in episodes.support)
        v_x, v_y = (column(values, it) for values in episodes.query)
        loss = F.l1_loss(_net(v_x, adapt(params[:6], params[6:], x, y))[0], v_y)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return dict(zip(meta, (p.detach() for p in params), strict=True)), losses


@pytest.mark.parametrize("adapt", [_maml, _daml], ids=["maml", "daml"])
@pytest.mark.parametrize(
    ("steps", "dtype", "tolerance"),
    [(1, torch.float32, 1e-6), (1, torch.float64, 1e-14), (60, torch.float64, 1e-11)],
    ids=["one step", "one step in float64", "sixty steps in float64"],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_recipe_original_is_the_loop_of_the_article(adapt, steps, dtype, tolerance, seed):
    config = configure(adapt.__name__[1:], "two-phase", "original", steps=steps, seed=seed)
    episodes = config.sample_episodes(np.random.default_rng([seed, EPISODE_STREAM]), steps)
    start = MetaTrainer(config, dtype=dtype).meta
    trainer, losses = _trained(config, dtype=dtype)
    expected, expected_losses = _article(adapt, start, episodes, dtype)
    assert_near(trainer.meta, expected, tolerance)
    np.testing.assert_allclose(losses, expected_losses, rtol=0, atol=tolerance)
    moved = max((expected[name] - start[name]).abs().max().item() for name in start)
    assert moved > 100 * tolerance


def test_a_short_run_learns():
    changes = dict(steps=150, meta_batch=8, shots=8)
    _, losses = _trained(configure("maml", "two-phase", "fast", **changes))
    assert losses[-30:].mean() < 0.95 * losses[:10].mean()


# Determinism


@every_pair
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(algorithm, family):
    first, again, other = (
        _trained(small(algorithm, family, seed=seed, steps=10)) for seed in (3, 3, 4)
    )
    assert_same(first[0].meta, again[0].meta)
    assert np.array_equal(first[1], again[1])
    assert any(not torch.equal(v, other[0].meta[name]) for name, v in first[0].meta.items())
    assert not np.isin(first[1], other[1]).any()


@every_algorithm
@pytest.mark.parametrize("recipe", RECIPES)
def test_how_steps_are_grouped_makes_no_difference(algorithm, recipe):
    config = configure(algorithm, "two-phase", recipe, hidden=4, steps=23)
    runs = [_trained(config, every=every) for every in (1, 7, 100)]
    for trainer, losses in runs[1:]:
        assert_same(trainer.meta, runs[0][0].meta)
        assert np.array_equal(losses, runs[0][1])


def test_training_and_held_out_tasks_never_meet():
    config = small("maml")
    points = [
        config.sample_episodes(np.random.default_rng([config.seed, stream]), 200).support.x
        for stream in (INIT_STREAM, EPISODE_STREAM, HELD_OUT_STREAM)
    ]
    assert len(np.unique(np.concatenate(points))) == 3 * 200 * config.shots


# What a run reports


def test_a_record_comes_after_every_so_many_steps_and_at_the_end():
    trainer = MetaTrainer(small("maml", steps=23))
    records = list(trainer.run(every=10))
    assert [record.step for record in records] == [10, 20, 23]
    assert [len(record.query_losses) for record in records] == [10, 10, 3]
    assert trainer.step == 23
    assert_same(records[-1].meta, trainer.meta)
    assert list(trainer.run()) == []


def test_a_record_holds_the_weights_of_its_step_and_not_later_ones():
    config = small("maml", steps=20)
    early = next(MetaTrainer(config).run(every=10))
    late = next(iter(_records := list(MetaTrainer(config).run(every=10))))
    assert_same(early.meta, late.meta)
    assert not torch.equal(late.meta["regressor.4.weight"], _records[1].meta["regressor.4.weight"])


def test_advance_takes_the_steps_that_are_left():
    trainer = MetaTrainer(small("maml", steps=5))
    assert trainer.advance(3).step == 3
    assert trainer.advance(3).step == 5
    assert_same(trainer.meta, _trained(small("maml", steps=5))[0].meta)
    assert trainer.advance(3).query_losses.size == 0
    assert trainer.step == 5


def test_a_caller_cannot_change_the_weights_of_a_trainer():
    trainer = MetaTrainer(small("maml"))
    trainer.meta["regressor.4.bias"] += 1
    assert not trainer.meta["regressor.4.bias"].any()


# The outer step


def _moves(config):
    """How far each outer step moved the weights: the norm, over all meta-parameters."""
    trainer = MetaTrainer(config, dtype=torch.float64)
    before, moves = trainer.meta, []
    for record in trainer.run(every=1):
        squares = [(record.meta[n] - before[n]).square().sum() for n in before]
        moves.append(math.sqrt(sum(squares)))
        before = record.meta
    return np.array(moves)


def test_the_meta_gradient_is_clipped_to_its_norm():
    free = _moves(small("maml", steps=8)) / 0.01
    clip = float(np.median(free))
    clipped = _moves(small("maml", steps=1, clip=clip / 2)) / 0.01
    assert (free > clip / 2).any()
    assert clipped[0] == pytest.approx(min(free[0], clip / 2), rel=1e-5)
    assert (_moves(small("maml", steps=8, clip=1e-3)) / 0.01 <= 1e-3 * (1 + 1e-9)).all()


def test_adam_steps_are_those_of_its_paper():
    """Kingma and Ba 2015, algorithm 1, with this config's learning rates."""
    config = small("daml", steps=6, optimizer="adam", schedule="cosine", warmup=0.3, meta_batch=2)
    trainer, _ = _trained(config, dtype=torch.float64)
    rng = np.random.default_rng([config.seed, EPISODE_STREAM])
    meta = MetaTrainer(config, dtype=torch.float64).meta
    mean, square = ({name: torch.zeros_like(v) for name, v in meta.items()} for _ in range(2))
    for t, rate in enumerate(config.learning_rates(0, 6), start=1):
        gradient, _ = config.learner.meta_gradient(meta, config.sample_episodes(rng, 2))
        for name, g in gradient.items():
            mean[name] = 0.9 * mean[name] + 0.1 * g
            square[name] = 0.999 * square[name] + 0.001 * g * g
            root = (square[name] / (1 - 0.999**t)).sqrt() + 1e-8
            meta[name] = meta[name] - rate * mean[name] / (1 - 0.9**t) / root
    assert_near(trainer.meta, meta, 1e-9)


def test_a_learning_rate_of_zero_changes_nothing():
    config = small("maml", outer_lr=0, steps=3)
    assert_same(_trained(config)[0].meta, MetaTrainer(config).meta)


# Divergence and interruption


@pytest.mark.parametrize(
    ("engine", "algorithm"),
    [*(("torch", name) for name in GRADIENT_BASED), *(("fused", name) for name in COMPILED)],
)
@pytest.mark.parametrize("every", [1, 40])
def test_a_run_that_leaves_the_finite_numbers_keeps_the_last_good_weights(algorithm, every, engine):
    config = small(algorithm, hidden=16, loss="mse", outer_lr=10, steps=2000)
    trainer, records = MetaTrainer(config, engine=engine), []
    with pytest.raises(
        Diverged, match=r"^the (query loss|meta-gradient or the step) became "
    ) as caught:
        records.extend(trainer.run(every))
    fault = caught.value
    assert f"at outer step {fault.step:,}: a smaller learning rate would help" in str(fault)
    losses = np.concatenate([*(record.query_losses for record in records), fault.losses])
    assert len(losses) == fault.step - 1
    assert trainer.step == fault.step - 1
    assert np.isfinite(losses).all()
    assert all(torch.isfinite(value).all() for value in trainer.meta.values())
    good = MetaTrainer(config, engine=engine)
    good.advance(trainer.step)
    assert_same(trainer.meta, good.meta)


@pytest.fixture
def poisoned(monkeypatch):
    """Every 7th training episode in which something is not finite."""
    sample, drawn = TrainConfig.sample_episodes, iter(range(10**6))

    def poison(config, rng, tasks):
        episodes = sample(config, rng, tasks)
        for labels in episodes.query.y:
            if next(drawn) % 7 == 6:
                labels[0] = np.inf
        return episodes

    monkeypatch.setattr(TrainConfig, "sample_episodes", poison)


@pytest.mark.parametrize("engine", ["torch", "fused"])
@pytest.mark.parametrize("every", [1, 9, 20])
def test_steps_that_are_not_finite_are_left_out_if_that_is_allowed(engine, every, poisoned):
    config = small("maml", steps=20, optimizer="adam", skips=3)
    trainer, losses = _trained(config, engine=engine, dtype=torch.float64, every=every)
    assert trainer.skipped == 3
    assert (trainer.step, len(losses)) == (20, 20)
    assert np.isfinite(losses).all()
    # The same as if those episodes had never been drawn.
    rng = np.random.default_rng([config.seed, EPISODE_STREAM])
    episodes = config.task_family.sample_episodes(rng, 23, shots=4, queries=4)[1]
    kept = np.arange(23) % 7 != 6
    plain = MetaTrainer(config, engine=engine, dtype=torch.float64)
    expected = plain.engine.run(
        Episode(*(Examples(*(v[kept] for v in examples)) for examples in episodes)),
        config.learning_rates(0, 20),
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-12)
    assert_near(trainer.meta, plain.meta, 1e-14)


@pytest.mark.parametrize("engine", ["torch", "fused"])
def test_with_one_more_the_run_has_diverged(engine, poisoned):
    trainer = MetaTrainer(small("maml", steps=40, skips=2), engine=engine)
    with pytest.raises(Diverged, match="outer step 19"):
        list(trainer.run())
    assert (trainer.step, trainer.skipped) == (18, 2)


@pytest.mark.parametrize("every", [1, 10])
def test_after_an_interruption_the_weights_are_those_of_the_step_it_tells(every, monkeypatch):
    config = small("maml", steps=20)
    trainer = MetaTrainer(config, engine="torch")
    calls, gradient = iter(range(100)), Learner.meta_gradient

    def interrupted(self, *arguments):
        if next(calls) == 7:
            raise KeyboardInterrupt
        return gradient(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "meta_gradient", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(trainer.run(every))
    straight = MetaTrainer(config, engine="torch")
    if trainer.step:
        straight.advance(trainer.step)
    assert_same(trainer.meta, straight.meta)
