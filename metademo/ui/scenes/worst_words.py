"""The worst four points in words: how much a network fails there, and why. No Streamlit here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from metademo.analysis.worst import APART, Reason, Trial, Worst, rival
from metademo.tasks import Array
from metademo.ui.scenes.compare_scene import in_a_row
from metademo.ui.scenes.facts import error_from
from metademo.ui.scenes.facts import exact as formula_exact
from metademo.ui.scenes.sentences import after, ran_away, wave_name

MOST = 2
"""Reasons that are told."""


def task(trial: Trial) -> str:
    """What is looked for."""
    low, high = trial.family.x_range
    return (
        "Four points on the true wave, at least "
        f"{APART * (high - low):.2f} apart, from which this network goes wrong the most."
    )


def found(trial: Trial, worst: Worst) -> str:
    """Where the worst points are, and how much worse they are than random ones."""
    *first, last = (f"{x:.2f}".replace("-", "−") for x in worst.x)
    return (
        f"{after(trial.steps)} from x = {', '.join(first)} and {last} {_off(worst.error)}. "
        f"The median of {len(worst.errors):,} random fours is {exact(worst.median)}."
    )


def found_formula(trial: Trial, worst: Worst) -> str:
    """How the numbers of `found` were computed."""
    x = trial.family.grid
    return (
        f"{error_from(worst.error, 'true wave', x)}. The same for each of {len(worst.errors):,} "
        "sets of four points that were drawn at random: half of them end below "
        f"{exact(worst.median)}."
    )


def why_formula(trial: Trial, worst: Worst, reasons: Sequence[Reason]) -> str:
    """How the numbers of `why` were computed, or "" where it gives none."""
    if not reasons:
        return ""
    how = " ".join(HOW[reason.trait](reason, trial, worst.x) for reason in reasons[:MOST])
    return (
        f"{how} What is usual is the median over the {len(worst.errors):,} random fours. The last "
        "number is the median of the errors of the tenth of them with the most of it."
    )


def attempt_formula(trial: Trial, yours: float | None) -> str:
    """How the number of `attempt` was computed."""
    return error_from(yours, "true wave", trial.family.grid) if yours is not None else ""


def why(trial: Trial, worst: Worst, reasons: Sequence[Reason]) -> str:
    """Why, as far as the numbers support it."""
    if not reasons:
        return (
            "Why? What was compared does not say: whether another wave passes the points, whether "
            "they share a phase or lie near the zero line, and how wide a stretch they leave out."
        )
    told = [SAY[reason.trait](reason, trial, worst.x) for reason in reasons[:MOST]]
    which = "the first of these" if len(told) > 1 else "this"
    return (
        f"Why? {' '.join(told)} The tenth of the random fours with the most of {which} ends at "
        f"{exact(reasons[0].with_it)} (median)."
    )


def attempt(worst: Worst, yours: float | None) -> str:
    """How the visitor's own worst points compare."""
    if yours is None:
        return "Can you find worse ones? With the points on the wave, place four."
    if yours > worst.error:
        return f"Your worst so far: {exact(yours)}. That beats the search."
    return f"Your worst so far: {exact(yours)}. The search is not beaten."


def exact(error: float) -> str:
    return "more than a million" if ran_away(error) else f"{error:.3f}"


def _off(error: float) -> str:
    return "it has run away" if ran_away(error) else f"it is off by {exact(error)} on average"


def _rival(reason: Reason, trial: Trial, x: Array) -> str:
    other = rival(trial, x)
    assert other is not None  # or it could not pass them nearer than usual
    name = wave_name(float(other.phase[0]), float(other.amplitude[0]))
    return (
        f"Another of its waves, {name}, misses them by only {reason.value:.2f} on average "
        f"({reason.usual:.2f} is usual)."
    )


def _one_phase(reason: Reason, trial: Trial, x: Array) -> str:
    value, usual = (math.degrees(angle) for angle in (reason.value, reason.usual))
    return (
        f"Shifted by half periods, all four lie within {value:.0f}° of each other ({usual:.0f}° is "
        "usual), where the wave only repeats itself, upside down or not."
    )


def _near_zero(reason: Reason, trial: Trial, x: Array) -> str:
    return (
        f"They lie near zero crossings: their median height is {reason.value:.2f} of the "
        f"amplitude ({reason.usual:.2f} is usual)."
    )


def _gap(reason: Reason, trial: Trial, x: Array) -> str:
    return (
        f"They leave a stretch of {1 - reason.value:.0%} of the chart without a point "
        f"({1 - reason.usual:.0%} is usual)."
    )


def _how_rival(reason: Reason, trial: Trial, x: Array) -> str:
    other = rival(trial, x)
    assert other is not None
    gaps = abs(other(x)[0] - trial.wave(x)[0])
    terms = " + ".join(map(formula_exact, gaps))
    return (
        f"Distance of the other wave: {reason.value:.2f} = mean of |other wave − true wave| at the "
        f"four points = ({terms}) / {len(gaps)}."
    )


def _how_one_phase(reason: Reason, trial: Trial, x: Array) -> str:
    turns = sorted(
        math.degrees(angle) % 180 for angle in trial.wave.frequency[0] * x + trial.wave.phase[0]
    )
    return (
        f"Phase: of the points it is {in_a_row(f'{turn:.0f}°' for turn in turns)}, less whole half "
        f"periods of 180°; {math.degrees(reason.value):.0f}° is the shortest stretch of that "
        "circle that holds them all."
    )


def _how_near_zero(reason: Reason, trial: Trial, x: Array) -> str:
    heights = in_a_row(formula_exact(abs(height)) for height in trial.wave(x)[0])
    return (
        f"Height: {reason.value:.2f} = median of |true wave| at the points ({heights}) / amplitude "
        f"{formula_exact(float(trial.wave.amplitude[0]))}."
    )


def _how_gap(reason: Reason, trial: Trial, x: Array) -> str:
    low, high = trial.family.x_range
    widest = (1 - reason.value) * (high - low)
    return f"Stretch: {1 - reason.value:.0%} = {widest:.2f} / {high - low:.2f} of the chart."


Telling = Callable[[Reason, Trial, Array], str]

SAY: dict[str, Telling] = {
    "rival": _rival,
    "one phase": _one_phase,
    "near zero": _near_zero,
    "gap": _gap,
}
"""A sentence for each of `TRAITS`."""
HOW: dict[str, Telling] = {
    "rival": _how_rival,
    "one phase": _how_one_phase,
    "near zero": _how_near_zero,
    "gap": _how_gap,
}
"""And how its numbers were computed."""
