"""`inspect`: what an inner loop walks on, and why it works, as numbers."""

from __future__ import annotations

import argparse
import math
from typing import TypeVar

import numpy as np

from metademo.algorithms import Learner
from metademo.analysis.backward import angle, backward
from metademo.analysis.gradients import slopes
from metademo.analysis.ground import Plane, reach_of, slice_of, walked_plane
from metademo.analysis.units import Layer, parts
from metademo.analysis.walk import Walk
from metademo.command_line.arguments import Commands, add_command, load_weights
from metademo.command_line.reports import (
    BackwardReport,
    GradientsReport,
    InspectReport,
    PlaneReport,
    SliceReport,
    UnitsReport,
)
from metademo.command_line.support import adaptation, add_support, points, sources
from metademo.formats import readable
from metademo.models import Model
from metademo.network import Regressor
from metademo.reports import Report
from metademo.tasks import Array, Examples, WaveFamily, Waves, as_waves

R = TypeVar("R", bound=Report)


def add(commands: Commands) -> None:
    text = "what an inner loop walks on: losses along it and around it, gradients, units"
    parser = add_command(commands, "inspect", run, text)
    parser.add_argument("weights", help="a file, or the name of shipped weights")
    add_support(parser)


def run(arguments: argparse.Namespace) -> int:
    checkpoint = load_weights(arguments.weights)
    learner, family = checkpoint.config.learner, as_waves(checkpoint.config.task_family)
    steps = adaptation(arguments, learner).steps
    support, wave = _task(arguments, learner, family)
    walk = Walk.of(
        Model.of(checkpoint),
        support,
        family.grid,
        wave(family.grid)[0],
        metric=family.metric,
        steps=steps,
    )
    if walk.ran_away:
        raise ValueError("the inner loop diverged: take fewer --steps or points nearer to the wave")
    report = _report(learner.name, family.name, walk, wave)
    if arguments.json:
        print(report.to_json())
    else:
        _print(report)
    return 0


def _task(
    arguments: argparse.Namespace, learner: Learner, family: WaveFamily
) -> tuple[Examples[Array], Waves]:
    """What is seen, and the wave that it is measured against.

    That is the family's wave that passes nearest to the points, or the one that the first source
    input stands for.

    Raises:
        ValueError: for a source input that stands for none.
    """
    if learner.unlabelled:
        seen = sources(arguments.source)
        band = family.band_of(seen[0])
        if band is None:
            raise ValueError(f"the source input {seen[0]:g} stands for no wave of {family.name}")
        return Examples(np.array([seen])), Waves.one(phase=band.phase(seen[0]))
    x, y = np.array(points(arguments.points)).T
    middle = Waves.one(float(np.mean(family.amplitudes)), phase=family.phases[0])
    return Examples(x[None], y[None]), family.nearest(x, y, middle)


def _report(algorithm: str, family: str, walk: Walk, wave: Waves) -> InspectReport:
    return InspectReport(
        algorithm=algorithm,
        family=family,
        amplitude=float(wave.amplitude[0]),
        phase=float(wave.phase[0]),
        steps=walk.steps,
        slice=_told(SliceReport, slice_of(walk)),
        plane=_told(PlaneReport, Plane(walk, walked_plane(walk), reach_of(walk))),
        gradients=_told(GradientsReport, slopes(walk)),
        units=_all_units(walk),
        backward=_backward(walk),
    )


def _told(kind: type[R], found: object) -> R:
    """A report of what has its fields by the same names, as arrays or numbers."""
    values = {name: getattr(found, name) for name in kind.model_fields}
    return kind(**{n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in values.items()})


def _all_units(walk: Walk) -> list[UnitsReport]:
    """Of both hidden layers; none of a network that can't be taken apart."""
    if not isinstance(walk.learner.network, Regressor):
        return []
    return [_units(layer) for layer in parts(walk, walk.truth.x[0].numpy()).layers]


def _units(layer: Layer) -> UnitsReport:
    return UnitsReport(
        layer=layer.number,
        moved=layer.moved.tolist(),
        order=layer.order.tolist(),
        pushes=layer.pushes.tolist(),
    )


def _backward(walk: Walk) -> BackwardReport:
    lambdas = backward(walk)
    way = walk.weights[0] - walk.weights[-1]
    return BackwardReport(
        lengths=lambdas.norm(dim=1).tolist(),
        first_order=_known(angle(lambdas[0], lambdas[-1])),
        reptile=_known(angle(lambdas[0], way)),
    )


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _print(report: InspectReport) -> None:
    degrees = math.degrees(report.phase)
    print(
        f"{report.algorithm} on {report.family}, against a wave of amplitude "
        f"{report.amplitude:.3g} and phase {degrees:.0f}°"
    )
    print("  step  inner loss  true error   |g inner|    |g true|      cosine   off plane")
    slopes, plane = report.gradients, report.plane
    rows = zip(
        slopes.inner,
        slopes.true,
        slopes.inner_length,
        slopes.true_length,
        slopes.cosine,
        plane.lost,
        strict=True,
    )
    for k, (*numbers, cosine, lost) in enumerate(rows):
        text = "".join(f"{readable(value):>12}" for value in numbers)
        told = f"{cosine:.3f}" if cosine is not None and math.isfinite(cosine) else "undefined"
        print(f"  {k:>4}{text}{told:>12}{lost:>11.1%}")
    found = report.slice
    print(
        f"the way is {found.length:.3g} long, among weights of length {found.norm:.3g}; on its line"
    )
    print("       s       error  upside down  inner loss")
    for s in (-1.0, -0.5, 0.0, 0.5, 1.0):
        i = int(np.argmin(np.abs(np.array(found.s) - s)))
        values = (found.true[i], found.mirror[i], found.inner[i])
        print(f"  {s:>6.1f}" + "".join(f"{readable(value):>12}" for value in values))
    back = report.backward
    angles = {"first-order MAML": back.first_order, "Reptile": back.reptile}
    told = ", ".join(f"{name} by {a:.0f}°" for name, a in angles.items() if a is not None)
    print(f"off the way that MAML would learn from this task: {told or 'undefined'}")
    for units in report.units:
        most = ", ".join(f"{i + 1} ({units.moved[i]:.3g})" for i in units.order[:5])
        print(f"layer {units.layer}: the units that moved most: {most}")
