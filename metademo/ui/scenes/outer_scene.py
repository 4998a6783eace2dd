"""From an outer step to what its slow motion shows: waves, a plane, sentences. No Streamlit here.

The stages are, in turn: the start, each inner step, the query losses, the gradient at each of the
steps on its way back, the directions, and where the initialisation has moved.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from metademo.algorithms import ALGORITHMS
from metademo.analysis.backward import DIRECTIONS, OuterStep
from metademo.moments.outer import Course, step_of
from metademo.tasks import Array, Examples, Waves
from metademo.ui.components.kernel.curves import Facts
from metademo.ui.components.kernel.gestures import Point
from metademo.ui.scenes.facts import exact, told, unfold
from metademo.ui.scenes.sentences import after, wave_name

POINTS = 96
"""Of a curve, as on the Train page."""
ROOM = 1.6
"""How far up and down the charts reach, in amplitudes."""
TIMES = (0.1, 0.2, 0.5, *(m * 10**e for e in range(6) for m in (1, 2, 5)))
"""By which arrows may be drawn longer than a step with beta."""
SHARE = "the square of the length within the plane / that of the whole length"
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Task:
    """One wave of the meta-batch.

    Attributes:
        name: in words.
        truth: (points,).
        curves: of the network after each inner step, and at last of the one that has adapted from
            where the outer step leads, (S + 2, points).
        support, query: its points.
        values: what is written at it, by stage.
    """

    name: str
    truth: Array
    curves: Array
    support: Sequence[Point]
    query: Sequence[Point]
    values: Sequence[str]


@dataclass(frozen=True)
class OuterScene:
    """An outer step, stage by stage.

    Attributes:
        step: what is shown.
        tasks: its waves.
        x_range, y_range: of their charts.
        names: of the stages.
        captions, facts: one sentence for each stage, and how its numbers were computed.
        details, detail_facts: a smaller one, likewise.
    """

    step: OuterStep
    tasks: Sequence[Task]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    names: Sequence[str]
    captions: Sequence[str]
    facts: Sequence[Facts]
    details: Sequence[str]
    detail_facts: Sequence[Facts]

    @functools.cached_property
    def walks(self) -> Array:
        """theta_0 .. theta_S of each task in the plane, from theta_0: (tasks, S + 1, 2)."""
        step = self.step
        return step.plane.coordinates(step.trajectory - step.start)

    @functools.cached_property
    def lambdas(self) -> Array:
        """Where each lambda would have the weights move, as far as a step with beta goes."""
        return -self.step.beta * self.step.plane.coordinates(self.step.lambdas)

    @functools.cached_property
    def directions(self) -> dict[str, Array]:
        """Where each algorithm would go, drawn equally long in the space of weights: (2,)."""
        plane, found = self.step.plane, self.step.directions
        return {
            name: -plane.coordinates(vector / max(float(vector.norm()), 1e-300))
            for name, vector in found.items()
        }

    @functools.cached_property
    def times(self) -> float:
        """How many times as long as a step with beta arrows are drawn: as long as the walks."""
        return times_of(self.step)

    @property
    def moved(self) -> Array:
        """theta_0 after the outer step, (2,)."""
        return self.step.plane.coordinates(self.step.moved - self.step.start)

    @property
    def angles(self) -> dict[str, str]:
        """How far each direction is from MAML's, in words."""
        return {name: degrees(self.step.angles["maml", name]) for name in DIRECTIONS[1:]}


