"""The Train page: watch a network learn to learn, and go back to any moment of it."""

from __future__ import annotations

import time

import streamlit as st

from metademo.jobs import Progress
from metademo.training import ConfigError
from metademo.ui import layout, runs, train_controls
from metademo.ui.runs import Run, Visit
from metademo.ui.state import PageState
from metademo.ui.train_scene import DASHES, Line, empty_line, loss_line, train_scene, untrained
from metademo.ui.train_stage import send_all, train_stage
from metademo.ui.views import TrainView

STAGE = "train stage"
POLL = 0.24
"""Seconds between two looks at a run under way, paused or not: another value would take a run of
the whole page."""
FLUSH = 0.03
"""Seconds in which what was drawn goes out to the browser."""


def page() -> None:
    """The settings, and beside them the stage, which renews itself while a run is under way."""
    layout.headline(
        "Learning to learn, live",
        "From random weights to a network that becomes a new wave in a few steps. Watch it learn "
        "that, then go back to any moment.",
    )
    try:
        limits = runs.registry().limits
    except ConfigError as fault:
        st.error(f"Nothing can be trained here until the server's settings are mended: {fault}.")
        return
    visit, state = Visit(), PageState("train", TrainView)
    visit.follow_address()
    stage, controls = layout.stage_and_controls()
    # The stage comes first: what the browser is sent first, it draws first.
    with stage:
        every = _poll(visit)
        send_all(STAGE)
        st.fragment(_stage, run_every=every)(state, every)
    with controls:
        train_controls.settings(state, visit, limits)
    if every:  # a poll that follows at once would take back what has not gone out by then
        time.sleep(FLUSH)


def _poll(visit: Visit) -> float | None:
    return POLL if visit.under_way else None


def _stage(state: PageState[TrainView], every: float | None) -> None:
    """Everything that changes while a run is under way."""
    visit = Visit()
    run = visit.chosen
    progress = run.progress if run else None
    train_controls.run_bar(state, visit, progress)
    if run is None or not progress.snapshots:
        probes, start = untrained(run.job.config if run else _drawable(state.view))
        scene, name = train_scene(probes, [start]), "not trained yet"
        lines = [empty_line(probes.config)]
    else:
        scene, name = train_scene(run.probes, progress.snapshots), run.name
        lines = _lines(visit, run, progress)
    live = progress is not None and not progress.state.over
    rest = train_stage(
        STAGE,
        run=run.job.token if run else "",
        name=name,
        scene=scene,
        lines=lines,
        live=live,
    )
    train_controls.messages(visit, run, progress)
    if run and progress.snapshots:
        at = {snapshot.step: snapshot for snapshot in progress.snapshots}
        train_controls.results(visit, run, progress, at.get(rest, progress.snapshots[-1]))
    # Only now that all is drawn: what a fragment leaves out, the browser takes off the page.
    if _poll(visit) != every:
        st.rerun()


def _lines(visit: Visit, run: Run, progress: Progress) -> list[Line]:
    """The loss chart's lines: the run on the stage first, the others behind it."""
    others = [one for one in visit.runs if one is not run]
    return [loss_line(run.label, progress, DASHES[0])] + [
        loss_line(one.label, one.progress, DASHES[1 + i % 3]) for i, one in enumerate(others)
    ]


def _drawable(view: TrainView):
    return (view if not view.fault else TrainView()).config


page()
