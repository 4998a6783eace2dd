"""A live training: start, pause, resume, stop, limits.

A :class:`Job` runs a `MetaTrainer` in a thread of its own and can be looked at from any other, at
any time, by `snapshot()`. A :class:`Registry` holds the jobs of a whole server: so many at once, a
short waiting line, then a plain "busy". What a job may ask for is bounded by :class:`Limits`, here
and not only in the widgets.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

import numpy as np

from metademo import engines
from metademo.algorithms import Meta
from metademo.engines import Diverged
from metademo.evaluation import evaluate
from metademo.tasks import Array
from metademo.training import ConfigError, MetaTrainer, TrainConfig

log = logging.getLogger(__name__)

SNAPSHOTS = 60
SNAPSHOT_BYTES = 4 * 2**20
"""How many snapshots a run keeps at most, besides those of its start and its end, and how large
they may be together."""
TRACE_POINTS = 1_000
"""How many points the loss curve of a run keeps at most, however long the run."""
HELD_OUT_TASKS = 40
HELD_OUT_EVERY = 8
"""The held-out error of a snapshot is taken on every 8th point of the grid: a quick look, so that
60 of them stay a small part of a run that is over in two seconds."""
BREATH = 0.02
"""Seconds of training between two looks at pause and stop."""
REST = 0.01
"""Seconds that a job leaves to the pages after each breath, where jobs fill all cores. A lower
priority does not do that: a thread that is set aside may hold the interpreter."""
FRESH = 0.25
"""Seconds after which there is a new snapshot to look at, if none is due."""
WINDOW = 2.0
"""The speed is that of the last so many seconds."""


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
        max_steps, max_hidden, max_meta_batch, max_inner_steps: of a job's config.
        max_examples: largest number of shots and of query points.
        max_step_work: of one outer step: meta-batch x inner steps x points x width squared. It is
            what keeps Pause and Stop prompt, whatever the other limits are.
        max_seconds: wall time of a job, pauses included.
        max_paused_seconds: how long a job may stand still, for others may be waiting.
        grace_seconds: how long a job outlives its visitor.
    """

    max_running: int = 2
    max_waiting: int = 4
    max_kept: int = 60
    max_steps: int = 300_000
    max_hidden: int = 128
    max_meta_batch: int = 256
    max_inner_steps: int = 20
    max_examples: int = 100
    max_step_work: int = 200_000_000
    max_seconds: float = 900.0
    max_paused_seconds: float = 180.0
    grace_seconds: float = 8.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Limits:
        """The limits that the host has set.

        Raises:
            ConfigError: naming the variable, if one is not a number of zero or more.
        """
        changes = {}
        for item in fields(cls):
            name = "METADEMO_" + item.name.upper()
            if name in environment:
                changes[item.name] = _number(name, environment[name], type(item.default))
        return cls(**changes)

    def most(self, name: str) -> int | None:
        """The largest value of a config's setting, or None if only its own range bounds it."""
        own = {"shots": self.max_examples, "queries": self.max_examples}
        return own.get(name, getattr(self, f"max_{name}", None))

    def check(self, config: TrainConfig) -> None:
        """Raises ConfigError if `config` asks for more than this server gives."""
        for item in fields(config):
            most, value = self.most(item.name), getattr(config, item.name)
            if most is not None and value > most:
                raise ConfigError(
                    f"{item.name} may be at most {most:,} on this server, not {value:,}"
                )
        points = config.shots + config.queries
        work = config.meta_batch * (config.inner_steps + 1) * points * config.hidden**2
        if work > self.max_step_work:
            raise ConfigError(
                "one outer step would be too much work for this server: make hidden, meta_batch, "
                f"inner_steps, shots or queries smaller (it is {work / self.max_step_work:.1f} "
                "times what a step may be)"
            )


