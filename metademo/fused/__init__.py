"""Compiled meta-training: the outer loop, its gradients and adaptation as one call each, on numpy arrays.

`kernels` holds the mathematics; this file turns flat vectors in torch's order into the kernels' padded ones and
back, keeps their memory and shares the work between threads. Nothing is imported or compiled before its
first use.

A meta-vector is ``[theta (P,), psi (if there is an adaptation loss network), step sizes (if learned)]``.
theta is ``[W1, b1, W2, b2, W3, b3]`` of the regressor 1-H-H-1, each (out, in) row by row, P = H*H + 4H + 1;
psi the same of the adaptation loss network (1 + 2H)-A-A-1, whose input is ``[y, h2, h1]``.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray
LANES = 16
LOSSES = {"l1": 0, "mse": 1}
ORDERS = {"reptile": 0, "first": 1, "second": 2}
OPTIMIZERS = {"none": 0, "sgd": 1, "adam": 2}
MOST_GROUPS = 32  # rows of partial sums: a larger meta-batch adds several tasks into one


def parameter_count(hidden: int, inputs: int = 1) -> int:
    """Numbers in a network inputs-hidden-hidden-1."""
    return hidden * (inputs + hidden + 3) + 1


@dataclass(frozen=True, eq=False)
class Problem:
    """What is meta-learned. Shapes: step_sizes (n,), slots (1 or S, P).

    ``slots[k, i]`` says which step size moves parameter i at inner step k, -1 that none does; one row serves
    all steps. By default one step size moves everything (MAML). With ``learn_step_sizes`` they are the tail of
    the meta-vector, and only the length of ``step_sizes`` counts.
    """

    hidden: int = 32
    inner_steps: int = 5
    loss: str = "l1"
    query_loss: str = "l1"
    order: str = "second"
    adaptation_hidden: int = 0  # width of DAML's adaptation loss network; 0: labelled support points
    step_sizes: Array = field(default_factory=lambda: np.array([0.03]))
    slots: Array | None = None
    learn_step_sizes: bool = False

    @property
    def theta_size(self) -> int:
        return parameter_count(self.hidden)

    @property
    def psi_size(self) -> int:
        inputs = 1 + 2 * self.hidden
        return parameter_count(self.adaptation_hidden, inputs) if self.adaptation_hidden else 0

    @property
    def meta_size(self) -> int:
        learned = len(self.step_sizes) if self.learn_step_sizes else 0
        return self.theta_size + self.psi_size + learned


class Chunk(NamedTuple):
    """What a chunk of outer steps came to: losses (steps,), and whether it went to its end."""

    losses: Array
    finite: bool


# ------------------------------------------------------------------------------ packed vectors


def _padded(n: int) -> int:
    return -(-n // LANES) * LANES


def _packed_network(hidden: int, inputs: Array, width: int) -> tuple[Array, int]:
    """Where each number of a flat network goes in its packed vector, and that vector's trained length.

    inputs (n,) are the places of the network's inputs among the ``width`` rows of the first layer.
    """
    w, n = _padded(hidden), len(inputs)
    unit = np.arange(hidden)
    second = (width + 1) * w
    bias2 = second + hidden * w
    places = [
        inputs[None, :] * w + unit[:, None],
        width * w + unit,
        second + unit[None, :] * w + unit[:, None],
        bias2 + unit,
        bias2 + w + unit,
        np.array([bias2 + 2 * w]),
    ]
    assert sum(p.size for p in places) == parameter_count(hidden, n)
    return np.concatenate([p.ravel() for p in places]).astype(np.int64), bias2 + 2 * w + LANES


@dataclass(frozen=True)
class _Layout:
    """order (meta + fixed step sizes,): the place of each public number in the packed meta-vector."""

    order: Array
    theta: int  # lengths of the packed parts
    psi: int
    packed: int
    slots: Array  # (rows, theta): the place of the step size, or -1


def _layout(problem: Problem) -> _Layout:
    hidden, width = problem.hidden, _padded(problem.hidden)
    theta_order, theta = _packed_network(hidden, np.array([0]), 1)
    order, psi = theta_order, 0
    if problem.adaptation_hidden:
        unit = np.arange(hidden)
        inputs = np.concatenate([[2 * width], unit, width + unit])
        psi_order, psi = _packed_network(problem.adaptation_hidden, inputs, 2 * width + 1)
        order = np.concatenate([order, theta + psi_order])
    count = len(problem.step_sizes)
    order = np.concatenate([order, theta + psi + np.arange(count)])
    chosen = np.zeros((1, len(theta_order)), int) if problem.slots is None else problem.slots
    slots = np.full((len(chosen), theta), -1, np.int64)
    slots[:, theta_order] = np.where(np.asarray(chosen) >= 0, theta + psi + np.asarray(chosen), -1)
    return _Layout(order, theta, psi, theta + psi + _padded(count), slots)


def _zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Zeros on a cache line's boundary: vector loads that straddle two lines cost twice."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


# ------------------------------------------------------------------------------ the kernels' memory


class _Memory:
    """Everything a kernel call reads and writes, for one problem and one shape of episodes."""

    def __init__(self, problem: Problem, tasks: int, support: int, query: int, dtype: Any, optimizer: int) -> None:
        self.kernels, self.problem, self.dtype = load(dtype), problem, np.dtype(dtype)
        self.layout = _layout(problem)
        self.tasks, self.support, self.query = tasks, support, query
        self.group_size = -(-tasks // MOST_GROUPS)
        groups = -(-tasks // self.group_size)
        self.plan = self.kernels.Plan(
            problem.hidden, problem.adaptation_hidden, self.layout.theta, problem.inner_steps, support, query,
            LOSSES[problem.loss], LOSSES[problem.query_loss], ORDERS[problem.order],
            len(self.layout.slots), int(problem.learn_step_sizes), optimizer, groups, self.group_size,
        )
        self.shared = self._shared(groups)
        self.workspaces = [self.workspace()]
        self.control = _zeros((24,), np.int64)
        self.state = np.zeros(3, np.int64)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Lengths of an expanded theta and psi, and the padded widths of their hidden layers."""
        hidden, critic = self.problem.hidden, self.problem.adaptation_hidden
        w, c = _padded(hidden), _padded(critic)
        psi = self.layout.psi + critic * (c + _padded(2 * w + 1))
        return self.layout.theta + hidden * w, max(psi, LANES), w, max(c, LANES)

    def _shared(self, groups: int) -> Any:
        rows, theta = self.layout.slots.shape
        partial = theta + self.layout.psi + self.problem.learn_step_sizes * rows * theta
        theta_all, psi_all, _, _ = self.sizes
        n = self.layout.packed
        shapes = {
            "start": (1, theta_all), "psi": (1, psi_all), "a": (rows, theta_all),
            "partial": (groups, partial), "gradient": (1, n), "meta": (2, n),
            "moment1": (2, n), "moment2": (2, n), "task_loss": (1, self.tasks),
        }  # fmt: skip
        return self.kernels.Shared(**{k: _zeros(s, self.dtype) for k, s in shapes.items()})

    def workspace(self) -> Any:
        """One thread's memory."""
        s, q = self.problem.inner_steps + 1, self.query
        n = 1 if self.problem.adaptation_hidden else self.support
        theta, _, w, c = self.sizes
        u = 2 * w + LANES
        points = s if self.problem.adaptation_hidden else self.support
        points, b = (s if self.problem.adaptation_hidden else n), s - 1
        k, zeros = self.kernels, functools.partial(_zeros, dtype=self.dtype)
        memory = k.Workspace(
            theta=zeros((b, theta)), lam=zeros((1, theta)), v=zeros((1, theta)), gradient=zeros((1, theta)),
            inputs=zeros((points, 2)), h=k.Activations(zeros((2 * n * s, w)), zeros((2 * n * s, w))),
            d=k.Deltas(zeros((2 * n * s, w)), zeros((2 * n * s, w)), zeros((2 * n * s, 1))), output=zeros((n, 1)),
            q_inputs=zeros((q, 2)), q_h=k.Activations(zeros((q, w)), zeros((q, w))),
            q_d=k.Deltas(zeros((q, w)), zeros((q, w)), zeros((q, 1))), q_output=zeros((q, 1)),
            zeros=zeros((1, max(u, c))), ones=zeros((max(n, q), 1)), losses=zeros((1, s)),
            u=zeros((s, u)), u_bar=zeros((1, u)), a=k.Activations(zeros((s, c)), zeros((s, c))),
            delta=k.Deltas(zeros((s, c)), zeros((s, c)), zeros((s, 1))), ru=zeros((s, u)),
            ra=k.Activations(zeros((s, c)), zeros((s, c))),
        )  # fmt: skip
        memory.inputs[:, 1] = memory.q_inputs[:, 1] = memory.ones[:] = 1
        return memory

    def put(self, rows: Array, flat: Array) -> None:
        """rows (2, packed) = flat (meta,), with the fixed step sizes where they are not learned."""
        order = self.layout.order
        rows[:] = 0
        rows[:, order[: len(flat)]] = flat

    def put_meta(self, meta: Array) -> None:
        meta = np.asarray(meta, self.dtype)
        if meta.shape != (self.problem.meta_size,):
            raise ValueError(f"the meta-vector has shape {meta.shape}, not ({self.problem.meta_size},)")
        if not self.problem.learn_step_sizes:
            meta = np.concatenate([meta, np.asarray(self.problem.step_sizes, self.dtype)])
        self.put(self.shared.meta, meta)

    def take(self, row: Array) -> Array:
        """The flat vector (meta,) of a packed one."""
        return row[self.layout.order[: self.problem.meta_size]]

    def episodes(self, inner_x: Array, inner_y: Array | None, query_x: Array, query_y: Array) -> Any:
        """Flat in steps and tasks; inner_y is not looked at in DAML."""
        inner_y = inner_x if inner_y is None else inner_y
        arrays = (inner_x, inner_y, query_x, query_y)
        return self.kernels.Episodes(
            *(np.array(a, self.dtype, order="C", copy=None).reshape(-1, a.shape[-1]) for a in arrays)
        )

    def train(self, episodes: Any, weights: Array | None, rates: Array, hyper: tuple, threads: int) -> Chunk:
        rates = np.ascontiguousarray(rates, np.float64)
        steps, s = len(rates), self.problem.inner_steps
        if weights is None:
            weights = np.arange(s + 1) == s
        weights = np.ascontiguousarray(np.broadcast_to(weights, (steps, s + 1)), self.dtype)
        losses = np.full(steps, np.nan, self.dtype)
        self.control[:] = 0
        threads = max(1, min(threads, self.plan.groups, os.cpu_count() or 1))
        while len(self.workspaces) < threads:
            self.workspaces.append(self.workspace())

        def work(index: int) -> int:
            return self.kernels.train(
                self.workspaces[index], self.shared, episodes, self.plan, weights, rates, hyper,
                self.layout.slots, self.state, losses, self.control, index == 0,
            )  # fmt: skip

        helpers = [_helpers().submit(work, i) for i in range(1, threads)]
        done = work(0)
        for helper in helpers:  # one that had no time to begin is not missed
            helper.cancel() or helper.result()
        return Chunk(losses[: min(done + 1, steps)], done == steps)


