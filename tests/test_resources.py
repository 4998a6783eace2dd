"""The shipped weights as all pages share them: read once, and again when their files change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from metademo import checkpoints
from metademo.ui.server import resources

NAME = "maml-two-phase"
OTHER = "maml-any-phase"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the shipped weights, to be changed."""
    folder = shutil.copytree(checkpoints.SHIPPED, tmp_path / "weights")
    monkeypatch.setattr(checkpoints, "SHIPPED", folder)
    monkeypatch.setattr(resources, "LOOK_SECONDS", 1e-9)
    return folder


@pytest.fixture
def read(monkeypatch):
    """The names of the files that were read so far."""
    load, names = checkpoints.load, []
    monkeypatch.setattr(checkpoints, "load", lambda path: names.append(path.stem) or load(path))
    return names


def test_all_weights_are_read_once(folder, read):
    first, faults = resources.library()
    again, _ = resources.library()
    assert faults == []
    assert sorted(read) == sorted(first) == checkpoints.shipped_names()
    assert all(again[name] is first[name] for name in first)


def test_within_a_second_the_folder_is_not_looked_at_again(folder, monkeypatch):
    moment = 1000.0
    monkeypatch.setattr(resources, "LOOK_SECONDS", 1.0)
    monkeypatch.setattr(resources.time, "monotonic", lambda: moment)
    assert NAME in resources.library()[0]
    (folder / f"{NAME}.safetensors").unlink()
    moment = 1000.9
    assert NAME in resources.library()[0]
    moment = 1001.0
    assert NAME not in resources.library()[0]


def test_what_one_page_does_with_them_is_nothing_to_another(folder):
    resources.library()[0].clear()
    assert NAME in resources.library()[0]


def test_a_removed_file_is_noticed_and_a_restored_one_too(folder):
    (folder / f"{NAME}.safetensors").rename(folder / "elsewhere")
    usable, faults = resources.library()
    assert NAME not in usable
    assert faults == [f"weights/{NAME}.safetensors: there is no such file"]
    (folder / "elsewhere").rename(folder / f"{NAME}.safetensors")
    usable, faults = resources.library()
    assert NAME in usable
    assert faults == []


def test_a_file_rewritten_in_place_is_noticed_though_its_time_and_size_stay(folder, read):
    path = folder / f"{NAME}.safetensors"
    before, stat = resources.library()[0][NAME], path.stat()
    data = bytearray(path.read_bytes())
    data[-4:] = bytes(4)
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    read.clear()
    after = resources.library()[0][NAME]
    assert read == [NAME]
    assert any((after.meta[key] != value).any() for key, value in before.meta.items())


def test_a_damaged_file_is_told_until_it_is_mended(folder):
    path = folder / f"{NAME}.safetensors"
    path.write_bytes(b"damaged")
    for _ in range(2):
        assert "not a readable safetensors file" in resources.library()[1][0]
    shutil.copyfile(folder / f"{OTHER}.safetensors", path)
    assert resources.library()[0][NAME].config.family == "any-phase"


def test_without_the_folder_each_missing_file_is_told(folder):
    shutil.rmtree(folder)
    usable, faults = resources.library()
    assert usable == {}
    assert len(faults) == len(resources.SHIPPED)


ENDS_IN_A_FIT = """
import threading, time
from metademo import engines
from metademo.ui.server import resources
engines.warm_up_apart = lambda: None  # the rest of the warm-up comes at once
fits, fitting = resources._fit_yardsticks, threading.Event()
def fit():
    fitting.set()
    time.sleep(0.2)
    print("waited for", flush=True)
    fits()
resources._fit_yardsticks = fit
threading.Thread(target=resources._warm_up, daemon=True).start()
fitting.wait()
time.sleep({later})
"""


def test_a_process_may_end_while_yardsticks_are_fitted():
    scripts = [ENDS_IN_A_FIT.format(later=seconds) for seconds in (0.0, 1.0)]
    command = [sys.executable, "-W", "error", "-c"]
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ending = [subprocess.Popen([*command, text], **pipes) for text in scripts]
    said = [process.communicate(timeout=60) for process in ending]
    assert [(process.returncode, *text) for process, text in zip(ending, said, strict=True)] == [
        (0, b"waited for\n", b"")
    ] * len(scripts)
