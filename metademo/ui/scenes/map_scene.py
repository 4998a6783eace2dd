"""The map of CAVIA's context as the page draws it, with what there is to see. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metademo.algorithms.cavia import CAVIA
from metademo.analysis.context_map import SIDE, STEPS, ContextMap
from metademo.figures import CYCLE
from metademo.moments.views import PointsView
from metademo.tasks import PI, Array, WaveFamily
from metademo.ui.components.kernel.curves import Curve, WaveChart, pi_label, pi_ticks
from metademo.ui.components.kernel.gestures import Point
from metademo.ui.scenes.scenes import look

AWAY = "CAVIA’s steps have run away, so they are on no map."
ALMOST_ALL = 0.9
"""A share of the variance beside which the rest is nothing to look at."""
TELLING = 0.5
"""An R² above which a place is said to tell of the wave."""


@dataclass(frozen=True)
class Task:
    """A held-out task: its place, its phase in turns, its amplitude relative to the largest."""

    place: Point
    turn: float
    size: float


@dataclass(frozen=True)
class MapScene(WaveChart):
    """All that is drawn of a map.

    Attributes:
        sentence: what there is to see.
        detail: how it was measured.
        tasks: held-out tasks.
        cycle: the colours of the phases 0, 1/4, 1/2 and 3/4 of a turn.
        sizes: the least and the greatest amplitude, in words; none if all are the same.
        reach: how far the map goes from its middle to each side.
        side: how many places with a curve there are along each side.
        curves: at these places, row by row upwards, (side x side, points).
        walk: where the visitor's points lead, (S + 1, 2).
    """

    sentence: str
    detail: str
    tasks: Sequence[Task]
    cycle: Sequence[str]
    sizes: Sequence[str]
    reach: float
    side: int
    curves: Array
    walk: Array


def map_scene(found: ContextMap, walk: Array, view: PointsView, family: WaveFamily) -> MapScene:
    """The map with a visitor's walk on it.

    Args:
        walk: of the context, (S + 1, numbers).
    """
    colours, _ = look(CAVIA.name)
    name = "the nearest wave" if view.fitted else "the true wave"
    low, high = family.amplitudes
    return MapScene(
        sentence=_sentence(found, walk.shape[1], family),
        detail=_detail(found, walk.shape[1], family),
        tasks=_tasks(found),
        cycle=CYCLE,
        sizes=[] if low == high else [f"{low:g}", f"{high:g}"],
        reach=found.reach,
        side=SIDE,
        curves=found.curves.reshape(SIDE * SIDE, -1),
        walk=found.plane.places(walk),
        wave=Curve("wave", "the network at the dot", np.empty(0), colours, width=4.0),
        truth=Curve("truth", name, view.wave(found.x)[0], *look("truth"), width=1.5),
        x_range=family.x_range,
        y_range=view.y_range(family),
        x_ticks=pi_ticks(*family.x_range) if family.unit_amplitude else None,
        points=view.points,
    )


def _tasks(found: ContextMap) -> list[Task]:
    waves = found.waves
    turns = (waves.phase / (2 * np.pi)) % 1
    sizes = waves.amplitude / waves.amplitude.max()
    return [
        Task((float(x), float(y)), float(turn), float(size))
        for (x, y), turn, size in zip(found.places, turns, sizes, strict=True)
    ]


def _sentence(found: ContextMap, numbers: int, family: WaveFamily) -> str:
    like = "phase and height" if family.amplitudes[0] != family.amplitudes[1] else "phase"
    ordered = np.nanmax([*found.r_squared, 0]) > TELLING
    lie = (
        f"Waves of like {like} lie side by side, though it was never told what that is."
        if ordered
        else f"Of the {like} of a wave its place says little here."
    )
    return (
        f"No weight moves here: CAVIA’s steps move {numbers} numbers, the context, and so each "
        f"wave has its place among them. {lie} Drag the ringed dot, and the wave follows."
    )


def _detail(found: ContextMap, numbers: int, family: WaveFamily) -> str:
    """How the map was made, and what was measured on it."""
    height = "" if family.unit_amplitude else "A "
    told = " and ".join(
        f"{100 * max(share, 0):.0f} % of {height}{name}"
        for share, name in zip(found.r_squared, ("cos φ", "sin φ"), strict=True)
        if np.isfinite(share)
    )
    explained = f" A linear map of all {numbers} numbers explains {told}" if told else ""
    judged = f" (R² on as many other waves, {height}sin(x + φ))." if told else ""
    first, second = 100 * found.plane.shares
    return (
        f"{len(found.places)} held-out waves, after {STEPS} steps each. The plane is that of their "
        f"two principal directions, and holds {first + second:.3g} % of their variance, the "
        f"horizontal one alone {first:.3g} %.{explained}{judged}{_why_a_line(found, family)}"
    )


def _why_a_line(found: ContextMap, family: WaveFamily) -> str:
    """Why one direction is enough, where it is and the waves say so."""
    within = family.unit_amplitude and family.phases == (0.0, PI)
    if not within or family.two_phase or found.plane.shares[0] < ALMOST_ALL:
        return ""
    return " From 0 to π, cos φ alone tells the phase, so a line is enough."


def phase_labels() -> list[str]:
    """What is written beside the colours of the cycle."""
    return [pi_label(quarter * np.pi / 2) for quarter in range(len(CYCLE))]
