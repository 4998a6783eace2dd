"""`inspect`: the numbers behind the pictures of the inside."""

from __future__ import annotations

import numpy as np
import pytest
from commands import as_json, complaint, inputs, run, tiny_weights

from metademo.algorithms import ALGORITHMS, GradientBased
from metademo.command_line.reports import InspectReport

POINTS = "-4,0.75 -2,-0.9 1.5,1 3.5,-0.35"
KEYS = ["slice", "plane", "gradients", "units", "backward"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return tiny_weights(tmp_path_factory.mktemp("weights"))


def inspected(capsys, *arguments):
    return as_json(run(capsys, "inspect", *arguments, "--json"))


@pytest.mark.parametrize(
    "name", [name for name, row in ALGORITHMS.items() if issubclass(row, GradientBased)]
)
def test_every_learner_that_takes_gradient_steps_can_be_looked_into(name, weights, capsys):
    found = inspected(capsys, weights[name], *inputs(name), "--steps", "2")
    assert set(KEYS) <= set(found)
    assert found["algorithm"] == name
    assert found["steps"] == 2
    for key in ("lost", "true_at_steps", "steps"):
        assert len(found["plane"][key]) == 3
    assert len(found["backward"]["lengths"]) == 3


def test_the_keys_agree_with_each_other(capsys):
    found = inspected(capsys, "maml-two-phase", "--points", POINTS)
    assert (found["phase"], found["amplitude"]) == (0, 1)
    line, plane, slopes = found["slice"], found["plane"], found["gradients"]
    ends = [line["s"].index(0.0), line["s"].index(1.0)]
    for name in ("true", "inner"):
        losses = slopes[name]
        np.testing.assert_allclose([line[name][i] for i in ends], [losses[0], losses[-1]])
        np.testing.assert_allclose(plane[f"{name}_at_steps"], losses)
    assert line["mirror"][0] < 0.1 < 1.2 < line["mirror"][-1], "a valley for the mirror behind"
    assert max(plane["lost"]) < 0.05
    first, second = found["units"]
    assert (first["layer"], second["layer"]) == (1, 2)
    for layer in (first, second):
        moved = [layer["moved"][unit] for unit in layer["order"]]
        assert moved == sorted(moved, reverse=True)
        assert np.shape(layer["pushes"]) == (6, 4, 32)
    assert 0 <= found["backward"]["first_order"] <= 180


def test_the_same_as_adapt_says(capsys):
    found = inspected(capsys, "daml-any-phase", "--source", "1.2")
    adapted = as_json(run(capsys, "adapt", "daml-any-phase", "--source", "1.2", "--json"))
    np.testing.assert_allclose(found["gradients"]["inner"], adapted["loss"], rtol=1e-3)
    truth = np.sin(np.array(adapted["x"]) + found["phase"])
    errors = np.abs(np.array(adapted["curves"]) - truth).mean(1)
    np.testing.assert_allclose(found["gradients"]["true"], errors, atol=1e-4)


def test_without_a_step_nothing_has_a_direction(weights, capsys):
    found = inspected(capsys, weights["maml"], *inputs("maml"), "--steps", "0")
    assert found["slice"]["length"] == 0
    assert found["backward"]["first_order"] == 0
    assert found["backward"]["reptile"] is None


def test_in_words(capsys):
    lines = run(capsys, "inspect", "maml-two-phase", "--points", POINTS).splitlines()
    assert lines[0] == "maml on two-phase, against a wave of amplitude 1 and phase 0°"
    assert lines[1].split()[:3] == ["step", "inner", "loss"]
    assert [line.split()[0] for line in lines[2:8]] == list("012345")
    assert any("units that moved most" in line for line in lines)


@pytest.mark.parametrize(
    ("weights_of", "options", "fault"),
    [
        ("maml", ["--source", "1"], "maml adapts from --points"),
        ("daml", ["--source", "0"], "stands for no wave"),
        ("maml", ["--points", "nonsense"], "must be numbers"),
    ],
)
def test_what_cannot_be_looked_into_is_one_line(weights_of, options, fault, weights, capsys):
    assert fault in complaint(capsys, "inspect", weights[weights_of], *options)


def test_what_runs_away_is_one_line(capsys):
    assert "diverged" in complaint(capsys, "inspect", "maml-finn", "--points", "1e300,0")


@pytest.mark.parametrize("points", [POINTS, "0,1e30"])
def test_the_report_reads_back_what_it_has_written(points, capsys):
    text = run(capsys, "inspect", "maml-finn", "--points", points, "--json")
    assert InspectReport.model_validate_json(text).to_json() == text.strip()


def test_what_is_too_large_to_count_is_null(capsys):
    found = inspected(capsys, "maml-finn", "--points", "0,1e30")
    assert any(value is None for row in found["plane"]["true"] for value in row)
