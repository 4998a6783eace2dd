"""The benchmark's table: what it trains, keeps, counts as diverged and is held to."""

import json
from dataclasses import replace

import numpy as np
import pytest
from commands import as_json
from helpers import COMPILED, assert_same
from pydantic import Field

from metademo import checkpoints, reproduce, reproduced
from metademo.algorithms import ALGORITHMS, YARDSTICKS, Conditioned
from metademo.command_line import main
from metademo.command_line import reproduce as command
from metademo.command_line.reproduce import Extent
from metademo.evaluation import evaluate
from metademo.reports import Place, Table
from metademo.reproduce import ROWS, diverged, errors_of, summary, trained
from metademo.tasks import FAMILIES
from metademo.workers import Where, carry_out

LABELLED = {
    name
    for name, row in ALGORITHMS.items()
    if not row.unlabelled and not row.unsuited(FAMILIES["finn"])
}
TINY = dict(hidden=4, steps=3)


class Little(Extent):
    """As much as a test has time for."""

    tasks: int = Field(6, ge=2, le=10, title="tasks", description="Held-out tasks of each seed.")


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """The same rows, trained for next to nothing, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    rows = tuple(replace(row, changes=row.changes | TINY) for row in ROWS)
    monkeypatch.setattr(reproduce, "ROWS", rows)
    monkeypatch.setattr(command, "Extent", Little)
    return rows


def test_each_algorithm_for_labelled_points_and_each_yardstick_has_a_row():
    yardsticks = {n for n, kind in YARDSTICKS.items() if not kind.unsuited(FAMILIES["finn"])}
    assert {row.algorithm for row in ROWS} == LABELLED | yardsticks
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_maml_is_trained_as_published():
    """Finn et al. 2017, section 5.1 and their code."""
    (row,) = (row for row in ROWS if row.name == "maml")
    config = row.config(1)
    published = dict(hidden=40, initialisation="truncated-normal", activation="relu", loss="mse")
    published |= dict(support_loss=None, learned_loss="absolute", intermediate_weight=0.0)
    published |= dict(
        inner_steps=1, inner_lr=0.01, step_size="fixed", shots=10, queries=10, meta_batch=25
    )
    published |= dict(fewest_shots=None, ways=None)
    published |= dict(steps=70_000, optimizer="adam", outer_lr=1e-3, schedule="constant")
    published |= dict(clip=None, skips=0, seed=1, family="finn", algorithm="maml", warmup=0.0)
    assert config.to_dict() == published


def test_all_rows_have_the_same_loss_and_those_that_move_weights_the_same_network():
    for row in ROWS:
        config = row.config(0)
        assert (config.loss, config.family) == ("mse", "finn")
        if row.algorithm in COMPILED or not row.trained:
            assert config.hidden == 40


def test_a_row_whose_steps_are_points_says_so():
    for row in ROWS:
        points = issubclass((ALGORITHMS | YARDSTICKS)[row.algorithm], Conditioned)
        assert ("points seen in place of steps" in row.title) == points
        assert (reproduce.POINTS_SEEN in row.note) == points


def test_a_task_has_diverged_if_it_is_far_worse_than_before_the_first_step():
    before = [3.0, 0.1, 1.0, 1.0, 4.9]  # 2 on average
    after = [29.0, 19.0, 21.0, np.nan, 50.0]
    gone = diverged(np.array([before, after, [np.inf] * 5]))
    assert gone.tolist() == [[False] * 5, [False, False, True, True, True], [True] * 5]


def test_the_summary_of_a_row_by_hand():
    rng = np.random.default_rng(0)
    errors = [rng.uniform(1, 2, (11, 4)) for _ in range(2)]
    errors[1][5, 2] = 1000.0
    result = summary(errors)
    assert list(result) == [0, 1, 5, 10]
    pooled = np.concatenate([e[5] for e in errors])
    place = result[5]
    assert place.mean == pytest.approx(pooled.mean(), rel=1e-3)
    assert place.ci95 == pytest.approx(1.96 * pooled.std(ddof=1) / np.sqrt(8), rel=1e-3)
    assert place.median == pytest.approx(np.median(pooled), rel=1e-3)
    assert place.diverged == 1 / 8
    assert place.mean_of_each_seed == pytest.approx([e[5].mean() for e in errors], rel=1e-3)


@pytest.mark.parametrize("gone", [np.inf, np.nan])
def test_what_is_not_finite_is_null_and_the_median_stands(gone):
    errors = np.ones((11, 5))
    errors[10, 3] = gone
    place = summary([errors])[10]
    assert (place.mean, place.ci95, place.median) == (np.inf, np.inf, 1.0)
    assert place.diverged == 0.2
    written = json.loads(place.to_json())
    assert (written["mean"], written["ci95"], written["median"]) == (None, None, 1.0)
    assert Place.model_validate_json(place.to_json()) == place


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ((0.6589, 0.02774, 0.4123, 0.0), "0.659 ± 0.0277 (median 0.412)"),
        ((None, None, 0.2312, 0.005667), "diverges (median 0.231), 0.57 % of tasks"),
        ((1.8e35, 3e35, 0.2312, 0.3843), "diverges (median 0.231), 38 % of tasks"),
        ((None, None, None, 1.0), "diverges"),
        ((7.405, 13.36, 0.24, 1 / 3000), "7.41 ± 13.4 (median 0.24), 0.033 % diverge"),
        ((1234.5, 999.7, 0.24, 0.1), "1,234 ± 1,000 (median 0.24), 10 % diverge"),
        ((5.01e-14, 2e-15, 3.28e-14, 0.0), "< 1e-6"),
        ((0.0, 0.0, 0.0, 0.0), "0"),
        ((1.917e-6, 1.153e-7, 1.07e-6, 0.0), "1.92e-6 ± 1.15e-7 (median 1.07e-6)"),
        ((1.106e-6, 3.94e-7, 2.3e-8, 0.0), "1.11e-6 ± 3.94e-7 (median < 1e-6)"),
    ],
)
def test_a_place_in_the_table_is_in_plain_words(entry, text):
    mean, ci95, median, share = entry
    place = Place(mean=mean, ci95=ci95, median=median, diverged=share, mean_of_each_seed=())
    assert reproduced.cell(place) == text


def test_the_committed_table_has_no_sign_that_must_be_learned_first():
    report = reproduced.committed()
    cells = [
        text
        for shots in reproduce.SHOTS
        for row in reproduced.records(report, shots)
        for name, text in row.items()
        if "step" in name
    ]
    assert len(cells) == 3 * 3 * len(report.rows)
    for word in ("inf", "nan", "!", "e+", "e-1"):
        assert not [text for text in cells if word in text], word
    printed = reproduced.table(report)
    assert "inf" not in printed.split("held to")[1]
    assert "e-14" not in printed
    assert all(line == line.rstrip() for line in printed.splitlines())


def test_what_was_published_says_for_which_steps():
    rows = reproduced.records(reproduced.committed(), 5)
    published = {row["way of learning"]: row["published"] for row in rows}
    assert published["MAML as published"] == "0.67 / 0.38 / 0.35"
    assert published["MAML, trained for 5 steps on 5 points"] == "- / 0.38 / 0.35"
    assert published["not trained"] == ""


def test_claims_that_came_out_infinite_are_still_json():
    written = json.loads(reproduced.COMMITTED.read_text())
    for row in written["rows"]:
        row["errors"]["5"]["1"]["mean"] = None
    report = Table.model_validate_json(json.dumps(written))
    report = report.model_copy(update={"claims": reproduce.claims(report.rows)})
    claims = as_json(report.to_json() + "\n")["claims"]
    assert any(claim["value"] is None and not claim["holds"] for claim in claims)
    assert "diverges" in reproduced.table(report).split("held to")[1]


def test_the_committed_report_is_written_as_it_was_read():
    assert reproduced.committed().to_json(indent=1) + "\n" == reproduced.COMMITTED.read_text()


def _without(*keys):
    """The committed report without what stands behind these keys."""
    written = json.loads(reproduced.COMMITTED.read_text())
    place = written
    for key in keys[:-1]:
        place = place[key]
    del place[keys[-1]]
    return json.dumps(written)


@pytest.mark.parametrize(
    "keys",
    [
        ("conditions", "command"),
        ("conditions", "shots"),
        ("rows", 3, "title"),
        ("rows", 3, "errors", "20"),
        ("rows", 3, "errors", "10", "5"),
        ("rows", 3, "errors", "5", "0", "median"),
        ("claims", 0, "holds"),
        ("claims",),
    ],
    ids=lambda keys: ".".join(map(str, keys)),
)
def test_a_report_that_lacks_anything_is_not_shown(keys, tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    path.write_text(_without(*keys))
    monkeypatch.setattr(reproduced, "COMMITTED", path)
    assert reproduced.committed() is None


def test_a_run_is_kept_and_read_again_unless_its_settings_have_changed(tiny, tmp_path):
    said = []
    row = next(row for row in tiny if row.name == "maml")
    first = trained(row, 2, tmp_path, said.append)
    again = trained(row, 2, tmp_path, said.append)
    assert len(said) == 1
    assert all((again.meta[name] == value).all() for name, value in first.meta.items())
    assert checkpoints.load(tmp_path / "maml-seed2.safetensors").config == row.config(2)
    trained(replace(row, changes=row.changes | {"steps": 4}), 2, tmp_path, said.append)
    assert len(said) == 2
    (tmp_path / "maml-seed2.safetensors").write_text("damaged")
    trained(row, 2, tmp_path, said.append)
    assert len(said) == 3


def _keys(document):
    """The keys of a report and of all that is in it, in their order, but for settings' names."""
    if isinstance(document, dict):
        return [(key, _keys(value)) for key, value in document.items() if key != "config"]
    if isinstance(document, list):
        return [_keys(item) for item in document if isinstance(item, dict)]
    return None


