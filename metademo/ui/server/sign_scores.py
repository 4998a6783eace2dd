"""What is measured of learners on the Draw page, and kept for all visitors. No Streamlit here.

Their accuracy on held-out tasks, and how it falls where the questions leave what was trained on.
:func:`request` never computes, see `measurements`, whose cache it shares.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from metademo.algorithms import GradientBased
from metademo.evaluation import Evaluation, run_learner
from metademo.models import Model
from metademo.moments.asked import turned
from metademo.moments.candidates import Candidate
from metademo.moments.outside_of_signs import CHANGES
from metademo.moments.signs import DrawView
from metademo.tasks import FAMILIES, Array, Episode, Examples, GlyphFamily
from metademo.tasks.glyphs import episode_of
from metademo.tasks.strokes import BOX, boxed, drawn
from metademo.training import HELD_OUT_STREAM
from metademo.ui.server.measurements import known, shared_cache
from metademo.ui.server.score_cache import PENDING, Failed

TASKS, SEED = 300, 0
SWEPT_TASKS, SWEPT_QUERIES = 100, 2
BATCH = 50


class Measured(NamedTuple):
    """What is known by now of the chosen learners, by their names.

    Attributes:
        held_out: accuracy on held-out tasks of generated signs.
        sweeps: accuracy (steps + 1, values) along the view's change.
        pending: those of whom something is still being measured.
        failed: why something could not be measured.
    """

    held_out: Mapping[str, Evaluation]
    sweeps: Mapping[str, Array]
    pending: tuple[str, ...] = ()
    failed: Mapping[str, str] = {}


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
    held_out = ask(held_out_accuracy, view.ways, view.shots)
    both = (sweeps, held_out)
    return Measured(
        held_out=known(held_out),
        sweeps=known(sweeps),
        pending=tuple(n for n in held_out if any(found[n] is PENDING for found in both)),
        failed={n: v.reason for found in both for n, v in found.items() if isinstance(v, Failed)},
    )


def signs_of(ways: int) -> GlyphFamily:
    """The family of generated signs, with so many classes a task."""
    family = FAMILIES["glyphs"].of_ways(ways)
    assert isinstance(family, GlyphFamily)
    return family


def held_out_accuracy(model: Model, ways: int, shots: int) -> Evaluation:
    """Accuracy after 0 .. S steps on held-out generated signs, (S + 1, tasks)."""
    rng = np.random.default_rng([SEED, HELD_OUT_STREAM])
    episode = signs_of(ways).sample_held_out(rng, TASKS, shots=shots)
    return Evaluation(accuracy(model, episode)[:, :, 0], "accuracy")


def accuracy_along(model: Model, along: str, ways: int, shots: int) -> Array:
    """Mean accuracy after 0 .. S steps at each value of a change, (S + 1, values)."""
    episode = changed_episode(along, ways, shots)
    return accuracy(model, episode, groups=len(CHANGES[along].values)).mean(1)


@functools.lru_cache(maxsize=8)
def changed_episode(along: str, ways: int, shots: int) -> Episode[Array]:
    """Held-out tasks whose questions are the same drawings with each value of one change.

    The query set has the drawings one after the other for the first value, then for the next.
    """
    rng = np.random.default_rng([SEED, HELD_OUT_STREAM])
    signs = signs_of(ways).sample_signs(rng, SWEPT_TASKS, shots + SWEPT_QUERIES)
    support, query = episode_of(signs.images(), shots)
    places = [(way, shots + k) for way in range(ways) for k in range(SWEPT_QUERIES)]
    drawings = [[signs.strokes(task, *place) for place in places] for task in range(SWEPT_TASKS)]
    values = CHANGES[along].values
    x = np.stack(
        [
            [_redrawn(*drawing, along, value) for value in values for drawing in task]
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
    return drawn(
        boxed(turned(strokes, value if along == "turn" else 0.0), size * (BOX - wide)), wide
    )


def accuracy(model: Model, episode: Episode[Array], *, groups: int = 1) -> Array:
    """The share of right answers after 0 .. S steps, (S + 1, tasks, groups).

    Args:
        groups: how many parts of equal size the queries of a task have, one after the other.
    """
    tasks = len(episode.query.x)
    batches = [slice(start, start + BATCH) for start in range(0, tasks, BATCH)]
    found = [_right(model, episode.map(itemgetter(batch)), groups) for batch in batches]
    return np.concatenate(found, axis=1)


def _right(model: Model, episode: Episode[Array], groups: int) -> Array:
    support, query = episode
    outputs = run_learner(model.learner, model.meta, support, query.x).outputs
    right = outputs.argmax(-1) == query.labels
    if not isinstance(model.learner, GradientBased):  # see `asked`
        right = right[-1:]
    return right.reshape(*right.shape[:2], groups, -1).mean(-1)
