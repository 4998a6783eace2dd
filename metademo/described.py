"""A setting is described once, where it is a field, and the rest is made from that description.

A subclass of :class:`Described` is a frozen set of settings. Each field says its type, range, title
and help; :func:`described` reads them back as :class:`Setting`, from which the command line makes
its options, a page its inputs, and everybody their words. A value that can't be used raises a
:class:`ConfigError`, which knows the setting; pydantic's own error never leaves this module.
"""

from __future__ import annotations

import functools
import math
import typing
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Self

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

SHOWN = 40
"""How many characters of a value that can't be used an error shows at most."""


class ConfigError(ValueError):
    """A value that can't be used; as text, a sentence that says what would do.

    Attributes:
        problem: what was given and what would do: the sentence without its subject.
        setting: the name of what the value was given for, the sentence's subject; "" if there is
            no single one, and `problem` is the whole sentence.
    """

    def __init__(self, problem: str, setting: str = ""):
        super().__init__(problem, setting)
        self.problem, self.setting = problem, setting

    def __str__(self) -> str:
        return self.about(self.setting)

    def about(self, name: str) -> str:
        """The sentence, with another name for the setting: that of its option or its input."""
        return f"{name} {self.problem}" if self.setting else self.problem


@dataclass(frozen=True, eq=False)  # a registry has no hash
class OneOf:
    """Marks text that has to be one of these names, as they are when a value is checked."""

    names: Collection[str]

    def __get_pydantic_core_schema__(
        self, source: type, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, name: str) -> str:
        if name not in self.names:
            raise ValueError
        return name


@dataclass(frozen=True)
class ByHand:
    """Marks a number whose range holds more than anybody would choose by hand.

    Attributes:
        high: the largest value that an input for it offers.
    """

    high: int


@dataclass(frozen=True)
class Setting:
    """What one field of a :class:`Described` says about itself.

    Attributes:
        kind: int, float, str or bool.
        optional: whether the value may be None.
        title: what it is called, in a few words.
        help: what it does, in a sentence or two.
        low, high: the least and the greatest value of a number; infinite where there is no bound.
        by_hand: the greatest value that an input offers.
        choices: the names that text has to be one of; empty if it is free.
    """

    name: str
    kind: type
    optional: bool
    default: Any
    title: str
    help: str
    low: float = -math.inf
    high: float = math.inf
    by_hand: float = math.inf
    choices: Collection[str] = field(default=(), hash=False)

    @property
    def heading(self) -> str:
        """The title as it stands above an input: "Task family"."""
        return self.title[0].upper() + self.title[1:]

    @property
    def numeric(self) -> bool:
        return self.kind in (int, float)

    @property
    def range(self) -> str:
        """The range of a number, in words.

        >>> Setting("n", int, False, 1, "", "", low=1, high=4096).range
        'from 1 to 4,096'
        """
        return self.range_to(self.high)

    def range_to(self, high: float) -> str:
        """`range` with another upper end."""
        if (self.low, high) == (0, math.inf):
            return "zero or more"
        return f"from {self.in_words(self.low)} to {self.in_words(high)}"

    @property
    def symbol(self) -> str:
        """The last word of the title, where there is little room: "α", "width"."""
        return self.title.split()[-1]

    def in_words(self, value: Any) -> str:
        """A value, for people."""
        if value is None:
            return "none"
        if self.numeric:
            return f"{value:,}" if self.kind is int else f"{value:,.7g}"
        return str(value)

    def read(self, text: str) -> Any:
        """What a text says: on the command line, or in the environment.

        Raises:
            ConfigError: if it is no value of this kind; whether it is in the range is not checked.
        """
        if self.optional and text == "none":
            return None
        try:
            return self.kind(text)
        except ValueError:
            raise ConfigError(self.refusal(text), self.name) from None

    def refusal(self, value: Any) -> str:
        """The problem with a value that can't be used, see `ConfigError`."""
        if self.choices:
            return unknown(value, self.choices)
        number = isinstance(value, self.kind) or (self.kind is float and isinstance(value, int))
        if self.numeric and number and not isinstance(value, bool):
            return f"must be {self.range}, not {shown(value)}"
        what = {int: "a whole number", float: "a number", bool: "true or false"}
        return f"must be {what.get(self.kind, 'text')}, not {shown(value)}"


