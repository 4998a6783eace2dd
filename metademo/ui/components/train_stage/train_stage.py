"""The stage of the Train page: how far a run is, its losses, its probe tasks, and one slider.

The slider runs over the snapshots of a run. The browser has the curves of all of them, so going
back in time never talks to the server; it tells only where the visitor came to rest.

What a snapshot looks like never changes, and each is sent until the browser has it: while there is
more to come the browser asks for it again and again, and names the snapshots that it has. So
nothing can be missing, whatever is lost on the way, and a slow line is asked less often.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from metademo.tasks import Array
from metademo.ui.components.kernel import assets
from metademo.ui.components.kernel.curves import Curve, encode_curve, encode_ticks, pi_ticks
from metademo.ui.scenes.facts import unfold
from metademo.ui.scenes.train_scene import Line, TrainScene
from metademo.ui.scenes.train_words import Report

HEIGHT = 330
FIRST_PAINT_HEIGHT = 540


def train_stage(
    key: str,
    *,
    run: str,
    name: str,
    report: Report,
    scene: TrainScene,
    lines: Sequence[Line],
    planned: int,
    live: bool,
    moment: Mapping[str, str],
    verdict: str = "",
) -> None:
    """Draw the stage.

    Args:
        key: stable; the stage is never remounted as long as it stays the same.
        run: identifies what the slider runs over; with another one it goes to the newest snapshot.
        name: of the run, for a screen reader.
        report: how far the run is.
        scene: the probe tasks, per snapshot.
        lines: one per run in the loss chart; the first belongs to `run`.
        planned: outer steps for which the loss chart has room.
        moment: "address", "aside" and "shows" of the page, see `kernel/shared.js`.
        live: whether more is to come: the browser asks for it, and a screen reader is not told of
            every change.
        verdict: what is said in place of the newest snapshot's caption, if anything.
    """
    unsent = _unsent(key, run, scene.steps)
    said, facts = unfold(verdict)
    ticks = pi_ticks(*scene.x_range) if _is_wide(scene.x_range) else None
    data = {
        "assets": assets.urls("train_stage/train_stage.js"),
        "turn": _told(key, "have").get("turn", 0),
        "run": run,
        "name": name,
        "live": live,
        "moment": dict(moment),
        "progress": {"share": report.share, "text": report.text, "bad": report.bad},
        "steps": len(scene.steps) - 1,
        "snapshots": scene.steps,
        "stepNames": [f"step {step:,}" for step in scene.steps],
        "errors": _numbers(scene.errors),
        "fresh": [scene.steps[i] for i in unsent],
        "captions": [scene.captions[i] for i in unsent],
        "details": [scene.details[i] for i in unsent],
        "captionFacts": [list(scene.caption_facts[i]) for i in unsent],
        "detailFacts": [list(scene.detail_facts[i]) for i in unsent],
        "verdict": said,
        "verdictFacts": facts,
        "points": scene.points,
        "metric": scene.metric,
        "line": scene.line,
        "about": scene.about,
        "most": max([1, planned, *(_last(line.steps) for line in lines)]),
        "top": max(line.top for line in lines),
        "ignoring": float(f"{lines[0].ignoring:.4g}"),
        "lines": [_encode_line(line, main=not i) for i, line in enumerate(lines)],
        "curves": [_encode_rows(curve, unsent, scene.y_range) for curve in scene.curves],
        "xRange": list(scene.x_range),
        "yRange": list(scene.y_range),
        "xTicks": encode_ticks(ticks),
        "height": HEIGHT,
    }
    _mount()(key=key, data=data, on_rest_change=lambda: None, on_have_change=lambda: None)


def resting_place(key: str, run: str) -> int | None:
    """The outer step at which the visitor left the slider of this run, None at its end."""
    rest = _told(key, "rest")
    step = rest.get("step")
    return step if rest.get("run") == run and isinstance(step, int) else None


def _unsent(key: str, run: str, steps: Sequence[int]) -> list[int]:
    """The places of those snapshots that the browser has not said it has."""
    have = _told(key, "have")
    known = have.get("steps") if have.get("run") == run and run else None
    return [i for i, step in enumerate(steps) if not (isinstance(known, list) and step in known)]


def _told(key: str, name: str) -> dict[str, Any]:
    """What the browser has told last, if that can be read at all."""
    try:
        value = st.session_state[key][name]
    except (KeyError, TypeError, AttributeError):
        return {}
    return value if isinstance(value, dict) else {}


@functools.cache
def _mount() -> Callable[..., None]:
    return assets.component("train_stage", FIRST_PAINT_HEIGHT)


def _is_wide(x_range: tuple[float, float]) -> bool:
    """Whether the range is one of whole multiples of π, which are then its natural marks."""
    return all(abs(v / np.pi - round(v / np.pi)) < 1e-6 for v in x_range)


def _encode_rows(
    curve: Curve, places: Sequence[int], y_range: tuple[float, float]
) -> dict[str, Any]:
    """A curve with its rows at these places, if it has one for each snapshot."""
    moves = np.ndim(curve.y) > 1
    if moves:
        curve = replace(curve, y=curve.y[list(places)])
    return encode_curve(curve, y_range) | {"moves": moves}


def _encode_line(line: Line, *, main: bool) -> dict[str, Any]:
    """A line; its single averages are drawn for the main one only."""
    return {
        "label": line.label,
        "color": list(line.style.colours),
        "number": line.number,
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
