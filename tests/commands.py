"""What the tests of the command line share: to run a command, and to see it refused."""

from __future__ import annotations

import json
from pathlib import Path

from helpers import OF_WAVES, checkpoint_of, small

from metademo import checkpoints
from metademo.algorithms import ALGORITHMS
from metademo.command_line import main

SCORE_KEYS = ["algorithm", "family", "shots", "inner_steps", "tasks", "seed", "metric"]
SCORE_KEYS += ["mean", "ci95", "median", "p90"]
SIGN_KEYS = [*SCORE_KEYS[:2], "ways", *SCORE_KEYS[2:], "calibration_error"]
"""The same of learners that tell classes apart."""
BAND_KEYS = ["coverage", "log_likelihood"]
"""What there is beside them of a learner that knows how sure it is."""
TINY = ("--hidden", "4", "--steps", "3", "--inner-steps", "2")


def tiny_weights(folder: Path) -> dict[str, Path]:
    """Small untrained weights of each algorithm."""
    paths = {name: folder / f"tiny-{name}.safetensors" for name in OF_WAVES}
    for name, path in paths.items():
        checkpoints.save(path, checkpoint_of(small(name)))
    return paths


def as_json(text):
    """The JSON document on one line, held to the standard: no NaN, no Infinity."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    assert text.count("\n") == 1
    return json.loads(text, parse_constant=refuse)


def run(capsys, *arguments, code=0):
    """The standard output of a command that ends with `code`."""
    assert main([str(argument) for argument in arguments]) == code
    return capsys.readouterr().out


def inputs(algorithm):
    """What an algorithm adapts from."""
    return ["--source", "1.1"] if ALGORITHMS[algorithm].unlabelled else ["--points", "0,0 1,0.8"]


def train(capsys, algorithm="maml", family="two-phase", *more, code=0):
    arguments = ["train", algorithm, "--family", family, *TINY, "--json", *more]
    return as_json(run(capsys, *arguments, code=code))


def complaint(capsys, *arguments):
    """The one line on stderr of a command that is refused."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as ending:
        code = ending.code
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert err.startswith("metademo")
    return err
