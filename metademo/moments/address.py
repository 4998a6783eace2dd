"""A moment as an address: `/daml?x=1.2&steps=3`.

The address of a page says in which of its view's fields it differs from the view that the page
begins with, one parameter for each:

- numbers as Python writes them, so that they come back to the last bit; `1` and `0` for yes and no;
- points as `x,y` with spaces between them, names with commas between them;
- nothing behind the `=` where a field is empty (`points=`), or is as it was trained (`alpha=`);
- a setting of a run by its own name (`/train?inner_lr=0.05`).

A field has its own name there unless its view has another one in `IN_ADDRESS`. The browser adds
where its scrubber stands (`at`) and which curve is brought forward (`front`), which the server is
never told. `v` is the version of all this; it is left out while there is only one.

Whatever can't be read is left out, and said in a sentence. Names that mean nothing here are passed
over: those who pass links on add their own.
"""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, NoReturn, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from metademo.described import SHOWN, ConfigError, described, shortened
from metademo.formats import digits
from metademo.moments.duel import DuelView
from metademo.moments.lesson import Lesson
from metademo.moments.mended import View, is_number
from metademo.moments.outer import HowView
from metademo.moments.signs import DrawView
from metademo.moments.train_view import TrainView
from metademo.moments.views import CompareView, ContextView, DamlView, MamlView
from metademo.settings import TrainConfig

VERSION = 1
LONGEST = 8_000
"""Characters of an address that is read at all."""
PAGES: dict[str, type[View]] = {
    "maml": MamlView,
    "daml": DamlView,
    "context": ContextView,
    "compare": CompareView,
    "draw": DrawView,
    "train": TrainView,
    "duel": DuelView,
    "how": HowView,
}
"""The view of each page."""
HOME = "maml"
"""The page whose address has no path."""

V = TypeVar("V", bound=View)


@dataclass(frozen=True)
class Moment:
    """What an address says.

    Attributes:
        page: a key of `PAGES`.
        at: where the scrubber stands; None for the last step.
        notes: a sentence about each thing that could not be read.
    """

    page: str
    view: View
    lesson: Lesson
    at: int | None = None
    notes: tuple[str, ...] = ()


def link(page: str, view: View, lesson: Lesson | None = None, *, at: int | None = None) -> str:
    """The address of a moment, without the server: `/daml?x=1.2&steps=3`."""
    text = joined(query(view), query(lesson or Lesson()), "" if at is None else f"at={at}")
    return "/" + page * (page != HOME) + f"?{text}" * bool(text)


def joined(*queries: str) -> str:
    """Queries as one."""
    return "&".join(text for text in queries if text)


def follow(address: str) -> Moment:
    """What an address shows, with a server before it or without.

    Raises:
        ConfigError: if there is no such page.
    """
    split = urlsplit(address.strip())
    page = split.path.strip("/").split("/")[-1] or HOME
    if page not in PAGES:
        known = ", ".join(f"/{name * (name != HOME)}" for name in PAGES)
        raise ConfigError(f"there is no page /{page}: the links of pages begin with {known}")
    return arrival(page, PAGES[page], parameters(split.query))


def arrival(page: str, kind: type[View], said: Mapping[str, str]) -> Moment:
    """What a page shows to somebody who arrives with the parameters of its address.

    Args:
        kind: of its view.
        said: see `parameters`.
    """
    view, notes = read(said, kind)
    lesson, more = read(said, Lesson)
    notes += more
    if (version := whole(said.get("v", ""))) and version > VERSION:
        notes += ("The link was made by a newer version: what is new in it is left out.",)
    return Moment(page, view, lesson, whole(said.get("at", "")), notes)


def parameters(text: str) -> dict[str, str]:
    """The parameters of a query; of those that are there twice the last one counts."""
    return dict(parse_qsl(text[:LONGEST], keep_blank_values=True))


