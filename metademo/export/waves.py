"""A wave as a subject: a learner on the visitor's points, or at a source input, as a script."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from metademo.algorithms import Conditioned
from metademo.algorithms.in_torch import InTorch
from metademo.evaluation import Z90
from metademo.export.subject import Subject
from metademo.export.text import numbers, quotable, wrapped
from metademo.models import Model
from metademo.moments.candidates import Candidate
from metademo.moments.scaling import UNSCALED, Scaling
from metademo.moments.views import CompareView, DamlView, PointsView
from metademo.tasks import Examples, WaveFamily, Waves
from metademo.tasks.waves_in_numpy import number_in_numpy, wave_in_numpy

CURVES = "curves.csv"
_ERRORS = {
    "l1": ("mean |error|", "np.abs(curve - truth).mean()"),
    "mse": ("mean squared error", "np.square(curve - truth).mean()"),
}


@dataclass(frozen=True, kw_only=True)
class WaveSubject(Subject):
    """One learner on one task's points, or at its source inputs: its script draws the curve.

    Attributes:
        truth: the wave that is to be found; None if the support set stands for none.
        truth_is: what to call it.
        scaling: how the visitor's own numbers lie on the chart.
    """

    lacking = "place a point first, for without any there is nothing to learn from"
    finds = "draws this very curve"
    adapting_is = "The curve after 0, 1, 2, .. steps."
    without_picture = f"The curves are in {CURVES}; with matplotlib there is a picture, too."

    family: WaveFamily
    truth: Waves | None
    truth_is: str = "the true wave"
    scaling: Scaling = UNSCALED

    @property
    def sees(self) -> str:
        count = self.support.x.shape[1]
        what = "source input" if self.learner.unlabelled else "point"
        return f"on {count} {what}{'s' * (count != 1)}"

    @property
    def by_points(self) -> bool:
        """Whether each of its steps is one more point that it sees."""
        return isinstance(self.learner, Conditioned)

    @property
    def taken(self) -> str:
        if self.by_points:
            return f"0 to {min(self.steps, self.support.x.shape[1])} seen"
        return super().taken

    def task(self, told: InTorch) -> str:
        kind = ", dtype=torch.float64)" if told.double else ")"
        x, y = self.support
        labels = "y = None  # there is no label\n"
        if y is not None:
            labels = wrapped("y = torch.tensor(", numbers(y[0], double=told.double), kind)
        settings = "".join(f"{name} = {value!r}\n" for name, value in told.settings.items())
        each = "  # one more point is seen at each of them" if self.by_points else ""
        low, high = map(number_in_numpy, self.family.x_range)
        truth = ""
        if self.truth is not None:
            wave = re.sub(r"\bx\b", "grid", wave_in_numpy(self.truth))
            truth = f"truth = {wave}  # {self.truth_is}\n"
        return (
            wrapped(
                f"{self.learner.inputs_in_torch} = torch.tensor(",
                numbers(x[0], double=told.double),
                kind,
            )
            + labels
            + f"steps = {self.steps}{each}\n{settings}"
            + f"grid = np.linspace({low}, {high}, {len(self.family.grid)})\n{truth}"
            + _own(self.scaling)
        )

    def adapting(self, told: InTorch) -> str:
        inputs = f"inputs = torch.tensor(grid, dtype=torch.float{64 if told.double else 32})\n"
        found = f"run(theta, {self.learner.inputs_in_torch}, y, inputs, steps)"
        if told.std:
            return f"{inputs}curves, std = (values.numpy() for values in {found})\n"
        return f"{inputs}curves = {found}.numpy()  # (steps + 1, len(grid))\n"

    @property
    def own(self) -> str:
        if self.scaling == UNSCALED:
            return ""
        std = f"std = {self.scaling.y.unit!r} * std\n" if self._sure else ""
        return (
            "x, y, grid = own_x(x), own_y(y), own_x(grid)\n"
            f"truth, curves = own_y(truth), own_y(curves)\n{std}"
        )

    @property
    def results(self) -> str:
        """The curves as a table, and how far off they are."""
        names, columns, report, stds, std = '"x"', "grid", "", "", ""
        if self._sure:
            stds = 'names += [f"std_{k}" for k in range(steps + 1)]\n'
            std = ", *std"
        if self.truth is not None:
            names, columns = '"x", "truth"', "grid, truth"
            what, error = _ERRORS[self.family.metric]
            report = f"""\
for k, curve in enumerate(curves):
    print(f"step {{k}}: {what} {{{error}:.4f}}")
"""
        return f"""\
names = [{names}, *(f"step_{{k}}" for k in range(steps + 1))]
{stds}\
table = np.column_stack([{columns}, *curves{std}])
np.savetxt("{CURVES}", table, delimiter=",", header=",".join(names), comments="")
{report}"""

    @property
    def picture(self) -> str:
        truth = f'plt.plot(grid, truth, "k:", label="{self.truth_is}")\n' if self.truth else ""
        points = "" if self.learner.unlabelled else 'plt.plot(x, y, "o", label="points")\n'
        return f"""\
{truth}plt.plot(grid, curves[0], color="C0", alpha=0.4, label="before any step")
plt.plot(grid, curves[-1], color="C0", label=f"after {{steps}} steps")
{_BAND if self._sure else ""}{points}plt.title("{quotable(self.title)}")
plt.legend()
plt.show()
"""

    @property
    def _sure(self) -> bool:
        """Whether there is the standard deviation `std` of its curves."""
        return bool(self.told and self.told.std)


_BAND = f"""\
low, high = curves[-1] - {Z90} * std[-1], curves[-1] + {Z90} * std[-1]
plt.fill_between(grid, low, high, color="C0", alpha=0.2, label="90 % band")
"""


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


def of_points(view: PointsView, family: WaveFamily, model: Model, weights: str) -> WaveSubject:
    """Weights on the visitor's points, as the MAML page shows them."""
    points = np.array(view.points).reshape(-1, 2)
    return WaveSubject(
        title=model.learner.title,
        model=model,
        family=family,
        support=Examples(points[None, :, 0], points[None, :, 1]),
        steps=view.steps,
        inner_lr=view.inner_lr,
        truth=view.wave,
        truth_is="the nearest wave" if view.fitted else "the true wave",
        weights=weights,
        scaling=Scaling.of(view.scaling),
    )


def of_source(view: DamlView, family: WaveFamily, model: Model, weights: str) -> WaveSubject:
    """Weights at a source input, as the DAML page shows them."""
    band = family.band_of(view.source)
    return WaveSubject(
        title=model.learner.title,
        model=model,
        family=family,
        support=Examples(view.inputs(family)[None]),
        steps=view.steps,
        inner_lr=view.inner_lr,
        truth=None if band is None else Waves.one(phase=band.phase(view.source)),
        truth_is="the wave it stands for",
        weights=weights,
    )


def of_compared(
    view: CompareView, family: WaveFamily, one: Candidate, steps: int
) -> WaveSubject | None:
    """One of the learners that the Compare page shows; None if it can't take part.

    Args:
        steps: that it is shown for, see `Compared.steps`.
    """
    found = of_points(view.changed(steps=steps), family, one.model, one.weights)
    found = replace(found, title=one.title)
    if not one.model.learner.unlabelled:
        return found
    source = family.source_of(view.phase)
    return None if source is None else replace(found, support=Examples(np.array([[source]])))
