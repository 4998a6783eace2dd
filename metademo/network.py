"""The regressor, as a pure function of its parameters.

Meta-learning needs a network that can be run with *any* parameters: the initialisation, the
adapted weights after three inner steps, or a thousand sets of adapted weights at once. So a network
here is not an `nn.Module` that owns its weights; it is an :class:`MLP`, a frozen description that
takes parameters as an argument.

Parameters are a flat dictionary of tensors, named as PyTorch names those of
``nn.Sequential(Linear, ReLU, Linear, ReLU, Linear)``: ``0.weight, 0.bias, 2.weight, ...``. Every
tensor may carry leading axes (tasks, inner steps); a matrix product broadcasts over them, which is
all the batching there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import leaky_relu

Params = dict[str, Tensor]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "leaky-relu": lambda x: leaky_relu(x, 0.1),
    "tanh": torch.tanh,
}
INITIALISATIONS = ("fan-in", "truncated-normal", "spread")


class Network(Protocol):
    """What an algorithm asks of a regressor: a pure function of parameters with two hidden layers.

    See :class:`MLP` for what each of them does.
    """

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]: ...

    def init(self, rng: np.random.Generator, scheme: str = ...) -> Params: ...

    def activations(
        self, params: Mapping[str, Tensor], x: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]: ...


@dataclass(frozen=True)
class MLP:
    """A network of two hidden layers: ``sizes = (inputs, hidden1, hidden2, outputs)``."""

    sizes: tuple[int, int, int, int]
    activation: str = "relu"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each parameter, in order."""
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, (fan_in, fan_out) in enumerate(zip(self.sizes, self.sizes[1:], strict=False)):
            shapes[f"{2 * layer}.weight"] = (fan_out, fan_in)
            shapes[f"{2 * layer}.bias"] = (fan_out,)
        return shapes

    def init(self, rng: np.random.Generator, scheme: str = "fan-in") -> Params:
        """Fresh float32 parameters, with zero biases unless it says otherwise.

        ``fan-in``: weights from U(+-1/sqrt(fan in)), which gives the original experiments' U(-1, 1)
        on the first layer. ``truncated-normal``: standard deviation 0.01, cut at two deviations
        (Finn et al. 2017, sinusoid regression). ``spread``: as fan-in, but each unit of the first
        layer has its kink at a point of its own, w . u + b = 0 with u from U(-2 pi, 2 pi), so that
        the network can bend anywhere in its range and not at zero alone.

        Raises:
            ValueError: for another scheme.
        """
        if scheme not in INITIALISATIONS:
            raise ValueError(f"unknown initialisation {scheme!r}: use one of {INITIALISATIONS}")
        params: Params = {}
        for name, shape in self.shapes.items():
            if name.endswith("bias"):
                values = np.zeros(shape)
                if name == "0.bias" and scheme == "spread":
                    weights = params["0.weight"].numpy()
                    kinks = rng.uniform(-2 * np.pi, 2 * np.pi, weights.shape)
                    values = -(weights * kinks).sum(1)
            elif scheme == "truncated-normal":
                values = 0.01 * _truncated_normal(rng, shape)
            else:
                bound = 1 / np.sqrt(shape[1])
                values = rng.uniform(-bound, bound, shape)
            params[name] = torch.from_numpy(values.astype(np.float32))
        return params

    def activations(self, params: Mapping[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Outputs and hidden activations at `x`.

        Args:
            params: tensors of shape (*batch, *shape of the parameter).
            x: (*batch, points, inputs); the batch axes broadcast against those of `params`.

        Returns:
            ``(y, h2, h1)`` of shapes (*batch, points, outputs), (*batch, points, hidden2) and
            (*batch, points, hidden1).
        """
        activate = ACTIVATIONS[self.activation]
        h1 = activate(_linear(x, params["0.weight"], params["0.bias"]))
        h2 = activate(_linear(h1, params["2.weight"], params["2.bias"]))
        return _linear(h2, params["4.weight"], params["4.bias"]), h2, h1


def predict(network: Network, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """The regressor's curve: scalars in, scalars out.

    `x` has shape (*batch, points); so has the result, after broadcasting with `params`.
    """
    return network.activations(params, x.unsqueeze(-1))[0].squeeze(-1)


def _linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return x @ weight.mT + bias.unsqueeze(-2)


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return values
