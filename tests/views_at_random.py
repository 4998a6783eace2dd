"""Views of any page for property tests: made of values of their kind, or of none."""

from __future__ import annotations

from hypothesis import strategies as st

from metademo.algorithms import ALGORITHMS
from metademo.moments.duel import DuelView
from metademo.moments.lesson import Lesson
from metademo.moments.outside import ATTRIBUTES
from metademo.moments.signs import DrawView
from metademo.moments.train_view import TrainView
from metademo.moments.views import CompareView, ContextView, DamlView, MamlView
from metademo.recipes import RECIPES
from metademo.tasks import FAMILIES, SHAPES

KINDS = (MamlView, ContextView, CompareView, DamlView, TrainView, DuelView, DrawView, Lesson)
NAMES = st.text(max_size=8) | st.sampled_from(["run 1, step 400", "maml++", "50 %"])
USABLE = {
    "points": st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), max_size=25),
    "shape": st.sampled_from([*SHAPES]),
    "family": st.sampled_from([*FAMILIES]),
    "algorithm": st.sampled_from([*ALGORITHMS]),
    "recipe": st.sampled_from([*RECIPES]),
    "along": st.sampled_from([*ATTRIBUTES]),
    "chosen": st.lists(st.sampled_from([*ALGORITHMS, "run 1, step 400"]), max_size=9),
    "hide": st.lists(NAMES.filter(bool), max_size=4),
    "weights": NAMES,
    "own": st.lists(st.tuples(st.sampled_from(["hidden", "inner_lr"]), st.integers(0, 9))),
    "drawing": st.lists(st.tuples(st.integers(-1, 42), st.floats(-300, 300)), max_size=45),
    "errors": st.lists(st.floats(-1, 5), max_size=12),
    "round": st.integers(-1, 12),
    "seed": st.integers(-1, 10**7),
    "tour": st.integers(-1, 12),
    "guess": st.integers(-1, 5),
    "scaling": st.lists(st.floats(-9, 9), min_size=3, max_size=5)
    | st.just([2000.0, 1.5, 0.0, 30.0]),
    "steps": st.integers(-5, 30),
    "draw": st.integers(0, 2**32),
} | dict.fromkeys(
    ("snap", "example", "fitted", "contrast", "fresh", "own_steps", "lock"), st.booleans()
)
"""By the name of a field; any other is a number."""


@st.composite
def views(draw, *kinds):
    """A view of one of these kinds, or of any."""
    kind = draw(st.sampled_from(kinds or KINDS))
    names = draw(st.sets(st.sampled_from([*kind.model_fields])))
    values = {n: draw(USABLE.get(n, st.floats(-99, 99))) for n in sorted(names)}
    return kind(**values)
