"""Curves, a kind of task: its losses, its metrics and its network."""

import helpers  # noqa: F401
import numpy as np
import pytest
import torch

from metademo.network import regressor
from metademo.tasks import CURVES


@pytest.mark.parametrize(
    ("name", "expected"), [("l1", [1.5, 1.0]), ("mse", [2.5, 1.0])], ids=["l1", "mse"]
)
def test_losses_are_means_over_points(name, expected):
    prediction = torch.tensor([[1.0, -2.0], [0.0, 3.0]])
    target = torch.tensor([[0.0, 0.0], [1.0, 2.0]])
    assert CURVES.losses[name](prediction, target).tolist() == expected


@pytest.mark.parametrize("name", CURVES.losses)
def test_without_points_the_loss_and_its_gradient_are_zero(name):
    prediction = torch.ones(3, 0, requires_grad=True)
    loss = CURVES.losses[name](prediction * 2, torch.ones(3, 0))
    assert loss.tolist() == [0.0, 0.0, 0.0]
    assert torch.autograd.grad(loss.sum(), prediction)[0].shape == (3, 0)


@pytest.mark.parametrize(("name", "expected"), [("l1", [1.5, 1.0]), ("mse", [2.5, 1.0])])
def test_metrics_are_means_over_points_too_of_as_many_steps_as_there_are(name, expected):
    prediction, truth = np.array([[1.0, -2.0], [0.0, 3.0]]), np.array([[0.0, 0.0], [1.0, 2.0]])
    found = CURVES.metrics[name](np.stack([prediction, prediction, truth]), truth)
    assert found.tolist() == [expected, expected, [0.0, 0.0]]


def test_its_network_is_the_regressor_of_the_article():
    assert CURVES.network(32, "tanh") == regressor(32, "tanh")
    assert CURVES.role == "regressor"
    assert CURVES.default_loss == "l1"
