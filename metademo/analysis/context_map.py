"""Where tasks lie among the few numbers that CAVIA adapts, as a plane: a map of its family.

The plane is that of the two principal directions of the contexts of held-out tasks, through their
mean (Pearson 1901): of all planes the one that holds most of their variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from metademo.algorithms.cavia import CAVIA, CONTEXT
from metademo.models import Model
from metademo.tasks import Array, Examples, WaveFamily, Waves
from metademo.training import HELD_OUT_STREAM

TASKS, STEPS, SEED = 400, 5, 0
"""Held-out tasks, of which the first half is drawn, and the inner steps that each has taken."""
SIDE, PLACES = 21, 61
"""Places along each side of the map, and places on the x axis of the curve at each."""
FARTHEST = 1e6
MOST, ROOM = 98, 1.15
"""The map is as large as this percentage of the tasks need it, times this."""


@dataclass(frozen=True)
class Plane:
    """A plane among contexts.

    Attributes:
        centre: (numbers,).
        axes: at right angles and of length 1, (2, numbers).
        shares: of the variance of all contexts, that each axis holds, (2,).
    """

    centre: Array
    axes: Array
    shares: Array

    @classmethod
    def of(cls, contexts: Array) -> Plane:
        """The one that holds most of the variance of contexts (tasks, numbers)."""
        centre = contexts.mean(0)
        _, spreads, directions = np.linalg.svd(contexts - centre, full_matrices=False)
        axes = directions[:2]
        largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
        total = np.square(spreads).sum()
        shares = np.square(spreads[:2]) / total if total else np.array([1.0, 0.0])
        return cls(centre, axes * np.where(largest < 0, -1, 1), shares)

    @property
    def held(self) -> float:
        """The share of the variance that it holds."""
        return float(self.shares.sum())

    def places(self, contexts: Array) -> Array:
        """Where contexts (*batch, numbers) are seen on it, (*batch, 2)."""
        return (contexts - self.centre) @ self.axes.T

    def contexts(self, places: Array) -> Array:
        """The contexts at places (*batch, 2) on it, (*batch, numbers)."""
        return self.centre + places @ self.axes


@dataclass(frozen=True)
class ContextMap:
    """The map of a family.

    Attributes:
        waves: held-out tasks.
        places: where they are on the plane, (tasks, 2).
        r_squared: how much of A cos(phase) and of A sin(phase) the context explains linearly, on
            tasks that it was not fitted to; NaN where all tasks have the same.
        reach: how far the map goes from the middle of the plane to each side.
        x: (PLACES,).
        curves: what the network draws at SIDE x SIDE places, row by row upwards,
            (SIDE, SIDE, PLACES).
    """

    plane: Plane
    waves: Waves
    places: Array
    r_squared: tuple[float, float]
    reach: float
    x: Array
    curves: Array


def contexts(model: Model, support: Examples[Array], steps: int) -> Array:
    """The contexts of tasks after 0, 1, .. S inner steps, (S + 1, tasks, numbers).

    Raises:
        ValueError: for a learner without a context; see also `GradientBased.adapt`.
    """
    way = _cavia(model).adapt(model.meta, support, steps=steps).trajectory
    return np.stack([params[CONTEXT].double().numpy() for params in way])


def ran_away(contexts: Array) -> Array:
    """Which contexts (*batch, numbers) are beyond anything that could be drawn, (*batch,)."""
    return ~(np.abs(contexts) < FARTHEST).all(-1)


def context_map(model: Model, family: WaveFamily, shots: int) -> ContextMap | None:
    """Adapt to held-out tasks, of so many labelled points each, and draw the map.

    Tasks on which the steps run away are left out; if these are most, there is no map.

    Raises:
        ValueError: for a learner without a context.
    """
    rng = np.random.default_rng([SEED, HELD_OUT_STREAM])
    waves, episode = family.sample_episodes(rng, TASKS, shots=shots, queries=0)
    found = contexts(model, episode.support, STEPS)[-1]
    stay = ~ran_away(found)
    if stay.mean() < 0.5:
        return None
    found, half = found[stay], int(stay.sum()) // 2
    waves = Waves(waves.amplitude[stay], waves.frequency[stay], waves.phase[stay], waves.shape)
    plane = Plane.of(found[:half])
    places = plane.places(found[:half])
    reach = ROOM * float(np.percentile(np.abs(places).max(1), MOST)) or 1.0
    x = np.linspace(*family.x_range, PLACES)
    amplitude, phase = waves.amplitude, waves.phase
    parts = (amplitude * np.cos(phase), amplitude * np.sin(phase))
    return ContextMap(
        plane,
        Waves(amplitude[:half], waves.frequency[:half], phase[:half], waves.shape),
        places,
        (r_squared(found, parts[0]), r_squared(found, parts[1])),
        reach,
        x,
        curves(model, plane, grid(reach), x),
    )


def grid(reach: float) -> Array:
    """SIDE x SIDE places on a plane, row by row upwards, (SIDE, SIDE, 2)."""
    along = np.linspace(-reach, reach, SIDE)
    return np.stack(np.meshgrid(along, along), axis=-1)


def curves(model: Model, plane: Plane, places: Array, x: Array) -> Array:
    """What the network draws at places (*batch, 2) on a plane: (*batch, points)."""
    at = plane.contexts(places.reshape(-1, 2))
    tensors = (torch.from_numpy(np.asarray(values, np.float32)) for values in (at, x))
    with torch.no_grad():
        drawn = _cavia(model).curves(model.meta, *tensors)
    return drawn.double().numpy().reshape(*places.shape[:-1], len(x))


def r_squared(inputs: Array, values: Array) -> float:
    """The share of the variance of `values` (tasks,) that a linear map of `inputs` explains.

    It is fitted to the first half of the tasks by least squares, and judged on the other one.
    """
    half = len(inputs) // 2
    linear = np.column_stack([inputs, np.ones(len(inputs))])
    weights, *_ = np.linalg.lstsq(linear[:half], values[:half], rcond=None)
    missed = np.square(values[half:] - linear[half:] @ weights).sum()
    spread = np.square(values[half:] - values[half:].mean()).sum()
    return float(1 - missed / spread) if spread > 1e-9 else float("nan")


def _cavia(model: Model) -> CAVIA:
    if not isinstance(model.learner, CAVIA):
        raise ValueError(f"{model.learner.name} has no context")
    return model.learner
