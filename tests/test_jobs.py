"""One live training: every transition, the races between them, its meters, and nothing left."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import PATIENCE, assert_same, job_threads, small, wait

from metademo import engines
from metademo.checkpoints import Checkpoint, load, save
from metademo.evaluation import evaluate, run_learner
from metademo.jobs import Job, Limits, Registry, State, snapshots
from metademo.jobs import job as job_module
from metademo.jobs.meters import LossCurve
from metademo.tasks import Examples
from metademo.training import MetaTrainer

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """Whatever a test starts has to end: jobs are stopped by their tests."""
    yield
    wait(lambda: not job_threads())


@pytest.fixture
def make():
    """`make(**options)` a job with a tiny network; all of them are stopped at the end."""
    made = []

    def start(config=None, *, steps: int = 50_000, **options) -> Job:
        job = Job(config or small("maml", steps=steps), **(dict(engine="torch") | options))
        made.append(job)
        return job

    yield start
    for job in made:
        job.stop()
        assert job.join(PATIENCE)


# ---------------------------------------------------------------------------- life cycle


def test_a_job_waits_runs_and_finishes(make):
    ended = []
    job = make(steps=12, ended=ended.append)
    assert job.state is State.WAITING
    assert job.snapshot().snapshots == ()
    job.start()
    assert job.join(PATIENCE)
    progress = job.snapshot()
    assert (progress.state, progress.reason, progress.step) == (State.FINISHED, "finished", 12)
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
    assert wait(lambda: job.state is State.PAUSED) < 0.5
    held = job.snapshot()
    time.sleep(0.15)
    now = job.snapshot()
    assert (now.step, now.seconds) == (held.step, held.seconds)
    job.resume()
    assert wait(lambda: job.snapshot().step > held.step) < 0.5
    job.stop()
    assert wait(lambda: job.state is State.STOPPED) < 0.5
    ended = job.snapshot()
    assert ended.reason == "stopped"
    assert ended.snapshots[-1].step == ended.step, "what it reached is kept"


def test_settle_waits_until_a_request_is_met(make):
    job = make()
    job.settle()
    job.start()
    job.pause()
    job.settle()
    assert job.state is State.PAUSED
    job.stop()
    job.settle()
    assert job.state is State.STOPPED


def test_stop_while_waiting_never_starts_it(make):
    ended = []
    job = make(ended=ended.append)
    job.stop()
    job.start()
    job.stop()
    assert job.state is State.STOPPED
    assert job.join()
    assert ended == [job]


def test_stop_while_paused(make):
    job = make()
    job.start()
    job.pause()
    wait(lambda: job.state is State.PAUSED)
    job.stop()
    assert wait(lambda: job.state is State.STOPPED) < 0.5


def test_a_second_start_is_nothing(make):
    ended = []
    job = make(steps=40, ended=ended.append)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: job.start(), range(8)))
    assert len(job_threads()) <= 1
    assert job.join(PATIENCE)
    job.start()
    assert (job.state, job.snapshot().step, ended) == (State.FINISHED, 40, [job])


def test_requests_before_the_start_and_after_the_end_are_nothing(make):
    job = make(steps=5)
    job.pause()
    job.start()
    assert job.join(PATIENCE)
    for request in (job.pause, job.resume, job.stop):
        request()
        assert job.state is State.FINISHED
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
        assert (progress.step == 20) >= (progress.state is State.FINISHED)
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
    assert job.state is State.STOPPED


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
    assert (progress.state, progress.reason) == (State.FAILED, "RuntimeError: out of tea")
    assert len(progress.snapshots) == 1, "where it started"
    assert ended == [job]


def test_a_thread_that_cannot_start_is_an_ending(make, monkeypatch):
    def exhausted(self):
        raise RuntimeError("can't start new thread")

    job = make()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", exhausted)
        assert not job.start()
    assert job.state is State.FAILED
    assert "no room for another training" in job.snapshot().reason
    assert job.join()
    assert not job.start(), "what failed is not tried again"


ENDS_WITH_JOBS_ALIVE = """
from metademo.jobs import Limits, Registry
from metademo.training import configure

