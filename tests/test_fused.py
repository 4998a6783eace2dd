"""The compiled engine against autograd: gradients, optimizers, chunks, divergence."""

from __future__ import annotations

import threading
import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional

from metademo import fused
from metademo.fused.memory import APART, Memory

LOSS = {"l1": functional.l1_loss, "mse": functional.mse_loss}


def split(vector, hidden, inputs=1):
    """The six tensors of a flat network."""
    shapes = [(hidden, inputs), (hidden,), (hidden, hidden), (hidden,), (1, hidden), (1,)]
    sizes = [int(np.prod(shape)) for shape in shapes]
    return [part.view(shape) for part, shape in zip(vector.split(sizes), shapes, strict=False)]


def network(x, vector, hidden, inputs=1, slope=0.0):
    w1, b1, w2, b2, w3, b3 = split(vector, hidden, inputs)
    h1 = functional.leaky_relu(x @ w1.T + b1, slope)
    h2 = functional.leaky_relu(h1 @ w2.T + b2, slope)
    return h2 @ w3.T + b3, h2, h1


def inner_loss(problem, theta, psi, x, y, k):
    if not problem.adaptation_hidden:
        return LOSS[problem.loss](network(x[:, None], theta, problem.hidden)[0], y[:, None])
    u = torch.cat(network(x[k : k + 1, None], theta, problem.hidden), dim=1)
    squared = problem.learned_loss == "squared"
    width, inputs = problem.adaptation_hidden, 2 * problem.hidden + 1
    g = network(u, psi, width, inputs, slope=0.1 if squared else 0.0)[0].sum()
    return g * g / 2 if squared else g.abs()


def step_sizes(problem, meta):
    """(S, P) from the meta-vector's tail or from the problem."""
    sizes = torch.as_tensor(problem.step_sizes, dtype=meta.dtype)
    if problem.learn_step_sizes:
        sizes = meta[-len(problem.step_sizes) :]
    slots = np.zeros((1, problem.theta_size), int) if problem.slots is None else problem.slots
    slots = torch.as_tensor(slots).expand(problem.inner_steps, -1)
    return torch.where(slots >= 0, sizes[slots.clamp(min=0)], torch.zeros((), dtype=meta.dtype))


def trajectory(problem, meta, x, y):
    """theta_0 .. theta_S of one task, as a graph."""
    psi = meta[problem.theta_size : problem.theta_size + problem.psi_size]
    thetas, a = [meta[: problem.theta_size]], step_sizes(problem, meta)
    for k in range(problem.inner_steps):
        loss = inner_loss(problem, thetas[-1], psi, x, y, k)
        (g,) = torch.autograd.grad(loss, thetas[-1], create_graph=problem.order == "second")
        thetas.append(thetas[-1] - a[k] * g)
    return thetas


def reference(problem, meta, episodes, weights=None):
    """The meta-gradient and the mean query loss by autograd, task after task."""
    meta = torch.tensor(meta, dtype=torch.float64, requires_grad=True)
    inner_x, inner_y, query_x, query_y = (
        None if e is None else torch.tensor(e, dtype=torch.float64) for e in episodes
    )
    weights = np.eye(problem.inner_steps + 1)[-1] if weights is None else weights
    shares = np.ones(len(weights)) if problem.query_shares is None else problem.query_shares
    total, reptile = 0.0, torch.zeros_like(meta)
    for t in range(len(inner_x)):
        thetas = trajectory(problem, meta, inner_x[t], None if inner_y is None else inner_y[t])
        outs = [network(query_x[t][:, None], theta, problem.hidden)[0][:, 0] for theta in thetas]
        total = total + sum(
            w * LOSS[problem.query_loss](o, c * query_y[t])
            for w, c, o in zip(weights, shares, outs, strict=True)
        )
        reptile[: problem.theta_size] += (thetas[0] - thetas[-1]).detach()
    total, reptile = total / len(inner_x), reptile / len(inner_x)
    if problem.order == "reptile":
        return reptile.numpy(), total.item()
    return torch.autograd.grad(total, meta)[0].numpy(), total.item()


