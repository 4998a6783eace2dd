"""The view of the Train page: the settings of a run."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from metademo.algorithms import ALGORITHMS
from metademo.described import ConfigError, OneOf, described, titled
from metademo.moments.mended import Clamped, PageView, is_number, sequence
from metademo.recipes import RECIPES, can_train, configure, recipes_for
from metademo.settings import TrainConfig
from metademo.tasks import shown_families

OTHERWISE = "fast"
"""The recipe that suits every family."""
FAMILY = "two-phase"


def _own_numbers(own: Any) -> tuple[tuple[str, float], ...]:
    """Settings that are numbers, each once and in order; what is none is left out."""
    settings, found = described(TrainConfig), {}
    for pair in sequence(own):
        match pair:
            case (str(name), value) if name in settings and is_number(value):
                found[name] = value
    return tuple(sorted((n, v) for n, v in found.items() if settings[n].numeric))


Own = Annotated[tuple[tuple[str, int | float], ...], BeforeValidator(_own_numbers)]


class TrainView(PageView):
    """The settings of the Train page.

    Attributes:
        algorithm, family, recipe: names in the registries; see `TrainConfig`. A family that the
            algorithm can't be trained on gives way to the first that it can, and a recipe that does
            not suit the family to `OTHERWISE`.
        own: settings that differ from the recipe's, as pairs of name and value.
        pace: outer steps per second in slow motion, or 0 for as fast as it goes.
    """

    algorithm: Annotated[str, OneOf(ALGORITHMS)] = "maml"
    family: Annotated[str, OneOf(shown_families())] = Field(FAMILY, validate_default=True)
    recipe: Annotated[str, OneOf(RECIPES)] = OTHERWISE
    own: Own = ()
    pace: Annotated[float, Clamped(0.0, 1e6)] = 0.0

    @field_validator("family")
    @classmethod
    def _trains(cls, family: str, info: ValidationInfo) -> str:
        families = (family, *shown_families())
        return next((f for f in families if can_train(info.data["algorithm"], f)), FAMILY)

    @field_validator("recipe")
    @classmethod
    def _suits(cls, recipe: str, info: ValidationInfo) -> str:
        return recipe if RECIPES[recipe].suits(info.data["family"]) else OTHERWISE

    @classmethod
    def of(cls, config: TrainConfig) -> Self | None:
        """The settings that train with a config, if the page has them."""
        names = [name for name, setting in described(TrainConfig).items() if setting.numeric]
        for recipe in recipes_for(config.family):
            view = cls(algorithm=config.algorithm, family=config.family, recipe=recipe)
            view = view.changed(own=tuple((name, getattr(config, name)) for name in names))._pruned
            if not view.fault and view.config == config:
                return view
        return None

    @property
    def in_words(self) -> str:
        changed = f" with {len(self.own)} changed" * bool(self.own)
        return f"the settings {self.algorithm}, {self.family}, recipe {self.recipe}{changed}"

    @property
    def config(self) -> TrainConfig:
        """What Start trains.

        Raises:
            ConfigError: if the settings don't go together.
        """
        return configure(self.algorithm, self.family, self.recipe, **dict(self.own))

    def value_of(self, name: str) -> float:
        """A number among the settings, also one that can't be used, as a link may have it."""
        own = dict(self.own)
        return own[name] if name in own else getattr(self.changed(own=()).config, name)

    def with_setting(self, name: str, value: float) -> Self:
        """The view with one setting of the visitor's own, or the recipe's if it is the same."""
        own = {n: v for n, v in self.own if n != name} | {name: value}
        return self.changed(own=tuple(own.items()))._pruned

    def with_algorithm(self, algorithm: str) -> Self:
        """The view with another algorithm, and with a family that it can be trained on."""
        families = (self.family, *shown_families())
        fits = (self.changed(algorithm=algorithm, family=f) for f in families)
        return next((view._pruned for view in fits if view.fault == ""), self)

    def with_family(self, family: str) -> Self:
        """The view with another family, and with a recipe that suits it; own settings stay."""
        return self.changed(family=family)._pruned

    @property
    def recipes(self) -> list[str]:
        """The recipes to choose from."""
        return recipes_for(self.family)

    @property
    def _pruned(self) -> Self:
        """The same without own settings that are the recipe's, too."""
        theirs = self.changed(own=()).config
        return self.changed(own=tuple((n, v) for n, v in self.own if v != getattr(theirs, n)))

    @property
    def fault(self) -> str:
        """What is wrong with the settings, or ""."""
        try:
            _ = self.config
        except ConfigError as fault:
            return titled(TrainConfig, fault)
        return ""
