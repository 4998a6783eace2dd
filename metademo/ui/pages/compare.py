"""The Compare page: every way of learning to learn, on the visitor's points and on many tasks."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from metademo import reproduce, reproduced
from metademo.algorithms.papers import FINN_2017, in_markdown
from metademo.checkpoints import Checkpoint
from metademo.moments.candidates import Candidate, candidates, missing
from metademo.moments.compared import compare
from metademo.moments.outside import ATTRIBUTES
from metademo.moments.tour import PANELS
from metademo.moments.views import CompareView
from metademo.tasks import SHAPES, WaveFamily, wave_families
from metademo.ui.components.kernel.curves import Scene
from metademo.ui.components.scores.scores import scores
from metademo.ui.controls import keep, layout, take_home, upload_weights
from metademo.ui.controls.own_points import own_points
from metademo.ui.scenes.compare_scene import compare_scene
from metademo.ui.scenes.scores_scene import scores_scene
from metademo.ui.server import measurements, resources
from metademo.ui.state.state import PageState

SCORES = "compare scores"


def page() -> None:
    """The chart, its controls and the scores below them, each redrawn by itself."""
    state = _state()
    layout.headline(
        "Same points for all",
        "Every way of learning to learn, side by side. Click points, and see which of them is "
        "nearest after each step.",
    )
    keep.arrival(state)
    layout.in_fragments(
        state, chart=_chart, controls=_controls, below=lambda: keep.keep(state, _scene)
    )
    st.fragment(_scores, key=SCORES)()


def _state() -> PageState[CompareView]:
    return layout.page_state("compare", CompareView, following=(SCORES,))


def _found(state: PageState[CompareView]) -> tuple[WaveFamily, dict[str, Candidate]]:
    """The family, and all that were trained on it."""
    family = wave_families()[state.view.family]
    return family, candidates(resources.library()[0], resources.own(), family)


def _compared(state: PageState[CompareView]) -> tuple[WaveFamily, list[Candidate]]:
    """The family, and those that are compared."""
    family, found = _found(state)
    return family, [one for name, one in found.items() if name in state.view.chosen]


def _chart() -> None:
    """What a click changes; nothing here waits for a measurement."""
    state = _state()
    family, found = _found(state)
    if not layout.report(resources.library()[1], found, "maml", family.name):
        return
    layout.points_chart(state, family, _scene())


def _scene() -> Scene:
    state = _state()
    view = state.view
    family, chosen = _compared(state)
    return compare_scene(view, family, compare(view, family, chosen))


def _take_home() -> None:
    state = _state()
    take_home.from_compared(state.view, *_compared(state), _scene())


def _scores() -> None:
    """The board and the sweep; while something is measured they ask for this again and again."""
    state = _state()
    if PANELS in state.lesson.hidden:
        return
    view = state.view
    family, chosen = _compared(state)
    measured = measurements.request(view, family, chosen)
    board, sweep = scores_scene(view, family, compare(view, family, chosen), measured)
    scores(
        "compare scores component",
        board=board,
        sweep=sweep,
        pending=bool(measured.pending),
        page=state.page,
    )
    _absent(_found(state)[1], family)
    if family.name == reproduce.FAMILY:
        _published_table(state)


def _families(view: CompareView) -> list[str]:
    """Those in which there is something to compare, and the one that is shown."""
    shipped = Counter(checkpoint.config.family for checkpoint in resources.library()[0].values())
    return [name for name in wave_families() if shipped[name] > 1 or name == view.family]


def _controls() -> None:
    state = _state()
    view = state.view
    family, found = _found(state)
    layout.room("families", 60).segmented_control(
        "All were trained on",
        _families(view),
        format_func=lambda name: layout.FAMILY_LABELS.get(name, name),
        required=True,
        wrap=True,
        help="\n".join(
            f"- **{layout.FAMILY_LABELS.get(name, name)}**: {one.title}"
            for name, one in wave_families().items()
            if name in _families(view)
        ),
        **state.bind("family", view.family, lambda v, name: v.with_family(name), default="default"),
    )
    layout.room("learners", 276).pills(
        "Ways of learning",
        list(found),
        format_func=lambda name: found[name].title,
        selection_mode="multi",
        wrap=True,
        **state.bind(
            "chosen",
            [name for name in found if name in view.chosen],
            lambda v, names: v.changed(chosen=tuple(n for n in found if n in names)),
            default="default",
        ),
    )
    with st.popover("What each of them is", width="stretch"):
        st.markdown("\n".join(map(_what_it_is, found.values())))
    upload_weights.offer("compare", _take_up, disabled=state.lesson.lock)
    with layout.room("phase", 68):
        layout.wave_slider(state, family, "phase")
    with st.expander("Outside of what they learned", **state.unfolding("outside")):
        _outside(state, family)
    with st.expander("Steps and points", **state.unfolding("steps")):
        st.toggle(
            "Each after the steps that it was trained for",
            help="Off: all of them after the same number of steps, also those that were trained "
            "for fewer or for more.",
            **state.bind("own_steps", view.own_steps, lambda v, on: v.changed(own_steps=on)),
        )
        if not view.own_steps:
            layout.steps_slider(state)
        layout.snap_toggle(state)
    with st.expander("Your own points", **state.unfolding("own")) as part:
        if part.open:
            own_points(state, family)
    keep.own_weights(state)
    if not state.lesson.hidden:  # what is hidden is not to be had in another way
        take_home.popover("compare", _take_home)


def _what_it_is(one: Candidate) -> str:
    """A line of a list: what it does, and where it was published."""
    papers = in_markdown(one.model.learner.papers)
    return f"- **{one.title}** {one.summary}" + (f".\\\n{papers}" if papers else "")


def _take_up(name: str, checkpoint: Checkpoint) -> None:
    """Compare weights of this visit with the others of their family."""
    resources.keep(name, checkpoint)
    state = _state()
    view, family = state.view, checkpoint.config.family
    there = view if view.family == family else view.with_family(family)
    state.commit(there.changed(chosen=(*there.chosen, name)))
    st.rerun()


def _outside(state: PageState[CompareView], family: WaveFamily) -> None:
    """The true wave, also one that none of them was trained on."""
    view = state.view
    for name in ("amplitude", "frequency", "noise"):
        layout.wave_slider(state, family, name)
    st.selectbox(
        layout.attribute_label(view, family, "shape"),
        list(SHAPES),
        **state.bind(
            "shape", view.shape, lambda v, shape: v.with_wave(shape=shape), options=SHAPES
        ),
    )
    st.selectbox(
        "Chart of errors against",
        list(ATTRIBUTES),
        help="At the foot of the page: the error inside and outside of the trained range.",
        **state.bind(
            "along", view.along, lambda v, along: v.changed(along=along), options=ATTRIBUTES
        ),
    )


def _published_table(state: PageState[CompareView]) -> None:
    """The benchmark as others report it, with what was published."""
    report = reproduced.committed()
    if report is None:
        return
    conditions = report.conditions
    with st.expander("The benchmark's table", **state.unfolding("table")):
        wanted = state.view.table_shots
        shots = wanted if wanted in conditions.shots else conditions.shots[0]
        st.segmented_control(
            "Labelled points",
            conditions.shots,
            required=True,
            **state.bind(
                "table_shots", shots, lambda v, n: v.changed(table_shots=n), default="default"
            ),
        )
        st.dataframe(
            reproduced.records(report, shots),
            hide_index=True,
            height="content",
            column_config={"": st.column_config.TextColumn(width=280)},
        )
        st.caption(
            "Mean squared error ± 95 % interval. Where tasks diverge the mean is theirs alone: the "
            f"median says how the others do. {len(conditions.training_seeds)} training seeds x "
            f"{conditions.held_out_tasks_per_seed:,} held-out tasks. {reproduced.DIVERGED} "
            f"Made by `{conditions.command}`."
        )
        st.markdown(f"Published: [{reproduce.FINN}]({FINN_2017.url}).")


def _absent(found: dict[str, Candidate], family: WaveFamily) -> None:
    """Which algorithms have no weights for this family, and how to make some."""
    for name in missing(found, family):
        st.caption(
            f"No weights of {name} for these tasks. Train some on the Train page, or with "
            f"`{layout.training_command(name, family.name)}`."
        )


page()