def unknown(name: Any, names: Collection[str]) -> str:
    """The problem with a name that is none of these, see `ConfigError`."""
    return f"{shown(name)} is not known: choose from {', '.join(names)}"


def shown(value: Any) -> str:
    """A value as an error shows it: on one line, and not much of it."""
    try:
        text = repr(value)
    except ValueError:  # Python writes out no number of very many digits
        return "a number beyond all bounds"
    except RecursionError:
        return "values within values beyond all bounds"
    return shortened(text)


def shortened(text: str, most: int = SHOWN) -> str:
    """As much of a text as an error shows."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def printable(text: str, most: int = SHOWN) -> str:
    """As much of somebody else's text as an error shows, with a mark for what can't be printed."""
    return "".join(c if c.isprintable() else "\ufffd" for c in shortened(text, most))


class Described(BaseModel):
    """A frozen set of settings, checked as a whole whenever one is made.

    Values are taken as they are: 5.0 is no whole number here, "5" is no number, and neither are
    true, NaN or infinity.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, /, **values: Any):
        """Raises ConfigError for an unknown name or a value that can't be used."""
        try:
            super().__init__(**values)
        except ValidationError as fault:
            raise _translated(type(self), fault) from None

    @classmethod
    def name_of(cls, setting: str) -> str:
        """What errors call a setting: the name by which it is given."""
        return setting

    def changed(self, **changes: Any) -> Self:
        """The same with some settings changed, checked as a whole.

        Raises:
            ConfigError: for an unknown name or a value that can't be used.
        """
        return type(self)(**(self.__dict__ | changes))

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises:
            ConfigError: for an unknown name or a value that can't be used.
        """
        return cls(**values)


def titled(model: type[Described], fault: ConfigError) -> str:
    """The sentence of a fault as people read it: with the setting's title for its name."""
    setting = described(model).get(fault.setting)
    return fault.about(setting.title) if setting else str(fault)


def _translated(model: type[Described], fault: ValidationError) -> ConfigError:
    """The first of pydantic's complaints as one plain sentence that names the setting."""
    error = fault.errors(include_url=False)[0]
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, ConfigError):
        return cause
    # Without a place it is about the name: one that is no Unicode.
    name, value = str((error["loc"] or (error["input"],))[0]), error["input"]
    setting = described(model).get(name)
    if setting is None:
        subject = name if name.isidentifier() and len(name) < SHOWN else shown(name)
        return ConfigError(f"is not a setting: choose from {', '.join(described(model))}", subject)
    if not model.model_config["strict"] and isinstance(value, str):
        with_number = _number_in(setting, value)
        return ConfigError(setting.refusal(with_number), model.name_of(name))
    return ConfigError(setting.refusal(value), model.name_of(name))


def _number_in(setting: Setting, text: str) -> Any:
    """The number that a text holds, or else the text."""
    try:
        return setting.read(text)
    except ConfigError:
        return text


@functools.cache
def described(model: type[Described]) -> Mapping[str, Setting]:
    """The settings of a model by name, in its order."""
    found = {name: _setting(name, info) for name, info in model.model_fields.items()}
    return MappingProxyType(found)


def _setting(name: str, info: FieldInfo) -> Setting:
    kind, marks = info.annotation, list(info.metadata)
    optional = typing.get_origin(kind) in (UnionType, typing.Union)
    if optional:
        (kind,) = (part for part in typing.get_args(kind) if part is not NoneType)
    if typing.get_origin(kind) is Annotated:
        kind, *inner = typing.get_args(kind)
        marks += inner
    assert isinstance(kind, type), f"{name} is of no single type"

    def mark(of: type, attribute: str, otherwise: Any) -> Any:
        return next((getattr(m, attribute) for m in marks if isinstance(m, of)), otherwise)

    high = mark(Le, "le", math.inf)
    return Setting(
        name=name,
        kind=kind,
        optional=optional,
        default=info.default,
        title=info.title or "",
        help=info.description or "",
        low=mark(Ge, "ge", -math.inf),
        high=high,
        by_hand=mark(ByHand, "high", high),
        choices=mark(OneOf, "names", ()),
    )
