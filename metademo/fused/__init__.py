"""Compiled meta-training and adaptation, one call each, on numpy arrays.

`kernels` holds the mathematics. This file turns flat vectors in torch's order into the kernels'
padded ones and back, keeps their memory, and shares the work between threads. Nothing is imported
from Numba or compiled before its first use.

A meta-vector is `[theta (P,), psi (with an adaptation loss network), step sizes (if learned)]`.
theta is `[W1, b1, W2, b2, W3, b3]` of the regressor 1-H-H-1, each (out, in) row by row, with
P = H*H + 4H + 1; psi is the same of the adaptation loss network (1 + 2H)-A-A-1, whose input is
`[y, h2, h1]`.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray

LANES = 16
"""Rows of the kernels' matrices are padded to a multiple of this."""
LOSSES = {"l1": 0, "mse": 1}
ORDERS = {"reptile": 0, "first": 1, "second": 2}
OPTIMIZERS = {"none": 0, "sgd": 1, "adam": 2}
GROUPS = 4
"""Tasks of a meta-batch are shared out in so many groups: no more threads than that can help."""


def parameter_count(hidden: int, inputs: int = 1) -> int:
    """How many numbers make up a network inputs-hidden-hidden-1."""
    return hidden * (inputs + hidden + 3) + 1


@dataclass(frozen=True, eq=False)
class Problem:
    """What is meta-learned. Shapes: step_sizes (n,), slots (1 or S, P).

    `slots[k, i]` says which step size moves parameter i at inner step k, -1 that none does; one row
    serves all steps. Without slots one step size moves everything, as in MAML. ANIL has -1 below
    the head; Meta-SGD learns one step size per parameter, MAML++ one per tensor and step. Learned
    step sizes are the tail of the meta-vector; of `step_sizes` only the length counts then.

    With `adaptation_hidden` the inner loss is DAML's, a network of that width; otherwise it is
    `loss` on the support points.
    """

    hidden: int = 32
    inner_steps: int = 5
    loss: str = "l1"
    query_loss: str = "l1"
    order: str = "second"
    adaptation_hidden: int = 0
    step_sizes: Array = field(default_factory=lambda: np.array([0.03]))
    slots: Array | None = None
    learn_step_sizes: bool = False

    def __post_init__(self) -> None:
        if self.hidden < 1 or self.adaptation_hidden < 0 or self.inner_steps < 0:
            raise ValueError("a network is at least 1 wide, and no number of steps is negative")
        for name, known in (("loss", LOSSES), ("query_loss", LOSSES), ("order", ORDERS)):
            given = getattr(self, name)
            if given not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {given!r}")
        if self.slots is not None:
            self._check_slots()

    def _check_slots(self) -> None:
        rows, width = np.shape(self.slots)
        if rows not in (1, self.inner_steps) or width != self.theta_size:
            expected = f"(1 or {self.inner_steps}, {self.theta_size})"
            raise ValueError(f"slots have shape {expected}, not {(rows, width)}")
        if np.max(self.slots) >= len(self.step_sizes):
            raise ValueError("slots name a step size that there is not")

    @property
    def theta_size(self) -> int:
        return parameter_count(self.hidden)

    @property
    def psi_size(self) -> int:
        if not self.adaptation_hidden:
            return 0
        return parameter_count(self.adaptation_hidden, inputs=1 + 2 * self.hidden)

    @property
    def meta_size(self) -> int:
        learned = len(self.step_sizes) if self.learn_step_sizes else 0
        return self.theta_size + self.psi_size + learned


class Chunk(NamedTuple):
    """What came of a chunk of outer steps.

    `losses` (steps,) are the query losses. Unless `finite`, the last one is of a step that was not
    taken, because that loss, its gradient or the parameters after it were not finite.
    """

    losses: Array
    finite: bool


class State(NamedTuple):
    """All that a run goes on from: the meta-vector (n,), both moments (n,), the steps taken."""

    meta: Array
    moment1: Array
    moment2: Array
    steps: int


# ----------------------------------------------------------------------------- what others call


