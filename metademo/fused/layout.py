"""Where the numbers of a meta-vector lie in the kernels' packed and padded ones.

A meta-vector is `[theta (P,), psi (with an adaptation loss network), step sizes (if learned)]`.
theta is `[W1, b1, W2, b2, W3, b3]` of the regressor 1-H-H-1, each (out, in) row by row, with
P = H*H + 4H + 1; psi is the same of the adaptation loss network (1 + 2H)-A-A-1, whose input is
`[y, h2, h1]`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .problem import Array, Problem

LANES = 16
"""Rows of the kernels' matrices are padded to a multiple of this."""


def padded(n: int) -> int:
    """n, rounded up to whole rows of `LANES`."""
    return -(-n // LANES) * LANES


def _packed_network(hidden: int, inputs: Array, width: int) -> tuple[Array, int]:
    """Where each number of a flat network goes in its packed vector (see `kernels.Network`), and
    how long that is. inputs (n,): the rows of its inputs among the `width` rows of its first layer.
    """
    w, unit = padded(hidden), np.arange(hidden)
    second = (width + 1) * w
    bias2 = second + hidden * w
    bias3 = bias2 + 2 * w
    places = [
        inputs[None, :] * w + unit[:, None],
        width * w + unit,
        second + unit[None, :] * w + unit[:, None],
        bias2 + unit,
        bias2 + w + unit,
        np.array([bias3]),
    ]
    return np.concatenate([place.ravel() for place in places]), bias3 + LANES


class Layout(NamedTuple):
    """Packed meta-vectors `[theta, psi, step sizes]`. order: the place of each public number, the
    step sizes' whether learned or not; slots (rows, theta): the place of the step size, or -1."""

    order: Array
    theta: int
    psi: int
    size: int
    slots: Array


def layout_of(problem: Problem) -> Layout:
    theta_order, theta = _packed_network(problem.hidden, np.array([0]), 1)
    parts, psi = [theta_order], 0
    if problem.adaptation_hidden:
        width, unit = padded(problem.hidden), np.arange(problem.hidden)
        inputs = np.concatenate([[2 * width], unit, width + unit])  # of [h2, h1, y], padded
        psi_order, psi = _packed_network(problem.adaptation_hidden, inputs, 2 * width + 1)
        parts.append(theta + psi_order)
    count = len(problem.step_sizes)
    parts.append(theta + psi + np.arange(count))
    chosen = np.zeros((1, len(theta_order)), int)
    if problem.slots is not None:
        chosen = np.asarray(problem.slots)
    slots = np.full((len(chosen), theta), -1, np.int64)
    slots[:, theta_order] = np.where(chosen >= 0, theta + psi + chosen, -1)
    return Layout(np.concatenate(parts), theta, psi, theta + psi + padded(count), slots)
