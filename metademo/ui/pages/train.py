"""The Train page: watch a network learn to learn, and go back to any moment of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from metademo.described import ConfigError
from metademo.moments.train_view import TrainView
from metademo.settings import TrainConfig
from metademo.ui.components.train_stage.train_stage import resting_place, train_stage
from metademo.ui.controls import keep, layout, train_controls
from metademo.ui.scenes.train_kind import untrained
from metademo.ui.scenes.train_scene import (
    Line,
    empty_line,
    learned,
    loss_line,
    train_scene,
    unstarted,
    verdict,
)
from metademo.ui.scenes.train_words import Report, report
from metademo.ui.state import runs
from metademo.ui.state.runs import Run, Visit
from metademo.ui.state.state import PageState

STAGE = "train stage"


def page() -> None:
    """The settings; beside them the buttons, the stage, and what to do with a result.

    The stage alone is drawn again and again while a run is under way. All else is drawn when the
    situation changes, so that no button is drawn anew under a visitor's finger.
    """
    layout.headline(
        "Learning to learn, live",
        "From random weights to a network that learns a new wave, or a new sign, in a few steps. "
        "Watch it learn that, then go back to any moment.",
    )
    try:
        limits = runs.registry().limits
    except ConfigError as fault:
        st.error(f"Nothing can be trained here until the server's settings are mended: {fault}.")
        return
    visit, state = Visit(), PageState("train", TrainView, said=st.query_params)
    visit.follow_address()
    keep.arrival(state)
    train_controls.follow_pace(state, visit)
    situation = _situation(visit)
    stage, controls = layout.stage_and_controls()
    # The stage comes first: what the browser is sent first, it draws first.
    with stage:
        train_controls.run_bar(state, visit, limits)
        st.fragment(_stage)(state.view, situation, _moment(state, visit))
        train_controls.after_the_run(state, visit)
        if visit.chosen and visit.chosen.started:
            train_controls.results(visit, visit.chosen, _resting_place(visit.chosen))
    with controls:
        train_controls.settings(state, visit, limits)
        keep.keep(state)


def _stage(view: TrainView, situation: Any, moment: Mapping[str, str]) -> None:
    """What changes while a run is under way; the browser asks for it."""
    visit = Visit()
    run, under_way = visit.chosen, visit.under_way
    progress = run.progress if run else None
    if run is None or progress is None or not progress.snapshots:
        kind, name = unstarted(run.config if run else _drawable(view)), "not trained yet"
        scene = train_scene(kind, [untrained(kind.config)])
        lines = [empty_line(kind.config)]
    else:
        kind, name = run.kind, run.name
        scene = train_scene(kind, progress.snapshots)
        lines = _lines(visit, run)
    train_stage(
        STAGE,
        run=run.job.token if run else "",
        name=name,
        report=_report(under_way or run),
        scene=scene,
        lines=lines,
        planned=0 if progress and progress.state.over else kind.config.steps,
        live=under_way is not None,
        moment=moment,
        verdict=verdict(progress) if progress else "",
    )
    if _situation(visit) != situation:
        st.rerun()


def _moment(state: PageState[TrainView], visit: Visit) -> dict[str, str]:
    """What the address follows, see `PageState.conversation`; runs are found by it again."""
    return {"address": state.address, "aside": visit.address, "shows": state.view.in_words}


def _situation(visit: Visit) -> Any:
    """What the page beside the stage depends on, besides the settings."""
    chosen = visit.chosen
    shown = chosen and (chosen.started, _resting_place(chosen))
    return shown, [(run.job.token, run.job.state) for run in visit.runs]


def _resting_place(run: Run) -> int | None:
    return resting_place(STAGE, run.job.token)


def _report(run: Run | None) -> Report:
    if run is None:
        return Report(0.0, "Not trained yet: these are random weights.")
    progress = run.progress
    return report(run.name, progress, run.job.pace, learned=learned(progress))


def _lines(visit: Visit, run: Run) -> list[Line]:
    """The loss chart's lines: the run on the stage first, behind it others that are told alike."""
    others = [r for r in visit.runs if r is not run and r.kind.shares == run.kind.shares]
    return [loss_line(r.label, r.number, r.progress) for r in (run, *others)]


def _drawable(view: TrainView) -> TrainConfig:
    return (view if not view.fault else TrainView()).config


page()
