"""What it is worth to ask where a learner knows least, in words and numbers. No Streamlit here."""

from __future__ import annotations

from metademo.algorithms.gaussian_process import RBF
from metademo.analysis.asking import POINTS, Asked
from metademo.tasks import WaveFamily
from metademo.ui.scenes.compare_scene import in_a_row

SHOWN = (1, 2, 3, 4, 5, POINTS)
"""Numbers of points."""
BESIDE = (
    f"The same of “{RBF.title}”, a Gaussian process that expects curves to be smooth, and no more: "
    "it asks wherever no point is near, whatever the wave."
)


def task(family: WaveFamily, tasks: int) -> str:
    """What was measured."""
    noise = f", labels with noise of {family.noise:g}" if family.noise else ""
    return f"Mean squared error on {tasks} held-out waves{noise}, by the number of points:"


def table(found: Asked) -> str:
    """In Markdown."""
    rows = [
        f"| {t} | {_error(found.chosen[t].mean())} | {_error(found.random[t].mean())} |"
        for t in SHOWN
    ]
    return "\n".join(["| points | asked there | random |", "|--:|--:|--:|", *rows])


def verdict(found: Asked) -> str:
    """With how many points it helps, and with how many it does not."""
    counts: dict[str, list[str]] = {"helps": [], "does harm": [], "makes no difference": []}
    for t in SHOWN:
        counts[_effect(*found.gain(t))].append(str(t))
    parts = [
        f"{effect} with {in_a_row(points)} point{'s' * (points != ['1'])}"
        for effect, points in counts.items()
        if points
    ]
    again = f"{1 - found.places / POINTS:.0%}".replace("%", " %")
    return (
        f"Asking there {'; it '.join(parts)}. Of its {POINTS} questions {again} are at a place "
        "where it has asked before."
    )


def _effect(gain: float, half: float) -> str:
    """What lies within the 95 % interval is no difference."""
    if abs(gain) <= half:
        return "makes no difference"
    return "helps" if gain > 0 else "does harm"


def _error(value: float) -> str:
    return f"{value:.3f}" if value >= 0.0095 else f"{value:.1g}"
