"""What the commands share: how arguments are described, read and complained about."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from pydantic import Field

from metademo import checkpoints
from metademo.checkpoints import Checkpoint
from metademo.described import ConfigError, Described, Setting, described, shown


class Commands(Protocol):
    """Where a command adds a parser of its own."""

    def add_parser(self, name: str, *, help: str, description: str) -> Parser: ...


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {' '.join(message.split())}", file=sys.stderr)
        raise SystemExit(2)


class Crew(Described):
    """How many runs are carried out side by side."""

    processes: int | None = Field(
        None,
        ge=1,
        le=1024,
        title="processes",
        description="Runs side by side on this machine; by default as many as it has cores.",
    )


def add_command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], text: str
) -> Parser:
    """A command: `run` is called with its arguments and returns the exit code."""
    added = commands.add_parser(name, help=text, description=text)
    added.set_defaults(command=run)
    added.add_argument("--json", action="store_true", help="print JSON")
    return added


def add_settings(
    parser: argparse._ActionsContainer,
    model: type[Described],
    *,
    but: Collection[str] = (),
    default: str = "",
) -> None:
    """An option for each setting of a model, except for those in `but`.

    Args:
        default: what holds where an option is not given, in words; by default the model's own.
    """
    for name, setting in described(model).items():
        if name not in but:
            parser.add_argument(
                option(name),
                type=_reader(setting),
                metavar=_kind(setting),
                default=argparse.SUPPRESS,
                help=_help(setting, default).replace("%", "%%"),
            )


def given(arguments: argparse.Namespace, model: type[Described]) -> dict[str, Any]:
    """The settings of a model that stand on the command line."""
    values = vars(arguments)
    return {name: values[name] for name in described(model) if name in values}


def option(name: str) -> str:
    """How a setting is called on the command line."""
    return "--" + name.replace("_", "-")


def sentence(fault: Exception, arguments: argparse.Namespace) -> str:
    """A fault on one line; a setting that is an option of the command is called so."""
    if isinstance(fault, ConfigError) and fault.setting in arguments:
        text = fault.about(option(fault.setting))
    else:
        text = str(fault)
    return " ".join(text.split())


def _reader(setting: Setting) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return setting.read(text)
        except ConfigError as fault:
            raise argparse.ArgumentTypeError(fault.problem) from None

    return read


def _kind(setting: Setting) -> str:
    if setting.choices:
        return "{" + ",".join(setting.choices) + "}"
    return {int: "N", float: "X"}.get(setting.kind, "TEXT")


def _help(setting: Setting, default: str) -> str:
    text = f"{setting.title}: {setting.help[0].lower()}{setting.help[1:]}"
    if setting.numeric:
        text += f" {setting.range.capitalize()}"
        text += " or none." if setting.optional and default else "."
    if not default and setting.default is not None:
        default = setting.in_words(setting.default)
    return text + f" Default: {default}." * bool(default)


def joined(argv: Sequence[str]) -> list[str]:
    """`--source -1,1` as `--source=-1,1`: argparse takes a value that begins so for an option."""
    found: list[str] = []
    for item in argv:
        negative = item[:1] == "-" and (item[1:2].isdigit() or item[1:2] == ".")
        if found and found[-1] in ("--points", "--source") and negative:
            found[-1] += "=" + item
        else:
            found.append(item)
    return found


def load_weights(name: str) -> Checkpoint:
    """A file, or shipped weights by their name.

    Raises:
        CheckpointError: see `checkpoints.load`.
    """
    path = Path(name)
    return checkpoints.load(path if path.exists() or path.suffix else checkpoints.shipped(name))


def numbers(text: str, name: str) -> list[float]:
    """Numbers with commas between them, as the option called `name` has them.

    Raises:
        ConfigError: if they are none, or not finite.
    """
    try:
        found = [float(item) for item in text.split(",")]
    except ValueError:
        raise ConfigError(f"must be numbers such as 0.5,1, not {shown(text)}", name) from None
    if not all(map(math.isfinite, found)):
        raise ConfigError(f"must be finite numbers, not {shown(text)}", name)
    return found
