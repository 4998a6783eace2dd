"""From a view to what the chart shows: curves, panels and sentences. No Streamlit here.

A scene is computed for all inner steps at once, so that the browser can scrub through it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from metademo.evaluation import ordered
from metademo.figures import style_of
from metademo.models import Model
from metademo.moments.drawn import Drawn, draw_points, draw_source
from metademo.moments.scaling import Scaling
from metademo.moments.views import DamlView, MamlView, PointsView
from metademo.tasks import Array, WaveFamily, Waves
from metademo.ui.components.kernel.curves import Curve, Panel, Scene, Series, pi_ticks
from metademo.ui.scenes.facts import (
    error_from,
    loss_of,
    sentences,
    steps_of,
    told,
    wave_formula,
)
from metademo.ui.scenes.maml_story import Story
from metademo.ui.scenes.sentences import (
    IN_WORDS,
    RAN_AWAY,
    after,
    descent,
    number,
    ran_away,
    wave_name,
)

Y_RANGE = (-2.0, 2.0)
"""Of the DAML page's chart: its waves are all of amplitude 1."""


def points_chart(
    view: PointsView, family: WaveFamily, label: str, *, details: Sequence[str], **shown: Any
) -> Scene:
    """A chart on which the visitor's points are the support set."""
    scaling = Scaling.of(view.scaling).in_words
    scaled = f"Your points are scaled: {scaling}." if scaling else ""
    return Scene(
        label,
        x_range=family.x_range,
        y_range=view.y_range(family),
        x_ticks=pi_ticks(*family.x_range) if family.unit_amplitude else None,
        points=view.points,
        points_label=view.points_label,
        example=view.example,
        snap="truth" if view.snap else "",
        details=[f"{scaled} {detail}".strip() for detail in details],
        **shown,
    )


def maml_scene(
    view: MamlView, family: WaveFamily, model: Model, contrasts: Mapping[str, Model]
) -> Scene:
    """The MAML page: the wave, the network at each step, and the contrasts if there are any.

    Args:
        contrasts: models to show beside it, keyed by their style, e.g. "pretrained".
    """
    models = {"maml": model, **contrasts}
    runs = {name: draw_points(view, family, one) for name, one in models.items()}
    story = Story(view, family, models, runs)
    name = wave_name(view.phase, view.amplitude)
    shown = [
        Curve(
            "truth",
            story.wave_label,
            story.truth,
            *look("truth"),
            width=1.5,
            about=wave_formula(name, view.frequency, view.shape),
        )
    ]
    shown += [
        _line(n, IN_WORDS[n], runs[n].curves, 2.5, steps_of(contrasts[n].learner, view.inner_lr))
        for n in contrasts
    ]
    shown += _before_and_after("maml", runs["maml"], steps_of(model.learner, view.inner_lr))
    steps = range(view.steps + 1) if view.points else range(0)
    panels = [
        Panel(
            f"Error on {story.points}",
            [
                _series(name, run.misses, [story.about_miss(name, k) for k in steps])
                for name, run in runs.items()
            ],
            note=f"The mean |error|. {descent(model.learner)}",
        ),
        Panel(
            f"Error against {story.wave}",
            [
                _series(name, errors, [story.about_error(name, k) for k in steps])
                for name, errors in story.errors.items()
            ],
            note="The mean |error| over the whole chart. The network never sees it.",
        ),
    ]
    steps = range(view.steps + 1)
    return points_chart(
        view,
        family,
        "Your points and the network's wave",
        curves=shown,
        panels=panels,
        **sentences([story.caption(k) for k in steps], [story.detail(k) for k in steps]),
    )


