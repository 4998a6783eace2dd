"""Writing checkpoints: whole or not at all, and never over something by mistake."""

import errno
import os
import tempfile
from pathlib import Path

import pytest
from helpers import checkpoint_of, small

from metademo import checkpoints, files
from metademo.checkpoints import load, save


def _good(**changes):
    return checkpoint_of(small("maml"), **changes)


def test_a_place_is_checked_without_leaving_anything(tmp_path):
    place = tmp_path / "new" / "w.safetensors"
    assert files.check_place(str(place)) == place
    assert list(place.parent.iterdir()) == []
    save(place, _good())
    with pytest.raises(FileExistsError, match="exists already"):
        files.check_place(place)
    assert files.check_place(place, overwrite=True) == place
    with pytest.raises(IsADirectoryError, match="is a folder"):
        files.check_place(tmp_path, overwrite=True)
    with pytest.raises(OSError, match=r"w\.safetensors can't be written to"):
        files.check_place(place / "below.safetensors")


@pytest.fixture
def taken(tmp_path):
    """A checkpoint that lies there already, alone in its folder."""
    folder = tmp_path / "weights"
    return save(folder / "w.safetensors", _good(steps=1))


def _alone(path: Path) -> bool:
    return [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_an_existing_file_is_not_overwritten(taken):
    before = taken.read_bytes()
    with pytest.raises(FileExistsError, match=r"w\.safetensors exists already"):
        save(taken, _good(steps=2))
    assert taken.read_bytes() == before
    assert _alone(taken)


def test_an_existing_file_is_overwritten_when_that_is_asked_for(taken):
    save(taken, _good(steps=2), overwrite=True)
    assert load(taken).steps == 2
    assert _alone(taken)


def test_a_file_that_appears_while_writing_is_not_overwritten(taken, monkeypatch):
    target, serialise = taken.with_name("late.safetensors"), checkpoints.serialise

    def meanwhile(checkpoint):
        target.write_text("mine")
        return serialise(checkpoint)

    monkeypatch.setattr(checkpoints, "serialise", meanwhile)
    with pytest.raises(FileExistsError):
        save(target, _good())
    assert target.read_text() == "mine"
    assert {entry.name for entry in target.parent.iterdir()} == {taken.name, target.name}


class _FullDisk:
    """A file that takes half of what is written and then fails."""

    def __init__(self, handle, mode):
        self._handle = handle

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        os.close(self._handle)

    def write(self, data):
        os.write(self._handle, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "no space left")


def _failing(fault):
    def fail(*arguments, **options):
        raise fault

    return fail


FAILURES = {
    "while serialising": (checkpoints, "serialise", _failing(ValueError("broken")), ValueError),
    "when interrupted": (checkpoints, "serialise", _failing(KeyboardInterrupt), KeyboardInterrupt),
    "on a full disk": (os, "fdopen", _FullDisk, OSError),
    "while renaming": (os, "replace", _failing(OSError("gone")), OSError),
}


@pytest.mark.parametrize(("where", "name", "failure", "fault"), FAILURES.values(), ids=FAILURES)
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    where, name, failure, fault, taken, monkeypatch
):
    before = taken.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(where, name, failure)
        with pytest.raises(fault):
            save(taken, _good(steps=2), overwrite=True)
    assert taken.read_bytes() == before
    assert _alone(taken)


def test_a_write_that_fails_leaves_no_new_file(taken, monkeypatch):
    monkeypatch.setattr(os, "fdopen", _FullDisk)
    with pytest.raises(OSError, match="no space left"):
        save(taken.with_name("new.safetensors"), _good())
    assert _alone(taken)


def test_a_folder_that_cannot_be_written_to_is_an_os_error(taken, monkeypatch):
    monkeypatch.setattr(tempfile, "mkstemp", _failing(PermissionError(errno.EACCES, "no")))
    with pytest.raises(PermissionError):
        save(taken, _good(), overwrite=True)
    assert load(taken).steps == 1
