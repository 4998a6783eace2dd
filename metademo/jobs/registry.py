"""All jobs of a server: who runs, who waits, who is remembered.

A job is in exactly one of three places, and only ever moves on:

    waiting -> running -> over -> forgotten, or waiting -> over

Where it belongs follows from its own state. So there is one transition, `Registry._update`, which
brings the places in line with the states and gives free places to the head of the line. Whatever
happens (a start, a stop, an end, a visitor who leaves) leads there, under one lock; and nothing
that it calls leads back into the registry.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from metademo import logs
from metademo.described import ConfigError
from metademo.jobs.job import Job, Progress
from metademo.jobs.limits import Limits
from metademo.settings import TrainConfig

log = logging.getLogger(__name__)


class Busy(RuntimeError):
    """The server trains for as many visitors as it can, and the waiting line is full."""


@dataclass
class Places:
    """The tokens of all jobs, each in one place, first come first."""

    waiting: list[str]
    running: list[str]
    over: list[str]


class Registry:
    """All jobs of a server, by token."""

    def __init__(self, limits: Limits | None = None):
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._owners: dict[str, set[str]] = {}
        self._places = Places([], [], [])

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
        self._check_limits(config)
        with self._lock:
            self._update()
            if self._under_way(owner):
                logs.say(log, "training refused", reason="the visitor has another one")
                raise Busy("Your other run is still under way: stop it first.")
            if self._is_full() and len(self._places.waiting) >= self.limits.max_waiting:
                logs.say(log, "training refused", reason="the waiting line is full")
                raise Busy("The server is busy with other visitors' runs. Try again in a minute.")
            job = Job(
                config,
                pace=pace,
                limits=self.limits,
                alive=alive,
                ended=self._job_ended,
                crowded=self._is_crowded,
                engine=engine,
            )
            self._jobs[job.token], self._owners[job.token] = job, {owner}
            self._places.waiting.append(job.token)
            self._update()
            if job.token in self._places.waiting:
                logs.say(log, "training waits", position=len(self._places.waiting))
        return job

    def load(self) -> tuple[int, int]:
        """How many jobs run, and how many wait."""
        with self._lock:
            self._update()
            return len(self._places.running), len(self._places.waiting)

    def under_way(self, owner: str) -> list[Job]:
        """The jobs of `owner` that run or wait: one at most, unless addresses were shared."""
        with self._lock:
            self._update()
            return self._under_way(owner)

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
            waiting = self._places.waiting
            if job.token in waiting:
                job.presence.seen()  # by whoever asks
                self._update()
            if job.token in waiting:
                position = waiting.index(job.token) + 1
                reason = f"number {position} in the waiting line"
                return replace(job.snapshot(), position=position, reason=reason)
        return job.snapshot()

    def _check_limits(self, config: TrainConfig) -> None:
        try:
            self.limits.check(config)
        except ConfigError as fault:
            setting = fault.setting or "work of a step"
            logs.say(log, "training refused", reason="a limit", setting=setting)
            raise

    def _update(self) -> None:
        """The one transition; the lock is held. Done twice, it changes nothing the second time."""
        places = self._places
        for token in list(places.running):
            if self._jobs[token].state.over:
                places.running.remove(token)
                places.over.append(token)
        for token in list(places.waiting):
            job = self._jobs[token]
            if job.presence.left:
                job.withdraw("stopped: the visitor has left")
            if job.state.over:  # by its visitor's Stop, or by the line above
                logs.say(log, "training left the line")
                places.waiting.remove(token)
                places.over.append(token)
        while places.waiting and not self._is_full():
            token = places.waiting.pop(0)
            started = self._jobs[token].start()
            (places.running if started else places.over).append(token)
        while places.over and len(self._jobs) > self.limits.max_kept:
            token = places.over.pop(0)
            del self._jobs[token], self._owners[token]

    def _job_ended(self, job: Job) -> None:
        with self._lock:
            self._update()

    def _under_way(self, owner: str) -> list[Job]:
        tokens = (*self._places.running, *self._places.waiting)
        return [self._jobs[token] for token in tokens if owner in self._owners[token]]

    def _is_full(self) -> bool:
        return len(self._places.running) >= self.limits.max_running

    def _is_crowded(self) -> bool:
        return len(self._places.running) >= (os.cpu_count() or 1)
