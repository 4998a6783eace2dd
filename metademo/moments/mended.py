"""What views are made of: frozen values whose fields mend what can't be used."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    Strict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class Clamped:
    """Marks a number that is brought into its range."""

    low: float
    high: float

    def __get_pydantic_core_schema__(
        self, source: type, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._clamp, handler(source))

    def _clamp(self, value: Any) -> float:
        if not is_number(value):
            raise ValueError
        return min(max(value, self.low), self.high)


def is_number(value: Any) -> bool:
    """Whether it is a number, and finite."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and -math.inf < value < math.inf


def sequence(value: Any) -> Any:
    """The list or the tuple that a value is: JSON has lists only.

    Raises:
        ValueError: if it is none.
    """
    if not isinstance(value, list | tuple):
        raise ValueError
    return value


class View(BaseModel):
    """What the views have in common: to and from plain values.

    What can't be used is mended: a number beyond its range is brought into it, and whatever is of
    another kind gives way to the default.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    IN_ADDRESS: ClassVar[Mapping[str, str]] = {}
    """What fields are called in an address, where that is not their own name."""

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump()

    @classmethod
    def first(cls) -> Self:
        """The view that the page begins with."""
        return cls()

    def arriving(self, changes: Mapping[str, Any]) -> Self:
        """This first view with what an address says; what it leaves out may follow from that."""
        return self.changed(**changes)

    def differences(self) -> dict[str, Any]:
        """What an address has to say of this view: `first().arriving(...)` of it is this view."""
        first = self.first()
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in values.items() if value != getattr(first, name)}

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """The inverse of `to_dict`, from any JSON; what is unknown is ignored."""
        known = cls.model_fields.keys()
        given = values.items() if isinstance(values, dict) else ()
        return cls(**{name: value for name, value in given if name in known})

    def changed(self, **changes: Any) -> Self:
        """The same view with some of its values changed."""
        return type(self)(**(self.__dict__ | changes))

    @field_validator("*", mode="wrap")
    @classmethod
    def _mend(cls, value: Any, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return check(value)
        except ValidationError:
            assert info.field_name is not None  # a field is what is validated
            return cls.model_fields[info.field_name].default


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(names) if name)


Names = Annotated[tuple[str, ...], Strict(False), AfterValidator(_each_once)]


class PageView(View):
    """What every page has.

    Attributes:
        unfolded: names of the parts that the visitor has unfolded.
    """

    unfolded: Names = ()

    def unfold(self, name: str, unfolded: bool) -> Self:
        """The view with a part unfolded, or folded again."""
        others = tuple(other for other in self.unfolded if other != name)
        return self.changed(unfolded=(*others, name) if unfolded else others)

    def shareable(self, own: Collection[str]) -> Self:
        """The view as far as a link can tell: without weights that only this visit has."""
        return self

    @property
    def in_words(self) -> str:
        """What the page shows, in a few words."""
        return "this page"
