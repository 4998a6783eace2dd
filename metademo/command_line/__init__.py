"""The command line: ``python -m metademo list | train | evaluate | adapt | link | ...``.

Text is for people, ``--json`` for machines. Bad input ends with exit code 2 and one line on stderr
that names the fault and the mend. Each command is a file here, with its arguments and what it does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch

from metademo.command_line import (
    adapt,
    benchmark,
    check,
    evaluate,
    inspect,
    link,
    listing,
    reproduce,
    sweep,
    train,
)
from metademo.command_line.arguments import Parser, joined, sentence
from metademo.command_line.train import INTERRUPTED


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = parser().parse_args(joined(sys.argv[1:] if argv is None else argv))
    torch.set_num_threads(1)  # the networks are so small that threads would wait for each other
    try:
        return arguments.command(arguments)
    except (ValueError, OSError) as fault:  # ConfigError and CheckpointError are ValueErrors
        print(f"metademo: {sentence(fault, arguments)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("metademo: interrupted", file=sys.stderr)
        return INTERRUPTED


def parser() -> Parser:
    """The parser of the whole command line."""
    made = Parser(prog="metademo", description="Meta-learning on sine waves.")
    commands = made.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in (
        listing,
        train,
        evaluate,
        adapt,
        inspect,
        link,
        check,
        sweep,
        reproduce,
        benchmark,
    ):
        command.add(commands)
    return made
