"""What defines the view of a page: one frozen, serialisable value each.

A view holds everything that a visitor has chosen and nothing that follows from it. Pages draw a
view, and every gesture replaces it by another, so undo, redo, links and lessons come for free.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationInfo, field_validator

from metademo.described import OneOf
from metademo.moments.mended import Clamped, Names, PageView, sequence
from metademo.moments.outside import ATTRIBUTES, SHAPE_NAMES
from metademo.moments.scaling import Room, Scaling, usable
from metademo.tasks import PI, SHAPES, WaveFamily, Waves, wave_families

MAX_POINTS = 20
MAX_STEPS = 20
MAX_AMPLITUDE, MAX_FREQUENCY = 10.0, 3.0
EXAMPLE = (-4.0, -2.0, 1.5, 3.5)
"""Where the points are that a page begins with: near crests and troughs in turn."""
WAVE = frozenset({"amplitude", "frequency", "phase", "shape", "noise", "draw"})
"""The fields that say where points are that lie on the wave."""
SWAPS = ("truth", "maml", "pretrained", "random")
"""What can be put in the place of the learned loss, or of the weights that it was learned with."""
EXAMPLE_PHASE = math.radians(45)
"""Of the wave that the MAML page begins with: well inside of what its weights know."""


def _first_ones(points: Any) -> Any:
    """As many points as a page takes."""
    return sequence(points)[:MAX_POINTS]


Number = Annotated[float, Field(allow_inf_nan=False)]
Point = Annotated[tuple[Number, Number], Strict(False)]
Points = Annotated[tuple[Point, ...], Strict(False), BeforeValidator(_first_ones)]
Scales = Annotated[
    tuple[Number, ...], Strict(False), AfterValidator(lambda values: Scaling.of(values).values)
]
Steps = Annotated[int, Clamped(0, MAX_STEPS)]
Draw = Annotated[int, Clamped(0, 2**31)]
Alpha = Annotated[float, Clamped(0.0, 1.0)]


class PointsView(PageView):
    """A page on which the visitor's points are the support set.

    Attributes:
        points: the support set that the visitor placed.
        amplitude, frequency, phase, shape: the true wave; see `Waves`.
        noise: standard deviation of what keeps points off the wave that stay on it.
        draw: which draw of that noise (a seed).
        snap: whether points stay on the true wave.
        example: whether the points are the page's own, there until the visitor places some.
        fitted: whether the wave was chosen to suit the points: it is then the nearest one that
            the network was trained on, and nothing says that the points lie on it. Otherwise
            the points were put onto the wave, and it is the true one.
        scaling: how the visitor's own points lie on the chart, see `Scaling.values`; () if they
            lie where they say.
        steps: inner steps shown, N.
        inner_lr: alpha, or None for the one that the weights were trained with.
    """

    points: Points = ()
    amplitude: Annotated[float, Clamped(0.0, MAX_AMPLITUDE)] = 1.0
    frequency: Annotated[float, Clamped(0.0, MAX_FREQUENCY)] = 1.0
    phase: Annotated[float, Clamped(-2 * PI, 2 * PI)] = 0.0
    shape: Annotated[str, OneOf(SHAPES)] = "sine"
    noise: Annotated[float, Clamped(0.0, MAX_AMPLITUDE)] = 0.0
    draw: Draw = 0
    snap: bool = False
    example: bool = False
    fitted: bool = False
    scaling: Scales = ()
    steps: Steps = 5
    inner_lr: Alpha | None = None

    @field_validator("scaling")
    @classmethod
    def _of_own(cls, scaling: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        return scaling if info.data["points"] and not info.data["example"] else ()

    @field_validator("example", "fitted")
    @classmethod
    def _about_points(cls, value: bool, info: ValidationInfo) -> bool:
        return value and bool(info.data["points"])

    @field_validator("fitted")
    @classmethod
    def _free(cls, fitted: bool, info: ValidationInfo) -> bool:
        return fitted and not info.data["snap"]

    IN_ADDRESS: ClassVar = {"inner_lr": "alpha"}

    @classmethod
    def first(cls, **values: Any) -> Self:
        """Four examples on a wave, so that the page is alive before the first click."""
        points = tuple((x, 0.0) for x in EXAMPLE)
        return cls(points=points, example=True, **values).with_wave()

    def arriving(self, changes: Mapping[str, Any]) -> Self:
        """Points that the address names are the visitor's; those it does not go with its wave."""
        if "points" in changes:
            return self.changed(**{"example": False, **changes})
        changed = self.changed(**changes)
        moved = WAVE & changes.keys()
        return changed.changed(points=changed.with_wave().points) if moved else changed

    def differences(self) -> dict[str, Any]:
        first, found = self.first(), {"points": self.points, **super().differences()}
        for name in ("points", "example"):
            less = {n: value for n, value in found.items() if n != name}
            if first.arriving(less) == self:
                found = less
        return found if first.arriving(found) == self else {**found, "example": self.example}

    @property
    def wave(self) -> Waves:
        """The true wave, or the nearest one if it is `fitted`."""
        return Waves.one(self.amplitude, self.frequency, self.phase, self.shape)

    @property
    def points_label(self) -> str:
        """What the points are: the visitor's, or the page's own."""
        return "example points" if self.example else "your points"

    @property
    def points_in_words(self) -> str:
        count = len(self.points)
        return f"{count or 'no'} {'example ' * self.example}point" + "s" * (count != 1)

    def value(self, attribute: str) -> float:
        """One of `ATTRIBUTES` as a number."""
        if attribute == "shape":
            return float(SHAPE_NAMES.index(self.shape))
        value = getattr(self, attribute)
        return round(math.degrees(value), 6) if attribute == "phase" else value

    def y_range(self, family: WaveFamily) -> tuple[float, float]:
        """The height of the chart: room for the family's waves, and for this one."""
        highest = max(self.amplitude, *family.amplitudes)
        top = max(2.0, 1.4 * highest)
        return -top, top

    @property
    def own_points(self) -> tuple[Point, ...]:
        """The points in the visitor's own numbers."""
        return Scaling.of(self.scaling).back(self.points)

    def room(self, family: WaveFamily) -> Room:
        """Where free points may lie."""
        made_to_fit = self.changed(**self._made_to_fit(family))
        highest = max(family.amplitudes)
        return Room(family.x_range, made_to_fit.y_range(family), (-highest, highest))

    def with_own_points(
        self, points: Sequence[Point], scaling: Scaling, family: WaveFamily
    ) -> Self:
        """The view with points that the visitor has as numbers; they stay where these say."""
        view = self.changed(snap=False).with_points(scaling.onto_chart(points), family)
        return view.changed(scaling=scaling.values)

    def with_points(self, points: tuple[Point, ...], family: WaveFamily) -> Self:
        """The view after the visitor changed the points, which are no example any more.

        Points that stay on the wave are put onto it. Free points choose the wave instead: the
        nearest one of the family that the network was trained on.
        """
        changed = self.changed(points=points, example=False)
        if self.snap:
            return changed.with_wave()
        return changed._fitted_to(family) if points else changed

    def with_wave(self, **changes: Any) -> Self:
        """The view with another true wave or other noise; the points go with it."""
        changed = self.changed(fitted=False, **changes)
        noise = changed.noise * np.random.default_rng(changed.draw).standard_normal(MAX_POINTS)
        xs = [x for x, _ in changed.points]
        ys = changed.wave(xs)[0] + noise[: len(xs)] if xs else ()
        return changed.changed(points=tuple(zip(xs, map(float, ys), strict=True)))

    def with_snap(self, snap: bool) -> Self:
        switched = self.changed(snap=snap)
        return switched.with_wave() if snap else switched

    def with_random_points(self, rng: np.random.Generator, family: WaveFamily, n: int = 4) -> Self:
        """The view with `n` new points on the true wave, and new noise."""
        points = tuple((float(x), 0.0) for x in rng.uniform(*family.x_range, n))
        return self.with_wave(
            points=points, draw=int(rng.integers(2**31)), example=False, scaling=()
        )

    def within(self, family: WaveFamily) -> Self:
        """The view with a wave of this family, and its points where the family has inputs.

        Points that were placed freely stay as they are, as far as they are on the chart; others
        go with the wave. Nothing changes if all is so already. Free points that were scaled are
        scaled anew, if there is no room for them.
        """
        if scaled := self._scaled_anew(family):
            return scaled.within(family)
        wave = self._made_to_fit(family)
        low, high = family.x_range
        points = tuple((min(max(x, low), high), y) for x, y in self.points)
        if self.fitted and points:
            bottom, top = self.changed(**wave).y_range(family)
            points = tuple((x, min(max(y, bottom), top)) for x, y in points)
            return self.changed(points=points)._fitted_to(family)
        if not wave and points == self.points:
            return self
        return self.with_wave(points=points, noise=family.noise, **wave)

    def _scaled_anew(self, family: WaveFamily) -> Self | None:
        """The view with another scaling of the same points, if they need one and have had one."""
        own, room = self.own_points, self.room(family)
        if not (self.scaling and self.fitted and room.outside(self.points) and usable(own)):
            return None
        scaling = room.scaling(own)
        return self.changed(points=scaling.onto_chart(own), scaling=scaling.values)

    def _made_to_fit(self, family: WaveFamily) -> dict[str, Any]:
        """Another value for each attribute of the wave that does not occur in the family."""
        fitting = {
            "amplitude": (family.contains_amplitude, float(np.mean(family.amplitudes))),
            "frequency": (family.contains_frequency, float(np.mean(family.frequencies))),
            "phase": (family.contains_phase, family.phases[0]),
            "shape": (family.shape.__eq__, family.shape),
        }
        return {
            name: fallback
            for name, (contains, fallback) in fitting.items()
            if not contains(getattr(self, name))
        }

    def _fitted_to(self, family: WaveFamily) -> Self:
        """The same points with the nearest of the family's waves."""
        like = self.changed(**self._made_to_fit(family)).wave
        x, y = np.array(self.points).T
        found = family.nearest(x, y, like)
        amplitude, frequency, phase = (
            float(value[0]) for value in (found.amplitude, found.frequency, found.phase)
        )
        return self.changed(
            amplitude=amplitude,
            frequency=frequency,
            phase=phase,
            shape=found.shape,
            fitted=True,
        )


