"""Weights that were trained elsewhere: the bytes of an uploaded file in, a checkpoint out.

A file is either one of ours, or holds a plain `nn.Sequential`. Such a network says by its names and
shapes what it is, and nothing of what it was trained for: for that its owner is asked. It then is
a meta-trained start, as MAML has one.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePath

import torch

from metademo import checkpoints
from metademo.algorithms import Meta
from metademo.checkpoints import Checkpoint, CheckpointError
from metademo.described import described, shortened, shown
from metademo.jobs import Limits
from metademo.network import Params
from metademo.settings import TrainConfig
from metademo.tasks import CURVES, FAMILIES, TaskKind

MAX_BYTES = 2 * 2**20
"""Of an upload. The largest weights that a server lets anybody train by default take 1.4 MB."""
LONGEST_NAME = 24
SCRIPT = """\
from safetensors.torch import save_file
from torch import nn

net = nn.Sequential(
    nn.Linear(1, 40), nn.ReLU(),
    nn.Linear(40, 40), nn.ReLU(),
    nn.Linear(40, 1),
)
# ... your training of net ...
save_file(net.float().state_dict(), "my-net.safetensors")
"""
"""How to save a file that can be uploaded, from one's own code."""

_NAMES = tuple(CURVES.network(1, "relu").shapes)
_NUMBERED = re.compile(r"(0|[1-9][0-9]{0,8})\.(weight|bias)")
_LAYERS = [0, 2, 4]


class UploadError(ValueError):
    """A file that can't be used; as text, two sentences.

    Attributes:
        problem: what is wrong with it.
        remedy: what its owner can do about it.
    """

    def __init__(self, problem: str, remedy: str):
        super().__init__(problem, remedy)
        self.problem, self.remedy = problem, remedy

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}"


@dataclass(frozen=True)
class Plain:
    """A network 1-a-b-1 with ReLU between its layers.

    Attributes:
        params: its weights (float32), by PyTorch's names in an `nn.Sequential`.
        sizes: (1, a, b, 1).
    """

    params: Params
    sizes: tuple[int, ...]

    def checkpoint(
        self, family: str, *, inner_lr: float, inner_steps: int, support_loss: str
    ) -> Checkpoint:
        """It as a start for MAML, with what its owner says that it was trained for.

        No outer step has been taken here. Where the two hidden layers differ in width, the narrower
        one is filled up with units that are zero on the way in and out. Their gradients are zero
        then, too, so in any inner loop all others move as they did.

        Raises:
            ConfigError: for settings that can't be used.
        """
        config = TrainConfig(
            family=family,
            hidden=max(self.sizes),
            inner_lr=inner_lr,
            inner_steps=inner_steps,
            support_loss=support_loss,
            loss=support_loss,
        )
        meta: Meta = {}
        for name, shape in config.learner.shapes.items():
            value = self.params[name.removeprefix(f"{CURVES.role}.")]
            meta[name] = torch.zeros(shape)
            meta[name][tuple(slice(size) for size in value.shape)] = value
        return Checkpoint(config, meta, steps=0)


def read(data: bytes, limits: Limits, kind: TaskKind = CURVES) -> Checkpoint | Plain:
    """What an uploaded file holds, once everything about it has been checked.

    Args:
        limits: of this server: networks may be as wide, and inner loops as long, as those that it
            trains.
        kind: of the tasks that the weights are for.

    Raises:
        UploadError: if it can't be used.
    """
    _check_bytes(data)
    try:
        metadata, tensors = checkpoints.unpack(data)
    except CheckpointError as fault:
        raise UploadError(
            f"This is {fault}.",
            "Save it once more with save_file of safetensors.torch, and upload the whole file.",
        ) from fault
    if checkpoints.is_ours(metadata):
        return _ours(metadata, tensors, limits, kind)
    if kind is not CURVES:
        raise UploadError(
            "These are not weights that were downloaded here, and for tasks of this kind no others "
            "can be used.",
            "Download some here, or train them on the Train page.",
        )
    return _plain(tensors, limits)


def name_for(file_name: str, taken: Collection[str]) -> str:
    """A short name for uploaded weights, from that of their file; none of those that are taken.

    >>> name_for("C:/My net (1).safetensors", ["My-net-1"])
    'My-net-1-2'
    """
    file = unicodedata.normalize("NFC", file_name).replace("\\", "/")
    words = re.sub(r"[^\w.+-]+", "-", PurePath(file).stem)[:LONGEST_NAME].strip("-._+")
    stem = words or "uploaded"
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(name for name in names if name not in taken)


def _check_bytes(data: bytes) -> None:
    """Refuse what need not be parsed to be refused."""
    if not data:
        raise UploadError("This file is empty.", "Save the weights once more.")
    if len(data) > MAX_BYTES:
        raise UploadError(
            f"This file takes {len(data) / 2**20:.1f} MB, and at most {MAX_BYTES // 2**20} MB can "
            "be uploaded.",
            "Save the network's weights alone, without an optimizer's state.",
        )
    # The length of a safetensors header may begin as a pickle does; the header itself does not.
    pickled = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
    if data.startswith(pickled) and data[8:9] != b"{":
        raise UploadError(
            "This is a pickle, as torch.save writes it, and no safetensors file. To read one is "
            "to run whatever code is in it.",
            "Save the weights with save_file of safetensors.torch instead.",
        )


