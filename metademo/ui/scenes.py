"""From a view to what the chart shows: curves, panels and sentences. No Streamlit here.

A scene is computed for all inner steps at once, so that the browser can scrub through it alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from metademo.algorithms import Algorithm, Meta
from metademo.checkpoints import Checkpoint
from metademo.evaluation import ERRORS, run_inner_loop
from metademo.figures import style_of
from metademo.tasks import Array, Examples, TaskFamily, Waves
from metademo.ui.chart import Curve, Panel, Series
from metademo.ui.views import DamlView, MamlView, PointsView

IN_WORDS = {
    "maml": "meta-trained",
    "daml": "the network",
    "pretrained": "trained the ordinary way",
    "random": "not trained at all",
}


@dataclass(frozen=True)
class Learner:
    """Something that adapts: an algorithm with meta-parameters."""

    algorithm: Algorithm
    meta: Meta

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Learner:
        return cls(checkpoint.config.learner, checkpoint.meta)

    @property
    def fingerprint(self) -> int:
        """Tells these meta-parameters from others."""
        return zlib.crc32(b"".join(value.numpy().tobytes() for value in self.meta.values()))

    @classmethod
    def untrained(cls, checkpoint: Checkpoint) -> Learner:
        """The same network as it was drawn at random, before any training."""
        learner = checkpoint.config.learner
        return cls(learner, learner.init(np.random.default_rng(1)))


@dataclass(frozen=True)
class Run:
    """One inner loop on a grid: `curves` (steps + 1, points) and inner `losses` (steps + 1,)."""

    curves: Array
    losses: Array

    def errors(self, truth: Array, metric: str = "l1") -> Array:
        """Mean |difference| from `truth` (points,) after each step, or its square."""
        with np.errstate(over="ignore", invalid="ignore"):  # where it ran away
            return ERRORS[metric](self.curves - truth).mean(-1)

    @property
    def diverged(self) -> bool:
        return not np.isfinite(self.curves).all()


@dataclass(frozen=True)
class Scene:
    """What the chart is given: all of it per inner step."""

    curves: list[Curve]
    panels: list[Panel]
    captions: list[str]
    details: list[str]


def adapt(learner: Learner, support: Examples, view: PointsView | DamlView, grid: Array) -> Run:
    """The view's inner loop for one task."""
    run = run_inner_loop(
        learner.algorithm, learner.meta, support, grid, steps=view.steps, inner_lr=view.inner_lr
    )
    return Run(run.curves[:, 0], run.losses[:, 0])


def points_run(view: PointsView, family: TaskFamily, learner: Learner) -> Run:
    """The inner loop on the visitor's points."""
    points = np.array(view.points).reshape(-1, 2)
    return adapt(learner, Examples(points[None, :, 0], points[None, :, 1]), view, family.grid)


def maml_scene(
    view: MamlView, family: TaskFamily, learner: Learner, contrasts: Mapping[str, Learner]
) -> Scene:
    """The MAML page: the true wave, the network at each step, and the contrasts if there are any.

    Args:
        contrasts: learners to show beside it, keyed by their style, e.g. "pretrained".
    """
    grid = family.grid
    runs = {
        name: points_run(view, family, one) for name, one in {"maml": learner, **contrasts}.items()
    }
    truth = view.wave(grid)[0]
    errors = {name: run.errors(truth) for name, run in runs.items()}

    shown = [Curve("truth", "the true wave", truth, *look("truth"), width=1.5)]
    shown += [_line(n, IN_WORDS[n], runs[n].curves, width=2.5) for n in contrasts]
    shown += _before_and_after("maml", runs["maml"])
    panels = [
        Panel("Loss on your points", [_series(n, run.losses) for n, run in runs.items()]),
        Panel("Error against the true wave", [_series(n, e) for n, e in errors.items()]),
    ]
    steps = range(view.steps + 1)
    captions = [_maml_caption(view, k, runs, errors) for k in steps]
    misses = runs["maml"].losses
    details = [_maml_detail(view, family, misses[k] if view.points else None) for k in steps]
    return Scene(shown, panels, captions, details)