class Trainer:
    """The outer loop: SGD or Adam as in torch, with the gradient's norm clipped to `max_norm`.

    A run goes on from chunk to chunk as if it were one, to the bit; so it does with any number of
    threads. A step that is not finite ends its chunk and is not taken.
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
        threads: int = 1,
    ) -> None:
        _check_meta(problem, meta)
        if optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer is one of {', '.join(OPTIMIZERS)}, not {optimizer!r}")
        self.problem, self.dtype, self.threads = problem, np.dtype(dtype), threads
        self._optimizer = OPTIMIZERS[optimizer]
        self._hyper = (float(betas[0]), float(betas[1]), float(epsilon), float(max_norm))
        zeros = np.zeros_like(meta, dtype)
        self._initial = State(np.array(meta, dtype), zeros, zeros, 0)
        self._memory: _Memory | None = None

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
        return memory.train(episodes, weights, rates, self._hyper, self.threads)

    def _fit(self, *shape: int) -> _Memory:
        if self._memory is None or self._memory.shape != shape:
            state = self.state
            self._memory = _Memory(self.problem, *shape, self.dtype, self._optimizer)
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
    def state(self) -> State:
        """A copy of all that the run goes on from; to be set, to go on from there."""
        return self._initial if self._memory is None else self._memory.state

    @state.setter
    def state(self, state: State) -> None:
        _check_meta(self.problem, state[0])
        self._initial, self._memory = State(*state), None


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
    """The gradient (meta,) of the mean query loss over T tasks, and that loss.

    Shapes as in `Trainer.run`, without the leading N.
    """
    _check_meta(problem, meta)
    shape = (inner_x.shape[0], inner_x.shape[1], query_x.shape[1])
    memory = _Memory(problem, *shape, dtype, OPTIMIZERS["none"])
    memory.put(memory.shared.meta, meta, step_sizes=True)
    episodes = memory.episodes(inner_x, inner_y, query_x, query_y)
    losses, _ = memory.train(episodes, weights, np.zeros(1), (0.9, 0.999, 1e-8, 0.0), threads)
    return memory.take(memory.shared.gradient[0]), float(losses[0])


def adapt(
    problem: Problem, meta: Array, inner_x: Array, inner_y: Array | None, dtype: Any = np.float32
) -> tuple[Array, Array]:
    """thetas (S + 1, T, P) and the inner losses (S + 1, T) of tasks inner_x, inner_y (T, K).

    In DAML inner_x is (T, S), one source input for each step, and the loss after the last step is
    taken at the last of them again; or it is (T, S + 1).
    """
    _check_meta(problem, meta)
    memory = _Memory(problem, 1, inner_x.shape[1], 1, dtype, OPTIMIZERS["none"])
    memory.put(memory.shared.meta, meta, step_sizes=True)
    tasks, steps, size = len(inner_x), problem.inner_steps + 1, problem.theta_size
    thetas, losses = np.empty((steps, tasks, size), dtype), np.empty((steps, tasks), dtype)
    no_query = np.zeros((tasks, 1))
    episodes = memory.episodes(inner_x, inner_y, no_query, no_query)
    workspace, layout, order = memory.workspaces[0], memory.layout, memory.layout.order[:size]
    given = (workspace, memory.shared, episodes, memory.plan, layout.slots, order)
    _call(memory.kernels.adapt, *given, thetas, losses)
    return thetas, losses


def predict(thetas: Array, x: Array, hidden: int) -> Array:
    """The networks thetas (N, P) at the points x (M,): (N, M), in thetas' precision."""
    if thetas.ndim != 2 or thetas.shape[1] != parameter_count(hidden):
        raise ValueError(f"thetas have shape (N, {parameter_count(hidden)}), not {thetas.shape}")
    thetas = _exactly(thetas, thetas.dtype)
    x = _exactly(x, thetas.dtype).reshape(1, -1)
    problem = Problem(hidden=hidden, inner_steps=0)
    memory = _Memory(problem, 1, max(1, min(64, x.size)), 1, thetas.dtype, OPTIMIZERS["none"])
    out = np.empty((len(thetas), x.size), thetas.dtype)
    order = memory.layout.order[: problem.theta_size]
    _call(memory.kernels.predict, memory.workspaces[0], memory.plan, order, thetas, x, out)
    return out


def warm(dtype: Any = np.float32) -> float:
    """Compile, or load from disk, all that is called above; returns the seconds it took."""
    began = time.perf_counter()
    problem, one = Problem(hidden=1, inner_steps=1), np.ones((1, 1))
    theta = np.zeros(problem.theta_size)
    meta_gradient(problem, theta, one, one, one, one, dtype=dtype)
    thetas, _ = adapt(problem, theta, one, one, dtype=dtype)
    predict(thetas[0], one[0], hidden=1)
    return time.perf_counter() - began


