"""What is measured of learners on the Draw page, and kept for all visitors. No Streamlit here.

Their accuracy on held-out tasks, and how it falls where the questions leave what was trained on.
:func:`request` never computes, see `measurements`, whose cache it shares.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

import numpy as np

from metademo.evaluation import Evaluation, batches, evaluate, run_learner
from metademo.models import Model
from metademo.moments.asked import turned
from metademo.moments.candidates import Candidate
from metademo.moments.outside_of_signs import CHANGES
from metademo.moments.signs import DrawView
from metademo.tasks import (
    FAMILIES,
    WRITTEN,
    Array,
    Episode,
    Examples,
    GlyphFamily,
    TaskFamily,
)
from metademo.tasks.glyphs import episode_of
from metademo.tasks.strokes import as_image
from metademo.training import HELD_OUT_STREAM
from metademo.ui.server.measurements import known, shared_cache
from metademo.ui.server.score_cache import PENDING

TASKS, SEED = 300, 0
SWEPT_TASKS, SWEPT_QUERIES = 100, 2
SIGNS = cast(GlyphFamily, FAMILIES["glyphs"])
MEASURED_ON: dict[str, TaskFamily] = {"generated signs": SIGNS, "real digits": WRITTEN["digits"]}
"""Held-out tasks of the kind that was trained on, and of what no training ever saw."""


class Measured(NamedTuple):
    """What is known by now of the chosen learners, by their names.

    Attributes:
        held_out: accuracy on held-out tasks, by what these are of, a key of `MEASURED_ON`.
        sweeps: accuracy (steps + 1, values) along the view's change.
        pending: those of whom something is still being measured.
    """

    held_out: Mapping[str, Mapping[str, Evaluation]]
    sweeps: Mapping[str, Array]
    pending: tuple[str, ...] = ()


def request(view: DrawView, chosen: Sequence[Candidate]) -> Measured:
    """What is known of the chosen learners; the rest is asked for. Takes no time worth a thought.

    Ask again while something is pending.
    """
    get = shared_cache().get

    def ask(measure: Callable[..., Any], *conditions: Any) -> dict[str, Any]:
        def result(one: Candidate) -> Any:
            compute = functools.partial(measure, one.model, *conditions)
            return get((measure.__name__, one.model, *conditions), compute)

        # What is asked for last is measured first, so the first one is asked for last.
        return {one.name: result(one) for one in reversed(chosen)}

    sweeps = ask(accuracy_along, view.along, view.ways, view.shots)
    held_out = {on: ask(held_out_accuracy, on, view.ways, view.shots) for on in MEASURED_ON}
    all_asked = (sweeps, *held_out.values())
    return Measured(
        held_out={on: known(found) for on, found in held_out.items()},
        sweeps=known(sweeps),
        pending=tuple(n for n in sweeps if any(found[n] is PENDING for found in all_asked)),
    )


def held_out_accuracy(model: Model, on: str, ways: int, shots: int) -> Evaluation:
    """Accuracy after 0 .. S steps on held-out tasks."""
    return evaluate(
        model.learner,
        model.meta,
        MEASURED_ON[on].of_ways(ways),
        shots=shots,
        steps=model.learner.trained_steps,
        tasks=TASKS,
        seed=SEED,
    )


def accuracy_along(model: Model, along: str, ways: int, shots: int) -> Array:
    """Mean accuracy after 0 .. S steps at each value of a change, (S + 1, values)."""
    learner, meta = model.learner, model.meta
    support, query = changed_episode(along, ways, shots)
    outputs = [
        run_learner(learner, meta, support.map(itemgetter(batch)), query.x[batch]).outputs
        for batch in batches(SWEPT_TASKS, meta, learner.trained_steps, query.x[0].size)
    ]
    right = np.concatenate(outputs, axis=1).argmax(-1) == query.labels
    return right.reshape(len(right), SWEPT_TASKS, len(CHANGES[along].values), -1).mean((1, 3))


@functools.lru_cache(maxsize=8)
def changed_episode(along: str, ways: int, shots: int) -> Episode[Array]:
    """Held-out tasks whose questions are the same drawings with each value of one change.

    The query set has the drawings one after the other for the first value, then for the next.
    """
    rng = np.random.default_rng([SEED, HELD_OUT_STREAM])
    signs = SIGNS.of_ways(ways).sample_signs(rng, SWEPT_TASKS, shots + SWEPT_QUERIES)
    support, query = episode_of(signs.images(), shots)
    places = [(way, shots + k) for way in range(ways) for k in range(SWEPT_QUERIES)]
    drawings = [[signs.strokes(task, *at) for at in places] for task in range(SWEPT_TASKS)]
    values = CHANGES[along].values
    x = np.stack(
        [
            [_redrawn(strokes, wide, along, value) for value in values for strokes, wide in task]
            for task in drawings
        ]
    )
    return Episode(support, Examples(x, np.tile(query.labels, (1, len(values)))))


def _redrawn(strokes: Sequence[Array], thickness: float, along: str, value: float) -> Array:
    """A generated drawing, put into the box as what a visitor draws, with one change, (196,).

    Args:
        thickness: how wide its lines are, unless that is what is changed.
    """
    wide = value if along == "thickness" else thickness
    size = value if along == "size" else 1.0
    return as_image(turned(strokes, value if along == "turn" else 0.0), thickness=wide, size=size)
