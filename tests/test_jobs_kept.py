"""What is kept of a live training: snapshots, errors, and the curve of its losses."""

from __future__ import annotations

import re

import numpy as np
import pytest
from helpers import PATIENCE, assert_same, small

from metademo.checkpoints import Checkpoint, load, save
from metademo.evaluation import evaluate, run_learner
from metademo.jobs import JobState, snapshots
from metademo.jobs.meters import LossCurve
from metademo.tasks import Examples
from metademo.training import MetaTrainer

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def test_divergence_has_a_step_a_reason_and_the_last_good_weights(make):
    job = make(small("maml", steps=5_000, outer_lr=10.0, inner_lr=10.0, loss="mse"))
    job.start()
    assert job.join(PATIENCE)
    progress = job.snapshot()
    assert progress.state is JobState.DIVERGED
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
