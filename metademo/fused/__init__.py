"""Compiled meta-training and adaptation, one call each, on numpy arrays.

`problem` says what is asked; `kernels` holds the mathematics, made of the `products`; `layout`
turns flat vectors in torch's order into the kernels' padded ones; `memory` is what the kernels read
and write; `runtime` loads them, and `kernel_cache` keeps their code on disk.

A meta-vector is `[theta (P,), psi (with an adaptation loss network), step sizes (if learned)]`, see
`layout`.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np

from .memory import Chunk, Memory, TrainerState, borrowed, exactly
from .problem import OPTIMIZERS, Array, Problem, parameter_count
from .runtime import keeps_all, keeps_code, load, note_all

__all__ = [
    "Chunk",
    "Problem",
    "Trainer",
    "TrainerState",
    "adapt",
    "keeps_all",
    "keeps_code",
    "load",
    "meta_gradient",
    "parameter_count",
    "predict",
    "warm",
]


class Trainer:
    """The outer loop: SGD or Adam as in torch, with the gradient's norm clipped to `max_norm`.

    A run goes on from chunk to chunk as if it were one, to the bit. A step that is not finite ends
    its chunk and is not taken.
    """

    def __init__(
        self,
        problem: Problem,
        meta: Array,
        dtype: Any = np.float32,
        optimizer: str = "sgd",
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        max_norm: float = 0.0,
    ) -> None:
        _check_meta(problem, meta)
        if optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer is one of {', '.join(OPTIMIZERS)}, not {optimizer!r}")
        self.problem, self.dtype = problem, np.dtype(dtype)
        self._optimizer = OPTIMIZERS[optimizer]
        self._hyper = (float(betas[0]), float(betas[1]), float(epsilon), float(max_norm))
        zeros = np.zeros_like(meta, dtype)
        self._initial = TrainerState(np.array(meta, dtype), zeros, zeros, 0)
        self._memory: Memory | None = None

    def run(
        self,
        inner_x: Array,
        inner_y: Array | None,
        query_x: Array,
        query_y: Array,
        rates: Array,
        weights: Array | None = None,
    ) -> Chunk:
        """N outer steps of T tasks each.

        Shapes: inner_x, inner_y (N, T, K), or in DAML the source inputs (N, T, S) and None;
        query_x, query_y (N, T, Q); outer learning rates (N,); weights of the query losses after
        0..S inner steps (S + 1,) or (N, S + 1), by default 1 for the last.
        """
        memory = self._fit(inner_x.shape[1], inner_x.shape[2], query_x.shape[2])
        episodes = memory.episodes(inner_x, inner_y, query_x, query_y)
        return memory.train(episodes, weights, rates, self._hyper)

    def _fit(self, tasks: int, support: int, query: int) -> Memory:
        shape = (tasks, support, query)
        if self._memory is None or self._memory.shape != shape:
            state = self.state
            self._memory = Memory(self.problem, *shape, self.dtype, self._optimizer)
            self._memory.state = state
        return self._memory

    @property
    def meta(self) -> Array:
        """A copy of the meta-vector as it is now."""
        return self.state.meta

    @property
    def steps(self) -> int:
        """Outer steps taken."""
        return self.state.steps if self._memory is None else int(self._memory.place[1])

    @property
    def state(self) -> TrainerState:
        """A copy of all that the run goes on from."""
        return self._initial if self._memory is None else self._memory.state


def meta_gradient(
    problem: Problem,
    meta: Array,
    inner_x: Array,
    inner_y: Array | None,
    query_x: Array,
    query_y: Array,
    weights: Array | None = None,
    dtype: Any = np.float32,
) -> tuple[Array, float]:
    """The gradient (meta,) of the mean query loss over T tasks, and that loss.

    Shapes as in `Trainer.run`, without the leading N.
    """
    _check_meta(problem, meta)
    shape = (inner_x.shape[0], inner_x.shape[1], query_x.shape[1])
    memory = Memory(problem, *shape, dtype, OPTIMIZERS["none"])
    memory.put(memory.shared.meta, meta, step_sizes=True)
    episodes = memory.episodes(inner_x, inner_y, query_x, query_y)
    losses, _ = memory.train(episodes, weights, np.zeros(1), (0.9, 0.999, 1e-8, 0.0))
    return memory.take(memory.shared.gradient[0]), float(losses[0])


def adapt(
    problem: Problem, meta: Array, inner_x: Array, inner_y: Array | None, dtype: Any = np.float32
) -> tuple[Array, Array]:
    """thetas (S + 1, T, P) and the inner losses (S + 1, T) of tasks inner_x, inner_y (T, K).

    In DAML inner_x is (T, S), one source input for each step, and the loss after the last step is
    taken at the last of them again; or it is (T, S + 1).
    """
    _check_meta(problem, meta)
    tasks, steps, size = len(inner_x), problem.inner_steps + 1, problem.theta_size
    thetas, losses = np.empty((steps, tasks, size), dtype), np.empty((steps, tasks), dtype)
    no_query = np.zeros((tasks, 1))
    with borrowed(problem, 1, inner_x.shape[1], 1, dtype) as memory:
        memory.put(memory.shared.meta, meta, step_sizes=True)
        episodes = memory.episodes(inner_x, inner_y, no_query, no_query)
        layout, order = memory.layout, memory.layout.order[:size]
        given = (memory.workspace, memory.shared, episodes, memory.plan, layout.slots, order)
        memory.kernels.adapt(*given, thetas, losses)
    return thetas, losses


def predict(thetas: Array, x: Array, hidden: int) -> Array:
    """The networks thetas (N, P) at the points x (M,): (N, M), in thetas' precision."""
    if thetas.ndim != 2 or thetas.shape[1] != parameter_count(hidden):
        raise ValueError(f"thetas have shape (N, {parameter_count(hidden)}), not {thetas.shape}")
    thetas = exactly(thetas, thetas.dtype)
    x = exactly(x, thetas.dtype).reshape(1, -1)
    problem, out = _network(hidden), np.empty((len(thetas), x.size), thetas.dtype)
    with borrowed(problem, 1, max(1, min(64, x.size)), 1, thetas.dtype) as memory:
        order = memory.layout.order[: problem.theta_size]
        memory.kernels.predict(memory.workspace, memory.plan, order, thetas, x, out)
    return out


@functools.lru_cache(maxsize=64)
def _network(hidden: int) -> Problem:
    """A network of this width that only predicts."""
    return Problem(hidden=hidden, inner_steps=0)


def warm(dtype: Any = np.float32) -> float:
    """Compile, or load from disk, all that is called above; returns the seconds it took."""
    began = time.perf_counter()
    problem, one = Problem(hidden=1, inner_steps=1), np.ones((1, 1))
    theta = np.zeros(problem.theta_size)
    meta_gradient(problem, theta, one, one, one, one, dtype=dtype)
    thetas, _ = adapt(problem, theta, one, one, dtype=dtype)
    predict(thetas[0], one[0], hidden=1)
    note_all(dtype)
    return time.perf_counter() - began


def _check_meta(problem: Problem, meta: Array) -> None:
    if np.shape(meta) != (problem.meta_size,):
        expected = f"({problem.meta_size},)"
        raise ValueError(f"the meta-vector has shape {np.shape(meta)}, not {expected}")