registry = Registry(Limits(max_running=2, max_waiting=2))
config = configure("maml", "two-phase", "original", hidden=64, meta_batch=64)
running = [registry.submit(config, str(i), engine="torch") for i in range(4)][:2]
while min(job.snapshot().step for job in running) < 3:
    pass
"""


def test_a_program_may_end_while_jobs_run_and_wait():
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", ENDS_WITH_JOBS_ALIVE],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


# ---------------------------------------------------------------------------- pace, time


def test_slow_motion_keeps_its_pace_and_it_can_be_changed(make):
    job = make(pace=50.0)
    began = time.monotonic()
    job.start()
    wait(lambda: job.snapshot().step >= 10)
    assert time.monotonic() - began > 0.15
    job.pace = 2.0
    time.sleep(0.1)
    slow = job.snapshot().step
    time.sleep(0.3)
    assert job.snapshot().step <= slow + 2
    job.pace = None
    assert wait(lambda: job.snapshot().step > slow + 20) < 2


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
    assert (job.state, job.snapshot().step) == (State.RUNNING, 0)
    job.stop()
    assert wait(lambda: job.state is State.STOPPED) < 0.5
    assert job.join(PATIENCE)
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
    assert wait(lambda: job.state is State.PAUSED) < 0.5
    done.set()
    at_work[0].join(PATIENCE)
    assert (job.state, job.snapshot().step) == (State.PAUSED, 0)
    job.resume()
    assert job.join(PATIENCE)
    assert (job.state, job.snapshot().step) == (State.FINISHED, 6)


def test_one_compiler_serves_all_who_wait_for_it(monkeypatch):
    calls, warm = [], threading.Event()
    monkeypatch.setattr(engines, "is_warm", warm.is_set)
    monkeypatch.setattr(engines, "warm_up", warm.set)
    monkeypatch.setattr(engines.subprocess, "run", lambda *a, **k: calls.append(a))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: engines.warm_up_apart(), range(8)))
    assert len(calls) == 1


@pytest.mark.parametrize("verb", ["pause", "stop"])
def test_a_request_cuts_a_slow_step_short(make, verb):
    job = make(pace=0.1)
    job.start()
    wait(lambda: job.snapshot().step == 1)
    getattr(job, verb)()
    goal = State.PAUSED if verb == "pause" else State.STOPPED
    assert wait(lambda: job.state is goal) < 0.5


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
    assert job.state is State.STOPPED
    assert "0.2 seconds a run may take" in job.snapshot().reason


def test_nobody_keeps_a_place_by_pausing(make):
    job = make(limits=Limits(max_paused_seconds=0.2))
    job.start()
    job.pause()
    wait(lambda: job.state is State.STOPPED)
    assert "paused for 0.2 seconds" in job.snapshot().reason


@pytest.mark.parametrize("paused", [False, True])
def test_a_job_whose_visitor_left_ends_within_its_grace(make, paused):
    there = threading.Event()
    there.set()
    job = make(limits=Limits(grace_seconds=0.3), alive=there.is_set)
    job.start()
    if paused:
        job.pause()
    time.sleep(0.5)
    assert not job.state.over
    there.clear()
    assert 0.1 < wait(lambda: job.state is State.STOPPED) < 1.5
    assert job.snapshot().reason == "stopped: the visitor has left"


def test_a_reload_within_the_grace_keeps_it(make):
    there, again = threading.Event(), threading.Event()
    there.set()
    job = make(limits=Limits(grace_seconds=0.4), alive=there.is_set)
    job.start()
    there.clear()
    time.sleep(0.1)
    again.set()
    job.presence.join(again.is_set)
    time.sleep(0.8)
    assert not job.state.over


# ---------------------------------------------------------------------------- what is kept


def test_divergence_has_a_step_a_reason_and_the_last_good_weights(make):
    job = make(small("maml", steps=5_000, outer_lr=10.0, inner_lr=10.0, loss="mse"))
    job.start()
    assert job.join(PATIENCE)
    progress = job.snapshot()
    assert progress.state is State.DIVERGED
    named = int(re.search(r"at outer step (\d+)", progress.reason)[1])
    assert progress.step < named <= progress.step + 2
    assert "smaller learning rate" in progress.reason
    last = progress.snapshots[-1]
    assert last.step == progress.step
    assert all(value.isfinite().all() for value in last.meta.values())


@pytest.mark.parametrize("algorithm", ["maml", "daml"])
def test_the_time_machine_adapts_like_the_saved_snapshot(make, tmp_path, algorithm):
    config = small(algorithm, steps=60)
    job = make(config)
    job.start()
    assert job.join(PATIENCE)
    kept = job.snapshot().snapshots
    steps = [snapshot.step for snapshot in kept]
    assert (steps[0], steps[-1]) == (0, 60)
    assert np.diff(steps)[:5].max() == 1, "denser early"
    trainer = MetaTrainer(config, engine="torch")
    trainer.advance(kept[8].step)
    assert_same(kept[8].meta, trainer.meta)

    path = save(tmp_path / "moment.safetensors", Checkpoint(config, kept[8].meta, kept[8].step))
    x = np.linspace(-3, 3, 7)
    sources = config.inner_steps if config.learner.unlabelled else 0
    support = config.task_family.sample_episodes(
        np.random.default_rng(0), 3, shots=4, queries=0, sources=sources
    )[1].support
    live, saved = (
        run_learner(config.learner, meta, Examples(*support), x).outputs
        for meta in (kept[8].meta, load(path).meta)
    )
    np.testing.assert_array_equal(live, saved)


def test_the_held_out_error_is_that_of_evaluate(make):
    config = small("maml", steps=3)
    job = make(config)
    job.start()
    assert job.join(PATIENCE)
    last = job.snapshot().snapshots[-1]
    full = evaluate(config.learner, last.meta, config.task_family, shots=4, steps=5, tasks=40)
    assert last.errors.shape == (6,)
    np.testing.assert_allclose(last.errors, full.mean, rtol=0.1)


def test_snapshots_are_bounded_in_number_and_bytes():
    tiny = MetaTrainer(small("maml"), engine="torch").meta
    for steps in (1, 2, 50, 300_000, 100_000_000):
        due = snapshots.snapshot_steps(steps, tiny)
        assert (due[0], due[-1]) == (1, steps)
        assert len(due) <= snapshots.MAX_SNAPSHOTS
        assert (np.diff(due) > 0).all()
    wide = MetaTrainer(small("daml", hidden=128), engine="torch").meta
    size = sum(value.nbytes for value in wide.values())
    assert 2 <= len(snapshots.snapshot_steps(300_000, wide)) <= snapshots.MAX_BYTES / size


@pytest.mark.parametrize("max_points", [1, 2, 7, 100])
@pytest.mark.parametrize("chunks", [[1] * 23, [5, 0, 300, 1], [1000, 24]])
def test_a_loss_curve_is_bounded_and_keeps_the_mean(max_points, chunks):
    values = np.random.default_rng(0).random(sum(chunks))
    curve = LossCurve(max_points)
    for part in np.split(values, np.cumsum(chunks)[:-1]):
        curve.add(part)
    steps, means = curve.points()
    assert len(means) <= max_points + 1
    assert steps[-1] == len(values)
    widths = np.diff(steps, prepend=0)
    assert (widths > 0).all()
    assert (means * widths).sum() == pytest.approx(values.sum())


def test_an_empty_loss_curve_has_no_points():
    steps, means = LossCurve().points()
    assert len(steps) == len(means) == 0
