"""The MAML page: click points, and watch the network become the wave through them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from metademo.checkpoints import Checkpoint
from metademo.tasks import TaskFamily
from metademo.ui import layout, resources
from metademo.ui.scenes import Learner, maml_scene
from metademo.ui.state import PageState
from metademo.ui.views import MamlView


@st.fragment
def page() -> None:
    """Everything on the page; a fragment, so that a click reruns nothing else."""
    choices, faults = resources.playable("maml")
    layout.report(faults, choices, "maml")
    state = PageState("maml", MamlView.first)
    if state.view.weights not in choices:
        state.commit(replace(state.view, weights=next(iter(choices))))
    chosen = choices[state.view.weights]
    family = chosen.config.task_family

    layout.headline(
        "Four points, five steps",
        "This network has learned to learn. Click anywhere and watch it become your wave.",
    )
    stage, controls = layout.stage_and_controls()
    # The chart comes first: what the browser is sent first, it draws first.
    with stage:
        _chart(state, chosen, family)
    with controls:
        _controls(state, choices, chosen)


def _chart(state: PageState[MamlView], chosen: Checkpoint, family: TaskFamily) -> None:
    view = state.view
    contrasts = {}
    if view.contrast:
        ordinary = resources.library()[0].get(f"pretrained-{family.name}")
        contrasts = {"pretrained": Learner.of(ordinary)} if ordinary else {}
        contrasts |= {"random": Learner.untrained(chosen)}
    scene = maml_scene(view, family, Learner.of(chosen), contrasts)
    layout.points_chart(state, family, scene, "Your points and the network's wave")


def _controls(
    state: PageState[MamlView], choices: dict[str, Checkpoint], chosen: Checkpoint
) -> None:
    view, family = state.view, chosen.config.task_family
    layout.weights(
        state,
        choices,
        lambda v, name: replace(v, weights=name).within(choices[name].config.task_family),
    )
    layout.wave_slider(state, family, "phase")
    layout.snap_toggle(state)
    layout.point_buttons(
        state,
        new=lambda: state.view.with_random_points(np.random.default_rng(), family),
        cleared=lambda: replace(state.view, points=()),
    )
    st.toggle(
        "Compare with ordinary training",
        help="The same steps, from a network trained on all waves at once without meta-learning, "
        "and from one not trained at all.",
        **state.bind("contrast", view.contrast, lambda v, on: replace(v, contrast=on)),
    )
    layout.inner_loop(state, chosen.config)
    with st.expander("Points as text"):
        layout.points_as_text(state, family)


page()
