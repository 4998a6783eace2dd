"""Compiled code on disk: damaged files, other sources, and folders that can't be written to."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core import config

from metademo import engines, fused
from metademo import kernel_cache as cache

ROOT = Path(__file__).resolve().parent.parent
USE = """
import numpy as np
from metademo import fused
from metademo.fused import kernels
assert fused.predict(np.zeros((1, 6), np.float32), np.zeros(3), 1).tolist() == [[0, 0, 0]]
stats = kernels.predict.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def use(folder):
    """Use the smallest kernel in a process of its own: (hits, misses), and what it logged."""
    done = subprocess.run(
        [sys.executable, "-c", USE],
        env=os.environ | {"NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(map(int, done.stdout.split())), done.stderr.splitlines()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A folder with the code of one kernel, and the name of its file."""
    folder = tmp_path_factory.mktemp("compiled")
    assert use(folder) == ((0, 1), [])
    (path,) = folder.rglob("*.nbc")
    return path, path.read_bytes()


def flipped(content, place):
    damaged = bytearray(content)
    damaged[place] ^= 0x10
    return bytes(damaged)


DAMAGE = {
    "empty": lambda content: b"",
    "cut in the checksum": lambda content: content[:20],
    "cut in the stamp": lambda content: content[:50],
    "cut in the middle": lambda content: content[: len(content) // 2],
    "a byte short": lambda content: content[:-1],
    "a bit of the checksum": lambda content: flipped(content, 3),
    "a bit of the stamp": lambda content: flipped(content, 40),
    "a bit of the pickle": lambda content: flipped(content, 70),
    "a bit of the machine code": lambda content: flipped(content, len(content) // 2),
    "text": lambda content: b"not at all what it should be\n" * 100,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_any_damage_is_noticed_before_the_file_is_used(compiled, damage, tmp_path):
    path = tmp_path / "damaged"
    path.write_bytes(damage(compiled[1]))
    with pytest.raises(ValueError, match="checksum"):
        cache._read(path)


def test_a_damaged_file_is_compiled_anew_with_one_line_in_the_log(compiled):
    path, content = compiled
    path.write_bytes(DAMAGE["a bit of the machine code"](content))
    counts, log = use(path.parent.parent)
    assert counts == (0, 1)
    assert len(log) == 1
    assert log[0].startswith(f"the compiled code in {path} can't be used (its checksum is wrong)")
    assert cache._read(path) is not None
    assert use(path.parent.parent) == ((1, 0), [])


def test_a_sound_file_that_numba_can_t_load_is_no_obstacle(tmp_path, monkeypatch, caplog):
    """Whatever the unpickling raises."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    kept, target = cache.KernelCache("predict"), fused.load().predict.targetctx
    path = cache.folders()[0] / kept._file(None, target.codegen())
    for content in (b"\x80", b"cos\nnothing\n.", b"\x80\x04K\x01.", b"(("):
        cache._write(path, cache.sealed(content))
        assert kept.load_overload(None, target) is None
        assert not path.exists()
    assert len(caplog.records) == 4


def test_code_of_other_sources_is_passed_over(compiled, monkeypatch, caplog):
    path, content = compiled
    path.write_bytes(content)
    monkeypatch.setattr(cache, "stamp", lambda: bytes(cache.DIGEST))
    assert cache._read(path) is None
    assert not caplog.records


def test_without_a_folder_to_write_to_it_compiles_and_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    counts, log = use(tmp_path / "file" / "folder")
    assert counts == (0, 1)
    assert len(log) == 1
    assert log[0].startswith(f"compiled code can't be kept on disk ({tmp_path}/file/folder")
    assert "Set NUMBA_CACHE_DIR" in log[0]


def test_that_all_is_kept_is_noted_and_believed_of_these_sources_only(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    assert not fused.keeps_all("float64")
    cache.note_all("float64")
    assert fused.keeps_all("float64")
    assert not fused.keeps_all("float32")
    (note,) = tmp_path.rglob("*.nbc")
    with monkeypatch.context() as patch:
        patch.setattr(cache, "stamp", lambda: bytes(cache.DIGEST))
        assert not fused.keeps_all("float64")
    note.write_bytes(flipped(note.read_bytes(), 3))
    assert not fused.keeps_all("float64")


@pytest.mark.parametrize(
    ("writable", "kept", "expected"),
    [(True, False, ["apart", "here"]), (True, True, ["here"]), (False, False, ["here"])],
)
def test_another_process_compiles_only_what_is_not_kept_and_where_this_one_finds_it(
    writable, kept, expected, tmp_path, monkeypatch
):
    place = tmp_path if writable else tmp_path / "file" / "folder"
    (tmp_path / "file").write_text("")
    calls = []
    monkeypatch.setattr(config, "CACHE_DIR", str(place))
    monkeypatch.setattr(engines, "_warm", engines.threading.Event())
    monkeypatch.setattr(engines, "_compile_apart", lambda: calls.append("apart"))
    monkeypatch.setattr(fused, "warm", lambda: calls.append("here"))
    if kept:
        cache.note_all("float32")
    engines.warm_up_apart()
    assert calls == expected
    assert engines.is_warm()


def test_code_is_read_where_it_can_t_be_written(compiled, tmp_path, monkeypatch):
    """As in an image: what was compiled at its build lies in a folder that is read-only now."""
    path, content = compiled
    path.write_bytes(content)
    (tmp_path / "file").write_text("")
    nowhere = tmp_path / "file" / "folder"
    monkeypatch.setattr(cache, "folders", lambda: [nowhere, path.parent])
    predict, kept = fused.load().predict, cache.KernelCache("predict")
    fused.predict(np.zeros((1, 6), np.float32), np.zeros(3), 1)
    codegen = predict.targetctx.codegen()
    (sig,) = (s for s in predict.signatures if kept._file(s, codegen) == path.name)
    assert kept.load_overload(sig, predict.targetctx) is not None
