"""`train`: what it writes and reports, and what it refuses before the work."""

import errno
import json
import os
import re
from pathlib import Path

import pytest
from commands import BAND_KEYS, SCORE_KEYS, SIGN_KEYS, TINY, as_json, complaint, run, train
from helpers import PAIRS, assert_same, checkpoint_of, small

from metademo import checkpoints
from metademo.command_line import main, parser
from metademo.command_line import train as train_command
from metademo.command_line.arguments import option
from metademo.command_line.train import config_of
from metademo.described import described
from metademo.recipes import RECIPES
from metademo.settings import TrainConfig
from metademo.training import MetaTrainer

BAD_TRAININGS = {
    "unknown algorithm": (["magic", "--family", "two-phase"], "'magic'"),
    "no algorithm": (["--family", "two-phase"], "algorithm"),
    "unknown family": (["maml", "--family", "square"], "'square'"),
    "no family": (["maml"], "--family"),
    "unknown recipe": (["maml", "--family", "two-phase", "--recipe", "slow"], "'slow'"),
}
BAD_SETTINGS = {
    "steps zero": ("--steps=0", "--steps must be from 1 to 100,000,000"),
    "steps negative": ("--steps=-5", "--steps must be from 1 to 100,000,000"),
    "steps a fraction": ("--steps=1.5", "--steps: must be a whole number, not '1.5'"),
    "steps NaN": ("--steps=nan", "--steps: must be a whole number, not 'nan'"),
    "steps too many": ("--steps=100000001", "--steps must be from 1 to 100,000,000"),
    "steps beyond floats": ("--steps=1" + "0" * 400, "--steps must be from 1 to 100,000,000"),
    "steps beyond integers": (
        "--steps=1" + "0" * 5000,
        "--steps: must be a whole number",
    ),
    "seed negative": ("--seed=-1", "--seed must be from 0 to"),
    "seed huge": ("--seed=9223372036854775808", "--seed must be from 0 to"),
    "seed in words": ("--seed=lucky", "'lucky'"),
    "hidden zero": ("--hidden=0", "--hidden must be from 1 to 512"),
    "hidden huge": ("--hidden=100000", "--hidden must be from 1 to 512"),
    "inner steps negative": ("--inner-steps=-1", "--inner-steps must be from 0 to 100"),
    "inner steps too many": ("--inner-steps=101", "--inner-steps must be from 0 to 100"),
    "inner rate negative": ("--inner-lr=-0.1", "--inner-lr must be from 0 to 10"),
    "inner rate NaN": ("--inner-lr=nan", "--inner-lr must be from 0 to 10, not nan"),
    "outer rate infinite": ("--outer-lr=inf", "--outer-lr must be from 0 to 10, not inf"),
    "outer rate in words": ("--outer-lr=fast", "'fast'"),
    "shots zero": ("--shots=0", "--shots must be from 1 to 1,000"),
    "queries zero": ("--queries=0", "--queries must be from 1 to 1,000"),
    "meta-batch huge": ("--meta-batch=1000000", "--meta-batch must be from 1 to 4,096"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("algorithm", "family"), PAIRS)
def test_train_writes_a_checkpoint_and_reports_it(algorithm, family, capsys):
    report = train(capsys, algorithm, family, "--out", "w.safetensors", "--seed", "5")
    assert list(report) == ["file", "ending", "engine", "steps", "seconds", "scores", "config"]
    assert (report["file"], report["ending"], report["steps"]) == ("w.safetensors", "finished", 3)
    expected = (SCORE_KEYS, SCORE_KEYS + BAND_KEYS) if family != "glyphs" else (SIGN_KEYS,)
    assert list(report["scores"]) in expected
    saved = checkpoints.load("w.safetensors")
    assert saved.config.to_dict() == report["config"]
    assert json.loads(json.dumps(saved.scores.to_dict())) == report["scores"]
    assert (saved.config.algorithm, saved.config.family) == (algorithm, family)
    assert (saved.config.seed, saved.config.hidden, saved.steps) == (5, 4, 3)
    trainer = MetaTrainer(saved.config)
    list(trainer.run())
    assert_same(saved.meta, trainer.meta)


@pytest.mark.parametrize("recipe", RECIPES)
def test_train_follows_the_recipe(recipe, capsys):
    config = train(capsys, "maml", "two-phase", "--recipe", recipe)["config"]
    asked = dict(hidden=4, steps=3, inner_steps=2)
    assert {name: config[name] for name in RECIPES[recipe].settings if name not in asked} == {
        name: value for name, value in RECIPES[recipe].settings.items() if name not in asked
    }
    assert {name: config[name] for name in asked} == asked


def test_train_takes_the_fast_recipe_and_a_telling_name_by_default(capsys):
    report = train(capsys)
    assert report["file"] == "maml-two-phase.safetensors"
    assert report["config"]["optimizer"] == RECIPES["fast"].settings["optimizer"]
    assert Path(report["file"]).is_file()


OTHERS = dict(clip=0.5, warmup=0.25, seed=8, inner_steps=3, loss="mse", support_loss="mse")


@pytest.mark.parametrize("setting", described(TrainConfig).values(), ids=described(TrainConfig))
def test_every_setting_is_an_option_that_says_what_it_takes_and_arrives(
    setting, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "1000")
    made = parser()
    with pytest.raises(SystemExit):
        made.parse_args(["train", "--help"])
    told = capsys.readouterr().out
    family = "glyphs" if setting.name == "ways" else "two-phase"
    needed = ["train", "maml", "--family", family]
    if setting.name in ("algorithm", "family"):
        config = config_of(made.parse_args(needed))
        assert (config.algorithm, config.family) == ("maml", family)
        return
    flag = option(setting.name)
    assert f"{setting.title}: " in told
    assert f"{flag} " in told
    if setting.numeric:
        assert setting.range.capitalize() in told
        value = setting.kind(OTHERS.get(setting.name, setting.low + 1))
    else:
        value = OTHERS.get(setting.name, [*setting.choices][-1])
    config = config_of(made.parse_args([*needed, f"{flag}={value}"]))
    assert getattr(config, setting.name) == value
    if setting.optional:
        config = config_of(made.parse_args([*needed, f"{flag}=none"]))
        assert getattr(config, setting.name) is None


def test_every_setting_of_train_arrives(capsys):
    options = dict(shots=3, queries=5, meta_batch=2, inner_lr=0.02, outer_lr=0.003, seed=8)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    config = train(capsys, "maml", "any-phase", *flags)["config"]
    assert {name: config[name] for name in options} == options


def test_the_same_seed_writes_the_same_file(capsys):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(capsys, "maml", "two-phase", "--seed", str(seed), "--out", name)
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
    train(capsys, "maml", "two-phase", "--seed", "1")
    train(capsys, "maml", "two-phase", "--seed", "2", "--force")
    assert checkpoints.load("maml-two-phase.safetensors").config.seed == 2


def test_a_run_that_diverges_saves_its_last_good_weights(capsys):
    options = ["--steps", "300", "--inner-lr", "10", "--inner-steps", "20", "--recipe", "original"]
    report = train(capsys, "maml", "any-phase", *options, "--outer-lr", "10", code=1)
    assert re.search(r"^diverged \(the .* became .* at outer step", report["ending"])
    saved = checkpoints.load(report["file"])
    assert saved.steps == report["steps"] < 300


def test_what_is_not_finite_is_null_in_json(capsys):
    options = ["--inner-lr", "10", "--inner-steps", "10", "--hidden", "32"]
    report = train(capsys, "maml", "any-phase", *options, code=1)
    assert report["steps"] == 0
    assert report["scores"]["mean"][0] < 1
    assert report["scores"]["mean"][10] is None
    saved = checkpoints.load(report["file"])
    assert saved.scores.mean[10] == float("inf")


def test_numbers_that_ran_away_keep_the_columns(folder, capsys):
    """Of a learner that diverges, all errors are huge or infinite."""
    config = small("maml", "any-phase", hidden=32, inner_lr=10.0, inner_steps=10, loss="mse")
    checkpoints.save(folder / "wild.safetensors", checkpoint_of(config))
    lines = run(capsys, "evaluate", "wild.safetensors", "--tasks", "50").splitlines()
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
    train(capsys, "maml", "any-phase", *options, code=1)
    text = as_json(run(capsys, "list", "--json"))["weights"]["a"]
    assert text == "0 outer steps; l1 error diverges after 10 inner steps"


class _Interrupted(MetaTrainer):
    """A trainer whose user presses Ctrl-C after two records."""

    def run(self, every=100):
        run = super().run(every=1)
        yield next(run)
        yield next(run)
        raise KeyboardInterrupt


def test_ctrl_c_saves_what_there_is(capsys, monkeypatch):
    monkeypatch.setattr(train_command, "MetaTrainer", _Interrupted)
    report = train(capsys, code=130)
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
    monkeypatch.setattr(train_command, "MetaTrainer", Filling)
    arguments = ["train", "maml", "--family", "two-phase", *TINY, "--out", "away/w.safetensors"]
    assert main([*arguments, "--json"]) == 1
    out, err = capsys.readouterr()
    report = as_json(out)
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

    no_training(monkeypatch)
    monkeypatch.setattr(os, "fsync", no_space)
    assert "No space left" in complaint(capsys, "train", "maml", "--family", "two-phase")


# Bad input


@pytest.mark.parametrize(("arguments", "fault"), BAD_TRAININGS.values(), ids=BAD_TRAININGS)
def test_a_bad_training_is_one_line(arguments, fault, folder, capsys):
    assert fault in complaint(capsys, "train", *arguments)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("option", "fault"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_a_bad_setting_of_a_training_is_one_line(option, fault, folder, capsys):
    arguments = ["train", "maml", "--family", "two-phase", option]
    assert fault in complaint(capsys, *arguments)
    assert list(folder.iterdir()) == []


def no_training(monkeypatch):
    """Any training started would fail the test."""

    def fail(*arguments, **options):
        raise AssertionError("trained before looking where to save")

    monkeypatch.setattr(MetaTrainer, "advance", fail)


def test_an_existing_file_is_refused_before_the_work(capsys, monkeypatch):
    Path("mine.safetensors").write_text("mine")
    no_training(monkeypatch)
    options = ["--family", "two-phase", "--out", "mine.safetensors"]
    fault = complaint(capsys, "train", "maml", *options)
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
    no_training(monkeypatch)
    options = ["--family", "two-phase", "--out", out, *force]
    assert fault in complaint(capsys, "train", "maml", *options)
    assert {entry.name for entry in folder.iterdir()} == {"taken", "folder"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused_before_the_work(folder, capsys, monkeypatch):
    no_training(monkeypatch)
    folder.chmod(0o500)
    try:
        fault = complaint(capsys, "train", "maml", "--family", "two-phase")
    finally:
        folder.chmod(0o700)
    assert "ermission" in fault
