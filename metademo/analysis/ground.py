"""The ground an inner loop walks on: the losses on a line and on planes among the weights.

A network has some thousand weights; a picture has two axes. So each picture says which line or
plane it shows, and how far off it the walk is: a plane tells of the walk what lies in it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metademo.analysis.walk import Walk
from metademo.tasks import Array

ALONG = np.linspace(-1.5, 1.5, 61)
"""Where a slice is looked at: 0 is theta_0, 1 the end of the walk."""
SIDE = 51
"""Networks along each side of a map of a plane."""
ROOM = 1.35
"""How much farther than its farthest step a plane is shown, to each side of theta_0."""
TOGETHER = 100
"""Networks that are evaluated at once, which bounds the memory."""


@dataclass(frozen=True)
class Slice:
    """Losses on the line theta_0 + s (theta_S - theta_0).

    Attributes:
        s: places on the line, (places,); 0 is where the walk begins, and 1 where it ends.
        true: the error against the truth there.
        mirror: that against the same wave upside down.
        inner: what the inner loop descends (at its first step) there.
        at: where on the line each step is nearest to, (S + 1,).
        off: how far each step is off the line, in weights, (S + 1,).
        length: from theta_0 to theta_S, in weights.
        norm: the length of theta_0.
    """

    s: Array
    true: Array
    mirror: Array
    inner: Array
    at: Array
    off: Array
    length: float
    norm: float


def slice_of(walk: Walk, s: Array = ALONG) -> Slice:
    """The losses on the line through both ends of a walk.

    Args:
        s: places on it, (places,).
    """
    start, way = walk.weights[0], walk.weights[-1] - walk.weights[0]
    length = way.norm()
    on_it = start + torch.as_tensor(s).double()[:, None] * way
    offsets = walk.weights - start
    at = offsets @ way / length.square().clamp_min(torch.finfo(torch.float64).tiny)
    outputs = walk.predict(on_it, walk.truth.x[0])
    truth, loss = walk.truth.labels, walk.learner.kind.losses[walk.metric]
    return Slice(
        s=np.asarray(s),
        true=loss(outputs, truth).numpy(),
        mirror=loss(outputs, -truth).numpy(),
        inner=_losses(walk.inner_loss, on_it),
        at=at.numpy(),
        off=(offsets - at[:, None] * way).norm(dim=1).numpy(),
        length=float(length),
        norm=float(start.norm()),
    )


@dataclass(frozen=True)
class Plane:
    """A plane through theta_0, what the losses are on it, and the walk as far as it lies in it.

    What is measured on many networks is measured when it is asked for.

    Attributes:
        walk: it begins in the middle of the plane.
        axes: two directions of length 1, (2, weights).
        reach: how far the plane is shown to each side of theta_0, in weights.
        side: networks along each side of a map.
    """

    walk: Walk
    axes: Tensor
    reach: float
    side: int = SIDE

    @property
    def places(self) -> Array:
        """Where networks are along each axis, in weights; 0 is theta_0: (side,)."""
        return np.linspace(-self.reach, self.reach, self.side)

    @functools.cached_property
    def true(self) -> Array:
        """The error against the truth, row by row along the second axis, (side, side)."""
        return self._map(self._quick.true_loss)

    @functools.cached_property
    def inner(self) -> Array:
        """What the inner loop descends at its first step, likewise."""
        return self._map(self._quick.inner_loss)

    @functools.cached_property
    def steps(self) -> Array:
        """Where each step is seen, (S + 1, 2): the nearest point of the plane."""
        # The axes of a random plane are at right angles only nearly.
        return torch.linalg.lstsq(self.axes.T, self._offsets.T).solution.T.numpy()

    @property
    def lost(self) -> Array:
        """The share of each step's squared distance from theta_0 that is off it, (S + 1,)."""
        away = self._offsets.square().sum(1).clamp_min(torch.finfo(torch.float64).tiny)
        off = self._offsets - torch.from_numpy(self.steps) @ self.axes
        return (off.square().sum(1) / away).numpy()

    @property
    def true_at_steps(self) -> Array:
        """The error of the steps themselves, (S + 1,)."""
        return _losses(self.walk.true_loss, self.walk.weights)

    @property
    def inner_at_steps(self) -> Array:
        """What the first step descends, of the steps themselves, (S + 1,)."""
        return _losses(self.walk.inner_loss, self.walk.weights)

    @property
    def true_seen(self) -> Array:
        """The error where the steps are seen, which is what the map says there, (S + 1,)."""
        return _losses(self.walk.true_loss, self._seen)

    @property
    def inner_seen(self) -> Array:
        """What the first step descends, likewise."""
        return _losses(self.walk.inner_loss, self._seen)

    @property
    def _offsets(self) -> Tensor:
        return self.walk.weights - self.walk.weights[0]

    @property
    def _seen(self) -> Tensor:
        return self.walk.weights[0] + torch.from_numpy(self.steps) @ self.axes

    @functools.cached_property
    def _quick(self) -> Walk:
        return self.walk.single()

    def _map(self, loss: Callable[[Tensor], Tensor]) -> Array:
        start, axes = self._quick.weights[0], self.axes.float()
        places = torch.from_numpy(self.places).float()
        rows = start + places[:, None] * axes[1]
        across = places[:, None] * axes[0]
        return np.stack([_losses(loss, row + across) for row in rows])