def outer_scene(course: Course, number: int) -> OuterScene:
    """Outer step `number` of a course, from 0 on."""
    step, (waves, _) = step_of(course, number), course.meta_batch(number)
    x = np.linspace(*course.family.x_range, POINTS)
    before, again = step.curves(x)
    words = _Words(step)
    captions, details = (
        [unfold(write(stage)) for stage in words.stages] for write in (words.caption, words.detail)
    )
    amplitude = ROOM * float(np.abs(waves.amplitude).max())
    return OuterScene(
        step,
        [
            _task(waves, i, x, np.concatenate([before[i], again[i, -1:]]), words)
            for i in range(len(waves))
        ],
        course.family.x_range,
        (-amplitude, amplitude),
        [words.name(stage) for stage in words.stages],
        [text for text, _ in captions],
        [facts for _, facts in captions],
        [text for text, _ in details],
        [facts for _, facts in details],
    )


def _task(waves: Waves, i: int, x: Array, curves: Array, words: _Words) -> Task:
    walk = words.step.walks[i]
    return Task(
        wave_name(float(waves.phase[i]), float(waves.amplitude[i])),
        waves(x)[i],
        curves,
        _points(walk.support),
        _points(walk.truth),
        [words.value(i, stage) for stage in words.stages],
    )


def _points(examples: Examples[torch.Tensor]) -> list[Point]:
    return list(zip(examples.x[0].tolist(), examples.labels[0].tolist(), strict=True))


def times_of(step: OuterStep) -> float:
    """By how much arrows are drawn longer than a step with beta, to be about as long as walks."""
    walk = float(step.offsets.norm(dim=1).max())
    arrow = step.beta * float(step.lambdas.norm(dim=2).max())
    if not walk or not arrow:
        return 1.0
    return min(TIMES, key=lambda times: abs(math.log(times * arrow / walk)))


def longer(times: float) -> str:
    """How long something is drawn, in words."""
    shares = {0.1: "a tenth as long as", 0.2: "a fifth as long as", 0.5: "half as long as"}
    return shares.get(times) or ("as long as" if times == 1 else f"{times:g} times as long as")


def lambda_name(k: int) -> str:
    return f"λ{k}".translate(SUBSCRIPTS)


def theta_name(k: int) -> str:
    return f"θ{k}".translate(SUBSCRIPTS)


def short(value: float) -> str:
    """A loss in two digits."""
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"


def degrees(angle: float) -> str:
    return "no angle" if math.isnan(angle) else f"{angle:.0f}°"


def stage_of(stage: int, steps: int) -> tuple[str, int]:
    """What a stage shows, and at which inner step."""
    if stage <= steps:
        return ("inner" if stage else "start"), stage
    if stage == steps + 1:
        return "query", steps
    back = 2 * steps + 2 - stage
    return ("back", back) if back >= 0 else ("directions" if back == -1 else "moved", 0)


