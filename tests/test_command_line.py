"""The command line: what it prints, what it writes, and one line for each bad argument."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import PAIRS, assert_same, checkpoint_of, small, starting_curve

from metademo import checkpoints, command_line
from metademo.algorithms import ALGORITHMS
from metademo.command_line import main
from metademo.evaluation import evaluate
from metademo.tasks import FAMILIES
from metademo.training import RECIPES, MetaTrainer

ROOT = Path(__file__).resolve().parent.parent
TINY = ("--hidden", "4", "--steps", "3", "--inner-steps", "2")
SCORE_KEYS = ["algorithm", "family", "shots", "inner_steps", "tasks", "seed", "metric"]
SCORE_KEYS += ["mean", "ci95", "median", "p90"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def weights(folder):
    """Small untrained weights of each algorithm."""
    paths = {name: folder / f"tiny-{name}.safetensors" for name in ALGORITHMS}
    for name, path in paths.items():
        checkpoints.save(path, checkpoint_of(small(name)))
    return paths


def _json(text):
    """The JSON document on one line, held to the standard: no NaN, no Infinity."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    assert text.count("\n") == 1
    return json.loads(text, parse_constant=refuse)


def _run(capsys, *arguments, code=0):
    """The standard output of a command that ends with `code`."""
    assert main([str(argument) for argument in arguments]) == code
    return capsys.readouterr().out


def _inputs(algorithm):
    """What an algorithm adapts from."""
    return ["--source", "1.1"] if ALGORITHMS[algorithm].unlabelled else ["--points", "0,0 1,0.8"]


def _train(capsys, algorithm="maml", family="two-phase", *more, code=0):
    arguments = ["train", algorithm, "--family", family, *TINY, "--json", *more]
    return _json(_run(capsys, *arguments, code=code))


# list


def test_list_names_everything_in_json(capsys):
    listing = _json(_run(capsys, "list", "--json"))
    assert list(listing) == ["algorithms", "yardsticks", "families", "recipes", "weights"]
    assert list(listing["algorithms"]) == list(ALGORITHMS)
    assert list(listing["families"]) == list(FAMILIES)
    assert list(listing["recipes"]) == list(RECIPES)
    assert list(listing["weights"]) == checkpoints.shipped_names()


def test_list_is_readable(capsys):
    lines = _run(capsys, "list").splitlines()
    assert {"algorithms", "yardsticks", "families", "recipes", "weights"} <= set(lines)
    for name, row in ALGORITHMS.items():
        assert any(line.split() == [name, *row.summary.split()] for line in lines)
    for name in checkpoints.shipped_names():
        (line,) = [line for line in lines if line.startswith(f"  {name} ")]
        assert re.search(r"[\d,]+ outer steps; (l1|mse) error \d\.\d{3} ± \d\.\d{3} after \d", line)


@pytest.mark.parametrize("text", ["no weights at all", ""], ids=["text", "empty"])
def test_list_says_which_weights_are_unusable_and_goes_on(text, folder, capsys, monkeypatch):
    monkeypatch.setattr(checkpoints, "SHIPPED", folder)
    (folder / "broken.safetensors").write_text(text)
    checkpoints.save(folder / "sound.safetensors", checkpoint_of(small("maml")))
    shown = _json(_run(capsys, "list", "--json"))["weights"]
    assert shown["broken"].startswith("unusable: ")
    assert "broken.safetensors" in shown["broken"]
    assert shown["sound"] == "7 outer steps"


# train


@pytest.mark.parametrize(("algorithm", "family"), PAIRS)
def test_train_writes_a_checkpoint_and_reports_it(algorithm, family, capsys):
    report = _train(capsys, algorithm, family, "--out", "w.safetensors", "--seed", "5")
    assert list(report) == ["file", "ending", "engine", "steps", "seconds", "scores", "config"]
    assert (report["file"], report["ending"], report["steps"]) == ("w.safetensors", "finished", 3)
    assert list(report["scores"]) == SCORE_KEYS
    saved = checkpoints.load("w.safetensors")
    assert saved.config.to_dict() == report["config"]
    assert saved.scores == report["scores"]
    assert (saved.config.algorithm, saved.config.family) == (algorithm, family)
    assert (saved.config.seed, saved.config.hidden, saved.steps) == (5, 4, 3)
    trainer = MetaTrainer(saved.config)
    list(trainer.run())
    assert_same(saved.meta, trainer.meta)


