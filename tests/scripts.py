"""What tests of scripts that are taken home share: to run them, and to have them linted."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat

from metademo import checkpoints
from metademo.export.notebook import notebook
from metademo.export.subject import Subject


def put_weights(subject: Subject) -> None:
    """Beside the script, as it asks for."""
    if subject.weights:
        Path(subject.file).write_bytes(checkpoints.shipped(subject.weights).read_bytes())


def run(code: str, name: str = "taken home") -> dict:
    space = {"__name__": name}
    exec(compile(code, "script", "exec"), space)
    return space


def run_notebook(subject: Subject) -> tuple[str, dict]:
    """The first cell, and the names that there are when all cells have been run."""
    book = nbformat.reads(notebook(subject), as_version=4)
    nbformat.validate(book)
    space = {"__name__": "__main__"}
    for cell in book.cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, cell.id, "exec"), space)
    return book.cells[0].source, space


def run_alone(code: str) -> str:
    """What it prints in an interpreter that finds nothing of ours, and no library for pictures."""
    Path("script.py").write_text(code, encoding="utf-8")
    block = "import sys; sys.modules['metademo'] = sys.modules['matplotlib'] = None; "
    command = block + "import runpy; runpy.run_path('script.py', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    return done.stdout


def without_rows(code: str) -> str:
    """The same without the lists of numbers that stand in rows, not one on each line."""
    return re.sub(r"\[\n[^a-z]*\n\]", "[]", code)


def assert_written_as_ours(codes: Iterable[str]) -> None:
    """The linter and the formatter find nothing in them."""
    for number, code in enumerate(codes):
        Path(f"script_{number}.py").write_text(without_rows(code), encoding="utf-8")
    config = ["--config", str(Path(__file__).resolve().parent.parent / ".ruff.toml")]
    for command in (["check"], ["format", "--check", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *config, "--no-cache", "."],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
