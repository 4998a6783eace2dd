"""A subject as a notebook: the passages of its script, each with a paragraph before it."""

from __future__ import annotations

from typing import Any

from metademo.algorithms.in_torch import Passage
from metademo.algorithms.papers import in_markdown
from metademo.export.script import needs, passages, title
from metademo.export.subject import Subject


def notebook(subject: Subject) -> str:
    """The subject as an .ipynb file; "" if the learner has no words for what it does."""
    found = passages(subject)
    if not found:
        return ""
    # It takes a tenth of a second to load, and few ask for it.
    import nbformat.v4 as jupyter

    drawing = subject.own + subject.picture
    last = Passage("## The picture", "import matplotlib.pyplot as plt\n\n" + drawing)
    cells: list[dict[str, Any]] = []
    for words, code in [Passage(_opening(subject), ""), *found, last]:
        if words:
            cells.append(jupyter.new_markdown_cell(words, id=f"words-{len(cells)}"))
        if code:
            cells.append(jupyter.new_code_cell(code.strip("\n"), id=f"code-{len(cells)}"))
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = jupyter.new_notebook(cells=cells, metadata={"kernelspec": python})
    return jupyter.writes(made)


def _opening(subject: Subject) -> str:
    """What it is, how the method works, where it is from, and what it needs."""
    learner = subject.learner
    formula = f"$${learner.formula}$$" if learner.formula else ""
    parts = [
        f"# {title(subject)}",
        learner.about,
        formula,
        in_markdown(learner.papers),
        needs(subject) + ".",
    ]
    return "\n\n".join(part for part in parts if part)
