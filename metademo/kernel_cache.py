"""Functions that Numba compiles, and where it keeps them: on disk, so that it does so once.

Numba has a cache of its own. This one takes its place for two reasons: a damaged file counts as a
missing one (Numba raises whatever the unpickling raised, at every start, and would run machine code
in which a bit has flipped), and code may be read from a folder that can't be written to, as in an
image that was built elsewhere. Each kernel and signature has one file: a SHA-256 of the rest, the
stamp of the sources, and what Numba made of them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba import njit
from numba.core import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

log = logging.getLogger(__name__)

PACKAGE = Path(__file__).resolve().parent
SOURCES = ("kernel_cache.py", "fused/*.py", "tasks/pen.py")
"""Files of which compiled code is made, in that folder."""
DIGEST = hashlib.sha256().digest_size
ROOM = 2**20
"""More bytes than a kernel's code takes, to see whether a folder has room for it."""


def compiled(function: Callable[..., Any], **options: Any) -> Any:
    """An entry: runs without the GIL, and its code is kept on disk where that is possible.

    Args:
        function: no other entry has its name.
        options: of Numba's `njit`.
    """
    entry = njit(nogil=True, **options)(function)
    entry._cache = KernelCache(function.__name__)  # in place of Numba's own, see there
    return entry


class KernelCache(_Cache):
    """The files of one kernel, as Numba's dispatcher asks for them."""

    def __init__(self, name: str):
        self._name = name

    @property
    def cache_path(self) -> str:
        return str(folders()[0])

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        target_context.refresh()
        for folder in folders():
            path = folder / self._file(sig, target_context.codegen())
            try:
                content = _read(path)
                if content is not None:
                    return CompileResult._rebuild(target_context, *pickle.loads(content))
            except Exception as fault:  # pickle raises anything
                _discard(path, fault)
        return None

    def save_overload(self, sig: Any, data: CompileResult) -> None:
        content = sealed(dumps(data._reduce()))
        reasons = []
        for folder in folders():
            try:
                return _write(folder / self._file(sig, data.codegen), content)
            except OSError as reason:
                reasons.append(f"{folder}: {reason.strerror or reason}")
        _tell_once("; ".join(reasons))

    def _file(self, sig: Any, codegen: Any) -> str:
        """Code is made for types of arguments and for a processor."""
        kind = repr((sig, codegen.magic_tuple())).encode()
        return f"{self._name}-{hashlib.sha256(kind).hexdigest()[:16]}.nbc"

    def enable(self) -> None:
        """Always on."""

    def disable(self) -> None:
        """Always on."""

    def flush(self) -> None:
        """Files of other sources are overwritten as they are met."""


def folders() -> list[Path]:
    """Where code may lie, best first: NUMBA_CACHE_DIR alone if it is set."""
    apart = f"metademo-{hashlib.sha256(str(PACKAGE).encode()).hexdigest()[:16]}"
    # Numba sets it from the environment, where a type checker does not see it.
    chosen: str = config.CACHE_DIR  # type: ignore[attr-defined]
    if chosen:
        return [Path(chosen) / apart]
    user = AppDirs(appname="numba", appauthor=False).user_cache_dir
    return [PACKAGE / "__pycache__", Path(user) / apart]


def is_writable() -> bool:
    """Whether compiled code can be kept, so that another process finds it."""
    for folder in folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(ROOM))
            return True
        except OSError:
            continue
    return False


def note_all(precision: str) -> None:
    """Note that all kernels are kept that work in this precision; without effect where none are."""
    for folder in folders():
        with contextlib.suppress(OSError):
            return _write(folder / _note_of(precision), sealed(b""))


def has_all(precision: str) -> bool:
    """Whether that has been noted, by a process of these sources on such a processor."""
    for folder in folders():
        with contextlib.suppress(ValueError):
            if _read(folder / _note_of(precision)) is not None:
                return True
    return False


def _note_of(precision: str) -> str:
    processor = repr(cpu_target.target_context.codegen().magic_tuple()).encode()
    return f"all-{precision}-{hashlib.sha256(processor).hexdigest()[:16]}.nbc"


@functools.cache
def stamp() -> bytes:
    """A digest of all that compiled code depends on, but for its signature and the processor."""
    paths = [path for pattern in SOURCES for path in sorted(PACKAGE.glob(pattern))]
    sources = [path.read_bytes() for path in paths]
    return hashlib.sha256(b"\0".join([numba.__version__.encode(), *sources])).digest()


def sealed(content: bytes) -> bytes:
    """What goes into a file: see `_read` for the way back."""
    content = stamp() + content
    return hashlib.sha256(content).digest() + content


def _read(path: Path) -> bytes | None:
    """What Numba wrote; None if there is nothing, or if it was made from other sources.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, content = content[:DIGEST], content[DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        raise ValueError("its checksum is wrong")
    return content[DIGEST:] if content[:DIGEST] == stamp() else None


def _write(path: Path, content: bytes) -> None:
    """The whole file or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)  # others may read what one has compiled
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _discard(path: Path, fault: Exception) -> None:
    log.warning("the compiled code in %s can't be used (%s): compiling it anew", path, fault)
    with contextlib.suppress(OSError):  # on a disk that can't be written to it stays
        path.unlink(missing_ok=True)


@functools.cache
def _tell_once(reasons: str) -> None:
    log.warning(
        "compiled code can't be kept on disk (%s), so each start compiles it anew for about half a "
        "minute. Set NUMBA_CACHE_DIR to a folder that can be written to.",
        reasons,
    )