def whole(text: str) -> int | None:
    """A number of steps, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def query(view: View) -> str:
    """In what a view differs from the one that its page begins with, as a query."""
    kind, pairs = type(view), dict[str, str]()
    for name, value in view.differences().items():
        if _kind(kind, name) is SETTINGS:
            pairs |= {setting: _way_of(setting).text(one) for setting, one in value}
        else:
            pairs[key_of(kind, name)] = (
                "" if value is None else _WAYS[_kind(kind, name)].text(value)
            )
    return "&".join(f"{key}={quote_plus(text, safe=',')}" for key, text in pairs.items())


def read(said: Mapping[str, str], kind: type[V]) -> tuple[V, tuple[str, ...]]:
    """The view that the parameters of an address stand for, and what could not be taken as it is.

    Args:
        said: see `parameters`.
        kind: of the page's view.
    """
    given: dict[str, Any] = {}
    notes: list[str] = []
    for key, (name, way) in _readable(kind).items():
        if key in said:
            try:
                value = way.value(said[key]) if said[key] else way.empty
            except ValueError:
                notes.append(f"{_parameter(said, key)} can’t be used.")
            else:
                is_setting = _kind(kind, name) is SETTINGS
                given[name] = (*given.get(name, ()), (key, value)) if is_setting else value
    view = kind.first().arriving(given)
    for key, (name, way) in _readable(kind).items():
        if name not in given or _kind(kind, name) is SETTINGS:
            continue
        taken = getattr(view, name)
        if taken != given[name]:
            notes.append(f"{_parameter(said, key)} {_counts(taken, kind, name, way)}.")
    return view, tuple(notes)


def _counts(taken: Any, kind: type[View], name: str, way: _Way) -> str:
    """What has become of a value that could not be taken as it is."""
    if is_number(taken):
        return f"counts as {taken:.4g}"
    if taken == getattr(kind.first(), name):
        return "can’t be used"
    return f"counts as “{shortened(way.text(taken))}”"


def _parameter(said: Mapping[str, str], key: str) -> str:
    return f"“{key}={shortened(said[key])}” in the link"


def key_of(kind: type[View], name: str) -> str:
    """What a field is called in an address."""
    return kind.IN_ADDRESS.get(name, name)


# ------------------------------------------------------------------------ how values are written

SETTINGS = tuple[tuple[str, int | float], ...]
"""The type of a field that holds settings of a run: each has a parameter of its own."""


class _Way(ABC):
    """How fields of one type are written."""

    empty: Any = None
    """What empty text stands for."""

    @abstractmethod
    def text(self, value: Any) -> str: ...

    @abstractmethod
    def value(self, text: str) -> Any:
        """The inverse of `text`, where that is not empty.

        Raises:
            ValueError: if it can't be read.
        """


class _Number(_Way):
    def text(self, value: float) -> str:
        return digits(value)

    def value(self, text: str) -> float:
        return number(text)


class _Whole(_Way):
    def text(self, value: int) -> str:
        return str(value)

    def value(self, text: str) -> int:
        return int(text) if len(text) <= SHOWN else _fail()


class _YesOrNo(_Way):
    def text(self, value: bool) -> str:
        return str(int(value))

    def value(self, text: str) -> bool:
        return text == "1" if text in ("0", "1") else _fail()


class _Name(_Way):
    empty = ""

    def text(self, value: str) -> str:
        return value

    def value(self, text: str) -> str:
        return text


class _Names(_Way):
    empty = ()

    def text(self, value: tuple[str, ...]) -> str:
        return ",".join(quote(name, safe=" +") for name in value)

    def value(self, text: str) -> tuple[str, ...]:
        return tuple(unquote(name) for name in text.split(","))


class _Numbers(_Way):
    empty = ()

    def text(self, value: tuple[float, ...]) -> str:
        return ",".join(_Number().text(one) for one in value)

    def value(self, text: str) -> tuple[float, ...]:
        return tuple(number(one) for one in text.split(","))


class _Points(_Way):
    empty = ()

    def text(self, value: tuple[tuple[float, float], ...]) -> str:
        return " ".join(_Numbers().text(point) for point in value)

    def value(self, text: str) -> tuple[tuple[float, float], ...]:
        return tuple((x, y) for x, y in (_Numbers().value(point) for point in text.split()))


_WAYS: dict[Any, _Way] = {
    float: _Number(),
    int: _Whole(),
    bool: _YesOrNo(),
    str: _Name(),
    tuple[str, ...]: _Names(),
    tuple[float, ...]: _Numbers(),
    tuple[tuple[float, float], ...]: _Points(),
}
"""By the type of a field, whatever is annotated to it."""


def _way_of(setting: str) -> _Way:
    return _WAYS[described(TrainConfig)[setting].kind]


@functools.cache
def _readable(kind: type[View]) -> dict[str, tuple[str, _Way]]:
    """What an address may say of a view: by its parameters, the field and how that is written."""
    found: dict[str, tuple[str, _Way]] = {}
    for name in kind.model_fields:
        if _kind(kind, name) is SETTINGS:
            numeric = [n for n, setting in described(TrainConfig).items() if setting.numeric]
            found |= {setting: (name, _way_of(setting)) for setting in sorted(numeric)}
        else:
            found[key_of(kind, name)] = name, _WAYS[_kind(kind, name)]
    return found


def number(text: str) -> float:
    """A finite number.

    Raises:
        ValueError: if it is none.
    """
    found = float(text)
    return found if math.isfinite(found) else _fail()


def _fail() -> NoReturn:
    raise ValueError


@functools.cache
def _kind(view: type[View], name: str) -> Any:
    """The type of a field without what is annotated to it, and without None."""
    kind = _bare(view.model_fields[name].annotation)
    return SETTINGS if kind == SETTINGS else kind


def _bare(kind: Any) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _bare(parts[0])
    if origin is tuple:
        return GenericAlias(tuple, tuple(part if part is ... else _bare(part) for part in parts))
    if origin in (Union, UnionType):
        kept = [_bare(part) for part in parts if part is not NoneType]
        return kept[0] if len(kept) == 1 else Union[tuple(kept)]  # noqa: UP007 (made at run time)
    return kind
