"""Weights and their metadata on disk, nothing else.

A checkpoint is a safetensors file (never pickle). Its tensors are named so that plain PyTorch
loads them: strip ``regressor.`` and they are the state of ``nn.Sequential(Linear, ReLU, Linear,
ReLU, Linear)``. Its metadata holds, as JSON under the key ``metademo``, the config that made it,
the outer steps done and the held-out scores.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes

from metademo import files
from metademo.algorithms import Meta
from metademo.described import ConfigError, printable, shown
from metademo.formats import to_json
from metademo.scores import Scores, ScoresOrNone
from metademo.settings import TrainConfig

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
SUFFIX = ".safetensors"
MAX_BYTES = 16 * 2**20
MAX_HEADER = 2**18
"""Bytes of a file, and of the header that names its tensors and holds the metadata."""
LONGEST = 200
"""Characters that are told of what the library says: it quotes from the file, whatever is there."""
MOST_TENSORS = 256
"""No network here has a tenth of them, and each costs some time before it is looked at."""
_KEY = "metademo"
_VERSION = 1


class _About(BaseModel):
    """The metadata of a checkpoint, as JSON."""

    model_config = ConfigDict(strict=True)

    version: int = _VERSION
    config: dict[str, Any]
    steps: int = Field(ge=0)
    scores: ScoresOrNone


class CheckpointError(ValueError):
    """A file that can't be used as a checkpoint; the message says what is wrong with it."""


@dataclass(frozen=True)
class Checkpoint:
    """Meta-parameters with what made them.

    Attributes:
        config: the settings of the run.
        meta: the meta-parameters (float32).
        steps: outer steps done; fewer than `config.steps` if the run was cut short.
        scores: held-out scores and their conditions, if they were measured.
    """

    config: TrainConfig
    meta: Meta
    steps: int
    scores: Scores | None = None


def shipped(name: str) -> Path:
    """The path of the shipped weights called `name` (without the suffix)."""
    return SHIPPED / (name + SUFFIX)


def shipped_names() -> list[str]:
    """The names of all weights that ship with the project."""
    return sorted(path.stem for path in SHIPPED.glob("*" + SUFFIX))


def serialise(checkpoint: Checkpoint) -> bytes:
    """The checkpoint as the bytes of a safetensors file."""
    about = _About(
        config=checkpoint.config.to_dict(), steps=checkpoint.steps, scores=checkpoint.scores
    )
    tensors = {k: v.detach().cpu().float().contiguous() for k, v in checkpoint.meta.items()}
    return to_bytes(tensors, {_KEY: to_json(about.model_dump())})


def size_of(config: TrainConfig) -> int:
    """How many bytes a checkpoint of a run takes, at most."""
    return 4 * sum(math.prod(shape) for shape in config.learner.shapes.values()) + MAX_HEADER


def save(path: Path | str, checkpoint: Checkpoint, *, overwrite: bool = False) -> Path:
    """Write `checkpoint` to `path`, whole or not at all.

    Raises:
        OSError: see `files.write`.
    """
    return files.write(path, serialise(checkpoint), overwrite=overwrite)


def save_or_keep(path: Path | str, checkpoint: Checkpoint, *, overwrite: bool = False) -> Path:
    """As `save`, after a long training: where that fails, the weights are kept elsewhere.

    Raises:
        OSError: see `files.write_or_keep`.
    """
    return files.write_or_keep(path, serialise(checkpoint), overwrite=overwrite)


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
    try:
        return checked(*unpack(_read_bytes(path)))
    except CheckpointError as fault:
        raise CheckpointError(f"{_shown(path)}: {fault}") from fault


def is_ours(metadata: Mapping[str, str]) -> bool:
    """Whether a file with this metadata says that it is a checkpoint."""
    return _KEY in metadata


def checked(metadata: Mapping[str, str], tensors: Meta) -> Checkpoint:
    """The checkpoint that a file holds, from what `unpack` found in it.

    Raises:
        CheckpointError: if it is of another program, or not what its own config says.
    """
    try:
        about = _About.model_validate(_about(metadata))
        config = TrainConfig.from_dict(about.config)
    except ValidationError as fault:
        raise CheckpointError(f"incomplete metadata ({_first_of(fault)})") from None
    except ConfigError as fault:
        raise CheckpointError(str(fault)) from fault
    for wrong in _faults(tensors, config.learner.shapes):
        raise CheckpointError(wrong)
    meta = {name: tensors[name] for name in config.learner.shapes}
    return Checkpoint(config, meta, about.steps, about.scores)


def unpack(data: bytes) -> tuple[dict[str, str], Meta]:
    """The metadata and the tensors in the bytes of a safetensors file, as they are.

    Raises:
        CheckpointError: if that is not what they are.
    """
    try:
        return _metadata(data), from_bytes(data)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as fault:
        raise _unreadable(fault) from fault


def _unreadable(fault: Exception) -> CheckpointError:
    return CheckpointError(f"not a readable safetensors file ({printable(str(fault), LONGEST)})")


def _about(metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        about = json.loads(metadata.get(_KEY, "null"))
    except (ValueError, RecursionError) as fault:
        raise _unreadable(fault) from fault
    if not isinstance(about, dict) or about.get("version") != _VERSION:
        raise CheckpointError(f"carries no metademo metadata (version {_VERSION})")
    return about


def _first_of(fault: ValidationError) -> str:
    """What is wrong with the metadata, in a few words."""
    error = fault.errors(include_url=False)[0]
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "missing":
        return f"no {place}"
    cause = error.get("ctx", {}).get("error")
    return f"{place}: {cause}" if cause else f"{place} is {shown(error['input'])}"


def _read_bytes(path: Path) -> bytes:
    """All of a file that is not too large to be a checkpoint.

    They are read once, and what was checked is what is used: tensors mapped to the file would
    change, or take the process down, when somebody rewrites it.
    """
    if not path.is_file():
        raise CheckpointError("this is not a file" if path.exists() else "there is no such file")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as fault:
        raise CheckpointError(f"can't be read ({fault.strerror or fault})") from fault
    if len(data) > MAX_BYTES:
        raise CheckpointError(f"larger than {MAX_BYTES // 2**20} MB, so not one of ours")
    return data


def _metadata(data: bytes) -> dict[str, str]:
    """The metadata in the header of a safetensors file; the rest is left to the library.

    Raises:
        ValueError: if the header can't be read, is absurdly large, or names anything twice.
    """
    size = int.from_bytes(data[:8], "little")
    if not 0 < size <= min(len(data) - 8, MAX_HEADER):
        raise ValueError("the header is cut short, or too large")
    header = json.loads(data[8 : 8 + size].decode(), object_pairs_hook=_without_repeats)
    metadata = header.get("__metadata__", {}) if isinstance(header, dict) else None
    if isinstance(metadata, dict) and len(header) > MOST_TENSORS:
        raise ValueError(f"{len(header):,} tensors, and {MOST_TENSORS} are the most")
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("the header holds something else than it should")
    return metadata


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, which must not name anything twice: readers would differ on what it says."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in the header")
    return found


def _faults(tensors: Meta, shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """What is wrong with `tensors`, given the shapes that they should have."""
    if missing := sorted(shapes.keys() - tensors.keys()):
        return [f"tensor {missing[0]} is missing"]
    if foreign := sorted(tensors.keys() - shapes.keys()):
        return [f"tensor {printable(foreign[0])} does not belong to this algorithm"]
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
