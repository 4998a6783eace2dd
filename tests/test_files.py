"""Files that are written whole or not at all, on disks and file systems that have their faults."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from metademo import files
from metademo.files import KeptElsewhere, check_place, write, write_or_keep

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """A place to write to, a working folder and a folder for temporary files, all empty."""
    for name in ("place", "work", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path


def fail_in(monkeypatch, function: str, number: int, *folders: Path) -> None:
    """Let `os.function` fail wherever its first path lies in one of `folders`."""
    real = getattr(os, function)

    def fails(path, *arguments, **options):
        if any(Path(path).is_relative_to(folder) for folder in folders):
            raise OSError(number, os.strerror(number))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, function, fails)


def fill_the_disk(monkeypatch, *folders: Path) -> None:
    """Let what is written to `folders` fit into memory but not onto the disk."""
    real = os.fsync

    def fails(handle):
        where = Path(os.readlink(f"/proc/self/fd/{handle}"))
        if any(where.is_relative_to(folder) for folder in folders):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", fails)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_system_without_hard_links_is_no_matter(folders, monkeypatch):
    fail_in(monkeypatch, "link", errno.EPERM, folders)
    assert write(folders / "place" / "w", b"all").read_bytes() == b"all"
    assert names(folders / "place") == ["w"]


def test_a_file_system_without_modes_is_no_matter(folders, monkeypatch):
    fail_in(monkeypatch, "chmod", errno.EPERM, folders)
    assert write(folders / "place" / "w", b"all").read_bytes() == b"all"


@pytest.mark.parametrize("function", ["replace", "rename"])
def test_a_rename_that_fails_leaves_nothing_behind(function, folders, monkeypatch):
    fail_in(monkeypatch, function, errno.EIO, folders)
    if function == "replace":
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            write(folders / "place" / "w", b"all")
        assert names(folders / "place") == []
    else:
        write(folders / "place" / "w", b"all")


def test_a_place_is_tried_with_as_much_as_will_be_written(folders, monkeypatch):
    written = []
    real = files._write_temporary
    monkeypatch.setattr(
        files, "_write_temporary", lambda folder, data: written.append(data) or real(folder, data)
    )
    check_place(folders / "place" / "w", size=5)
    assert written == [bytes(5)]
    fill_the_disk(monkeypatch, folders / "place")
    with pytest.raises(OSError, match=r"place can't be written to \(No space left on device\)"):
        check_place(folders / "place" / "w", size=5)
    assert names(folders / "place") == []


FULL = {
    "the disk": (("place",), "work"),
    "the disk and the working folder's": (("place", "work"), "temporary"),
}


@pytest.mark.parametrize(("full", "refuge"), FULL.values(), ids=FULL)
def test_where_the_disk_is_full_the_result_is_kept_elsewhere(full, refuge, folders, monkeypatch):
    fill_the_disk(monkeypatch, *(folders / name for name in full))
    with pytest.raises(KeptElsewhere) as caught:
        write_or_keep(folders / "place" / "w.dat", b"all")
    kept = caught.value.path.absolute()
    assert kept.parent == folders / refuge
    assert kept.read_bytes() == b"all"
    assert (kept.stem[:2], kept.suffix) == ("w-", ".dat")
    for part in ("w.dat could not be written", "No space left", f"kept in {caught.value.path}"):
        assert part in str(caught.value)
    assert names(folders / "place") == []


def test_what_appeared_meanwhile_stays_and_the_result_lies_beside_it(folders):
    (folders / "place" / "w.dat").write_text("mine")
    with pytest.raises(KeptElsewhere, match="exists already") as caught:
        write_or_keep(folders / "place" / "w.dat", b"all")
    assert caught.value.path.parent == folders / "place"
    assert caught.value.path.read_bytes() == b"all"
    assert (folders / "place" / "w.dat").read_text() == "mine"


def test_where_nothing_can_be_written_anywhere_it_says_so(folders, monkeypatch):
    fill_the_disk(monkeypatch, folders)
    with pytest.raises(OSError, match="no other folder takes it either"):
        write_or_keep(folders / "place" / "w.dat", b"all")
    assert [names(folders / name) for name in names(folders)] == [[], [], []]


def test_without_working_folder_and_temporary_folder_it_says_so(folders, monkeypatch):
    def none():
        raise FileNotFoundError(errno.ENOENT, "no usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    os.rmdir(folders / "work")
    fill_the_disk(monkeypatch, folders / "place")
    with pytest.raises(OSError, match="no other folder takes it either"):
        write_or_keep(folders / "place" / "w.dat", b"all")


LIMITED = """
import resource, sys
from metademo.files import check_place, write
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write("small", bytes(900))
for attempt in (lambda: check_place("large", size=2000), lambda: write("large", bytes(2000))):
    try:
        attempt()
    except OSError as fault:
        print(fault)
"""


def test_a_limit_on_the_size_of_files_is_told_and_leaves_nothing(folders):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("File too large") == 2
    assert names(folders / "work") == ["small"]
