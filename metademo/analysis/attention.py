"""What a transformer looks at: from places on the x axis to the points, by layer and head."""

from __future__ import annotations

import torch

from metademo.algorithms.in_context import InContext
from metademo.algorithms.learner import tensor_like
from metademo.models import Model
from metademo.tasks import Array, Examples


def attention(model: Model, support: Examples[Array], x: Array) -> Array:
    """How much each place attends to each point, all of which are seen.

    Args:
        support: a batch of one task, (1, points).
        x: (places,).

    Returns:
        (layers, heads, places, 1 + points): shares that add up to 1; the first is that of the null
        token, which is no point.

    Raises:
        ValueError: for a learner without attention, or another support set.
    """
    learner = model.learner
    if not isinstance(learner, InContext):
        raise ValueError(f"{learner.name} has no attention")
    learner.check_support(support)
    if len(support.x) != 1:
        raise ValueError(f"attention is that of one task, not of {len(support.x)}")
    tensor = tensor_like(model.meta)
    examples = support.map(tensor)
    with torch.inference_mode():
        shares = learner.attention(model.meta, examples, torch.ones_like(examples.x), tensor(x))
    return shares[:, 0].cpu().numpy()
