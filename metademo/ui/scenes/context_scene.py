"""From a view to the chart of the page In context: a learner that takes no gradient steps.

Its steps are points: what the chart shows at step t, it has made of the first t of them. No
Streamlit here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from metademo.evaluation import Z90
from metademo.models import Model
from metademo.moments.drawn import Ends, draw_ends
from metademo.moments.views import ContextView
from metademo.tasks import CURVES, Array, WaveFamily
from metademo.ui.components.kernel.curves import Band, Color, Curve, Panel, Scene, Series
from metademo.ui.scenes.compare_scene import outside_of
from metademo.ui.scenes.facts import error_from, exact, sentences, steps_of, told, wave_formula
from metademo.ui.scenes.scenes import look, points_chart
from metademo.ui.scenes.sentences import number, ran_away, wave_name

BAND = "90\u00a0% band"
HELD = (0.87, 0.93)
"""Of the truth a 90 % band should cover so much on many tasks; otherwise its width is off."""
SURELY_WRONG = 0.5
"""So little of the wave in a 90 % band that it misleads."""
MARK = 0.015
"""Half the width of the mark where a learner knows least, as a share of the x axis."""


def seen(t: int) -> str:
    return f"after {t} point{'s' * (t != 1)}" if t else "before any point"


@dataclass(frozen=True)
class ContextStory:
    """What there is to draw and to say of one view.

    Attributes:
        run: the learner, after each of the points.
        beside: MAML after its steps on as many points, if there is one for the family.
    """

    view: ContextView
    family: WaveFamily
    model: Model
    run: Ends
    beside: Ends | None = None

    @cached_property
    def truth(self) -> Array:
        return self.view.wave(self.family.grid)[0]

    @cached_property
    def errors(self) -> Array:
        return _errors(self.run, self.truth)

    @cached_property
    def beside_errors(self) -> Array | None:
        return None if self.beside is None else _errors(self.beside, self.truth)

    @cached_property
    def covered(self) -> Array | None:
        """The share of the wave that the band covers after each point."""
        if self.run.std is None:
            return None
        return (np.abs(self.truth - self.run.curves) <= Z90 * self.run.std).mean(-1)

    @property
    def wave(self) -> str:
        return "the nearest wave" if self.view.fitted else "the true wave"

    def caption(self, t: int) -> str:
        """The large sentence after `t` points."""
        when, what = seen(t).capitalize(), self.wave.removeprefix("the ")
        off = told(number(self.errors[t]), error_from(self.errors[t], what, self.family.grid))
        text = f"{when} it is off by {off} on average from {self.wave}, and no weight has changed"
        if not t or self.beside_errors is None:
            return f"{text}."
        error = self.beside_errors[t]
        steps = f"MAML, after {self.view.steps} gradient steps on the same points"
        if ran_away(error):
            return f"{text}. {steps}, has run away."
        about = error_from(error, what, self.family.grid, who="MAML")
        return f"{text}. {steps}, is off by {told(number(error), about)}."

    def detail(self, t: int, coverage: float | None) -> str:
        """The smaller sentences.

        Args:
            coverage: of the band after as many points on held-out tasks, if it was measured.
        """
        parts = []
        if self.view.example:
            parts.append("These points are an example: click anywhere to place your own.")
        outside = self._outside()
        if outside:
            parts.append(f"Outside of what it was trained on: {outside}.")
        if self.covered is not None:
            share = f"{self.covered[t]:.0%}".replace("%", "\u00a0%")
            about = (
                f"{share} of the {len(self.family.grid)} points of the grid, where "
                f"|mean − {self.wave.removeprefix('the ')}| ≤ {Z90:.3f} standard deviations"
            )
            width = "" if coverage is None or outside else width_in_words(coverage)
            if outside and t and self.covered[t] < SURELY_WRONG:
                width = ": it is confidently wrong"
            parts.append(f"Its {BAND} covers {told(share, about)} of {self.wave}{width}.")
        if self.beside is not None and t and self.view.noise:
            parts.append("The labels are noisy: MAML, which has no band at all, follows the noise.")
        return " ".join(part for part in parts if part)

    def _outside(self) -> str:
        return ", ".join(
            f"{attribute.title.lower()} {attribute.in_words(self.view.value(name))} "
            f"(trained: {attribute.trained_in_words(self.family)})"
            for name, attribute in outside_of(self.view, self.family).items()
        )


def _errors(run: Ends, truth: Array) -> Array:
    """Mean |difference| after each point, (points + 1,)."""
    with np.errstate(over="ignore", invalid="ignore"):  # where it ran away
        return CURVES.metrics["l1"](run.curves, truth)


def width_in_words(coverage: float) -> str:
    """What is wrong with a band's width, if anything is."""
    low, high = HELD
    coverage = round(coverage, 2)  # as it is told
    share = f"{coverage:.0%}".replace("%", "\u00a0%")
    if coverage > high:
        return f" (of held-out waves {share}: it is wider than it need be)"
    if coverage < low:
        return f" (of held-out waves {share}: it is narrower than it should be)"
    return ""


