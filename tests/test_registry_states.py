"""The registry against a plain model, over random histories of visitors who come, stop and leave.

The jobs are real, with real threads; only their training is replaced by one that goes on until it
is told how to end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import compress
from unittest import mock

import pytest
from helpers import PATIENCE, job_threads, small
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from metademo.described import ConfigError
from metademo.jobs import Busy, Job, JobState, Limits, Registry

CONFIG = small("maml")
LIMITS = Limits(max_running=2, max_waiting=3, max_kept=3, grace_seconds=0)
MOST = LIMITS.max_running + LIMITS.max_waiting
VISITORS = st.integers(0, 9)
PICK = st.integers(0, 9).map(lambda n: lambda jobs: jobs[n % len(jobs)])
"""One of some jobs."""


class Order:
    """How a training is to end, once it is given."""

    def __init__(self):
        self.given = threading.Event()
        self.fault: Exception | None = None


class History(RuleBasedStateMachine):
    """Each rule does the same to the registry and to the model: three lists of jobs."""

    def __init__(self):
        super().__init__()
        self.registry = Registry(LIMITS)
        self.orders: dict[Job, Order] = {}
        self.gone: set[int] = set()
        self.watchers: dict[Job, set[int]] = {}
        self.waiting: list[Job] = []
        self.running: list[Job] = []
        self.over: list[Job] = []  # ever, forgotten ones too
        self.remembered = 0
        self.no_threads = False
        start = threading.Thread.start

        def start_if_there_is_room(thread):
            if self.no_threads and thread.name == "metademo-job":
                raise RuntimeError("can't start new thread")
            start(thread)

        self.patches = [
            mock.patch.object(threading.Thread, "start", start_if_there_is_room),
            mock.patch.object(Job, "_train", lambda job: self.train(job)),
        ]
        for patch in self.patches:
            patch.start()

    def order_of(self, job: Job) -> Order:
        return self.orders.setdefault(job, Order())

    def train(self, job: Job) -> tuple[JobState, str]:
        """What a job does instead of training: it waits for its order, like a slow training."""
        order = self.order_of(job)
        while not order.given.wait(0.0005):
            if reason := job._wait_while_paused(float("inf")):
                return JobState.STOPPED, reason
        if order.fault:
            raise order.fault
        return JobState.FINISHED, "finished"

    def teardown(self):
        for job in self.under_way:
            job.stop()
        for job in self.under_way:
            assert job.join(PATIENCE)
        for patch in self.patches:
            patch.stop()

    # The model: what has to happen after each event.

    def absent(self, job: Job) -> bool:
        return self.watchers[job] <= self.gone

    def move_on(self) -> None:
        """The absent leave the line, its head takes what is free, the oldest are forgotten."""
        for job in [job for job in self.waiting if self.absent(job)]:
            self.waiting.remove(job)
            self.over.append(job)
        while self.waiting and len(self.running) < LIMITS.max_running:
            job = self.waiting.pop(0)
            (self.over if self.no_threads else self.running).append(job)
        self.remembered = min(self.remembered, max(LIMITS.max_kept, len(self.under_way)))

    @property
    def under_way(self) -> list[Job]:
        return [*self.waiting, *self.running]

    @property
    def ever(self) -> list[Job]:
        return [*self.under_way, *self.over]

    def end(self, job: Job) -> None:
        """A running job has been made to end."""
        assert job.join(PATIENCE)
        self.running.remove(job)
        self.over.append(job)
        self.move_on()

    def watch_of(self, visitor: int) -> Callable[[], bool]:
        return lambda: visitor not in self.gone

    def owned(self, visitor: int) -> list[Job]:
        return [job for job in self.under_way if visitor in self.watchers[job]]

    # The rules

    @initialize(size=st.integers(0, MOST))
    def begin_with_a_crowd(self, size):
        for visitor in range(size):
            self.submit(visitor)

    @rule(visitor=VISITORS)
    def submit(self, visitor):
        self.gone.discard(visitor)
        self.move_on()
        full = len(self.running) == LIMITS.max_running and len(self.waiting) == LIMITS.max_waiting
        if full or self.owned(visitor):
            with pytest.raises(Busy):
                self.registry.submit(CONFIG, str(visitor))
            return
        job = self.registry.submit(CONFIG, str(visitor), alive=self.watch_of(visitor))
        self.watchers[job] = {visitor}
        self.waiting.append(job)
        self.remembered += 1
        self.move_on()

    @rule(visitor=VISITORS)
    def ask_for_too_much(self, visitor):
        with pytest.raises(ConfigError):
            self.registry.submit(small("maml", hidden=LIMITS.max_hidden + 1), str(visitor))

    @precondition(lambda self: self.waiting)
    @rule(which=PICK)
    def stop_one_that_waits(self, which):
        job = which(self.waiting)
        job.stop()
        self.waiting.remove(job)
        self.over.append(job)
        self.move_on()

    @precondition(lambda self: self.running)
    @rule(which=PICK)
    def stop_one_that_runs(self, which):
        job = which(self.running)
        job.stop()
        self.end(job)
        assert job.state is JobState.STOPPED

    @precondition(lambda self: self.over)
    @rule(which=PICK, verb=st.sampled_from(["start", "pause", "resume", "stop"]))
    def ask_something_of_one_that_is_over(self, which, verb):
        job = which(self.over)
        state = job.state
        getattr(job, verb)()
        assert job.state is state

    @precondition(lambda self: self.running)
    @rule(which=PICK, fault=st.sampled_from([None, RuntimeError("broken")]))
    def finish_or_fail(self, which, fault):
        job = which(self.running)
        order = self.order_of(job)
        order.fault = fault
        order.given.set()
        job.resume()
        self.end(job)
        assert job.state is (JobState.FAILED if fault else JobState.FINISHED)

    @precondition(lambda self: self.running)
    @rule(which=PICK)
    def pause(self, which):
        job = which(self.running)
        job.pause()
        job.settle(PATIENCE)
        assert job.state is JobState.PAUSED

    @precondition(lambda self: self.under_way)
    @rule(chosen=st.lists(st.booleans(), min_size=MOST, max_size=MOST).filter(any))
    def leave(self, chosen):
        """Those who watch some of the jobs, all at once, while nobody asks."""
        jobs = compress(self.under_way, chosen)
        self.gone |= set().union(*(self.watchers[job] for job in jobs))
        for job in [job for job in self.running if self.absent(job)]:
            assert job.join(PATIENCE)
            self.running.remove(job)
            self.over.append(job)
        self.registry.under_way("nobody")
        self.move_on()

    @precondition(lambda self: self.ever)
    @rule(which=PICK, visitor=VISITORS)
    def attach(self, which, visitor):
        if visitor in self.gone:
            return
        job = which(self.ever)
        forgotten = job.token not in self.registry._jobs
        assert not forgotten or job in self.over
        found = self.registry.attach(job.token, str(visitor), self.watch_of(visitor))
        assert found is (None if forgotten else job)
        self.watchers[job].add(visitor)

    @precondition(lambda self: self.ever)
    @rule(which=PICK)
    def ask_for_progress(self, which):
        job = which(self.ever)
        progress = self.registry.progress(job)
        assert progress.position == (self.waiting.index(job) + 1 if job in self.waiting else 0)
        assert (progress.state is JobState.WAITING) == (job in self.waiting)

    @rule()
    def threads_run_out_or_come_back(self):
        self.no_threads = not self.no_threads

    # What always holds

    @invariant()
    def the_registry_agrees_with_the_model(self):
        places = self.registry._places
        assert places.waiting == [job.token for job in self.waiting], "first come, first served"
        assert sorted(places.running) == sorted(job.token for job in self.running)
        assert set(places.over) <= {job.token for job in self.over}
        assert len(self.registry._jobs) == self.remembered

    @invariant()
    def every_job_is_in_one_place_that_fits_its_state(self):
        places, jobs = self.registry._places, self.registry._jobs
        tokens = [*places.waiting, *places.running, *places.over]
        assert len(tokens) == len(set(tokens))
        assert set(tokens) == set(jobs) == set(self.registry._owners)
        for job in jobs.values():
            assert (job.state is JobState.WAITING) == (job.token in places.waiting)
            assert job.state.over == (job.token in places.over)

    @invariant()
    def no_more_run_than_may_and_no_place_is_lost(self):
        assert len(job_threads()) == len(self.running) <= LIMITS.max_running
        assert not self.waiting or len(self.running) == LIMITS.max_running


def test_any_history_keeps_the_registry_whole():
    run_state_machine_as_test(
        History,
        settings=settings(
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