@functools.cache
def _helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), "metademo-helper")


# ------------------------------------------------------------------------------ what others call


class Trainer:
    """A meta-training run that goes on from chunk to chunk as if it had been one."""

    def __init__(
        self,
        problem: Problem,
        meta: Array,
        dtype: Any = np.float32,
        optimizer: str = "sgd",
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        max_norm: float = 0.0,
        threads: int = 1,
    ) -> None:
        self.problem, self.dtype, self.threads = problem, np.dtype(dtype), threads
        self.optimizer = OPTIMIZERS[optimizer]
        self.hyper = (float(betas[0]), float(betas[1]), float(epsilon), float(max_norm))
        self._memory: _Memory | None = None
        self._saved = (np.asarray(meta, dtype), np.zeros_like(meta, dtype), np.zeros_like(meta, dtype), 0)

    def run(
        self,
        inner_x: Array,
        inner_y: Array | None,
        query_x: Array,
        query_y: Array,
        rates: Array,
        weights: Array | None = None,
    ) -> Chunk:
        """N outer steps: inner_x and inner_y (N, T, K), or the source inputs (N, T, S) and None for DAML;
        query_x, query_y (N, T, Q); rates (N,); weights (S + 1,) or (N, S + 1) of the query losses."""
        memory = self._fit(inner_x.shape[1], inner_x.shape[2], query_x.shape[2])
        episodes = memory.episodes(inner_x, inner_y, query_x, query_y)
        return memory.train(episodes, weights, rates, self.hyper, self.threads)

    def _fit(self, tasks: int, support: int, query: int) -> _Memory:
        memory = self._memory
        if memory is None or (memory.tasks, memory.support, memory.query) != (tasks, support, query):
            state = self.state
            self._memory = _Memory(self.problem, tasks, support, query, self.dtype, self.optimizer)
            self.state = state
        return self._memory

    @property
    def meta(self) -> Array:
        return self.state[0]

    @property
    def state(self) -> tuple[Array, Array, Array, int]:
        """meta (n,), the optimizer's first and second moment (n,), and the number of steps taken."""
        memory = self._memory
        if memory is None:
            return self._saved
        shared, row = memory.shared, memory.state[0]
        vectors = (shared.meta, shared.moment1, shared.moment2)
        return *(memory.take(v[row]) for v in vectors), int(memory.state[1])

    @state.setter
    def state(self, state: tuple[Array, Array, Array, int]) -> None:
        meta, moment1, moment2, steps = state
        if self._memory is None:
            self._saved = state
            return
        self._memory.put_meta(meta)
        self._memory.put(self._memory.shared.moment1, moment1)
        self._memory.put(self._memory.shared.moment2, moment2)
        self._memory.state[:] = 0, steps, 0


