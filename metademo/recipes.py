"""Recipes: named settings of a run, and what an algorithm or a family needs different."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from metademo.described import ConfigError, unknown
from metademo.settings import TrainConfig
from metademo.tasks import FAMILIES


class Change(NamedTuple):
    """Settings that one algorithm, one family or one pair of them needs different."""

    settings: dict[str, Any]
    algorithm: str = ""
    family: str = ""

    def concerns(self, algorithm: str, family: str) -> bool:
        return self.algorithm in ("", algorithm) and self.family in ("", family)


@dataclass(frozen=True)
class Recipe:
    """A named set of settings.

    Attributes:
        families: those that the recipe was made for, empty for all. A recipe may be tried on any
            other, but only for these it is offered.
        changes: what an algorithm or a family needs different; of several the last one holds.
    """

    title: str
    settings: dict[str, Any]
    families: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    def suits(self, family: str) -> bool:
        return not self.families or family in self.families

    def settings_for(self, algorithm: str, family: str) -> dict[str, Any]:
        settings = dict(self.settings)
        for change in self.changes:
            if change.concerns(algorithm, family):
                settings |= change.settings
        return settings


# A tight clip matters: the L1 loss makes some meta-gradients huge, and with a loose one a seed in
# five ends far above the others.
_ADAM = dict(optimizer="adam", queries=32, schedule="cosine", warmup=0.05, clip=0.2)

_FINN = dict(hidden=40, initialisation="truncated-normal", loss="mse", inner_lr=0.01)
_FINN |= dict(optimizer="adam", outer_lr=1e-3, meta_batch=25)

# Several steps, or learned step sizes, find the edge of what a task bears, and go over it at times.
_COSINE = dict(schedule="cosine", warmup=0.05, skips=1000)
_FIVE = dict(inner_steps=5, shots=5, outer_lr=2e-3, steps=40_000, clip=5.0)
_PER_WEIGHT = dict(initialisation="fan-in", clip=1.0)

# Learners that condition on points see few of them as often as many.
_POINTS = dict(optimizer="adam", schedule="cosine", warmup=0.025, clip=1.0, hidden=64, shots=10)
_POINTS |= dict(inner_steps=10, fewest_shots=0, queries=16, meta_batch=32)
_CONTEXT = dict(optimizer="adam", outer_lr=2e-3, clip=5.0, hidden=40, initialisation="spread")
_CONTEXT |= dict(inner_steps=2, support_loss="mse", queries=16, meta_batch=25)

# Signs are tens of points each, so a few tasks are enough for a step.
_SIGNS: dict[str, Any] = dict(
    hidden=32, inner_steps=3, inner_lr=0.02, shots=1, queries=5, meta_batch=8
)
_SIGNS |= dict(support_loss="class-cross-entropy", outer_lr=3e-3, warmup=0.0, clip=10.0)
_WHOLE = dict(queries=3)  # all layers adapt, at twice the cost of a step
_PULLED = dict(shots=5, queries=1, inner_steps=8, inner_lr=0.01)

_ARTICLE, _BENCHMARK = ("two-phase", "any-phase"), ("finn", "finn-noisy")

_ADAPTED = (
    # Steps on |error| are as long near the solution as far from it, so on a family of many waves
    # they end up some way off. On squared errors they shrink. With two waves, which are opposites,
    # |error| does better: both are learned by heart, and the sign is all that is to be found out.
    Change(dict(support_loss="mse", inner_lr=0.01, skips=100), family="any-phase"),
    Change(dict(inner_lr=0.02), "reptile", "any-phase"),  # learns from how far the inner loop gets
    Change(dict(inner_lr=0.03, learned_loss="squared", skips=100), algorithm="daml"),
    # Without an inner loop |error| does not settle on the mean of the waves, and large outer steps
    # close so many units that little can adapt. With two waves the mean is flat, and nothing moves
    # the places where the network bends away from zero, where all units bend at first.
    Change(dict(loss="mse", outer_lr=1e-3, steps=3_000, inner_lr=0.01), algorithm="pretrained"),
    Change(dict(initialisation="spread", outer_lr=3e-4), "pretrained", "two-phase"),
)


def _without_weights(alpaca: int, cnp: int, in_context: int, cavia: int) -> tuple[Change, ...]:
    """What learners need that adapt without moving a weight, with the outer steps of each."""
    return (
        Change(_POINTS | dict(outer_lr=3e-3, steps=alpaca), "alpaca"),
        # Sharp bands have large gradients: cut short, they take those of wide ones with them.
        Change(_POINTS | dict(outer_lr=5e-3, clip=10.0, meta_batch=64, steps=cnp), "cnp"),
        Change(_POINTS | dict(outer_lr=2e-3, steps=in_context), "in-context"),
        Change(_COSINE | _CONTEXT | dict(inner_lr=1.0, steps=cavia), "cavia"),
        *(Change(dict(inner_lr=0.5, shots=5), "cavia", family) for family in _BENCHMARK),
        *(Change(dict(outer_lr=4e-3, clip=10.0), "in-context", family) for family in _BENCHMARK),
    )


def _signs(steps: int) -> tuple[Change, ...]:
    """What learners of signs need, with the outer steps of those that take least for one."""
    return (
        Change(_SIGNS | dict(steps=steps), family="glyphs"),
        *(
            Change(_WHOLE | dict(steps=steps // 2), algorithm, "glyphs")
            for algorithm in ("maml", "fomaml", "maml++")
        ),
        *(
            Change(dict(step_size="learned"), algorithm, "glyphs")
            for algorithm in ("anil", "maml", "fomaml")
        ),
        Change(_PULLED | dict(steps=steps // 5), "reptile", "glyphs"),
        Change(dict(inner_steps=1, outer_lr=6e-3), "protonet", "glyphs"),
    )


RECIPES = {
    "original": Recipe(
        "the article's: SGD, one task per outer step, 275,000 steps",
        {},
        _ARTICLE,
    ),
    "fast": Recipe(
        "Adam on a meta-batch, warm-up and cosine, gradient norm clipped: about a second, on signs "
        "a quarter of a minute",
        _ADAM | dict(meta_batch=16, steps=6_000, outer_lr=6e-3),
        changes=(
            *_ADAPTED,
            *_without_weights(2000, 3000, 1500, 4000),
            *_signs(1400),
        ),
    ),
    "best": Recipe(
        "the same with a larger meta-batch and more steps: about a minute",
        _ADAM | dict(meta_batch=32, queries=16, steps=100_000, outer_lr=3e-3),
        (*_ARTICLE, "glyphs"),
        changes=(
            *_ADAPTED,
            Change(dict(intermediate_weight=0.1), algorithm="daml"),
            # Larger steps, of either loop, run away for two seeds in ten.
            Change(dict(outer_lr=2e-3, clip=0.1, inner_lr=0.02), "daml", "any-phase"),
            *_without_weights(8000, 6000, 6000, 15_000),
            *_signs(4500),
        ),
    ),
    "finn": Recipe(
        "the benchmark's, as published: one inner step, 70,000 x 25 tasks; for the family finn",
        _FINN | dict(inner_steps=1, shots=10, queries=10, steps=70_000),
        _BENCHMARK,
        changes=(
            Change(dict(shots=5), "fomaml"),
            Change(
                _COSINE | dict(inner_steps=8, inner_lr=0.02, steps=40_000, clip=10.0), "reptile"
            ),
            Change(_COSINE | dict(inner_steps=5, steps=40_000, clip=10.0), "anil"),
            Change(_COSINE | dict(shots=5, clip=10.0), "meta-sgd"),
            Change(_COSINE | _FIVE, "maml++"),
            Change(_COSINE | _FIVE | _PER_WEIGHT, "maml++w"),
            *_without_weights(8000, 12_000, 12_000, 30_000),
        ),
    ),
    "finn-best": Recipe(
        "for the least error on the family finn after five steps: about two minutes",
        _FINN | _COSINE | _FIVE | dict(queries=20, steps=130_000),
        _BENCHMARK,
        changes=(Change(_PER_WEIGHT | dict(steps=100_000), "maml++w"),),
    ),
}


def recipes_for(family: str) -> list[str]:
    """The names of the recipes that suit a family."""
    return [name for name, recipe in RECIPES.items() if recipe.suits(family)]


def configure(algorithm: str, family: str, recipe: str = "fast", **changes: Any) -> TrainConfig:
    """The settings of a recipe for an algorithm and a family, with `changes` on top.

    The family need not be one that the recipe suits: whoever writes both has chosen them.

    Raises:
        ConfigError: for an unknown name or a value that can't be used.
    """
    if recipe not in RECIPES:
        raise ConfigError(unknown(recipe, RECIPES), "recipe")
    settings = RECIPES[recipe].settings_for(algorithm, family)
    if family in FAMILIES:  # recipes speak of curves; another kind of task has losses of its own
        kind = FAMILIES[family].kind
        known: dict[str, Collection[str]] = dict(loss=kind.losses, support_loss=kind.losses)
        known["initialisation"] = kind.initialisations
        settings = {n: v for n, v in settings.items() if n not in known or v in known[n]}
        settings.setdefault("loss", kind.default_loss)
    return TrainConfig.from_dict({"algorithm": algorithm, "family": family} | settings | changes)


def recipe_of(config: TrainConfig) -> tuple[str, list[str]]:
    """The recipe that a config is nearest to, and which of its settings differ from it."""
    mine = config.to_dict()
    found = {}
    for recipe in recipes_for(config.family):
        theirs = configure(config.algorithm, config.family, recipe).to_dict()
        found[recipe] = [name for name in mine if mine[name] != theirs[name]]
    best = min(found, key=lambda recipe: len(found[recipe]))
    return best, found[best]


def name_of(config: TrainConfig) -> str:
    """A config in a few names: "maml-two-phase fast", or "maml-two-phase fast, changed"."""
    recipe, changed = recipe_of(config)
    return f"{config.algorithm}-{config.family} {recipe}" + ", changed" * bool(changed)


def can_train(algorithm: str, family: str) -> bool:
    """Whether the algorithm can be trained on the family at all."""
    try:
        configure(algorithm, family)
    except ConfigError:
        return False
    return True
