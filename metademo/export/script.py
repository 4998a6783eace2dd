"""A subject as a script: plain PyTorch that adapts and finds just what the page shows.

It is put together from passages, of which a notebook has the same, see `passages`. What is the
learner's own the learner says, see `metademo.algorithms.in_torch`; what is the task's own the
subject says.
"""

from __future__ import annotations

from metademo.algorithms.in_torch import Passage
from metademo.export.subject import Subject
from metademo.export.text import indented, joined, quotable, reference


def script(subject: Subject) -> str:
    """The subject as a Python script; "" if the learner has no words for what it does."""
    found = passages(subject)
    if not found:
        return ""
    head = f'"""{title(subject)}.\n\n{_origin(subject)}\n"""\n'
    return joined([head, *(passage.code for passage in found), _main(subject)])


def passages(subject: Subject) -> list[Passage]:
    """All of it but the end, which draws the picture; empty if the learner has no words."""
    told = subject.told
    start = _start(subject)
    if told is None or not start:
        return []
    task, adapting = subject.task(told), subject.adapting(told)
    return [
        Passage("", _imports(subject, task + adapting + start)),
        Passage("## The task\n\nWhat the learner sees, and what it should find.", task),
        *told.passages,
        Passage("## Where it starts\n\n" + _where(subject), start),
        Passage("## Adapting\n\n" + subject.adapting_is, adapting),
    ]


def title(subject: Subject) -> str:
    """What it shows, in a line: "MAML on 4 points: 5 steps", "CNP on 4 points: 0 to 4 seen"."""
    return f"{quotable(subject.title)} {subject.sees}: {subject.taken}"


def needs(subject: Subject) -> str:
    """What has to be there before it runs."""
    place = f"Put {subject.file} beside it.\n" if subject.weights else ""
    libraries = "torch numpy matplotlib" + " safetensors" * bool(subject.weights)
    return f"{place}It needs: pip install {libraries}"


def _origin(subject: Subject) -> str:
    """Where the method is from, and what has to be there."""
    return "\n".join(filter(None, [reference(subject.citation), needs(subject)]))


def _imports(subject: Subject, code: str) -> str:
    """What is imported: of NumPy and the reader of files what the code has need of."""
    numpy = "import numpy as np\n" * ("np." in code)
    load = "from safetensors.torch import load_file\n" * bool(subject.weights)
    return f"{numpy}import torch\n{load}"


def _where(subject: Subject) -> str:
    if subject.weights:
        return f"The meta-trained weights, from `{subject.file}`."
    return "Nothing was trained: this is where it starts."


def _start(subject: Subject) -> str:
    """The lines that make `theta`; "" if there are no words for how it is drawn."""
    if subject.weights:
        return f"""\
theta = load_file("{subject.file}")
"""
    draw = subject.learner.draw_in_torch
    return (
        draw
        and f"""\
{draw}

theta = draw(np.random.default_rng(1))
"""
    )


def _main(subject: Subject) -> str:
    """The end of a script: what was found, and the picture."""
    return f"""\
if __name__ == "__main__":
{indented(subject.own + subject.results, 4)}\
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print("{subject.without_picture}")
    else:
{indented(subject.picture, 8)}"""
