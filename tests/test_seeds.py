"""Many seeds by one command."""

import json

import pytest
from helpers import small

from metademo import seeds
from metademo.command_line import main
from metademo.evaluation import evaluate
from metademo.training import MetaTrainer

TINY = ["--recipe", "original", "--hidden", "4", "--steps", "5"]


def test_each_seed_is_a_run_of_its_own_on_the_same_tasks():
    config = small("maml", steps=5, seed=3)
    reports = seeds.run(config, 2).runs
    assert [report.seed for report in reports] == [3, 4]
    trainer = MetaTrainer(config)
    trainer.advance(5)
    mean = evaluate(config.learner, trainer.meta, config.task_family).mean
    assert reports[0].mean == pytest.approx(mean, abs=1e-6)
    assert reports[1].mean != reports[0].mean
    assert not any(report.fault for report in reports)


def test_the_command_prints_a_line_a_seed_and_saves_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "daml", "--family", "any-phase", *TINY, "--seeds", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "daml on any-phase: l1 error" in lines[0]
    assert [line.split()[0] for line in lines[2:]] == ["0", "1", "2"]
    assert main(["train", "daml", "--family", "any-phase", *TINY, "--seeds", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["runs"][0]["mean"]) == 6
    assert not list(tmp_path.iterdir())


def test_a_run_that_diverges_is_told(capsys):
    wild = ["--outer-lr", "10", "--inner-lr", "10", "--support-loss", "mse", "--steps", "500"]
    assert main(["train", "maml", "--family", "any-phase", *TINY[:4], *wild, "--seeds", "2"]) == 1
    assert "diverged (the " in capsys.readouterr().out


def test_a_number_of_seeds_that_can_t_be_is_refused(capsys):
    assert main(["train", "maml", "--family", "any-phase", *TINY, "--seeds", "0"]) == 2
    assert "--seeds must be from 1 to 1,000, not 0" in capsys.readouterr().err
