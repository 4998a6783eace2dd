"""What the Train page's controls are: settings, the run's buttons, and what to do with a result."""

from __future__ import annotations

import streamlit as st

from metademo.algorithms import ALGORITHMS
from metademo.described import Setting
from metademo.jobs import Job, JobState, Limits
from metademo.moments.train_view import TrainView, algorithms_of_waves
from metademo.recipes import RECIPES, can_train
from metademo.settings import TrainConfig
from metademo.tasks import wave_families
from metademo.ui.controls import take_home
from metademo.ui.controls.numbers import number_input, within_reach
from metademo.ui.controls.play import play
from metademo.ui.scenes.train_scene import learned
from metademo.ui.scenes.train_verdict import Remedy, remedies
from metademo.ui.scenes.train_words import OWN, SETTINGS, describe, note_on, promise, refusal
from metademo.ui.state.runs import Run, Visit
from metademo.ui.state.state import PageState

PACES = {0.0: "as fast as it goes"}
PACES |= {float(n): f"{n:,} a second" for n in (1000, 300, 100, 30, 10, 3)}


# ---------------------------------------------------------------------------- settings


def settings(state: PageState[TrainView], visit: Visit, limits: Limits) -> None:
    """What to train next, behind a preset; and how fast."""
    view, offered = state.view, algorithms_of_waves()
    ways = [ALGORITHMS[name] for name in offered]
    st.selectbox(
        "Way of learning to learn",
        offered,
        format_func=lambda name: ALGORITHMS[name].title,
        help="\n".join(f"- **{way.title}** {way.summary}." for way in ways),
        **state.bind(
            "algorithm",
            view.algorithm,
            lambda v, name: v.with_algorithm(name),
            options=offered,
        ),
    )
    families = [name for name in wave_families() if can_train(view.algorithm, name)]
    st.selectbox(
        "Tasks",
        families,
        format_func=lambda name: wave_families()[name].title.split(":")[0],
        help="The family of waves that tasks are drawn from.\n"
        + "\n".join(f"- {family.title}." for family in wave_families().values()),
        **state.bind("family", view.family, lambda v, name: v.with_family(name), options=families),
    )
    st.segmented_control(
        "Recipe",
        view.recipes,
        format_func=str.capitalize,
        required=True,
        wrap=True,
        help="\n".join(f"- **{n.capitalize()}**: {RECIPES[n].title}." for n in view.recipes),
        **state.bind(
            "recipe",
            view.recipe,
            lambda v, name: v.changed(recipe=name, own=()),
            default="default",
        ),
    )
    st.select_slider(
        "Pace, in outer steps",
        list(PACES),
        format_func=PACES.get,
        help="Slow motion shows what a fast run is over with in a second. It can be changed while "
        "a run is under way.",
        **state.bind("pace", _known_pace(view.pace), lambda v, pace: _set_pace(v, pace, visit)),
    )
    with (
        st.container(key="train own settings"),
        st.expander("Your own settings", **state.unfolding("own")),
    ):
        _own_settings(state, limits)


def follow_pace(state: PageState[TrainView], visit: Visit) -> None:
    """Let the slider show the pace of the run under way, also after a reload."""
    if (run := visit.under_way) and (run.job.pace or 0.0) != state.view.pace:
        state.commit(state.view.changed(pace=run.job.pace or 0.0))


def _known_pace(pace: float) -> float:
    return min(PACES, key=lambda known: abs(known - pace))


def _set_pace(view: TrainView, pace: float, visit: Visit) -> TrainView:
    if run := visit.under_way:
        run.job.pace = pace or None
    return view.changed(pace=pace)


def _own_settings(state: PageState[TrainView], limits: Limits) -> None:
    for name in OWN:
        _own_setting(SETTINGS[name], state, limits)
    st.button(
        "Back to the recipe",
        disabled=not state.view.own or state.lesson.lock,
        width="stretch",
        on_click=lambda: state.commit(state.view.changed(own=())),
    )


def _own_setting(setting: Setting, state: PageState[TrainView], limits: Limits) -> None:
    name = setting.name
    number_input(
        setting,
        limits,
        **state.bind(
            name,
            within_reach(setting, state.view.value_of(name), limits),
            lambda view, value: view.with_setting(name, value),
        ),
    )


