"""Tables that are taken home: curves, and runs."""

from __future__ import annotations

import csv
import io
import json

import moments
import numpy as np
import pytest
from helpers import PATIENCE, small

from metademo.export.tables import RunReport, curves_csv
from metademo.jobs import Job
from metademo.models import Model
from metademo.moments.drawn import Drawn, draw_points
from metademo.moments.views import DamlView, MamlView
from metademo.settings import TrainConfig
from metademo.tasks import FAMILIES, Waves


def read(text: str) -> dict[str, np.ndarray]:
    """The columns of a table by name; NaN where a cell is empty."""
    names, *rows = csv.reader(io.StringIO(text))
    values = np.array([[float(cell or "nan") for cell in row] for row in rows])
    return dict(zip(names, values.T, strict=True))


def test_curves_have_a_column_for_each_learner_and_step():
    view, checkpoint = MamlView.first(steps=3), moments.library()["maml-any-phase"]
    family = FAMILIES["any-phase"]
    models = {"maml": Model.of(checkpoint), "random": Model.untrained(checkpoint)}
    runs = {name: draw_points(view, family, model) for name, model in models.items()}
    table = read(curves_csv(view, family, runs))
    steps = [f"{name}_step_{k}" for name in models for k in range(4)]
    assert list(table) == ["x", "truth", *steps]
    np.testing.assert_array_equal(table["x"], family.grid)
    np.testing.assert_array_equal(table["truth"], view.wave(family.grid)[0])
    for name, run in runs.items():
        for k, curve in enumerate(run.curves):
            np.testing.assert_allclose(table[f"{name}_step_{k}"], curve, rtol=1e-7)


@pytest.mark.parametrize(
    ("source", "truths"),
    [(1.2, {"truth": 0.0}), (-1.2, {"truth": np.pi}), (0.0, {"wave_0": 0.0, "wave_180": np.pi})],
)
def test_a_source_input_stands_for_a_wave_or_for_none(source, truths):
    family = FAMILIES["two-phase"]
    table = read(curves_csv(DamlView(source=source), family, {}))
    assert list(table) == ["x", *truths]
    for name, phase in truths.items():
        wave = Waves.one(phase=phase)(family.grid)[0]
        np.testing.assert_allclose(table[name], wave, atol=1e-12)


def test_what_ran_away_leaves_no_word_that_a_spreadsheet_would_not_take():
    family = FAMILIES["any-phase"]
    curves = np.array([[1.0, np.inf, -np.inf, np.nan] + [0.0] * 396])
    run = Drawn(curves, np.zeros(1), np.zeros(1))
    rows = list(csv.reader(io.StringIO(curves_csv(MamlView(), family, {"maml": run}))))
    assert [row[-1] for row in rows[1:5]] == ["1.0", "", "", ""]


@pytest.fixture(scope="module")
def progress():
    job = Job(small("maml", steps=30), engine="torch")
    job.start()
    assert job.join(PATIENCE)
    return job.snapshot()


def test_a_run_is_json_with_its_settings(progress):
    report = json.loads(RunReport.of(progress).to_json())
    assert TrainConfig.from_dict(report["config"]) == progress.config
    assert (report["state"], report["engine"], report["steps"]) == ("finished", "torch", 30)
    assert [row["loss"] for row in report["losses"]] == progress.losses.tolist()
    assert [row["step"] for row in report["held_out"]] == [s.step for s in progress.snapshots]
    assert report["held_out"][-1]["errors"] == progress.snapshots[-1].errors.tolist()
    assert RunReport.model_validate(report) == RunReport.of(progress)


def test_a_run_is_csv_with_its_settings_above(progress):
    text = RunReport.of(progress).to_csv()
    head = [line for line in text.splitlines() if line.startswith("# ")]
    assert {"# algorithm: maml", "# seed: 0", "# inner_lr: 0.03", "# held_out_tasks: 40"} <= {*head}
    table = read(text.split("\n", len(head))[-1])
    assert list(table) == ["outer_step", "query_loss", *(f"error_after_{k}" for k in range(6))]
    assert (np.diff(table["outer_step"]) >= 0).all()
    losses = table["query_loss"][~np.isnan(table["query_loss"])]
    np.testing.assert_array_equal(losses, progress.losses)
    last = table["error_after_5"][~np.isnan(table["error_after_5"])][-1]
    assert last == progress.snapshots[-1].errors[-1]
