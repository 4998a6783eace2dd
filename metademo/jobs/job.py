"""One training in a thread of its own."""

from __future__ import annotations

import atexit
import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from metademo import engines, logs
from metademo.engines import Diverged
from metademo.jobs.limits import Limits
from metademo.jobs.meters import LossCurve, Presence, Stopwatch
from metademo.jobs.snapshots import Snapshot, snapshot_steps, take_snapshot
from metademo.recipes import name_of
from metademo.settings import TrainConfig
from metademo.tasks import Array
from metademo.training import MetaTrainer

log = logging.getLogger(__name__)

CHUNK_SECONDS = 0.02
"""Seconds of training between two checks for pause and stop."""
IDLE_SECONDS = 0.01
"""Seconds that a job leaves to the pages after each chunk, where jobs fill all cores. A lower
priority does not do that: a thread that is set aside may hold the interpreter."""
SNAPSHOT_SECONDS = 0.25
"""Seconds after which there is a new snapshot to see, if none is due."""
EXIT_SECONDS = 5.0
"""Seconds that the end of the program waits for its jobs."""


class JobState(StrEnum):
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
        return self not in (JobState.WAITING, JobState.RUNNING, JobState.PAUSED)


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
        position: in the waiting line, from 1; 0 if it does not wait there.
    """

    state: JobState
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
    position: int = 0

    @property
    def share(self) -> float:
        return self.step / self.config.steps


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
        self._state = JobState.WAITING
        self._requested = JobState.RUNNING
        self._reason = ""
        self._loss_curve = LossCurve()
        self._kept: tuple[Snapshot, ...] = ()
        self._newest: Snapshot | None = None
        self._last_snapshot_at = 0.0
        self._step = 0
        self._stopwatch = Stopwatch()
        self._thread = threading.Thread(target=self._work, name="metademo-job", daemon=True)

    @property
    def state(self) -> JobState:
        return self._state

    @property
    def pace(self) -> float | None:
        return self._pace

    @pace.setter
    def pace(self, pace: float | None) -> None:
        with self._lock:
            self._pace = pace
            self._lock.notify_all()

    def start(self) -> bool:
        """Begin to train, if the job still waits; whether it did begin."""
        with self._lock:
            if self._state is not JobState.WAITING:
                return False
            if _ending.is_set():
                self._state, self._reason = JobState.STOPPED, ENDS
                return False
            self._state = JobState.RUNNING
            _alive.add(self)
            try:
                self._thread.start()
            except (RuntimeError, MemoryError) as fault:  # the system has no thread left
                _alive.discard(self)
                log.error("a training could not be started: %s", fault or type(fault).__name__)
                self._state = JobState.FAILED
                self._reason = "the server has no room for another training: try again later"
                self._lock.notify_all()
            return self._state is JobState.RUNNING

    def pause(self) -> None:
        self._request(JobState.PAUSED)

    def resume(self) -> None:
        self._request(JobState.RUNNING)

    def stop(self, reason: str = "stopped") -> None:
        """End the job; what it has reached stays."""
        if self.withdraw(reason):
            self._ended(self)
            return
        with self._lock:
            if not self._state.over and self._requested is not JobState.STOPPED:
                self._requested, self._reason = JobState.STOPPED, reason
                self._lock.notify_all()

    def withdraw(self, reason: str) -> bool:
        """End the job if it still waits, without calling `ended`; whether that was so."""
        with self._lock:
            if self._state is not JobState.WAITING:
                return False
            self._state, self._reason = JobState.STOPPED, reason
            self._lock.notify_all()
            return True

    def settle(self, seconds: float = 0.4) -> None:
        """Wait a moment until the job has done what it was asked for last."""
        with self._lock:
            self._lock.wait_for(
                lambda: self._state.over or self._state in (self._requested, JobState.WAITING),
                seconds,
            )

    def join(self, seconds: float | None = None) -> bool:
        """Wait for the end of the thread; whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def snapshot(self) -> Progress:
        """The job as it is now."""
        with self._lock:
            over, watch = self._state.over, self._stopwatch
            rate = watch.overall_rate if over else watch.recent_rate
            loss_steps, losses = self._loss_curve.points()
            newest = () if self._newest is None else (self._newest,)
            return Progress(
                state=self._state,
                config=self.config,
                engine=self._engine_name,
                step=self._step,
                steps_per_second=rate,
                seconds=watch.seconds,
                seconds_left=(self.config.steps - self._step) / rate if rate and not over else None,
                loss_steps=loss_steps,
                losses=losses,
                snapshots=self._kept + newest,
                reason=self._reason,
            )

    def _request(self, state: JobState) -> None:
        with self._lock:
            under_way = self._state in (JobState.RUNNING, JobState.PAUSED)
            if under_way and self._requested is not JobState.STOPPED:
                self._requested = state
                self._lock.notify_all()

    def _work(self) -> None:
        """The body of the thread. Whatever happens, the job ends with a state and a reason."""
        ending, reason = JobState.FAILED, "it ended unexpectedly"
        try:
            logs.say(log, "training started", settings=name_of(self.config))
            ending, reason = self._train()
        except Diverged as fault:
            ending, reason = JobState.DIVERGED, str(fault)
        except MemoryError:
            reason = "the server has no memory left for it"
            log.exception("a training failed")
        except BaseException as fault:  # whatever it is, a thread has nobody else to tell
            reason = f"{type(fault).__name__}: {fault}".removesuffix(": ")
            log.exception("a training failed")
        finally:
            with self._lock:
                self._state, self._reason = ending, reason
                self._lock.notify_all()
            with contextlib.ExitStack() as last:  # whatever one of them raises, the others come
                last.callback(_alive.discard, self)  # the very last: the next may have begun
                last.callback(self._ended, self)
                self._log_end()

    def _log_end(self) -> None:
        logs.say(
            log,
            "training ended",
            settings=name_of(self.config),
            outcome=str(self._state),
            steps=self._step,
            seconds=round(self._stopwatch.seconds, 1),
            engine=self._engine_name or None,
        )

    def _train(self) -> tuple[JobState, str]:
        trainer = MetaTrainer(self.config, engine=self._engine)
        self._engine_name = trainer.engine.name
        self._take_snapshot(trainer)
        deadline = time.monotonic() + self.limits.max_seconds
        try:
            if reason := self._await_compiler(deadline):
                return JobState.STOPPED, reason
            return self._advance_to_end(trainer, deadline)
        finally:
            self._take_last_snapshot(trainer)

    def _await_compiler(self, deadline: float) -> str:
        """Wait until the engine is compiled; then "", or why the job has to end.

        Compiling can't be interrupted, so it is done by a thread that the job may leave behind: the
        next run will use what it has compiled.
        """
        if self._engine_name != "fused" or engines.is_warm():
            return ""
        compiler = threading.Thread(
            target=engines.warm_up_apart, name="metademo-warm-up", daemon=True
        )
        compiler.start()
        while compiler.is_alive():
            if reason := self._wait_while_paused(deadline):
                return reason
            began = time.perf_counter()
            compiler.join(CHUNK_SECONDS)
            with self._lock:
                self._stopwatch.add(0, time.perf_counter() - began)
        return ""

    def _advance_to_end(self, trainer: MetaTrainer, deadline: float) -> tuple[JobState, str]:
        due = snapshot_steps(self.config.steps, trainer.meta)
        chunk = 1
        while trainer.step < self.config.steps:
            if reason := self._wait_while_paused(deadline):
                return JobState.STOPPED, reason
            next_due = int(due[np.searchsorted(due, trainer.step, side="right")])
            done, spent = self._advance(trainer, min(chunk, next_due - trainer.step))
            if trainer.step == next_due:
                self._take_snapshot(trainer)
            elif time.perf_counter() - self._last_snapshot_at > SNAPSHOT_SECONDS:
                self._take_snapshot(trainer, lasting=False)
            chunk = self._next_chunk(done, spent)
        return JobState.FINISHED, "finished"

    def _advance(self, trainer: MetaTrainer, steps: int) -> tuple[int, float]:
        """Train up to `steps` outer steps; how many were taken, and how many seconds they took."""
        began = time.perf_counter()
        try:
            losses = trainer.advance(steps).query_losses
        except Diverged as fault:
            self._record(fault.losses, trainer.step, time.perf_counter() - began)
            raise
        seconds = time.perf_counter() - began
        self._record(losses, trainer.step, seconds)
        if self._crowded():
            self._idle()
        return len(losses), seconds + self._hold_pace(len(losses), seconds)

    def _idle(self) -> None:
        time.sleep(IDLE_SECONDS)
        with self._lock:
            self._stopwatch.add(0, IDLE_SECONDS)

    def _next_chunk(self, done: int, seconds: float) -> int:
        """As many steps as take about `CHUNK_SECONDS`, growing gently."""
        if pace := self._pace:
            return max(1, round(pace * CHUNK_SECONDS))
        return max(1, min(done * 2, round(done * CHUNK_SECONDS / max(seconds, 1e-6))))

    def _hold_pace(self, steps: int, seconds: float) -> float:
        """In slow motion, wait until `steps` have taken their time; how long that was."""
        pace = self._pace
        if not pace or seconds >= steps / pace:
            return 0.0
        began = time.perf_counter()
        with self._lock:
            self._lock.wait_for(
                lambda: self._requested is not JobState.RUNNING or self._pace != pace,
                timeout=steps / pace - seconds,
            )
            waited = time.perf_counter() - began
            self._stopwatch.add(0, waited)
        return waited

    def _wait_while_paused(self, deadline: float) -> str:
        """Return "" as soon as the job may train, or why it has to end."""
        paused_until = time.monotonic() + self.limits.max_paused_seconds
        while True:
            reason = self._must_end(deadline, paused_until)
            with self._lock:
                if self._requested is JobState.STOPPED:
                    return self._reason
                if reason:
                    return reason
                if self._state is not self._requested:
                    self._state = self._requested
                    self._lock.notify_all()
                if self._requested is JobState.RUNNING:
                    return ""
                self._lock.wait(timeout=0.5)

    def _must_end(self, deadline: float, paused_until: float) -> str:
        """Why the job has to end although nobody stopped it, or ""."""
        now = time.monotonic()
        if now >= deadline:
            return f"stopped: the {self.limits.max_seconds:g} seconds a run may take here are over"
        if now >= paused_until:
            return f"stopped: it was paused for {self.limits.max_paused_seconds:g} seconds"
        return "stopped: the visitor has left" if self.presence.left else ""

    def _record(self, losses: Array, step: int, seconds: float) -> None:
        with self._lock:
            self._loss_curve.add(losses)
            self._step = step
            self._stopwatch.add(len(losses), seconds)

    def _take_snapshot(self, trainer: MetaTrainer, *, lasting: bool = True) -> None:
        """Take a snapshot with its held-out error; one that does not last gives way to the next."""
        began = time.perf_counter()
        snapshot = take_snapshot(self.config, trainer.step, trainer.meta)
        self._last_snapshot_at = time.perf_counter()
        with self._lock:
            self._stopwatch.add(0, self._last_snapshot_at - began)
            if lasting:
                self._kept, self._newest = (*self._kept, snapshot), None
            else:
                self._newest = snapshot

    def _take_last_snapshot(self, trainer: MetaTrainer) -> None:
        """See that the last snapshot is of the last good weights.

        The run may have ended between two snapshots; and one that diverged goes back to the weights
        before those whose loss was not finite.
        """
        with self._lock:
            self._kept = tuple(s for s in self._kept if s.step <= trainer.step)
            self._newest = None
        if trainer.step > self._kept[-1].step:
            self._take_snapshot(trainer)


_alive: set[Job] = set()
"""Jobs whose threads run."""


_ending = threading.Event()
ENDS = "stopped: the program ends"


@atexit.register
def _end_jobs() -> None:
    """Let no thread outlive the interpreter: cut off in compiled code, it aborts the process."""
    _ending.set()  # those who wait would begin, one after another, as places become free
    deadline = time.monotonic() + EXIT_SECONDS
    while _alive and time.monotonic() < deadline:
        under_way = list(_alive)
        for job in under_way:
            job.stop(ENDS)
        for job in under_way:
            job.join(max(0.0, deadline - time.monotonic()))
