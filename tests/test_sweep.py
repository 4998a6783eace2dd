"""Sweeps: what a plan says is run, kept as lines, not run again, and put in a table."""

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers import assert_same

from metademo import __version__, checkpoints
from metademo.described import ConfigError
from metademo.evaluation import evaluate
from metademo.figures import Cell, sweep_figure
from metademo.recipes import configure
from metademo.sweep import run as sweep
from metademo.sweep.file import Lines
from metademo.sweep.plan import Plan
from metademo.sweep.run import carry_out_plan, train_and_score
from metademo.sweep.table import interval, table, table_of
from metademo.training import MetaTrainer
from metademo.workers import Where

TINY = dict(hidden=4, steps=3, meta_batch=2, inner_steps=2)
DOCUMENT = dict(
    algorithms=["maml", "reptile"],
    families=["two-phase"],
    seeds=2,
    tasks=5,
    settings=TINY,
    vary=dict(inner_lr=[0.01, 0.03]),
)
HERE = Where(1)


def plan(**changes):
    return Plan.of(DOCUMENT | changes)


def carried_out(some, out, **options):
    """The outcome, and what was said."""
    said = []
    return carry_out_plan(some, out, **({"where": HERE, "say": said.append} | options)), said


# What is to be run


def test_a_plan_is_each_algorithm_with_each_value_and_seed():
    configs, left_out = plan().runs()
    assert left_out == []
    found = [(c.algorithm, c.inner_lr, c.seed) for c in configs]
    rates = (0.01, 0.03)
    assert found == [(a, r, s) for a in ("maml", "reptile") for r in rates for s in (0, 1)]
    assert configs[0] == configure("maml", "two-phase", "fast", inner_lr=0.01, **TINY)


def test_seeds_go_on_from_the_first_one():
    configs, _ = plan(settings=TINY | {"seed": 7}).runs()
    assert {config.seed for config in configs} == {7, 8}


def test_a_value_that_stands_there_twice_is_run_once():
    twice = plan(algorithms=["maml", "maml"], vary=dict(hidden=[4, 4, 8]), settings={"steps": 3})
    assert [config.hidden for config in twice.runs()[0]] == [4, 4, 8, 8]


def test_what_does_not_go_together_is_left_out_with_a_reason():
    configs, left_out = plan(algorithms=["maml", "daml"], families=["two-phase", "finn"]).runs()
    assert {(c.algorithm, c.family) for c in configs} == {
        ("maml", "two-phase"),
        ("daml", "two-phase"),
        ("maml", "finn"),
    }
    assert left_out == ["daml needs a family with a source domain, and finn has none"]
    with pytest.raises(ConfigError, match=r"nothing is left to run: daml needs"):
        plan(algorithms=["daml"], families=["finn"]).runs()


BAD = {
    "an unknown key": (dict(algorithm=["maml"]), "algorithm is not known in a plan"),
    "no list": (dict(algorithms="maml"), "algorithms must be a list"),
    "an empty list": (dict(families=[]), "families must be a list"),
    "an unknown algorithm": (dict(algorithms=["mammal"]), "algorithms 'mammal' is not known"),
    "no name": (dict(families=[["finn"]]), "families must be a list"),
    "an unknown recipe": (dict(recipe="slow"), "recipe 'slow' is not known"),
    "seeds": (dict(seeds=0), "seeds must be from 1 to 1,000, not 0"),
    "tasks": (dict(tasks=1.5), "tasks must be a whole number, not 1.5"),
    "no table": (dict(settings=3), "settings must be a table"),
    "an unknown setting": (dict(settings={"colour": 3}), "colour is not a setting"),
    "an unknown setting that varies": (dict(vary={"colour": [3]}), "colour is not a setting"),
    "one value": (dict(vary={"shots": 3}), "shots must be a list"),
    "seeds that vary": (dict(vary={"seed": [3]}), "seed is counted by seeds"),
    "both": (dict(vary={"hidden": [3]}), "hidden can't both have one value and vary"),
    "an algorithm": (dict(settings={"algorithm": "maml"}), "algorithm has a list of its own"),
    "a value": (dict(settings={"hidden": "wide"}), "hidden must be a whole number, not 'wide'"),
    "a value that varies": (dict(vary={"inner_lr": [0.1, 11]}), "inner_lr must be from 0 to 10"),
    "too many": (dict(seeds=1000, vary={"inner_lr": [n / 1e3 for n in range(99)]}), "198,000 runs"),
}


