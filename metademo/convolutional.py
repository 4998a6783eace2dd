"""A small network of convolutions, for tasks whose inputs are images and whose classes are new.

Like every network here it is a pure function of its parameters, see :mod:`metademo.network`; those
that it shares with all tasks are named as PyTorch names those of ::

    nn.Sequential(Conv2d(1, f, 3, 2, 1, bias=False), GroupNorm(1, f), ReLU(), ...)

three times over, and then Flatten. What follows is a linear layer with an output for each class of
a task. That *head* is no parameter which tasks share: it is all zeros at the start of each, so that
classes are as many as a task has, and none comes before another.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import layer_norm, pad

from metademo.network import ACTIVATIONS, ACTIVATIONS_IN_TORCH, Params, class_count, linear

LAYERS, KERNEL, STRIDE = 3, 3, 2


@dataclass(frozen=True)
class ConvNet:
    """Three convolutions of stride 2, each normalised over its image, and a head for each task.

    Attributes:
        side: of an image, pixels; they are given as one row, (side * side,).
        filters: of each layer.
        activation: one of `network.ACTIVATIONS`.
    """

    side: int
    filters: int
    activation: str = "relu"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each parameter that tasks share: the head is not among them."""
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(LAYERS):
            inputs = self.filters if layer else 1
            shapes[f"{3 * layer}.weight"] = (self.filters, inputs, KERNEL, KERNEL)
            shapes[f"{3 * layer + 1}.weight"] = (self.filters,)
            shapes[f"{3 * layer + 1}.bias"] = (self.filters,)
        return shapes

    @property
    def head(self) -> tuple[str, ...]:
        return "head.weight", "head.bias"

    @property
    def size(self) -> int:
        """How many features an image has."""
        side = self.side
        for _ in range(LAYERS):
            side = _half(side)
        return side * side * self.filters

    def init(self, rng: np.random.Generator, scheme: str = "fan-in") -> Params:
        """Fresh float32 parameters: normal weights of variance 2 / fan in (He et al. 2015).

        There is one way only, since each layer is normalised.
        """
        params: Params = {}
        for name, shape in self.shapes.items():
            if len(shape) > 1:
                deviation = math.sqrt(2 / math.prod(shape[1:]))
                values = torch.from_numpy(deviation * rng.standard_normal(shape)).float()
            else:
                values = torch.full(shape, float(name.endswith("weight")))
            params[name] = values
        return params

    def fresh_head(self, labels: Tensor) -> Params:
        """Zeros, for as many classes as there are among the labels of a support set.

        Raises:
            ValueError: see `class_count`.
        """
        classes = class_count(labels)
        weight, bias = labels.new_zeros(classes, self.size), labels.new_zeros(classes)
        return dict(zip(self.head, (weight.requires_grad_(), bias.requires_grad_()), strict=True))

    def features(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """What the head sees of images (*batch, images, side * side): (*batch, images, size)."""
        activate, side = ACTIVATIONS[self.activation], self.side
        planes = x.unsqueeze(-1)  # (*batch, images, places, channels)
        for layer in range(LAYERS):
            weight = params[f"{3 * layer}.weight"].flatten(-2).mT.flatten(-2)
            gain, shift = (params[f"{3 * layer + 1}.{name}"] for name in ("weight", "bias"))
            patches = _patches(planes, side)
            filtered = patches.flatten(-3, -2) @ weight.mT
            filtered = filtered.unflatten(-2, patches.shape[-3:-1])
            normal = layer_norm(filtered, filtered.shape[-2:])
            planes = activate(normal * gain[..., None, None, :] + shift[..., None, None, :])
            side = _half(side)
        return planes.mT.flatten(-2)

    def predict(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """The logits of images (*batch, images, side * side): (*batch, images, classes)."""
        return self.classify(params, self.features(params, x))

    def classify(self, params: Mapping[str, Tensor], features: Tensor) -> Tensor:
        """The logits of what `features` gives: (*batch, images, classes)."""
        return linear(features, params["head.weight"], params["head.bias"])

    # ---------------------------------------------- for scripts, of the images of one task alone

    def in_torch(self, role: str, name: str) -> str:
        """`predict`: a function `name(theta, x)` of the parameters called `role`."""
        return f'''\
{self.features_in_torch(role)}

def {name}(theta, x):
    """The logit of each class."""
    return linear(theta, "{role}.head", features(theta, x))
'''

    def features_in_torch(self, role: str) -> str:
        """`features`: a function `features(theta, x)`."""
        filtered = f"torch.nn.functional.conv2d(planes, weight, stride={STRIDE}, padding=1)"
        normal = "torch.nn.functional.group_norm(filtered, 1, gain, shift)"
        return f'''\
def features(theta, x):
    """What is seen in images: {LAYERS} convolutions, each normalised over its image."""
    planes = x.unflatten(-1, (1, {self.side}, {self.side}))
    for layer in {tuple(range(0, 3 * LAYERS, 3))}:
        weight, gain, shift = (
            theta[f"{role}.{{name}}"]
            for name in (f"{{layer}}.weight", f"{{layer + 1}}.weight", f"{{layer + 1}}.bias")
        )
        filtered = {filtered}
        planes = {ACTIVATIONS_IN_TORCH[self.activation].format(normal)}
    return planes.flatten(1)
'''

    def fresh_head_in_torch(self, role: str) -> tuple[str, ...]:
        """`fresh_head`: entries of a dictionary."""
        return tuple(
            f'"{role}.{name}": torch.zeros(int(y.max()) + 1{size}, requires_grad=True)'
            for name, size in zip(self.head, (f", {self.size}", ""), strict=True)
        )


def _half(side: int) -> int:
    """What a convolution leaves of a side."""
    return math.ceil(side / STRIDE)


@functools.cache
def _seen(side: int) -> Tensor:
    """Which places of an image each place behind a convolution sees: (places, 9), flattened.

    An image has its places row by row, and one more behind them for what lies outside of it.
    """
    starts = STRIDE * torch.arange(_half(side)) - 1
    along = starts[:, None] + torch.arange(KERNEL)
    rows, columns = along[:, None, :, None], along[None, :, None, :]
    inside = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
    return torch.where(inside, rows * side + columns, side * side).flatten()


def _patches(planes: Tensor, side: int) -> Tensor:
    """What each place behind a convolution sees of (.., places, channels).

    Returns:
        (.., fewer places, 9 * channels), the channels of each of the nine side by side.
    """
    outside = pad(planes, (0, 0, 0, 1))
    seen = outside.index_select(-2, _seen(side).to(planes.device))
    return seen.unflatten(-2, (-1, KERNEL * KERNEL)).flatten(-2)
