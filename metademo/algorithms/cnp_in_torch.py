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
            "of these vectors. `theta` holds the weights of both by name.",
            "\n\n".join((LINEAR_IN_TORCH, *networks)),
        ),
        Passage(
            "## Predicting from the points that are seen\n\nAdapting is a forward pass: the mean "
            "is all that it keeps of a task.",
            _PREDICT.format(width=encoder.sizes[-1], floor=floor),
        ),
    )
    return InTorch(passages, std=True)


_PREDICT = '''\
def predict(theta, x, y, seen, places):
    """Mean and standard deviation at the places; seen is 1 for each point that counts."""
    codes = encoder(theta, torch.stack([x / torch.pi, y / 2], dim=-1))
    counts = seen.unsqueeze(-1)
    task = (counts * codes).sum(-2) / counts.sum(-2).clamp_min(1)  # zero before the first point
    asked = (places / torch.pi).expand(*task.shape[:-1], places.shape[-1]).unsqueeze(-1)
    task = task.unsqueeze(-2).expand(*asked.shape[:-1], {width})
    mean, spread = decoder(theta, torch.cat([asked, task], dim=-1)).unbind(-1)
    return 2 * mean, 2 * torch.nn.functional.softplus(spread) + {floor}
'''