@pytest.mark.parametrize(("changes", "words"), BAD.values(), ids=BAD)
def test_a_plan_that_can_t_be_is_refused_in_a_line(changes, words):
    with pytest.raises(ConfigError) as fault:
        plan(**changes).runs()
    assert words in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("key", ["algorithms", "families"])
def test_a_plan_needs_algorithms_and_families(key):
    with pytest.raises(ConfigError, match=f"{key} are missing: choose from "):
        Plan.of({name: value for name, value in DOCUMENT.items() if name != key})


# Its file


def test_each_run_is_a_line_with_what_it_was_and_how_it_does(tmp_path):
    out = tmp_path / "deep" / "runs.jsonl"
    outcome, said = carried_out(plan(), out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == len(outcome.runs) == 8
    assert [run.config for run in outcome.runs] == plan().runs()[0]
    line = next(a for a in lines if a["config"]["algorithm"] == "reptile" and a["seed"] == 1)
    config = configure("reptile", "two-phase", "fast", seed=1, **TINY)
    config = config.changed(inner_lr=line["config"]["inner_lr"])
    assert line["config"] == config.to_dict()
    assert (line["version"], line["ending"], line["steps"]) == (__version__, "finished", 3)
    trainer = MetaTrainer(config)
    trainer.advance(3)
    true = evaluate(config.learner, trainer.meta, config.task_family, steps=2, tasks=5)
    assert line["scores"]["mean"] == pytest.approx(true.mean, abs=1e-6)
    assert line["scores"]["ci95"] == pytest.approx(true.ci95, abs=1e-6)
    assert len(said) == 8
    assert all(f"{n}/8 " in text for n, text in enumerate(said, 1))


def test_two_processes_find_what_one_does(tmp_path):
    alone, _ = carried_out(plan(), tmp_path / "1.jsonl")
    together, _ = carried_out(plan(), tmp_path / "2.jsonl", where=Where(2))
    assert [run.scores for run in together.runs] == [run.scores for run in alone.runs]


@pytest.fixture
def counted(monkeypatch):
    """The configs of all runs that are carried out."""
    ran = []

    def work(config, tasks):
        ran.append(config)
        return train_and_score(config, tasks)

    monkeypatch.setattr(sweep, "train_and_score", work)
    return ran


def test_what_has_its_line_is_not_run_again(tmp_path, counted):
    out = tmp_path / "runs.jsonl"
    first, _ = carried_out(plan(vary={}), out)
    assert len(counted) == 4
    more, said = carried_out(plan(vary={}, seeds=3), out)
    assert [config.seed for config in counted[4:]] == [2, 2]
    assert said[0] == f"4 of 6 runs are in {out} already"
    assert [run for run in more.runs if run.seed < 2] == first.runs
    carried_out(plan(vary={}, tasks=6), out)  # scored on others
    assert len(counted) == 10


@pytest.mark.parametrize("cut", [1, 5, 30, 700])
def test_a_line_that_was_cut_short_is_run_again(cut, tmp_path, counted):
    out = tmp_path / "runs.jsonl"
    carried_out(plan(vary={}), out)
    whole = out.read_bytes()
    *_, last = whole.splitlines(keepends=True)
    out.write_bytes(whole[: -len(last) + min(cut, len(last) - 1)])
    outcome, _ = carried_out(plan(vary={}), out)
    assert len(counted) == 5
    assert len(outcome.runs) == 4
    again = out.read_bytes()
    assert again.startswith(whole[: -len(last)])
    assert [json.loads(line)["steps"] for line in again.splitlines()] == [3] * 4


@pytest.mark.parametrize("text", ["# Notes\n", "# Notes", '{"version": "1"}\nno line\n'])
def test_a_file_of_something_else_stays_as_it_is(text, tmp_path):
    out = tmp_path / "notes.md"
    out.write_text(text)
    with pytest.raises(ValueError, match=r"notes\.md is no file of a sweep \(line \d\)"):
        carried_out(plan(), out)
    assert out.read_text() == text


def test_lines_of_another_version_stay_and_are_not_used(tmp_path):
    out = tmp_path / "runs.jsonl"
    out.write_text('{"version": "99", "config": {"warp": 9}}\n')
    outcome, said = carried_out(plan(vary={}), out)
    assert len(outcome.runs) == 4
    assert said[0] == f"1 lines of {out} are of another version, and not used"
    assert out.read_text().startswith('{"version": "99", "config": {"warp": 9}}\n')


def test_a_line_is_on_the_disk_before_the_next_run_begins(tmp_path, monkeypatch):
    out, seen = tmp_path / "runs.jsonl", []

    def work(config, tasks):
        seen.append(out.read_bytes().count(b"\n"))
        return train_and_score(config, tasks)

    monkeypatch.setattr(sweep, "train_and_score", work)
    carried_out(plan(vary={}), out)
    assert seen == [0, 1, 2, 3]


def test_the_file_reads_what_it_wrote(tmp_path):
    run, _ = train_and_score(configure("maml", "any-phase", "fast", **TINY), 5)
    with Lines(tmp_path / "runs.jsonl") as lines:
        lines.append(run)
    with Lines(tmp_path / "runs.jsonl") as lines:
        assert lines.runs == {(run.config, 5): run}


# What goes wrong


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_two_sweeps_at_once_on_one_file_are_prevented(tmp_path, counted):
    out = tmp_path / "runs.jsonl"
    with Lines(out), pytest.raises(OSError, match=r"another sweep is writing .*runs\.jsonl: "):
        carried_out(plan(), out)
    assert not counted
    assert out.read_bytes() == b""
    carried_out(plan(), out)
    assert len(counted) == 8


def test_a_run_that_diverged_is_kept_as_such_and_not_run_again(tmp_path, counted):
    wild = dict(hidden=4, steps=300, inner_lr=10.0, outer_lr=10.0, support_loss="mse")
    some = plan(recipe="original", algorithms=["maml"], seeds=1, vary={}, settings=wild)
    for _ in range(2):
        (run,), _, failed = carried_out(some, tmp_path / "runs.jsonl")[0]
        assert run.ending.startswith("diverged (the ")
        assert 0 <= run.steps < 300
        assert not failed
    assert len(counted) == 1
    report = table_of(some, carried_out(some, tmp_path / "runs.jsonl")[0], "runs.jsonl")
    assert report.rows[0].diverged == 1
    assert "scored as it was after its last good step" in table(report)


def test_a_run_that_fails_is_said_and_the_others_go_on(tmp_path, monkeypatch):
    def work(config, tasks):
        if (config.algorithm, config.seed) == ("maml", 1):
            raise RuntimeError("out of luck")
        return train_and_score(config, tasks)

    monkeypatch.setattr(sweep, "train_and_score", work)
    outcome, said = carried_out(plan(vary={}), tmp_path / "runs.jsonl")
    assert len(outcome.runs) == 3
    assert outcome.failed == ["maml on two-phase, seed 1 failed: RuntimeError: out of luck"]
    assert sum("out of luck" in text for text in said) == 1
    monkeypatch.setattr(sweep, "train_and_score", train_and_score)
    assert len(carried_out(plan(vary={}), tmp_path / "runs.jsonl")[0].runs) == 4


def test_weights_are_kept_and_a_run_without_them_is_run_again(tmp_path, counted):
    some, folder = plan(algorithms=["maml"], seeds=1), tmp_path / "kept"
    carried_out(some, tmp_path / "runs.jsonl", weights=folder)
    names = [f"maml-two-phase-inner_lr={rate}-seed0.safetensors" for rate in (0.01, 0.03)]
    assert sorted(path.name for path in folder.iterdir()) == names
    config = some.runs()[0][1]
    kept, trainer = checkpoints.load(folder / names[1]), MetaTrainer(config)
    trainer.advance(3)
    assert kept.config == config
    assert_same(kept.meta, trainer.meta)
    (folder / names[0]).unlink()
    carried_out(some, tmp_path / "runs.jsonl", weights=folder)
    assert [config.inner_lr for config in counted[2:]] == [0.01]
    other = replace(some, settings=TINY | {"steps": 4})
    with pytest.raises(ValueError, match="holds weights of another run: choose another folder"):
        carried_out(other, tmp_path / "runs.jsonl", weights=folder)


# Its table


def _t95(degrees):
    """The quantile of Student's t, by integrating its density as far as it takes."""
    t = np.linspace(0, 14, 1_400_001)
    density = (1 + t**2 / degrees) ** (-(degrees + 1) / 2)
    density *= math.gamma((degrees + 1) / 2) / math.gamma(degrees / 2) / np.sqrt(degrees * np.pi)
    return t[np.searchsorted(np.cumsum(density) * (t[1] - t[0]), 0.475)]


@pytest.mark.parametrize("seeds", [2, 3, 5, 11, 31, 32, 60])
def test_the_interval_is_student_s(seeds):
    values = np.random.default_rng(0).normal(size=seeds)
    half = _t95(seeds - 1) * values.std(ddof=1) / np.sqrt(seeds)
    assert interval(values.tolist()) == pytest.approx(half, rel=2e-3)


def test_an_interval_of_what_ran_away_is_infinite():
    assert interval([0.5, math.inf]) == math.inf


def test_a_row_is_over_seeds_and_of_one_seed_over_tasks(tmp_path):
    outcome, _ = carried_out(plan(), tmp_path / "runs.jsonl")
    report = table_of(plan(), outcome, "runs.jsonl")
    assert [(row.algorithm, row.varied) for row in report.rows] == [
        (a, {"inner_lr": r}) for a in ("maml", "reptile") for r in (0.01, 0.03)
    ]
    row, runs = report.rows[2], outcome.runs[4:6]
    ends = [run.scores.mean[-1] for run in runs]
    assert row.seeds == (0, 1)
    assert row.of_each_seed == tuple(ends)
    assert row.mean[-1] == pytest.approx(np.mean(ends))
    assert row.ci95[-1] == pytest.approx(interval(ends))
    text = table(report)
    assert "two-phase: l1 error against the true wave, 5 held-out tasks" in text
    assert len([line for line in text.splitlines() if line.startswith("  maml ")]) == 2
    run = outcome.runs[0]
    single = table_of(plan(), outcome._replace(runs=[run]), "runs.jsonl")
    assert single.rows[0].ci95 == run.scores.ci95


def test_the_figure_has_a_panel_a_family_and_a_dot_a_run():
    cells = [Cell("inner_lr 0.01", 0.5, 0.1, (0.4, 0.6)), Cell("inner_lr 10", *[math.inf] * 2, ())]
    figure = sweep_figure({"two-phase": {"maml": cells}, "finn": {"maml": cells, "anil": cells}})
    bars = [trace for trace in figure.data if trace.type == "bar"]
    dots = [trace for trace in figure.data if trace.type == "scatter"]
    assert [trace.name for trace in bars] == ["maml", "maml", "anil"]
    assert [trace.showlegend for trace in bars] == [True, False, True]
    assert bars[0].y == (0.5, None)
    assert bars[0].error_y.array == (0.1, None)
    assert dots[0].y == (0.4, 0.6)
    assert len(figure.layout.annotations) == 2
