"""Parts that several pages share: where things stand, and controls that look alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from metademo.checkpoints import Checkpoint
from metademo.models import Model
from metademo.moments.outside import ATTRIBUTES
from metademo.moments.tour import CONTROLS
from metademo.moments.views import (
    MAX_POINTS,
    MAX_STEPS,
    ContextView,
    DamlView,
    MamlView,
    PointsView,
)
from metademo.settings import TrainConfig
from metademo.tasks import WaveFamily
from metademo.ui.components.chart.chart import interactive_chart
from metademo.ui.components.kernel.curves import Scene
from metademo.ui.components.kernel.gestures import Gesture, Point, carried_out, within
from metademo.ui.scenes.sentences import losses_in_words
from metademo.ui.server import metrics, resources
from metademo.ui.state.history import V
from metademo.ui.state.state import PageState

P = TypeVar("P", bound=PointsView)
W = TypeVar("W", MamlView, DamlView)
N = TypeVar("N", MamlView, DamlView, ContextView)
FAMILY_LABELS = {
    "two-phase": "two waves",
    "any-phase": "any phase",
    "finn": "benchmark",
    "finn-noisy": "noisy",
    "glyphs": "signs",
}
STAGE_HEIGHT = 600
"""In pixels, until the chart is there: about what stands above the controls on a phone."""
CONTROLS_WIDTH = 288
"""In pixels. The chart has what is left; on a phone each of them has the whole width."""


INSIDE = "inside"
"""The name of the part below chart and controls, among those that are unfolded."""
MOST_WARNINGS = 2
"""More of them would fill a screen."""


def headline(title: str, promise: str) -> None:
    """The page's name and its promise in one line."""
    st.title(title, anchor=False)
    st.markdown(promise)


def room(name: str, height: int) -> DeltaGenerator:
    """A container that has a height until its chart or formula is there, and then its own.

    The browser loads these late. What stands below would jump if they had no room till then;
    `page.css` lets go of it.
    """
    return st.container(key=f"room {name}", height=height, border=False)


def stage_and_controls() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The chart's column and the controls'; on a narrow screen the chart comes first."""
    with st.container(key="row", horizontal=True, gap="medium"):
        return room("stage", STAGE_HEIGHT), st.container(key="controls", width=CONTROLS_WIDTH)


def in_fragments(
    state: PageState[Any],
    *,
    chart: Callable[[], None],
    controls: Callable[[], None],
    below: Callable[[], None] = lambda: None,
    inside: Callable[[], None] | None = None,
) -> None:
    """Draw the chart and the controls side by side, each as a fragment, see `page_state`.

    Args:
        below: draws what stands below the controls. A lesson may hide those.
        inside: draws what can be unfolded below both, unless a lesson hides anything.
    """
    stage, beside = stage_and_controls()
    # The chart comes first: what the browser is sent first, it draws first.
    with stage:
        st.fragment(metrics.timed(chart), key=f"{state.page} chart")()
    with beside:
        if CONTROLS not in state.lesson.hidden:
            st.fragment(_following, key=f"{state.page} controls")(state, controls)
        below()
    if inside and not state.lesson.hidden:
        st.fragment(inside, key=_inside(state.page))()


def _following(state: PageState[Any], controls: Callable[[], None]) -> None:
    """The controls, drawn again when the hand at the chart has come to rest.

    What tells of that has no face. It comes last and without a gap, so that nothing moves when the
    browser finds out.
    """
    with st.container(gap=None):
        with st.container():
            controls()
        state.follow_chart()


def page_state(
    page: str,
    kind: type[V],
    *,
    leading: tuple[str, ...] = (),
    following: tuple[str, ...] = (),
) -> PageState[V]:
    """The state of a page that `in_fragments` draws, with further fragments if there are any."""
    return PageState(
        page,
        kind,
        said=st.query_params,
        leading=(f"{page} chart", *leading),
        following=(f"{page} controls", *following),
        unfolded={INSIDE: _inside(page)},
    )


def _inside(page: str) -> str:
    """The key of the fragment that shows the inside."""
    return f"{page} inside"


def points_chart(
    state: PageState[P],
    family: WaveFamily,
    scene: Scene,
    nudge: tuple[str, Point] | None = None,
) -> None:
    """The chart of a page on which the visitor's points are the support set.

    Args:
        nudge: where a first visit may begin, see `interactive_chart`.
    """
    key = f"{state.page} points chart"

    def changed(view: P, gesture: Gesture) -> P:
        if gesture.kind == "new":
            return view.with_random_points(np.random.default_rng(), family)
        points = carried_out(view.points, gesture, MAX_POINTS, example=view.example)
        return view.with_points(within(points, scene.x_range, scene.y_range), family)

    interactive_chart(
        key,
        state.as_taught(scene),
        conversation=state.conversation,
        on_edit=state.listen(key, changed),
        max_points=MAX_POINTS,
        new_points="New four points",
        nudge=nudge if state.untouched else None,
    )


def report(
    faults: list[str], choices: Collection[str], algorithm: str, family: str = "two-phase"
) -> bool:
    """Say which weights can't be used; whether any are left for this page."""
    if len(faults) <= MOST_WARNINGS:
        for fault in faults:
            st.warning(fault, icon=":material/warning:")
    else:
        title = f":material/warning: {len(faults)} files of weights can’t be used"
        with st.expander(title):
            st.markdown("\n".join(f"- {fault}" for fault in faults))
    if not choices:
        command = training_command(algorithm, family)
        st.error(f"No weights for this page. Make some with `{command}`.")
    return bool(choices)


