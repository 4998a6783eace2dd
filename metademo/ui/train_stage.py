"""The stage of the Train page: losses at the left, probe tasks at the right, one slider for both.

The slider runs over the snapshots of a run. The browser has the curves of all of them, so going
back in time never talks to the server; it tells only where the visitor came to rest. What a
snapshot looks like never changes, so while a run is under way only the new ones are sent.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from metademo.tasks import Array
from metademo.ui import assets
from metademo.ui.chart import Curve, Ticks, _encode_curve, _ticks, pi_ticks
from metademo.ui.train_scene import Line, TrainScene

HEIGHT = 330
FIRST_PAINT_HEIGHT = 500
AGAIN = 1.0
"""Seconds for which a snapshot is sent again and again: of two messages in quick succession the
browser may get the second only. If it lacks one all the same, it says so."""


def train_stage(
    key: str, *, run: str, name: str, scene: TrainScene, lines: Sequence[Line], live: bool
) -> int | None:
    """Draw the stage; return the outer step at which the visitor left the slider, None at its end.

    Args:
        key: stable; the stage is never remounted as long as it stays the same.
        run: identifies what the slider runs over; with another one it goes to the newest snapshot.
        name: of the run, for a screen reader.
        scene: the probe tasks, per snapshot.
        lines: one per run in the loss chart; the first belongs to `run`.
        live: whether more is to come, so that a screen reader is not told of every change.
    """
    fresh = _not_sent(key, run, scene.steps)
    ticks: Ticks = pi_ticks(*scene.x_range) if _is_wide(scene.x_range) else None
    data = {
        "assets": assets.urls("train_stage.js"),
        "run": run,
        "name": name,
        "live": live,
        "steps": len(scene.steps) - 1,
        "snapshots": scene.steps,
        "stepNames": [f"step {step:,}" for step in scene.steps],
        "errors": _numbers(scene.errors),
        "fresh": [scene.steps[i] for i in fresh],
        "captions": [scene.captions[i] for i in fresh],
        "details": [scene.details[i] for i in fresh],
        "points": scene.points,
        "metric": scene.metric,
        "most": max([scene.most_steps, *(_last(line.steps) for line in lines)]),
        "lines": [_encode_line(line, main=not i) for i, line in enumerate(lines)],
        "curves": [_encode_rows(curve, fresh, scene.y_range) for curve in scene.curves],
        "xRange": list(scene.x_range),
        "yRange": list(scene.y_range),
        "grid": list(scene.x_range),
        "xTicks": _ticks(ticks),
        "yTicks": None,
        "height": HEIGHT,
    }
    _mount()(
        key=key,
        data=data,
        on_rest_change=lambda: None,
        on_lacking_change=lambda: send_all(key),
    )
    return _resting_place(key, run, scene.steps)


def send_all(key: str) -> None:
    """See that the browser gets all snapshots, as one needs it that has just mounted the stage."""
    st.session_state.pop(f"{key} sent", None)


def _not_sent(key: str, run: str, steps: Sequence[int]) -> list[int]:
    """The places of those snapshots that the browser may not have yet."""
    sent = st.session_state.setdefault(f"{key} sent", {})
    before = sent["first"] if sent.get("run") == run else {}
    now = time.monotonic()
    first = {step: before.get(step, now) for step in steps}
    sent.update(run=run, first=first)
    return [i for i, step in enumerate(steps) if now - first[step] < AGAIN]


@functools.cache
def _mount():
    return assets.component("train_stage", FIRST_PAINT_HEIGHT)


def _is_wide(x_range: tuple[float, float]) -> bool:
    """Whether the range is one of whole multiples of π, which are then its natural marks."""
    return all(abs(v / np.pi - round(v / np.pi)) < 1e-6 for v in x_range)


def _resting_place(key: str, run: str, steps: Sequence[int]) -> int | None:
    """Where the slider was left, if the browser said so for this run."""
    try:
        rest: Any = st.session_state[key]["rest"]
        if rest["run"] == run and rest["step"] in steps:
            return int(rest["step"])
    except (KeyError, TypeError, AttributeError):
        pass
    return None


def _encode_rows(
    curve: Curve, fresh: Sequence[int], y_range: tuple[float, float]
) -> dict[str, Any]:
    """A curve with those of its rows that are new, if it has one for each snapshot."""
    moves = np.ndim(curve.y) > 1
    if moves:
        curve = replace(curve, y=curve.y[list(fresh)])
    return _encode_curve(curve, y_range) | {"moves": moves}


def _encode_line(line: Line, *, main: bool) -> dict[str, Any]:
    """A line; its single averages are drawn for the main one only."""
    return {
        "label": line.label,
        "color": list(line.style.colours),
        "dash": line.dash,
        "steps": _numbers(line.steps),
        "raw": _numbers(line.raw) if main else [],
        "smooth": _numbers(line.smooth),
        "errorSteps": _numbers(line.error_steps),
        "errors": _numbers(line.errors),
    }


def _numbers(values: Array) -> list[float | None]:
    """Numbers as JSON: four digits are more than a pixel shows; null where there is none."""
    return [
        None if not np.isfinite(v) else int(v) if v == int(v) else float(f"{v:.4g}") for v in values
    ]


def _last(steps: Array) -> int:
    return int(steps[-1]) if len(steps) else 0
