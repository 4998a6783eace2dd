"""Another kind of task is one file and one row: nothing of the house changes for it.

The toy of `toy_tasks` has inputs of two numbers, labels that are classes, a network, a loss and a
metric of its own.
"""

import numpy as np
import pytest
import torch
from helpers import GRADIENT_BASED, PATIENCE, assert_same
from toy_tasks import SIDES, LineFamily

from metademo import tasks
from metademo.algorithms import ALGORITHMS, YARDSTICKS
from metademo.checkpoints import Checkpoint, load, save
from metademo.command_line import main
from metademo.described import ConfigError
from metademo.engines import make_engine, uncovered
from metademo.evaluation import evaluate, run_learner
from metademo.jobs import Job, JobState, held_out_errors
from metademo.moments.train_view import TrainView
from metademo.recipes import configure
from metademo.settings import TrainConfig
from metademo.tasks import Examples
from metademo.training import MetaTrainer
from metademo.ui.server import resources

SMALL = dict(hidden=8, inner_steps=3, inner_lr=0.5, steps=120, outer_lr=0.02, shots=10, clip=1.0)
SUITED = [name for name in GRADIENT_BASED if not ALGORITHMS[name].unsuited(LineFamily())]


@pytest.fixture(autouse=True)
def lines(monkeypatch):
    monkeypatch.setitem(tasks.FAMILIES, "lines", LineFamily())


def _config(algorithm="maml", **changes):
    return configure(algorithm, "lines", "fast", **(SMALL | changes))