class WeightsView(PointsView):
    """A page on which one network meets the visitor's points.

    Attributes:
        weights: name of the meta-trained weights.
    """

    weights: str = ""

    @classmethod
    def first(cls, **values: Any) -> Self:
        """Four examples on a wave that leans to neither of the familiar two."""
        return super().first(**{"phase": EXAMPLE_PHASE, **values})

    def shareable(self, own: Collection[str]) -> Self:
        return self.changed(weights=self.first().weights) if self.weights in own else self

    @property
    def in_words(self) -> str:
        return f"{self.points_in_words} with {self.weights}"


class MamlView(WeightsView):
    """The MAML page.

    Attributes:
        contrast: whether the untrained and the ordinarily trained network are shown, too.
        worst: whether the four points at which the network fails most are looked for.
        inside: what is shown where one sees inside.
    """

    weights: str = "maml-any-phase"
    contrast: bool = False
    worst: bool = False
    inside: Annotated[str, OneOf(("ground", "parts", "map"))] = "ground"


class ContextView(WeightsView):
    """The page In context: learners that take no gradient steps."""

    snap: bool = True
    weights: str = "in-context-any-phase"

    def with_weights(self, weights: str, family: WaveFamily) -> Self:
        """The view with weights of another family, on one of its waves: of middle height."""
        middle = float(np.mean(family.amplitudes))
        view = self.changed(weights=weights, amplitude=middle).within(family)
        return view if view.fitted else view.with_wave(noise=family.noise)

    def with_answer(self, x: float, family: WaveFamily) -> Self:
        """The view with one more point, at `x`: what the wave says there, noise and all."""
        if self.fitted:
            return self.with_points((*self.points, (x, float(self.wave([x])[0, 0]))), family)
        return self.with_wave(points=(*self.points, (x, 0.0)), example=False, scaling=())


