"""A learner without an inner loop is one class and one row: nothing of the house changes for it.

The toy of `toy_learner` fits in closed form; its steps are the points it has seen, and it knows how
sure it is.
"""

import numpy as np
import pytest
import torch
from helpers import PATIENCE, assert_same, one_of
from toy_learner import Fourier

from metademo import algorithms, engines
from metademo.algorithms import YARDSTICKS
from metademo.checkpoints import Checkpoint, load, save
from metademo.command_line import main
from metademo.engines import make_engine, uncovered
from metademo.evaluation import evaluate, run_learner
from metademo.jobs import Job, JobState
from metademo.models import Model
from metademo.moments.candidates import candidates, missing
from metademo.moments.compared import compare
from metademo.moments.views import CompareView, MamlView
from metademo.recipes import configure
from metademo.tasks import FAMILIES, Examples
from metademo.training import MetaTrainer
from metademo.ui.scenes.compare_scene import compare_scene
from metademo.ui.scenes.scenes import maml_scene
from metademo.ui.scenes.scores_scene import scores_scene
from metademo.ui.scenes.sentences import losses_in_words
from metademo.ui.scenes.train_kind import untrained
from metademo.ui.scenes.train_scene import train_scene, unstarted
from metademo.ui.server.measurements import Measured, Standing, held_out_errors, swept

FAMILY = FAMILIES["any-phase"]
X = np.linspace(-6, 6, 31)


@pytest.fixture(autouse=True)
def fourier(monkeypatch):
    monkeypatch.setitem(algorithms.ALGORITHMS, "fourier", Fourier)


