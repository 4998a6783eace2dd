"""From a view to the chart of the Compare page: several learners on the same points. No Streamlit.

What is told of them on many other tasks is in `scores_scene`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from metademo.evaluation import ordered
from metademo.moments.compared import Compared
from metademo.moments.outside import ATTRIBUTES, Attribute
from metademo.moments.views import CompareView, PointsView
from metademo.tasks import Array, WaveFamily
from metademo.ui.components.kernel.curves import Curve, Panel, Scene, Series
from metademo.ui.scenes.facts import error_from, loss_of, sentences, steps_of, told, wave_formula
from metademo.ui.scenes.scenes import look, points_chart
from metademo.ui.scenes.sentences import after, ran_away, wave_name

CEILING = 1e9
"""What has run away is drawn as if it were here, above every axis."""


def compare_scene(view: CompareView, family: WaveFamily, compared: Compared) -> Scene:
    """The learners' curves, their losses and errors, and what to say of them at each step.

    Those shown for fewer steps than the others stay where their own end.
    """
    metric, runs = family.metric, compared.runs
    truth = view.wave(family.grid)[0]
    name = wave_name(view.phase, view.amplitude)
    about = wave_formula(name, view.frequency, view.shape)
    curves = [Curve("truth", "the true wave", truth, *look("truth"), 1.5, about=about)]
    curves += [
        Curve(
            one.name,
            one.title,
            runs[one.name].curves,
            *one.colours_and_dash,
            3.0,
            about=steps_of(one.model.learner, view.inner_lr),
        )
        for one in compared.shown
    ]
    losses = {name: run.losses for name, run in runs.items()}
    seen = {
        one.name: [loss_of(one.model.learner, runs[one.name], k) for k in range(len(values))]
        for one in compared.shown
        for values in [losses[one.name]]
        if view.points or one.model.learner.unlabelled
    }
    away = {
        name: [error_from(value, "true wave", family.grid, metric) for value in values]
        for name, values in compared.errors.items()
    }
    what = "Error against the true wave" if metric == "l1" else "Squared error, true wave"
    panels = [
        Panel("Loss on what each one sees", _series(compared, losses, seen), log=True),
        Panel(what, _series(compared, compared.errors, away), log=True),
    ]
    steps = range((compared.most_steps if compared.shown else view.steps) + 1)
    return points_chart(
        view,
        family,
        "Your points and the waves of all networks",
        curves=curves,
        panels=panels,
        **sentences(
            [_caption(view, k, compared, metric, family.grid) for k in steps],
            [_detail(view, family, k, compared) for k in steps],
        ),
    )


def _series(
    compared: Compared, values: Mapping[str, Array], about: Mapping[str, Sequence[str]]
) -> list[Series]:
    return [
        Series(
            one.title,
            _drawable(values[one.name]),
            *one.colours_and_dash,
            about.get(one.name, ()),
        )
        for one in compared.shown
    ]


def _drawable(values: Array) -> list[float]:
    """What has run away lies at the ceiling; no number from the start means nothing to tell of."""
    if np.isnan(values[0]):
        return values.tolist()
    return np.minimum(ordered(values), CEILING).tolist()


def _caption(view: CompareView, k: int, compared: Compared, metric: str, x: Array) -> str:
    if not compared.shown:
        return "Choose at least one way of learning."
    if not view.points:
        return "No points yet, so nothing to learn from: these are the networks before any step."
    errors = {one.title: ordered(compared.errors[one.name]) for one in compared.shown}
    off = {title: float(values[min(k, len(values) - 1)]) for title, values in errors.items()}
    when = after(k)
    if any(k > compared.steps[one.name] for one in compared.shown):
        when += ", or as many as each was trained for,"
    best, worst = min(off, key=off.__getitem__), max(off, key=off.__getitem__)
    if len(off) == 1 or not np.isfinite(off[best]):
        return f"{when} {best} {_off(off[best], metric, x)}."
    text = f"{when} {best} is nearest, {_off(off[best], metric, x, after_is=True)}; "
    if ran_away(off[worst]):
        return f"{text}{worst} diverges."
    return f"{text}furthest is {worst}, {_off(off[worst], metric, x, short=True)}."


def _off(
    error: float, metric: str, x: Array, *, short: bool = False, after_is: bool = False
) -> str:
    if ran_away(error):
        return "diverges"
    number = f"{error:.3f}" if error < 0.1 else f"{error:.2f}"
    number = told(
        "less than 0.001" if error < 0.001 else number, error_from(error, "true wave", x, metric)
    )
    if short:
        return f"by {number}" if metric == "l1" else number
    text = f"off by {number} on average" if metric == "l1" else f"with a squared error of {number}"
    return text if after_is else f"is {text}"


def _detail(view: CompareView, family: WaveFamily, k: int, compared: Compared) -> str:
    """Who is shown after which steps, who can't take part, and what is outside of training."""
    parts = [_steps(view, k, compared)]
    outside = [
        f"{attribute.title.lower()} {attribute.in_words(view.value(name))} "
        f"(trained: {attribute.trained_in_words(family)})"
        for name, attribute in outside_of(view, family).items()
    ]
    if outside:
        parts.append(f"Outside of what they were trained on: {', '.join(outside)}.")
    for one in compared.chosen:
        if one.model.learner.unlabelled:
            parts.append(
                f"{one.title} sees no points, but one unlabelled input that stands for the wave."
                if one.name in compared.runs
                else f"{one.title} is not shown: no source input stands for this wave."
            )
    return " ".join(part for part in parts if part)


def outside_of(view: PointsView, family: WaveFamily) -> dict[str, Attribute]:
    """The attributes in which the true wave is not one of the family's, by name."""
    return {
        name: attribute
        for name, attribute in ATTRIBUTES.items()
        if not attribute.contains(family, view.value(name))
    }


def _steps(view: CompareView, k: int, compared: Compared) -> str:
    """Which numbers of steps the learners were trained for, where those are not the ones shown."""
    if view.own_steps:
        takers: dict[int, list[str]] = {}
        for one in compared.shown:
            takers.setdefault(compared.steps[one.name], []).append(one.title)
        if len(takers) < 2:
            return ""
        listed = [f"{n} by {in_a_row(titles)}" for n, titles in sorted(takers.items())]
        return f"Steps, as many as each was trained for: {'; '.join(listed)}."
    trained = {one.title: one.trained_steps for one in compared.shown if one.trained_steps}
    beyond = {title: steps for title, steps in trained.items() if k > steps}
    short = {title: steps for title, steps in trained.items() if k == view.steps < steps}
    return " ".join(
        f"{which} steps than trained for: "
        f"{in_a_row(f'{title} ({steps})' for title, steps in those.items())}."
        for which, those in (("More", beyond), ("Fewer", short))
        if those
    )


def in_a_row(names: Iterable[str]) -> str:
    """A, B and C."""
    *others, last = [*names] or [""]
    return f"{', '.join(others)} and {last}" if others else last
