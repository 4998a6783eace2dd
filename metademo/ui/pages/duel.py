"""You against MAML: the same points for both, ten rounds, and a score."""

from __future__ import annotations

import numpy as np
import streamlit as st

from metademo.models import Model
from metademo.moments.duel import (
    HIGHEST_SEED,
    KNOTS,
    TOP,
    UNIT,
    WEIGHTS,
    DuelView,
    results,
)
from metademo.ui.components.kernel.gestures import Gesture
from metademo.ui.components.link.link import copy_link
from metademo.ui.components.sketch.sketch import sketch
from metademo.ui.controls import keep, layout
from metademo.ui.scenes.duel_scene import duel_scene, score, score_formula, table
from metademo.ui.server import resources
from metademo.ui.state.state import PageState

SCORE = "duel score"


def page() -> None:
    """The chart and the controls, and the score below them, each redrawn by itself."""
    usable, faults = resources.library()
    layout.headline(
        "You against MAML",
        "The same few points for both: you draw the wave behind them, then the network does. It "
        "has learned sine waves of height 1; in four of ten rounds the wave is of another kind.",
    )
    own = [fault for fault in faults if WEIGHTS in fault]
    if not layout.report(own, [name for name in usable if name == WEIGHTS], "maml", "any-phase"):
        return
    state = _state()
    keep.arrival(state)
    layout.in_fragments(state, chart=_chart, controls=_controls, below=lambda: keep.keep(state))
    st.fragment(_score, key=SCORE)()


def _state() -> PageState[DuelView]:
    return layout.page_state("duel", DuelView, following=(SCORE,))


def _model() -> Model:
    """The network; if its weights are gone since the page was drawn, the page says so."""
    usable, _ = resources.library()
    if WEIGHTS not in usable:
        st.rerun()
    return Model.of(usable[WEIGHTS])


def _chart() -> None:
    state, model = _state(), _model()
    view = state.view
    sketch(
        "duel sketch",
        duel_scene(view, model, results(view, model)),
        drawing=view.drawing,
        drawing_label="your wave",
        knots=KNOTS,
        unit=UNIT,
        open=not view.answered,
        conversation=state.conversation,
        on_edit=state.listen("duel sketch", _drawn),
    )


def _drawn(view: DuelView, gesture: Gesture) -> DuelView:
    if gesture.kind not in ("draw", "clear"):
        return view
    return view.drawn(gesture.drawing)


def _controls() -> None:
    state = _state()
    view = state.view
    with st.container(horizontal=True):
        st.button(
            "Done",
            type="primary",
            disabled=view.answered or not view.drawing or state.lesson.lock,
            on_click=lambda: state.begin(state.view.done()),
        )
        if view.over:
            _other_rounds(state)
        else:
            st.button(
                "Next round",
                type="primary",
                disabled=not view.answered or state.lesson.lock,
                on_click=lambda: state.begin(state.view.next()),
            )
    if not view.answered:
        _slider(state, "amplitude", 0.0, TOP, 0.05)
        _slider(state, "frequency", 0.25, 2.0, 0.05)
        _slider(state, "phase", -180.0, 180.0, 5.0, "%d°")
        st.button(
            "Draw this wave",
            disabled=view.with_wave().drawing == view.drawing or state.lesson.lock,
            width="stretch",
            on_click=lambda: state.choose(state.view.with_wave()),
        )


def _slider(
    state: PageState[DuelView],
    name: str,
    low: float,
    high: float,
    step: float,
    form: str = "%.2f",
) -> None:
    """One number of the wave that the sliders draw."""
    value = min(max(float(getattr(state.view, name)), low), high)
    st.slider(
        name.capitalize(),
        low,
        high,
        step=step,
        format=form,
        **state.bind(name, value, lambda v, number: v.with_wave(**{name: number})),
    )


def _score() -> None:
    state, model = _state(), _model()
    view = state.view
    played = results(view, model)
    st.header("Score", anchor=False)
    st.markdown(score(played), help=score_formula(played) or None)
    if played:
        st.markdown(table(played))
    st.markdown(
        "An error is the mean distance from the true wave, over 400 places of the chart, for both "
        "of you; the smaller one, in bold, wins. These ten rounds for somebody else:"
    )
    copy_link("duel", "these ten rounds, from the first", f"seed={view.seed}")
    with st.container(horizontal=True):
        st.button(
            "Start over",
            disabled=not played or state.lesson.lock,
            on_click=lambda: state.begin(DuelView(seed=state.view.seed)),
        )
        if not view.over:
            _other_rounds(state)


def _other_rounds(state: PageState[DuelView]) -> None:
    """A game that nobody knows yet."""
    seed = int(np.random.default_rng().integers(2, HIGHEST_SEED + 1))
    st.button(
        "Ten other rounds",
        type="primary" if state.view.over else "secondary",
        disabled=state.lesson.lock,
        on_click=lambda: state.begin(DuelView(seed=seed)),
    )


page()
