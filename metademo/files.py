"""Files that are written whole or not at all, and results that are kept wherever there is room."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path


class KeptElsewhere(OSError):
    """A file could not be written to its place; what it was to hold lies at `path` instead."""

    def __init__(self, message: str, path: Path):
        super().__init__(message)
        self.path = path


def check_place(path: Path | str, *, overwrite: bool = False, size: int = 0) -> Path:
    """See that `size` bytes can be written to `path`: before the long work, not after it.

    Makes the folder if there is none.

    Raises:
        FileExistsError: if there is a file already and `overwrite` is not set.
        OSError: if so much can't be written there.
    """
    path = _checked(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.unlink(_write_temporary(path.parent, bytes(size)))
    except OSError as fault:
        raise OSError(
            f"{path.parent} can't be written to ({_reason(fault)}): choose another"
        ) from fault
    return path


def write(path: Path | str, data: bytes, *, overwrite: bool = False) -> Path:
    """Write `data` to `path`, whole or not at all.

    Raises:
        FileExistsError: if there is a file, or one appears meanwhile, and `overwrite` is not set.
        OSError: if `data` can't be written there.
    """
    path = _checked(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _write_temporary(path.parent, data)
    try:
        with contextlib.suppress(OSError):  # not every file system knows modes
            os.chmod(temporary, 0o644)
        if overwrite:
            os.replace(temporary, path)
        else:
            _move_to_free_place(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):  # it has been moved
            os.unlink(temporary)
    return path


def write_or_keep(path: Path | str, data: bytes, *, overwrite: bool = False) -> Path:
    """As `write`, for what took long to make: where that fails, keep it in another place.

    That is under a new name beside `path`, in the working folder or in the folder for temporary
    files, whichever takes it first.

    Raises:
        KeptElsewhere: naming that place.
        OSError: if no place takes it.
    """
    path = Path(path)
    try:
        return write(path, data, overwrite=overwrite)
    except OSError as fault:
        failure = f"{path} could not be written ({_reason(fault)})"
        other = _write_to_any_of(_other_places(path), data)
        if other is None:
            raise OSError(f"{failure}, and no other folder takes it either") from fault
        raise KeptElsewhere(f"{failure}: it is kept in {other}", other) from fault


def _write_to_any_of(places: Iterable[Path], data: bytes) -> Path | None:
    for place in places:
        with contextlib.suppress(OSError):
            return write(place, data)
    return None


def _other_places(path: Path) -> Iterator[Path]:
    """Names that nobody uses, near `path` and then anywhere else."""
    name = f"{path.stem[:100]}-{secrets.token_hex(4)}{path.suffix[:20]}"
    yield path.parent / name
    yield Path(name)
    with contextlib.suppress(OSError):  # there may be no folder for temporary files
        yield Path(tempfile.gettempdir()) / name


def _checked(path: Path | str, overwrite: bool) -> Path:
    """`path`, if it is a file's name that may be taken."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give the name of a file")
    if path.exists() and not overwrite:
        raise _exists(path)
    return path


def _write_temporary(folder: Path, data: bytes) -> str:
    """A temporary file in `folder` that holds `data`, down to the disk; nothing if that fails."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".metademo-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a full disk may say so only here
    except BaseException:
        os.unlink(name)
        raise
    return name


def _move_to_free_place(temporary: str, path: Path) -> None:
    """Rename without overwriting what has appeared at `path`: an empty file claims the place.

    A hard link would do the same in one step, but not every file system has them.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        raise _exists(path) from None
    try:
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):  # it has not been moved: give the place back
            os.unlink(path)


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(f"{path} exists already: choose another name, or overwrite it (--force)")


def _reason(fault: OSError) -> str:
    return fault.strerror or str(fault)
