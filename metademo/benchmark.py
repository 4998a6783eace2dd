"""How fast meta-training is, engine beside engine: ``python -m metademo benchmark``.

Each engine runs in a process of its own, pinned to one core, and all take turns: one short run
each, round after round. What is quoted are medians over rounds, and ratios within a round, so that
a machine that is busy for a while slows all of them alike.

What is measured: the article's loop written plainly (`original`), this project's reference engine
(`torch`), its compiled engine (`fused`), and, if it is installed and asked for, a whole run in one
jitted ``lax.scan`` (`jax`).
"""

from __future__ import annotations

import json
import math
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from torch.nn import functional as F

from metademo.evaluation import evaluate
from metademo.formats import readable, to_json
from metademo.recipes import configure
from metademo.reports import Growth, Rate, Speeds, Spread, TimeToQuality, WholeRun
from metademo.settings import TrainConfig
from metademo.training import MetaTrainer

BATCHES = (1, 16, 64)
SECONDS = 0.4
"""How long one measured run lasts, roughly."""
QUALITY = {"maml": 0.10, "daml": 0.05}
"""Held-out mean L1 to reach, for the time to quality."""
SEEDS = range(5)


def flops_per_task(config: TrainConfig) -> float:
    """Floating-point operations of one task's meta-gradient, counting products of matrices only.

    A forward pass costs 2 (H^2 + 2 H) per point, a gradient three of them, a Hessian-vector product
    (Pearlmutter 1994) six: tangents forwards, and values and tangents backwards.
    """
    forward = 2 * (config.hidden**2 + 2 * config.hidden)
    support = config.inner_steps * config.shots * (3 + 6) * forward
    return support + 3 * config.queries * forward


# ---------------------------------------------------------------------------- what a worker can do


def original_loop(steps: int, daml: bool = False) -> float:
    """The article's loop, as the article has it; seconds for `steps` outer steps."""
    sizes = [(32, 1), (32,), (32, 32), (32,), (1, 32), (1,)]
    params = [_drawn(size) for size in sizes]
    critic = [_drawn(size) for size in [(32, 65), *sizes[1:]]] if daml else []
    optimizer = torch.optim.SGD(params + critic, lr=1e-2)
    began = time.perf_counter()
    for _ in range(steps):
        b = random.choice([0.0, math.pi])
        x, v_x = (torch.rand(4, 1) * 4 * math.pi - 2 * math.pi for _ in range(2))
        y, v_y = torch.sin(x + b), torch.sin(v_x + b)
        optimizer.zero_grad()
        new = params
        for _ in range(5):
            if daml:
                low = math.pi / 4 if b == 0 else -math.pi / 2
                source = torch.tensor([[random.uniform(low, low + math.pi / 4)]])
                verdict = _network(torch.cat(_network(source, new), dim=1), critic)[0]
                loss = F.l1_loss(verdict, torch.zeros(1, 1))
            else:
                loss = F.l1_loss(_network(x, new)[0], y)
            grads = torch.autograd.grad(loss, new, create_graph=True)
            new = [p - 3e-2 * g for p, g in zip(new, grads, strict=True)]
        F.l1_loss(_network(v_x, new)[0], v_y).backward()
        optimizer.step()
    return time.perf_counter() - began


def _drawn(size: tuple[int, ...]) -> torch.Tensor:
    bound = 1 / math.sqrt(size[-1]) if len(size) == 2 else 0.0
    return torch.empty(size).uniform_(-bound, bound).requires_grad_()


