"""Networks: each a pure function of its parameters, equal to plain PyTorch's."""

import helpers  # noqa: F401
import numpy as np
import pytest
import torch
from torch import nn

from metademo.network import ACTIVATIONS, INITIALISATIONS, MLP, Regressor, regressor

MODULES = {"relu": nn.ReLU, "leaky-relu": lambda: nn.LeakyReLU(0.1), "tanh": nn.Tanh}
MODULES["gelu"] = nn.GELU


def _parameters(network: MLP, *batch: int, seed: int = 0) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(seed)
    return {
        name: torch.from_numpy(rng.standard_normal((*batch, *shape)))
        for name, shape in network.shapes.items()
    }


def _sequential(network: MLP, params: dict[str, torch.Tensor]) -> nn.Sequential:
    a, b, c, d = network.sizes
    activation = MODULES[network.activation]
    net = nn.Sequential(
        nn.Linear(a, b), activation(), nn.Linear(b, c), activation(), nn.Linear(c, d)
    ).double()
    net.load_state_dict(params)
    return net


def test_parameters_are_named_and_shaped_as_those_of_a_sequential():
    network = MLP((3, 5, 7, 2))
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))
    expected = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    assert network.shapes == expected
    assert list(network.shapes) == list(expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_and_hidden_activations_equal_a_sequential(activation):
    network = MLP((3, 5, 7, 2), activation)
    params = _parameters(network)
    net = _sequential(network, params)
    x = torch.linspace(-2, 2, 12, dtype=torch.float64).reshape(4, 3)
    y, h2, h1 = network.activations(params, x)
    with torch.no_grad():
        torch.testing.assert_close(y, net(x))
        torch.testing.assert_close(h2, net[:4](x))
        torch.testing.assert_close(h1, net[:2](x))


def test_leading_axes_of_parameters_and_inputs_are_separate_networks():
    network = Regressor((1, 4, 6, 1))
    params = _parameters(network, 2, 3)
    x = torch.linspace(-3, 3, 15, dtype=torch.float64).reshape(3, 5)
    together = network.predict(params, x)
    assert together.shape == (2, 3, 5)
    for i in range(2):
        for j in range(3):
            alone = network.predict({n: v[i, j] for n, v in params.items()}, x[j])
            torch.testing.assert_close(together[i, j], alone)


def test_the_regressor_takes_scalars_to_scalars():
    network = Regressor((1, 4, 6, 1))
    params = _parameters(network)
    x = torch.linspace(-3, 3, 5, dtype=torch.float64)
    with torch.no_grad():
        expected = _sequential(network, params)(x[:, None])[:, 0]
    torch.testing.assert_close(network.predict(params, x), expected)


def test_fan_in_initialisation_is_that_of_the_original_experiment():
    params = MLP((1, 256, 256, 1)).init(np.random.default_rng(0))
    assert all(value.dtype == torch.float32 for value in params.values())
    for layer, bound in {"0": 1.0, "2": 1 / 16, "4": 1 / 16}.items():
        weight, bias = params[f"{layer}.weight"], params[f"{layer}.bias"]
        assert not bias.any()
        assert 0.95 * bound < weight.abs().max() <= bound
        # The variance of U(-b, b) is b^2 / 3; 256 draws know it to about 6 %.
        assert weight.square().mean() == pytest.approx(bound**2 / 3, rel=0.25)
        assert weight.min() < -0.9 * bound
        assert weight.max() > 0.9 * bound


def test_truncated_normal_initialisation_is_cut_at_two_deviations_of_a_hundredth():
    params = MLP((1, 256, 256, 1)).init(np.random.default_rng(0), "truncated-normal")
    weight = params["2.weight"]
    assert 0.0199 < weight.abs().max() <= 0.02
    # The standard deviation of a normal cut at two of its own is 0.8796 of it.
    assert weight.std() == pytest.approx(0.008796, rel=0.02)
    assert not any(params[name].any() for name in params if name.endswith("bias"))


def test_spread_initialisation_bends_everywhere_in_the_range():
    params = MLP((1, 256, 256, 1)).init(np.random.default_rng(0), "spread")
    kinks = (-params["0.bias"] / params["0.weight"][:, 0]).numpy()
    assert np.abs(kinks).max() <= 2 * np.pi * (1 + 1e-5)
    # The longest gap between 256 points drawn from a range is a thirtieth of it at most.
    assert np.diff(np.sort([-2 * np.pi, *kinks, 2 * np.pi])).max() < 4 * np.pi / 30
    plain = MLP((1, 256, 256, 1)).init(np.random.default_rng(0))
    assert torch.equal(params["0.weight"], plain["0.weight"])
    assert not any(params[name].any() for name in ("2.bias", "4.bias"))


@pytest.mark.parametrize("scheme", INITIALISATIONS)
def test_initialisation_depends_on_the_generator_alone(scheme):
    network = MLP((1, 8, 8, 1))
    first, again, other = (
        network.init(np.random.default_rng(seed), scheme)["2.weight"] for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_an_unknown_initialisation_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'he'.*fan-in.*truncated-normal"):
        MLP((1, 2, 2, 1)).init(np.random.default_rng(0), "he")


def test_the_regressor_is_that_of_the_article_and_its_head_is_the_last_layer():
    network = regressor(32)
    assert network == Regressor((1, 32, 32, 1), "relu")
    assert network.head == tuple(network.shapes)[-2:]
