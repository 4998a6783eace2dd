"""The file of a sweep: a line for each run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, BinaryIO, Self

from pydantic import PlainSerializer, ValidationError

from metademo import files
from metademo.reports import Report
from metademo.scores import Scores
from metademo.settings import TrainConfig

FINISHED = "finished"


class Run(Report):
    """A run that has been carried out: a line of the file.

    Attributes:
        version: of this project.
        ending: "finished", or why it diverged; what is scored is then the last good step's.
        steps: outer steps done.
        seconds: wall time of the training; a process's first run loads the compiled engine in it.
        scores: on the held-out tasks, after 0, 1, .. inner steps, with 95 % intervals over tasks.
    """

    version: str
    seed: int
    ending: str
    steps: int
    seconds: float
    scores: Annotated[Scores, PlainSerializer(Scores.to_dict)]
    config: TrainConfig

    @property
    def diverged(self) -> bool:
        return self.ending != FINISHED

    @property
    def tasks(self) -> int:
        return self.scores.tasks


HEAD = b'{"version": "'
"""How each line begins."""


class Lines:
    """The file of a sweep: what is in it, and a place for more. To be closed.

    Attributes:
        runs: those in the file, by config and number of held-out tasks; of two alike the later.
        others: how many lines are of another version, and can't be read; they stay as they are.
    """

    def __init__(self, path: Path | str):
        """Raises:
        OSError: if the file can't be read and written, or another sweep is writing it.
        ValueError: if it is no file of a sweep.
        """
        path = files.check_place(path, overwrite=True, size=2**20)
        self._file: BinaryIO = open(path, "a+b", buffering=0)  # noqa: SIM115
        try:
            self.runs: dict[tuple[TrainConfig, int], Run] = {}
            self.others = 0
            self._lock(path)
            self._read(path)
        except BaseException:
            self.close()
            raise

    def _lock(self, path: Path) -> None:
        """Until it is closed: two sweeps at once would run the same runs, and mix their lines."""
        if sys.platform == "win32":  # it has no such locks
            return
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(
                f"another sweep is writing {path}: wait until it has ended, or choose another file"
            ) from None
        except OSError:
            pass  # not every file system has locks

    def _read(self, path: Path) -> None:
        self._file.seek(0)
        data = self._file.read()
        *lines, rest = data.split(b"\n")
        for number, line in enumerate((*lines, *([rest] if rest else [])), 1):
            whole = number <= len(lines)
            if not line.startswith(HEAD if whole else HEAD[: len(line)]):
                raise ValueError(f"{path} is no file of a sweep (line {number}): choose another")
            self._take(line, whole)
        if rest:  # the process that wrote it was killed
            self._file.truncate(len(data) - len(rest))

    def _take(self, line: bytes, whole: bool) -> None:
        try:
            run = Run.model_validate_json(line)
        except ValidationError:
            self.others += whole
        else:
            if whole:
                self.runs[run.config, run.tasks] = run

    def append(self, run: Run) -> None:
        """Write a line, down to the disk.

        Raises:
            OSError: if that fails.
        """
        line = (run.to_json() + "\n").encode()
        if self._file.write(line) != len(line):
            raise OSError(f"{self._file.name} is full: make room, and begin again")
        os.fsync(self._file.fileno())
        self.runs[run.config, run.tasks] = run

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()
