"""What a transformer looks at: from places on the x axis to the points, by layer and head."""

from __future__ import annotations

import numpy as np
import torch

from metademo.algorithms.in_context import InContext
from metademo.algorithms.learner import tensor_like
from metademo.models import Model
from metademo.tasks import Array, Examples


def attention(model: Model, support: Examples[Array], x: Array) -> Array:
    """How much each place attends to each point, at every stage.

    Args:
        support: a batch of one task, (1, points).
        x: (places,).

    Returns:
        (points + 1 stages, layers, heads, places, 1 + points): at stage t the first t points are
        seen. Shares that add up to 1; the first is that of the null token, which is no point.

    Raises:
        ValueError: for a learner without attention, or another support set.
    """
    learner = model.learner
    if not isinstance(learner, InContext):
        raise ValueError(f"{learner.name} has no attention")
    learner.check_support(support)
    if len(support.x) != 1:
        raise ValueError(f"attention is that of one task, not of {len(support.x)}")
    tensor, points = tensor_like(model.meta), support.x.shape[1]
    seen = tensor(np.tri(points + 1, points, -1))[:, None]
    with torch.no_grad():
        shares = learner.attention(model.meta, support.map(tensor), seen, tensor(x))
    return shares[:, :, 0].transpose(0, 1).cpu().numpy()
