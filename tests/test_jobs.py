"""One live training: every transition, and the races between them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from browser import ROOT
from helpers import PATIENCE, assert_same, job_threads, small, wait

from metademo.jobs import Job, JobState, Limits, Registry
from metademo.training import MetaTrainer

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def test_a_job_waits_runs_and_finishes(make):
    ended = []
    job = make(steps=12, ended=ended.append)
    assert job.state is JobState.WAITING
    assert job.snapshot().snapshots == ()
    job.start()
    assert job.join(PATIENCE)
    progress = job.snapshot()
    assert (progress.state, progress.reason, progress.step) == (JobState.FINISHED, "finished", 12)
    assert (progress.share, progress.seconds_left, progress.engine) == (1.0, None, "torch")
    assert len(progress.losses) == 12
    assert progress.steps_per_second > 0
    assert ended == [job]


def test_it_computes_what_the_trainer_computes(make):
    config = small("maml", steps=30)
    job = make(config)
    job.start()
    assert job.join(PATIENCE)
    trainer = MetaTrainer(config, engine="torch")
    losses = np.concatenate([record.query_losses for record in trainer.run(every=7)])
    np.testing.assert_allclose(job.snapshot().losses, losses)
    assert_same(job.snapshot().snapshots[-1].meta, trainer.meta)


def test_pause_holds_it_resume_goes_on_stop_ends_it(make):
    job = make()
    job.start()
    wait(lambda: job.snapshot().step > 3)
    job.pause()
    wait(lambda: job.state is JobState.PAUSED)
    held = job.snapshot()
    other = make(steps=20)
    other.start()
    assert other.join(PATIENCE)
    now = job.snapshot()
    assert (now.step, now.seconds) == (held.step, held.seconds)
    job.resume()
    wait(lambda: job.snapshot().step > held.step)
    job.stop()
    wait(lambda: job.state is JobState.STOPPED)
    ended = job.snapshot()
    assert ended.reason == "stopped"
    assert ended.snapshots[-1].step == ended.step, "what it reached is kept"


def test_settle_waits_until_a_request_is_met(make):
    job = make()
    job.settle()
    job.start()
    job.pause()
    job.settle()
    assert job.state is JobState.PAUSED
    job.stop()
    job.settle()
    assert job.state is JobState.STOPPED


def test_stop_while_waiting_never_starts_it(make):
    ended = []
    job = make(ended=ended.append)
    job.stop()
    job.start()
    job.stop()
    assert job.state is JobState.STOPPED
    assert job.join()
    assert ended == [job]


def test_stop_while_paused(make):
    job = make()
    job.start()
    job.pause()
    wait(lambda: job.state is JobState.PAUSED)
    job.stop()
    wait(lambda: job.state is JobState.STOPPED)


def test_a_second_start_is_nothing(make):
    ended = []
    job = make(steps=40, ended=ended.append)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: job.start(), range(8)))
    assert len(job_threads()) <= 1
    assert job.join(PATIENCE)
    job.start()
    assert (job.state, job.snapshot().step, ended) == (JobState.FINISHED, 40, [job])


def test_requests_before_the_start_and_after_the_end_are_nothing(make):
    job = make(steps=5)
    job.pause()
    job.start()
    assert job.join(PATIENCE)
    for request in (job.pause, job.resume, job.stop):
        request()
        assert job.state is JobState.FINISHED
        assert job.snapshot().reason == "finished"


def test_stop_at_the_very_end_leaves_one_true_ending(make):
    """Whoever comes first wins; state, reason, step and snapshots agree."""
    for delay in np.linspace(0, 0.04, 12):
        ended = []
        job = make(steps=20, ended=ended.append)
        job.start()
        time.sleep(delay)
        job.stop()
        assert job.join(PATIENCE)
        progress = job.snapshot()
        assert progress.reason == str(progress.state)
        assert (progress.step == 20) >= (progress.state is JobState.FINISHED)
        assert progress.snapshots[-1].step == progress.step
        assert ended == [job]


def test_many_requests_from_many_threads_end_in_a_stop(make):
    job = make()
    job.start()
    requests = [job.pause, job.resume, job.snapshot, job.start] * 30
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda request: request(), requests))
        pool.submit(job.stop)
        list(pool.map(lambda request: request(), requests))
    assert job.join(PATIENCE)
    assert job.state is JobState.STOPPED


def test_looking_while_it_finishes_never_sees_half_a_state(make):
    job = make(steps=80)
    job.start()
    seen = []
    while not seen or not seen[-1].state.over:
        seen.append(job.snapshot())
        time.sleep(0.0005)
    steps = [progress.step for progress in seen]
    assert steps == sorted(steps)
    for progress in seen:
        kept = [snapshot.step for snapshot in progress.snapshots]
        assert kept == sorted(set(kept))
        assert not kept or kept[-1] <= progress.step
        assert not len(progress.loss_steps) or progress.loss_steps[-1] == progress.step


def test_jobs_leave_room_while_they_fill_all_cores_and_only_then(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    idled = []
    monkeypatch.setattr(Job, "_idle", lambda self: idled.append(self))
    registry = Registry(Limits(max_running=2))
    first = registry.submit(small("maml", steps=50_000), "one", engine="torch")
    wait(lambda: first.snapshot().step > 3)
    assert not idled
    second = registry.submit(small("maml", steps=50_000), "two", engine="torch")
    wait(lambda: {first, second} <= set(idled))
    second.stop()
    assert second.join(10)
    idled.clear()
    before = first.snapshot().step
    wait(lambda: first.snapshot().step > before + 3)
    first.stop()
    assert first.join(10)
    assert len(idled) <= 1, "at most the one that it was about to take"


def test_an_exception_in_the_thread_is_an_ending(make, monkeypatch):
    def broken(self, steps):
        raise RuntimeError("out of tea")

    monkeypatch.setattr(MetaTrainer, "advance", broken)
    ended = []
    job = make(ended=ended.append)
    job.start()
    assert job.join(PATIENCE)
    progress = job.snapshot()
    assert (progress.state, progress.reason) == (JobState.FAILED, "RuntimeError: out of tea")
    assert len(progress.snapshots) == 1, "where it started"
    assert ended == [job]


def test_a_thread_that_cannot_start_is_an_ending(make, monkeypatch):
    def exhausted(self):
        raise RuntimeError("can't start new thread")

    job = make()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", exhausted)
        assert not job.start()
    assert job.state is JobState.FAILED
    assert "no room for another training" in job.snapshot().reason
    assert job.join()
    assert not job.start(), "what failed is not tried again"


ENDS_WITH_JOBS_ALIVE = """
import atexit, time
line = []

@atexit.register  # before that of the jobs: so it comes after it
def tell():
    print(*[job.state for job in line], *[len(job.snapshot().snapshots) for job in line[2:]])

from metademo.jobs import Limits, Registry
from metademo.recipes import configure

registry = Registry(Limits(max_running=2, max_waiting=4))
config = configure("reptile", "two-phase", "original", hidden=128, meta_batch=16, inner_steps=20)
line += [registry.submit(config, str(i), engine="torch") for i in range(6)]
while min(job.snapshot().step for job in line[:2]) < 2:
    time.sleep(0.01)
"""


def test_a_program_may_end_while_jobs_run_and_wait():
    """Jobs as heavy as a server allows; nobody who waits begins only to be stopped."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", ENDS_WITH_JOBS_ALIVE],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split() == ["stopped"] * 6 + ["0"] * 4