def start(problem, seed=0):
    """A meta-vector as torch would draw it, and small positive step sizes."""
    rng = np.random.default_rng(seed)
    meta = rng.uniform(-1, 1, problem.theta_size + problem.psi_size) / np.sqrt(problem.hidden)
    meta[: problem.hidden] *= np.sqrt(problem.hidden)
    if problem.learn_step_sizes:
        meta = np.concatenate([meta, problem.step_sizes])
    return meta


def draw(problem, shape, support, query, seed=1):
    """Episodes of sine waves with the leading axes ``shape``."""
    rng = np.random.default_rng(seed)
    support = problem.inner_steps if problem.adaptation_hidden else support
    phase = rng.choice([0, np.pi], (*shape, 1))
    x, q = rng.uniform(-6, 6, (*shape, support)), rng.uniform(-6, 6, (*shape, query))
    y = None if problem.adaptation_hidden else np.sin(x + phase)
    return x, y, q, np.sin(q + phase)


def per_tensor_and_step(hidden, steps):
    """MAML++: one step size for each tensor at each inner step."""
    sizes = [hidden, hidden, hidden * hidden, hidden, hidden, 1]
    return np.repeat(np.arange(6 * steps).reshape(steps, 6), sizes, axis=1)


def head_only(hidden):
    """ANIL: the last layer moves, the body does not."""
    slots = np.full((1, fused.parameter_count(hidden)), -1)
    slots[:, -(hidden + 1) :] = 0
    return slots


Problem = fused.Problem
PLUS = Problem(
    hidden=16, inner_steps=3, loss="mse", query_loss="mse", step_sizes=np.linspace(0.01, 0.03, 18),
    slots=per_tensor_and_step(16, 3), learn_step_sizes=True,
)  # fmt: skip
SGD = Problem(
    hidden=12, inner_steps=2, step_sizes=np.linspace(0.01, 0.05, fused.parameter_count(12)),
    slots=np.arange(fused.parameter_count(12))[None], learn_step_sizes=True,
)  # fmt: skip
CASES = {  # problem, support points, query points, weights of the query losses
    "maml, as in the article": (Problem(), 4, 4, None),
    "maml, mean square": (Problem(loss="mse", query_loss="mse"), 4, 4, None),
    "maml, wide, odd sizes": (
        Problem(hidden=40, loss="mse", query_loss="l1", inner_steps=1),
        10,
        7,
        None,
    ),
    "maml, narrow": (Problem(hidden=5, inner_steps=4, query_loss="mse"), 1, 3, None),
    "maml, wider than two blocks": (Problem(hidden=67, inner_steps=2, loss="mse"), 6, 5, None),
    "maml, many steps": (Problem(hidden=16, inner_steps=9), 3, 1, None),
    "first order": (Problem(order="first", loss="mse"), 5, 4, None),
    "reptile": (Problem(order="reptile", loss="mse"), 5, 4, None),
    "anil": (Problem(slots=head_only(32)), 4, 4, None),
    "meta-sgd": (SGD, 4, 4, None),
    "meta-sgd, first order": (replace(SGD, order="first"), 4, 4, None),
    "maml++": (PLUS, 5, 4, np.array([0.1, 0.2, 0.3, 0.4])),
    "multi-step loss": (Problem(hidden=20, inner_steps=2), 4, 4, np.array([0.5, 0.0, 2.0])),
    "daml, as in the article": (Problem(adaptation_hidden=32), 1, 4, None),
    "daml, odd sizes": (Problem(hidden=21, adaptation_hidden=37, inner_steps=3), 1, 5, None),
    "daml, learned step sizes": (replace(PLUS, adaptation_hidden=9), 1, 4, np.array([0, 1, 0, 1])),
    "daml, squared": (Problem(adaptation_hidden=32, learned_loss="squared"), 1, 4, None),
    "daml, squared, odd sizes, step sizes": (
        replace(PLUS, adaptation_hidden=37, learned_loss="squared", query_loss="l1"),
        1,
        5,
        np.array([0.1, 1, 0, 1]),
    ),
    "shares of the labels": (
        Problem(hidden=20, inner_steps=2, loss="mse", query_shares=np.array([1, 0.5, 1])),
        4,
        4,
        np.array([0.0, 0.3, 1.0]),
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-14), (np.float32, 1e-5)])
def test_gradient_is_autograd_s(name, dtype, tolerance):
    problem, support, query, weights = CASES[name]
    meta, episodes = start(problem).astype(dtype), draw(problem, (3,), support, query)
    episodes = [None if e is None else e.astype(dtype) for e in episodes]
    gradient, loss = fused.meta_gradient(problem, meta, *episodes, weights=weights, dtype=dtype)
    expected, expected_loss = reference(problem, meta, episodes, weights)
    assert gradient.dtype == dtype
    assert np.abs(expected).max() > 1e-3
    assert loss == pytest.approx(expected_loss, abs=tolerance * max(1, expected_loss))
    np.testing.assert_allclose(
        gradient, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max())
    )


