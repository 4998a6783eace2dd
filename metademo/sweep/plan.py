"""What a sweep is to run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import Field

from metademo.algorithms import ALGORITHMS
from metademo.described import ConfigError, Described, OneOf, described, shown, unknown
from metademo.recipes import RECIPES, configure
from metademo.scores import MAX_TASKS
from metademo.settings import TrainConfig
from metademo.tasks import FAMILIES

MAX_RUNS = 100_000
NAMED = ("algorithm", "family")
"""Settings that have lists of their own."""


class Extent(Described):
    """How the runs are trained and scored, but for their settings."""

    recipe: Annotated[str, OneOf(RECIPES)] = Field(
        "fast", title="recipe", description="Named settings, which the others come on top of."
    )
    seeds: int = Field(
        3, ge=1, le=1000, title="seeds", description="Runs of each, each with the next seed."
    )
    tasks: int = Field(
        400,
        ge=2,
        le=MAX_TASKS,
        title="tasks",
        description="Held-out tasks that each run is scored on, the same for all.",
    )


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes:
        settings: those of all runs, on top of the recipe's; their seed is the first one.
        vary: the values of each setting that varies.
    """

    algorithms: tuple[str, ...]
    families: tuple[str, ...]
    extent: Extent = field(default_factory=Extent)
    settings: Mapping[str, Any] = field(default_factory=dict)
    vary: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """A plan as a TOML file has it: `algorithms` and `families` are lists of names; `recipe`,
        `seeds` and `tasks` as in `Extent`; `settings` is a table, and `vary` one of lists.

        Raises:
            ConfigError: for an unknown key, or a value that can't be used.
        """
        scalars = described(Extent)
        known = ("algorithms", "families", *scalars, "settings", "vary")
        for key in document:
            if key not in known:
                raise ConfigError(f"is not known in a plan: choose from {', '.join(known)}", key)
        settings, vary = _table(document, "settings"), _table(document, "vary")
        _check_names(settings, vary)
        return cls(
            algorithms=_names(document, "algorithms", ALGORITHMS),
            families=_names(document, "families", FAMILIES),
            extent=Extent(**{name: document[name] for name in scalars if name in document}),
            settings=settings,
            vary={name: _values(values, name) for name, values in vary.items()},
        )

    def runs(self) -> tuple[list[TrainConfig], list[str]]:
        """The configs of all runs, and why some pairs of algorithm and family are left out.

        Raises:
            ConfigError: for a setting that can't be used, or if nothing is left.
        """
        configs: dict[TrainConfig, None] = {}
        left_out = []
        pairs = list(itertools.product(self.families, self.algorithms))
        each = self.extent.seeds * math.prod(len(values) for values in self.vary.values())
        if len(pairs) * each > MAX_RUNS:
            raise ConfigError(f"these are {len(pairs) * each:,} runs: at most {MAX_RUNS:,} go")
        for family, algorithm in pairs:
            if reason := ALGORITHMS[algorithm].unsuited(FAMILIES[family]):
                left_out.append(reason)
            else:
                configs |= dict.fromkeys(self._runs_of(algorithm, family))
        if not configs:
            raise ConfigError(f"nothing is left to run: {'; '.join(left_out)}")
        return list(configs), left_out

    def _runs_of(self, algorithm: str, family: str) -> Iterator[TrainConfig]:
        for values in itertools.product(*self.vary.values()):
            changes = {**self.settings, **dict(zip(self.vary, values, strict=True))}
            first = configure(algorithm, family, self.extent.recipe, **changes)
            for seed in range(first.seed, first.seed + self.extent.seeds):
                yield first.changed(seed=seed)


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, Mapping):
        raise ConfigError(f"must be a table of settings, not {shown(found)}", name)
    return found


def _values(found: Any, name: str) -> tuple[Any, ...]:
    """A list of values, without those that stand in it twice."""
    if not isinstance(found, (list, tuple)) or not found:
        raise ConfigError(f"must be a list of values, not {shown(found)}", name)
    for value in found:
        if not isinstance(value, (str, int, float)):
            raise ConfigError(f"must be a list of values, and {shown(value)} is none", name)
    return tuple(dict.fromkeys(found))


def _names(document: Mapping[str, Any], key: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    if key not in document:
        raise ConfigError(f"are missing: choose from {', '.join(known)}", key)
    found = _values(document[key], key)
    for name in found:
        if name not in known:
            raise ConfigError(unknown(name, known), key)
    return found


def _check_names(settings: Mapping[str, Any], vary: Mapping[str, Any]) -> None:
    """See that each setting is one, and has its place."""
    for name in (*settings, *vary):
        if name in NAMED:
            raise ConfigError("has a list of its own: algorithms, or families", name)
        if name not in described(TrainConfig):
            TrainConfig.from_dict({name: None})  # which complains
    if "seed" in vary:
        raise ConfigError("is counted by seeds, and does not vary otherwise", "seed")
    for name in settings.keys() & vary.keys():
        raise ConfigError("can't both have one value and vary", name)
