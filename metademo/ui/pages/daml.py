"""The DAML page: pick one unlabelled input, and a learned loss turns the network into its wave."""

from __future__ import annotations

import numpy as np
import streamlit as st

from metademo.algorithms.papers import YU_2018
from metademo.checkpoints import Checkpoint
from metademo.figures import style_of
from metademo.models import Model
from metademo.moments.views import DamlView
from metademo.tasks import PI, SourceBand, WaveFamily, as_waves
from metademo.ui.components.chart.chart import interactive_chart
from metademo.ui.components.kernel.curves import Scene
from metademo.ui.components.kernel.gestures import Gesture
from metademo.ui.components.source_line.source_line import Band, source_line
from metademo.ui.controls import inside, keep, layout, take_home, upload_weights
from metademo.ui.scenes.scenes import daml_scene
from metademo.ui.scenes.sentences import band_in_words, wave_name
from metademo.ui.server import resources
from metademo.ui.state.state import PageState

SOURCE_RANGE = (-PI / 2, PI / 2)
NUDGE = "Drag the handle to the other band."
STORY = f"""
**The story.** A robot watches one video of a person at work. The video has no *labels*: nothing in
it says what the robot's own motors should do. Still, the robot must then do the work itself.

**Here** the video is a single number, $x_s$, and the work is to become the right wave. What is
watched is called the *source domain*; where one acts, the *target domain*. There the chart's axis
is $x$: another quantity, not $x_s$.

**Why a number means a wave.** Because training paired them. The network saw a number, took its
steps, and was then judged at points of that number's wave. So it learned a *loss*, which is what
the steps make smaller, that turns the number into the wave. Now the number comes alone.

**The captions on the line** are for you. They never reach the network.

{YU_2018.markdown}
"""


def page() -> None:
    """The chart and the controls, each redrawn by itself."""
    choices, faults = resources.playable("daml")
    layout.headline(
        "One input, no label",
        "A robot watches one video of a person, then must act itself. Here the video is one "
        "number, with no label: pick it below, and the network becomes the wave it stands for.",
    )
    if not layout.report(faults, choices, "daml"):
        return
    state = _state()
    keep.arrival(state)
    layout.in_fragments(
        state,
        chart=_chart,
        controls=_controls,
        below=lambda: keep.keep(state, _scene),
        inside=_inside,
    )


def _state() -> PageState[DamlView]:
    return layout.page_state("daml", DamlView)


def _with_weights(view: DamlView, name: str, checkpoint: Checkpoint) -> DamlView:
    return view.changed(weights=name)


def _chart() -> None:
    state = _state()
    _, chosen = layout.chosen_weights(state, "daml", _with_weights)
    _source(state, as_waves(chosen.config.task_family))
    interactive_chart("daml chart", state.as_taught(_scene()), page=state.page)


def _scene() -> Scene:
    state = _state()
    _, chosen = layout.chosen_weights(state, "daml", _with_weights)
    family = as_waves(chosen.config.task_family)
    return daml_scene(state.view, family, Model.of(chosen))


def _inside() -> None:
    state = _state()
    _, chosen = layout.chosen_weights(state, "daml", _with_weights)
    inside.of_source(state, chosen)


def _take_home() -> None:
    state = _state()
    _, chosen = layout.chosen_weights(state, "daml", _with_weights)
    take_home.from_source(state.view, chosen, _scene())


def _source(state: PageState[DamlView], family: WaveFamily) -> None:
    view = state.view
    band = family.band_of(view.source)
    draws = view.inputs(family)
    source_line(
        "daml source",
        value=view.source,
        x_range=SOURCE_RANGE,
        bands=[
            Band(b.low, b.high, band_in_words(b), style_of("daml").colours) for b in family.bands
        ],
        draws=draws if len(draws) > 1 else (),
        draws_label="fresh inputs, one per step",
        status=_status(view, band),
        label="Source input: one unlabelled number",
        conversation=state.conversation,
        on_edit=state.listen("daml source", _moved),
        nudge=NUDGE if state.untouched else "",
    )


def _moved(view: DamlView, gesture: Gesture) -> DamlView:
    return view.changed(source=gesture.value) if gesture.kind == "value" else view


def _status(view: DamlView, band: SourceBand | None) -> str:
    if band is None:
        return "between the bands: never seen in training, so anything may happen"
    if not band.means_one:
        return f"means {wave_name(band.phase(view.source))}"
    seen = "a fresh one from the band" if view.fresh else "it"
    return f"each step sees {seen}, never the captions"


def _controls() -> None:
    state = _state()
    choices, chosen = layout.chosen_weights(state, "daml", _with_weights)
    view, family = state.view, as_waves(chosen.config.task_family)
    with st.popover("Why does a number mean a wave?", width="stretch"):
        st.markdown(STORY)
    layout.weights(state, choices, _with_weights)
    upload_weights.offer("daml", disabled=state.lesson.lock)
    low, high = family.bands[0].low, family.bands[-1].high
    st.slider(
        "Source input xₛ",
        low,
        high,
        step=0.01,
        help="The same number as on the line; here for the keyboard and for exact values.",
        **state.bind("source", view.source, lambda v, x: v.changed(source=x)),
    )
    if all(band.means_one for band in family.bands):
        _fresh_inputs(state)
    layout.inner_loop(state, chosen.config)
    keep.own_weights(state)
    if not state.lesson.hidden:  # what is hidden is not to be had in another way
        take_home.popover("daml", _take_home)


def _fresh_inputs(state: PageState[DamlView]) -> None:
    """One input for all steps, or one for each."""
    view = state.view
    st.radio(
        "What each inner step sees",
        [False, True],
        format_func=lambda fresh: "a fresh input from the band" if fresh else "this one input",
        help="In training each step saw a fresh input from the band.",
        **state.bind(
            "fresh",
            view.fresh,
            lambda v, fresh: v.changed(fresh=fresh),
            options=(False, True),
        ),
    )
    st.button(
        "Draw again",
        icon=":material/casino:",
        disabled=not view.fresh or state.lesson.lock,
        width="stretch",
        on_click=lambda: state.choose(
            state.view.changed(draw=int(np.random.default_rng().integers(2**31)))
        ),
    )


page()
