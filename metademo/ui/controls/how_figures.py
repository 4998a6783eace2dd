"""The figures of the page How it works, on what the visitor has left on the other pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from metademo.checkpoints import Checkpoint
from metademo.figures import style_of
from metademo.models import Model
from metademo.moments.asked import ask
from metademo.moments.candidates import candidates
from metademo.moments.outer import MOST, STARTS, Course, HowView, step_of, suits
from metademo.moments.signs import DrawView
from metademo.moments.views import DamlView, MamlView
from metademo.tasks import FAMILIES, PI, as_waves
from metademo.ui.components.chart.chart import interactive_chart
from metademo.ui.components.draw.draw import draw
from metademo.ui.components.kernel.curves import Scene
from metademo.ui.components.outer_step.outer_step import outer_step
from metademo.ui.components.source_line.source_line import Band, source_line
from metademo.ui.controls import layout
from metademo.ui.scenes.draw_scene import draw_scene
from metademo.ui.scenes.how_scene import SOURCE, adapted_scene, inner_scene, problem_scene
from metademo.ui.scenes.outer_scene import outer_scene
from metademo.ui.scenes.sentences import band_in_words
from metademo.ui.server import resources
from metademo.ui.state.state import PageState, present

FIGURE, PANELS, SLOW_MOTION, SIGNS = 400, 160, 680, 740
"""Pixels of a figure until it is there, of small charts in it, of an outer step, and of signs."""


def shown(page: str, kind: type[MamlView | DamlView]) -> Checkpoint | None:
    """The weights that a page plays with at the moment, if they can be used."""
    usable = resources.library()[0] | resources.own()
    return usable.get(present(page, kind).weights)


@contextmanager
def beside(name: str, figure: Callable[[], None]) -> Iterator[None]:
    """A section: its text, which is what is drawn within, and its figure beside it.

    On a narrow screen the figure comes after the text.
    """
    text, side = st.columns([1, 1], gap="large")
    with text:
        yield
    with side, st.container(key=f"figure {name}"):
        figure()


def task_figure(checkpoint: Checkpoint | None) -> None:
    """The visitor's points on the MAML page as a task."""
    if checkpoint:
        family, view = as_waves(checkpoint.config.task_family), present("maml", MamlView)
        _chart("problem", problem_scene(view, family), FIGURE)


def inner_figure(checkpoint: Checkpoint | None) -> None:
    """The inner loop on the visitor's points."""
    if checkpoint:
        family, view = as_waves(checkpoint.config.task_family), present("maml", MamlView)
        _chart("inner", inner_scene(view, family, Model.of(checkpoint)), FIGURE + PANELS)


def daml_figure(checkpoint: Checkpoint | None) -> None:
    """The inner loop on the visitor's source input."""
    if checkpoint:
        family, view = as_waves(checkpoint.config.task_family), present("daml", DamlView)
        source_line(
            "how daml source",
            value=view.source,
            x_range=(-PI / 2, PI / 2),
            bands=[
                Band(b.low, b.high, band_in_words(b), style_of("daml").colours)
                for b in family.bands
            ],
            label=SOURCE,
            figure="how daml",
        )
        _chart("daml", adapted_scene(view, family, Model.of(checkpoint)), FIGURE + PANELS)


def signs_figure() -> None:
    """The visitor's signs on the Draw page, and what ANIL says of them after each step."""
    view = present("draw", DrawView)
    found = candidates(resources.library()[0], {}, FAMILIES["glyphs"])
    chosen = [one for name, one in found.items() if name == "anil"]
    if chosen:
        with layout.room("signs figure", SIGNS):
            draw("how signs", draw_scene(view, view, ask(view, chosen)), page="how signs")


def _chart(name: str, scene: Scene, height: int) -> None:
    with layout.room(f"{name} figure", height):
        interactive_chart(f"how {name} chart", scene, page=f"how {name}", figure=True)


# ------------------------------------------------------------------------ the outer loop


def course(start: str) -> Course | None:
    """The outer steps that are shown: of the MAML page's weights, or of those it begins with."""
    usable = resources.library()[0]
    candidates = (shown("maml", MamlView), usable.get(MamlView.first().weights))
    found = next((one for one in candidates if one and suits(one)), None)
    return Course.of(found, start) if found else None


def slow_motion() -> None:
    """One outer step, the next one, and from which weights."""
    state = how_state()
    view = state.view
    steps = course(view.start)
    if steps is None:
        return
    _which_step(state, steps)
    if not step_of(steps, view.outer).finite:
        st.markdown("These outer steps have run away. Go back to the start.")
        return
    with layout.room("outer step", SLOW_MOTION):
        outer_step(
            "how outer step",
            outer_scene(steps, view.outer),
            page="how",
            step=f"{view.start} {view.outer}",
            moment={"address": state.address, "shows": view.in_words},
        )


def how_state() -> PageState[HowView]:
    return PageState("how", HowView, said=st.query_params)


def _which_step(state: PageState[HowView], steps: Course) -> None:
    """Which outer step is shown, and from which weights on."""
    view = state.view
    st.segmented_control(
        "One outer step in slow motion, from weights that are",
        STARTS,
        required=True,
        **state.bind("start", view.start, lambda _, start: HowView(start=start), default="default"),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Again",
            icon=":material/redo:",
            help="The next outer step, from where this one has led, on three other waves.",
            disabled=view.outer >= MOST or state.lesson.lock,
            on_click=lambda: state.choose(state.view.again()),
        )
        st.button(
            "Back to the start",
            disabled=not view.outer or state.lesson.lock,
            on_click=lambda: state.choose(HowView(start=state.view.start)),
        )
        st.markdown(f"Outer step {view.outer + 1}, β = {steps.beta:g}")