def _number(name: str, text: str, kind: type) -> float:
    """What an environment variable says, as a number that can be a limit."""
    try:
        value = kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise ConfigError(f"{name} must be {what}, not {text!r}") from None
    if not 0 <= value < float("inf"):
        raise ConfigError(f"{name} must be zero or more, not {text}")
    return value


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
        engine: name of the engine that does the work, "" before it is known.
        steps_per_second: of the last moments while training, of the whole run afterwards.
        seconds: since the start, pauses not counted.
        seconds_left: at the present rate; None if that can't be said.
        loss_steps, losses: the query loss, averaged over equal runs of outer steps.
        snapshots: those kept so far, the start first and the newest last.
        reason: why the job ended, in plain words, or what it waits for.
        position: in the waiting line, from 1; 0 if it does not wait.
    """

    state: State
    config: TrainConfig
    engine: str
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
        self._seen += len(values)
        values = np.concatenate([self._rest, values])
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


class Clock:
    """How long a job has trained, and how fast."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._steps = 0
        self._first = (0.0, 0)
        self._lately: deque[tuple[float, int]] = deque([(0.0, 0)])

    def add(self, steps: int, seconds: float) -> None:
        self.seconds += seconds
        self._steps += steps
        now = (self.seconds, self._steps)
        if steps and not self._first[1]:  # the first steps may have had to wait for the compiler
            self._first = now
            self._lately.clear()
        self._lately.append(now)
        while self.seconds - self._lately[0][0] > WINDOW and len(self._lately) > 2:
            self._lately.popleft()

    @property
    def rate(self) -> float:
        """Steps per second of late."""
        return self._since(*self._lately[0])

    @property
    def overall(self) -> float:
        """Steps per second since the first ones were done."""
        return self._since(*self._first)

    def _since(self, seconds: float, steps: int) -> float:
        passed = self.seconds - seconds
        return (self._steps - steps) / passed if passed > 0 else 0.0


class Presence:
    """Whether anyone is still there to look at a job. A visitor who reloads is away for a moment.

    >>> Presence(lambda: True, grace_seconds=8.0).left
    False
    """

    def __init__(self, alive: Callable[[], bool], grace_seconds: float):
        self._watchers = (alive,)
        self._grace_seconds = grace_seconds
        self._next_look = 0.0
        self._absent_since: float | None = None

    def join(self, alive: Callable[[], bool]) -> None:
        """Another session looks at the job: after a reload, or with the same address."""
        self._watchers = (*self._watchers, alive)[-8:]
        self.seen()

    def seen(self) -> None:
        self._absent_since = None

    @property
    def left(self) -> bool:
        """True when nobody was there for the grace period; looks about once a second.

        The period begins when somebody is missed, not when somebody was seen: between two looks
        there may have been a long wait for the compiler.
        """
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + min(1.0, self._grace_seconds / 4)
            if any(alive() for alive in self._watchers):
                self._absent_since = None
            elif self._absent_since is None:
                self._absent_since = now
        since = self._absent_since
        return since is not None and now - since >= self._grace_seconds


