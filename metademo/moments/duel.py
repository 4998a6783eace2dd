"""You against MAML: ten rounds in which a visitor and a network get the same points of a wave.

The rounds follow from a seed alone: so do the points, the waves behind them, and what the network
makes of them. Both are scored by the same function, `Round.error`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BeforeValidator, Field, Strict, ValidationInfo, field_validator

from metademo.analysis.worst import random_points
from metademo.models import Model
from metademo.moments.drawn import draw_points
from metademo.moments.mended import Clamped, PageView, is_number, sequence
from metademo.moments.views import MAX_FREQUENCY, MamlView
from metademo.tasks import CURVES, FAMILIES, PI, Array, WaveFamily, Waves, as_waves

WEIGHTS = "maml-any-phase"
FAMILY: WaveFamily = as_waves(FAMILIES["any-phase"])
"""What the network was trained on: its inputs are the chart's."""
TOP = 2.0
"""The chart reaches from -TOP to TOP."""
KNOTS = 41
"""A drawing has a height at each of them, evenly from one end of the chart to the other."""
KNOTS_AT = np.linspace(*FAMILY.x_range, KNOTS)
UNIT = 0.01
"""Heights of a drawing are whole numbers of it, so that a drawing fits into an address."""
DIGITS = 3
"""Of an error, after the point, as it is kept, shown and compared."""
HIGHEST_SEED = 999_999


@dataclass(frozen=True)
class Kind:
    """Where the wave of a round is from.

    Attributes:
        title: in words, for afterwards.
        count: how many points there are.
        changes: stretches for `WaveFamily`'s attributes, one of which is taken.
        shapes: of which one is taken.
    """

    title: str
    count: int
    changes: tuple[dict[str, tuple[float, float]], ...] = ({},)
    shapes: tuple[str, ...] = ("sine",)


KNOWN, NEW = "one it was trained for", "it was not trained for"
PLAN = (
    *(Kind(KNOWN, count) for count in (2, 2, 3, 3, 4, 6)),
    Kind(f"of a height {NEW}", 5, (dict(amplitudes=(0.3, 0.6)), dict(amplitudes=(1.5, 1.8)))),
    Kind(f"of a frequency {NEW}", 6, (dict(frequencies=(0.5, 0.7)), dict(frequencies=(1.3, 1.5)))),
    Kind(f"of a phase {NEW}", 4, (dict(phases=(-0.8 * PI, -0.2 * PI)),)),
    Kind(f"of a shape {NEW}", 6, shapes=("square", "triangle", "sawtooth")),
)
"""The rounds of each game; their order is another one in each."""
ROUNDS = len(PLAN)


@dataclass(frozen=True)
class Round:
    """One round of a game.

    Attributes:
        title: where the wave is from, in words.
        wave: the truth, a batch of one.
        x: the inputs of the points that both get, in order.
    """

    title: str
    wave: Waves
    x: tuple[float, ...]

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        return tuple(zip(self.x, map(float, self.wave(self.x)[0]), strict=True))

    @property
    def truth(self) -> Array:
        """The wave on the grid."""
        return self.wave(FAMILY.grid)[0]

    def error(self, curve: Array) -> float:
        """The score, the lower the better: mean |difference| from the true wave over the grid.

        Args:
            curve: on the grid of `FAMILY`.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # where a network ran away
            return float(CURVES.metrics["l1"](curve, self.truth))

    def network(self, model: Model) -> Array:
        """The network's curve on the grid, after the steps that it was trained for."""
        view = MamlView(points=self.points, steps=model.learner.trained_steps)
        return draw_points(view, FAMILY, model).curves[-1]


@functools.lru_cache(maxsize=256)
def rounds(seed: int) -> tuple[Round, ...]:
    """The rounds of a game."""
    rng = np.random.default_rng([seed, ROUNDS])
    return tuple(_round(rng, PLAN[i]) for i in rng.permutation(ROUNDS))


def _round(rng: np.random.Generator, kind: Kind) -> Round:
    changes = kind.changes[rng.integers(len(kind.changes))]
    shape = kind.shapes[rng.integers(len(kind.shapes))]
    wave = replace(FAMILY, shape=shape, **changes).sample_tasks(rng, 1)  # type: ignore[arg-type]
    x = random_points(rng, 1, FAMILY, kind.count)[0]
    return Round(kind.title, wave, tuple(round(float(v), 3) for v in x))


# ------------------------------------------------------------------------ the visitor's part


