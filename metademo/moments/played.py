"""What a moment shows, as numbers: the curves or the answers of a link without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metademo.checkpoints import Checkpoint
from metademo.described import ConfigError
from metademo.models import Model
from metademo.moments.address import Moment
from metademo.moments.asked import Asked, ask
from metademo.moments.candidates import candidates
from metademo.moments.compared import compare
from metademo.moments.drawn import Drawn, draw_points, draw_points_seen, draw_source
from metademo.moments.signs import DrawView
from metademo.moments.views import CompareView, ContextView, DamlView, MamlView
from metademo.tasks import FAMILIES, Array, WaveFamily, as_waves, wave_families


@dataclass(frozen=True)
class Played:
    """The networks of a moment on its points, or on its source input.

    Attributes:
        runs: by the name of the learner, or of the weights.
        compared: whether there may be several of them.
    """

    family: WaveFamily
    runs: Mapping[str, Drawn]
    compared: bool = False

    @property
    def x(self) -> Array:
        """Where the curves are drawn, (points of the grid,)."""
        return self.family.grid


def play(moment: Moment, weights: Mapping[str, Checkpoint]) -> Played | Asked:
    """Have the models of a moment adapt, as its page does.

    Args:
        weights: those that ship, by name.

    Raises:
        ConfigError: if the weights are not there, or the page has no learner that adapts.
    """
    match moment.view:
        case CompareView() as view:
            family = wave_families()[view.family]
            found = candidates(weights, {}, family)
            chosen = [one for name, one in found.items() if name in view.chosen]
            return Played(family, compare(view, family, chosen).runs, compared=True)
        case DrawView() as view:
            found = candidates(weights, {}, FAMILIES["glyphs"])
            return ask(view, [one for name, one in found.items() if name in view.chosen])
        case MamlView() as view:
            checkpoint = _named(view.weights, weights)
            family = as_waves(checkpoint.config.task_family)
            run = draw_points(view.within(family), family, Model.of(checkpoint))
        case ContextView() as view:
            checkpoint = _named(view.weights, weights)
            family = as_waves(checkpoint.config.task_family)
            run = draw_points_seen(view, family, Model.of(checkpoint))
        case DamlView() as view:
            checkpoint = _named(view.weights, weights)
            family = as_waves(checkpoint.config.task_family)
            run = draw_source(view, family, Model.of(checkpoint))
        case _:
            raise ConfigError(f"nothing adapts on the page /{moment.page}")
    return Played(family, {view.weights: run})


def _named(name: str, weights: Mapping[str, Checkpoint]) -> Checkpoint:
    if name not in weights:
        raise ConfigError(f"there are no weights “{name}” here: {', '.join(weights)} are")
    return weights[name]