class CompareView(PointsView):
    """The Compare page.

    Attributes:
        family: name of the task family that all were trained on.
        chosen: names of those that are compared.
        along: the attribute of the waves that is moved out of the trained range.
        own_steps: whether each is shown after the steps that it was trained for, in place of all
            after the same.
        table_shots: labelled points in the benchmark's table; 0 for as few as it has.
    """

    snap: bool = True
    family: Annotated[str, OneOf(wave_families())] = "two-phase"
    chosen: Names = (
        "maml",
        "maml++",
        "reptile",
        "pretrained",
    )
    along: Annotated[str, OneOf(ATTRIBUTES)] = "amplitude"
    own_steps: bool = True
    table_shots: Annotated[int, Clamped(0, 1000)] = 0

    def shareable(self, own: Collection[str]) -> Self:
        return self.changed(chosen=tuple(name for name in self.chosen if name not in own))

    @property
    def in_words(self) -> str:
        learners = f"{len(self.chosen)} learner" + "s" * (len(self.chosen) != 1)
        return f"{self.points_in_words} with {learners} on {self.family}"

    def with_family(self, family: str) -> Self:
        """The view on another family, on a wave of middle height where heights vary.

        Points that were placed freely stay.
        """
        tasks = wave_families()[family]
        middle = float(np.mean(tasks.amplitudes))
        view = self.changed(family=family, amplitude=middle).within(tasks)
        return view if view.fitted else view.with_wave()


class DamlView(PageView):
    """The DAML page.

    Attributes:
        weights: name of the meta-trained weights.
        source: the unlabelled source-domain input, radians.
        fresh: draw a fresh input from the band at each inner step, as in training.
        draw: which draw of fresh inputs (a seed).
        steps: inner steps shown, N.
        inner_lr: alpha, or None for the one that the weights were trained with.
        inside: what is shown where one sees inside.
        swap: what is put in the place of the learned loss or of its weights there.
    """

    IN_ADDRESS: ClassVar = {"source": "x", "inner_lr": "alpha"}

    weights: str = "daml-two-phase"
    source: Annotated[float, Clamped(-PI / 2, PI / 2)] = 1.2
    fresh: bool = False
    draw: Draw = 0
    steps: Steps = 5
    inner_lr: Alpha | None = None
    inside: Annotated[str, OneOf(("loss", "ground", "parts"))] = "loss"
    swap: Annotated[str, OneOf(SWAPS)] = "truth"

    def shareable(self, own: Collection[str]) -> Self:
        return self.changed(weights=self.first().weights) if self.weights in own else self

    @property
    def in_words(self) -> str:
        return f"source input {self.source:.2f} with {self.weights}"

    def inputs(self, family: WaveFamily) -> np.ndarray:
        """The source inputs that the inner loop sees, in turn: one, or one per step."""
        band = family.band_of(self.source)
        if not self.fresh or band is None or not band.means_one:
            return np.array([self.source])
        rng = np.random.default_rng(self.draw)
        return rng.uniform(band.low, band.high, max(1, self.steps))