@pytest.fixture(scope="module")
def trained():
    """A run of it on any phase, and the query losses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(algorithms.ALGORITHMS, "fourier", Fourier)
        config = configure("fourier", "any-phase", hidden=12, steps=300, outer_lr=0.05, clip=1.0)
        trainer = MetaTrainer(config)
        losses = np.concatenate([record.query_losses for record in trainer.run(every=100)])
    return Checkpoint(config, trainer.meta, trainer.step), losses, trainer.engine.name


def test_it_is_meta_trained_by_the_reference(trained):
    checkpoint, losses, engine = trained
    assert engine == "torch"
    assert "takes no gradient steps" in uncovered(checkpoint.config.learner)
    assert losses[-20:].mean() < 0.2 * losses[:5].mean()
    with pytest.raises(ValueError, match="fused engine does not cover fourier"):
        make_engine(checkpoint.config.learner, checkpoint.meta, engine="fused", optimizer="adam")


def test_it_is_measured_point_by_point(trained):
    checkpoint, _, _ = trained
    result = evaluate(checkpoint.config.learner, checkpoint.meta, FAMILY, steps=4, tasks=50)
    assert (np.diff(result.mean) < 0).all(), "each further point helps"
    assert result.mean[-1] < 0.2


@pytest.mark.parametrize("warm", [False, True], ids=["reference", "compiled"])
def test_what_it_sees_are_the_first_points_and_it_says_how_sure_it_is(trained, warm, monkeypatch):
    monkeypatch.setattr(engines, "is_warm", lambda: warm)
    learner, meta = trained[0].config.learner, trained[0].meta
    support = FAMILY.sample_held_out(np.random.default_rng(0), 2, shots=4).support
    found = run_learner(learner, meta, support, X)
    assert found.outputs.shape == found.std.shape == (5, 2, len(X))
    for k in range(5):
        first = support.map(lambda values, k=k: values[:, :k])
        alone = run_learner(learner, meta, first, X)
        np.testing.assert_allclose(found.outputs[k], alone.outputs[-1], atol=1e-4)
        np.testing.assert_allclose(found.std[k], alone.std[-1], atol=1e-4)
    assert (np.diff(found.std.mean((1, 2))) < 0).all()
    one = run_learner(learner, meta, one_of(support, 1), X)
    np.testing.assert_allclose(one.outputs[:, 0], found.outputs[:, 1], atol=1e-4)


def test_its_weights_are_saved_and_loaded(trained, tmp_path):
    checkpoint = trained[0]
    again = load(save(tmp_path / "fourier.safetensors", checkpoint))
    assert again.config == checkpoint.config
    assert_same(again.meta, checkpoint.meta)


def test_a_job_runs_it(trained):
    job = Job(configure("fourier", "two-phase", hidden=4, steps=10))
    job.start()
    assert job.join(PATIENCE)
    progress = job.snapshot()
    assert progress.state is JobState.FINISHED, progress.reason
    assert progress.engine == "torch"
    assert np.isfinite(progress.snapshots[-1].errors).all()


def test_the_command_line_trains_measures_and_runs_it(tmp_path, capsys):
    out = str(tmp_path / "fourier.safetensors")
    few = ["--steps", "3", "--hidden", "4", "--out", out]
    assert main(["train", "fourier", "--family", "finn", *few]) == 0
    assert main(["evaluate", out, "--tasks", "5"]) == 0
    assert main(["adapt", out, "--points", "0,0 1,1"]) == 0
    assert "fourier on finn: mse error against the true wave" in capsys.readouterr().out


def test_the_maml_page_draws_it(trained):
    checkpoint = trained[0]
    view, model = MamlView.first(), Model.of(checkpoint)
    contrasts = {"pretrained": model, "random": Model.untrained(checkpoint)}
    scene = maml_scene(view, FAMILY, model, contrasts)
    assert len(scene.captions) == view.steps + 1
    points = np.array(view.points)
    support = Examples(points[None, :, 0], points[None, :, 1])
    own = model.learner.run(model.meta, support, FAMILY.grid, steps=view.steps).outputs[:, 0]
    np.testing.assert_allclose(scene.curves[-1].y, own, atol=1e-4)
    assert "takes no gradient steps" in scene.panels[0].note
    assert losses_in_words(model.learner) == "Fourier features takes no gradient steps."


def test_the_compare_page_draws_and_scores_it(trained, monkeypatch):
    checkpoint = trained[0]
    view = CompareView.first(family="any-phase", chosen=("fourier", "oracle"))
    found = candidates({"fourier-any-phase": checkpoint}, {}, FAMILY)
    suited = [name for name, kind in YARDSTICKS.items() if not kind.unsuited(FAMILY)]
    assert list(found) == ["fourier", *suited]
    assert "fourier" in missing({}, FAMILY)
    chosen = [found[name] for name in view.chosen]
    compared = compare(view, FAMILY, chosen)
    scene = compare_scene(view, FAMILY, compared)
    assert {curve.label for curve in scene.curves} >= {"Fourier features"}
    assert "Fourier features" in " ".join(scene.captions)
    model = found["fourier"].model
    errors = held_out_errors(model, FAMILY, shots=4, steps=view.steps)
    sweep = swept(model, FAMILY, shots=4, steps=view.steps, along="amplitude")
    measured = Measured({"fourier": Standing(errors, 1.5)}, {"fourier": sweep})
    board, drawn = scores_scene(view, FAMILY, compared, measured)
    row = next(score for score in board.scores if score.label == "Fourier features")
    assert row.note.startswith("one linear system in 1.5 ms · trained on ")
    assert [series.label for series in drawn.series] == ["Fourier features"]


def test_the_train_page_draws_its_snapshots(trained):
    config = trained[0].config
    scene = train_scene(unstarted(config), [untrained(config)])
    assert len(scene.captions) == 1
    assert np.isfinite(scene.errors).all()


def test_its_meta_gradient_is_the_slope_of_its_outer_loss(trained):
    config = trained[0].config
    meta = {name: value.double() for name, value in trained[0].meta.items()}
    episode = config.sample_episodes(np.random.default_rng(0), 3)
    gradient, _ = config.learner.meta_gradient(meta, episode)
    ends = []
    for sign in (1, -1):
        moved = meta | {"log_noise": meta["log_noise"] + sign * 1e-6}
        with torch.no_grad():
            ends.append(config.learner.outer_loss(moved, episode).mean().item())
    assert gradient["log_noise"].item() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)
