"""See inside: pictures of why the steps of a page's chart work, unfolded below it."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import streamlit as st

from metademo.algorithms import GradientBased
from metademo.algorithms.cavia import CAVIA
from metademo.analysis.context_map import ContextMap, ran_away
from metademo.analysis.context_map import context_map as drawn_map
from metademo.analysis.walk import Walk
from metademo.checkpoints import Checkpoint
from metademo.models import Model
from metademo.moments.views import DamlView, MamlView
from metademo.moments.walked import context_walk, points_walk, source_walk
from metademo.network import Regressor
from metademo.tasks import WaveFamily, as_waves
from metademo.ui.components.chart.chart import interactive_chart
from metademo.ui.components.context_map.context_map import context_map
from metademo.ui.components.inside.inside import insights
from metademo.ui.components.units.units import units_chart
from metademo.ui.controls import layout
from metademo.ui.controls.layout import INSIDE, W
from metademo.ui.scenes import inside_scene as scene
from metademo.ui.scenes import map_scene
from metademo.ui.scenes.units_scene import units_scene
from metademo.ui.server import resources
from metademo.ui.state.state import PageState

TITLE = "See inside: why these few steps are enough"
VIEWS = {
    "loss": "Its learned loss",
    "ground": "The ground",
    "parts": "The parts",
    "map": "The map",
}


def of_points(state: PageState[MamlView], chosen: Checkpoint) -> None:
    """Below the chart of a page on which the visitor's points are the support set."""
    with st.expander(TITLE, **state.unfolding(INSIDE)) as part:
        if part.open:
            _points(state, chosen)


def of_source(state: PageState[DamlView], chosen: Checkpoint) -> None:
    """Below the chart of the page on which a source input is all that is seen."""
    with st.expander(TITLE, **state.unfolding(INSIDE)) as part:
        if part.open:
            _source(state, chosen)


def _points(state: PageState[MamlView], chosen: Checkpoint) -> None:
    view, family = state.view, as_waves(chosen.config.task_family)
    model, mapped = Model.of(chosen), _with_map(family, chosen)
    names = _offered(model, mapped)
    if not names:
        st.info(scene.NO_STEPS)
        return
    shown = view.inside if view.inside in names else names[0]
    _switch(state, names, shown)
    if shown == "map" and mapped:
        _map(state, family, mapped)
        return
    walk = points_walk(view, family, model)
    if not view.points or scene.away(walk):
        st.info(scene.AWAY if view.points else scene.STANDS_STILL)
        return
    if shown == "parts":
        _parts(state, walk, "maml", "the nearest wave" if view.fitted else "the true wave")
        return
    contrasts = {
        name: points_walk(view, family, other) for name, other in layout.contrasts(chosen).items()
    }
    _ground(state, walk, "maml", contrasts)


def _source(state: PageState[DamlView], chosen: Checkpoint) -> None:
    view, family = state.view, as_waves(chosen.config.task_family)
    _switch(state, ("loss", "ground", "parts"), view.inside)
    walk = source_walk(view, family, Model.of(chosen))
    if scene.away(walk):
        st.info(scene.AWAY)
    elif view.inside == "loss":
        _learned_loss(state, walk, family, chosen)
    elif view.inside == "ground":
        _ground(state, walk, "daml", {})
    else:
        _parts(state, walk, "daml", scene.meant(view, family))


def _switch(state: PageState[W], names: tuple[str, ...], shown: str) -> None:
    """What is looked at."""
    st.segmented_control(
        "What to look at",
        names,
        format_func=VIEWS.__getitem__,
        required=True,
        wrap=True,
        label_visibility="collapsed",
        **state.bind("inside", shown, lambda v, name: v.changed(inside=name), default="default"),
    )


def _ground(state: PageState[W], walk: Walk, name: str, contrasts: Mapping[str, Walk]) -> None:
    insights(
        f"{state.page} ground",
        scene.ground(walk, name, contrasts),
        steps=walk.steps,
        page=state.page,
    )


def _parts(state: PageState[W], walk: Walk, name: str, truth: str) -> None:
    scene = units_scene(walk, name=name, truth_label=truth)
    units_chart(f"{state.page} parts", scene, page=state.page)


def _offered(model: Model, mapped: Checkpoint | None) -> tuple[str, ...]:
    """What there is to see of a learner from labelled points."""
    network = model.learner.network if isinstance(model.learner, GradientBased) else None
    there = {
        "ground": network is not None,
        "parts": isinstance(network, Regressor),
        "map": mapped is not None,
    }
    return tuple(name for name, is_there in there.items() if is_there)


def _with_map(family: WaveFamily, chosen: Checkpoint) -> Checkpoint | None:
    """The weights whose context is a map of these waves: the chosen ones, or those that ship."""
    if isinstance(chosen.config.learner, CAVIA):
        return chosen
    return resources.library()[0].get(f"{CAVIA.name}-{family.name}")


def _map(state: PageState[MamlView], family: WaveFamily, mapped: Checkpoint) -> None:
    model = Model.of(mapped)
    walk = context_walk(state.view, model)
    found = _mapped(model, family, mapped.config.shots)
    if found is None or ran_away(walk).any():
        st.info(map_scene.AWAY)
        return
    context_map(
        f"{state.page} map",
        map_scene.map_scene(found, walk, state.view, family),
        page=state.page,
    )


@functools.lru_cache(maxsize=16)
def _mapped(model: Model, family: WaveFamily, shots: int) -> ContextMap | None:
    """The map: the same for all visitors."""
    return drawn_map(model, family, shots)


def _learned_loss(
    state: PageState[DamlView], walk: Walk, family: WaveFamily, chosen: Checkpoint
) -> None:
    first, second = scene.learned_loss(walk, state.view)
    insights(f"{state.page} slopes", [first], steps=walk.steps, page=state.page)
    _swaps(state, walk, family, chosen)
    insights(f"{state.page} seen", [second], steps=walk.steps, page=state.page)


def _swaps(state: PageState[DamlView], walk: Walk, family: WaveFamily, chosen: Checkpoint) -> None:
    """The wave and the error when the loss or the weights are put in another's place."""
    maml = resources.library()[0].get(f"maml-{family.name}")
    others = ({"maml": Model.of(maml)} if maml else {}) | layout.contrasts(chosen)
    names = ["truth", *(name for name, model in others.items() if scene.fits(walk, model))]
    swap = state.view.swap if state.view.swap in names else "truth"
    st.segmented_control(
        "Put in its place",
        names,
        format_func=scene.SWAPS.__getitem__,
        required=True,
        wrap=True,
        help="The learned loss was learned for these weights, and they for it. What is each worth "
        "without the other?",
        **state.bind("swap", swap, lambda v, name: v.changed(swap=name), default="default"),
    )
    other = scene.swapped_walk(walk, swap, others.get(swap))
    interactive_chart(
        f"{state.page} swapped",
        scene.swapped_scene(walk, other, swap, family, scene.meant(state.view, family)),
        page=state.page,
        follows=True,
    )