class Job:
    """One training in a thread of its own.

    Args:
        config: what to train.
        pace: outer steps per second at most; None for as fast as it goes. May be set at any time.
        limits: of wall time, of standing still, and the grace period.
        alive: whether the visitor is still there; asked about once a second.
        ended: called once, from the job's thread or from `stop`, when the job is over.
        crowded: whether jobs fill all cores.
        engine: see `MetaTrainer`.
    """

    def __init__(
        self,
        config: TrainConfig,
        *,
        pace: float | None = None,
        limits: Limits | None = None,
        alive: Callable[[], bool] = lambda: True,
        ended: Callable[[Job], None] = lambda job: None,
        crowded: Callable[[], bool] = lambda: False,
        engine: str = "auto",
    ):
        self.config = config
        self.token = secrets.token_urlsafe(9)
        self.limits = limits or Limits()
        self.presence = Presence(alive, self.limits.grace_seconds)
        self._pace = pace
        self._ended = ended
        self._crowded = crowded
        self._engine = engine
        self._engine_name = ""
        self._lock = threading.Condition()
        self._state = State.WAITING
        self._wish = State.RUNNING
        self._reason = ""
        self._trace = Trace()
        self._kept: tuple[Snapshot, ...] = ()
        self._newest: Snapshot | None = None
        self._looked = 0.0
        self._step = 0
        self._clock = Clock()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> State:
        return self._state

    @property
    def pace(self) -> float | None:
        return self._pace

    @pace.setter
    def pace(self, pace: float | None) -> None:
        with self._lock:
            self._pace = pace
            self._lock.notify_all()

    def start(self) -> None:
        """Begin to train; a second call does nothing."""
        with self._lock:
            if self._state is not State.WAITING:
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
            never_began = self._state is State.WAITING
            if never_began:
                self._state, self._reason = State.STOPPED, reason
            elif not self._state.over and self._wish is not State.STOPPED:
                self._wish, self._reason = State.STOPPED, reason
            self._lock.notify_all()
        if never_began:
            self._ended(self)

    def settle(self, seconds: float = 0.4) -> None:
        """Wait a moment until the job has done what it was asked for last."""
        with self._lock:
            self._lock.wait_for(
                lambda: self._state.over or self._state in (self._wish, State.WAITING), seconds
            )

    def join(self, seconds: float | None = None) -> bool:
        """Wait for the end of the thread; whether it has ended."""
        if self._thread is not None:
            self._thread.join(seconds)
            return not self._thread.is_alive()
        return True

    def snapshot(self, position: int = 0) -> Progress:
        """The job as it is now."""
        with self._lock:
            over = self._state.over
            rate = self._clock.overall if over else self._clock.rate
            loss_steps, losses = self._trace.curve()
            newest = () if self._newest is None else (self._newest,)
            return Progress(
                state=self._state,
                config=self.config,
                engine=self._engine_name,
                step=self._step,
                steps_per_second=rate,
                seconds=self._clock.seconds,
                seconds_left=(self.config.steps - self._step) / rate if rate and not over else None,
                loss_steps=loss_steps,
                losses=losses,
                snapshots=self._kept + newest,
                reason=self._reason,
                position=position,
            )

    def _ask(self, wish: State) -> None:
        with self._lock:
            under_way = self._state in (State.RUNNING, State.PAUSED)
            if under_way and self._wish is not State.STOPPED:
                self._wish = wish
                self._lock.notify_all()

    def _work(self) -> None:
        """The body of the thread. Whatever happens, the job ends with a state and a reason."""
        ending, reason = State.FAILED, "the training ended unexpectedly"
        try:
            ending, reason = self._train()
        except Diverged as fault:
            ending, reason = State.DIVERGED, str(fault)
        except Exception as fault:  # a thread has nobody else to tell
            log.exception("a training failed")
            reason = f"{type(fault).__name__}: {fault}"
        finally:
            with self._lock:
                self._state, self._reason = ending, reason
                self._lock.notify_all()
            self._ended(self)

    def _train(self) -> tuple[State, str]:
        trainer = MetaTrainer(self.config, engine=self._engine)
        self._engine_name = trainer.engine.name
        self._keep(trainer)
        deadline = time.monotonic() + self.limits.max_seconds
        try:
            if fault := self._await_compiler(deadline):
                return State.STOPPED, fault
            return self._advance_to_end(trainer, deadline)
        finally:
            self._keep_last(trainer)

    def _await_compiler(self, deadline: float) -> str:
        """Wait until the engine is compiled; then "", or why the job has to end.

        Compiling can't be interrupted, so it is done by a thread that the job may leave behind: the
        next run will be glad of it.
        """
        if self._engine_name != "fused" or engines.is_warm():
            return ""
        compiler = threading.Thread(
            target=engines.warm_up_apart, name="metademo-warm-up", daemon=True
        )
        compiler.start()
        while compiler.is_alive():
            if fault := self._pause_or_fault(deadline):
                return fault
            began = time.perf_counter()
            compiler.join(BREATH)
            with self._lock:
                self._clock.add(0, time.perf_counter() - began)
        return ""

    def _advance_to_end(self, trainer: MetaTrainer, deadline: float) -> tuple[State, str]:
        marks = _marks(self.config.steps, _most_snapshots(trainer))
        chunk = 1
        while trainer.step < self.config.steps:
            if fault := self._pause_or_fault(deadline):
                return State.STOPPED, fault
            mark = int(marks[np.searchsorted(marks, trainer.step, side="right")])
            done, spent = self._advance(trainer, min(chunk, mark - trainer.step))
            if trainer.step == mark:
                self._keep(trainer)
            elif time.perf_counter() - self._looked > FRESH:
                self._keep(trainer, lasting=False)
            chunk = self._next_chunk(done, spent)
        return State.FINISHED, "finished"

    def _advance(self, trainer: MetaTrainer, steps: int) -> tuple[int, float]:
        """Train so many steps; how many it were, and how many seconds they took."""
        began = time.perf_counter()
        try:
            losses = trainer.advance(steps).query_losses
        except Diverged as fault:
            self._note(fault.losses, trainer.step, time.perf_counter() - began)
            raise
        seconds = time.perf_counter() - began
        self._note(losses, trainer.step, seconds)
        if self._crowded():
            self._rest()
        return len(losses), seconds + self._hold_pace(len(losses), seconds)

    def _rest(self) -> None:
        time.sleep(REST)
        with self._lock:
            self._clock.add(0, REST)

    def _next_chunk(self, done: int, seconds: float) -> int:
        """As many steps as take about one breath, growing gently."""
        if pace := self._pace:
            return max(1, round(pace * BREATH))
        return max(1, min(done * 2, round(done * BREATH / max(seconds, 1e-6))))

    def _hold_pace(self, steps: int, seconds: float) -> float:
        """In slow motion, wait until `steps` have taken their time; how long that was."""
        pace = self._pace
        if not pace or seconds >= steps / pace:
            return 0.0
        began = time.perf_counter()
        with self._lock:
            self._lock.wait_for(
                lambda: self._wish is not State.RUNNING or self._pace != pace,
                timeout=steps / pace - seconds,
            )
            waited = time.perf_counter() - began
            self._clock.add(0, waited)
        return waited

    def _pause_or_fault(self, deadline: float) -> str:
        """Wait while paused; then "", or why the job has to end."""
        paused_until = time.monotonic() + self.limits.max_paused_seconds
        while True:
            fault = self._fault(deadline, paused_until)
            with self._lock:
                if self._wish is State.STOPPED:
                    return self._reason
                if fault:
                    return fault
                if self._state is not self._wish:
                    self._state = self._wish
                    self._lock.notify_all()
                if self._wish is State.RUNNING:
                    return ""
                self._lock.wait(timeout=0.5)

    def _fault(self, deadline: float, paused_until: float) -> str:
        """Why the job has to end although nobody stopped it, or ""."""
        now = time.monotonic()
        if now >= deadline:
            return f"stopped: the {self.limits.max_seconds:g} seconds a run may take here are over"
        if now >= paused_until:
            return f"stopped: it was paused for {self.limits.max_paused_seconds:g} seconds"
        return "stopped: the visitor has left" if self.presence.left else ""

    def _note(self, losses: Array, step: int, seconds: float) -> None:
        with self._lock:
            self._trace.add(losses)
            self._step = step
            self._clock.add(len(losses), seconds)

    def _keep(self, trainer: MetaTrainer, *, lasting: bool = True) -> None:
        """Take a snapshot with its held-out error; one that does not last gives way to the next."""
        began, meta = time.perf_counter(), trainer.meta
        snapshot = Snapshot(trainer.step, meta, held_out_errors(self.config, meta))
        self._looked = time.perf_counter()
        with self._lock:
            self._clock.add(0, self._looked - began)
            if lasting:
                self._kept, self._newest = (*self._kept, snapshot), None
            else:
                self._newest = snapshot

    def _keep_last(self, trainer: MetaTrainer) -> None:
        """See that the last snapshot is of the last good weights.

        The run may have ended between two marks; and one that diverged goes back to the weights
        before those whose loss was not finite.
        """
        with self._lock:
            self._kept = tuple(s for s in self._kept if s.step <= trainer.step)
            self._newest = None
        if trainer.step > self._kept[-1].step:
            self._keep(trainer)


