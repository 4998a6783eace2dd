"""A conditional neural process, as text; see `in_torch`."""

from __future__ import annotations

from metademo.algorithms.in_torch import InTorch, Passage
from metademo.network import LINEAR_IN_TORCH, MLP


def predicting(encoder: MLP, decoder: MLP, floor: float) -> InTorch:
    """`predict`.

    Args:
        floor: the least standard deviation that it puts out.
    """
    networks = (encoder.in_torch("encoder", "encoder"), decoder.in_torch("decoder", "decoder"))
    passages = (
        Passage(
            "## The networks\n\nOne makes a vector of each point, the other predicts from the mean "
            "of these vectors, and from how many it is the mean of. `theta` holds the weights of "
            "both by name.",
            "\n\n".join((LINEAR_IN_TORCH, *networks)),
        ),
        Passage(
            "## Predicting from the points that are seen\n\nAdapting is a forward pass: the mean "
            "and the number are all that it keeps of a task.",
            _PREDICT.format(floor=floor),
        ),
    )
    return InTorch(passages, std=True)


def drawing(encoder: MLP, decoder: MLP, steep: float) -> str:
    """`draw`.

    Args:
        steep: how much steeper than others the first layers are drawn.
    """
    return encoder.draw_in_torch("fan-in") + _DRAW.format(
        encoder=encoder.sizes, decoder=decoder.sizes, hidden=encoder.sizes[1], steep=steep
    )


_PREDICT = '''\
def predict(theta, x, y, seen, query_x):
    """Mean and standard deviation at query_x; seen is 1 for each point that counts."""
    codes = encoder(theta, torch.stack([x / torch.pi, y / 2], dim=-1))
    counts = seen.unsqueeze(-1)
    known = counts.sum(-2)  # how many points; before the first one their mean is zero
    mean = (counts * codes).sum(-2) / known.clamp_min(1)
    task = torch.cat([(1 / (1 + known)).expand(*mean.shape[:-1], 1), mean], dim=-1)
    asked = (query_x / torch.pi).expand(*task.shape[:-1], query_x.shape[-1]).unsqueeze(-1)
    task = task.unsqueeze(-2).expand(*asked.shape[:-1], task.shape[-1])
    centre, spread = decoder(theta, torch.cat([asked, task], dim=-1)).unbind(-1)
    return 2 * centre, 2 * torch.nn.functional.softplus(spread) + {floor}
'''

_DRAW = '''

def draw(rng):
    """Steep and spread out, so that the first layers cover all points and places."""
    parts = {{
        "encoder": draw_network(rng, "encoder", {encoder}),
        "decoder": draw_network(rng, "decoder", {decoder}),
    }}
    parts["encoder"]["encoder.0.weight"] *= {steep}
    parts["decoder"]["decoder.0.weight"][:, :2] *= {steep} * np.sqrt(1 + {hidden} / 2)
    for name, network in parts.items():
        bias = rng.uniform(-{steep}, {steep}, {hidden})
        network[name + ".0.bias"] += torch.from_numpy(bias.astype(np.float32))
    return parts["encoder"] | parts["decoder"]
'''
