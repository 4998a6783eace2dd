"""The Compare page: every way of learning to learn, on the visitor's points and on many tasks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from metademo import reproduce
from metademo.tasks import FAMILIES, SHAPES, TaskFamily
from metademo.ui import layout, resources
from metademo.ui.compare_scene import Contestant, compare_scene, contestants, missing
from metademo.ui.outside import ATTRIBUTES
from metademo.ui.state import PageState
from metademo.ui.views import CompareView


@st.fragment
def page() -> None:
    """Everything on the page; a fragment, so that a click reruns nothing else."""
    usable, faults = resources.library()
    state = PageState("compare", CompareView.first)
    family = FAMILIES[state.view.family]
    found = contestants(usable, resources.own(), family)
    layout.report(faults, found, "maml", family.name)

    layout.headline(
        "Same points, same steps",
        "Every way of learning to learn, side by side. Click points, and see which of them is "
        "nearest after each step.",
    )
    view = state.view
    chosen = [one for name, one in found.items() if name in view.chosen]
    stage, controls = layout.stage_and_controls()
    # The chart comes first: what the browser is sent first, it draws first. Scores that are not
    # known yet come after it, and then the page is drawn once more.
    known = resources.measured(view, family, chosen, wait=False)
    with stage:
        scene = compare_scene(view, family, chosen, *known)
        layout.points_chart(state, family, scene, "Your points and the waves of all networks")
    with controls:
        _controls(state, family, found)
    _absent(found, family)
    if family.name == reproduce.FAMILY:
        _published_table()
    if any(len(part) < len(chosen) for part in known):
        resources.measured(view, family, chosen, wait=True)
        st.rerun()


def _controls(
    state: PageState[CompareView], family: TaskFamily, found: dict[str, Contestant]
) -> None:
    view = state.view
    st.segmented_control(
        "All were trained on",
        list(FAMILIES),
        format_func=lambda name: layout.FAMILY_LABELS.get(name, name),
        required=True,
        wrap=True,
        help="\n".join(
            f"- **{layout.FAMILY_LABELS.get(name, name)}**: {one.title}"
            for name, one in FAMILIES.items()
        ),
        **state.bind("family", view.family, lambda v, name: v.with_family(name)),
    )
    layout.room("learners", 204).pills(
        "Ways of learning",
        list(found),
        format_func=lambda name: found[name].title,
        selection_mode="multi",
        wrap=True,
        **state.bind(
            "chosen",
            [name for name in found if name in view.chosen],
            lambda v, names: replace(v, chosen=tuple(n for n in found if n in names)),
        ),
    )
    layout.point_buttons(
        state,
        new=lambda: state.view.with_random_points(np.random.default_rng(), family),
        cleared=lambda: replace(state.view, points=()),
    )
    layout.wave_slider(state, family, "phase")
    with st.expander("Outside of what they learned"):
        _outside(state, family)
    with st.expander("Steps and points"):
        layout.steps_slider(state)
        layout.snap_toggle(state)
        layout.points_as_text(state, family)


def _outside(state: PageState[CompareView], family: TaskFamily) -> None:
    """The true wave, also one that none of them was trained on."""
    view = state.view
    for name in ("amplitude", "frequency", "noise"):
        layout.wave_slider(state, family, name)
    st.selectbox(
        layout.attribute_label(view, family, "shape"),
        list(SHAPES),
        **state.bind("shape", view.shape, lambda v, shape: v.with_wave(shape=shape)),
    )
    st.selectbox(
        "Chart of errors against",
        list(ATTRIBUTES),
        help="At the foot of the page: the error inside and outside of the trained range.",
        **state.bind("along", view.along, lambda v, along: replace(v, along=along)),
    )


def _published_table() -> None:
    """The benchmark as others report it, with what was published."""
    report = reproduce.committed()
    if report is None:
        return
    conditions = report["conditions"]
    with st.expander("The benchmark's table"):
        shots = st.segmented_control(
            "Labelled points",
            conditions["shots"],
            default=conditions["shots"][0],
            required=True,
            key="compare table shots",
        )
        st.dataframe(reproduce.records(report, shots), hide_index=True)
        st.caption(
            f"Mean squared error ± 95 % interval, the median in brackets and the share of tasks "
            f"that diverged behind a !; {len(conditions['training_seeds'])} training seeds x "
            f"{conditions['held_out_tasks_per_seed']:,} held-out tasks. {reproduce.DIVERGED} "
            f"Published: {reproduce.FINN}. Made by `{conditions['command']}`."
        )


def _absent(found: dict[str, Contestant], family: TaskFamily) -> None:
    """Which algorithms have no weights for this family, and how to make some."""
    for name in missing(found, family):
        st.caption(
            f"No weights of {name} for these tasks. Train some on the Train page, or with "
            f"`{layout.training_command(name, family.name)}`."
        )


page()