def test_the_command_trains_scores_and_reports(tiny, tmp_path, capsys):
    arguments = ["reproduce", "--seeds", "2", "--tasks", "6", "--runs", "kept", "--out", "r.json"]
    assert main([*arguments, "--json"]) == 0
    printed, said = capsys.readouterr()
    report = as_json(printed)
    written = (tmp_path / "r.json").read_text()
    assert report == json.loads(written)
    assert Table.model_validate_json(written).to_json(indent=1) + "\n" == written
    committed = json.loads(reproduced.COMMITTED.read_text())
    names = {row["name"] for row in committed["rows"]}
    known = [row for row in report["rows"] if row["name"] in names]
    assert _keys(report | {"rows": known}) == _keys(committed)
    assert said.count("trained ") == 2 * len([row for row in tiny if row.trained])
    assert [row["name"] for row in report["rows"]] == [row.name for row in ROWS]
    conditions = report["conditions"]
    assert conditions["training_seeds"] == [0, 1]
    assert conditions["held_out_tasks_per_seed"] == 6
    for row in report["rows"]:
        assert set(row["errors"]) == {"5", "10", "20"}
    oracle, maml = (
        next(row for row in report["rows"] if row["name"] == n) for n in ("oracle", "maml")
    )
    assert oracle["errors"]["5"]["1"]["mean"] < 1e-6
    assert maml["config"]["steps"] == 3
    family = reproduce.FAMILIES["finn"]
    saved = [checkpoints.load(tmp_path / f"kept/maml-seed{seed}.safetensors") for seed in (0, 1)]
    means = [
        evaluate(
            one.config.learner, one.meta, family, shots=20, steps=5, tasks=6, seed=seed,
            every=4,
        ).mean[5]
        for seed, one in enumerate(saved)
    ]  # fmt: skip
    assert maml["errors"]["20"]["5"]["mean_of_each_seed"] == pytest.approx(means, rel=1e-3)

    assert main(arguments) == 0  # nothing is left to train
    printed, said = capsys.readouterr()
    assert "trained " not in said
    lines = printed.splitlines()
    assert {"5-shot", "10-shot", "20-shot", "held to"} <= set(lines)
    assert any(line.split()[0] == "maml" and "[0.67]" in line for line in lines[:20] if line)
    assert "the seed that ships" in printed

    assert main([*arguments, "--seeds", "1"]) == 0  # without the seed that ships
    assert "the seed that ships" not in capsys.readouterr().out