@pytest.mark.parametrize("name", ["maml++", "daml, squared, odd sizes, step sizes"])
def test_gradient_is_the_slope_of_the_loss(name):
    """Central differences: no derivative of anybody's is believed."""
    problem, support, query, weights = CASES[name]
    meta, episodes = start(problem), draw(problem, (2,), support, query)
    gradient, _ = fused.meta_gradient(problem, meta, *episodes, weights=weights, dtype=np.float64)
    direction, h = np.random.default_rng(3).standard_normal(len(meta)), 1e-6
    ends = [meta + h * direction, meta - h * direction]
    up, down = (
        fused.meta_gradient(problem, m, *episodes, weights=weights, dtype=np.float64)[1]
        for m in ends
    )
    assert (up - down) / (2 * h) == pytest.approx(gradient @ direction, rel=1e-6)


@pytest.mark.parametrize(
    "name", ["maml, as in the article", "maml++", "daml, odd sizes", "daml, squared"]
)
def test_adapt_and_predict(name):
    problem, support, query, _ = CASES[name]
    meta, (x, y, _q, _) = start(problem), draw(problem, (3,), support, query)
    thetas, losses = fused.adapt(problem, meta, x, y, dtype=np.float64)
    assert thetas.shape == (problem.inner_steps + 1, 3, problem.theta_size)
    assert losses.shape == (problem.inner_steps + 1, 3)
    for t in range(3):
        y_t = None if y is None else torch.tensor(y[t])
        graph = torch.tensor(meta, requires_grad=True)
        steps = torch.stack(trajectory(problem, graph, torch.tensor(x[t]), y_t)).detach()
        np.testing.assert_allclose(thetas[:, t], steps, atol=1e-12)
        psi = graph[problem.theta_size :][: problem.psi_size]
        last = [min(k, problem.inner_steps - 1) for k in range(problem.inner_steps + 1)]
        expected = [
            inner_loss(problem, s, psi, torch.tensor(x[t]), y_t, k).item()
            for s, k in zip(steps, last, strict=False)
        ]
        np.testing.assert_allclose(losses[:, t], expected, atol=1e-12)
    grid = np.linspace(-6, 6, 203)
    curve = network(torch.tensor(grid)[:, None], torch.tensor(thetas[-1, 0]), problem.hidden)[0]
    found = fused.predict(thetas[-1], grid, problem.hidden)
    np.testing.assert_allclose(found[0], curve[:, 0], atol=1e-12)
    assert found.shape == (3, 203)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("max_norm", [0.0, 0.1])
@pytest.mark.parametrize("name", ["maml, narrow", "meta-sgd", "daml, odd sizes", "daml, squared"])
def test_outer_loop_is_torch_s(optimizer, max_norm, name):
    problem, support, query, _ = CASES[name]
    meta, rates = start(problem), np.array([0.01, 0.02, 0.005, 0.01])
    episodes = draw(problem, (4, 2), support, query)
    trainer = fused.Trainer(problem, meta, np.float64, optimizer, (0.8, 0.99), max_norm=max_norm)
    chunk = trainer.run(*episodes, rates)
    parameter = torch.nn.Parameter(torch.tensor(meta))
    method = torch.optim.SGD([parameter], lr=1.0)
    if optimizer == "adam":
        method = torch.optim.Adam([parameter], lr=1.0, betas=(0.8, 0.99))
    for step, rate in enumerate(rates):
        episode = [None if e is None else e[step] for e in episodes]
        gradient, loss = reference(problem, parameter.detach().numpy(), episode)
        assert chunk.losses[step] == pytest.approx(loss, abs=1e-10)
        parameter.grad = torch.tensor(gradient)
        if max_norm:
            torch.nn.utils.clip_grad_norm_([parameter], max_norm)
        method.param_groups[0]["lr"] = rate
        method.step()
    np.testing.assert_allclose(trainer.meta, parameter.detach(), atol=1e-10)


