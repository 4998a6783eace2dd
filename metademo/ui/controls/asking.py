"""Asking where a learner knows least: a button for one more point, and what it is worth."""

from __future__ import annotations

import functools

import numpy as np
import streamlit as st

from metademo.algorithms.gaussian_process import RBF
from metademo.analysis.asking import TASKS, Asked, asked
from metademo.models import Model
from metademo.moments.views import MAX_POINTS, ContextView
from metademo.tasks import WaveFamily
from metademo.ui.scenes import asking_words
from metademo.ui.state.state import PageState


def ask_next(
    state: PageState[ContextView], family: WaveFamily, model: Model, x: float | None
) -> None:
    """The button, and a part to unfold.

    Args:
        x: where the learner knows least; None if it can't tell.
    """
    if x is None:
        st.caption("This learner does not say how sure it is, so it has no band.")
        return
    st.button(
        "Ask where it knows least",
        icon=":material/help_center:",
        disabled=state.lesson.lock or len(state.view.points) >= MAX_POINTS,
        width="stretch",
        help=f"One more point, at x = {x:.2f}: there the band is widest.",
        on_click=lambda: state.choose(state.view.with_answer(x, family)),
    )
    with st.expander("What that is worth", **state.unfolding("asking")) as part:
        if part.open:  # some hundred waves take a moment
            _worth(family, model)


def _worth(family: WaveFamily, model: Model) -> None:
    """Of this learner, and of one that does not know the family's waves."""
    smooth = Model(*RBF.for_family(model.learner, family, np.random.default_rng(0)))
    with st.spinner("Asking on held-out waves…"):
        found, beside = _measured(model, family), _measured(smooth, family)
    st.caption(asking_words.task(family, TASKS))
    _told(found)
    st.caption(asking_words.BESIDE)
    _told(beside)


def _told(found: Asked) -> None:
    st.markdown(asking_words.table(found))
    st.markdown(asking_words.verdict(found))


@functools.lru_cache(maxsize=100)
def _measured(model: Model, family: WaveFamily) -> Asked:
    """The same for all visitors."""
    return asked(model, family)
