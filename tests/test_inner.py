"""The inner loop, against closed forms: gradient descent on a quadratic is a power of a matrix.

L(theta) = 1/2 (theta - c)' A (theta - c),   theta_S = c + (I - alpha A)^S (theta_0 - c)
"""

import helpers  # noqa: F401
import numpy as np
import pytest
import torch

from metademo.inner import adapt

ALPHA, SIZE, TASKS = 0.07, 4, 3


def _quadratic():
    """Positive definite A and centre c of each task, a start, and the losses of a batch."""
    rng = np.random.default_rng(0)
    root = torch.from_numpy(rng.standard_normal((TASKS, SIZE, SIZE)))
    a = root @ root.mT / SIZE + torch.eye(SIZE, dtype=torch.float64)
    c = torch.from_numpy(rng.standard_normal((TASKS, SIZE)))
    start = torch.from_numpy(rng.standard_normal(SIZE))

    def loss_at(step, params):
        away = params["theta"] - c
        return 0.5 * torch.einsum("ti,tij,tj->t", away, a, away)

    return a, c, start, loss_at


def _adapt(start, loss_at, steps, alpha=ALPHA, **options):
    return adapt({"theta": start}, loss_at, lambda k: alpha, tasks=TASKS, steps=steps, **options)


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_trajectory_on_a_quadratic_is_the_closed_form(steps):
    a, c, start, loss_at = _quadratic()
    adaptation = _adapt(start, loss_at, steps)
    assert len(adaptation.trajectory) == steps + 1
    assert adaptation.losses.shape == (steps + 1, TASKS)
    shrink = torch.eye(SIZE) - ALPHA * a
    for k, params in enumerate(adaptation.trajectory):
        expected = c + (torch.linalg.matrix_power(shrink, k) @ (start - c)[..., None])[..., 0]
        torch.testing.assert_close(params["theta"], expected, rtol=0, atol=1e-13)
        torch.testing.assert_close(adaptation.losses[k], loss_at(k, {"theta": expected}))


def _outer_gradient(steps, **options):
    """Gradient in theta_0 of sum_t w_t . theta_S of task t, and its ingredients."""
    a, _, start, loss_at = _quadratic()
    weights = torch.from_numpy(np.random.default_rng(1).standard_normal((TASKS, SIZE)))
    leaf = start.clone().requires_grad_()
    end = _adapt(leaf, loss_at, steps, differentiable=True, **options).trajectory[-1]["theta"]
    return torch.autograd.grad((weights * end).sum(), leaf)[0], weights, a


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_outer_gradient_through_a_quadratic_is_the_closed_form(steps):
    gradient, weights, a = _outer_gradient(steps)
    jacobian = torch.linalg.matrix_power(torch.eye(SIZE) - ALPHA * a, steps)
    expected = torch.einsum("ti,tij->j", weights, jacobian)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("steps", [1, 5])
def test_first_order_outer_gradient_takes_the_inner_gradient_for_a_constant(steps):
    gradient, weights, _ = _outer_gradient(steps, second_order=False)
    torch.testing.assert_close(gradient, weights.sum(0), rtol=0, atol=1e-13)
    assert not torch.allclose(gradient, _outer_gradient(steps)[0], rtol=1e-2)


def test_step_sizes_may_differ_by_step_and_by_parameter():
    a, c, start, loss_at = _quadratic()
    alphas = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.05, 0.0, 0.1, 0.2]], dtype=torch.float64)
    adaptation = adapt(
        {"theta": start}, loss_at, lambda k: {"theta": alphas[k]}, tasks=TASKS, steps=2
    )
    expected = start.expand(TASKS, SIZE)
    for k in range(2):
        expected = expected - alphas[k] * (a @ (expected - c)[..., None])[..., 0]
    torch.testing.assert_close(adaptation.trajectory[-1]["theta"], expected, rtol=0, atol=1e-13)


def test_parameters_without_a_step_size_stay_as_they_are():
    start = {"body": torch.tensor([1.0, 2.0]), "head": torch.tensor([3.0])}
    adaptation = adapt(
        start,
        lambda k, params: params["body"].sum(-1) * params["head"].sum(-1),
        lambda k: {"head": 0.5},
        tasks=2,
        steps=2,
    )
    end = adaptation.trajectory[-1]
    assert torch.equal(end["body"], start["body"].expand(2, 2))
    assert end["head"].tolist() == [[0.0], [0.0]]  # 3 - 2 * 0.5 * (1 + 2)


def test_the_loss_is_told_the_step():
    _, _, start, loss_at = _quadratic()
    seen = []

    def spy(step, params):
        seen.append(step)
        return loss_at(step, params)

    _adapt(start, spy, 3)
    assert seen == [0, 1, 2, 2]  # the last loss is measured on what the last step saw


def test_an_adaptation_keeps_no_graph_and_leaves_the_initialisation_alone():
    _, _, start, loss_at = _quadratic()
    leaf = start.clone().requires_grad_()
    adaptation = _adapt(leaf, loss_at, 2)
    assert not any(params["theta"].requires_grad for params in adaptation.trajectory)
    assert not adaptation.losses.requires_grad
    assert torch.equal(leaf, start)
    with torch.no_grad():
        again = _adapt(leaf, loss_at, 2)
    assert torch.equal(again.trajectory[-1]["theta"], adaptation.trajectory[-1]["theta"])
