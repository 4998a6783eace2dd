"""Parts that several pages share: where things stand, and controls that look alike."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from metademo.tasks import TaskFamily
from metademo.training import TrainConfig
from metademo.ui import resources
from metademo.ui.chart import clean
from metademo.ui.state import PageState
from metademo.ui.views import MAX_POINTS, MAX_STEPS, Y_RANGE, MamlView


def headline(title: str, promise: str) -> None:
    """The page's name and its promise in one line."""
    st.title(title, anchor=False)
    st.markdown(promise)


def stage_and_controls() -> list[DeltaGenerator]:
    """The chart's column and the controls'; on a narrow screen the chart comes first."""
    return st.columns([3, 1], gap="large")


def report(faults: list[str], choices: Collection[str], algorithm: str) -> None:
    """Say which weights can't be used, and stop if none are left for this page."""
    for fault in faults:
        st.warning(fault, icon=":material/warning:")
    if not choices:
        command = (
            f"python -m metademo train {algorithm} --family two-phase "
            f"--out weights/{algorithm}-two-phase.safetensors"
        )
        st.error(f"No weights for this page. Make some with `{command}`.")
        st.stop()


def weights(state: PageState[Any], choices: Collection[str]) -> None:
    """Which weights to play with, where there is a choice."""
    if len(choices) > 1:
        st.segmented_control(
            "The network",
            list(choices),
            format_func=lambda name: resources.label(name, "as it ships"),
            required=True,
            **state.bind("weights", state.view.weights, lambda v, name: replace(v, weights=name)),
        )


def point_buttons(
    state: PageState[MamlView], *, new: Callable[[], MamlView], cleared: Callable[[], MamlView]
) -> None:
    """New points, undo, redo, clear."""
    st.button(
        "New four points",
        icon=":material/shuffle:",
        width="stretch",
        on_click=lambda: state.commit(new()),
    )
    with st.container(horizontal=True, gap="small"):
        history_buttons(state)
        st.button(
            "Clear",
            disabled=not state.view.points,
            on_click=lambda: state.commit(cleared()),
        )


def history_buttons(state: PageState[Any]) -> None:
    """Undo and redo."""
    st.button("Undo", disabled=not state.history.past, on_click=state.undo)
    st.button("Redo", disabled=not state.history.future, on_click=state.redo)


def inner_loop(state: PageState[Any], trained: TrainConfig) -> None:
    """The settings of the inner loop, folded away; at first they are those of training."""
    view, alpha = state.view, trained.inner_lr
    with st.expander("Inner loop"):
        st.slider(
            "Inner steps",
            1,
            MAX_STEPS,
            help="Gradient steps on the support set. The network was meta-trained for "
            f"{trained.inner_steps}.",
            **state.bind("steps", view.steps, lambda v, n: replace(v, steps=n)),
        )
        st.number_input(
            "Inner learning rate α",
            0.0,
            1.0,
            step=0.005,
            format="%.3f",
            help=f"How far each step goes. The network was meta-trained with {alpha:g}; step sizes "
            "that it has learned are scaled by the ratio of the two.",
            **state.bind(
                "inner_lr",
                alpha if view.inner_lr is None else view.inner_lr,
                lambda v, rate: replace(v, inner_lr=None if rate == alpha else rate),
            ),
        )


def points_as_text(state: PageState[MamlView], family: TaskFamily) -> None:
    """The points as text: to type, to copy, to paste."""
    written = " ".join(f"{x:.3f},{y:.3f}" for x, y in state.view.points)
    with st.expander("Points as text"):
        key = "maml points as text"
        if st.session_state.get(key + " shown") != written:
            st.session_state[key] = st.session_state[key + " shown"] = written
            st.session_state[key + " fault"] = ""

        def typed() -> None:
            points, fault = parse_points(st.session_state[key], family)
            st.session_state[key + " fault"] = fault
            if not fault:
                state.commit(state.view.with_points(points, family))

        with st.form(key + " form", border=False):
            st.text_input("x,y pairs, with spaces between them", key=key, placeholder="0,0 1.57,1")
            st.form_submit_button("Place these points", on_click=typed)
        if fault := st.session_state.get(key + " fault"):
            st.error(fault)


def parse_points(text: str, family: TaskFamily) -> tuple[tuple[tuple[float, float], ...], str]:
    """Points from text such as "0,0 1.57,1", and what is wrong with it ("" if nothing is)."""
    points = []
    for pair in text.split():
        try:
            x, y = (float(number) for number in pair.split(","))
        except ValueError:
            return (), f"“{pair}” is not a point: write it as x,y, such as 1.57,1."
        points.append((x, y))
    kept, fault = clean(points, family.x_range, Y_RANGE, MAX_POINTS)
    return tuple(kept), fault
