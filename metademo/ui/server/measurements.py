"""What is measured of learners on the Compare page, and kept for all visitors. No Streamlit here.

A learner's :class:`Standing` on many held-out tasks, the time it takes, and how its error grows
where an attribute of the waves leaves the trained range (:func:`swept`). None of them depends on
where the visitor's points are, only on how many they are. :func:`request` never computes: it
answers with what is known, and what is not is computed in the background; see `score_cache`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from metademo import engines
from metademo.evaluation import Evaluation, evaluate, ordered, run_learner
from metademo.models import Model
from metademo.moments.candidates import Candidate, steps_of
from metademo.moments.outside import ATTRIBUTES
from metademo.moments.views import CompareView
from metademo.tasks import Array, WaveFamily
from metademo.ui.server.score_cache import PENDING, Failed, ScoreCache

TASKS, SEED = 300, 0
SWEPT_TASKS = 100
EVERY = 8
"""Errors of many tasks are measured on every 8th point of the grid: 50 points."""
TIMED = 7
CAPACITY = 1_000
"""Results that are kept, of some ten kilobytes each."""


@dataclass(frozen=True)
class Standing:
    """Errors on held-out tasks, and the time of one adaptation in milliseconds, once known."""

    held_out: Evaluation
    milliseconds: float | None = None


class Measured(NamedTuple):
    """What is known by now of the chosen learners, by their names.

    Attributes:
        standings: on held-out tasks.
        sweeps: mean errors (steps + 1, values) along the view's attribute.
        pending: those of whom something is still being measured.
        failed: why a standing could not be measured.
    """

    standings: Mapping[str, Standing]
    sweeps: Mapping[str, Array]
    pending: tuple[str, ...] = ()
    failed: Mapping[str, str] = {}


@functools.cache
def shared_cache() -> ScoreCache:
    """The measurements of all visitors of this server."""
    return ScoreCache(CAPACITY)


def request(view: CompareView, family: WaveFamily, chosen: Sequence[Candidate]) -> Measured:
    """What is known of the chosen learners; the rest is asked for. Takes no time worth a thought.

    Ask again while something is pending.
    """
    get, shots, steps = shared_cache().get, shots_of(view), steps_of(view, chosen)
    of = {one.name: (one.model.learner, one.model.fingerprint, family) for one in chosen}

    def ask(measure: Callable[..., Any], *conditions: Any) -> dict[str, Any]:
        def result(one: Candidate) -> Any:
            given = (shots, steps[one.name], *conditions)
            compute = functools.partial(measure, one.model, family, *given)
            return get((measure.__name__, *of[one.name], *given), compute)

        # What is asked for last is measured first, so the first one is asked for last.
        return {one.name: result(one) for one in reversed(chosen)}

    sweeps = ask(swept, view.along)
    # What was timed before the compiled engine was there has to be timed again.
    times = ask(milliseconds, engines.is_warm())
    held_out = ask(held_out_errors)
    timed = known(times)
    return Measured(
        standings={name: Standing(v, timed.get(name)) for name, v in known(held_out).items()},
        sweeps=known(sweeps),
        pending=tuple(
            one.name
            for one in chosen
            if any(v[one.name] is PENDING for v in (sweeps, times, held_out))
        ),
        failed={name: v.reason for name, v in held_out.items() if isinstance(v, Failed)},
    )


def known(results: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some results that are there."""
    return {n: v for n, v in results.items() if v is not PENDING and not isinstance(v, Failed)}


def shots_of(view: CompareView) -> int:
    """Labelled points per held-out task: as many as the visitor has placed, or four."""
    return len(view.points) or 4


def held_out_errors(model: Model, family: WaveFamily, shots: int, steps: int) -> Evaluation:
    """How a learner does on held-out tasks, each with so many labelled points."""
    return _evaluated(model, family, shots, steps, TASKS)


def milliseconds(
    model: Model, family: WaveFamily, shots: int, steps: int, warm: bool = True
) -> float:
    """Median time of an adaptation to one task, with the curve of each step on the whole grid.

    `warm` says which engine it is the time of, and changes nothing.
    """
    sources = max(1, steps) if model.learner.unlabelled else 0
    rng = np.random.default_rng(SEED)
    support = family.sample_episodes(rng, 1, shots=shots, queries=0, sources=sources)[1].support
    times = []
    for _ in range(TIMED):
        began = time.perf_counter()
        run_learner(model.learner, model.meta, support, family.grid, steps=steps)
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times))


def swept(model: Model, family: WaveFamily, shots: int, steps: int, along: str) -> Array:
    """Mean error after 0 .. S steps where one attribute has each of its values, (S + 1, values).

    All else is as in the family. Infinite where tasks diverge, NaN where an unlabelled learner has
    no input for such a wave.
    """
    attribute = ATTRIBUTES[along]
    columns = []
    for value in attribute.values(family):
        moved = attribute.at(family, float(value))
        try:
            result = _evaluated(model, moved, shots, steps, SWEPT_TASKS)
        except ValueError:
            columns.append(np.full(steps + 1, np.nan))
        else:
            columns.append(ordered(result.mean))
    return np.stack(columns, axis=1)


def _evaluated(model: Model, family: WaveFamily, shots: int, steps: int, tasks: int) -> Evaluation:
    return evaluate(
        model.learner,
        model.meta,
        family,
        shots=shots,
        steps=steps,
        tasks=tasks,
        seed=SEED,
        every=EVERY,
    )