def meta_gradient(
    problem: Problem,
    meta: Array,
    inner_x: Array,
    inner_y: Array | None,
    query_x: Array,
    query_y: Array,
    weights: Array | None = None,
    dtype: Any = np.float32,
    threads: int = 1,
) -> tuple[Array, float]:
    """The gradient (meta,) of the mean query loss over tasks, and that loss; inner_x (T, K) and so on."""
    memory = _Memory(problem, inner_x.shape[0], inner_x.shape[1], query_x.shape[1], dtype, OPTIMIZERS["none"])
    memory.put_meta(meta)
    episodes = memory.episodes(inner_x, inner_y, query_x, query_y)
    losses, _ = memory.train(episodes, weights, np.zeros(1), (0.9, 0.999, 1e-8, 0.0), threads)
    return memory.take(memory.shared.gradient[0]), float(losses[0])


def adapt(
    problem: Problem, meta: Array, inner_x: Array, inner_y: Array | None, dtype: Any = np.float32
) -> tuple[Array, Array]:
    """thetas (S + 1, T, P) and the inner losses (S + 1, T) of tasks inner_x, inner_y (T, K).

    For DAML inner_x (T, S) holds one source input for each step; the last loss is taken at the last one again.
    """
    memory = _Memory(problem, 1, inner_x.shape[1], 1, dtype, OPTIMIZERS["none"])
    memory.put_meta(meta)
    tasks, steps, size = len(inner_x), problem.inner_steps + 1, problem.theta_size
    thetas, losses = np.empty((steps, tasks, size), dtype), np.empty((steps, tasks), dtype)
    nothing = np.zeros((tasks, 1))
    episodes = memory.episodes(inner_x, inner_y, nothing, nothing)
    order = memory.layout.order[:size]
    layout, workspace = memory.layout, memory.workspaces[0]
    memory.kernels.adapt(workspace, memory.shared, episodes, memory.plan, layout.slots, order, thetas, losses)
    return thetas, losses


