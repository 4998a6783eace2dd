"""A transformer that learns in context (Garg et al. 2022), set-wise (Nguyen & Grover 2022).

Each point (x, y) is a token, and so is each place x at which a prediction is asked for. All tokens
attend to the points that are seen, and to nothing else (the mask of TNP-D): so places do not see
each other, points have no order, and one pass predicts anywhere. Blocks are pre-norm.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear

from metademo.algorithms import in_context_in_torch as as_text
from metademo.algorithms.conditioned import PI, Conditioned, uniform_weight
from metademo.algorithms.in_torch import InTorch, tells_of
from metademo.algorithms.learner import Meta
from metademo.algorithms.papers import GARG_2022, NGUYEN_2022
from metademo.tasks import Examples

LAYERS, HEADS = 2, 4


class InContext(Conditioned):
    """Attention over the points; what it has learned of a task is in its activations alone."""

    name = "in-context"
    title = "In-context transformer"
    summary = "reads the points as a language model reads a prompt: no weight changes at all"
    about = (
        "A transformer reads the points as a prompt. Each place on the x axis asks, by "
        "*attention*, which of the points matter for it, and two layers of that make the curve. "
        "Nothing is adapted, no weight changes: the outer loop has trained it on so many tasks "
        "that learning a new one has become a forward pass. Large language models learn from "
        "examples in their prompt in the same way."
    )
    formula = r"f(x) = T_\theta\big(x \mid \{(x_i, y_i)\}\big), \qquad \theta \text{ fixed}"
    papers = (GARG_2022, NGUYEN_2022)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        width, inner = self.hidden, HEADS * self._size
        shapes = _linear("embed.0", 3, width) | _linear("embed.2", width, width)
        for layer in range(LAYERS):
            block = f"blocks.{layer}"
            shapes |= _norm(f"{block}.norm1", width) | {f"{block}.null": (width,)}
            for name in ("queries", "keys", "values"):
                shapes |= _linear(f"{block}.{name}", width, inner)
            shapes |= _linear(f"{block}.merge", inner, width) | _norm(f"{block}.norm2", width)
            shapes |= _linear(f"{block}.mlp.0", width, 2 * width)
            shapes |= _linear(f"{block}.mlp.2", 2 * width, width)
        return shapes | _norm("norm", width) | _linear("head", width, 1)

    def init(self, rng: np.random.Generator) -> Meta:
        meta = {}
        for name, shape in self.shapes.items():
            if len(shape) == 2:
                meta[name] = uniform_weight(rng, shape)
            else:
                meta[name] = torch.full(shape, float(name.endswith("scale")))
        return meta

    def predict(
        self, meta: Meta, support: Examples[Tensor], seen: Tensor, x: Tensor
    ) -> tuple[Tensor, None]:
        places, _ = self._through(meta, support, seen, x)
        return _apply(meta, "head", _normed(meta, "norm", places)).squeeze(-1), None

    def attention(self, meta: Meta, support: Examples[Tensor], seen: Tensor, x: Tensor) -> Tensor:
        """How much each place attends to each point, in each layer and head.

        Args:
            meta, support, seen, x: see `predict`.

        Returns:
            (layers, *stages, tasks, heads, places, 1 + points): shares that add up to 1, 0 for
            points that are not seen. The first is that of the null token, which stands for none.
        """
        _, shares = self._through(meta, support, seen, x)
        return torch.stack([share[..., -x.shape[-1] :, :] for share in shares])

    @property
    def _size(self) -> int:
        """The width of a head."""
        return math.ceil(self.hidden / HEADS)

    def _through(
        self, meta: Meta, support: Examples[Tensor], seen: Tensor, x: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """The places behind the last block, and what tokens attended to in each.

        These are the points, then the places; in the last block the places alone, for nobody reads
        the points behind it.
        """
        tokens, found = self._tokens(meta, support, seen, x), []
        for layer in range(LAYERS):
            first = seen.shape[-1] if layer == LAYERS - 1 else 0
            tokens, shares = self._block(meta, f"blocks.{layer}", tokens, seen, first)
            found.append(shares)
        return tokens, found

    def _tokens(self, meta: Meta, support: Examples[Tensor], seen: Tensor, x: Tensor) -> Tensor:
        """The points, then the places, as tokens (tasks, points + places, width).

        They are the same at every stage: it is what they attend to that differs.
        """
        tasks = seen.shape[-2]
        places = torch.stack([x / PI, torch.zeros_like(x), torch.zeros_like(x)], dim=-1)
        points = torch.stack(
            [support.x / PI, support.labels / 2, torch.ones_like(support.x)], dim=-1
        )
        told = torch.cat([points, places.expand(tasks, *places.shape[-2:])], dim=-2)
        return _apply(meta, "embed.2", gelu(_apply(meta, "embed.0", told)))

    def _block(
        self, meta: Meta, block: str, tokens: Tensor, seen: Tensor, first: int
    ) -> tuple[Tensor, Tensor]:
        """Tokens from the `first` on, after they attended to the points that are seen; how much."""
        normed = _normed(meta, f"{block}.norm1", tokens)
        null = meta[f"{block}.null"].expand(*normed.shape[:-2], 1, self.hidden)
        sources = torch.cat([null, normed[..., : seen.shape[-1], :]], dim=-2)
        queries = self._split(_apply(meta, f"{block}.queries", normed[..., first:, :]))
        keys, values = (
            self._split(_apply(meta, f"{block}.{name}", sources)) for name in ("keys", "values")
        )
        shares = _shares(queries, keys, seen)
        found = (shares @ values).transpose(-2, -3).flatten(-2)
        tokens = tokens[..., first:, :] + _apply(meta, f"{block}.merge", found)
        inner = gelu(_apply(meta, f"{block}.mlp.0", _normed(meta, f"{block}.norm2", tokens)))
        return tokens + _apply(meta, f"{block}.mlp.2", inner), shares

    def _split(self, tokens: Tensor) -> Tensor:
        """(.., tokens, heads x size) as (.., heads, tokens, size)."""
        return tokens.unflatten(-1, (HEADS, self._size)).transpose(-2, -3)

    @property
    def predict_in_torch(self) -> InTorch | None:
        told = ("predict", "_through", "_tokens", "_block", "_split", "_size")
        if not tells_of(self, "predict_in_torch", *told):
            return None
        return as_text.predicting(LAYERS, HEADS, self._size)

    @property
    def draw_in_torch(self) -> str:
        return as_text.drawing(LAYERS, self.hidden, HEADS * self._size)


def _shares(queries: Tensor, keys: Tensor, seen: Tensor) -> Tensor:
    """softmax(Q K^T / sqrt(size)) over the null token and the points that are seen."""
    scores = queries @ keys.mT / math.sqrt(keys.shape[-1])
    counts = torch.cat([seen.new_ones(*seen.shape[:-1], 1), seen], dim=-1)[..., None, None, :]
    return torch.where(counts > 0, scores, -math.inf).softmax(-1)


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.scale": (width,), f"{name}.shift": (width,)}


def _apply(meta: Meta, name: str, x: Tensor) -> Tensor:
    return linear(x, meta[f"{name}.weight"], meta[f"{name}.bias"])


def _normed(meta: Meta, name: str, x: Tensor) -> Tensor:
    return layer_norm(x, x.shape[-1:], meta[f"{name}.scale"], meta[f"{name}.shift"])