def test_the_command_keeps_to_one_process_if_told(tiny, monkeypatch, capsys):
    """Another process would find the function as it was, and leave nothing here."""
    scored = []

    def noted(row, *rest):
        scored.append(row.name)
        return errors_of(row, *rest)

    monkeypatch.setattr(reproduce, "errors_of", noted)
    assert main(["reproduce", "--seeds", "1", "--tasks", "6", "--processes", "1"]) == 0
    assert sorted(scored) == sorted(row.name for row in tiny)


def test_processes_side_by_side_find_what_one_alone_does(tiny, tmp_path, monkeypatch):
    """To the last bit, and what one says is heard here."""
    rows = [row for row in tiny if row.name in ("oracle", "maml", "best")]
    monkeypatch.setattr(reproduce, "ROWS", rows)
    monkeypatch.setattr(reproduce, "claims", lambda rows: ())
    said = []
    options = dict(seeds=2, tasks=6, say=said.append)
    list(carry_out(abs, [1, 2], Where(2)))  # processes that are not at work where this one is next
    (tmp_path / "next").mkdir()
    monkeypatch.chdir(tmp_path / "next")
    report = reproduce.run(**options, folder="../two", where=Where(2))
    for row, found in zip(rows, report.rows, strict=True):
        alone = [errors_of(row, seed, 6, tmp_path / "one", print) for seed in (0, 1)]
        for shots in reproduce.SHOTS:
            assert found.errors[shots] == summary([errors[shots] for errors in alone])
    assert sum(line.startswith("trained maml, seed ") for line in said) == 2
    assert len(said) == 5
    names = sorted(path.name for path in (tmp_path / "two").iterdir())
    assert names == [
        f"{name}-seed{seed}.safetensors" for name in ("best", "maml") for seed in (0, 1)
    ]
    for name in names:
        one, two = (checkpoints.load(tmp_path / folder / name) for folder in ("one", "two"))
        assert_same(one.meta, two.meta)


def test_a_run_that_fails_is_named_after_the_others_are_kept(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(reproduce, "ROWS", [row for row in tiny if row.trained])
    (tmp_path / "anil-seed0.safetensors").mkdir()  # in the way
    with pytest.raises(ValueError, match=r"^anil, seed 0: .* is a folder"):
        reproduce.run(seeds=1, tasks=6, folder=tmp_path, say=print, where=Where(1))
    names = {path.name for path in tmp_path.iterdir()}
    assert {f"{row.name}-seed0.safetensors" for row in reproduce.ROWS} <= names


@pytest.mark.parametrize("options", [("--seeds", "0"), ("--tasks", "10"), ("--processes", "0")])
def test_too_few_seeds_tasks_or_processes_are_refused(options, capsys):
    assert main(["reproduce", *options]) == 2
    assert f"{options[0][2:]} must be from " in capsys.readouterr().err