def daml_scene(view: DamlView, family: TaskFamily, learner: Learner) -> Scene:
    """The DAML page: the network at each step against the waves that it may be meant to become."""
    grid = family.grid
    run = adapt(learner, Examples(view.inputs(family)[None]), view, grid)
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
        shown.append(Curve(name, wanted + label, truth, *look("truth"), width=1.5, opacity=opacity))
    shown += _before_and_after("daml", run)
    if meant is None:
        nearest = {f"from {label}": values for label, values in errors.items()}
        error_lines = [
            Series(label, list(values), *look(style))
            for (label, values), style in zip(nearest.items(), ("daml", "truth"), strict=True)
        ]
    else:
        error_lines = [_series("daml", errors[meant])]
    panels = [
        Panel("The learned loss: all that it sees", [_series("daml", run.losses)]),
        Panel("True error: it never sees this", error_lines),
    ]
    captions = [_daml_caption(k, run, errors, meant) for k in range(view.steps + 1)]
    return Scene(shown, panels, captions, [])


def wave_name(phase: float) -> str:
    """A wave of amplitude 1 in words: sin(x), sin(x + π), sin(x + 57°)."""
    degrees = round(np.degrees(phase))
    return {0: "sin(x)", 180: "sin(x + π)"}.get(degrees, f"sin(x + {degrees}°)")


def _before_and_after(name: str, run: Run) -> list[Curve]:
    before = Curve(f"{name}-before", "before any step", run.curves[0], *look(name), 1.5, 0.4)
    return [before, _line(name, "after {step} steps", run.curves, width=4.0)]


def _line(name: str, label: str, curves: Array, *, width: float) -> Curve:
    return Curve(name, label, curves, *look(name), width)


def _series(name: str, values: Array) -> Series:
    return Series(IN_WORDS[name], [float(v) for v in values], *look(name))


def look(name: str) -> tuple[tuple[str, str], str]:
    """Colour pair and dash pattern of an algorithm."""
    style = style_of(name)
    return style.colours, style.dash


def after(k: int) -> str:
    return "Before any step" if k == 0 else f"After {k} step{'s' * (k > 1)}"


def _maml_caption(
    view: MamlView, k: int, runs: Mapping[str, Run], errors: Mapping[str, Array]
) -> str:
    if not view.points:
        return "No points yet, so nothing to learn from: this is the network before any step."
    if runs["maml"].diverged:
        return "The steps ran away to infinity: choose a smaller inner learning rate."
    text = f"{after(k)} it is off by {_off(errors['maml'], k)} on average"
    for name, values in errors.items():
        if name != "maml":
            text += f"; {IN_WORDS[name]}, by {_off(values, k)}"
    return text + "."


def ran_away(error: float) -> bool:
    """Whether an error is beyond anything that could be drawn."""
    return not error < 1e6


def _off(errors: Array, k: int) -> str:
    """The error after `k` steps and, if there were any, the one before."""
    off = f"{errors[k]:.2f}" if np.isfinite(errors[k]) else "infinity"
    return f"{off} (before: {errors[0]:.2f})" if k else off


def _maml_detail(view: MamlView, family: TaskFamily, miss: float | None) -> str:
    """A second, smaller sentence: about the points, and about leaving the trained range."""
    parts = []
    if miss is not None and np.isfinite(miss):
        parts.append(f"It passes your points within {miss:.2f} on average.")
    if not (family.contains_phase(view.phase) and family.contains_amplitude(view.amplitude)):
        parts.append("This wave is not one of those it was trained on.")
    return " ".join(parts)


def _daml_caption(k: int, run: Run, errors: Mapping[str, Array], meant: str | None) -> str:
    if run.diverged:
        return "The steps ran away to infinity: choose a smaller inner learning rate."
    nearest = min(errors, key=lambda label: errors[label][k])
    if meant is None:
        return (
            f"{after(k)} it is nearest to {nearest}, off by {errors[nearest][k]:.2f} on average. "
            "It was never trained between the bands."
        )
    return f"{after(k)} it is off from {meant} by {_off(errors[meant], k)} on average."