def _heights(drawing: Any) -> tuple[tuple[float, float], ...]:
    """Knots that are drawn, each once and in order, with heights on the chart; others are left out.

    The later of two heights for a knot counts.
    """
    found = {}
    for pair in sequence(drawing):
        match pair:
            case (knot, height) if is_number(knot) and is_number(height) and knot in range(KNOTS):
                found[int(knot)] = min(max(round(height), round(-TOP / UNIT)), round(TOP / UNIT))
    return tuple((float(knot), float(height)) for knot, height in sorted(found.items()))


def _numbers(errors: Any) -> tuple[float, ...]:
    """As many errors as there are rounds; what follows one that is none is left out."""
    kept: list[float] = []
    for error in sequence(errors)[:ROUNDS]:
        if not is_number(error) or not 0 <= error <= 2 * TOP:
            break
        kept.append(round(float(error), DIGITS))
    return tuple(kept)


Drawing = Annotated[tuple[tuple[float, float], ...], Strict(False), BeforeValidator(_heights)]
Errors = Annotated[tuple[float, ...], Strict(False), BeforeValidator(_numbers)]


class DuelView(PageView):
    """The page on which a visitor plays against MAML.

    Attributes:
        seed: says which game it is, see `rounds`.
        errors: the visitor's, of the rounds that are played.
        round: which round is shown, from 1: the last that was played, or the one after that.
        drawing: what the visitor has drawn in it: pairs of a knot, from 0 to KNOTS - 1, and a
            height in units of `UNIT`. Between two knots that were drawn it goes straight, and
            level before the first and behind the last.
        amplitude, frequency, phase: of the wave that the sliders draw; the phase in degrees.
    """

    seed: Annotated[int, Clamped(1, HIGHEST_SEED)] = 1
    errors: Errors = ()
    round: Annotated[int, Clamped(1, ROUNDS), Field(validate_default=True)] = 1
    drawing: Drawing = ()
    amplitude: Annotated[float, Clamped(0.0, TOP)] = 1.0
    frequency: Annotated[float, Clamped(0.0, MAX_FREQUENCY)] = 1.0
    phase: Annotated[float, Clamped(-180.0, 180.0)] = 0.0

    @field_validator("round")
    @classmethod
    def _next_or_last(cls, number: int, info: ValidationInfo) -> int:
        played = len(info.data["errors"])
        return min(max(number, played, 1), played + 1, ROUNDS)

    @property
    def in_words(self) -> str:
        return f"round {self.round} of game {self.seed}"

    @property
    def answered(self) -> bool:
        """Whether the round that is shown was played."""
        return len(self.errors) == self.round

    @property
    def over(self) -> bool:
        """Whether all rounds were played."""
        return len(self.errors) == ROUNDS

    @property
    def now(self) -> Round:
        """The round that is shown."""
        return rounds(self.seed)[self.round - 1]

    @property
    def curve(self) -> Array | None:
        """The drawing on the grid of `FAMILY`; None where there is none."""
        if not self.drawing:
            return None
        knots, heights = np.array(self.drawing).T
        return np.interp(
            FAMILY.grid, np.linspace(*FAMILY.x_range, KNOTS)[knots.astype(int)], heights * UNIT
        )

    def drawn(self, drawing: Any) -> Self:
        """The view with another drawing; what is scored already stays."""
        return self if self.answered else self.changed(drawing=drawing)

    def with_wave(self, **changes: float) -> Self:
        """The view with the wave of the sliders drawn."""
        view = self.changed(**changes)
        return view.drawn(tuple(enumerate(view.slider_wave / UNIT)))

    @property
    def slider_wave(self) -> Array:
        """The wave that the sliders say, at the knots, (KNOTS,)."""
        wave = Waves.one(self.amplitude, self.frequency, math.radians(self.phase))
        return wave(KNOTS_AT)[0]

    def done(self) -> Self:
        """The view after the visitor has finished the drawing: it is scored."""
        if self.answered or self.curve is None:
            return self
        return self.changed(errors=(*self.errors, self.now.error(self.curve)))

    def next(self) -> Self:
        """The view in the next round."""
        if not self.answered or self.over:
            return self
        return self.changed(round=self.round + 1, drawing=())


@dataclass(frozen=True)
class Result:
    """One round that was played.

    Attributes:
        number: which one, from 1.
        yours, theirs: the errors, to `DIGITS` digits.
    """

    number: int
    played: Round
    yours: float
    theirs: float

    @property
    def margin(self) -> float:
        """By how much the visitor has won; below 0, by how much the network has."""
        return round(self.theirs - self.yours, DIGITS)


def results(view: DuelView, model: Model) -> list[Result]:
    """The rounds that were played, in order."""
    played = zip(rounds(view.seed), view.errors, strict=False)
    return [
        Result(number, one, yours, round(one.error(one.network(model)), DIGITS))
        for number, (one, yours) in enumerate(played, 1)
    ]
