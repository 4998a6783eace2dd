"""Curves, a kind of task: predict a number from a number. Families of waves are of this kind."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from metademo.network import regressor
from metademo.tasks.base import TaskKind


def _mean(errors: Tensor) -> Tensor:
    """The mean over points; without any point there is no error, and so no gradient."""
    return errors.sum(-1) / max(1, errors.shape[-1])


CURVES = TaskKind(
    name="curve",
    role="regressor",
    network=regressor,
    losses={
        "l1": lambda prediction, target: _mean((prediction - target).abs()),
        "mse": lambda prediction, target: _mean((prediction - target).square()),
    },
    metrics={
        "l1": lambda prediction, truth: np.abs(prediction - truth).mean(-1),
        "mse": lambda prediction, truth: np.square(prediction - truth).mean(-1),
    },
    predicts="The height of the curve",
    compiled=True,
    losses_in_torch={
        "l1": "({} - {}).abs().mean(-1)",
        "mse": "({} - {}).square().mean(-1)",
    },
)
