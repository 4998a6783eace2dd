"""The memory that the kernels read and write."""

from __future__ import annotations

import contextlib
import functools
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .layout import LANES, layout_of, padded
from .problem import LOSSES, OPTIMIZERS, ORDERS, Array, Problem
from .runtime import load

APART = 1024
"""Bytes: twice what a compiled loop takes at once, at most four vectors of 16 float64."""


class Chunk(NamedTuple):
    """What came of a chunk of outer steps.

    `losses` (steps,) are the query losses. Unless `finite`, the last one is of a step that was not
    taken, because that loss, its gradient or the parameters after it were not finite.
    """

    losses: Array
    finite: bool


class TrainerState(NamedTuple):
    """All that a run goes on from: the meta-vector (n,), both moments (n,), the steps taken."""

    meta: Array
    moment1: Array
    moment2: Array
    steps: int


class Memory:
    """Everything that the kernels read and write, for one problem and one shape of episodes."""

    def __init__(
        self, problem: Problem, tasks: int, support: int, query: int, dtype: Any, optimizer: int
    ) -> None:
        self.kernels, self.problem, self.dtype = load(dtype), problem, np.dtype(dtype)
        self.shape, self.layout = (tasks, support, query), layout_of(problem)
        self.plan = self.kernels.Plan(
            hidden=problem.hidden,
            critic=problem.adaptation_hidden,
            squared=int(problem.learned_loss == "squared"),
            size=self.layout.theta,
            steps=problem.inner_steps,
            support=support,
            query=query,
            loss=LOSSES[problem.loss],
            query_loss=LOSSES[problem.query_loss],
            order=ORDERS[problem.order],
            rows=len(self.layout.slots),
            learned=int(problem.learn_step_sizes),
            optimizer=optimizer,
        )
        self.shared = self._shared()
        self.workspace = self._workspace()
        self.place = np.zeros(2, np.int64)  # the row of meta and moments in use, the steps taken

    def _new(self, *shape: int) -> Array:
        return _zeros(shape, self.dtype)

    @property
    def _expanded(self) -> tuple[int, int]:
        """Lengths of theta and psi with their transposed copies."""
        w, critic = padded(self.problem.hidden), self.problem.adaptation_hidden
        psi = self.layout.psi + critic * (padded(critic) + padded(2 * w + 1))
        return self.layout.theta + self.problem.hidden * w, max(psi, LANES)

    def _shared(self) -> Any:
        rows, size = self.layout.slots.shape
        theta, psi = self._expanded
        learned = rows * size if self.problem.learn_step_sizes else 0
        return self.kernels.Shared(
            start=self._new(1, theta),
            psi=self._new(1, psi),
            a=self._new(rows, theta),
            shares=self._shares(),
            total=self._new(1, size + self.layout.psi + learned),
            gradient=self._new(1, self.layout.size),
            meta=self._new(2, self.layout.size),
            moment1=self._new(2, self.layout.size),
            moment2=self._new(2, self.layout.size),
            losses=self._new(1, self.shape[0]),
        )

    def _shares(self) -> Array:
        shares = self._new(1, self.problem.inner_steps + 1)
        shares[:] = 1 if self.problem.query_shares is None else self.problem.query_shares
        return shares

    def _workspace(self) -> Any:
        """What one task needs at a time; there is room for the losses after 0..S steps."""
        new, critic = self._new, self.problem.adaptation_hidden
        (_, support, query), steps = self.shape, self.problem.inner_steps + 1
        n, inputs = (1, steps) if critic else (support, support)
        (theta, _), w, c = self._expanded, padded(self.problem.hidden), padded(max(critic, 1))
        u = 2 * w + LANES

        def hidden(points: int, width: int) -> Any:
            return self.kernels.Activations(new(points, width), new(points, width))

        def deltas(points: int, width: int) -> Any:
            return self.kernels.Deltas(*hidden(points, width), new(points, 1))

        workspace = self.kernels.Workspace(
            theta=new(steps, theta),
            lam=new(1, theta),
            v=new(1, theta),
            gradient=new(1, theta),
            inputs=new(inputs, 2),
            h=hidden(2 * n * steps, w),
            d=deltas(2 * n * steps, w),
            output=new(n, 1),
            q_inputs=new(query, 2),
            q_h=hidden(query, w),
            q_d=deltas(query, w),
            q_output=new(query, 1),
            zeros=new(1, max(u, c)),
            ones=new(max(n, query), 1),
            losses=new(1, steps),
            u=new(steps, u),
            u_bar=new(1, u),
            a=hidden(steps, c),
            delta=deltas(steps, c),
            ru=new(steps, u),
            ra=hidden(steps, c),
        )
        workspace.inputs[:, 1] = workspace.q_inputs[:, 1] = workspace.ones[:] = 1
        return workspace

    def put(self, rows: Array, vector: Array, step_sizes: bool = False) -> None:
        """rows (2, packed) = vector (meta,); with step_sizes, those that are not learned too."""
        vector = np.asarray(vector, self.dtype)
        if step_sizes and not self.problem.learn_step_sizes:
            vector = np.concatenate([vector, np.asarray(self.problem.step_sizes, self.dtype)])
        rows[:] = 0
        rows[:, self.layout.order[: len(vector)]] = vector

    def take(self, row: Array) -> Array:
        """The vector (meta,) of a packed one."""
        return row[self.layout.order[: self.problem.meta_size]]

    @property
    def state(self) -> TrainerState:
        row, steps = self.place
        return TrainerState(
            self.take(self.shared.meta[row]),
            self.take(self.shared.moment1[row]),
            self.take(self.shared.moment2[row]),
            int(steps),
        )

    @state.setter
    def state(self, state: TrainerState) -> None:
        self.put(self.shared.meta, state.meta, step_sizes=True)
        self.put(self.shared.moment1, state.moment1)
        self.put(self.shared.moment2, state.moment2)
        self.place[:] = 0, state.steps

    def episodes(
        self, inner_x: Array, inner_y: Array | None, query_x: Array, query_y: Array
    ) -> Any:
        """The arrays, flat in steps and tasks. The kernels check no bounds: it is done here."""
        steps, critic = self.problem.inner_steps, self.problem.adaptation_hidden
        if inner_y is None:
            inner_y = inner_x  # not looked at
            if not critic:
                raise ValueError("support points need their targets")
        if inner_x.shape != inner_y.shape or query_x.shape != query_y.shape:
            raise ValueError("inputs and targets differ in shape")
        if inner_x.shape[:-1] != query_x.shape[:-1]:
            raise ValueError("support and query sets are not of the same tasks")
        if critic and inner_x.shape[-1] not in (steps, steps + 1):
            raise ValueError(f"there is one source input for each of the {steps} inner steps")
        if not inner_x.size or not query_x.size:
            raise ValueError("support and query sets need at least one point")
        arrays = (inner_x, inner_y, query_x, query_y)
        flat = (exactly(a, self.dtype).reshape(-1, a.shape[-1]) for a in arrays)
        return self.kernels.Episodes(*flat)

    def train(
        self, episodes: Any, weights: Array | None, rates: Array, hyper: tuple[float, ...]
    ) -> Chunk:
        """See `Trainer.run`."""
        tasks, steps, last = self.shape[0], len(rates), self.problem.inner_steps
        if steps * tasks != len(episodes.query_x):
            raise ValueError("there is one outer learning rate for each outer step")
        rates = exactly(rates, np.float64)
        weights = np.arange(last + 1) == last if weights is None else np.asarray(weights)
        weights = exactly(np.broadcast_to(weights / tasks, (steps, last + 1)), self.dtype)
        losses = np.full(steps, np.nan, self.dtype)
        given = (self.workspace, self.shared, episodes, self.plan, weights, rates, hyper)
        done = self.kernels.train(*given, self.layout.slots, self.place, losses)
        return Chunk(losses[: min(done + 1, steps)], done == steps)