@pytest.mark.parametrize("recipe", RECIPES)
def test_train_follows_the_recipe(recipe, capsys):
    config = _train(capsys, "maml", "two-phase", "--recipe", recipe)["config"]
    asked = dict(hidden=4, steps=3, inner_steps=2)
    assert {name: config[name] for name in RECIPES[recipe].settings if name not in asked} == {
        name: value for name, value in RECIPES[recipe].settings.items() if name not in asked
    }
    assert {name: config[name] for name in asked} == asked


def test_train_takes_the_fast_recipe_and_a_telling_name_by_default(capsys):
    report = _train(capsys)
    assert report["file"] == "maml-two-phase.safetensors"
    assert report["config"]["optimizer"] == RECIPES["fast"].settings["optimizer"]
    assert Path(report["file"]).is_file()


def test_every_setting_of_train_arrives(capsys):
    options = dict(shots=3, queries=5, meta_batch=2, inner_lr=0.02, outer_lr=0.003, seed=8)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    config = _train(capsys, "maml", "any-phase", *flags)["config"]
    assert {name: config[name] for name in options} == options


def test_the_same_seed_writes_the_same_file(capsys):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        _train(capsys, "maml", "two-phase", "--seed", str(seed), "--out", name)
    a, b, c = (Path(name).read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_train_in_words_has_a_progress_bar_and_the_scores(capsys):
    assert main(["train", "maml", "--family", "two-phase", *TINY]) == 0
    out, err = capsys.readouterr()
    assert re.search(
        r"^finished after 3 outer steps and \d+\.\d s: maml-two-phase\.safetensors$", out, re.M
    )
    assert re.search(r"step +mean +±95 % +median +p90\n +0( +\d\.\d{4}){4}\n", out)
    assert "3/3" in err
    assert re.search(r"query loss \d\.\d{3}", err)


def test_force_overwrites(capsys):
    _train(capsys, "maml", "two-phase", "--seed", "1")
    _train(capsys, "maml", "two-phase", "--seed", "2", "--force")
    assert checkpoints.load("maml-two-phase.safetensors").config.seed == 2


def test_a_run_that_diverges_saves_its_last_good_weights(capsys):
    options = ["--steps", "300", "--inner-lr", "10", "--inner-steps", "20", "--recipe", "original"]
    report = _train(capsys, "maml", "any-phase", *options, "--outer-lr", "10", code=1)
    assert re.search(r"^diverged \(the .* became .* at outer step", report["ending"])
    saved = checkpoints.load(report["file"])
    assert saved.steps == report["steps"] < 300


def test_what_is_not_finite_is_null_in_json(capsys):
    options = ["--inner-lr", "10", "--inner-steps", "10", "--hidden", "32"]
    report = _train(capsys, "maml", "any-phase", *options, code=1)
    assert report["steps"] == 0
    assert report["scores"]["mean"][0] < 1
    assert report["scores"]["mean"][10] is None
    saved = checkpoints.load(report["file"])
    assert saved.scores["mean"][10] == float("inf")


def test_numbers_that_ran_away_keep_the_columns(folder, capsys):
    """Of a learner that diverges, all errors are huge or infinite."""
    config = small("maml", "any-phase", hidden=32, inner_lr=10.0, inner_steps=10, loss="mse")
    checkpoints.save(folder / "wild.safetensors", checkpoint_of(config))
    lines = _run(capsys, "evaluate", "wild.safetensors", "--tasks", "50").splitlines()
    assert re.search(r"e\+\d\d", " ".join(lines)), "some are huge"
    assert "diverges" in lines[-1]
    for line in lines[2:]:
        assert re.fullmatch(r" +\d+( +\S+){4}", line), line
        assert len(line) == len(lines[1])
    for line in lines:
        assert not re.search(r"\d{8}|nan|inf", line)


def test_list_says_of_weights_that_they_diverge(folder, capsys, monkeypatch):
    monkeypatch.setattr(checkpoints, "SHIPPED", folder)
    options = [
        "--inner-lr",
        "10",
        "--inner-steps",
        "10",
        "--hidden",
        "32",
        "--out",
        "a.safetensors",
    ]
    _train(capsys, "maml", "any-phase", *options, code=1)
    text = _json(_run(capsys, "list", "--json"))["weights"]["a"]
    assert text == "0 outer steps; l1 error diverges after 10 inner steps"


class _Interrupted(MetaTrainer):
    """A trainer whose user presses Ctrl-C after two records."""

    def run(self, every=100):
        run = super().run(every=1)
        yield next(run)
        yield next(run)
        raise KeyboardInterrupt


def test_ctrl_c_saves_what_there_is(capsys, monkeypatch):
    monkeypatch.setattr(command_line, "MetaTrainer", _Interrupted)
    report = _train(capsys, code=130)
    assert (report["ending"], report["steps"]) == ("interrupted", 2)
    saved = checkpoints.load(report["file"])
    assert saved.steps == 2
    trainer = MetaTrainer(saved.config)
    trainer.advance(2)
    assert_same(saved.meta, trainer.meta)


def test_where_saving_fails_the_weights_are_kept_and_it_says_where(folder, capsys, monkeypatch):
    (folder / "away").mkdir()
    real, full = os.fsync, []

    def no_space(handle):
        if full and Path(os.readlink(f"/proc/self/fd/{handle}")).parent.name == "away":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    class Filling(MetaTrainer):
        """A trainer while whose work the disk fills up."""

        def advance(self, steps):
            full.append(True)
            return super().advance(steps)

    monkeypatch.setattr(os, "fsync", no_space)
    monkeypatch.setattr(command_line, "MetaTrainer", Filling)
    arguments = ["train", "maml", "--family", "two-phase", *TINY, "--out", "away/w.safetensors"]
    assert main([*arguments, "--json"]) == 1
    out, err = capsys.readouterr()
    report = _json(out)
    assert (report["ending"], report["steps"]) == ("finished", 3)
    assert checkpoints.load(report["file"]).steps == 3
    assert Path(report["file"]).absolute().parent == folder
    assert err.count("\n") == 1
    for part in ("metademo: away/w.safetensors could not be written", "No space", report["file"]):
        assert part in err
    assert list((folder / "away").iterdir()) == []


def test_a_full_disk_is_told_before_the_work(capsys, monkeypatch):
    def no_space(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    _no_training(monkeypatch)
    monkeypatch.setattr(os, "fsync", no_space)
    assert "No space left" in _complaint(capsys, "train", "maml", "--family", "two-phase")


# evaluate


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_evaluate_reports_each_step(algorithm, weights, capsys):
    options = ["--shots", "3", "--inner-steps", "2", "--tasks", "30", "--seed", "6"]
    scores = _json(_run(capsys, "evaluate", weights[algorithm], *options, "--json"))
    assert list(scores) == SCORE_KEYS
    shots = 0 if ALGORITHMS[algorithm].unlabelled else 3  # labelled points
    conditions = dict(shots=shots, inner_steps=2, tasks=30, seed=6, metric="l1")
    conditions |= dict(algorithm=algorithm, family="two-phase")
    assert {key: scores[key] for key in conditions} == conditions
    saved = checkpoints.load(weights[algorithm])
    result = evaluate(
        saved.config.learner, saved.meta, FAMILIES["two-phase"], shots=3, steps=2, tasks=30, seed=6
    )
    for key in ("mean", "ci95", "median", "p90"):
        assert scores[key] == pytest.approx(getattr(result, key), abs=1e-6)
        assert len(scores[key]) == 3


def test_evaluate_takes_its_conditions_from_the_training(weights, capsys):
    scores = _json(_run(capsys, "evaluate", weights["maml"], "--json"))
    conditions = dict(family="two-phase", shots=4, inner_steps=5, tasks=400, seed=0)
    assert {key: scores[key] for key in conditions} == conditions


def test_evaluate_on_another_family(weights, capsys):
    scores = _json(_run(capsys, "evaluate", weights["maml"], "--family", "any-phase", "--json"))
    assert scores["family"] == "any-phase"


def test_evaluate_outside_of_what_was_trained_on(weights, capsys):
    options = ["--shape", "square", "--amplitude", "2", "--frequency", "1.5", "--noise", "0.1"]
    scores = _json(_run(capsys, "evaluate", weights["maml"], *options, "--tasks", "30", "--json"))
    outside = dict(shape="square", amplitudes=(2.0, 2.0), frequencies=(1.5, 1.5), noise=0.1)
    assert {name: scores[name] for name in outside} == json.loads(json.dumps(outside))
    saved = checkpoints.load(weights["maml"])
    family = replace(FAMILIES["two-phase"], **outside)
    result = evaluate(saved.config.learner, saved.meta, family, shots=4, steps=5, tasks=30)
    assert scores["mean"] == pytest.approx(result.mean, abs=1e-6)
    lines = _run(capsys, "evaluate", weights["maml"], *options, "--tasks", "2").splitlines()
    assert "  shape: square" in lines


@pytest.mark.parametrize("option", ["--amplitude", "--frequency", "--noise"])
@pytest.mark.parametrize("value", ["-1", "nan", "1e9"])
def test_evaluate_refuses_absurd_waves(option, value, weights, capsys):
    assert main(["evaluate", str(weights["maml"]), f"{option}={value}"]) == 2
    assert f"{option[2:]} must be from 0 to 1000" in capsys.readouterr().err


def test_evaluate_in_words(weights, capsys):
    lines = _run(capsys, "evaluate", weights["maml"], "--tasks", "20").splitlines()
    title = (
        "maml on two-phase: l1 error against the true wave, 4 labelled points, 20 held-out tasks"
    )
    assert lines[0] == title
    assert lines[1].split() == ["step", "mean", "±95", "%", "median", "p90"]
    assert [line.split()[0] for line in lines[2:]] == list("012345")


def test_shipped_weights_go_by_their_name(capsys):
    for name in checkpoints.shipped_names():
        scores = _json(_run(capsys, "evaluate", name, "--tasks", "2", "--json"))
        own = f"{scores['algorithm']}-{scores['family']}"
        assert name == own or (name, own) == ("best-finn", "maml++w-finn")


# adapt


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("steps", [0, 7])
def test_adapt_gives_the_curve_after_each_step(algorithm, steps, weights, capsys):
    arguments = [weights[algorithm], *_inputs(algorithm), "--steps", steps, "--json"]
    answer = _json(_run(capsys, "adapt", *arguments))
    assert list(answer) == ["x", "curves", "loss"]
    grid = FAMILIES["two-phase"].grid
    assert answer["x"] == grid.tolist()
    assert np.shape(answer["curves"]) == (steps + 1, 400)
    assert np.shape(answer["loss"]) == (steps + 1,)
    saved = checkpoints.load(weights[algorithm])
    start = starting_curve(saved.meta, grid)
    np.testing.assert_allclose(answer["curves"][0], start, atol=1e-6)


def test_adapt_takes_the_steps_of_the_training_by_default(weights, capsys):
    answer = _json(_run(capsys, "adapt", weights["maml"], "--points", "0,0", "--json"))
    assert len(answer["curves"]) == 6


def test_adapt_descends_the_error_on_the_points(weights, capsys):
    answer = _json(_run(capsys, "adapt", weights["maml"], "--points", "1.5,2 2,2", "--json"))
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
    assert list(_json(_run(capsys, "adapt", weights[algorithm], option, value, "--json")))


def test_adapt_takes_source_inputs_in_turn(weights, capsys):
    one, two = (
        _json(_run(capsys, "adapt", weights["daml"], "--source", source, "--json"))["loss"]
        for source in ("0.9", "0.9,1.4")
    )
    assert one[0] == two[0]
    assert one[1] != two[1]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_adapt_draws_a_self_contained_picture(algorithm, weights, capsys):
    arguments = [weights[algorithm], *_inputs(algorithm), "--figure", "picture.html"]
    out = _run(capsys, "adapt", *arguments)
    assert out.splitlines()[-1] == "the picture is in picture.html"
    page = Path("picture.html").read_text(encoding="utf-8")
    assert "Plotly.newPlot(" in page
    assert re.search(r"plotly\.js v\d+\.\d+", page)
    assert len(page) > 10**6
    assert not re.search(r"<script[^>]*\ssrc\s*=", page)
    assert not re.search(r"<link[^>]*\shref\s*=", page)


def test_adapt_in_words(weights, capsys):
    lines = _run(capsys, "adapt", weights["maml"], "--points", "0,0 1,1").splitlines()
    assert lines[0].split() == ["step", "inner", "loss"]
    assert [line.split()[0] for line in lines[1:]] == list("012345")


# Bad input: exit code 2 and one line

BAD_COMMANDS = {
    "no command": ([], "COMMAND"),
    "unknown command": (["dance"], "'dance'"),
    "unknown option": (["list", "--colour"], "--colour"),
    "an option of two lines": (["list", "--co\nlour"], "--co"),
}
BAD_TRAININGS = {
    "unknown algorithm": (["magic", "--family", "two-phase"], "'magic'"),
    "no algorithm": (["--family", "two-phase"], "algorithm"),
    "unknown family": (["maml", "--family", "square"], "'square'"),
    "no family": (["maml"], "--family"),
    "unknown recipe": (["maml", "--family", "two-phase", "--recipe", "slow"], "'slow'"),
}
BAD_SETTINGS = {
    "steps zero": ("--steps=0", "steps must be from 1 to"),
    "steps negative": ("--steps=-5", "steps must be from 1 to"),
    "steps a fraction": ("--steps=1.5", "--steps: invalid int value: '1.5'"),
    "steps NaN": ("--steps=nan", "--steps: invalid int value: 'nan'"),
    "steps too many": ("--steps=100000001", "steps must be from 1 to"),
    "steps beyond floats": ("--steps=1" + "0" * 400, "steps must be from 1 to"),
    "steps beyond integers": ("--steps=1" + "0" * 5000, "--steps: invalid int value"),
    "seed negative": ("--seed=-1", "seed must be from 0 to"),
    "seed huge": ("--seed=9223372036854775808", "seed must be from 0 to"),
    "seed in words": ("--seed=lucky", "'lucky'"),
    "hidden zero": ("--hidden=0", "hidden must be from 1 to 512"),
    "hidden huge": ("--hidden=100000", "hidden must be from 1 to 512"),
    "inner steps negative": ("--inner-steps=-1", "inner_steps must be from 0 to 100"),
    "inner steps too many": ("--inner-steps=101", "inner_steps must be from 0 to 100"),
    "inner rate negative": ("--inner-lr=-0.1", "inner_lr must be from 0 to 10"),
    "inner rate NaN": ("--inner-lr=nan", "inner_lr must be from 0 to 10, not nan"),
    "outer rate infinite": ("--outer-lr=inf", "outer_lr must be from 0 to 10, not inf"),
    "outer rate in words": ("--outer-lr=fast", "'fast'"),
    "shots zero": ("--shots=0", "shots must be from 1 to 1000"),
    "queries zero": ("--queries=0", "queries must be from 1 to 1000"),
    "meta-batch huge": ("--meta-batch=1000000", "meta_batch must be from 1 to 4096"),
}
BAD_EVALUATIONS = {
    "shots zero": ("--shots=0", "shots must be from 1 to 1000"),
    "shots huge": ("--shots=1000000000000", "shots must be from 1 to 1000"),
    "inner steps negative": ("--inner-steps=-1", "inner steps must be"),
    "inner steps too many": ("--inner-steps=101", "inner steps must be"),
    "inner steps absurd": ("--inner-steps=1000000000000", "inner steps must be"),
    "tasks zero": ("--tasks=0", "tasks must be from 2 to"),
    "tasks negative": ("--tasks=-3", "tasks must be from 2 to"),
    "tasks NaN": ("--tasks=nan", "'nan'"),
    "tasks huge": ("--tasks=1000000000000", "tasks must be from 2 to"),
    "seed negative": ("--seed=-1", "seed must be from 0 to"),
    "seed huge": ("--seed=1" + "0" * 400, "seed must be from 0 to"),
    "unknown family": ("--family=square", "'square'"),
}
BAD_ADAPTATIONS = {
    "neither points nor source": ("maml", [], "--points --source"),
    "both points and source": ("maml", ["--points", "0,0", "--source", "1"], "not allowed with"),
    "source for labelled": ("maml", ["--source", "1"], "maml adapts from --points"),
    "points for unlabelled": ("daml", ["--points", "0,0"], "daml adapts from --source"),
    "points without value": ("maml", ["--points"], "--points"),
    "points empty": ("maml", ["--points", ""], "--points takes pairs"),
    "points blank": ("maml", ["--points", "  "], "--points takes pairs"),
    "points in words": ("maml", ["--points", "here there"], "--points: 'here'"),
    "points half": ("maml", ["--points", "0,0 1"], "--points takes pairs"),
    "points triple": ("maml", ["--points", "0,0,0"], "--points takes pairs"),
    "points trailing comma": ("maml", ["--points", "0,"], "--points: '0,'"),
    "points NaN": ("maml", ["--points", "0,0 nan,1"], "not finite"),
    "points infinite": ("maml", ["--points", "0,-inf"], "not finite"),
    "points beyond floats": ("maml", ["--points", "0,1e999"], "not finite"),
    "points far away": ("maml", ["--points", "1e300,0"], "diverged"),
    "source empty": ("daml", ["--source", ""], "--source: ''"),
    "source in words": ("daml", ["--source", "left"], "--source: 'left'"),
    "source NaN": ("daml", ["--source", "1,nan"], "not finite"),
    "steps negative": ("maml", ["--points", "0,0", "--steps=-1"], "inner steps must be 0 to 100"),
    "steps too many": ("maml", ["--points", "0,0", "--steps=101"], "inner steps must be 0 to 100"),
    "steps a fraction": ("maml", ["--points", "0,0", "--steps=2.5"], "'2.5'"),
    "figure into a missing folder": (
        "maml",
        ["--points", "0,0", "--figure", "nowhere/picture.html"],
        "nowhere/picture.html",
    ),
    "figure onto a folder": ("maml", ["--points", "0,0", "--figure", "."], "directory: '.'"),
}


def _complaint(capsys, *arguments):
    """The one line on stderr of a command that is refused."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as ending:
        code = ending.code
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert err.startswith("metademo")
    return err


@pytest.mark.parametrize(("arguments", "fault"), BAD_COMMANDS.values(), ids=BAD_COMMANDS)
def test_a_bad_command_is_one_line(arguments, fault, capsys):
    assert fault in _complaint(capsys, *arguments)


@pytest.mark.parametrize(("arguments", "fault"), BAD_TRAININGS.values(), ids=BAD_TRAININGS)
def test_a_bad_training_is_one_line(arguments, fault, folder, capsys):
    assert fault in _complaint(capsys, "train", *arguments)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("option", "fault"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_a_bad_setting_of_a_training_is_one_line(option, fault, folder, capsys):
    arguments = ["train", "maml", "--family", "two-phase", option]
    assert fault in _complaint(capsys, *arguments)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("algorithm", ["maml", "daml"])
@pytest.mark.parametrize(("option", "fault"), BAD_EVALUATIONS.values(), ids=BAD_EVALUATIONS)
def test_a_bad_evaluation_is_one_line(algorithm, option, fault, weights, capsys):
    assert fault in _complaint(capsys, "evaluate", weights[algorithm], option)


@pytest.mark.parametrize(
    ("algorithm", "options", "fault"), BAD_ADAPTATIONS.values(), ids=BAD_ADAPTATIONS
)
def test_a_bad_adaptation_is_one_line(algorithm, options, fault, weights, capsys):
    assert fault in _complaint(capsys, "adapt", weights[algorithm], *options)


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
    assert fault in _complaint(capsys, command[0], name, *command[1:])


def _no_training(monkeypatch):
    """Any training started would fail the test."""

    def fail(*arguments, **options):
        raise AssertionError("trained before looking where to save")

    monkeypatch.setattr(MetaTrainer, "advance", fail)


def test_an_existing_file_is_refused_before_the_work(capsys, monkeypatch):
    Path("mine.safetensors").write_text("mine")
    _no_training(monkeypatch)
    options = ["--family", "two-phase", "--out", "mine.safetensors"]
    fault = _complaint(capsys, "train", "maml", *options)
    assert "mine.safetensors exists already" in fault
    assert "--force" in fault
    assert Path("mine.safetensors").read_text() == "mine"


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "force"])
@pytest.mark.parametrize(
    ("out", "fault"),
    [("taken/w.safetensors", "taken"), ("folder", "folder"), ("n" * 300, "n" * 300)],
    ids=["below a file", "a folder", "endless name"],
)
def test_a_place_that_cannot_be_written_to_is_refused_before_the_work(
    out, fault, force, folder, capsys, monkeypatch
):
    (folder / "taken").touch()
    (folder / "folder").mkdir()
    _no_training(monkeypatch)
    options = ["--family", "two-phase", "--out", out, *force]
    assert fault in _complaint(capsys, "train", "maml", *options)
    assert {entry.name for entry in folder.iterdir()} == {"taken", "folder"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused_before_the_work(folder, capsys, monkeypatch):
    _no_training(monkeypatch)
    folder.chmod(0o500)
    try:
        fault = _complaint(capsys, "train", "maml", "--family", "two-phase")
    finally:
        folder.chmod(0o700)
    assert "ermission" in fault


# For real


def _process(*arguments, path=(), **options):
    paths = os.pathsep.join(map(str, [*path, ROOT]))
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "metademo", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background has it ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )


def test_python_m_metademo_runs():
    with _process("list", "--json") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert list(_json(out)["algorithms"]) == list(ALGORITHMS)
    assert err == ""


def test_ctrl_c_while_the_program_loads_is_one_line(folder):
    """Numpy is imported early: here it only says so, and waits."""
    (folder / "numpy.py").write_text("print('loading', flush=True)\nimport time\ntime.sleep(60)")
    with _process("list", path=[folder]) as process:
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "metademo: interrupted\n")


def test_a_real_ctrl_c_saves_what_there_is():
    options = ["--family", "two-phase", "--hidden", "4", "--steps", "50000000", "--out", "cut"]
    with _process("train", "maml", *options) as process:
        seen = ""
        while "query loss" not in seen:  # the bar has reported some steps
            piece = process.stderr.read(1)
            assert piece, seen
            seen += piece
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    saved = checkpoints.load("cut")
    assert 0 < saved.steps < 50_000_000
    assert f"interrupted after {saved.steps:,} outer steps" in out
    assert saved.config.steps == 50_000_000


def test_the_backend_runs_without_streamlit():
    code = "import sys, metademo.command_line; sys.exit('streamlit' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