def _any_of(kind: TaskKind) -> str:
    """The names of the families of a kind, in a row."""
    *others, last = (name for name, family in FAMILIES.items() if family.kind is kind)
    return f"{', '.join(others)} or {last}" if others else last


def _ours(metadata: dict[str, str], tensors: Meta, limits: Limits, kind: TaskKind) -> Checkpoint:
    try:
        checkpoint = checkpoints.checked(metadata, tensors)
    except CheckpointError as fault:
        raise UploadError(
            f"This file says that it is one of metademo’s, but it can't be used: {fault}.",
            "Download it once more, or train such weights anew.",
        ) from fault
    config = checkpoint.config
    if config.task_family.kind is not kind:
        raise UploadError(
            f"These weights were trained on {config.family}, and this page has tasks of another "
            "kind.",
            f"Upload weights that were trained on {_any_of(kind)}.",
        )
    for name in ("hidden", "inner_steps"):
        maximum, value = limits.maximum(name), getattr(config, name)
        if maximum is not None and value > maximum:
            title = described(TrainConfig)[name].title
            raise UploadError(
                f"These weights have {value:,} for their {title}, and this server takes "
                f"{maximum:,} at most.",
                "Train smaller ones.",
            )
    return checkpoint


def _plain(tensors: Params, limits: Limits) -> Plain:
    layers = _layers(tensors)
    for name, value in tensors.items():
        if value.dtype != torch.float32:
            given = str(value.dtype).removeprefix("torch.")
            raise UploadError(
                f"Tensor {name} is {given}, and it has to be float32.",
                "Save net.float().state_dict().",
            )
    sizes = _sizes(tensors, layers)
    _check_shape(sizes, layers, limits.maximum("hidden") or 0)
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise UploadError(
                f"Tensor {name} holds values that are not finite.",
                "The training ran away: save the weights as they were before that.",
            )
    return Plain({name: tensors[name] for name in _NAMES}, sizes)


def _layers(tensors: Params) -> list[int]:
    """The places of the Linear layers in the `nn.Sequential`, in order."""
    found = [_NUMBERED.fullmatch(name) for name in tensors]
    layers = sorted({int(match[1]) for match in found if match})
    if not tensors or not all(found) or not all(f"{n}.weight" in tensors for n in layers):
        given = ", ".join(map(shown, sorted(tensors)[:3])) + ", …" * (len(tensors) > 3)
        raise UploadError(
            f"The tensors of this file are called {given}, and those of a plain nn.Sequential "
            f"{', '.join(_NAMES)}."
            if tensors
            else "There are no tensors in this file.",
            "Save the state_dict of the nn.Sequential itself, as the script does.",
        )
    for layer in layers:
        if f"{layer}.bias" not in tensors:
            raise UploadError(
                f"There is no {layer}.bias beside {layer}.weight.",
                "Train the network with a bias in each of its layers.",
            )
    return layers


def _sizes(tensors: Params, layers: list[int]) -> tuple[int, ...]:
    """The inputs, and then the units of each layer."""
    sizes: tuple[int, ...] = ()
    for layer in layers:
        weight, bias = (tuple(tensors[f"{layer}.{part}"].shape) for part in ("weight", "bias"))
        if len(weight) != 2 or bias != weight[:1]:
            raise UploadError(
                f"Tensor {layer}.weight has the shape {weight} and {layer}.bias {bias}: they are "
                "not those of one Linear layer.",
                "Save a network of Linear layers, with nothing but ReLU between them.",
            )
        if sizes and sizes[-1] != weight[1]:
            raise UploadError(
                f"Layer {layer} takes {weight[1]:,} numbers, and the one before it gives "
                f"{sizes[-1]:,}.",
                "Save the state_dict of a network that runs.",
            )
        sizes = (*(sizes or weight[1:]), weight[0])
    return sizes


def _check_shape(sizes: tuple[int, ...], layers: list[int], widest: int) -> None:
    """See that the network is one of those that the pages run."""
    inputs, *hidden, outputs = sizes
    wide = all(0 < units <= widest for units in hidden)
    if (inputs, len(hidden), outputs) != (1, 2, 1) or not wide:
        raise UploadError(
            f"This network has the shape {shortened(in_words(sizes))}, and the pages run 1-a-b-1: "
            f"one input, two hidden layers of up to {widest:,} units, one output.",
            "Train a network of such a shape.",
        )
    if layers != _LAYERS:
        raise UploadError(
            f"The Linear layers of this nn.Sequential are its numbers {_listed(layers)}, and have "
            f"to be {_listed(_LAYERS)}.",
            "Build it with one ReLU between each two of them, and with nothing else.",
        )


def in_words(sizes: Iterable[int]) -> str:
    """The shape of a network, such as "1-40-40-1"."""
    return "-".join(map(str, sizes))


def _listed(layers: list[int]) -> str:
    return ", ".join(map(str, layers))
