"""What the Train page's controls are: settings, the run's buttons, and what to do with a result."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from metademo import checkpoints
from metademo.algorithms import ALGORITHMS
from metademo.jobs import Job, Limits, Progress, Snapshot, State
from metademo.tasks import FAMILIES
from metademo.training import LIMITS, RECIPES, can_train
from metademo.ui import resources, train_scene
from metademo.ui.runs import Run, Visit
from metademo.ui.state import PageState
from metademo.ui.train_scene import SETTINGS
from metademo.ui.views import DamlView, MamlView, TrainView

PACES = {0.0: "as fast as it goes"}
PACES |= {float(n): f"{n:,} a second" for n in (1000, 300, 100, 30, 10, 3)}
HELP = {
    "inner_lr": "How far each inner step goes. Too large, and the inner loop overshoots.",
    "outer_lr": "How far each outer step goes. Too large, and the training diverges: try it.",
    "inner_steps": "Gradient steps on the support set that the network is trained to make good "
    "use of.",
    "shots": "Labelled points of each task that the inner loop sees. A learned loss sees one "
    "unlabelled input per step instead.",
    "queries": "Points of each task at which the adapted network is judged.",
    "meta_batch": "Tasks that each outer step averages over.",
    "hidden": "Units in each of the two hidden layers.",
    "steps": "How long to train.",
    "seed": "Of the initial weights and of the tasks drawn: the same seed gives the same run.",
}
SANE = {"seed": (0, 9999)}
"""Narrower than what a config may hold, where that is more than makes sense here."""


# ---------------------------------------------------------------------------- settings


def settings(state: PageState[TrainView], visit: Visit, limits: Limits) -> None:
    """What to train next, behind a preset; and how fast."""
    view = state.view
    st.selectbox(
        "Way of learning to learn",
        list(ALGORITHMS),
        format_func=lambda name: ALGORITHMS[name].title,
        help="\n".join(f"- **{a.title}** {a.summary}." for a in ALGORITHMS.values()),
        **state.bind("algorithm", view.algorithm, lambda v, name: v.with_algorithm(name)),
    )
    st.selectbox(
        "Tasks",
        [name for name in FAMILIES if can_train(view.algorithm, name)],
        format_func=lambda name: FAMILIES[name].title.split(":")[0],
        help="The family of waves that tasks are drawn from.\n"
        + "\n".join(f"- {family.title}." for family in FAMILIES.values()),
        **state.bind("family", view.family, lambda v, name: v.with_family(name)),
    )
    st.segmented_control(
        "Recipe",
        view.recipes,
        format_func=str.capitalize,
        required=True,
        help="\n".join(f"- **{n.capitalize()}**: {RECIPES[n].title}." for n in view.recipes),
        **state.bind("recipe", view.recipe, lambda v, name: replace(v, recipe=name, own=())),
    )
    st.select_slider(
        "Pace, in outer steps",
        list(PACES),
        format_func=PACES.get,
        help="Slow motion shows what a fast run is over with in a second. It can be changed while "
        "a run is under way.",
        **state.bind("pace", _known_pace(view.pace), lambda v, pace: _set_pace(v, pace, visit)),
    )
    with st.expander(_own_title(view), key="train own settings"):
        _own_settings(state, limits)


def _known_pace(pace: float) -> float:
    return min(PACES, key=lambda known: abs(known - pace))


def _set_pace(view: TrainView, pace: float, visit: Visit) -> TrainView:
    if run := visit.under_way:
        run.job.pace = pace or None
    return replace(view, pace=pace)


def _own_title(view: TrainView) -> str:
    return f"Your own settings ({len(view.own)} changed)" if view.own else "Your own settings"


def _own_settings(state: PageState[TrainView], limits: Limits) -> None:
    config = state.view.config
    for name, label in SETTINGS.items():
        kind, low, high = LIMITS[name]
        least, most = SANE.get(name, (low, high))
        most = min(most, limits.maximum(name) or most)
        look = dict(step=1) if kind is int else dict(step=0.001, format="%.4g")
        st.number_input(
            label[0].upper() + label[1:],
            kind(least),
            kind(most),
            help=f"{HELP[name]} From {least:,} to {most:,}.",
            **look,
            **state.bind(
                name,
                kind(min(max(getattr(config, name), least), most)),
                lambda v, value, name=name: v.with_setting(name, value),
            ),
        )
    st.button(
        "Back to the recipe",
        disabled=not state.view.own,
        width="stretch",
        on_click=lambda: state.commit(replace(state.view, own=())),
    )


# ---------------------------------------------------------------------------- the run's buttons


def run_bar(state: PageState[TrainView], visit: Visit, progress: Progress | None) -> None:
    """Start, Pause, Stop, and how far it is; each always in its place."""
    job = visit.under_way.job if visit.under_way else None
    paused = job is not None and job.state is State.PAUSED
    buttons, bar = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with buttons, st.container(horizontal=True, gap="small"):
        st.button(
            "Start",
            key="train start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=job is not None or bool(state.view.fault),
            on_click=lambda: visit.start(state.view.config, state.view.pace or None),
        )
        st.button(
            "Resume" if paused else "Pause",
            key="train pause",
            disabled=job is None or job.state is State.WAITING,
            on_click=_pause_or_resume,
            args=(job,),
        )
        st.button("Stop", key="train stop", disabled=job is None, on_click=_stop, args=(job,))
    with bar, st.container(key="train progress"):
        _progress_bar(state, visit, progress)


def _progress_bar(state: PageState[TrainView], visit: Visit, progress: Progress | None) -> None:
    if visit.message:
        st.progress(0.0, text="Not started: why is said below the charts.")
    elif progress is None:
        fault = train_scene.in_words(state.view.fault)
        st.progress(0.0, text=fault or train_scene.promise(state.view.config))
    else:
        st.progress(min(1.0, progress.share), text=train_scene.report(progress))


def _pause_or_resume(job: Job) -> None:
    if job.state is State.PAUSED:
        job.resume()
    else:
        job.pause()
    job.settle()


def _stop(job: Job) -> None:
    job.stop()
    job.settle()


def messages(visit: Visit, run: Run | None, progress: Progress | None) -> None:
    """What went wrong, and what is worth knowing about the run on the stage."""
    if visit.message:
        st.warning(visit.message, icon=":material/hourglass_top:")
    if progress is not None and (text := train_scene.ending(progress)):
        st.warning(text, icon=":material/warning:")
    if run is not None and (note := train_scene.note_on(run.job.config)):
        st.caption(note)


# ---------------------------------------------------------------------------- results


def results(visit: Visit, run: Run, progress: Progress, snapshot: Snapshot) -> None:
    """What to do with a run: play, download, compare, remove."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if len(visit.runs) > 1:
            _choice_of_runs(visit, run)
        if st.button(
            "Play with these weights",
            key="train play",
            icon=":material/touch_app:",
            help="Opens the page where you can try them, as they were at the slider's place.",
        ):
            play(run, snapshot)
        st.download_button(
            "Download",
            lambda: checkpoints.serialise(run.checkpoint(snapshot)),
            file_name=_file_name(run, snapshot),
            mime="application/octet-stream",
            key="train download",
            icon=":material/download:",
            on_click="ignore",
            help="As a safetensors file, for `python -m metademo evaluate`.",
        )
        st.button(
            "Remove",
            key="train remove",
            icon=":material/close:",
            disabled=not progress.state.over,
            on_click=lambda: visit.remove(run),
            help="Takes this run off the charts.",
        )


def _choice_of_runs(visit: Visit, run: Run) -> None:
    tokens = {one.job.token: one for one in visit.runs}
    st.session_state["train chosen"] = run.job.token
    st.selectbox(
        "Run on the stage",
        list(tokens),
        format_func=lambda token: tokens[token].title,
        key="train chosen",
        on_change=lambda: visit.choose(st.session_state["train chosen"]),
        width=420,
    )


def play(run: Run, snapshot: Snapshot) -> None:
    """Open the page that these weights are for, on them."""
    config = run.job.config
    name = f"{run.name}, step {snapshot.step:,}"
    resources.keep(name, run.checkpoint(snapshot))
    changes = dict(weights=name, steps=max(1, config.inner_steps), inner_lr=None)
    if config.learner.unlabelled:
        page, state = "daml", PageState("daml", DamlView)
        state.commit(replace(state.view, **changes))
    else:
        page, state = "maml", PageState("maml", MamlView.first)
        state.commit(replace(state.view, **changes).within(config.task_family))
    st.switch_page(f"metademo/ui/{page}.py")


def _file_name(run: Run, snapshot: Snapshot) -> str:
    config = run.job.config
    return f"{config.algorithm}-{config.family}-step-{snapshot.step}{checkpoints.SUFFIX}"
