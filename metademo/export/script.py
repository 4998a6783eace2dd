"""A subject as a script: plain PyTorch and NumPy that adapts and draws the very curve of the page.

It is put together from passages, of which a notebook has the same, see `passages`. What is the
learner's own the learner says, see `metademo.algorithms.in_torch`.
"""

from __future__ import annotations

import re
import textwrap

import numpy as np

from metademo.algorithms.in_torch import InTorch, Passage
from metademo.evaluation import Z90
from metademo.export.subject import Subject
from metademo.moments.scaling import UNSCALED, Scaling
from metademo.tasks import Array
from metademo.tasks.waves_in_numpy import number_in_numpy, wave_in_numpy

CURVES = "curves.csv"
WIDTH = 100
_ERRORS = {
    "l1": ("mean |error|", "np.abs(curve - truth).mean()"),
    "mse": ("mean squared error", "np.square(curve - truth).mean()"),
}


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
    return [
        Passage("", _imports(subject)),
        Passage(
            "## The task\n\nWhat the learner sees, and what it should find.", _task(subject, told)
        ),
        *told.passages,
        Passage("## Where it starts\n\n" + _where(subject), start),
        Passage("## Adapting\n\nThe curve after 0, 1, 2, .. steps.", _adapting(subject, told)),
    ]


def title(subject: Subject) -> str:
    """What it shows, in a line: "MAML on 4 points: 5 steps", "CNP on 4 points: 0 to 4 seen"."""
    steps = "1 step" if subject.steps == 1 else f"{subject.steps} steps"
    if subject.by_points:
        steps = f"0 to {min(subject.steps, subject.support.x.shape[1])} seen"
    return f"{_quotable(subject.title)} {subject.sees}: {steps}"


def needs(subject: Subject) -> str:
    """What has to be there before it runs."""
    place = f"Put {subject.file} beside it.\n" if subject.weights else ""
    libraries = "torch numpy matplotlib" + " safetensors" * bool(subject.weights)
    return f"{place}It needs: pip install {libraries}"


def picture(subject: Subject) -> str:
    """The lines that draw the curves, with `plt` at hand."""
    truth = f'plt.plot(grid, truth, "k:", label="{subject.truth_is}")\n' if subject.truth else ""
    points = "" if subject.learner.unlabelled else 'plt.plot(x, y, "o", label="points")\n'
    return f"""\
{truth}plt.plot(grid, curves[0], color="C0", alpha=0.4, label="before any step")
plt.plot(grid, curves[-1], color="C0", label=f"after {{steps}} steps")
{_band(subject)}{points}plt.title("{_quotable(subject.title)}")
plt.legend()
plt.show()
"""


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


def _origin(subject: Subject) -> str:
    """Where the method is from, and what has to be there."""
    return "\n".join(filter(None, [reference(subject.citation), needs(subject)]))


def _quotable(text: str) -> str:
    """Text that may stand in a string: weights of a visit have any name."""
    return re.sub(r'[\\"{}]|[^\S ]', "'", text)


def _imports(subject: Subject) -> str:
    load = "from safetensors.torch import load_file\n" * bool(subject.weights)
    return f"import numpy as np\nimport torch\n{load}"


def _task(subject: Subject, told: InTorch) -> str:
    """The support set, the settings and the wave."""
    kind = ", dtype=torch.float64)" if told.double else ")"
    x, y = subject.support
    labels = "y = None  # there is no label\n"
    if y is not None:
        labels = wrapped("y = torch.tensor(", numbers(y[0], double=told.double), kind)
    settings = "".join(f"{name} = {value!r}\n" for name, value in told.settings.items())
    each = "  # one more point is seen at each of them" if subject.by_points else ""
    low, high = map(number_in_numpy, subject.family.x_range)
    truth = ""
    if subject.truth is not None:
        wave = re.sub(r"\bx\b", "grid", wave_in_numpy(subject.truth))
        truth = f"truth = {wave}  # {subject.truth_is}\n"
    return (
        wrapped(
            f"{subject.learner.inputs_in_torch} = torch.tensor(",
            numbers(x[0], double=told.double),
            kind,
        )
        + labels
        + f"steps = {subject.steps}{each}\n{settings}"
        + f"grid = np.linspace({low}, {high}, {len(subject.family.grid)})\n{truth}"
        + _own(subject.scaling)
    )


def _own(scaling: Scaling) -> str:
    """The functions that lead from the chart back to the visitor's own numbers, if it is scaled."""
    if scaling == UNSCALED:
        return ""
    lines = [f"\n# Your own numbers are scaled to fit: {scaling.in_words}."]
    for name, axis in (("x", scaling.x), ("y", scaling.y)):
        lines.append(
            f"def own_{name}({name}):\n    return {axis.zero!r} + {axis.unit!r} * {name}\n\n"
        )
    return "\n".join(lines)


def in_own_numbers(subject: Subject) -> str:
    """The lines that take all back to the visitor's own numbers; "" if nothing was scaled."""
    if subject.scaling == UNSCALED:
        return ""
    std = f"std = {subject.scaling.y.unit!r} * std\n" if _sure(subject) else ""
    return (
        "x, y, grid = own_x(x), own_y(y), own_x(grid)\n"
        f"truth, curves = own_y(truth), own_y(curves)\n{std}"
    )


def _sure(subject: Subject) -> bool:
    """Whether there is the standard deviation `std` of its curves."""
    return bool(subject.told and subject.told.std)


def _band(subject: Subject) -> str:
    if not _sure(subject):
        return ""
    return f"""\
low, high = curves[-1] - {Z90} * std[-1], curves[-1] + {Z90} * std[-1]
plt.fill_between(grid, low, high, color="C0", alpha=0.2, label="90 % band")
"""


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


def _adapting(subject: Subject, told: InTorch) -> str:
    inputs = f"inputs = torch.tensor(grid, dtype=torch.float{64 if told.double else 32})\n"
    found = f"run(theta, {subject.learner.inputs_in_torch}, y, inputs, steps)"
    if told.std:
        return f"{inputs}curves, std = (values.numpy() for values in {found})\n"
    return f"{inputs}curves = {found}.numpy()  # (steps + 1, len(grid))\n"


def _main(subject: Subject) -> str:
    """The end of a script: the curves as a table, how far off they are, the picture."""
    names, columns, report = '"x"', "grid", ""
    stds, std = "", ""
    if _sure(subject):
        stds = '    names += [f"std_{k}" for k in range(steps + 1)]\n'
        std = ", *std"
    if subject.truth is not None:
        names, columns = '"x", "truth"', "grid, truth"
        what, error = _ERRORS[subject.family.metric]
        report = f"""\
    for k, curve in enumerate(curves):
        print(f"step {{k}}: {what} {{{error}:.4f}}")
"""
    drawing = "".join(f"        {line}\n" for line in picture(subject).splitlines())
    own = "".join(f"    {line}\n" for line in in_own_numbers(subject).splitlines())
    return f"""\
if __name__ == "__main__":
{own}\
    names = [{names}, *(f"step_{{k}}" for k in range(steps + 1))]
{stds}\
    table = np.column_stack([{columns}, *curves{std}])
    np.savetxt("{CURVES}", table, delimiter=",", header=",".join(names), comments="")
{report}\
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print("The curves are in {CURVES}; with matplotlib there is a picture, too.")
    else:
{drawing}"""
