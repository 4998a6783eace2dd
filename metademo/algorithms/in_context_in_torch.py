"""A transformer that learns in context, as text; see `in_torch`."""

from __future__ import annotations

from metademo.algorithms.in_torch import InTorch, Passage
from metademo.network import ACTIVATIONS_IN_TORCH, LINEAR_IN_TORCH


def predicting(layers: int, heads: int, size: int) -> InTorch:
    """`predict`.

    Args:
        layers: blocks.
        heads: of each block's attention.
        size: the width of a head.
    """
    passages = (
        Passage(
            "## A block of the transformer\n\nAll tokens attend to the points that are seen, and "
            "to a null token that stands for none. `theta` holds the weights by name.",
            LINEAR_IN_TORCH + "\n\n" + _BLOCK.format(heads=heads, size=size, gelu=_GELU),
        ),
        Passage(
            "## Predicting from the points that are seen\n\nEach point is a token, and so is each "
            "place at which a prediction is asked for. One pass answers at all of them.",
            _PREDICT.format(layers=layers, gelu=_GELU),
        ),
    )
    return InTorch(passages)


def drawing(layers: int, width: int, inner: int) -> str:
    """`draw`.

    Args:
        width: of a token.
        inner: of all heads together.
    """
    return _DRAW.format(layers=layers, width=width, inner=inner, twice=2 * width)


_GELU = ACTIVATIONS_IN_TORCH["gelu"].removesuffix("({})")
_BLOCK = '''\
def normed(theta, layer, x):
    scale, shift = theta[layer + ".scale"], theta[layer + ".shift"]
    return torch.nn.functional.layer_norm(x, x.shape[-1:], scale, shift)


def split(x):
    """(.., tokens, heads x size) as (.., heads, tokens, size)."""
    return x.unflatten(-1, ({heads}, {size})).transpose(-2, -3)


def block(theta, name, tokens, seen):
    """The tokens, points first, after they have attended to the points that are seen."""
    asking = normed(theta, f"{{name}}.norm1", tokens)
    null = theta[f"{{name}}.null"].expand(*asking.shape[:-2], 1, asking.shape[-1])
    sources = torch.cat([null, asking[..., : seen.shape[-1], :]], dim=-2)
    queries = split(linear(theta, f"{{name}}.queries", asking))
    keys = split(linear(theta, f"{{name}}.keys", sources))
    values = split(linear(theta, f"{{name}}.values", sources))
    counts = torch.cat([torch.ones_like(seen[..., :1]), seen], dim=-1)[..., None, None, :] > 0
    found = torch.nn.functional.scaled_dot_product_attention(queries, keys, values, counts)
    tokens = tokens + linear(theta, f"{{name}}.merge", found.transpose(-2, -3).flatten(-2))
    hidden = linear(theta, f"{{name}}.mlp.0", normed(theta, f"{{name}}.norm2", tokens))
    return tokens + linear(theta, f"{{name}}.mlp.2", {gelu}(hidden))
'''
_PREDICT = '''\
def predict(theta, x, y, seen, query_x):
    """The height of the curve at query_x; seen is 1 for each point that counts."""
    points = torch.stack([x / torch.pi, y / 2, torch.ones_like(x)], dim=-1)
    nothing = torch.zeros_like(query_x)
    asked = torch.stack([query_x / torch.pi, nothing, nothing], dim=-1)
    told = torch.cat([points, asked.expand(*x.shape[:-1], *asked.shape[-2:])], dim=-2)
    tokens = linear(theta, "embed.2", {gelu}(linear(theta, "embed.0", told)))
    for layer in range({layers}):
        tokens = block(theta, f"blocks.{{layer}}", tokens, seen)
    return linear(theta, "head", normed(theta, "norm", tokens[..., x.shape[-1] :, :])).squeeze(-1)
'''
_DRAW = """\
def draw_linear(rng, layer, inputs, outputs):
    bound = 1 / np.sqrt(inputs)
    weight = torch.tensor(rng.uniform(-bound, bound, (outputs, inputs)), dtype=torch.float32)
    return {{layer + ".weight": weight, layer + ".bias": torch.zeros(outputs)}}


def draw_norm(layer):
    return {{layer + ".scale": torch.ones({width}), layer + ".shift": torch.zeros({width})}}


def draw_block(rng, name):
    theta = draw_norm(f"{{name}}.norm1") | {{f"{{name}}.null": torch.zeros({width})}}
    for what in ("queries", "keys", "values"):
        theta |= draw_linear(rng, f"{{name}}.{{what}}", {width}, {inner})
    theta |= draw_linear(rng, f"{{name}}.merge", {inner}, {width}) | draw_norm(f"{{name}}.norm2")
    theta |= draw_linear(rng, f"{{name}}.mlp.0", {width}, {twice})
    return theta | draw_linear(rng, f"{{name}}.mlp.2", {twice}, {width})


def draw(rng):
    theta = draw_linear(rng, "embed.0", 3, {width}) | draw_linear(rng, "embed.2", {width}, {width})
    for layer in range({layers}):
        theta |= draw_block(rng, f"blocks.{{layer}}")
    return theta | draw_norm("norm") | draw_linear(rng, "head", {width}, 1)
"""
