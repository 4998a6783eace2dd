"""What the MAML page says: sentences about the visitor's points, true for any of them.

There are two situations. Points that were put onto a wave have a *true wave*, and the error against
it is what counts. Points that were placed freely have none: then the page speaks of the points, and
of how well the nearest wave that the network was trained on fits them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from metademo.algorithms import GradientBased, Learner
from metademo.models import Model
from metademo.moments.drawn import Drawn
from metademo.moments.views import MamlView
from metademo.tasks import Array, WaveFamily, Waves
from metademo.ui.scenes.facts import error_from, exact, gap, told
from metademo.ui.scenes.sentences import (
    IN_WORDS,
    RAN_AWAY,
    after,
    number,
    ran_away,
    wave_name,
    went,
)

FITS = 0.1
"""Free points fit a wave that misses them by a tenth of its amplitude on average, or by less."""
LEARNED = 0.2
"""An error has fallen noticeably if it has done so by a fifth."""
MIDDLES: dict[str, tuple[str, Callable[..., Array]]] = {
    "l1": ("median", np.median),
    "mse": ("mean", np.mean),
}
EVERY = 8
"""Curves are compared with waves on every 8th point of the grid."""


@dataclass(frozen=True)
class Story:
    """The sentences of one view.

    Attributes:
        models, runs: by style: "maml", and the contrasts "pretrained" and "random" if shown.
    """

    view: MamlView
    family: WaveFamily
    models: Mapping[str, Model]
    runs: Mapping[str, Drawn]

    @functools.cached_property
    def truth(self) -> Array:
        """The wave of the view on the grid."""
        return self.view.wave(self.family.grid)[0]

    @functools.cached_property
    def errors(self) -> dict[str, Array]:
        """Mean |difference| of each run from that wave, (steps + 1,); NaN without points."""
        known = 1.0 if self.view.points else np.nan
        return {name: known * run.errors(self.truth) for name, run in self.runs.items()}

    @functools.cached_property
    def distance(self) -> float:
        """Mean |difference| of the points from that wave."""
        x, y = np.array(self.view.points).reshape(-1, 2).T
        return float(np.abs(self.view.wave(x)[0] - y).mean()) if len(x) else np.nan

    @property
    def fits(self) -> bool:
        """Whether the points fit that wave."""
        return not self.view.fitted or self.distance <= FITS * self.view.amplitude

    @property
    def points(self) -> str:
        whose = "the example" if self.view.example else "your"
        return f"{whose} point" + "s" * (len(self.view.points) != 1)

    @property
    def wave(self) -> str:
        return "the nearest wave" if self.view.fitted else "the true wave"

    @property
    def wave_label(self) -> str:
        """What the dashed wave is, for the legend."""
        if not self.view.points:
            return "the wave for new points"
        return "the nearest wave it was trained on" if self.view.fitted else self.wave

    def caption(self, k: int) -> str:
        """The large sentence after `k` steps."""
        if not self.view.points:
            return "No points yet, so nothing to learn from: this is the network before any step."
        fitted = self.view.fitted
        measured, said = (self._misses, self._miss_of) if fitted else (self.errors, self._error_of)
        if ran_away(measured["maml"][k]):
            return f"{after(k)} {RAN_AWAY}"
        earlier = f" (before: {said('maml', 0)})" if k else ""
        if fitted:
            text = f"{after(k)} it passes {self.points} within {said('maml', k)}{self._on_average}"
        else:
            text = f"{after(k)} it is off by {said('maml', k)} on average from {self.wave}"
        preposition = "within" if fitted else "by"
        others = [
            f"; {IN_WORDS[name]}, "
            + ("it has run away" if ran_away(e[k]) else f"{preposition} {said(name, k)}")
            for name, e in measured.items()
            if name != "maml"
        ]
        return text + earlier + "".join(others) + "."

    def detail(self, k: int) -> str:
        """The smaller sentences after `k` steps."""
        parts = []
        if self.view.example:
            parts.append("These points are an example: click anywhere to place your own.")
        if self.view.points:
            parts.append(self._fit(k) if self.view.fitted else self._miss(k))
        if not self.view.fitted and not self._trained_on():
            parts.append("This wave is not one of those it was trained on.")
        if self.view.points and "pretrained" in self.runs:
            parts.append(self._ordinary(k))
            if start := self._ordinary_start():
                parts.append(f"{'It' if k else 'Ordinary training'} {start}")
        return " ".join(part for part in parts if part)

    @functools.cached_property
    def _misses(self) -> dict[str, Array]:
        return {name: run.misses for name, run in self.runs.items()}

    def _error_of(self, name: str, k: int) -> str:
        """The error against the wave, with its formula."""
        return told(number(self.errors[name][k]), self.about_error(name, k))

    def _miss_of(self, name: str, k: int) -> str:
        """The error on the points, with its formula."""
        return told(number(self._misses[name][k]), self.about_miss(name, k))

    def about_error(self, name: str, k: int) -> str:
        """How a run's error against the wave is computed."""
        return error_from(self.errors[name][k], self.wave.removeprefix("the "), self.family.grid)

    def about_miss(self, name: str, k: int) -> str:
        """How a run's error on the points is computed."""
        return gap(self._misses[name][k], self.runs[name].gaps[k])

    @property
    def _distance(self) -> str:
        """How far the wave misses the points, with its formula."""
        x, y = np.array(self.view.points).reshape(-1, 2).T
        gaps = np.abs(self.view.wave(x)[0] - y)
        return told(number(self.distance), gap(self.distance, gaps, what="wave"))

    @property
    def _on_average(self) -> str:
        return "" if len(self.view.points) == 1 else " on average"

    def _trained_on(self) -> bool:
        view, family = self.view, self.family
        return family.contains_phase(view.phase) and family.contains_amplitude(view.amplitude)

    def _miss(self, k: int) -> str:
        if ran_away(self._misses["maml"][k]):
            return ""
        within = self._miss_of("maml", k)
        return f"The network passes {self.points} within {within}{self._on_average}."

    def _fit(self, k: int) -> str:
        """How well the nearest wave fits free points, and the network that wave."""
        name, several = wave_name(self.view.phase, self.view.amplitude), len(self.view.points) != 1
        if not self.fits:
            return (
                f"{self.points.capitalize()} fit{'' if several else 's'} none of the waves it was "
                f"trained on: the nearest, {name}, misses {'them' if several else 'it'} by "
                f"{self._distance}{self._on_average} (a fit is "
                f"{self._enough} or less)."
            )
        text = (
            f"The nearest wave it was trained on, {name}, passes {'them' if several else 'it'} "
            f"within {self._distance}{self._on_average}"
        )
        if ran_away(self.errors["maml"][k]):
            return f"{text}."
        return f"{text}; the network is off by {self._error_of('maml', k)} from that wave."

    @property
    def _enough(self) -> str:
        """How near a wave has to come to fit the points."""
        amplitude = self.view.amplitude
        value = FITS * amplitude
        return told(number(value), f"{exact(value)} = {FITS:g} × {exact(amplitude)}, its amplitude")

    def _ordinary(self, k: int) -> str:
        """What the steps do to the ordinarily trained network."""
        if not k:
            return ""
        misses, errors = self._misses["pretrained"], self.errors["pretrained"]
        if ran_away(misses[k]) or ran_away(errors[k]):
            return f"Ordinary training{self._own_alpha()} has run away."
        way = went(*self._way(self._miss_of, k), falls=misses[k] < misses[0])
        facts = f"its error on {self.points} {way}"
        if self.fits:
            way = went(*self._way(self._error_of, k), falls=errors[k] < errors[0])
            facts += f", that against {self.wave} {way}"
        return f"Ordinary training{self._own_alpha()} {self._verdict(k)}: {facts}."

    def _way(self, said: Callable[[str, int], str], k: int) -> tuple[str, str]:
        return said("pretrained", 0), said("pretrained", k)

    def _verdict(self, k: int) -> str:
        """What the ordinarily trained network learns in `k` steps."""
        before, now = ([e["pretrained"][i] for e in (self._misses, self.errors)] for i in (0, k))
        if now[0] > (1 + LEARNED) * before[0]:
            return "is thrown off by these steps"
        if now[0] >= (1 - LEARNED) * before[0]:
            return "gains little from these steps"
        if not self.fits:
            return f"gets nearer to {self.points}"
        if now[1] <= (1 - LEARNED) * before[1]:
            return "learns something of the wave, too"
        return f"learns {self.points} and not the wave"

    def _own_alpha(self) -> str:
        """Its inner learning rate, if that is another than the meta-trained network's."""
        own, other = (_alpha(self.models[name].learner) for name in ("pretrained", "maml"))
        if self.view.inner_lr is not None or own is None or own == other:
            return ""
        return f" (α = {own:g})"

    def _ordinary_start(self) -> str:
        """Where the ordinarily trained network starts, as far as that can be explained."""
        # The best answer to all waves at once: in squared error their mean, in |error| the median.
        ordinary = self.models["pretrained"].learner
        if not isinstance(ordinary, GradientBased):
            return ""
        name, of = MIDDLES[ordinary.loss]
        middle = of(waves_of(self.family)(self.family.grid[::EVERY]), axis=0)
        off = np.abs(self.runs["pretrained"].curves[0, ::EVERY] - middle).mean()
        if not off <= FITS * max(self.family.amplitudes):
            return ""
        if self.family.two_phase and np.allclose(middle, 0):
            return "starts at the zero line, the mean of its two opposite waves."
        return f"starts near the {name} of all its waves."


def _alpha(learner: Learner) -> float | None:
    """Its inner learning rate, if it has one."""
    return learner.inner_lr if isinstance(learner, GradientBased) else None


def waves_of(family: WaveFamily) -> Waves:
    """Waves of a family that stand for all of it: both, or evenly from one end to the other."""
    phases = np.array(family.phases) if family.two_phase else np.linspace(*family.phases, 37)
    middle = np.full(len(phases), np.mean(family.amplitudes))
    return Waves(middle, np.full(len(phases), np.mean(family.frequencies)), phases, family.shape)
