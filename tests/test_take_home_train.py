"""What is taken home from the Train page: a run, and how it was trained."""

from __future__ import annotations

from offered import watch_downloads
from test_train_page import SHORT, finish, press, registry, runs_of, start

from metademo import checkpoints
from metademo.algorithms.maml import MAML
from metademo.export.tables import RunReport
from metademo.moments.train_view import TrainView

__all__ = ["registry"]  # a fixture, in use by itself


def test_a_run_and_its_training_are_taken_home(monkeypatch, tmp_path):
    offered = watch_downloads(monkeypatch)
    app = start(TrainView(own=SHORT))
    press(app, "start")
    offered.open(finish(app), "train")
    run = runs_of(app)[0]
    assert offered.files["Training script"] == "train-maml-two-phase-run-1.py"
    report = RunReport.model_validate_json(offered["Run (JSON)"])
    assert report == RunReport.of(run.job.snapshot())
    assert report.config == run.config
    assert "# steps: 30" in offered["Run (CSV)"]
    assert "STEPS = 30 " in offered["Training script"]
    assert offered.files["Weights"] == "maml-two-phase-step-30.safetensors"
    path = tmp_path / offered.files["Weights"]
    path.write_bytes(offered["Weights"])
    loaded = checkpoints.load(path)
    assert (loaded.config, loaded.steps) == (run.config, 30)


def test_where_there_is_no_training_script_the_page_says_so(monkeypatch):
    offered = watch_downloads(monkeypatch)
    monkeypatch.setattr(MAML, "training_in_torch", lambda self: None)
    app = start(TrainView(own=SHORT))
    press(app, "start")
    offered.open(finish(app), "train")
    assert "Run (JSON)" in offered.files
    assert "Training script" not in offered.files
    assert any("nobody has put MAML into plain PyTorch" in c.value for c in app.caption)


def test_of_a_run_on_signs_the_page_says_why_there_is_no_training_script(monkeypatch):
    offered = watch_downloads(monkeypatch)
    app = start(TrainView(algorithm="protonet", family="glyphs", own=SHORT))
    press(app, "start")
    offered.open(finish(app), "train")
    assert set(offered.content) == {"Weights", "Run (CSV)", "Run (JSON)"}
    (said,) = [c.value for c in app.caption if c.value.startswith("No script")]
    assert said.startswith("No script: signs are made by a compiled generator")
