"""Numbers that say what they are: each with the formula it was computed by, its values put in.

A sentence is put together with its numbers marked (`told`), and then taken apart into what is read
and what is known of each number (`unfold`). No Streamlit here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from metademo.algorithms import GradientBased, Learner
from metademo.algorithms.step_sizes import LearnedStepSizes
from metademo.moments.drawn import Drawn
from metademo.tasks import Array

_MARKED = re.compile("\ue000([^\ue001]*)\ue001([^\ue002]*)\ue002")
MOST_TERMS = 6
"""So many gaps are written out at most."""


def told(shown: str, about: str) -> str:
    """A number for a sentence, with what is known of it."""
    return f"\ue000{shown}\ue001{about}\ue002" if about else shown


def unfold(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The sentence as it is read; and each number marked in it, in turn, with its formula."""
    return _MARKED.sub(r"\1", text), [(m[1], m[2]) for m in _MARKED.finditer(text)]


def sentences(captions: Sequence[str], details: Sequence[str]) -> dict[str, Any]:
    """Marked sentences as the arguments of a `Scene`."""
    found: dict[str, Any] = {}
    for name, marked in (("caption", captions), ("detail", details)):
        pairs = [unfold(text) for text in marked]
        found[f"{name}s"] = [text for text, _ in pairs]
        found[f"{name}_facts"] = [facts for _, facts in pairs]
    return found


def exact(value: float) -> str:
    """Three significant digits, as a formula gives them."""
    if not np.isfinite(value):
        return "too much to count"
    return f"{value:.3g}".replace("-", "−")


def percent(share: float) -> str:
    """A share; what is nearly all is not all, and what is nearly nothing is something.

    A half is rounded up, as the browser does: both write the same numbers side by side.
    """
    if not math.isfinite(share):  # of weights that ran away
        return "–"
    if 0.995 < share < 1:
        return ">99 %"
    return "<1 %" if 0 < share < 0.005 else f"{math.floor(100 * share + 0.5)} %"


def error_from(value: float, what: str, x: Array, metric: str = "l1", who: str = "network") -> str:
    """Of the mean difference between the network's curve and another.

    Args:
        what: the other curve, in a word or two.
        x: where both are drawn, (points,).
        who: whose curve it is, if not the network's.
    """
    difference = f"|{who} − {what}|" if metric == "l1" else f"({who} − {what})²"
    return (
        f"{exact(value)} = mean of {difference} over {len(x)} points "
        f"from {exact(x[0])} to {exact(x[-1])}"
    )


def loss_of(learner: Learner, run: Drawn, k: int) -> str:
    """Of what a learner's inner loop descends, after `k` steps."""
    value = run.losses[k]
    if learner.unlabelled:
        if getattr(learner, "learned_loss", "") == "squared":
            g = exact(float(np.sqrt(2 * value)))
            return f"{exact(value)} = g² / 2 with |g| = {g}: g is the loss network's output at xₛ"
        return f"{exact(value)} = |g|: g is the loss network's output at xₛ"
    metric = str(getattr(learner, "support_loss", None) or getattr(learner, "loss", "l1"))
    gaps = run.gaps[k] if metric == "l1" else run.gaps[k] ** 2
    return gap(value, gaps, metric)


def gap(value: float, gaps: Sequence[float], metric: str = "l1", what: str = "network") -> str:
    """Of the mean distance at the points: each of them is `gaps`, (points,)."""
    difference = f"|{what} − y|" if metric == "l1" else f"({what} − y)²"
    if len(gaps) == 1:
        return f"{exact(value)} = {difference} at the point"
    text = f"{exact(value)} = mean of {difference} at the {len(gaps)} points"
    if len(gaps) <= MOST_TERMS:
        text += f" = ({' + '.join(map(exact, gaps))}) / {len(gaps)}"
    return text


def steps_of(learner: Learner, inner_lr: float | None) -> str:
    """Of a learner's curve."""
    if not isinstance(learner, GradientBased):
        return f"y = {learner.title.lower()}: it takes no gradient steps"
    if isinstance(learner, LearnedStepSizes):
        alpha = "step sizes α that were learned"
    else:
        alpha = f"α = {exact(learner.inner_lr if inner_lr is None else inner_lr)}"
    loss = "the learned loss at xₛ" if learner.unlabelled else "its loss on the points"
    moving = ""
    if learner.moving != tuple(learner.network.shapes):
        moving = f" for {', '.join(learner.moving)} alone"
    return f"y = f(x; θ), θ ← θ − α ∇L(θ) at each step{moving}, with {alpha}; L is {loss}"


def wave_formula(name: str, frequency: float, shape: str) -> str:
    """Of the true wave.

    Args:
        name: such as "sin(x + π)", see `wave_name`.
    """
    text = f"y = {name}"
    if frequency != 1:
        text += f", with {exact(frequency)} x in the place of x"
    return text if shape == "sine" else f"{text}, as a {shape} wave"
