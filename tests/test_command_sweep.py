"""The command `sweep`: from options and from a file, in words and in JSON."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from commands import as_json, complaint, run

from metademo.command_line import main
from metademo.sweep.plan import Plan

PLAN = """
algorithms = ["maml", "reptile"]
families = ["two-phase"]
seeds = 1
tasks = 5

[settings]
hidden = 4
steps = 3
meta_batch = 2

[vary]
inner_lr = [0.01, 0.03]
"""
OPTIONS = ["--algorithms", "maml,reptile", "--families", "two-phase", "--seeds", "1"]
OPTIONS += ["--tasks", "5", "--hidden", "4", "--steps", "3", "--meta-batch", "2"]
OPTIONS += ["--vary", "inner-lr=0.01,0.03"]
HERE = ["--processes", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test in an empty folder of its own, with a plan."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path


def configs(path):
    return [json.loads(line)["config"] for line in path.read_text().splitlines()]


def test_a_file_and_options_say_the_same(folder, capsys):
    there = as_json(run(capsys, "sweep", "plan.toml", *HERE, "--json"))
    here = as_json(run(capsys, "sweep", *OPTIONS, *HERE, "--json", "--out", "other.jsonl"))
    assert list(there) == ["runs", "tasks", "rows", "left_out", "failed"]
    assert there | {"runs": ""} == here | {"runs": ""}
    assert [(row["algorithm"], row["varied"]) for row in there["rows"]] == [
        (a, {"inner_lr": r}) for a in ("maml", "reptile") for r in (0.01, 0.03)
    ]
    assert configs(folder / "sweep.jsonl") == configs(folder / "other.jsonl")


def test_options_hold_against_the_file(folder, capsys):
    more = ["--algorithms", "anil", "--hidden", "5", "--vary", "shots=2,3", "--inner-lr", "0.02"]
    run(capsys, "sweep", "plan.toml", *HERE, *more)
    found = [(c["algorithm"], c["hidden"], c["shots"], c["inner_lr"], c["steps"])
             for c in configs(folder / "sweep.jsonl")]  # fmt: skip
    assert found == [("anil", 5, 2, 0.02, 3), ("anil", 5, 3, 0.02, 3)]


def test_the_table_the_figure_and_what_is_said(folder, capsys):
    arguments = ["sweep", "plan.toml", *HERE, "--figure", "sweep.html", "--weights", "kept"]
    arguments += ["--algorithms", "maml,daml", "--families", "two-phase,finn"]
    assert main(arguments) == 0
    printed, said = capsys.readouterr()
    assert "two-phase: l1 error against the true wave, 5 held-out tasks" in printed
    assert "finn: mse error against the true wave, 5 held-out tasks" in printed
    assert "sweep: left out: daml needs a family with a source domain, and finn has none" in said
    assert said.count("/6 ") == 6
    assert len(list((folder / "kept").iterdir())) == 6
    page = (folder / "sweep.html").read_text()
    assert "two-phase: l1 error after the last inner step" in page
    assert main(arguments) == 0
    again, said = capsys.readouterr()
    assert again == printed
    assert "sweep: 6 of 6 runs are in sweep.jsonl already" in said


BAD = {
    "nothing": ([], "algorithms are missing: choose from maml"),
    "an unknown algorithm": (["--algorithms", "mammal"], "'mammal' is not known"),
    "an unknown key": (["bad.toml"], "colour is not known in a plan"),
    "no TOML": (["broken.toml"], "broken.toml is no TOML: "),
    "no file": (["none.toml"], "none.toml can't be read (No such file or directory)"),
    "no values": (["plan.toml", "--vary", "hidden"], "--vary must be such as inner_lr=0.01,0.03"),
    "a value": (["plan.toml", "--vary", "hidden=4,wide"], "must be a whole number, not 'wide'"),
    "a setting": (["plan.toml", "--vary", "colour=4"], "colour is not a setting"),
    "a range": (["plan.toml", "--inner-lr", "0.1", "--hidden", "0"], "--hidden must be from 1"),
    "seeds": (["plan.toml", "--seeds", "0"], "--seeds must be from 1 to 1,000, not 0"),
    "processes": (["plan.toml", "--processes", "0"], "--processes must be from 1 to 1,024"),
    "both": (["plan.toml", "--hidden", "4", "--vary", "hidden=4"], "both have one value and vary"),
    "an address": (["plan.toml", "--address", "tcp://here:1"], "--address is that of a cluster"),
    "another file": (["plan.toml", "--out", "plan.toml"], "plan.toml is no file of a sweep"),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_a_bad_command_is_one_line_and_runs_nothing(arguments, words, folder, capsys):
    (folder / "bad.toml").write_text(PLAN.replace("seeds", "colour"))
    (folder / "broken.toml").write_text("algorithms = [")
    assert words in complaint(capsys, "sweep", *arguments)
    assert not list(folder.glob("*.jsonl")) or not (folder / "sweep.jsonl").read_bytes()


def test_a_run_that_fails_is_told_by_the_exit_code(folder, capsys, monkeypatch):
    def fails(config, tasks):
        raise MemoryError("no room")

    monkeypatch.setattr("metademo.sweep.run.train_and_score", fails)
    report = as_json(run(capsys, "sweep", "plan.toml", *HERE, "--json", code=1))
    assert len(report["failed"]) == 4
    assert report["failed"][0].endswith("failed: MemoryError: no room")
    assert report["rows"] == []


def test_the_plan_in_the_readme_is_one():
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    configs, left_out = Plan.of(tomllib.loads(block)).runs()
    assert len(configs) == 2 * 2 * 3
    assert left_out == []