@pytest.fixture(scope="module")
def trained():
    """A run of MAML on lines, by the reference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tasks.FAMILIES, "lines", LineFamily())
        trainer = MetaTrainer(_config())
        losses = np.concatenate([record.query_losses for record in trainer.run(every=50)])
    return trainer, losses


def test_its_loss_is_the_kinds_own_whatever_a_recipe_says():
    for algorithm in SUITED:
        config = _config(algorithm)
        assert config.loss == "cross-entropy"
        assert config.support_loss in (None, "cross-entropy")
        assert config.learner.kind is SIDES
    with pytest.raises(ConfigError, match="loss 'l1' is not known: choose from cross-entropy"):
        TrainConfig(family="lines")


def test_it_is_meta_trained_by_the_reference(trained):
    trainer, losses = trained
    assert trainer.engine.name == "torch"
    assert "does not cover tasks of kind side" in uncovered(trainer.config.learner)
    assert set(trainer.meta) == {f"classifier.{name}" for name in SIDES.network(8, "").shapes}
    assert losses[-20:].mean() < 0.6 * losses[:5].mean()


def test_it_is_measured_in_its_own_metric(trained):
    trainer, _ = trained
    config, family = trainer.config, trainer.config.task_family
    result = evaluate(config.learner, trainer.meta, family, shots=10, steps=3, tasks=40)
    assert result.metric == "accuracy"
    assert result.errors.shape == (4, 40)
    assert result.mean[-1] > max(0.8, result.mean[0] + 0.05)
    # By hand, a task at a time: each has inputs of its own.
    rng = np.random.default_rng([0, 2])
    support, query = family.sample_held_out(rng, 40, shots=10)
    for task in (0, 17):
        one = support.map(lambda values, task=task: values[task : task + 1])
        logits = run_learner(config.learner, trainer.meta, one, query.x[task], steps=3).outputs
        assert logits.shape == (4, 1, 200, 2)
        right = (logits[:, 0].argmax(-1) == query.y[task]).mean(-1)
        np.testing.assert_allclose(right, result.errors[:, task])


@pytest.mark.parametrize("size", [1, 7])
def test_how_many_tasks_are_measured_side_by_side_makes_no_difference(size, trained, monkeypatch):
    trainer, _ = trained
    given = (trainer.config.learner, trainer.meta, LineFamily())
    whole = evaluate(*given, shots=10, tasks=9).errors
    monkeypatch.setattr("metademo.evaluation.BATCH", size)
    np.testing.assert_array_equal(evaluate(*given, shots=10, tasks=9).errors, whole)


def test_its_weights_are_saved_and_loaded(trained, tmp_path):
    trainer, _ = trained
    made = Checkpoint(trainer.config, trainer.meta, trainer.step)
    again = load(save(tmp_path / "lines.safetensors", made))
    assert again.config == trainer.config
    assert_same(again.meta, trainer.meta)


def test_a_job_runs_on_it_and_measures_its_snapshots(trained):
    trainer, _ = trained
    job = Job(_config(steps=20))
    job.start()
    assert job.join(PATIENCE)
    progress = job.snapshot()
    assert progress.state is JobState.FINISHED, progress.reason
    last = progress.snapshots[-1]
    assert (last.step, len(last.errors)) == (20, 4)
    np.testing.assert_array_equal(last.errors, held_out_errors(progress.config, last.meta))
    assert held_out_errors(trainer.config, trainer.meta)[-1] > 0.8


@pytest.mark.parametrize("algorithm", SUITED)
def test_every_learner_that_takes_gradient_steps_learns_it(algorithm):
    config = _config(algorithm, steps=2)
    trainer = MetaTrainer(config)
    record = trainer.advance(2)
    assert np.isfinite(record.query_losses).all()
    fresh = config.learner.init(np.random.default_rng([config.seed, 0]))
    assert any(not torch.equal(value, fresh[name]) for name, value in record.meta.items())


def test_anil_moves_the_head_of_its_network():
    config = _config("anil")
    meta = config.learner.init(np.random.default_rng(0))
    support = config.sample_episodes(np.random.default_rng(0), 2).support
    start, end = (config.learner.adapt(meta, support).trajectory[k] for k in (0, -1))
    moved = {name for name in start if not torch.equal(start[name], end[name])}
    assert moved == {"head.weight", "head.bias"}


def test_who_does_not_suit_it_says_why():
    family = LineFamily()
    assert ALGORITHMS["daml"].unsuited(family) == (
        "daml learns from a network of curves, and lines has another"
    )
    assert YARDSTICKS["oracle"].unsuited(family) == "oracle fits waves alone"
    assert {"maml", "reptile", "anil", "maml++"} <= set(SUITED)
    with pytest.raises(ConfigError, match="daml learns from a network of curves"):
        _config("daml")


@pytest.mark.parametrize("shape", [(2, 5), (2, 5, 3), (5, 2)])
def test_a_support_set_of_other_inputs_is_rejected(shape):
    learner = _config().learner
    meta = learner.init(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"shape \(tasks, points, 2\), not"):
        learner.run(meta, Examples(np.ones(shape), np.ones(shape[:2])), np.ones((3, 2)))


def test_the_compiled_engine_is_not_asked_for_what_it_does_not_know():
    config = _config()
    meta = config.learner.init(np.random.default_rng(0))
    with pytest.raises(ValueError, match="fused engine does not cover tasks of kind side"):
        make_engine(config.learner, meta, engine="fused", optimizer="adam")


def test_the_command_line_trains_and_measures_it(tmp_path, capsys):
    out = str(tmp_path / "lines.safetensors")
    assert main(["list"]) == 0
    assert "on which side of a line" in capsys.readouterr().out
    few = ["--steps", "3", "--meta-batch", "2", "--hidden", "4", "--out", out]
    assert main(["train", "maml", "--family", "lines", *few]) == 0
    capsys.readouterr()
    assert main(["evaluate", out, "--tasks", "5"]) == 0
    assert "maml on lines: accuracy at held-out points" in capsys.readouterr().out
    for command in (["adapt", out, "--points", "0,0"], ["evaluate", out, "--shape", "square"]):
        assert main(command) == 2
        assert "the tasks of family 'lines' are no waves" in capsys.readouterr().err


def test_pages_that_draw_waves_leave_it_out(monkeypatch):
    assert TrainView(family="lines").family == "two-phase"
    config = _config()
    meta = config.learner.init(np.random.default_rng(0))
    monkeypatch.setattr(resources, "own", lambda: {"mine": Checkpoint(config, meta, 1)})
    assert "mine" not in resources.playable("maml")[0]
