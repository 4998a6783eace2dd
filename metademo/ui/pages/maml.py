"""The MAML page: click points, and watch the network become the wave through them."""

from __future__ import annotations

import streamlit as st

from metademo.checkpoints import Checkpoint
from metademo.models import Model
from metademo.moments.views import MamlView
from metademo.tasks import as_waves
from metademo.ui.components.kernel.curves import Scene
from metademo.ui.controls import inside, keep, layout, take_home, upload_weights, worst
from metademo.ui.controls.own_points import own_points
from metademo.ui.scenes.scenes import maml_scene
from metademo.ui.scenes.sentences import promise
from metademo.ui.server import resources
from metademo.ui.state.state import PageState

TITLE = "Four points, five steps"
HEADLINE = "maml headline"
NUDGE = ("Click here: the network bends to your point.", (-2.4, 0.8))
"""At a place where the first view has no curve and no point; a wave through it is another one."""


def page() -> None:
    """The chart and the controls, each redrawn by itself."""
    choices, faults = resources.playable("maml")
    if choices:
        st.fragment(_headline, key=HEADLINE)()
    else:
        st.title(TITLE, anchor=False)
    if not layout.report(faults, choices, "maml"):
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


def _state() -> PageState[MamlView]:
    return layout.page_state("maml", MamlView, leading=(HEADLINE,))


def _headline() -> None:
    _, chosen = layout.chosen_weights(_state(), "maml", _with_weights)
    layout.headline(TITLE, promise(chosen.config))


def _with_weights(view: MamlView, name: str, checkpoint: Checkpoint) -> MamlView:
    return view.changed(weights=name).within(as_waves(checkpoint.config.task_family))


def _chart() -> None:
    state = _state()
    _, chosen = layout.chosen_weights(state, "maml", _with_weights)
    layout.points_chart(state, as_waves(chosen.config.task_family), _scene(), NUDGE)


def _scene() -> Scene:
    state = _state()
    _, chosen = layout.chosen_weights(state, "maml", _with_weights)
    view, family = state.view, as_waves(chosen.config.task_family)
    contrasts = layout.contrasts(chosen) if view.contrast else {}
    return maml_scene(view, family, Model.of(chosen), contrasts)


def _inside() -> None:
    state = _state()
    _, chosen = layout.chosen_weights(state, "maml", _with_weights)
    inside.of_points(state, chosen)


def _take_home() -> None:
    state = _state()
    _, chosen = layout.chosen_weights(state, "maml", _with_weights)
    take_home.from_points("maml", state.view, chosen, _scene())


def _controls() -> None:
    state = _state()
    choices, chosen = layout.chosen_weights(state, "maml", _with_weights)
    view, family = state.view, as_waves(chosen.config.task_family)
    layout.weights(state, choices, _with_weights)
    upload_weights.offer("maml", disabled=state.lesson.lock)
    layout.wave_slider(state, family, "phase")
    layout.snap_toggle(state)
    st.toggle(
        "Compare with ordinary training",
        help="The same steps, from a network trained on all waves at once without meta-learning, "
        "and from one not trained at all.",
        **state.bind("contrast", view.contrast, lambda v, on: v.changed(contrast=on)),
    )
    layout.inner_loop(state, chosen.config)
    with st.expander("Your own points", **state.unfolding("own")) as part:
        if part.open:
            own_points(state, family)
    with st.expander("The worst four points", **state.unfolding("worst")) as part:
        if part.open:  # a search takes a moment
            worst.worst_four(state, family, Model.of(chosen))
    keep.own_weights(state)
    if not state.lesson.hidden:  # what is hidden is not to be had in another way
        take_home.popover("maml", _take_home)


page()
