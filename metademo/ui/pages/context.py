"""The page In context: learners that read the visitor's points and take no gradient steps."""

from __future__ import annotations

import streamlit as st

from metademo.algorithms import ALGORITHMS
from metademo.checkpoints import Checkpoint
from metademo.models import Model
from metademo.moments.views import ContextView
from metademo.tasks import WaveFamily, as_waves
from metademo.ui.components.attention.attention import attention_controls
from metademo.ui.components.kernel.curves import Scene
from metademo.ui.controls import asking, keep, layout, take_home
from metademo.ui.controls.own_points import own_points
from metademo.ui.scenes.attention_scene import attention
from metademo.ui.scenes.context_scene import (
    ContextStory,
    context_scene,
    context_story,
    widest,
)
from metademo.ui.server import resources
from metademo.ui.state.state import PageState

TITLE = "Learning without a step"
PROMISE = (
    "These networks take no gradient steps: they read your points, as a language model reads its "
    "prompt, and answer with a curve. Click, and see what one more point is worth."
)


def page() -> None:
    """The chart and the controls, each redrawn by itself."""
    layout.headline(TITLE, PROMISE)
    choices, faults = resources.conditioned()
    if not layout.report(faults, choices, "in-context", "any-phase"):
        return
    state = _state()
    keep.arrival(state)
    layout.in_fragments(
        state, chart=_chart, controls=_controls, below=lambda: keep.keep(state, _scene)
    )


def _state() -> PageState[ContextView]:
    return layout.page_state("context", ContextView)


def _chosen(state: PageState[ContextView]) -> tuple[Checkpoint, WaveFamily]:
    chosen = layout.chosen_among(state, resources.conditioned()[0], _with_weights)
    return chosen, as_waves(chosen.config.task_family)


def _with_weights(view: ContextView, name: str, checkpoint: Checkpoint) -> ContextView:
    """The view with these weights; on the same wave if they were trained on the same family."""
    changed, before = view.changed(weights=name), resources.conditioned()[0].get(view.weights)
    alike = before is not None and before.config.family == checkpoint.config.family
    if alike and changed != ContextView.first().changed(weights=name, unfolded=view.unfolded):
        return changed
    return view.with_weights(name, as_waves(checkpoint.config.task_family))


def _chart() -> None:
    state = _state()
    chosen, family = _chosen(state)
    layout.points_chart(state, family, _scene())
    looks = attention(state.view, family, chosen.config.algorithm, Model.of(chosen))
    if looks and not state.lesson.hidden:
        attention_controls("context attention", looks, page=state.page)


def _scene() -> Scene:
    chosen, _ = _chosen(_state())
    name = chosen.config.algorithm
    coverage = (chosen.scores and chosen.scores.coverage) or ()
    return context_scene(_story(), name, ALGORITHMS[name].title, coverage)


def _story() -> ContextStory:
    state = _state()
    chosen, family = _chosen(state)
    maml = resources.library()[0].get(f"maml-{family.name}")
    return context_story(state.view, family, Model.of(chosen), Model.of(maml) if maml else None)


def _take_home() -> None:
    state = _state()
    chosen, _ = _chosen(state)
    view = state.view.changed(steps=len(state.view.points))  # for these learners steps are points
    take_home.from_points("context", view, chosen, _scene())


def _controls() -> None:
    state = _state()
    chosen, family = _chosen(state)
    _learner(state, chosen)
    layout.wave_slider(state, family, "phase")
    layout.snap_toggle(state)
    model = Model.of(chosen)
    asking.ask_next(state, family, model, widest(state.view, family, model))
    with st.expander("Outside of what it learned", **state.unfolding("outside")):
        for name in ("amplitude", "frequency", "noise"):
            layout.wave_slider(state, family, name)
    with st.expander("Your own points", **state.unfolding("own")) as part:
        if part.open:
            own_points(state, family)
    keep.own_weights(state)
    if not state.lesson.hidden:  # what is hidden is not to be had in another way
        take_home.popover("context", _take_home)


def _learner(state: PageState[ContextView], chosen: Checkpoint) -> None:
    """Which learner, and what it was trained on."""
    choices = resources.conditioned()[0]
    algorithm = chosen.config.algorithm
    there = {c.config.algorithm for c in choices.values()}

    def learn_by(view: ContextView, name: str) -> ContextView:
        theirs = [n for n, c in choices.items() if c.config.algorithm == name]
        alike = [n for n in theirs if choices[n].config.family == chosen.config.family]
        weights = next(iter(alike or theirs), None)
        return _with_weights(view, weights, choices[weights]) if weights else view

    st.segmented_control(
        "Learner",
        [name for name in ALGORITHMS if name in there],
        format_func=lambda name: ALGORITHMS[name].title,
        required=True,
        wrap=True,
        help="\n".join(f"- **{a.title}** {a.summary}" for n, a in ALGORITHMS.items() if n in there),
        **state.bind("learner", algorithm, learn_by, default="default"),
    )
    theirs = {n: c for n, c in choices.items() if c.config.algorithm == algorithm}
    layout.weights(state, theirs, _with_weights)


page()
