"""The DAML page: pick one unlabelled input, and a learned loss turns the network into its wave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from metademo.checkpoints import Checkpoint
from metademo.figures import style_of
from metademo.tasks import FAMILIES, PI, SourceBand
from metademo.ui import layout, resources
from metademo.ui.chart import interactive_chart, pi_ticks
from metademo.ui.scenes import Learner, daml_scene, wave_name
from metademo.ui.source_line import Band, LineEvent, source_line
from metademo.ui.state import PageState
from metademo.ui.views import DamlView

Y_RANGE = (-2.0, 2.0)
SOURCE_RANGE = (-PI / 2, PI / 2)


@st.fragment
def page() -> None:
    """Everything on the page; a fragment, so that a click reruns nothing else."""
    choices, faults = resources.playable("daml")
    layout.report(faults, choices, "daml")
    state = PageState("daml", DamlView)
    if state.view.weights not in choices:
        state.commit(replace(state.view, weights=next(iter(choices))))
    chosen = choices[state.view.weights]
    family = FAMILIES[chosen.config.family]

    layout.headline(
        "One input, no label",
        "This network has learned its own loss. Pick one input on the line below: without being "
        "told any answer, it becomes the wave that the input stands for.",
    )
    stage, controls = layout.stage_and_controls()
    # The chart comes first: what the browser is sent first, it draws first.
    with stage:
        _source(state, family)
        scene = daml_scene(state.view, family, Learner.of(chosen))
        interactive_chart(
            "daml chart",
            curves=scene.curves,
            panels=scene.panels,
            captions=scene.captions,
            editable=False,
            x_range=family.x_range,
            y_range=Y_RANGE,
            x_ticks=pi_ticks(*family.x_range),
            height=330,
            label="The network's wave in the target domain",
        )
    with controls:
        layout.weights(state, choices, lambda v, name: replace(v, weights=name))
        _controls(state, chosen)


def _source(state: PageState[DamlView], family) -> None:
    view = state.view
    band = family.band_of(view.source)
    draws = view.inputs(family)

    def moved(event: LineEvent) -> None:
        state.follow(replace(state.view, source=event.value), final=event.final)

    source_line(
        "daml source",
        value=view.source,
        x_range=SOURCE_RANGE,
        bands=[Band(b.low, b.high, _meaning(b), style_of("daml").colours) for b in family.bands],
        draws=draws if len(draws) > 1 else (),
        draws_label="fresh inputs, one per step",
        status=_status(view, band),
        label="Source domain: one unlabelled input",
        epoch=state.history.epoch,
        on_value=moved,
    )


def _meaning(band: SourceBand) -> str:
    low, high = (wave_name(phase) for phase in band.phases)
    return f"means {low}" if band.means_one else f"each input means its own wave: {low} to {high}"


def _status(view: DamlView, band: SourceBand | None) -> str:
    if band is None:
        return "between the bands: never seen in training, so anything may happen"
    if not band.means_one:
        return f"means {wave_name(band.phase(view.source))}"
    if view.fresh:
        return "in a band: each step sees a fresh input from it"
    return "in a band: each step sees this input"


def _controls(state: PageState[DamlView], chosen: Checkpoint) -> None:
    view, family = state.view, chosen.config.task_family
    low, high = family.bands[0].low, family.bands[-1].high
    st.slider(
        "Source input x",
        low,
        high,
        step=0.01,
        help="The same number as on the line; here for the keyboard and for exact values.",
        **state.bind("source", view.source, lambda v, x: replace(v, source=x)),
    )
    if all(band.means_one for band in family.bands):
        _fresh_inputs(state)
    with st.container(horizontal=True, gap="small"):
        layout.history_buttons(state)
    layout.inner_loop(state, chosen.config)


def _fresh_inputs(state: PageState[DamlView]) -> None:
    """One input for all steps, or one for each."""
    view = state.view
    st.radio(
        "What each inner step sees",
        [False, True],
        format_func=lambda fresh: "a fresh input from the band" if fresh else "this one input",
        help="In training each step saw a fresh input from the band.",
        **state.bind("fresh", view.fresh, lambda v, fresh: replace(v, fresh=fresh)),
    )
    st.button(
        "Draw again",
        icon=":material/casino:",
        disabled=not view.fresh,
        width="stretch",
        on_click=lambda: state.commit(
            replace(state.view, draw=int(np.random.default_rng().integers(2**31)))
        ),
    )


page()