def predict(thetas: Array, x: Array, hidden: int) -> Array:
    """The networks thetas (N, P) at the points x (M,): (N, M), in thetas' precision."""
    thetas = np.ascontiguousarray(thetas)
    x = np.ascontiguousarray(x, thetas.dtype).reshape(1, -1)
    problem = Problem(hidden=hidden, inner_steps=0)
    memory = _Memory(problem, 1, max(1, min(64, x.shape[1])), 1, thetas.dtype, OPTIMIZERS["none"])
    order = memory.layout.order[: problem.theta_size]
    out = np.empty((len(thetas), x.shape[1]), thetas.dtype)
    memory.kernels.predict(memory.workspaces[0], memory.plan, order, thetas, x, out)
    return out


# ------------------------------------------------------------------------------ compiling

_loading = threading.Lock()


def load(dtype: Any = np.float32) -> ModuleType:
    """The compiled part for one kind of number; imports Numba at the first call."""
    with _loading:
        kernels = _kernels()
        kernels.prepare(np.dtype(dtype).name)
        return kernels


@functools.cache
def _kernels() -> ModuleType:
    from llvmlite import binding

    if sys.platform == "win32":
        give_way = ctypes.windll.kernel32.SwitchToThread
    else:
        give_way = ctypes.CDLL(None).sched_yield
    binding.add_symbol("metademo_yield", ctypes.cast(give_way, ctypes.c_void_p).value)
    from . import kernels

    if kernels.uncached_because:
        warnings.warn(cache_status(), RuntimeWarning, stacklevel=3)
    return kernels