def run(problem, episodes, rates, cuts=(), **options):
    """One run, cut into chunks; what it ends with."""
    trainer = fused.Trainer(problem, start(problem), **options)
    losses = []
    for part in np.split(np.arange(len(rates)), cuts):
        chunk = trainer.run(*(None if e is None else e[part] for e in episodes), rates[part])
        losses.append(chunk.losses)
    return trainer, np.concatenate(losses)


@pytest.mark.parametrize("name", ["maml, as in the article", "maml++", "daml, as in the article"])
def test_chunks_change_no_bit(name):
    problem, support, query, _ = CASES[name]
    episodes, rates = draw(problem, (30, 7), support, query), np.full(30, 0.003)
    options = {"optimizer": "adam", "max_norm": 0.5}
    whole, losses = run(problem, episodes, rates, **options)
    for cuts in ((1, 17), (5, 6, 29)):
        other, other_losses = run(problem, episodes, rates, cuts, **options)
        assert np.array_equal(losses, other_losses)
        for mine, theirs in zip(whole.state, other.state, strict=False):
            assert np.array_equal(mine, theirs)


def test_many_tasks():
    problem = Problem(hidden=8, inner_steps=2)
    meta, episodes = start(problem), draw(problem, (77,), 4, 4)
    gradient, loss = fused.meta_gradient(problem, meta, *episodes, dtype=np.float64)
    expected, expected_loss = reference(problem, meta, episodes)
    np.testing.assert_allclose(gradient, expected, atol=1e-12)
    assert loss == pytest.approx(expected_loss)


def test_two_trainings_at_once():
    problem = Problem()
    episodes, rates = draw(problem, (300, 8), 4, 4), np.full(300, 0.01)
    alone, _ = run(problem, episodes, rates)
    results = []

    def work():
        results.append(run(problem, episodes, rates, range(50, 300, 50))[0].meta)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert len(results) == 3
    assert all(np.array_equal(alone.meta, meta) for meta in results)


def test_divergence_stops_at_once_with_the_last_good_parameters():
    problem = Problem(loss="mse", query_loss="mse")
    episodes, rates = draw(problem, (10, 3), 4, 4), np.full(10, 0.001)
    rates[6] = 1e30  # leaves parameters that are finite, but too large: the step after it finds out
    trainer = fused.Trainer(problem, start(problem))
    chunk = trainer.run(*episodes, rates)
    assert not chunk.finite
    assert len(chunk.losses) == 8
    assert not np.isfinite(chunk.losses[7])
    before, _ = run(problem, [e[:7] for e in episodes], rates[:7])
    assert np.array_equal(trainer.meta, before.meta)
    assert trainer.state[3] == 7


def test_a_step_to_infinity_is_not_taken():
    problem = Problem()
    episodes, rates = draw(problem, (10, 3), 4, 4), np.full(10, 0.01)
    rates[6] = 1e39
    trainer = fused.Trainer(problem, start(problem))
    chunk = trainer.run(*episodes, rates)
    before, _ = run(problem, [e[:6] for e in episodes], rates[:6])
    assert not chunk.finite
    assert len(chunk.losses) == 7
    assert np.array_equal(trainer.meta, before.meta)
    assert trainer.state[3] == 6
    assert trainer.run(*(e[:2] for e in episodes), rates[:2]).finite


def test_a_bad_first_step_leaves_what_was_given():
    problem = Problem()
    episodes = draw(problem, (3, 2), 4, 4)
    episodes[2][0, 1, 2] = np.nan
    trainer = fused.Trainer(problem, start(problem), optimizer="adam")
    chunk = trainer.run(*episodes, np.full(3, 0.01))
    assert not chunk.finite
    assert len(chunk.losses) == 1
    assert np.array_equal(trainer.meta, start(problem).astype(np.float32))


