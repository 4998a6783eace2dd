"""The Draw page: signs with an example of each, and learners that are asked about one more."""

from __future__ import annotations

import streamlit as st

from metademo.moments.asked import ask
from metademo.moments.candidates import Candidate, candidates, missing
from metademo.moments.outside_of_signs import CHANGES
from metademo.moments.signs import LEAST_SIGNS, MOST_SIGNS, DrawView
from metademo.moments.tour import PANELS, SENTENCES
from metademo.tasks import FAMILIES
from metademo.ui.components.draw.draw import carried_out, draw
from metademo.ui.components.scores.scores import scores
from metademo.ui.controls import keep, layout, take_home, upload_weights
from metademo.ui.scenes.draw_scene import draw_scene
from metademo.ui.scenes.sign_scores_scene import sign_note, sign_sweep, sign_table
from metademo.ui.server import resources, sign_scores
from metademo.ui.state.state import PageState

SCORES = "draw scores"
MOST_SHOTS = 5
HIDEABLE = {SENTENCES: "the sentences", PANELS: "the bars and the scores"}
"""What a class may have to find out for itself."""


def page() -> None:
    """The drawings, the controls and the scores below them, each redrawn by itself."""
    layout.headline(
        "Draw three signs",
        "One example of each is enough: these networks have learned to learn signs, and have never "
        "seen yours. Draw one of them once more, and see which they take it for.",
    )
    state = _state()
    if not layout.report(resources.library()[1], _found(), "anil", "glyphs"):
        return
    keep.arrival(state)
    layout.in_fragments(
        state,
        chart=_chart,
        controls=_controls,
        below=lambda: keep.keep(state, hideable=HIDEABLE),
    )
    st.fragment(_scores, key=SCORES)()


def _state() -> PageState[DrawView]:
    return layout.page_state("draw", DrawView, following=(SCORES,))


def _found() -> dict[str, Candidate]:
    """All that have learned to learn signs."""
    return candidates(resources.library()[0], resources.own(), FAMILIES["glyphs"])


def _chosen(state: PageState[DrawView]) -> list[Candidate]:
    return [one for name, one in _found().items() if name in state.view.chosen]


def _chart() -> None:
    """What a stroke changes; nothing here waits for a measurement."""
    state = _state()
    chosen, view = _chosen(state), state.view
    draw(
        "draw pads",
        draw_scene(state.history.settled, view, ask(view, chosen)).without(state.lesson.hidden),
        conversation=state.conversation,
        on_edit=state.listen("draw pads", carried_out),
    )


def _controls() -> None:
    state = _state()
    view, found = state.view, _found()
    layout.room("learners", 132).pills(
        "Ways of learning",
        list(found),
        format_func=lambda name: found[name].title,
        selection_mode="multi",
        wrap=True,
        help="\n".join(f"- **{one.title}** {one.summary}" for one in found.values()),
        **state.bind(
            "chosen",
            [name for name in found if name in view.chosen],
            lambda v, names: v.changed(chosen=tuple(n for n in found if n in names)),
            default="default",
        ),
    )
    upload_weights.offer("draw", disabled=state.lesson.lock)
    with st.expander("Outside of what they learned", **state.unfolding("outside")):
        _outside(state)
    with st.expander("What they are measured on", **state.unfolding("measured")):
        _measured_on(state)
    keep.own_weights(state)
    if not state.lesson.hidden:  # what is hidden is not to be had in another way
        take_home.popover("draw", _take_home)


def _take_home() -> None:
    state = _state()
    take_home.from_signs(state.view, ask(state.view, _chosen(state)))


def _outside(state: PageState[DrawView]) -> None:
    """What is done to the question, also beyond what any of them was trained on."""
    view = state.view
    for name in CHANGES:
        _change_slider(state, name)
    st.selectbox(
        "Chart of accuracy against",
        list(CHANGES),
        format_func=lambda name: CHANGES[name].title,
        help="At the foot of the page: the share of right answers inside and outside of what was "
        "trained on.",
        **state.bind("along", view.along, lambda v, along: v.changed(along=along), options=CHANGES),
    )


def _change_slider(state: PageState[DrawView], name: str) -> None:
    """One change of the question, with the trained range in its label."""
    change, value = CHANGES[name], float(getattr(state.view, name))
    place = "trained:" if change.contains(value) else "outside the trained"
    low, high = change.limits
    st.slider(
        f"{change.title} ({place} {change.trained_in_words})",
        float(low),
        float(high),
        step=float(change.step),
        format=f"%g{change.unit}",
        **state.bind(name, value, lambda v, x: v.changed(**{name: x})),
    )


def _measured_on(state: PageState[DrawView]) -> None:
    """How large the held-out tasks are."""
    view = state.view
    st.slider(
        "Signs to choose among",
        LEAST_SIGNS,
        MOST_SIGNS,
        **state.bind("ways", view.ways, lambda v, n: v.changed(ways=n)),
    )
    st.slider(
        "Examples of each",
        1,
        MOST_SHOTS,
        **state.bind("shots", view.shots, lambda v, n: v.changed(shots=n)),
    )


def _scores() -> None:
    """How often they are right; while something is measured the sweep asks for this again."""
    state = _state()
    view, chosen = state.view, _chosen(state)
    if not chosen or PANELS in state.lesson.hidden:
        return
    measured = sign_scores.request(view, chosen)
    st.header("How often they are right", anchor=False)
    st.markdown(sign_table(chosen, measured))
    st.caption(sign_note(view))
    scores(
        "draw scores component",
        board=None,
        sweep=sign_sweep(view, chosen, measured),
        pending=bool(measured.pending),
        page=state.page,
    )
    if others := missing(_found(), FAMILIES["glyphs"]):
        st.caption(
            f"No weights of {', '.join(others)} for signs. Train some with "
            f"`{layout.training_command(others[0], 'glyphs')}`, for instance."
        )


page()