def chosen_weights(
    state: PageState[W], algorithm: str, change: Callable[[W, str, Checkpoint], W]
) -> tuple[dict[str, Checkpoint], Checkpoint]:
    """All weights of an algorithm to choose from, and those that are chosen; see `chosen_among`."""
    choices, _ = resources.playable(algorithm)
    return choices, chosen_among(state, choices, change)


def chosen_among(
    state: PageState[N],
    choices: Mapping[str, Checkpoint],
    change: Callable[[N, str, Checkpoint], N],
) -> Checkpoint:
    """The weights that are chosen.

    Where those are gone the first of the others take their place; where all are gone since the page
    was drawn, the page is drawn anew, to say so.

    Args:
        change: the view with the weights of a name.
    """
    if not choices:
        st.rerun()
    wanted = state.view.weights
    name = wanted if wanted in choices else next(iter(choices))
    if state.arriving:
        gone = (
            f"The weights “{wanted}” of the link are not on this server: others take their place."
        )
        by_a_link = wanted not in (name, type(state.view).first().weights)
        state.settle(change(state.view, name, choices[name]), *[gone] * by_a_link)
    elif name != wanted:
        state.commit(change(state.view, name, choices[name]))
    return choices[name]


def contrasts(chosen: Checkpoint) -> dict[str, Model]:
    """What stands beside a meta-trained network: others on the same family, by their style."""
    ordinary = resources.library()[0].get(f"pretrained-{chosen.config.family}")
    trained = {"pretrained": Model.of(ordinary)} if ordinary else {}
    return trained | {"random": Model.untrained(chosen)}


def training_command(algorithm: str, family: str) -> str:
    """What makes the weights that ship for an algorithm and a family."""
    return (
        f"python -m metademo train {algorithm} --family {family} "
        f"--out weights/{algorithm}-{family}.safetensors"
    )


def weights(
    state: PageState[N],
    choices: Mapping[str, Checkpoint],
    change: Callable[[N, str, Checkpoint], N],
) -> None:
    """Which weights to play with: the families that they were trained on, and those of the visit.

    Args:
        change: the view with the weights of another name.
    """
    called = {
        name: resources.label(name, FAMILY_LABELS.get(checkpoint.config.family))
        for name, checkpoint in choices.items()
    }
    st.segmented_control(
        "The network was trained on",
        sorted(choices, key=lambda name: called[name] not in FAMILY_LABELS.values()),
        format_func=called.__getitem__,
        required=True,
        wrap=True,
        help="Two waves: sin(x) and sin(x + π), as in the article's code. "
        "Any phase: sin(x + b) for every b from 0° to 180°.",
        **state.bind(
            "weights",
            state.view.weights,
            lambda v, name: change(v, name, choices[name]) if name in choices else v,
            default="default",
        ),
    )


def snap_toggle(state: PageState[P]) -> None:
    """Whether points stay on the wave."""
    st.toggle(
        "Points stay on the wave",
        help="On: points go to the dashed wave. Off: they stay where you put them, and the dashed "
        "wave is the nearest one that the network was trained on.",
        **state.bind("snap", state.view.snap, lambda v, on: v.with_snap(on)),
    )


def wave_slider(state: PageState[P], family: WaveFamily, name: str) -> None:
    """One of `ATTRIBUTES` of the true wave, with the trained range in its label."""
    view, attribute = state.view, ATTRIBUTES[name]
    low, high, step = attribute.slider(family)
    degrees = name == "phase"

    def change(view: P, value: float) -> P:
        return view.with_wave(**{name: float(np.radians(value)) if degrees else value})

    st.slider(
        attribute_label(view, family, name),
        low,
        high,
        step=step,
        format="%d°" if degrees else "%.2f",
        **state.bind(name, min(max(type(low)(round(view.value(name), 6)), low), high), change),
    )


def attribute_label(view: PointsView, family: WaveFamily, name: str) -> str:
    """The attribute, its trained range, and whether the wave is outside of it.

    In plain words: the label is the control's accessible name, too.
    """
    attribute = ATTRIBUTES[name]
    inside = attribute.contains(family, view.value(name))
    place = "trained:" if inside else "outside the trained"
    return f"{attribute.title} ({place} {attribute.trained_in_words(family)})"


def inner_loop(state: PageState[Any], trained: TrainConfig) -> None:
    """The settings of the inner loop, folded away; at first they are those of training."""
    view, alpha = state.view, trained.inner_lr
    with st.expander("Inner loop", **state.unfolding("inner")):
        st.caption(losses_in_words(trained.learner))
        steps_slider(state, f" The network was meta-trained for {trained.inner_steps}.")
        st.number_input(
            "Inner learning rate α",
            0.0,
            max(1.0, float(alpha)),
            step=0.005,
            format="%.3f",
            help=f"How far each step goes. The network was meta-trained with {alpha:g}; step sizes "
            "that it has learned are scaled by the ratio of the two.",
            **state.bind(
                "inner_lr",
                float(alpha if view.inner_lr is None else view.inner_lr),
                lambda v, rate: v.changed(inner_lr=None if rate == alpha else rate),
            ),
        )


def steps_slider(state: PageState[Any], more: str = "") -> None:
    """How many inner steps are shown."""
    st.slider(
        "Inner steps",
        1,
        MAX_STEPS,
        help=f"Gradient steps on the support set.{more}",
        **state.bind("steps", state.view.steps, lambda v, n: v.changed(steps=n)),
    )
