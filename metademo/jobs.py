"""A live training: start, pause, resume, stop, limits.

A :class:`Job` runs a `MetaTrainer` in a thread of its own and can be looked at from any other, at
any time, by `snapshot()`. A :class:`Registry` holds the jobs of a whole server: so many at once, a
short waiting line, then a plain "busy". What a job may ask for is bounded by :class:`Limits`, here
and not only in the widgets.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

import numpy as np

from metademo.algorithms import Meta
from metademo.engines import Diverged
from metademo.evaluation import evaluate
from metademo.tasks import Array
from metademo.training import ConfigError, MetaTrainer, TrainConfig

SNAPSHOTS = 100
"""How many snapshots a run keeps, besides the one of its start."""
TRACE_POINTS = 1_000
"""How many points the loss curve of a run keeps at most, however long the run."""
HELD_OUT_TASKS = 40
BREATH = 0.04
"""Seconds of training between two looks at pause and stop."""


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        return self not in (State.WAITING, State.RUNNING, State.PAUSED)


class Busy(RuntimeError):
    """The server trains for as many visitors as it can, and the waiting line is full."""


@dataclass(frozen=True)
class Limits:
    """What a server allows. Each is set by an environment variable, METADEMO_MAX_RUNNING and so on.

    Attributes:
        max_running: jobs at once on the server.
        max_waiting: jobs in the waiting line.
        max_kept: finished jobs that are remembered.
        max_steps, max_hidden, max_meta_batch: of a job's config.
        max_examples: largest number of shots and of query points.
        max_seconds: wall time of a job, pauses included.
        grace_seconds: how long a job outlives its visitor.
    """

    max_running: int = 2
    max_waiting: int = 4
    max_kept: int = 200
    max_steps: int = 300_000
    max_hidden: int = 128
    max_meta_batch: int = 256
    max_examples: int = 100
    max_seconds: float = 900.0
    grace_seconds: float = 8.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Limits:
        """The limits that the host has set.

        Raises:
            ConfigError: naming the variable, if one is not a positive number.
        """
        changes = {}
        for item in fields(cls):
            name = "METADEMO_" + item.name.upper()
            if name not in environment:
                continue
            kind = type(item.default)
            try:
                changes[item.name] = kind(environment[name])
            except ValueError:
                raise ConfigError(f"{name} must be a number, not {environment[name]!r}") from None
            if not 0 <= changes[item.name] < float("inf"):
                raise ConfigError(f"{name} must be zero or more, not {environment[name]}")
        return cls(**changes)

    def check(self, config: TrainConfig) -> None:
        """Raises ConfigError if `config` asks for more than this server gives."""
        bounds = {
            "steps": self.max_steps,
            "hidden": self.max_hidden,
            "meta_batch": self.max_meta_batch,
            "shots": self.max_examples,
            "queries": self.max_examples,
        }
        for name, most in bounds.items():
            if (value := getattr(config, name)) > most:
                raise ConfigError(f"{name} may be at most {most:,} on this server, not {value:,}")


@dataclass(frozen=True)
class Snapshot:
    """The meta-parameters after `step` outer steps, and their held-out error after each inner step.

    Attributes:
        errors: mean error over held-out tasks after 0 .. S inner steps, (S + 1,).
    """

    step: int
    meta: Meta
    errors: Array


@dataclass(frozen=True)
class Progress:
    """A job as it is now; nothing in it changes afterwards.

    Attributes:
        steps_per_second: while training, pauses not counted.
        seconds: spent training.
        seconds_left: at the present rate; None if that can't be said.
        loss_steps, losses: the query loss, averaged over equal runs of outer steps.
        snapshots: those kept so far, the start first.
        reason: why the job ended, in plain words, or what it waits for.
        position: in the waiting line, from 1; 0 if it does not wait.
    """

    state: State
    config: TrainConfig
    step: int
    steps_per_second: float
    seconds: float
    seconds_left: float | None
    loss_steps: Array
    losses: Array
    snapshots: tuple[Snapshot, ...]
    reason: str
    position: int

    @property
    def share(self) -> float:
        return self.step / self.config.steps


class Trace:
    """A curve of any length in bounded memory: averages over bins that double when there are many.

    >>> trace = Trace(2)
    >>> trace.add(np.array([1.0, 3.0, 5.0, 7.0, 9.0]))
    >>> trace.curve()
    (array([2., 4., 5.]), array([2., 6., 9.]))
    """

    def __init__(self, most: int = TRACE_POINTS):
        self._most = most
        self._width = 1
        self._means: list[float] = []
        self._rest = np.empty(0)
        self._seen = 0

    def add(self, values: Array) -> None:
        values = np.concatenate([self._rest, values])
        self._seen += len(values) - len(self._rest)
        whole = len(values) // self._width * self._width
        self._means += values[:whole].reshape(-1, self._width).mean(1).tolist()
        self._rest = values[whole:]
        while len(self._means) > self._most:
            self._halve()

    def curve(self) -> tuple[Array, Array]:
        """At how many values each average ends, and the averages."""
        steps = self._width * (1.0 + np.arange(len(self._means)))
        if not len(self._rest):
            return steps, np.array(self._means)
        return np.append(steps, self._seen), np.append(self._means, self._rest.mean())

    def _halve(self) -> None:
        if len(self._means) % 2:
            left = np.full(self._width, self._means.pop())
            self._rest = np.concatenate([left, self._rest])
        self._means = np.reshape(self._means, (-1, 2)).mean(1).tolist()
        self._width *= 2


class Job:
    """One training in a thread of its own.

    Args:
        config: what to train.
        pace: outer steps per second at most; None for as fast as it goes.
        max_seconds: of wall time, pauses included.
        grace_seconds: how long the job goes on when `alive` says no.
        alive: whether the visitor is still there; asked about once a second.
        ended: called once, from the job's thread or from `stop`, when the job is over.
    """

    def __init__(
        self,
        config: TrainConfig,
        *,
        pace: float | None = None,
        max_seconds: float = Limits.max_seconds,
        grace_seconds: float = Limits.grace_seconds,
        alive: Callable[[], bool] = lambda: True,
        ended: Callable[[Job], None] = lambda job: None,
    ):
        self.config = config
        self.token = secrets.token_urlsafe(9)
        self.pace = pace
        self._max_seconds = max_seconds
        self._grace_seconds = grace_seconds
        self._alive = alive
        self._ended = ended
        self._lock = threading.Condition()
        self._state = State.WAITING
        self._wish = State.RUNNING
        self._reason = ""
        self._trace = Trace()
        self._snapshots: tuple[Snapshot, ...] = ()
        self._step = 0
        self._seconds = 0.0
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> State:
        return self._state

    def start(self) -> None:
        """Begin to train; a second call does nothing."""
        with self._lock:
            if self._state is not State.WAITING or self._thread is not None:
                return
            self._state = State.RUNNING
            self._thread = threading.Thread(target=self._work, name="metademo-job", daemon=True)
            self._thread.start()

    def pause(self) -> None:
        self._ask(State.PAUSED)

    def resume(self) -> None:
        self._ask(State.RUNNING)

    def stop(self, reason: str = "stopped") -> None:
        """End the job; what it has reached stays."""
        with self._lock:
            never_began = self._state is State.WAITING and self._thread is None
            if never_began:
                self._state, self._reason = State.STOPPED, reason
            elif not self._state.over:
                self._wish, self._reason = State.STOPPED, reason
                self._lock.notify_all()
        if never_began:
            self._ended(self)

    def join(self, seconds: float | None = None) -> bool:
        """Wait for the end of the thread; whether it has ended."""
        if self._thread is not None:
            self._thread.join(seconds)
            return not self._thread.is_alive()
        return True

    def snapshot(self, position: int = 0) -> Progress:
        """The job as it is now."""
        with self._lock:
            rate = self._step / self._seconds if self._seconds else 0.0
            left = (self.config.steps - self._step) / rate if rate else None
            loss_steps, losses = self._trace.curve()
            return Progress(
                self._state,
                self.config,
                self._step,
                rate,
                self._seconds,
                None if self._state.over else left,
                loss_steps,
                losses,
                self._snapshots,
                self._reason,
                position,
            )

    def _ask(self, wish: State) -> None:
        with self._lock:
            if self._wish is not State.STOPPED and not self._state.over:
                self._wish = wish
                self._lock.notify_all()

    def _work(self) -> None:
        """The body of the thread. Whatever happens, the job ends with a state and a reason."""
        try:
            ending, reason = self._train()
        except Diverged as fault:
            ending, reason = State.DIVERGED, str(fault)
        except Exception as fault:  # a thread has nobody else to tell
            ending, reason = State.FAILED, f"{type(fault).__name__}: {fault}"
        with self._lock:
            self._state, self._reason = ending, reason
        self._ended(self)

    def _train(self) -> tuple[State, str]:
        trainer = MetaTrainer(self.config)
        self._keep(trainer)
        marks = _marks(self.config.steps)
        guard = _Guard(self._max_seconds, self._grace_seconds, self._alive)
        chunk = 1
        while trainer.step < self.config.steps:
            if not self._may_go_on(guard):
                return State.STOPPED, self._reason
            until_mark = int(marks[np.searchsorted(marks, trainer.step, side="right")])
            began = time.perf_counter()
            try:
                record = trainer.advance(min(chunk, until_mark - trainer.step))
            except Diverged as fault:
                self._note(fault.losses, trainer.step, time.perf_counter() - began)
                self._keep(trainer)
                raise
            spent = self._hold_pace(len(record.query_losses), time.perf_counter() - began)
            self._note(record.query_losses, trainer.step, spent)
            if trainer.step == until_mark:
                self._keep(trainer)
            chunk = self._next_chunk(len(record.query_losses), spent)
        return State.FINISHED, "finished"

    def _next_chunk(self, done: int, seconds: float) -> int:
        """As many steps as take about one breath, growing gently."""
        if self.pace:
            return max(1, round(self.pace * BREATH))
        return max(1, min(done * 2, round(done * BREATH / max(seconds, 1e-6))))

    def _hold_pace(self, steps: int, seconds: float) -> float:
        """In slow motion, wait until `steps` have taken their time; the seconds spent in all."""
        pace = self.pace
        if not pace or seconds >= steps / pace:
            return seconds
        began = time.perf_counter()
        with self._lock:
            self._lock.wait_for(
                lambda: self._wish is not State.RUNNING or self.pace != pace,
                timeout=steps / pace - seconds,
            )
        return seconds + time.perf_counter() - began

    def _may_go_on(self, guard: _Guard) -> bool:
        """Wait while paused; False when it is time to end."""
        while True:
            with self._lock:
                if self._wish is State.STOPPED:
                    return False
                if fault := guard.fault():
                    self._reason = fault
                    return False
                self._state = self._wish
                if self._wish is State.RUNNING:
                    return True
                self._lock.wait(timeout=0.5)

    def _note(self, losses: Array, step: int, seconds: float) -> None:
        with self._lock:
            self._trace.add(losses)
            self._step = step
            self._seconds += seconds

    def _keep(self, trainer: MetaTrainer) -> None:
        """Keep a snapshot of the trainer, with its held-out error."""
        meta, config = trainer.meta, self.config
        errors = evaluate(
            config.learner,
            meta,
            config.task_family,
            shots=config.shots,
            steps=config.inner_steps,
            tasks=HELD_OUT_TASKS,
            seed=config.seed,
        ).mean
        with self._lock:
            self._snapshots = (*self._snapshots, Snapshot(trainer.step, meta, errors))


class _Guard:
    """Says when a job has to end although nobody stopped it."""

    def __init__(self, max_seconds: float, grace_seconds: float, alive: Callable[[], bool]):
        self._deadline = time.monotonic() + max_seconds
        self._max_seconds = max_seconds
        self._grace_seconds = grace_seconds
        self._alive = alive
        self._last_seen = self._next_look = time.monotonic()

    def fault(self) -> str:
        """Why the job has to end, or ""."""
        now = time.monotonic()
        if now >= self._deadline:
            return f"stopped: the {self._max_seconds:g} seconds that this server allows are over"
        if now >= self._next_look:
            self._next_look = now + 1.0
            if self._alive():
                self._last_seen = now
        if now - self._last_seen > self._grace_seconds:
            return "stopped: the visitor has left"
        return ""


class Registry:
    """All jobs of a server, by token."""

    def __init__(self, limits: Limits | None = None):
        self.limits = limits or Limits.from_environment()
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._owners: dict[str, str] = {}
        self._line: list[Job] = []
        self._running: list[Job] = []

    def submit(
        self,
        config: TrainConfig,
        owner: str,
        *,
        pace: float | None = None,
        alive: Callable[[], bool] = lambda: True,
    ) -> Job:
        """Start a job for `owner`, or put it in the waiting line.

        Raises:
            ConfigError: if the config asks for more than the limits allow.
            Busy: if `owner` has a job under way, or the waiting line is full.
        """
        self.limits.check(config)
        with self._lock:
            if any(self._owners[job.token] == owner for job in (*self._running, *self._line)):
                raise Busy("your other run is still under way: stop it first")
            if len(self._line) >= self.limits.max_waiting and self._full:
                raise Busy("the server is busy with other visitors' runs: try again in a minute")
            job = Job(
                config,
                pace=pace,
                max_seconds=self.limits.max_seconds,
                grace_seconds=self.limits.grace_seconds,
                alive=alive,
                ended=self._ended,
            )
            self._jobs[job.token], self._owners[job.token] = job, owner
            self._line.append(job)
            self._fill()
            self._forget()
        return job

    def find(self, token: str) -> Job | None:
        """The job with this token, if it is still remembered."""
        return self._jobs.get(token)

    def progress(self, job: Job) -> Progress:
        """The job as it is now, with its place in the waiting line."""
        with self._lock:
            self._line = [waiting for waiting in self._line if waiting._alive() or waiting is job]
            position = self._line.index(job) + 1 if job in self._line else 0
        progress = job.snapshot(position)
        if position:
            return replace(progress, reason=f"number {position} in the waiting line")
        return progress

    @property
    def _full(self) -> bool:
        return len(self._running) >= self.limits.max_running

    def _fill(self) -> None:
        while self._line and not self._full:
            job = self._line.pop(0)
            self._running.append(job)
            job.start()

    def _ended(self, job: Job) -> None:
        with self._lock:
            for jobs in (self._running, self._line):
                if job in jobs:
                    jobs.remove(job)
            self._fill()

    def _forget(self) -> None:
        """Drop the oldest jobs that are over, when there are too many."""
        over = [token for token, job in self._jobs.items() if job.state.over]
        for token in over[: max(0, len(self._jobs) - self.limits.max_kept)]:
            del self._jobs[token], self._owners[token]


def _marks(steps: int) -> Array:
    """The outer steps at which snapshots are kept: denser early, the last one included."""
    return np.unique(np.geomspace(1, steps, SNAPSHOTS).round().astype(int))
