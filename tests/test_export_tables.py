"""Tables that are taken home: curves, and runs."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from helpers import PATIENCE, small

from metademo.export.tables import RunReport, curves_csv
from metademo.jobs import Job
from metademo.settings import TrainConfig


def read(text: str) -> dict[str, np.ndarray]:
    """The columns of a table by name; NaN where a cell is empty."""
    names, *rows = csv.reader(io.StringIO(text))
    values = np.array([[float(cell or "nan") for cell in row] for row in rows])
    return dict(zip(names, values.T, strict=True))


X = np.linspace(-1, 1, 5)


def test_curves_have_a_column_for_each_step():
    curves = {"truth 0": X**2, "maml++": np.stack([X, X / 3]), "meta-sgd": X[None].astype("f4")}
    table = read(curves_csv(X, curves))
    assert list(table) == ["x", "truth_0", "maml++_step_0", "maml++_step_1", "meta-sgd_step_0"]
    np.testing.assert_array_equal(table["x"], X)
    np.testing.assert_array_equal(table["truth_0"], X**2)
    np.testing.assert_array_equal(table["maml++_step_1"], X / 3)


def test_what_ran_away_leaves_no_word_that_a_spreadsheet_would_not_take():
    curve = np.array([1.0, np.inf, -np.inf, np.nan, 0])
    rows = list(csv.reader(io.StringIO(curves_csv(X, {"maml": curve}))))
    assert [row[1] for row in rows] == ["maml", "1.0", "", "", "", "0.0"]


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