@dataclass(frozen=True)
class _Words:
    """What is said of a step, by stage."""

    step: OuterStep

    @property
    def steps(self) -> int:
        return self.step.steps

    @property
    def stages(self) -> range:
        return range(2 * self.steps + 5)

    def name(self, stage: int) -> str:
        """Of a stage."""
        kind, k = stage_of(stage, self.steps)
        names = {
            "inner": f"inner step {k} of {self.steps}",
            "query": "query losses",
            "back": f"back: {lambda_name(k)}",
        }
        return names.get(kind, kind)

    def value(self, task: int, stage: int) -> str:
        """What is written at a wave: the loss that counts at this stage."""
        kind, k = stage_of(stage, self.steps)
        if kind in ("start", "inner"):
            return f"support loss {short(float(self.step.walks[task].inner_losses[k]))}"
        before = short(self.step.query_losses[task, -1])
        if kind != "moved":
            return f"query loss {before}"
        return f"query loss {before} → {short(self.step.losses_again[task, -1])}"

    def caption(self, stage: int) -> str:
        kind, k = stage_of(stage, self.steps)
        say: dict[str, Callable[[int], str]] = {
            "start": self._start,
            "inner": self._inner,
            "query": self._query,
            "back": self._back,
            "directions": self._directions,
            "moved": self._moved,
        }
        return say[kind](k)

    def detail(self, stage: int) -> str:
        """How what is drawn has to be read."""
        kind, k = stage_of(stage, self.steps)
        times, beta = times_of(self.step), f"β = {self.step.beta:g}"
        if kind == "back":
            return (
                f"Arrows point where the weights would go, −λ, and are {longer(times)} a step with "
                f"{beta}; the plane holds {self._held(self.step.lambdas[:, k])} of them."
            )
        if kind == "directions":
            first, *others = (self._share(vector) for vector in self.step.directions.values())
            return (
                "The three are drawn equally long, for only where they point is compared; the "
                f"plane holds {first}, {others[0]} and {others[1]} of them. Reptile and "
                f"first-order MAML are {self._angle('fomaml', 'reptile')} apart."
            )
        if kind == "moved":
            arrow = f"; the arrow is {longer(times)} the step" if times != 1 else ""
            return f"It is a plain step of gradient descent with {beta}{arrow}."
        return (
            f"Below are all {len(self.step.start):,} weights in one plane through θ₀, which holds "
            f"{self._held(self.step.offsets)} of the inner loops."
        )

    def _held(self, vectors: torch.Tensor) -> str:
        """How much of some vectors the plane holds."""
        shares = self.step.plane.shares(vectors)
        low, high = f"{shares.min():.0%}", f"{shares.max():.0%}"
        span = low if low == high else f"{low} to {high}"
        return told(span, f"{span} = {SHARE}")

    def _share(self, vector: torch.Tensor) -> str:
        share = f"{float(self.step.plane.shares(vector)):.0%}"
        return told(share, f"{share} = {SHARE}")

    def _angle(self, a: str, b: str) -> str:
        value = degrees(self.step.angles[a, b])
        return told(
            value,
            f"{value} = arccos(u · v / (|u| |v|)), with all {len(self.step.start):,} weights of "
            f"the directions u of {ALGORITHMS[a].title} and v of {ALGORITHMS[b].title}",
        )

    def _start(self, k: int) -> str:
        count = len(self.step.walks)
        return f"A meta-batch of {count} waves, and one network for them all: its weights are θ₀."

    def _inner(self, k: int) -> str:
        return (
            f"{after(k)} each wave has a network of its own, drawn towards its dots by their loss."
        )

    def _query(self, k: int) -> str:
        return (
            "The rings are query points, which no inner step has seen: there the loss of the "
            f"adapted networks is {self._mean(self.step.query_losses)} on average."
        )

    def _back(self, k: int) -> str:
        name, ahead, theta = lambda_name(k), lambda_name(k + 1), theta_name(k)
        if k == self.steps:
            return f"{name} is the gradient of a query loss at {theta}, where its inner loop ended."
        own = ": MAML’s, for this task" if k == 0 else ""
        return f"One step back: {name} = {ahead} − α H {ahead} is its gradient at {theta}{own}."

    def _directions(self, k: int) -> str:
        first, reptile = (self._angle("maml", name) for name in DIRECTIONS[1:])
        return (
            f"MAML goes against g, the mean {lambda_name(0)}. First-order MAML would go against "
            f"the mean {lambda_name(self.steps)}, {first} away, and Reptile to where the inner "
            f"loops have ended, {reptile} away."
        )

    def _moved(self, k: int) -> str:
        step = self.step
        better = step.losses_again[:, -1].mean() < step.query_losses[:, -1].mean()
        verdict = "It helped these waves" if better else "It did these very waves harm"
        return (
            f"θ₀ has moved by −β g. {verdict}: after adapting from there, their query loss is "
            f"{self._mean(step.losses_again)}, and it was {self._mean(step.query_losses)}."
        )

    def _mean(self, losses: Array) -> str:
        """The mean query loss at the end of the inner loops."""
        ends = losses[:, -1]
        terms = " + ".join(map(exact, ends))
        value = short(float(ends.mean()))
        return told(value, f"{value} = mean of the query losses = ({terms}) / {len(ends)}")