def daml_scene(view: DamlView, family: WaveFamily, model: Model) -> Scene:
    """The DAML page: the network at each step against the waves that it may be meant to become."""
    grid = family.grid
    run = draw_source(view, family, model)
    band = family.band_of(view.source)
    meant = None if band is None else wave_name(band.phase(view.source))
    # Of two waves both are shown, of a continuum only the one that the input stands for.
    phases = family.phases if family.two_phase or band is None else [band.phase(view.source)]
    truths = {wave_name(phase): Waves.one(phase=phase)(grid)[0] for phase in phases}
    errors = {label: run.errors(truth) for label, truth in truths.items()}

    shown = []
    for i, (label, truth) in enumerate(truths.items()):
        wanted = "the wave it stands for: " if label == meant else ""
        opacity = 1.0 if label == meant else 0.45
        name = f"truth {i}"
        curve = Curve(name, wanted + label, truth, *look("truth"), width=1.5, about=f"y = {label}")
        shown.append(replace(curve, opacity=opacity))
    shown += _before_and_after("daml", run, steps_of(model.learner, view.inner_lr))
    away = {
        label: [error_from(value, label, grid) for value in values]
        for label, values in errors.items()
    }
    if meant is None:
        error_lines = [
            Series(f"from {label}", list(values), *look(style), away[label])
            for (label, values), style in zip(errors.items(), ("daml", "truth"), strict=True)
        ]
    else:
        error_lines = [_series("daml", errors[meant], away[meant])]
    losses = [loss_of(model.learner, run, k) for k in range(view.steps + 1)]
    panels = [
        Panel("The learned loss: all that it sees", [_series("daml", run.losses, losses)]),
        Panel("True error: it never sees this", error_lines),
    ]
    steps = range(view.steps + 1)
    details = [_daml_detail(k, run) for k in steps]
    return Scene(
        "The network's wave in the target domain",
        shown,
        x_range=family.x_range,
        y_range=Y_RANGE,
        x_ticks=pi_ticks(*family.x_range),
        panels=panels,
        **sentences(
            [_daml_caption(k, errors, grid, meant) for k in steps], details if any(details) else []
        ),
        height=330,
    )


def _before_and_after(name: str, run: Drawn, about: str) -> list[Curve]:
    start = "y = f(x; θ₀): the network with its meta-trained weights θ₀, before it sees anything"
    before = Curve(
        f"{name}-before", "before any step", run.curves[0], *look(name), 1.5, 0.4, about=start
    )
    return [before, _line(name, "after {steps}", run.curves, 4.0, about)]


def _line(name: str, label: str, curves: Array, width: float, about: str) -> Curve:
    return Curve(name, label, curves, *look(name), width, about=about)


def _series(name: str, values: Array, about: Sequence[str]) -> Series:
    return Series(IN_WORDS[name], [float(v) for v in values], *look(name), about)


def look(name: str) -> tuple[tuple[str, str], str]:
    """Colour pair and dash pattern of an algorithm."""
    style = style_of(name)
    return style.colours, style.dash


def _daml_caption(k: int, errors: Mapping[str, Array], x: Array, meant: str | None) -> str:
    def said(label: str, k: int) -> str:
        error = errors[label][k]
        return told(number(error), error_from(error, label, x))

    nearest = min(errors, key=lambda label: ordered(errors[label][k]))
    if ran_away(errors[nearest][k]):
        return f"{after(k)} {RAN_AWAY}"
    if meant is None:
        return (
            f"{after(k)} it is nearest to {nearest}, off by {said(nearest, k)} on "
            "average. It was never trained between the bands."
        )
    before = f" (before: {said(meant, 0)})" if k else ""
    return f"{after(k)} it is off from {meant} by {said(meant, k)} on average{before}."


def _daml_detail(k: int, run: Drawn) -> str:
    """That nothing moves any more, where that is so."""
    ahead = run.curves[k + 1 :]
    if not len(ahead) or not np.isfinite(ahead).all() or (ahead != run.curves[k]).any():
        return ""
    reason = "" if run.losses[k:].any() else "the learned loss is 0, so "
    return f"From here on {reason}further steps change nothing."