def context_story(
    view: ContextView, family: WaveFamily, model: Model, beside: Model | None
) -> ContextStory:
    """Have the learner read the points, and MAML take its steps on the first 0, 1, .. of them."""
    run = draw_ends(view, family, model)
    there = draw_ends(view, family, beside) if beside else None
    return ContextStory(view, family, model, run, there)


def widest(view: ContextView, family: WaveFamily, model: Model) -> float | None:
    """Where the learner knows least once it has seen all points; None if it can't tell."""
    run = draw_ends(view, family, model)
    return None if run.std is None else float(family.grid[int(run.std[-1].argmax())])


def context_scene(story: ContextStory, name: str, title: str, coverage: Sequence[float]) -> Scene:
    """The chart.

    Args:
        name, title: of the learner's algorithm.
        coverage: of its band on held-out tasks after 0, 1, .. points, as far as it was measured.
    """
    view, family = story.view, story.family
    stages = range(len(view.points) + 1)

    def covered(t: int) -> float | None:
        return coverage[t] if 0 < t < len(coverage) else None

    return points_chart(
        view,
        family,
        f"Your points and what {title} makes of them",
        curves=_curves(story, name, title),
        panels=_panels(story, name, title),
        stands=[seen(t) for t in stages],
        **sentences(
            [story.caption(t) for t in stages],
            [story.detail(t, covered(t)) for t in stages],
        ),
    )


def _curves(story: ContextStory, name: str, title: str) -> list[Curve]:
    view, run = story.view, story.run
    about = wave_formula(wave_name(view.phase, view.amplitude), view.frequency, view.shape)
    shown = [Curve("truth", story.wave, story.truth, *look("truth"), 1.5, about=about)]
    if story.beside is not None:
        steps = f"MAML, {view.steps} steps"
        told = "y = f(x; θ) after the gradient steps of MAML on the points seen so far"
        shown.append(Curve("maml", steps, story.beside.curves, *look("maml"), 1.5, about=told))
    about = steps_of(story.model.learner, None)
    label = f"{title}, after {{points}}"
    colour, _ = look(name)  # one solid line: a dashed wave lies beneath it
    curve = Curve(name, label, run.curves, colour, width=4.0, about=about)
    if run.std is None:
        return [*shown, curve]
    band = _band(run.curves, run.std)
    return [*shown, _mark(story, band, colour), replace(curve, band=band)]


def _band(mean: Array, std: Array) -> Band:
    about = f"mean ± {Z90:.3f} standard deviations: nine of ten waves should lie in it at each x"
    return Band(BAND, mean - Z90 * std, mean + Z90 * std, about=about)


def _mark(story: ContextStory, band: Band, colour: Color) -> Curve:
    """The band once more, darker, where it is widest."""
    assert story.run.std is not None
    x = story.family.grid
    half = MARK * (x[-1] - x[0])
    places = np.clip(x[story.run.std.argmax(-1)], x[0] + half, x[-1] - half)
    far = np.abs(x - places[:, None]) > half
    low, high = (np.where(far, np.nan, edge) for edge in (band.low, band.high))
    about = "where the standard deviation is largest: what it says there would tell most"
    return Curve(
        "widest",
        "",
        np.full_like(band.low, np.nan),
        colour,
        legend=False,
        band=Band("where it knows least", low, high, 0.5, about),
    )


def _panels(story: ContextStory, name: str, title: str) -> list[Panel]:
    what, grid = story.wave.removeprefix("the "), story.family.grid

    def line(label: str, style: str, errors: Array) -> Series:
        about = [error_from(e, what, grid) for e in errors]
        return Series(label, [float(e) for e in errors], *look(style), about)

    series = [line(title, name, story.errors)]
    if story.beside_errors is not None:
        series.append(line("MAML", "maml", story.beside_errors))
    note = "The mean |error| over the whole chart, after so many points."
    panels = [Panel(f"Error against {story.wave}", series, note=note)]
    if story.run.std is not None:
        wide = 2 * Z90 * story.run.std.max(-1)
        about = [f"{exact(w)} = 2 × {Z90:.3f} × the largest standard deviation" for w in wide]
        widths = Series(title, [float(w) for w in wide], *look(name), about)
        panels.append(Panel(f"Its {BAND} where it is widest", [widths]))
    return panels
