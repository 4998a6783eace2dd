"""Folders of files under `static/`: written whole, held while in use, removed when nobody does.

Several servers and sessions may start at once, so each folder is written under a temporary name and
then renamed: whoever comes second finds it there. A server holds a shared lock on each folder that
it serves, until it ends, however it ends. So a later release can tell which folders of earlier ones
are still served by others, and remove the rest.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows: nothing is locked there, so nothing is removed
    # A module cannot be declared to be one or None.
    fcntl = None  # type: ignore[assignment]

OURS = re.compile(r"(metademo|plotly(-[\d.]+)?)-[0-9a-f]{12}|\.removed-.+|\.\w+-[0-9a-f]{12}-.+")
"""Folders of any release, what is being removed, and what is being written: see `_scratch`."""
# A browser keeps a file without Cache-Control for a tenth of its age: let it keep ours for years.
LONG_AGO = 946_684_800  # 2000-01-01

_lock = threading.RLock()
_held: dict[Path, int] = {}
"""Open folders by path: closed by the end of the process, which gives their locks back."""


def provide(folder: Path, files: Mapping[str, bytes]) -> None:
    """See that `folder` holds `files`, and that no other server removes it while this one runs.

    Raises:
        OSError: where it cannot be written.
    """
    with _lock:
        write_folder(folder, files)
        while not (_hold(folder) and _is_whole(folder, files)):  # it was removed just before
            write_folder(folder, files)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write `files`, by path, as one folder, all or nothing, unless it is there already."""
    if _is_whole(folder, files):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch, handle = _scratch(folder)
    try:
        for name, content in files.items():
            path = scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o644)
            os.utime(path, (LONG_AGO, LONG_AGO))
        for part in (scratch, *filter(Path.is_dir, scratch.rglob("*"))):
            part.chmod(0o755)
        if folder.exists() and not _is_whole(folder, files):  # damaged by hand: mend it
            shutil.rmtree(folder, ignore_errors=True)
        os.replace(scratch, folder)
    except OSError:
        if not _is_whole(folder, files):  # otherwise another server was faster: as good
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def _scratch(folder: Path) -> tuple[Path, int | None]:
    """A folder beside `folder` to write to, and what holds it: what nobody holds is cleared away.

    Somebody who is killed while writing leaves his behind.
    """
    while True:
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        if fcntl is None:
            return scratch, None
        with contextlib.suppress(FileNotFoundError):  # it was cleared away before it was held
            handle = os.open(scratch, os.O_RDONLY)
            if _lock_shared(scratch, handle):
                return scratch, handle
            os.close(handle)


def remove_unused(parent: Path) -> None:
    """Remove the folders of other releases in `parent` that no server holds."""
    with _lock:
        for folder in sorted(parent.iterdir()):
            if OURS.fullmatch(folder.name) and folder.is_dir() and folder not in _held:
                with contextlib.suppress(OSError):  # in use, or removed by another: both are well
                    _remove(folder)


def _is_whole(folder: Path, files: Mapping[str, bytes]) -> bool:
    try:
        return all((folder / name).stat().st_size == len(data) for name, data in files.items())
    except OSError:
        return False


def _hold(folder: Path) -> bool:
    """Let others know that the folder is in use; False if it went meanwhile."""
    if fcntl is None:
        return True
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    whole = _lock_shared(folder, handle)
    if folder in _held:
        os.close(_held[folder])
    _held[folder] = handle
    return whole


def _lock_shared(folder: Path, handle: int) -> bool:
    """Hold the open folder; False if it was removed before it was held."""
    with contextlib.suppress(OSError):  # a file system without locks: nobody removes anything there
        fcntl.flock(handle, fcntl.LOCK_SH)
    return folder.exists() and os.path.samestat(folder.stat(), os.fstat(handle))


def _remove(folder: Path) -> None:
    """Remove a folder, at once for whoever looks. Raises OSError if somebody holds it."""
    if fcntl is None:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        doomed = folder.with_name(f".removed-{folder.name.removeprefix('.removed-')}")
        os.replace(folder, doomed)
        shutil.rmtree(doomed)
    finally:
        os.close(handle)
