"""A moment as a script: plain PyTorch and NumPy that adapts and draws the very curve of the page.

It is put together from passages, of which a notebook has the same, see `passages`. What is the
learner's own the learner says, see `metademo.algorithms.in_torch`.
"""

from __future__ import annotations

import re
import textwrap

import numpy as np

from metademo.algorithms.in_torch import InTorch, Passage
from metademo.export.moment import Moment
from metademo.tasks import Array
from metademo.tasks.waves_in_numpy import number_in_numpy, wave_in_numpy

CURVES = "curves.csv"
WIDTH = 100
_ERRORS = {
    "l1": ("mean |error|", "np.abs(curve - truth).mean()"),
    "mse": ("mean squared error", "np.square(curve - truth).mean()"),
}


def script(moment: Moment) -> str:
    """The moment as a Python script; "" if the learner has no words for what it does."""
    found = passages(moment)
    if not found:
        return ""
    head = f'"""{title(moment)}.\n\n{_origin(moment)}\n"""\n'
    return joined([head, *(passage.code for passage in found), _main(moment)])


def passages(moment: Moment) -> list[Passage]:
    """All of it but the end, which draws the picture; empty if the learner has no words."""
    told = moment.learner.in_torch(moment.inner_lr)
    start = _start(moment)
    if told is None or not start:
        return []
    return [
        Passage("", _imports(moment)),
        Passage(
            "## The task\n\nWhat the learner sees, and what it should find.", _task(moment, told)
        ),
        *told.passages,
        Passage("## Where it starts\n\n" + _where(moment), start),
        Passage("## Adapting\n\nThe curve after 0, 1, 2, .. steps.", _adapting(told)),
    ]


def title(moment: Moment) -> str:
    """What it shows, in a line: "MAML on 4 points: 5 inner steps"."""
    steps = "1 step" if moment.steps == 1 else f"{moment.steps} steps"
    return f"{_quotable(moment.title)} {moment.sees}: {steps}"


def needs(moment: Moment) -> str:
    """What has to be there before it runs."""
    place = f"Put {moment.file} beside it.\n" if moment.weights else ""
    libraries = "torch numpy matplotlib" + " safetensors" * bool(moment.weights)
    return f"{place}It needs: pip install {libraries}"


def picture(moment: Moment) -> str:
    """The lines that draw the curves, with `plt` at hand."""
    truth = f'plt.plot(grid, truth, "k:", label="{moment.truth_is}")\n' if moment.truth else ""
    points = "" if moment.learner.unlabelled else 'plt.plot(x, y, "o", label="points")\n'
    return f"""\
{truth}plt.plot(grid, curves[0], color="C0", alpha=0.4, label="before any step")
plt.plot(grid, curves[-1], color="C0", label=f"after {{steps}} steps")
{points}plt.title("{_quotable(moment.title)}")
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


def _origin(moment: Moment) -> str:
    """Where the method is from, and what has to be there."""
    citation = textwrap.fill(moment.citation, WIDTH)
    return "\n".join(filter(None, [citation, needs(moment)]))


def _quotable(text: str) -> str:
    """Text that may stand in a string: weights of a visit have any name."""
    return re.sub(r'[\\"{}]|[^\S ]', "'", text)


def _imports(moment: Moment) -> str:
    load = "from safetensors.torch import load_file\n" * bool(moment.weights)
    return f"import numpy as np\nimport torch\n{load}"


def _task(moment: Moment, told: InTorch) -> str:
    """The support set, the settings and the wave."""
    kind = ", dtype=torch.float64)" if told.double else ")"
    x, y = moment.support
    labels = "y = None  # there is no label\n"
    if y is not None:
        labels = wrapped("y = torch.tensor(", numbers(y[0], double=told.double), kind)
    settings = "".join(f"{name} = {value!r}\n" for name, value in told.settings.items())
    low, high = map(number_in_numpy, moment.family.x_range)
    truth = ""
    if moment.truth is not None:
        wave = re.sub(r"\bx\b", "grid", wave_in_numpy(moment.truth))
        truth = f"truth = {wave}  # {moment.truth_is}\n"
    return (
        wrapped("x = torch.tensor(", numbers(x[0], double=told.double), kind)
        + labels
        + f"steps = {moment.steps}\n{settings}"
        + f"grid = np.linspace({low}, {high}, {len(moment.family.grid)})\n{truth}"
    )


def _where(moment: Moment) -> str:
    if moment.weights:
        return f"The meta-trained weights, from `{moment.file}`."
    return "Nothing was trained: this is where it starts."


def _start(moment: Moment) -> str:
    """The lines that make `theta`; "" if there are no words for how it is drawn."""
    if moment.weights:
        return f"""\
weights = load_file("{moment.file}")
theta = {{name: value.requires_grad_() for name, value in weights.items()}}
"""
    draw = moment.learner.draw_in_torch
    return (
        draw
        and f"""\
{draw}

drawn = draw(np.random.default_rng(1))
theta = {{name: value.requires_grad_() for name, value in drawn.items()}}
"""
    )


def _adapting(told: InTorch) -> str:
    return f"""\
inputs = torch.tensor(grid, dtype=torch.float{64 if told.double else 32})
curves = [network(theta, inputs)]
for k in range(steps):
    theta = inner_step(theta, x, y, k)
    curves.append(network(theta, inputs))
curves = torch.stack(curves).detach().numpy()  # after 0, 1, .. steps: (steps + 1, {{grid}})
""".replace("{grid}", "len(grid)")


def _main(moment: Moment) -> str:
    """The end of a script: the curves as a table, how far off they are, the picture."""
    names, columns, report = '"x"', "grid", ""
    if moment.truth is not None:
        names, columns = '"x", "truth"', "grid, truth"
        what, error = _ERRORS[moment.family.metric]
        report = f"""\
    for k, curve in enumerate(curves):
        print(f"step {{k}}: {what} {{{error}:.4f}}")
"""
    drawing = "".join(f"        {line}\n" for line in picture(moment).splitlines())
    return f"""\
if __name__ == "__main__":
    names = [{names}, *(f"step_{{k}}" for k in range(steps + 1))]
    table = np.column_stack([{columns}, *curves])
    np.savetxt("{CURVES}", table, delimiter=",", header=",".join(names), comments="")
{report}\
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print("The curves are in {CURVES}; with matplotlib there is a picture, too.")
    else:
{drawing}"""