def cache_status() -> str:
    """Where compiled code is kept, or why it is not, in words."""
    kernels = load()
    if kernels.uncached_because:
        return _why_not(kernels.uncached_because)
    return f"compiled code is kept in {kernels.train.stats.cache_path}"


# ------------------------------------------------------------------------------- packed vectors


def _padded(n: int) -> int:
    return -(-n // LANES) * LANES


def _packed_network(hidden: int, inputs: Array, width: int) -> tuple[Array, int]:
    """Where each number of a flat network goes in its packed vector (see `kernels.Network`), and
    how long that is. inputs (n,): the rows of its inputs among the `width` rows of its first layer.
    """
    w, unit = _padded(hidden), np.arange(hidden)
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


class _Layout(NamedTuple):
    """Packed meta-vectors `[theta, psi, step sizes]`. order: the place of each public number, the
    step sizes' whether learned or not; slots (rows, theta): the place of the step size, or -1."""

    order: Array
    theta: int
    psi: int
    size: int
    slots: Array


def _layout(problem: Problem) -> _Layout:
    theta_order, theta = _packed_network(problem.hidden, np.array([0]), 1)
    parts, psi = [theta_order], 0
    if problem.adaptation_hidden:
        width, unit = _padded(problem.hidden), np.arange(problem.hidden)
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
    return _Layout(np.concatenate(parts), theta, psi, theta + psi + _padded(count), slots)


def _exactly(array: Array, dtype: Any) -> Array:
    """The array as the kernels were compiled for it; a copy only where it is not so already."""
    return np.require(array, dtype, ["C", "A", "W"])


def _zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Zeros that begin on a cache line: a vector that straddles two of them costs twice."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def _check_meta(problem: Problem, meta: Array) -> None:
    if np.shape(meta) != (problem.meta_size,):
        expected = f"({problem.meta_size},)"
        raise ValueError(f"the meta-vector has shape {np.shape(meta)}, not {expected}")


# --------------------------------------------------------------------------- the kernels' memory


class _Memory:
    """Everything that the kernels read and write, for one problem and one shape of episodes."""

    def __init__(
        self, problem: Problem, tasks: int, support: int, query: int, dtype: Any, optimizer: int
    ) -> None:
        self.kernels, self.problem, self.dtype = load(dtype), problem, np.dtype(dtype)
        self.shape, self.layout = (tasks, support, query), _layout(problem)
        self.plan = self.kernels.Plan(
            hidden=problem.hidden,
            critic=problem.adaptation_hidden,
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
            groups=min(tasks, GROUPS),
            patience=self._patience(),
        )
        self.shared = self._shared()
        self.workspaces = [self._workspace()]
        self.control = _zeros((32,), np.int64)
        self.place = np.zeros(2, np.int64)  # the row of meta and moments in use, the steps taken

    def _patience(self) -> int:
        """How often the leader looks whether a group is done: several times as long as it takes.

        An outer step takes some 20 operations per weight and point, a look as long as 100."""
        tasks, support, query = self.shape
        points = self.problem.inner_steps * support + query
        weights = self.problem.theta_size + self.problem.psi_size
        return 2000 + tasks // GROUPS * points * weights

    def _new(self, *shape: int) -> Array:
        return _zeros(shape, self.dtype)

    @property
    def _expanded(self) -> tuple[int, int]:
        """Lengths of theta and psi with their transposed copies."""
        w, critic = _padded(self.problem.hidden), self.problem.adaptation_hidden
        psi = self.layout.psi + critic * (_padded(critic) + _padded(2 * w + 1))
        return self.layout.theta + self.problem.hidden * w, max(psi, LANES)

    def _shared(self) -> Any:
        rows, size = self.layout.slots.shape
        theta, psi = self._expanded
        learned = rows * size if self.problem.learn_step_sizes else 0
        return self.kernels.Shared(
            start=self._new(1, theta),
            psi=self._new(1, psi),
            a=self._new(rows, theta),
            gradients=self._new(self.plan.groups, size + self.layout.psi + learned),
            gradient=self._new(1, self.layout.size),
            meta=self._new(2, self.layout.size),
            moment1=self._new(2, self.layout.size),
            moment2=self._new(2, self.layout.size),
            losses=self._new(1, self.shape[0]),
        )

    def _workspace(self) -> Any:
        """One thread's memory; there is room for the losses after 0..S steps."""
        new, critic = self._new, self.problem.adaptation_hidden
        (_, support, query), steps = self.shape, self.problem.inner_steps + 1
        n, inputs = (1, steps) if critic else (support, support)
        (theta, _), w, c = self._expanded, _padded(self.problem.hidden), _padded(max(critic, 1))
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
    def state(self) -> State:
        vectors = (self.shared.meta, self.shared.moment1, self.shared.moment2)
        return State(*(self.take(v[self.place[0]]) for v in vectors), int(self.place[1]))

    @state.setter
    def state(self, state: State) -> None:
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
        flat = (_exactly(a, self.dtype).reshape(-1, a.shape[-1]) for a in arrays)
        return self.kernels.Episodes(*flat)

    def train(
        self, episodes: Any, weights: Array | None, rates: Array, hyper: tuple, threads: int
    ) -> Chunk:
        """See `Trainer.run`."""
        tasks, steps, last = self.shape[0], len(rates), self.problem.inner_steps
        if steps * tasks != len(episodes.query_x):
            raise ValueError("there is one outer learning rate for each outer step")
        rates = _exactly(rates, np.float64)
        weights = np.arange(last + 1) == last if weights is None else np.asarray(weights)
        weights = _exactly(np.broadcast_to(weights / tasks, (steps, last + 1)), self.dtype)
        losses = np.full(steps, np.nan, self.dtype)
        given = (self.shared, episodes, self.plan, weights, rates, hyper, self.layout.slots)
        given = (*given, self.place, losses, self.control)
        self.control[:] = 0
        threads = max(1, min(threads, self.plan.groups, os.cpu_count() or 1))
        while len(self.workspaces) < threads:
            self.workspaces.append(self._workspace())
        helpers = [
            _helpers().submit(_call, self.kernels.train, workspace, *given, False)
            for workspace in self.workspaces[1:threads]
        ]
        done = _call(self.kernels.train, self.workspaces[0], *given, True)
        for helper in helpers:
            if not helper.cancel():  # one that has not begun is not missed
                helper.result()
        return Chunk(losses[: min(done + 1, steps)], done == steps)


@functools.cache
def _helpers() -> ThreadPoolExecutor:
    """The threads that help. All runs share them: a helper that is busy elsewhere is not needed."""
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), "metademo-helper")