class Registry:
    """All jobs of a server, by token."""

    def __init__(self, limits: Limits | None = None):
        self.limits = limits or Limits.from_environment()
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._owners: dict[str, set[str]] = {}
        self._line: list[Job] = []
        self._running: list[Job] = []

    def submit(
        self,
        config: TrainConfig,
        owner: str,
        *,
        pace: float | None = None,
        alive: Callable[[], bool] = lambda: True,
        engine: str = "auto",
    ) -> Job:
        """Start a job for `owner`, or put it in the waiting line.

        Raises:
            ConfigError: if the config asks for more than the limits allow.
            Busy: if `owner` has a job under way, or the waiting line is full.
        """
        self.limits.check(config)
        with self._lock:
            # One that is over by now may not have had the time to say so.
            self._running = [job for job in self._running if not job.state.over]
            self._drop_absent()
            if self.under_way(owner):
                raise Busy("Your other run is still under way: stop it first.")
            if self._full and len(self._line) >= self.limits.max_waiting:
                raise Busy("The server is busy with other visitors' runs. Try again in a minute.")
            job = Job(
                config,
                pace=pace,
                limits=self.limits,
                alive=alive,
                ended=self._ended,
                crowded=self._crowded,
                engine=engine,
            )
            self._jobs[job.token], self._owners[job.token] = job, {owner}
            self._line.append(job)
            self._fill()
            self._forget()
        return job

    def _crowded(self) -> bool:
        return len(self._running) >= (os.cpu_count() or 1)

    def under_way(self, owner: str) -> list[Job]:
        """The jobs of `owner` that run or wait: one at most, unless addresses were shared."""
        with self._lock:
            return [j for j in (*self._running, *self._line) if owner in self._owners[j.token]]

    def attach(self, token: str, owner: str, alive: Callable[[], bool]) -> Job | None:
        """The job with this token, which from now on belongs to `owner`, too; None if forgotten.

        The token is a secret that only the visitor's address bar holds: whoever has it after a
        reload is the same visitor.
        """
        with self._lock:
            job = self._jobs.get(token)
            if job is not None and owner not in self._owners[token]:
                self._owners[token].add(owner)
                job.presence.join(alive)
            return job

    def progress(self, job: Job) -> Progress:
        """The job as it is now, with its place in the waiting line."""
        with self._lock:
            if job in self._line:
                job.presence.seen()  # by whoever asks
                self._drop_absent()
            position = self._line.index(job) + 1 if job in self._line else 0
        progress = job.snapshot(position)
        if position:
            return replace(progress, reason=f"number {position} in the waiting line")
        return progress

    @property
    def _full(self) -> bool:
        return len(self._running) >= self.limits.max_running

    def _drop_absent(self) -> None:
        """Take those whose visitors left out of the waiting line."""
        for job in [job for job in self._line if job.presence.left]:
            self._line.remove(job)
            job.stop("stopped: the visitor has left")

    def _fill(self) -> None:
        self._drop_absent()
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


def held_out_errors(config: TrainConfig, meta: Meta) -> Array:
    """A quick look at the mean error over held-out tasks after 0 .. S inner steps, (S + 1,)."""
    family = config.task_family
    return evaluate(
        config.learner,
        meta,
        family,
        shots=config.shots,
        steps=config.inner_steps,
        tasks=HELD_OUT_TASKS,
        seed=config.seed,
        grid=family.grid[::HELD_OUT_EVERY],
    ).mean


def _most_snapshots(trainer: MetaTrainer) -> int:
    """How many snapshots of these meta-parameters may be kept."""
    size = sum(value.nbytes for value in trainer.meta.values())
    return max(2, min(SNAPSHOTS, SNAPSHOT_BYTES // size))


def _marks(steps: int, most: int = SNAPSHOTS) -> Array:
    """The outer steps at which snapshots are kept: denser early, the last one included."""
    return np.unique(np.geomspace(1, steps, most).round().astype(int))
