"""What to try where a run has not learned to adapt. No Streamlit here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from metademo.moments.train_view import TrainView
from metademo.recipes import recipe_of
from metademo.settings import TrainConfig
from metademo.ui.scenes.train_words import OWN


@dataclass(frozen=True)
class Remedy:
    """Something to try: the label of its button, and the settings that it trains."""

    label: str
    view: TrainView


def remedies(config: TrainConfig, pace: float, tried: Collection[TrainConfig]) -> list[Remedy]:
    """What to try after a run that has not learned: two things at most that were not tried yet.

    Another seed is of no use to settings that are no recipe's: those are the likely cause.
    """
    recipe, changed = recipe_of(config)
    own = tuple((name, getattr(config, name)) for name in changed if name in OWN)
    view = TrainView(
        algorithm=config.algorithm, family=config.family, recipe=recipe, own=own, pace=pace
    )
    if {name for name, _ in own} - {"seed"}:
        found = [Remedy(f"Try the recipe’s own settings ({recipe})", view.changed(own=()))]
    else:
        seeds = range(config.seed + 1, config.seed + 2 + len(tried))
        seed = next(s for s in seeds if view.with_setting("seed", s).config not in tried)
        found = [Remedy(f"Try seed {seed}", view.with_setting("seed", seed))]
    found += [
        Remedy(f"Try the recipe “{other}”", view.changed(recipe=other, own=()))
        for other in view.recipes
        if other not in (recipe, "original")
    ]
    return [remedy for remedy in found if remedy.view.config not in tried][:2]