# ---------------------------------------------------------------------------- the run's buttons


def run_bar(state: PageState[TrainView], visit: Visit, limits: Limits) -> None:
    """Start, Pause, Stop, each always in its place, and what they are about."""
    run, view = visit.under_way, state.view
    job = run.job if run else None
    fault = view.fault or refusal(view.config, limits)
    buttons, about = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with buttons, st.container(key="train bar", horizontal=True, gap="small"):
        st.button(
            "Start",
            key="train start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=job is not None or bool(fault),
            on_click=lambda: visit.start(view.config, view.pace or None),
        )
        st.button(
            "Resume" if job and job.state is JobState.PAUSED else "Pause",
            key="train pause",
            disabled=job is None or job.state is JobState.WAITING,
            on_click=_pause_or_resume,
            args=(job,),
        )
        st.button("Stop", key="train stop", disabled=job is None, on_click=_stop, args=(job,))
    with about, st.container(key="train intention"):
        if run:
            later = " Changed settings count for the next run." * (run.config != _config(view))
            st.markdown(f"Training {describe(run.config)}.{later}")
        elif fault:
            st.markdown(f":material/warning: Can’t start: {fault}")
        elif reason := visit.refusal(view.config):
            st.markdown(f":material/hourglass_top: Not started: {reason}")
        else:
            st.markdown(promise(view.config, view.pace or None, limits))


def _config(view: TrainView) -> TrainConfig | None:
    return None if view.fault else view.config


def _pause_or_resume(job: Job) -> None:
    if job.state is JobState.PAUSED:
        job.resume()
    else:
        job.pause()
    job.settle()


def _stop(job: Job) -> None:
    job.stop()
    job.settle()


# ---------------------------------------------------------------------------- after a run


def after_the_run(state: PageState[TrainView], visit: Visit) -> None:
    """What is worth knowing about the run on the stage, and what to try where it failed."""
    for notice in visit.notices:
        st.info(notice, icon=":material/info:")
    run = visit.chosen
    if run is None:
        return
    if note := note_on(run.config):
        st.caption(note)
    progress = run.progress
    failed = progress.state is JobState.DIVERGED or (
        progress.state is JobState.FINISHED and not learned(progress)
    )
    if failed and not visit.under_way:
        tried = [other.config for other in visit.runs]
        with st.container(key="train remedies", horizontal=True, gap="small"):
            for remedy in remedies(run.config, state.view.pace, tried):
                st.button(
                    remedy.label,
                    key=f"train remedy {remedy.label}",
                    icon=":material/replay:",
                    disabled=state.lesson.lock,
                    on_click=_try,
                    args=(state, visit, remedy),
                )


def _try(state: PageState[TrainView], visit: Visit, remedy: Remedy) -> None:
    """Choose the remedy's settings and start a run of them."""
    state.commit(remedy.view)
    visit.start(remedy.view.config, remedy.view.pace or None)


# ---------------------------------------------------------------------------- results


def results(visit: Visit, run: Run, step: int | None) -> None:
    """What to do with a run: play, take home, compare, remove.

    Args:
        step: of the snapshot that the visitor looks at; None for the newest.
    """
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if len(visit.runs) > 1:
            _choice_of_runs(visit, run)
        if st.button(
            "Play with these weights",
            key="train play",
            icon=":material/touch_app:",
            help="Opens the page where you can try them, as they were at the slider's place.",
        ):
            snapshot = run.snapshot(step)
            name = f"{run.name}, step {snapshot.step:,}"
            play(name, run.checkpoint(snapshot), here="train")
        take_home.popover("train", lambda: take_home.from_run(run, step), "content")
        st.button(
            "Remove",
            key="train remove",
            icon=":material/close:",
            disabled=not run.job.state.over,
            on_click=lambda: visit.remove(run),
            help="Takes this run off the charts.",
        )


def _choice_of_runs(visit: Visit, run: Run) -> None:
    tokens = {other.job.token: other for other in visit.runs}
    st.session_state["train chosen"] = run.job.token
    st.selectbox(
        "Run on the stage",
        list(tokens),
        format_func=lambda token: tokens[token].title,
        key="train chosen",
        on_change=lambda: visit.choose(st.session_state["train chosen"]),
        width=420,
    )
