"""`evaluate` and `adapt`: what they print, and what they refuse."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import BAND_KEYS, SCORE_KEYS, as_json, complaint, inputs, run, tiny_weights
from helpers import OF_WAVES

from metademo import checkpoints
from metademo.algorithms import ALGORITHMS
from metademo.command_line import main, parser
from metademo.command_line.arguments import sentence
from metademo.described import ConfigError
from metademo.evaluation import evaluate, run_learner
from metademo.tasks import FAMILIES, Examples

BAD_EVALUATIONS = {
    "shots zero": ("--shots=0", "--shots must be from 1 to 1,000"),
    "shots huge": ("--shots=1000000000000", "--shots must be from 1 to 1,000"),
    "inner steps negative": ("--inner-steps=-1", "--inner-steps must be from 0 to 100"),
    "inner steps too many": ("--inner-steps=101", "--inner-steps must be from 0 to 100"),
    "inner steps absurd": ("--inner-steps=1000000000000", "--inner-steps must be from 0 to 100"),
    "tasks zero": ("--tasks=0", "--tasks must be from 2 to 100,000"),
    "tasks negative": ("--tasks=-3", "--tasks must be from 2 to 100,000"),
    "tasks NaN": ("--tasks=nan", "'nan'"),
    "tasks huge": ("--tasks=1000000000000", "--tasks must be from 2 to 100,000"),
    "seed negative": ("--seed=-1", "--seed must be from 0 to"),
    "seed huge": ("--seed=1" + "0" * 400, "--seed must be from 0 to"),
    "unknown family": ("--family=square", "'square'"),
}
NUMBERS = "{} must be numbers such as 0.5,1, not '{}'"
STEPS = "--steps must be from 0 to 100, not "
BAD_ADAPTATIONS = {
    "neither points nor source": ("maml", [], "--points --source"),
    "both points and source": ("maml", ["--points", "0,0", "--source", "1"], "not allowed with"),
    "source for labelled": ("maml", ["--source", "1"], "maml adapts from --points"),
    "points for unlabelled": ("daml", ["--points", "0,0"], "daml adapts from --source"),
    "points without value": ("maml", ["--points"], "--points"),
    "points empty": ("maml", ["--points", ""], "--points must be pairs"),
    "points blank": ("maml", ["--points", "  "], "--points must be pairs"),
    "points in words": (
        "maml",
        ["--points", "here there"],
        NUMBERS.format("--points", "here"),
    ),
    "points half": ("maml", ["--points", "0,0 1"], "--points must be pairs"),
    "points triple": ("maml", ["--points", "0,0,0"], "--points must be pairs"),
    "points trailing comma": (
        "maml",
        ["--points", "0,"],
        NUMBERS.format("--points", "0,"),
    ),
    "points NaN": ("maml", ["--points", "0,0 nan,1"], "--points must be finite numbers"),
    "points infinite": ("maml", ["--points", "0,-inf"], "--points must be finite numbers"),
    "points beyond floats": ("maml", ["--points", "0,1e999"], "--points must be finite numbers"),
    "points far away": ("maml", ["--points", "1e300,0"], "diverged"),
    "source empty": ("daml", ["--source", ""], NUMBERS.format("--source", "")),
    "source in words": (
        "daml",
        ["--source", "left"],
        NUMBERS.format("--source", "left"),
    ),
    "source NaN": ("daml", ["--source", "1,nan"], "--source must be finite numbers"),
    "steps negative": (
        "maml",
        ["--points", "0,0", "--steps=-1"],
        "--steps must be from 0 to 100, not -1",
    ),
    "steps too many": (
        "maml",
        ["--points", "0,0", "--steps=101"],
        "--steps must be from 0 to 100, not 101",
    ),
    "steps a fraction": (
        "maml",
        ["--points", "0,0", "--steps=2.5"],
        "must be a whole number, not '2.5'",
    ),
    "figure into a missing folder": (
        "maml",
        ["--points", "0,0", "--figure", "nowhere/picture.html"],
        "nowhere/picture.html",
    ),
    "figure onto a folder": ("maml", ["--points", "0,0", "--figure", "."], "directory: '.'"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def weights(folder):
    return tiny_weights(folder)


# evaluate


@pytest.mark.parametrize("algorithm", OF_WAVES)
def test_evaluate_reports_each_step(algorithm, weights, capsys):
    options = ["--shots", "3", "--inner-steps", "2", "--tasks", "30", "--seed", "6"]
    scores = as_json(run(capsys, "evaluate", weights[algorithm], *options, "--json"))
    bands = [] if scores.get("coverage") is None else BAND_KEYS
    assert list(scores) == SCORE_KEYS + bands
    shots = 0 if ALGORITHMS[algorithm].unlabelled else 3  # labelled points
    conditions = dict(shots=shots, inner_steps=2, tasks=30, seed=6, metric="l1")
    conditions |= dict(algorithm=algorithm, family="two-phase")
    assert {key: scores[key] for key in conditions} == conditions
    saved = checkpoints.load(weights[algorithm])
    result = evaluate(
        saved.config.learner, saved.meta, FAMILIES["two-phase"], shots=3, steps=2, tasks=30, seed=6
    )
    assert bool(bands) == (result.covered is not None)
    for key in ("mean", "ci95", "median", "p90", *bands):
        assert scores[key] == pytest.approx(getattr(result, key), abs=1e-6)
        assert len(scores[key]) == 3


def test_evaluate_takes_its_conditions_from_the_training(weights, capsys):
    scores = as_json(run(capsys, "evaluate", weights["maml"], "--json"))
    conditions = dict(family="two-phase", shots=4, inner_steps=5, tasks=400, seed=0)
    assert {key: scores[key] for key in conditions} == conditions


def test_evaluate_on_another_family(weights, capsys):
    scores = as_json(run(capsys, "evaluate", weights["maml"], "--family", "any-phase", "--json"))
    assert scores["family"] == "any-phase"


def test_evaluate_outside_of_what_was_trained_on(weights, capsys):
    options = ["--shape", "square", "--amplitude", "2", "--frequency", "1.5", "--noise", "0.1"]
    scores = as_json(run(capsys, "evaluate", weights["maml"], *options, "--tasks", "30", "--json"))
    outside = dict(shape="square", amplitudes=(2.0, 2.0), frequencies=(1.5, 1.5), noise=0.1)
    assert {name: scores[name] for name in outside} == json.loads(json.dumps(outside))
    saved = checkpoints.load(weights["maml"])
    family = replace(FAMILIES["two-phase"], **outside)
    result = evaluate(saved.config.learner, saved.meta, family, shots=4, steps=5, tasks=30)
    assert scores["mean"] == pytest.approx(result.mean, abs=1e-6)
    lines = run(capsys, "evaluate", weights["maml"], *options, "--tasks", "2").splitlines()
    assert "  shape: square" in lines


@pytest.mark.parametrize("option", ["--amplitude", "--frequency", "--noise"])
@pytest.mark.parametrize("value", ["-1", "nan", "1e9"])
def test_evaluate_refuses_absurd_waves(option, value, weights, capsys):
    assert main(["evaluate", str(weights["maml"]), f"{option}={value}"]) == 2
    assert f"{option} must be from 0 to 1,000" in capsys.readouterr().err


def test_evaluate_in_words(weights, capsys):
    lines = run(capsys, "evaluate", weights["maml"], "--tasks", "20").splitlines()
    title = (
        "maml on two-phase: l1 error against the true wave, 4 labelled points, 20 held-out tasks"
    )
    assert lines[0] == title
    assert lines[1].split() == ["step", "mean", "±95", "%", "median", "p90"]
    assert [line.split()[0] for line in lines[2:]] == list("012345")


def test_shipped_weights_go_by_their_name(capsys):
    for name in checkpoints.shipped_names():
        scores = as_json(run(capsys, "evaluate", name, "--tasks", "2", "--json"))
        own = f"{scores['algorithm']}-{scores['family']}"
        assert name == own or (name, own) == ("best-finn", "maml++w-finn")


# adapt


@pytest.mark.parametrize("algorithm", OF_WAVES)
@pytest.mark.parametrize("steps", [0, 7])
def test_adapt_gives_the_curve_after_each_step(algorithm, steps, weights, capsys):
    arguments = [weights[algorithm], *inputs(algorithm), "--steps", steps, "--json"]
    answer = as_json(run(capsys, "adapt", *arguments))
    assert list(answer) == ["x", "curves", "loss"]
    grid = FAMILIES["two-phase"].grid
    assert answer["x"] == grid.tolist()
    assert np.shape(answer["curves"]) == (steps + 1, 400)
    assert np.shape(answer["loss"]) == (steps + 1,)
    saved = checkpoints.load(weights[algorithm])
    learner, none = saved.config.learner, np.zeros((1, 0))
    support = Examples(none, None if learner.unlabelled else none)
    start = run_learner(learner, saved.meta, support, grid, steps=0).outputs[0, 0]
    np.testing.assert_allclose(answer["curves"][0], start, atol=1e-6)


def test_adapt_takes_the_steps_of_the_training_by_default(weights, capsys):
    answer = as_json(run(capsys, "adapt", weights["maml"], "--points", "0,0", "--json"))
    assert len(answer["curves"]) == 6


def test_adapt_descends_the_error_on_the_points(weights, capsys):
    answer = as_json(run(capsys, "adapt", weights["maml"], "--points", "1.5,2 2,2", "--json"))
    expected = np.mean([abs(np.interp(x, answer["x"], answer["curves"][0]) - 2) for x in (1.5, 2)])
    assert answer["loss"][0] == pytest.approx(expected, abs=1e-3)
    assert answer["loss"][5] < answer["loss"][0]


@pytest.mark.parametrize(
    ("algorithm", "option", "value"),
    [
        ("maml", "--points", "-1,0"),
        ("maml", "--points", "-1,-0.5 -.5,0"),
        ("daml", "--source", "-1"),
        ("daml", "--source", "-1.2,-0.9"),
        ("daml", "--source", "-.9,1e-1"),
    ],
)
def test_adapt_takes_values_that_begin_with_a_minus(algorithm, option, value, weights, capsys):
    assert list(as_json(run(capsys, "adapt", weights[algorithm], option, value, "--json")))


def test_adapt_takes_source_inputs_in_turn(weights, capsys):
    one, two = (
        as_json(run(capsys, "adapt", weights["daml"], "--source", source, "--json"))["loss"]
        for source in ("0.9", "0.9,1.4")
    )
    assert one[0] == two[0]
    assert one[1] != two[1]


@pytest.mark.parametrize("algorithm", OF_WAVES)
def test_adapt_draws_a_self_contained_picture(algorithm, weights, capsys):
    arguments = [weights[algorithm], *inputs(algorithm), "--figure", "picture.html"]
    out = run(capsys, "adapt", *arguments)
    assert out.splitlines()[-1] == "the picture is in picture.html"
    page = Path("picture.html").read_text(encoding="utf-8")
    assert "Plotly.newPlot(" in page
    assert re.search(r"plotly\.js v\d+\.\d+", page)
    assert len(page) > 10**6
    assert not re.search(r"<script[^>]*\ssrc\s*=", page)
    assert not re.search(r"<link[^>]*\shref\s*=", page)


def test_adapt_in_words(weights, capsys):
    lines = run(capsys, "adapt", weights["maml"], "--points", "0,0 1,1").splitlines()
    assert lines[0].split() == ["step", "inner", "loss"]
    assert [line.split()[0] for line in lines[1:]] == list("012345")


# Bad input


@pytest.mark.parametrize("algorithm", ["maml", "daml"])
@pytest.mark.parametrize(("option", "fault"), BAD_EVALUATIONS.values(), ids=BAD_EVALUATIONS)
def test_a_bad_evaluation_is_one_line(algorithm, option, fault, weights, capsys):
    assert fault in complaint(capsys, "evaluate", weights[algorithm], option)


@pytest.mark.parametrize(
    ("algorithm", "options", "fault"), BAD_ADAPTATIONS.values(), ids=BAD_ADAPTATIONS
)
def test_a_bad_adaptation_is_one_line(algorithm, options, fault, weights, capsys):
    assert fault in complaint(capsys, "adapt", weights[algorithm], *options)


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (["adapt", "maml-two-phase", "--points", "0,0", "--steps=101"], "steps"),
        (["adapt", "maml-two-phase", "--points", "0,0,0"], "points"),
        (["adapt", "daml-two-phase", "--source", "nan"], "source"),
        (["evaluate", "maml-two-phase", "--tasks=1"], "tasks"),
        (["train", "maml", "--family", "finn", "--seeds=0"], "seeds"),
        (["reproduce", "--seeds=0"], "seeds"),
        (["benchmark", "--rounds=0"], "rounds"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_fault_knows_its_setting(command, setting):
    arguments = parser().parse_args(command)
    with pytest.raises(ConfigError) as caught:
        arguments.command(arguments)
    assert caught.value.setting == setting
    assert sentence(caught.value, arguments).startswith(f"--{setting} must be ")


def test_each_number_on_the_command_line_is_described():
    """Text that argparse turns into a number by itself has no range and no words."""
    (commands,) = (action for action in parser()._actions if action.choices)
    readers = {action.type for p in commands.choices.values() for action in p._actions}
    assert not readers & {int, float}


def test_the_steps_of_adapt_are_as_in_training_unless_told(weights, capsys):
    points = ["--points", "0,0", "--json"]
    told = as_json(run(capsys, "adapt", weights["maml"], *points, "--steps", "none"))
    assert told == as_json(run(capsys, "adapt", weights["maml"], *points))
    with pytest.raises(SystemExit):
        main(["adapt", "--help"])
    assert "From 0 to 100." in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", [["evaluate"], ["adapt", "--points", "0,0"]], ids=lambda c: c[0]
)
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("nobody", "weights/nobody.safetensors: there is no such file"),
        ("nobody.safetensors", "nobody.safetensors: there is no such file"),
        (".", "not a file"),
        ("text.safetensors", "text.safetensors: not a readable safetensors file"),
        ("x" * 5000, "x"),
    ],
    ids=["unknown name", "missing file", "folder", "damaged", "endless name"],
)
def test_unusable_weights_are_one_line(command, name, fault, folder, capsys):
    (folder / "text.safetensors").write_text("weights, honestly")
    assert fault in complaint(capsys, command[0], name, *command[1:])
