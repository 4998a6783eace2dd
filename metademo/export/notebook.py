"""A moment as a notebook: the passages of its script, each with a paragraph before it."""

from __future__ import annotations

from typing import Any

from metademo.algorithms.in_torch import Passage
from metademo.export.moment import Moment
from metademo.export.script import needs, passages, picture, title


def notebook(moment: Moment) -> str:
    """The moment as the text of an .ipynb file; "" if the learner has no words for what it does."""
    found = passages(moment)
    if not found:
        return ""
    # It takes a tenth of a second to load, and few ask for it.
    import nbformat.v4 as jupyter

    last = Passage("## The picture", "import matplotlib.pyplot as plt\n\n" + picture(moment))
    cells: list[dict[str, Any]] = []
    for words, code in [Passage(_opening(moment), ""), *found, last]:
        if words:
            cells.append(jupyter.new_markdown_cell(words, id=f"words-{len(cells)}"))
        if code:
            cells.append(jupyter.new_code_cell(code.strip("\n"), id=f"code-{len(cells)}"))
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = jupyter.new_notebook(cells=cells, metadata={"kernelspec": python})
    return jupyter.writes(made)


def _opening(moment: Moment) -> str:
    """What it is, how the method works, where it is from, and what it needs."""
    learner = moment.learner
    formula = f"$${learner.formula}$$" if learner.formula else ""
    parts = [
        f"# {title(moment)}",
        learner.about,
        formula,
        learner.citation,
        needs(moment) + ".",
    ]
    return "\n\n".join(part for part in parts if part)
