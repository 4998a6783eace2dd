"""A live training and time: its pace, its limits, and those who wait for the compiler."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from helpers import PATIENCE, wait

from metademo import engines
from metademo.jobs import JobState, Limits, meters, snapshots
from metademo.jobs import job as job_module

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def test_slow_motion_keeps_its_pace_and_it_can_be_changed(make):
    job = make(pace=50.0)
    began = time.monotonic()
    job.start()
    wait(lambda: job.snapshot().step >= 10)
    assert time.monotonic() - began > 0.15
    job.pace = 5.0
    slow = job.snapshot().step
    began = time.monotonic()
    wait(lambda: job.snapshot().step >= slow + 3)  # a step may have been under way
    assert time.monotonic() - began > 0.3
    job.pace = None
    wait(lambda: job.snapshot().step > slow + 5 * PATIENCE)


@pytest.fixture
def compiler(monkeypatch):
    """A compiler that takes until it is told to be done; the engine behind it needs none."""
    done, at_work = threading.Event(), []

    def compile_slowly():
        at_work.append(threading.current_thread())
        assert done.wait(PATIENCE)

    monkeypatch.setattr(engines, "is_warm", done.is_set)
    monkeypatch.setattr(engines, "warm_up_apart", compile_slowly)
    monkeypatch.setattr(engines.TorchEngine, "name", "fused")
    yield done, at_work
    done.set()
    for thread in at_work:
        thread.join(PATIENCE)


def test_stop_does_not_wait_for_the_compiler(make, compiler):
    _, at_work = compiler
    job = make()
    job.start()
    wait(lambda: at_work)
    assert (job.state, job.snapshot().step) == (JobState.RUNNING, 0)
    job.stop()
    assert job.join(PATIENCE)
    assert job.state is JobState.STOPPED
    assert job.snapshot().snapshots[-1].step == 0, "where it started"
    (thread,) = at_work
    assert thread.is_alive()
    assert thread.daemon


def test_pause_does_not_wait_for_the_compiler_and_the_run_goes_on_after_it(make, compiler):
    done, at_work = compiler
    job = make(steps=6)
    job.start()
    wait(lambda: at_work)
    job.pause()
    wait(lambda: job.state is JobState.PAUSED)
    done.set()
    at_work[0].join(PATIENCE)
    assert (job.state, job.snapshot().step) == (JobState.PAUSED, 0)
    job.resume()
    assert job.join(PATIENCE)
    assert (job.state, job.snapshot().step) == (JobState.FINISHED, 6)


def test_one_compiler_serves_all_who_wait_for_it(monkeypatch):
    calls, warm = [], threading.Event()
    monkeypatch.setattr(engines, "is_warm", warm.is_set)
    monkeypatch.setattr(engines, "warm_up", warm.set)
    monkeypatch.setattr(engines.fused, "keeps_all", lambda: False)
    monkeypatch.setattr(engines, "_compile_apart", lambda: calls.append("apart"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: engines.warm_up_apart(), range(8)))
    assert len(calls) == 1


@pytest.mark.parametrize("verb", ["pause", "stop"])
def test_a_request_cuts_a_slow_step_short(make, verb):
    job = make(pace=0.5 / PATIENCE)
    job.start()
    wait(lambda: job.snapshot().step == 1)
    getattr(job, verb)()
    wait(lambda: job.state is (JobState.PAUSED if verb == "pause" else JobState.STOPPED))


def test_the_newest_snapshot_keeps_up_in_slow_motion_and_gives_way(make, monkeypatch):
    monkeypatch.setattr(job_module, "SNAPSHOT_SECONDS", 0.05)
    monkeypatch.setattr(snapshots, "MAX_SNAPSHOTS", 3)
    job = make(steps=10_000, pace=100.0)
    job.start()
    seen = set()
    wait(
        lambda: (
            seen.add(job.snapshot().snapshots[-1].step if job.snapshot().snapshots else 0)
            or len(seen) > 4
        )
    )
    assert len(job.snapshot().snapshots) <= 4


def test_wall_time_is_bounded(make):
    job = make(limits=Limits(max_seconds=0.2))
    job.start()
    assert job.join(PATIENCE)
    assert job.state is JobState.STOPPED
    assert "0.2 seconds a run may take" in job.snapshot().reason


def test_nobody_keeps_a_place_by_pausing(make):
    job = make(limits=Limits(max_paused_seconds=0.2))
    job.start()
    job.pause()
    wait(lambda: job.state is JobState.STOPPED)
    assert "paused for 0.2 seconds" in job.snapshot().reason


class Visitor:
    """Someone who may leave, and who tells how often it was asked whether anyone is there."""

    def __init__(self):
        self.there = True
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.there


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """The time by which a visitor is missed: `clock.now` seconds."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(meters, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def pass_to(clock: SimpleNamespace, now: float, visitor: Visitor) -> None:
    """Until the visitor has been asked for at that time."""
    asked = visitor.asked
    clock.now = now
    wait(lambda: visitor.asked > asked)


@pytest.mark.parametrize("paused", [False, True])
def test_a_job_whose_visitor_left_ends_after_its_grace(make, clock, paused):
    visitor = Visitor()
    job = make(limits=Limits(grace_seconds=8.0), alive=visitor)
    job.start()
    if paused:
        job.pause()
        wait(lambda: job.state is JobState.PAUSED)
    pass_to(clock, 100.0, visitor)
    visitor.there = False
    pass_to(clock, 102.0, visitor)  # missed from now on
    pass_to(clock, 109.0, visitor)
    job.settle()
    assert not job.state.over
    clock.now = 110.0
    wait(lambda: job.state is JobState.STOPPED)
    assert job.snapshot().reason == "stopped: the visitor has left"


def test_a_reload_within_the_grace_keeps_it(make, clock):
    visitor, again = Visitor(), Visitor()
    job = make(limits=Limits(grace_seconds=8.0), alive=visitor)
    job.start()
    visitor.there = False
    pass_to(clock, 2.0, visitor)
    job.presence.join(again)
    pass_to(clock, 100.0, again)
    before = job.snapshot().step
    wait(lambda: job.snapshot().step > before + 3)