def reach_of(walk: Walk) -> float:
    """How far a plane has to be shown for the walk to be on it; 1 if it stays where it is."""
    return ROOM * float((walk.weights - walk.weights[0]).norm(dim=1).max()) or 1.0


def walked_plane(walk: Walk) -> Tensor:
    """The plane through theta_0 that the walk leaves least, (2, weights).

    Its axes are the first two right singular vectors of the ways theta_k - theta_0, which are not
    centred: the plane goes through theta_0. Where the walk has no second direction, or none at all,
    random ones take their place (`random_plane`).
    """
    offsets = walk.weights[1:] - walk.weights[0]
    _, sizes, directions = torch.linalg.svd(offsets, full_matrices=False)
    found = int((sizes > 1e-9 * max(1.0, float(walk.weights[0].norm()))).sum())
    axes = torch.cat([directions[: min(found, 2)], random_plane(walk)])[:2]
    q, _ = torch.linalg.qr(axes.T)
    # A factorisation leaves the signs open: the walk goes to the right, and at its end upwards.
    ends = q.T @ (walk.weights[-1] - walk.weights[0])
    return (q * torch.where(ends < 0, -1.0, 1.0)).T


def random_plane(walk: Walk, seed: int = 0) -> Tensor:
    """Two random directions, filter by filter as long as theta_0 (Li et al. 2018, section 4).

    A filter is here all that goes into one unit: its weights and its bias, normalised as one; the
    paper leaves biases out. Both are then scaled to length 1, so that planes are of one scale.

    Returns:
        (2, weights).
    """
    rng = np.random.default_rng(seed)
    drawn = torch.from_numpy(rng.standard_normal((2, walk.weights.shape[1])))
    scale = torch.cat([lengths.reshape(-1) for lengths in _filter_lengths(walk, walk.weights[0])])
    own = torch.stack(
        [torch.cat([one.reshape(-1) for one in _filter_lengths(walk, row)]) for row in drawn]
    )
    directions = drawn * scale / own
    return directions / directions.norm(dim=1, keepdim=True)


def _filter_lengths(walk: Walk, weights: Tensor) -> Iterator[Tensor]:
    """For each parameter, of its shape, how long the filter is that each of its numbers is in."""
    params = walk.params(weights)
    for name, value in params.items():
        layer = name.rpartition(".")[0]
        together = [p for other, p in params.items() if other.rpartition(".")[0] == layer]
        squares = [p.reshape(len(p), -1).square().sum(1) for p in together]
        length = torch.stack(squares).sum(0).sqrt()
        yield length.reshape(-1, *[1] * (value.ndim - 1)).expand(value.shape)


def _losses(loss: Callable[[Tensor], Tensor], weights: Tensor) -> Array:
    """Of many networks, some at a time."""
    with torch.no_grad():
        return torch.cat([loss(some) for some in weights.split(TOGETHER)]).numpy()
