"""Weights and their metadata on disk, nothing else.

A checkpoint is a safetensors file (never pickle). Its tensors are named so that plain PyTorch
loads them: strip ``regressor.`` and they are the state of ``nn.Sequential(Linear, ReLU, Linear,
ReLU, Linear)``. Its metadata holds, as JSON under the key ``metademo``, the config that made it,
the outer steps done and the held-out scores.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from metademo.algorithms import Meta
from metademo.training import ConfigError, TrainConfig

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
SUFFIX = ".safetensors"
MAX_BYTES = 16 * 2**20
_KEY = "metademo"
_SCORES = dict(metric=str, inner_steps=int, mean=list, ci95=list, median=list, p90=list)
_VERSION = 1


class CheckpointError(ValueError):
    """A file that can't be used as a checkpoint; the message names it, and what is wrong."""


@dataclass(frozen=True)
class Checkpoint:
    """Meta-parameters with what made them.

    Attributes:
        config: the settings of the run.
        meta: the meta-parameters (float32).
        steps: outer steps done; fewer than `config.steps` if the run was cut short.
        scores: held-out scores and their conditions, as `metademo evaluate` reports them.
    """

    config: TrainConfig
    meta: Meta
    steps: int
    scores: dict[str, Any] = field(default_factory=dict)


def shipped(name: str) -> Path:
    """The path of the shipped weights called `name` (without the suffix)."""
    return SHIPPED / (name + SUFFIX)


def shipped_names() -> list[str]:
    """The names of all weights that ship with the project."""
    return sorted(path.stem for path in SHIPPED.glob("*" + SUFFIX))


def serialise(checkpoint: Checkpoint) -> bytes:
    """The checkpoint as the bytes of a safetensors file."""
    about = {
        "version": _VERSION,
        "config": checkpoint.config.to_dict(),
        "steps": checkpoint.steps,
        "scores": checkpoint.scores,
    }
    tensors = {k: v.detach().cpu().float().contiguous() for k, v in checkpoint.meta.items()}
    return to_bytes(tensors, {_KEY: json.dumps(about)})


def check_place(path: Path | str, *, overwrite: bool = False) -> Path:
    """See that a checkpoint can be written to `path`: before the long work, not after it.

    Makes the folder if there is none.

    Raises:
        FileExistsError: if there is a file already and `overwrite` is not set.
        OSError: if nothing can be written there.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give the name of a file")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already: choose another name, or overwrite it (--force)"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as fault:
        reason = fault.strerror or fault
        raise OSError(f"{path.parent} can't be written to ({reason}): choose another") from fault
    return path


def save(path: Path | str, checkpoint: Checkpoint, *, overwrite: bool = False) -> Path:
    """Write `checkpoint` to `path`, whole or not at all.

    Raises:
        OSError: see `check_place`.
    """
    path = check_place(path, overwrite=overwrite)
    # A temporary file in the same folder, so that the final rename is atomic.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(serialise(checkpoint))
        os.chmod(temporary, 0o644)
        if overwrite:
            os.replace(temporary, path)
        else:
            os.link(temporary, path)  # fails, unlike a rename, if a file has appeared meanwhile
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return path


def _shown(path: Path) -> str:
    """The path as a message names it: short, and without where the project lies."""
    return f"weights/{path.name}" if path.parent == SHIPPED else str(path)


def load(path: Path | str) -> Checkpoint:
    """Read a checkpoint and check everything about it before it is used.

    Raises:
        CheckpointError: if the file is missing, damaged, of another program, or not what its own
            config says.
    """
    path = Path(path)
    about, tensors = _read(path)
    try:
        config = TrainConfig.from_dict(about["config"])
        steps, scores = _checked_steps(about["steps"]), _checked_scores(about["scores"])
    except (KeyError, TypeError, ValueError) as fault:  # ConfigError is a ValueError
        reason = fault if isinstance(fault, ConfigError) else f"incomplete metadata ({fault!r})"
        raise CheckpointError(f"{_shown(path)}: {reason}") from fault
    for fault in _faults(tensors, config.learner.shapes):
        raise CheckpointError(f"{_shown(path)}: {fault}")
    return Checkpoint(
        config, {name: tensors[name] for name in config.learner.shapes}, steps, scores
    )


def _read(path: Path) -> tuple[dict[str, Any], Meta]:
    """The metadata and the tensors of a file, as they are."""
    if not path.is_file():
        fault = "this is not a file" if path.exists() else "there is no such file"
        raise CheckpointError(f"{_shown(path)}: {fault}")
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(
            f"{_shown(path)}: larger than {MAX_BYTES // 2**20} MB, so not one of ours"
        )
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, RecursionError) as fault:
        raise CheckpointError(
            f"{_shown(path)}: not a readable safetensors file ({fault})"
        ) from fault
    if not isinstance(about, dict) or about.get("version") != _VERSION:
        raise CheckpointError(f"{_shown(path)}: carries no metademo metadata (version {_VERSION})")
    return about, tensors


def _checked_steps(steps: Any) -> int:
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise ValueError(f"steps {steps!r}")
    return steps


def _checked_scores(scores: Any) -> dict[str, Any]:
    """`scores`, if they are as `metademo evaluate` reports them, or empty."""
    if not isinstance(scores, dict):
        raise TypeError(f"scores {scores!r}")
    for name, kind in _SCORES.items() if scores else ():
        if not isinstance(scores.get(name), kind) or scores[name] == []:
            raise ValueError(f"score {name} {scores.get(name)!r}")
        if kind is list and not all(isinstance(value, (int, float)) for value in scores[name]):
            raise ValueError(f"score {name} {scores[name]!r}")
    return scores


def _faults(tensors: Meta, shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """What is wrong with `tensors`, given the shapes that they should have."""
    if missing := sorted(shapes.keys() - tensors.keys()):
        return [f"tensor {missing[0]} is missing"]
    if foreign := sorted(tensors.keys() - shapes.keys()):
        return [f"tensor {foreign[0]} does not belong to this algorithm"]
    faults = []
    for name, shape in shapes.items():
        value = tensors[name]
        if tuple(value.shape) != shape:
            faults.append(f"tensor {name} has shape {tuple(value.shape)}, not {shape}")
        elif value.dtype != torch.float32:
            faults.append(f"tensor {name} is {value.dtype}, not float32")
        elif not torch.isfinite(value).all():
            faults.append(f"tensor {name} holds values that are not finite")
    return faults
