"""The command line: what there is, one line for each bad command, and for real."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import as_json, complaint, run
from helpers import checkpoint_of, small

from metademo import checkpoints
from metademo.algorithms import ALGORITHMS
from metademo.recipes import RECIPES
from metademo.tasks import FAMILIES

ROOT = Path(__file__).resolve().parent.parent
BAD_COMMANDS = {
    "no command": ([], "COMMAND"),
    "unknown command": (["dance"], "'dance'"),
    "unknown option": (["list", "--colour"], "--colour"),
    "an option of two lines": (["list", "--co\nlour"], "--co"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_list_names_everything_in_json(capsys):
    listing = as_json(run(capsys, "list", "--json"))
    assert list(listing) == [
        *("algorithms", "yardsticks", "papers", "families", "recipes", "weights")
    ]
    assert list(listing["algorithms"]) == list(listing["papers"]) == list(ALGORITHMS)
    assert listing["papers"]["daml"].endswith("RSS 2018, https://arxiv.org/abs/1802.01557")
    assert list(listing["families"]) == list(FAMILIES)
    assert list(listing["recipes"]) == list(RECIPES)
    assert list(listing["weights"]) == checkpoints.shipped_names()


def test_list_is_readable(capsys):
    lines = run(capsys, "list").splitlines()
    assert {"algorithms", "yardsticks", "papers", "families", "recipes", "weights"} <= set(lines)
    for name, row in ALGORITHMS.items():
        assert any(line.split() == [name, *row.summary.split()] for line in lines)
    for name in checkpoints.shipped_names():
        (line,) = [line for line in lines if line.startswith(f"  {name} ")]
        assert re.search(
            r"[\d,]+ outer steps; ((l1|mse) error|accuracy) \d\.\d{3} ± \d\.\d{3} after \d", line
        )


@pytest.mark.parametrize("text", ["no weights at all", ""], ids=["text", "empty"])
def test_list_says_which_weights_are_unusable_and_goes_on(text, folder, capsys, monkeypatch):
    monkeypatch.setattr(checkpoints, "SHIPPED", folder)
    (folder / "broken.safetensors").write_text(text)
    checkpoints.save(folder / "sound.safetensors", checkpoint_of(small("maml")))
    shown = as_json(run(capsys, "list", "--json"))["weights"]
    assert shown["broken"].startswith("unusable: ")
    assert "broken.safetensors" in shown["broken"]
    assert shown["sound"] == "7 outer steps"


@pytest.mark.parametrize(("arguments", "fault"), BAD_COMMANDS.values(), ids=BAD_COMMANDS)
def test_a_bad_command_is_one_line(arguments, fault, capsys):
    assert fault in complaint(capsys, *arguments)


# For real


def _process(*arguments, path=(), options=()):
    paths = os.pathsep.join(map(str, [*path, ROOT]))
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", *options, "-m", "metademo", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background has it ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_python_m_metademo_runs_without_streamlit():
    """And says nothing beside its answer; Python itself lists what is imported."""
    with _process("list", "--json", options=["-X", "importtime"]) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert list(as_json(out)["algorithms"]) == list(ALGORITHMS)
    said = err.splitlines()
    assert all(line.startswith("import time: ") for line in said), err
    imported = {line.split("|")[-1].strip() for line in said}
    assert "metademo.command_line" in imported
    assert "streamlit" not in imported


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