@contextlib.contextmanager
def borrowed(
    problem: Problem, tasks: int, support: int, query: int, dtype: Any
) -> Iterator[Memory]:
    """Memory to adapt and to predict in. To allocate it takes four times as long as to use it.

    Nobody else has it meanwhile, and whatever the one before has left in it is written over.
    """
    spare = _spare(problem, tasks, support, query, np.dtype(dtype))
    try:
        memory = spare.pop()
    except IndexError:
        memory = Memory(problem, tasks, support, query, dtype, OPTIMIZERS["none"])
    try:
        yield memory
    finally:
        spare.append(memory)


@functools.lru_cache(maxsize=64)
def _spare(problem: Problem, tasks: int, support: int, query: int, dtype: Any) -> deque[Memory]:
    """What nobody has at the moment. Adding to its end and taking from there are atomic."""
    return deque(maxlen=2)


def exactly(array: Array, dtype: Any) -> Array:
    """The array as the kernels were compiled for it; a copy only where it is not so already."""
    with np.errstate(over="ignore"):  # beyond float32 it is infinite, which is told afterwards
        return np.require(array, dtype, ["C", "A", "W"])


def _zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Zeros that begin on a cache line, with nothing of anybody's within `APART` bytes.

    A vector that straddles two lines costs twice. And where two arrays lie closer than a few
    vectors, compiled loops over both go number by number, which rounds differently: without the
    distance a sum would depend on where the memory happened to be.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 64 + 2 * APART, np.uint8)
    start = APART + (-memory.ctypes.data - APART) % 64
    return memory[start : start + size].view(dtype).reshape(shape)
