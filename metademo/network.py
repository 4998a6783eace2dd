"""Networks as pure functions of their parameters.

Meta-learning needs a network that can be run with *any* parameters: the initialisation, the
adapted weights after three inner steps, or a thousand sets of adapted weights at once. So a network
here is not an `nn.Module` that owns its weights; it is a :class:`Network`, a frozen description
that takes parameters as an argument. Each kind of task has one; that of curves is here.

Parameters are a flat dictionary of tensors, named as PyTorch names those of
``nn.Sequential(Linear, ReLU, Linear, ReLU, Linear)``: ``0.weight, 0.bias, 2.weight, ...``. Every
tensor may carry leading axes (tasks, inner steps); a matrix product broadcasts over them, which is
all the batching there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import gelu, leaky_relu

Params = dict[str, Tensor]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "leaky-relu": lambda x: leaky_relu(x, 0.1),
    "tanh": torch.tanh,
    "gelu": gelu,
}
ACTIVATIONS_IN_TORCH = {
    "relu": "torch.relu({})",
    "leaky-relu": "torch.nn.functional.leaky_relu({}, 0.1)",
    "tanh": "torch.tanh({})",
    "gelu": "torch.nn.functional.gelu({})",
}
"""The same as scripts that are taken home write them."""
MAX_CLASSES = 100
"""More than a task has."""
INITIALISATIONS = ("fan-in", "truncated-normal", "spread")
"""How fresh weights may be drawn; not every network has more than the first."""


class Network(Protocol):
    """What learners that move weights ask of a network: a pure function of its parameters."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name and shape of each parameter, in order."""

    @property
    def head(self) -> tuple[str, ...]:
        """The names of the parameters of the last layer."""

    def init(self, rng: np.random.Generator, scheme: str = ...) -> Params:
        """Fresh float32 parameters; `scheme` is one of `INITIALISATIONS`, where it has several."""

    def predict(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """What it puts out at `x`.

        Args:
            params: tensors of shape (*batch, *shape of the parameter).
            x: (*batch, points, *features), features being the shape of one input: see `TaskKind`.
                The batch axes broadcast against those of `params`.

        Returns:
            (*batch, points), with further axes behind if a prediction is no single number.
        """


@runtime_checkable
class Embedding(Network, Protocol):
    """A network whose last layer each task has for itself: no parameter that tasks share.

    The names of `head` are not among `shapes`. What is learned for all tasks are features.
    """

    def fresh_head(self, labels: Tensor) -> Params:
        """The last layer as a task finds it, leaves without a task axis.

        Args:
            labels: of support sets, (tasks, points): the classes to tell apart.

        Raises:
            ValueError: if they are no classes, see `class_count`.
        """

    def features(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """What its last layer sees at `x`, see `predict`: (*batch, points, features)."""

    def classify(self, params: Mapping[str, Tensor], features: Tensor) -> Tensor:
        """What its last layer makes of that: (*batch, points, classes)."""

    def features_in_torch(self, role: str) -> str:
        """`features` of one task for scripts: a function `features(theta, x)`; "" if not told."""

    def fresh_head_in_torch(self, role: str) -> Sequence[str]:
        """`fresh_head` for scripts: entries of a dictionary, with the labels `y` at hand."""


@runtime_checkable
class InWords(Network, Protocol):
    """A network that says in plain PyTorch what it does, for scripts that need nothing of ours."""

    def in_torch(self, role: str, name: str) -> str:
        """`predict` for scripts: a function `name(theta, x)` of the parameters called `role`."""


def class_count(labels: Tensor) -> int:
    """How many classes there are, which are whole numbers from 0; at least one.

    Raises:
        ValueError: if these are no such labels, or more than `MAX_CLASSES`.
    """
    highest = labels.max().item() if labels.numel() else 0
    if not ((labels >= 0) & (labels == labels.round())).all() or highest >= MAX_CLASSES:
        raise ValueError(f"labels are classes, whole numbers from 0 to {MAX_CLASSES - 1}")
    return int(highest) + 1


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

    @property
    def head(self) -> tuple[str, ...]:
        return "4.weight", "4.bias"

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
        h1 = activate(linear(x, params["0.weight"], params["0.bias"]))
        h2 = activate(linear(h1, params["2.weight"], params["2.bias"]))
        return linear(h2, params["4.weight"], params["4.bias"]), h2, h1

    def predict(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Its outputs at `x`, see `activations`."""
        return self.activations(params, x)[0]

    def in_torch(self, role: str, name: str) -> str:
        """`predict` for scripts: a function `name(theta, x)` of the parameters called `role`."""
        return f"""\
def {name}(theta, x):
    hidden = {self._activated(f'linear(theta, "{role}.0", x)')}
    hidden = {self._activated(f'linear(theta, "{role}.2", hidden)')}
    return linear(theta, "{role}.4", hidden)
"""

    def draw_in_torch(self, scheme: str) -> str:
        """`init` for scripts: a function `draw_network(rng, role, sizes)`."""
        weights = _TRUNCATED_NORMAL if scheme == "truncated-normal" else _FAN_IN
        kinks = _KINKS if scheme == "spread" else ""
        return _DRAW.format(weights=weights, kinks=kinks)

    def _activated(self, text: str) -> str:
        return ACTIVATIONS_IN_TORCH[self.activation].format(text)


class Regressor(MLP):
    """An `MLP` from numbers to numbers: the network of curves."""

    def predict(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Its curve: `x` has shape (*batch, points), and so has the result."""
        return super().predict(params, x.unsqueeze(-1)).squeeze(-1)

    def in_torch(self, role: str, name: str) -> str:
        sizes = "-".join(map(str, self.sizes))
        return f"""\
def {name}(theta, x):
    \"\"\"The network, {sizes}: the height of its curve at each x.\"\"\"
    hidden = {self._activated(f'linear(theta, "{role}.0", x.unsqueeze(-1))')}
    hidden = {self._activated(f'linear(theta, "{role}.2", hidden)')}
    return linear(theta, "{role}.4", hidden).squeeze(-1)
"""

    def activations_in_torch(self, role: str, name: str) -> str:
        """As `in_torch`, with a function `activations(theta, x)` for `activations`."""
        sizes = "-".join(map(str, self.sizes))
        return f"""\
def activations(theta, x):
    \"\"\"What the network, {sizes}, puts out at x, and what its hidden units do: y, h2, h1.\"\"\"
    h1 = {self._activated(f'linear(theta, "{role}.0", x.unsqueeze(-1))')}
    h2 = {self._activated(f'linear(theta, "{role}.2", h1)')}
    return linear(theta, "{role}.4", h2), h2, h1


def {name}(theta, x):
    \"\"\"The height of its curve at each x.\"\"\"
    return activations(theta, x)[0].squeeze(-1)
"""


def regressor(hidden: int, activation: str = "relu") -> Regressor:
    """The article's network, 1-hidden-hidden-1."""
    return Regressor((1, hidden, hidden, 1), activation)


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A layer (outputs, inputs) of points (.., points, inputs), each with leading axes."""
    return x @ weight.mT + bias.unsqueeze(-2)


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return values


LINEAR_IN_TORCH = """\
def linear(theta, layer, x):
    return x @ theta[layer + ".weight"].mT + theta[layer + ".bias"].unsqueeze(-2)
"""
"""What functions of scripts are made of, as the networks here are of `linear`."""

_DRAW = """\
def draw_network(rng, role, sizes):
    theta = {{}}
    for layer, fan_in, fan_out in zip((0, 2, 4), sizes, sizes[1:], strict=False):
{weights}        bias = np.zeros(fan_out)
{kinks}\
        theta |= {{f"{{role}}.{{layer}}.weight": weight, f"{{role}}.{{layer}}.bias": bias}}
    return {{name: torch.tensor(value, dtype=torch.float32) for name, value in theta.items()}}
"""
_FAN_IN = """\
        bound = 1 / np.sqrt(fan_in)
        weight = rng.uniform(-bound, bound, (fan_out, fan_in))
"""
_TRUNCATED_NORMAL = """\
        weight = rng.standard_normal((fan_out, fan_in))
        while (outside := np.abs(weight) > 2).any():  # cut at two deviations
            weight[outside] = rng.standard_normal(outside.sum())
        weight *= 0.01
"""
_KINKS = """\
        if layer == 0:  # each unit bends at a place of its own
            weight = weight.astype(np.float32)
            bias = -(weight * rng.uniform(-2 * np.pi, 2 * np.pi, weight.shape)).sum(1)
"""