# ------------------------------------------------------------------------------------ compiling

_loading = threading.Lock()


def load(dtype: Any = np.float32) -> ModuleType:
    """The compiled part for float32 or float64; imports Numba at the first call."""
    precision = np.dtype(dtype).name
    if precision not in ("float32", "float64"):
        raise ValueError(f"the compiled engine works in float32 or float64, not in {precision}")
    with _loading:
        kernels, products = _modules()
        products.prepare(precision)
        return kernels


@functools.cache
def _modules() -> tuple[ModuleType, ModuleType]:
    from llvmlite import binding

    # How a thread that waits gives its core away; compiled code finds it by this name.
    if sys.platform == "win32":
        give_way = ctypes.windll.kernel32.SwitchToThread
    else:
        give_way = ctypes.CDLL(None).sched_yield
    address = ctypes.cast(give_way, ctypes.c_void_p).value
    binding.add_symbol("metademo_give_way", address)
    from . import kernels, products

    if kernels.uncached_because:
        warnings.warn(_why_not(kernels.uncached_because), RuntimeWarning, stacklevel=3)
    return kernels, products


def _call(kernel: Callable[..., Any], *arguments: Any) -> Any:
    """Numba writes new code to disk before it runs; where it can't, the code runs all the same."""
    try:
        return kernel(*arguments)
    except OSError as fault:
        warnings.warn(_why_not(fault), RuntimeWarning, stacklevel=3)
        return kernel(*arguments)


def _why_not(reason: object) -> str:
    return (
        f"compiled code can't be kept on disk ({reason}), so each start compiles it anew for about "
        "half a minute. Set NUMBA_CACHE_DIR to a folder that can be written to."
    )
