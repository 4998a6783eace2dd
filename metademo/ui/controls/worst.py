"""The worst four points: the search finds them, and the visitor may try to beat it."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from metademo.analysis.worst import APART, POINTS, Trial, Worst, reasons, worst_points
from metademo.models import Model
from metademo.moments.views import MamlView
from metademo.tasks import WaveFamily
from metademo.ui.scenes import worst_words
from metademo.ui.state.state import PageState


def worst_four(state: PageState[MamlView], family: WaveFamily, model: Model) -> None:
    """What the search finds on the true wave, and how the visitor's own points compare."""
    view = state.view
    trial = Trial(model, family, view.wave, view.steps, view.inner_lr)
    st.caption(worst_words.task(trial))
    if not view.worst:
        st.button(
            "Find them",
            icon=":material/search:",
            disabled=state.lesson.lock,
            width="stretch",
            on_click=lambda: state.choose(state.view.changed(worst=True)),
        )
        return
    with st.spinner("Looking for them…"):
        worst, words = _found(_Asked(trial.key, trial))
    for text, formula in words:
        st.markdown(text, help=formula or None)
    st.button(
        "Place them",
        icon=":material/place_item:",
        disabled=_placed(view, worst) or state.lesson.lock,
        width="stretch",
        on_click=lambda: state.choose(_with_points(state.view, worst)),
    )
    yours = _own_worst(view, trial, worst)
    formula = worst_words.attempt_formula(trial, yours)
    st.markdown(worst_words.attempt(worst, yours), help=formula or None)


@dataclass(frozen=True)
class _Asked:
    """A trial, known by its key."""

    key: Hashable
    trial: Trial = field(compare=False)


@functools.lru_cache(maxsize=100)
def _found(asked: _Asked) -> tuple[Worst, tuple[tuple[str, str], ...]]:
    """The worst points, and what is to say of them and how it was computed: the same for all."""
    trial = asked.trial
    worst = worst_points(trial)
    known = reasons(trial, worst)
    return worst, (
        (worst_words.found(trial, worst), worst_words.found_formula(trial, worst)),
        (worst_words.why(trial, worst, known), worst_words.why_formula(trial, worst, known)),
    )


def _with_points(view: MamlView, worst: Worst) -> MamlView:
    points = tuple((float(x), 0.0) for x in worst.x)
    return view.changed(points=points, snap=True, example=False).with_wave()


def _placed(view: MamlView, worst: Worst) -> bool:
    """Whether the points are those that the search has found."""
    xs = sorted(x for x, _ in view.points)
    return view.snap and len(xs) == POINTS and np.allclose(xs, worst.x, rtol=0, atol=1e-9)


def _own_worst(view: MamlView, trial: Trial, worst: Worst) -> float | None:
    """The largest error so far that the visitor's points have led to, under the same conditions."""
    kept: dict[Hashable, float] = st.session_state.setdefault("own worst", {})
    xs = np.sort([x for x, _ in view.points])
    low, high = trial.family.x_range
    counts = view.snap and not view.noise and not view.example and len(xs) == POINTS
    if counts and not _placed(view, worst) and np.diff(xs).min() >= APART * (high - low) - 1e-9:
        kept[trial.key] = max(kept.get(trial.key, 0.0), float(trial.errors(xs[None])[0]))
    return kept.get(trial.key)
