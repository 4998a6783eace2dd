"""Python as text: what the scripts that visitors take home are put together by."""

from __future__ import annotations

import re
import textwrap

import numpy as np

from metademo.tasks import Array

WIDTH = 100


def joined(blocks: list[str]) -> str:
    """Blocks of code, with two lines between them where functions begin or end."""
    text = "\n\n".join(block.strip("\n") for block in blocks if block)
    text = re.sub(r"\n\n+(?=def )", "\n\n\n", text)
    return re.sub(r"(\n {4,}[^\n]*)\n\n+(?=[^\s])", r"\1\n\n\n", text) + "\n"


def numbers(values: Array, *, double: bool = False) -> str:
    """A list of numbers, as few digits of each as single (or double) precision needs."""
    kind = np.float64 if double else np.float32
    return f"[{', '.join(str(kind(value)) for value in values)}]"


def wrapped(begin: str, values: str, end: str) -> str:
    """A line with a list in it; where it is too long, the numbers stand in rows."""
    if len(begin + values + end) <= WIDTH:
        return f"{begin}{values}{end}\n"
    rows = textwrap.fill(values.strip("[]"), WIDTH, initial_indent="    ", subsequent_indent="    ")
    return f"{begin}[\n{rows}\n]{end}\n"


def reference(citation: str) -> str:
    """A citation in lines; addresses and the names of methods stay whole."""
    return textwrap.fill(citation, WIDTH, break_long_words=False, break_on_hyphens=False)


def quotable(text: str) -> str:
    """Text that may stand in a string: weights of a visit have any name."""
    return re.sub(r'[\\"{}]|[^\S ]', "'", text)


def indented(lines: str, depth: int) -> str:
    """The same lines, so many spaces further in."""
    return "".join(f"{' ' * depth}{line}\n" for line in lines.splitlines())