def _network(x: torch.Tensor, params: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    h1 = F.relu(F.linear(x, params[0], params[1]))
    h2 = F.relu(F.linear(h1, params[2], params[3]))
    return F.linear(h2, params[4], params[5]), h2, h1


class Original:
    """One task per outer step is all that it can do."""

    def tasks_per_second(self, algorithm: str, batch: int) -> float | None:
        if batch != 1:
            return None
        steps = 60
        return steps / original_loop(steps, daml=algorithm == "daml")


class OwnEngine:
    """An engine of this project, through the trainer that everything else uses."""

    def __init__(self, engine: str):
        self._engine = engine
        self._trainers: dict[TrainConfig, MetaTrainer] = {}

    def tasks_per_second(self, algorithm: str, batch: int) -> float:
        config = configure(algorithm, "two-phase", "original", meta_batch=batch, steps=10**8)
        return self.rate(config)

    def rate(self, config: TrainConfig) -> float:
        """Tasks per second in the middle of a run, for about `SECONDS`."""
        if config not in self._trainers:
            self._trainers[config] = MetaTrainer(config, engine=self._engine)
            self._trainers[config].advance(4)
        trainer, chunk = self._trainers[config], 4
        while True:
            began = time.perf_counter()
            trainer.advance(chunk)
            seconds = time.perf_counter() - began
            if seconds > SECONDS / 2:
                return chunk * config.meta_batch / seconds
            chunk = math.ceil(chunk * min(50, max(2, SECONDS / seconds)))

    def whole_run(self, config: TrainConfig) -> WholeRun:
        """Train from start to end, and measure the error on held-out tasks."""
        before = _memory()
        trainer = MetaTrainer(config, engine=self._engine)
        began = time.perf_counter()
        for _ in trainer.run(every=2000):
            pass
        seconds = time.perf_counter() - began
        error = evaluate(config.learner, trainer.meta, config.task_family).mean[-1]
        return WholeRun(
            algorithm=config.algorithm,
            seconds=seconds,
            error=float(error),
            megabytes=_memory() - before,
        )


class Jax:
    """The strongest peer: the whole run, sampling and all, in one jitted ``lax.scan``."""

    def __init__(self) -> None:
        self._runs: dict[int, tuple[Callable[..., Any], Any, int]] = {}

    def tasks_per_second(self, algorithm: str, batch: int) -> float | None:
        if algorithm != "maml":
            return None
        if batch not in self._runs:
            self._runs[batch] = self._compile(batch)
        run, params, steps = self._runs[batch]
        began = time.perf_counter()
        run(params, self._key).block_until_ready()
        return steps * batch / (time.perf_counter() - began)

    def _compile(self, batch: int) -> tuple[Callable[..., Any], Any, int]:
        import jax
        import jax.numpy as jnp

        self._key = jax.random.PRNGKey(0)
        steps = max(50, 8000 // batch)

        def network(params: Any, x: Any) -> Any:
            w1, b1, w2, b2, w3, b3 = params
            hidden = jax.nn.relu(x[:, None] @ w1 + b1)
            return (jax.nn.relu(hidden @ w2 + b2) @ w3 + b3)[:, 0]

        def loss(params: Any, x: Any, y: Any) -> Any:
            return jnp.abs(network(params, x) - y).mean()

        def query_loss(params: Any, key: Any) -> Any:
            phase_key, x_key = jax.random.split(key)
            phase = jnp.pi * jax.random.bernoulli(phase_key)
            x = jax.random.uniform(x_key, (2, 4), minval=-2 * jnp.pi, maxval=2 * jnp.pi)
            y = jnp.sin(x + phase)
            for _ in range(5):
                grads = jax.grad(loss)(params, x[0], y[0])
                params = jax.tree.map(lambda p, g: p - 0.03 * g, params, grads)
            return loss(params, x[1], y[1])

        def mean_loss(params: Any, key: Any) -> Any:
            keys = jax.random.split(key, batch)
            return jax.vmap(query_loss, (None, 0))(params, keys).mean()

        def outer_step(params: Any, key: Any) -> Any:
            value, grads = jax.value_and_grad(mean_loss)(params, key)
            return jax.tree.map(lambda p, g: p - 0.01 * g, params, grads), value

        @jax.jit
        def run(params: Any, key: Any) -> Any:
            return jax.lax.scan(outer_step, params, jax.random.split(key, steps))[1]

        shapes = [(1, 32), (32,), (32, 32), (32,), (32, 1), (1,)]
        rng = np.random.default_rng(0)
        params = [
            jnp.asarray(rng.uniform(-1, 1, s) / math.sqrt(s[0]) * (len(s) == 2), jnp.float32)
            for s in shapes
        ]
        run(params, self._key).block_until_ready()
        return run, params, steps


def peak_gflops() -> float:
    """What one core reaches in a large single-precision matrix product."""
    a = np.ones((1024, 1024), np.float32)
    a @ a
    best = min(_seconds(lambda: a @ a) for _ in range(10))
    return 2 * 1024**3 / best / 1e9


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _memory() -> float:
    """The memory that this process holds now, in MB (on Linux; elsewhere the most it has held)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


# ------------------------------------------------------------------------------------- the workers


MEASURED: dict[str, Callable[[], Any]] = {
    "original": Original,
    "torch": lambda: OwnEngine("torch"),
    "fused": lambda: OwnEngine("fused"),
    "jax": Jax,
}
"""What makes a worker's engine."""


class Worker:
    """A process of its own that measures when it is asked to."""

    def __init__(self, name: str):
        core = max(os.sched_getaffinity(0))
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        limits["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from metademo import benchmark; benchmark.serve({name!r})"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | limits,
            preexec_fn=lambda: os.sched_setaffinity(0, [core]),
        )

    def ask(self, method: str, *arguments: Any) -> Any:
        """The answer of the engine's method."""
        request = json.dumps([method, *(_plain(argument) for argument in arguments)])
        assert self._process.stdin
        assert self._process.stdout
        print(request, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("a benchmark process has died; see its message above")
        return json.loads(answer)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *fault: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()


def serve(name: str) -> None:
    """The body of a worker: a request a line, an answer a line."""
    torch.set_num_threads(1)
    engine = MEASURED[name]()
    for line in sys.stdin:
        method, *arguments = json.loads(line)
        values = [TrainConfig.from_dict(a) if isinstance(a, dict) else a for a in arguments]
        target = peak_gflops if method == "peak_gflops" else getattr(engine, method)
        print(to_json(_plain(target(*values))), flush=True)


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else value


# -------------------------------------------------------------------------------------- the report


def rates(workers: dict[str, Worker], rounds: int) -> Iterator[Rate]:
    """Tasks per second of each engine, and its ratio to the original loop, round by round."""
    for algorithm in ("maml", "daml"):
        for batch in BATCHES:
            measured: dict[str, list[float]] = {}
            for _ in range(rounds):
                base = workers["original"].ask("tasks_per_second", algorithm, 1)
                for name, worker in workers.items():
                    rate = worker.ask("tasks_per_second", algorithm, batch)
                    if rate is not None:
                        measured.setdefault(name, []).append(rate)
                        measured.setdefault(name + " ratio", []).append(rate / base)
            for name in workers:
                if name in measured:
                    yield Rate(
                        algorithm=algorithm,
                        meta_batch=batch,
                        engine=name,
                        tasks_per_second=Spread.of(measured[name]),
                        times_original=Spread.of(measured[name + " ratio"]),
                    )


def scaling(fused: Worker) -> Iterator[Growth]:
    """Microseconds per task as one setting grows: flat in tasks, linear in steps and shots."""
    base = configure("maml", "two-phase", "original", meta_batch=16, steps=10**8)
    for name, values in {
        "meta_batch": (4, 16, 64, 256),
        "inner_steps": (1, 2, 4, 8, 16),
        "shots": (4, 8, 16, 32),
    }.items():
        for value in values:
            change: dict[str, Any] = {name: value}
            rate = fused.ask("rate", base.changed(**change))
            yield Growth(setting=name, value=value, microseconds=1e6 / rate)


def to_quality(fused: Worker) -> Iterator[TimeToQuality]:
    """Whole runs of recipe `fast`, for five seeds: seconds, and the held-out error they reach."""
    for algorithm, target in QUALITY.items():
        runs = [_whole_run(fused, algorithm, "fast", seed) for seed in SEEDS]
        yield TimeToQuality(
            algorithm=algorithm,
            target=target,
            seconds=Spread.of([run.seconds for run in runs]),
            errors=tuple(run.error for run in runs),
            reached=sum(run.error <= target for run in runs),
        )


def article_runs(fused: Worker) -> Iterator[WholeRun]:
    """The article's two runs of 275,000 outer steps, exact recipe."""
    return (_whole_run(fused, algorithm, "original", 0) for algorithm in QUALITY)


def _whole_run(fused: Worker, algorithm: str, recipe: str, seed: int) -> WholeRun:
    config = configure(algorithm, "two-phase", recipe, seed=seed)
    return WholeRun.model_validate(fused.ask("whole_run", config))


def run(*, peers: bool = False, rounds: int = 5, say: Callable[[str], None] = print) -> Speeds:
    """The whole benchmark; `say` is told what is being done."""
    names = [name for name in MEASURED if name != "jax" or peers]
    workers: dict[str, Worker] = {}
    try:
        for name in names:
            workers[name] = Worker(name)
        fused = workers["fused"]
        say("compiling, once")
        peak = workers["torch"].ask("peak_gflops")
        for worker in workers.values():
            for batch in BATCHES:  # not measured: this is where engines compile
                worker.ask("tasks_per_second", "maml", batch)
        say("rates")
        measured = tuple(rates(workers, rounds))
        say("recipe fast, five seeds each")
        quality = tuple(to_quality(fused))
        say("the article's runs")
        article = tuple(article_runs(fused))
        say("scaling")
        grown = tuple(scaling(fused))
    finally:
        for worker in workers.values():
            worker.__exit__()
    config = configure("maml", "two-phase", "original")
    best = max(
        rate.tasks_per_second.median
        for rate in measured
        if (rate.engine, rate.algorithm) == ("fused", "maml")
    )
    gflops = best * flops_per_task(config) / 1e9
    return Speeds(
        peak_gflops=peak,
        rates=measured,
        quality=quality,
        article=article,
        scaling=grown,
        share_of_peak=gflops / peak,
    )


def table(report: Speeds) -> str:
    """The report as text."""
    lines = [f"{'algorithm':<11}{'batch':>6}  {'engine':<16}{'tasks/s':>10}{'× original':>12}"]
    for rate in report.rates:
        ratio = rate.times_original
        lines.append(
            f"{rate.algorithm:<11}{rate.meta_batch:>6}  {rate.engine:<16}"
            f"{rate.tasks_per_second.median:>10,.0f}{ratio.median:>12.1f}"
            f"   ({ratio.low:.0f} .. {ratio.high:.0f})"
        )
    lines.append(
        f"\nfused, share of one core's single-precision peak "
        f"({report.peak_gflops:.0f} GFLOP/s): {report.share_of_peak:.0%}"
    )
    lines.append("\nrecipe fast, five seeds, one core")
    for runs in report.quality:
        errors = ", ".join(readable(error, 3) for error in runs.errors)
        lines.append(
            f"  {runs.algorithm}: {runs.seconds.median:.2f} s; held-out L1 {errors} "
            f"(target {runs.target:.2f}: {runs.reached} of {len(runs.errors)})"
        )
    lines.append("\nthe article's recipe, 275,000 outer steps, one core")
    for whole in report.article:
        lines.append(
            f"  {whole.algorithm}: {whole.seconds:.1f} s; held-out L1 {readable(whole.error, 3)}; "
            f"{whole.megabytes:.0f} MB above the idle process"
        )
    lines.append("\nmicroseconds per task as one setting grows (fused, one core)")
    for growth in report.scaling:
        lines.append(f"  {growth.setting:<12}{growth.value:>5}{growth.microseconds:>9.1f}")
    return "\n".join(lines)
