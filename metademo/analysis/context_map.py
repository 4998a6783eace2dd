"""The map that CAVIA draws: a few numbers stand for a task, and like tasks lie side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms.cavia import CAVIA, CONTEXT
from metademo.algorithms.learner import tensor_like
from metademo.models import Model
from metademo.tasks import Array, Examples, WaveFamily, Waves
from metademo.training import HELD_OUT_STREAM


@dataclass(frozen=True)
class ContextMap:
    """Held-out tasks on the map, and the plane on which it is seen best.

    Attributes:
        model: whose map it is.
        waves: the tasks.
        contexts: where they lie after the inner steps, (tasks, numbers).
        centre: their mean, (numbers,).
        axes: the two directions in which they vary most, (2, numbers), of length 1 each.
    """

    model: Model
    waves: Waves
    contexts: Array
    centre: Array
    axes: Array

    @classmethod
    def of(
        cls,
        model: Model,
        family: WaveFamily,
        *,
        shots: int = 10,
        steps: int | None = None,
        tasks: int = 400,
        seed: int = 0,
    ) -> ContextMap:
        """Adapt to held-out tasks, and see where they come to lie.

        Raises:
            ValueError: for a learner without a context.
        """
        rng = np.random.default_rng([seed, HELD_OUT_STREAM])
        waves, episode = family.sample_episodes(rng, tasks, shots=shots, queries=0)
        contexts = walk(model, episode.support, steps=steps)[-1]
        centre = contexts.mean(0)
        axes = np.linalg.svd(contexts - centre, full_matrices=False)[2][:2]
        return cls(model, waves, contexts, centre, axes)

    def flat(self, contexts: Array) -> Array:
        """Contexts (.., numbers) as places on the plane, (.., 2)."""
        return (contexts - self.centre) @ self.axes.T

    def context(self, places: Array) -> Array:
        """The inverse of `flat`, for places on the plane (.., 2): contexts (.., numbers)."""
        return self.centre + places @ self.axes

    def curves(self, contexts: Array, x: Array) -> Array:
        """What the network draws at contexts (places, numbers): (places, points)."""
        learner, tensor = _cavia(self.model), tensor_like(self.model.meta)
        with torch.no_grad():
            drawn = learner.curves(self.model.meta, tensor(contexts), tensor(x))
        return drawn.cpu().numpy()

    @property
    def shown(self) -> float:
        """The share of the contexts' variance that the plane shows, 0 to 1."""
        spread = self.contexts - self.centre
        return float(np.square(spread @ self.axes.T).sum() / np.square(spread).sum())

    @property
    def linear_r2(self) -> Array:
        """How well A cos(phase) and A sin(phase) are linear in the context: R2 of each, (2,).

        Fitted to one half of the tasks, and measured on the other.
        """
        told = self.waves.amplitude * np.stack([np.cos(self.waves.phase), np.sin(self.waves.phase)])
        inputs = np.column_stack([np.ones(len(self.contexts)), self.contexts])
        half = len(inputs) // 2
        fitted, *_ = np.linalg.lstsq(inputs[:half], told.T[:half], rcond=None)
        rest = told.T[half:] - inputs[half:] @ fitted
        return 1 - rest.var(0) / told.T[half:].var(0)


def walk(model: Model, support: Examples[Array], *, steps: int | None = None) -> Array:
    """Where on the map tasks are after 0, 1, .. S inner steps, (S + 1, tasks, numbers).

    Raises:
        ValueError: for a learner without a context; see also `GradientBased.adapt`.
    """
    trajectory = _cavia(model).adapt(model.meta, support, steps=steps).trajectory
    places: list[Tensor] = [params[CONTEXT] for params in trajectory]
    return torch.stack(places).cpu().numpy()


def _cavia(model: Model) -> CAVIA:
    if not isinstance(model.learner, CAVIA):
        raise ValueError(f"{model.learner.name} has no context, and so no map")
    return model.learner
