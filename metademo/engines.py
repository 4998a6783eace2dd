"""Engines: what carries out outer steps.

An engine owns the meta-parameters and the optimizer's state while training. It is handed episodes
and one outer learning rate per step, and answers with the query losses. The torch engine is the
reference: it trains any learner, on any device, in any precision. The fused engine does what it
covers a hundred times faster. `make_engine` picks one.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from metademo import fused
from metademo.algorithms import GradientBased, Learner, Meta, Predictions
from metademo.algorithms.learner import checked_steps
from metademo.described import ConfigError, unknown
from metademo.tasks import Episode, Examples, warm_tasks


class Diverged(ArithmeticError):
    """A run that left the finite numbers, with the outer step at which it did.

    The engine that raises it has not taken that step: it holds the meta-parameters after the last
    good one.

    Attributes:
        step: the outer step that failed, from 1.
        losses: of the steps before it that were asked for together with it.
    """

    def __init__(self, step: int, loss: float, losses: np.ndarray):
        what = "meta-gradient or the step became infinite or undefined"
        if not np.isfinite(loss):
            what = f"query loss became {'undefined' if np.isnan(loss) else 'infinite'}"
        super().__init__(f"the {what} at outer step {step:,}: a smaller learning rate would help")
        self.step = step
        self.losses = losses


class Engine(Protocol):
    """Carries out outer steps; see :class:`TorchEngine` for the reference."""

    name: str

    @property
    def steps(self) -> int:
        """Outer steps done."""

    @property
    def meta(self) -> Meta:
        """A copy of the meta-parameters as they are now."""

    def run(
        self,
        episodes: Episode[np.ndarray],
        learning_rates: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> np.ndarray:
        """One outer step per learning rate, on the episodes in order; the outer loss of each.

        `weights` (outer steps, inner steps + 1) are those of the query losses along the inner loop,
        see `Learner.query_weights`; by default only the last one counts.
        """


class TorchEngine:
    """The reference: the learner's own meta-gradient, one outer step at a time."""

    name = "torch"

    def __init__(
        self,
        learner: Learner,
        meta: Meta,
        *,
        optimizer: str,
        clip: float | None = None,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        self._learner = learner
        self._meta = {k: v.detach().clone().to(device, dtype) for k, v in meta.items()}
        self._optimizer = OPTIMIZERS[optimizer](list(self._meta.values()), lr=0.0)
        self._clip = clip
        self.steps = 0

    @property
    def meta(self) -> Meta:
        return {name: value.clone() for name, value in self._meta.items()}

    def run(
        self,
        episodes: Episode[np.ndarray],
        learning_rates: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> np.ndarray:
        losses = np.empty(len(learning_rates))
        for i, batch in enumerate(_split(episodes, len(learning_rates))):
            row = None if weights is None else weights[i]
            try:
                losses[i] = self._step(batch, float(learning_rates[i]), row)
            except Diverged as fault:
                fault.losses = losses[:i]
                raise
        return losses

    def _step(
        self, batch: Episode[np.ndarray], learning_rate: float, weights: np.ndarray | None
    ) -> float:
        grads, loss = self._learner.meta_gradient(self._meta, batch, weights)
        for name, value in self._meta.items():
            value.grad = grads[name]
        # The norm is finite exactly when every gradient is.
        norm = torch.nn.utils.clip_grad_norm_(self._meta.values(), self._clip or float("inf"))
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            raise Diverged(self.steps + 1, loss.item(), np.empty(0))
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        before = self.meta
        self._optimizer.step()
        if not all(torch.isfinite(value).all() for value in self._meta.values()):
            for name, value in before.items():
                self._meta[name].copy_(value)
            raise Diverged(self.steps + 1, loss.item(), np.empty(0))
        self.steps += 1
        return loss.item()


class FusedEngine:
    """The compiled engine: whole chunks of outer steps without the interpreter; see `fused`."""

    name = "fused"

    def __init__(
        self,
        learner: GradientBased,
        meta: Meta,
        *,
        optimizer: str,
        clip: float | None = None,
        dtype: torch.dtype = torch.float32,
    ):
        self._shapes = learner.shapes
        self._trainer = fused.Trainer(
            compiled_problem(learner, learner.trained_steps),
            flatten(meta, self._shapes),
            dtype=np.float64 if dtype is torch.float64 else np.float32,
            optimizer=optimizer,
            max_norm=clip or 0.0,
        )

    @property
    def steps(self) -> int:
        return self._trainer.steps

    @property
    def meta(self) -> Meta:
        return unflatten(self._trainer.meta, self._shapes)

    def run(
        self,
        episodes: Episode[np.ndarray],
        learning_rates: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> np.ndarray:
        outer_steps = len(learning_rates)
        if not outer_steps:
            return np.empty(0)
        support, query = episodes.map(lambda v: v.reshape(outer_steps, -1, v.shape[-1]))
        before = self.steps
        losses, finite = self._trainer.run(
            support.x, support.y, query.x, query.labels, rates=learning_rates, weights=weights
        )
        losses = losses.astype(float)
        if not finite:
            raise Diverged(before + len(losses), losses[-1], losses[:-1])
        return losses


def make_engine(
    learner: Learner,
    meta: Meta,
    *,
    engine: str = "auto",
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    **options: Any,
) -> Engine:
    """The engine called `engine`; "auto" takes the compiled one wherever it can do the work.

    Raises:
        ConfigError: for an unknown engine.
        ValueError: if "fused" is asked for what it does not cover.
    """
    if engine not in ENGINES:
        raise ConfigError(unknown(engine, ENGINES), "engine")
    fault = uncovered(learner, device)
    if engine == "fused" and fault:
        raise ValueError(f"the fused engine {fault}: choose --engine torch")
    if engine == "torch" or fault or not isinstance(learner, GradientBased):
        return TorchEngine(learner, meta, device=device, dtype=dtype, **options)
    return FusedEngine(learner, meta, dtype=dtype, **options)


def uncovered(learner: Learner, device: str = "cpu") -> str:
    """Why the compiled engine can't train this, or ""."""
    if device != "cpu":
        return f"runs on the CPU only, not on {device}"
    if not isinstance(learner, GradientBased):
        return f"does not cover {learner.name}, which takes no gradient steps"
    if "compiled" not in vars(type(learner)) or not learner.compiled:
        return f"does not cover {learner.name}"
    if not learner.kind.compiled:
        return f"does not cover tasks of kind {learner.kind.name}"
    if learner.activation != "relu":
        return f"does not cover {learner.activation} activations"
    return ""


@functools.lru_cache(maxsize=256)
def compiled_problem(learner: GradientBased, steps: int) -> fused.Problem:
    """What `learner` says, for `steps` inner steps, in the compiled engine's words.

    Its meta-vector holds the meta-parameters in the order of `shapes`.
    """
    sizes, slots, learned = _step_sizes(learner, steps)
    intermediate = learner.intermediate_weight and steps == learner.trained_steps
    return fused.Problem(
        hidden=learner.hidden,
        inner_steps=steps,
        loss=learner.support_loss or learner.loss,
        query_loss=learner.loss,
        query_shares=learner.query_shares if intermediate else None,
        order=learner.order,
        adaptation_hidden=learner.hidden if learner.unlabelled else 0,
        learned_loss=getattr(learner, "learned_loss", "absolute"),
        step_sizes=sizes,
        slots=slots,
        learn_step_sizes=learned,
    )


def _step_sizes(learner: GradientBased, steps: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """The step sizes (n,); which of them moves each weight (1 or steps, P), -1 where it stays; and
    whether they are meta-parameters.

    Each meta-parameter takes its place in the meta-vector for its value: so what the learner's
    `step_sizes` makes of them says which one is used where.
    """
    counts = [int(np.prod(shape)) for shape in learner.shapes.values()]
    places = unflatten(np.arange(sum(counts)), learner.shapes)
    steps_taken = [learner.step_sizes(places, k) for k in range(max(1, steps))]
    rows = np.stack([_by_weight(learner, sizes) for sizes in steps_taken])
    if np.array_equal(rows, np.broadcast_to(rows[0], rows.shape), equal_nan=True):
        rows = rows[:1]
    stays = np.isnan(rows)
    if any(isinstance(size, torch.Tensor) for size in steps_taken[0].values()):
        shapes = [shape for net in learner.parts.values() for shape in net.shapes.values()]
        networks = sum(int(np.prod(shape)) for shape in shapes)
        return np.zeros(sum(counts) - networks), np.where(stays, -1, rows - networks), True
    sizes = np.unique(rows[~stays])
    return sizes, np.where(stays, -1, np.searchsorted(sizes, rows)), False


def _by_weight(learner: GradientBased, sizes: Mapping[str, Any]) -> np.ndarray:
    """A number for each weight of the network (P,), NaN for those that stay."""
    return np.concatenate(
        [
            np.broadcast_to(np.asarray(sizes.get(name, np.nan), float), shape).ravel()
            for name, shape in learner.network.shapes.items()
        ]
    )


ROOT = Path(__file__).resolve().parent.parent
_warm = threading.Event()
_warming = threading.Lock()
_ending = threading.Event()
_compilers: list[subprocess.Popen[bytes]] = []
"""The process that compiles for this one, if there is one."""


def warm_up() -> float:
    """Compile the fused engine and what draws tasks, or load both from disk.

    That takes half a minute once, then a second.

    Returns:
        The seconds it took.
    """
    began = time.perf_counter()
    warm_tasks()
    fused.warm()  # the last, for it notes that all is there
    _warm.set()
    return time.perf_counter() - began


def warm_up_apart() -> None:
    """`warm_up` without getting in the way: another process compiles, this one only loads.

    The compiler is written in Python, so in a thread of this process it would hold up all others.
    That can't be helped where compiled code can't be kept on disk. Whoever asks while it is under
    way waits for it.
    """
    with _warming:
        if is_warm():
            return
        if fused.keeps_code() and not fused.keeps_all():
            with contextlib.suppress(OSError):  # no process to be had: then compile here
                _compile_apart()
        if not _ending.is_set():
            warm_up()


def _compile_apart() -> None:
    command = [sys.executable, "-c", "from metademo import engines; engines.warm_up()"]
    quiet = subprocess.DEVNULL
    _compilers.append(subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd=ROOT))
    _compilers[-1].wait()
    _compilers.pop()


@atexit.register
def _end_compiler() -> None:
    """Leave no process behind that compiles for nobody."""
    _ending.set()
    for compiler in list(_compilers):
        compiler.kill()


def is_warm() -> bool:
    """Whether the fused engine can be used without waiting for the compiler."""
    return _warm.is_set()


def run_compiled(
    learner: Learner,
    meta: Meta,
    support: Examples[np.ndarray],
    x: np.ndarray,
    *,
    steps: int | None = None,
    inner_lr: float | None = None,
) -> Predictions | None:
    """`Learner.run` by the compiled engine; None where it is not warm or does not cover what is
    asked.

    Raises:
        ValueError: for a number of steps that can't be used.
    """
    if not is_warm() or not isinstance(learner, GradientBased) or uncovered(learner):
        return None
    if inner_lr is not None:
        learner, meta = learner.with_inner_lr(meta, inner_lr)
    steps = checked_steps(learner.inner_steps if steps is None else steps)
    vector = flatten(meta, learner.shapes)
    if vector.dtype != np.float32 or not support.x.size or x.ndim != 1:
        return None
    inputs, labels = support
    if learner.unlabelled:  # the kernels want one source input for each step
        inputs, labels = inputs[:, np.arange(max(1, steps)) % inputs.shape[1]], None
    thetas, losses = fused.adapt(compiled_problem(learner, steps), vector, inputs, labels)
    curves = fused.predict(thetas.reshape(-1, thetas.shape[-1]), x, learner.hidden)
    return Predictions(curves.reshape(*losses.shape, len(x)), losses)


def flatten(meta: Meta, shapes: Mapping[str, tuple[int, ...]]) -> np.ndarray:
    """Meta-parameters as one vector, in the order of `shapes`."""
    return np.concatenate([meta[name].detach().cpu().numpy().ravel() for name in shapes])


def unflatten(vector: np.ndarray, shapes: Mapping[str, tuple[int, ...]]) -> Meta:
    """The inverse of `flatten`."""
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    parts = np.split(vector, np.cumsum(sizes)[:-1])
    return {
        name: torch.from_numpy(part.reshape(shape).copy())
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


ENGINES = ("auto", "fused", "torch")
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def _split(episodes: Episode[np.ndarray], parts: int) -> list[Episode[np.ndarray]]:
    """The episodes of each outer step: equal runs of tasks, in order."""
    batch = len(episodes.query.x) // max(1, parts)
    places = [slice(i * batch, (i + 1) * batch) for i in range(parts)]
    return [episodes.map(itemgetter(place)) for place in places]