def test_nothing_grows_with_the_number_of_steps():
    """A long chunk leaves no more behind than a short one."""
    problem = Problem(hidden=8, inner_steps=2)
    episodes, rates = draw(problem, (4000, 2), 4, 4), np.full(4000, 0.001)
    trainer = fused.Trainer(problem, start(problem))
    trainer.run(*(e[:10] for e in episodes), rates[:10])
    episodes = [e.astype(np.float32) for e in episodes]
    tracemalloc.start()
    for _ in range(3):
        trainer.run(*episodes, rates)
    grown = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert grown < 200_000


def test_no_two_arrays_of_the_kernels_lie_close_together():
    """How compiled loops go over them, and so how they round, depends on it."""
    memory = Memory(Problem(adaptation_hidden=32), 3, 4, 4, np.float32, 0)
    arrays = [*memory.shared, *memory.workspace]
    while any(isinstance(array, tuple) for array in arrays):
        arrays = [a for array in arrays for a in (array if isinstance(array, tuple) else [array])]
    places = sorted((a.ctypes.data, a.ctypes.data + a.nbytes) for a in arrays)
    assert all(start % 64 == 0 for start, _ in places)
    gaps = [after[0] - before[1] for before, after in pairwise(places)]
    assert min(gaps) >= APART


POINT = np.ones((1, 4))


@pytest.mark.parametrize(
    ("settings", "episodes", "said"),
    [
        ({"hidden": 0}, (POINT,) * 4, "at least 1 wide"),
        ({"loss": "l3"}, (POINT,) * 4, "loss is one of"),
        ({"learned_loss": "cubed"}, (POINT,) * 4, "learned_loss is one of"),
        ({"query_shares": np.ones(4)}, (POINT,) * 4, "5 shares of the query labels"),
        ({"slots": np.zeros((2, 9), int)}, (POINT,) * 4, "slots have shape"),
        ({"slots": head_only(8) + 1}, (POINT,) * 4, "a step size that there is not"),
        ({}, (POINT, None, POINT, POINT), "need their targets"),
        ({}, (POINT, POINT[:, :2], POINT, POINT), "differ in shape"),
        ({}, (POINT, POINT, np.ones((2, 4)), np.ones((2, 4))), "not of the same tasks"),
        ({}, (POINT[:, :0], POINT[:, :0], POINT, POINT), "at least one point"),
        ({"adaptation_hidden": 4}, (POINT[:, :2], None, POINT, POINT), "one source input for each"),
    ],
)
def test_what_can_t_be_is_refused(settings, episodes, said):
    """The kernels check no bounds."""

    def attempt():
        problem = Problem(**{"hidden": 8, "inner_steps": 4, **settings})
        fused.meta_gradient(problem, start(problem), *episodes)

    with pytest.raises(ValueError, match=said):
        attempt()


def test_a_wrong_vector_is_refused():
    with pytest.raises(ValueError, match="meta-vector"):
        fused.Trainer(Problem(), np.zeros(7))
    with pytest.raises(ValueError, match="meta-vector"):
        fused.adapt(Problem(), np.zeros(7), POINT, POINT)
    with pytest.raises(ValueError, match="thetas"):
        fused.predict(np.zeros((2, 7)), np.zeros(3), 32)
    with pytest.raises(ValueError, match="optimizer is one of"):
        fused.Trainer(Problem(), start(Problem()), optimizer="lion")
    with pytest.raises(ValueError, match="float16"):
        fused.adapt(Problem(), start(Problem()), POINT, POINT, dtype=np.float16)
    trainer = fused.Trainer(Problem(), start(Problem()))
    with pytest.raises(ValueError, match="learning rate"):
        trainer.run(*draw(Problem(), (3, 1), 4, 4), np.ones(2))


def test_points_beyond_float32_end_in_something_that_is_not_finite():
    far = np.array([[1e300, 1.0]])
    thetas, losses = fused.adapt(Problem(), start(Problem()), far, far)
    assert not np.isfinite(losses).all()
    assert not np.isfinite(thetas[1:]).all()


def test_no_inner_steps():
    problem = Problem(inner_steps=0)
    episodes = draw(problem, (1,), 4, 4)
    gradient, _ = fused.meta_gradient(problem, start(problem), *episodes)
    np.testing.assert_allclose(gradient, reference(problem, start(problem), episodes)[0], atol=1e-6)
    thetas, losses = fused.adapt(problem, start(problem), *episodes[:2])
    assert thetas.shape == (1, 1, problem.theta_size)
    assert losses.shape == (1, 1)
