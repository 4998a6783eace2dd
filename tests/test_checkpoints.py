"""Checkpoints: a round trip, plain PyTorch, files of every badness, and writes that can't hurt."""

import json
import math
import os
import pickle
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import PAIRS, assert_same, checkpoint_of, small
from safetensors.torch import load_file, save_file
from torch import nn

from metademo import checkpoints
from metademo.checkpoints import CheckpointError, load, save
from metademo.scores import Scores
from metademo.settings import TrainConfig

ROOT = Path(__file__).resolve().parent.parent
SCORES = Scores(
    algorithm="maml",
    family="two-phase",
    shots=4,
    inner_steps=1,
    tasks=400,
    seed=0,
    metric="l1",
    mean=[0.6, 0.1],
    ci95=[0.01, 0.02],
    median=[0.5, 0.1],
    p90=[0.7, 0.2],
)


def _good(**changes):
    return checkpoint_of(small("maml"), **(dict(scores=SCORES) | changes))


# Good files


@pytest.mark.parametrize(("algorithm", "family"), PAIRS)
def test_what_is_saved_is_loaded(algorithm, family, tmp_path):
    saved = checkpoint_of(small(algorithm, family, seed=9), steps=12, scores=SCORES)
    path = save(tmp_path / "new" / "folder" / "w.safetensors", saved)
    loaded = load(path)
    assert (loaded.config, loaded.steps, loaded.scores) == (saved.config, 12, SCORES)
    assert_same(loaded.meta, saved.meta)


def test_plain_pytorch_loads_the_regressor(tmp_path):
    path = save(tmp_path / "w.safetensors", checkpoint_of(small("daml")))
    tensors = load_file(path)
    assert {name.split(".")[0] for name in tensors} == {"regressor", "adaptation_loss"}
    for network, inputs in (("regressor", 1), ("adaptation_loss", 9)):
        net = nn.Sequential(
            nn.Linear(inputs, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)
        )
        own = {n.removeprefix(network + "."): v for n, v in tensors.items() if network in n}
        net.load_state_dict(own, strict=True)


def test_the_file_is_safetensors_with_json_metadata(tmp_path):
    data = save(tmp_path / "w.safetensors", _good()).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    about = json.loads(header.pop("__metadata__")["metademo"])
    assert about["config"] == small("maml").to_dict()
    assert (about["steps"], about["scores"]) == (7, json.loads(json.dumps(SCORES.to_dict())))
    assert {name: entry["dtype"] for name, entry in header.items()} == dict.fromkeys(
        small("maml").learner.shapes, "F32"
    )
    assert len(data) == 8 + length + max(entry["data_offsets"][1] for entry in header.values())


def test_the_same_checkpoint_makes_the_same_bytes():
    assert checkpoints.serialise(_good()) == checkpoints.serialise(_good())


def test_scores_that_diverged_are_strict_json_and_come_back_infinite(tmp_path):
    scores = Scores(**SCORES.to_dict() | {"mean": [0.6, math.nan], "p90": [0.7, math.inf]})
    path = save(tmp_path / "w.safetensors", _good(scores=scores))
    for constant in (b"NaN", b"Infinity"):
        assert constant not in path.read_bytes()
    loaded = load(path).scores
    assert (loaded.mean, loaded.p90) == ((0.6, math.inf), (0.7, math.inf))


def test_files_of_before_with_bare_constants_are_still_read(tmp_path):
    scores = SCORES.to_dict() | {"mean": [0.6, math.nan], "p90": [0.7, math.inf]}
    _write(tmp_path / "w.safetensors", about=_about(scores=scores))
    loaded = load(tmp_path / "w.safetensors").scores
    assert np.isnan(loaded.mean[1])
    assert loaded.p90[1] == math.inf


REWRITTEN = """
import os, sys
from metademo.checkpoints import load
path = sys.argv[1]
meta = load(path).meta
before = {name: value.clone() for name, value in meta.items()}
os.truncate(path, 0)
assert all((meta[name] == value).all() for name, value in before.items())
with open(path, "r+b") as file:
    file.write(bytes(20_000))
assert all((meta[name] == value).all() for name, value in before.items())
print("whole")
"""


def test_weights_in_use_survive_when_their_file_is_rewritten_in_place(tmp_path):
    path = save(tmp_path / "w.safetensors", checkpoint_of(small("maml", hidden=64)))
    done = subprocess.run(
        [sys.executable, "-c", REWRITTEN, path],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole\n", "")


def test_a_huge_file_is_refused_without_being_read(tmp_path):
    path = tmp_path / "sparse.safetensors"
    path.touch()
    os.truncate(path, 2**40)
    with pytest.raises(CheckpointError, match="larger than 16 MB"):
        load(path)


@pytest.mark.parametrize("config", [small("maml"), small("daml", hidden=90)], ids=["small", "wide"])
def test_the_size_of_a_checkpoint_is_known_before(config):
    data = checkpoints.serialise(checkpoint_of(config, scores=SCORES))
    assert len(data) <= checkpoints.size_of(config) <= len(data) + checkpoints.MAX_HEADER


def test_weights_of_higher_precision_are_saved_as_float32(tmp_path):
    doubled = {name: value.double() for name, value in _good().meta.items()}
    assert_same(load(save(tmp_path / "w.safetensors", _good(meta=doubled))).meta, _good().meta)


def test_shipped_weights_lie_in_the_repository():
    assert checkpoints.shipped("x").parent == Path(checkpoints.__file__).parent.parent / "weights"
    assert checkpoints.shipped("x").name == "x.safetensors"


def test_shipped_names_are_those_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path)
    assert checkpoints.shipped_names() == []
    for name in ("b.safetensors", "a.safetensors", "notes.txt"):
        (tmp_path / name).touch()
    assert checkpoints.shipped_names() == ["a", "b"]


@pytest.mark.parametrize("name", checkpoints.shipped_names())
def test_a_shipped_file_says_what_it_said_when_it_is_saved_again(name):
    """To the byte, if it names all settings that there are now; those of before leave some out."""
    data = checkpoints.shipped(name).read_bytes()
    again = checkpoints.serialise(load(checkpoints.shipped(name)))
    old, new = (json.loads(_about_of(each)) for each in (data, again))
    assert new == old | {"config": new["config"]}
    assert new["config"] == TrainConfig().to_dict() | old["config"]
    assert list(old["config"]) == [n for n in new["config"] if n in old["config"]]
    assert (again == data) is (list(old["config"]) == list(new["config"]))


def _about_of(data):
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length])["__metadata__"]["metademo"]


def test_a_checkpoint_is_a_value():
    assert replace(_good(), steps=8).steps == 8
    with pytest.raises(AttributeError):
        _good().steps = 8


# Bad files


def _about(**changes):
    about = dict(version=1, config=small("maml").to_dict(), steps=7, scores={})
    return {k: v for k, v in (about | changes).items() if v is not ...}


def _write(path, *, tensors=None, about=None, text=None):
    """A safetensors file with these tensors and this metadata (`text` as it is)."""
    text = json.dumps(_about() if about is None else about) if text is None else text
    save_file(_good().meta | (tensors or {}), path, {"metademo": text})


def _about_with(**changes):
    return lambda path: _write(path, about=_about(**changes))


def _config_with(**changes):
    return _about_with(config=small("maml").to_dict() | changes)


def _scores_with(**changes):
    return _about_with(scores=SCORES.to_dict() | changes)


def _tensors_with(**changes):
    return lambda path: _write(path, tensors={n.replace("_", "."): v for n, v in changes.items()})


def _without_a_tensor(path):
    tensors = _good().meta
    del tensors["regressor.2.bias"]
    save_file(tensors, path, {"metademo": json.dumps(_about())})


def _cut(share):
    def write(path):
        _write(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return write


def _huge(path):
    _write(path)
    os.truncate(path, checkpoints.MAX_BYTES + 1)


def _header(text: bytes, size: int | None = None):
    size = len(text) if size is None else size
    return lambda path: path.write_bytes(struct.pack("<Q", size) + text)


def _with_header(change):
    """A good file whose header's text is changed."""

    def write(path):
        _write(path)
        data = path.read_bytes()
        (size,) = struct.unpack("<Q", data[:8])
        text = change(data[8 : 8 + size].decode().rstrip()).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])

    return write


TWICE = '{"regressor.0.bias":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},'
BOUNDLESS = b'{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}'
OTHERS = '{"__metadata__":{"metademo":"null"},'


def _with_more_bytes(path):
    _write(path)
    path.write_bytes(path.read_bytes() + b"more")


class _Bomb:
    def __reduce__(self):
        return os.mkdir, ("executed",)


BIAS = torch.zeros(4)
UNREADABLE = "not a readable safetensors file"
FOREIGN = "carries no metademo metadata"
INCOMPLETE = "incomplete metadata"
BAD_FILES = {
    "missing": (lambda path: None, "there is no such file"),
    "a folder": (lambda path: path.mkdir(), "not a file"),
    "empty": (lambda path: path.touch(), UNREADABLE),
    "cut in the header": (_cut(0.3), UNREADABLE),
    "cut in the tensors": (_cut(0.98), UNREADABLE),
    "random bytes": (lambda path: path.write_bytes(bytes(range(256)) * 9), UNREADABLE),
    "text": (lambda path: path.write_text("weights, honestly"), UNREADABLE),
    "a header that is no JSON": (_header(b"{'a': 1}"), UNREADABLE),
    "a header that is not UTF-8": (_header(b"\xff\xfe\xfd"), UNREADABLE),
    "a header of no length": (_header(b"{}", 0), UNREADABLE),
    "a header longer than the file": (_header(b"{}", 3), UNREADABLE),
    "a header of absurd length": (_header(b"{}", 2**64 - 1), UNREADABLE),
    "a header of megabytes": (_header(b"{" + b" " * 2**20 + b"}"), UNREADABLE),
    "a header that is a list": (_header(b"[]"), UNREADABLE),
    "metadata that is a list": (_header(b'{"__metadata__": ["metademo"]}'), UNREADABLE),
    "metadata of numbers": (_header(b'{"__metadata__": {"metademo": 1}}'), UNREADABLE),
    "a tensor twice": (_with_header(lambda text: TWICE + text[1:]), "a name stands twice"),
    "metadata twice": (_with_header(lambda text: OTHERS + text[1:]), "a name stands twice"),
    "an unknown dtype": (_with_header(lambda text: text.replace("F32", "F31")), UNREADABLE),
    "a packed dtype": (_with_header(lambda text: text.replace("F32", "F4")), UNREADABLE),
    "a tensor beyond the end": (_with_header(lambda text: text.replace("[0,", "[9,")), UNREADABLE),
    "a tensor whose strides are beyond all bounds": (_header(BOUNDLESS), UNREADABLE),
    "bytes that belong to no tensor": (_with_more_bytes, UNREADABLE),
    "a pickle": (lambda path: path.write_bytes(pickle.dumps(_Bomb())), UNREADABLE),
    "a torch pickle": (lambda path: torch.save(_good().meta, path), UNREADABLE),
    "too large": (_huge, "larger than 16 MB"),
    "no metadata": (lambda path: save_file(_good().meta, path), FOREIGN),
    "another program's": (lambda path: save_file(_good().meta, path, {"format": "pt"}), FOREIGN),
    "metadata null": (lambda path: _write(path, text="null"), FOREIGN),
    "metadata a list": (lambda path: _write(path, text="[1]"), FOREIGN),
    "metadata no JSON": (lambda path: _write(path, text="{'a': 1}"), UNREADABLE),
    "metadata very deep": (lambda path: _write(path, text="[" * 100_000), UNREADABLE),
    "no version": (_about_with(version=...), FOREIGN),
    "another version": (_about_with(version=2), FOREIGN),
    "no config": (_about_with(config=...), INCOMPLETE),
    "config null": (_about_with(config=None), INCOMPLETE),
    "config a number": (_about_with(config=3), INCOMPLETE),
    "config a list": (_about_with(config=["hidden"]), INCOMPLETE),
    "no steps": (_about_with(steps=...), INCOMPLETE),
    "steps in words": (_about_with(steps="many"), INCOMPLETE),
    "steps null": (_about_with(steps=None), INCOMPLETE),
    "steps infinite": (_about_with(steps=float("inf")), INCOMPLETE),
    "steps negative": (_about_with(steps=-1), INCOMPLETE),
    "no scores": (_about_with(scores=...), INCOMPLETE),
    "scores a number": (_about_with(scores=3), INCOMPLETE),
    "scores of other things": (_about_with(scores={"accuracy": 1}), INCOMPLETE),
    "scores that are no lists": (_scores_with(mean=3), INCOMPLETE),
    "scores without errors": (_scores_with(mean=[]), INCOMPLETE),
    "scores in words": (_scores_with(p90=["low", "high"]), INCOMPLETE),
    "scores of other steps": (_scores_with(inner_steps=2), INCOMPLETE),
    "scores without conditions": (_scores_with(tasks=None), INCOMPLETE),
    "unknown setting": (_config_with(momentum=0.9), "momentum is not a setting"),
    "a setting called self": (_config_with(self=1), "self is not a setting"),
    "unknown algorithm": (_config_with(algorithm="magic"), "algorithm 'magic' is not known"),
    "unknown family": (_config_with(family="square"), "family 'square' is not known"),
    "algorithm a list": (_config_with(algorithm=[]), "algorithm [] is not known"),
    "hidden in words": (_config_with(hidden="4"), "hidden must be a whole number"),
    "hidden a bool": (_config_with(hidden=True), "hidden must be a whole number"),
    "hidden a fraction": (_config_with(hidden=4.0), "hidden must be a whole number"),
    "hidden huge": (_config_with(hidden=10**9), "hidden must be from 1 to 512"),
    "hidden beyond floats": (_config_with(hidden=10**400), "hidden must be from 1 to 512"),
    "inner_lr NaN": (_config_with(inner_lr=float("nan")), "inner_lr must be from 0 to 10"),
    "inner_lr null": (_config_with(inner_lr=None), "inner_lr must be a number"),
    "another algorithm's weights": (_config_with(algorithm="daml"), "adaptation_loss.0.bias"),
    "another width's weights": (_config_with(hidden=5), "regressor.0.weight has shape (4, 1)"),
    "wrong shape": (
        _tensors_with(regressor_2_bias=torch.zeros(5)),
        "tensor regressor.2.bias has shape (5,), not (4,)",
    ),
    "one axis too many": (
        _tensors_with(regressor_2_bias=torch.zeros(1, 4)),
        "tensor regressor.2.bias has shape (1, 4), not (4,)",
    ),
    "float64": (_tensors_with(regressor_2_bias=BIAS.double()), "torch.float64, not float32"),
    "float16": (_tensors_with(regressor_2_bias=BIAS.half()), "torch.float16, not float32"),
    "integers": (_tensors_with(regressor_2_bias=BIAS.long()), "torch.int64, not float32"),
    "NaN": (_tensors_with(regressor_2_bias=BIAS * float("nan")), "regressor.2.bias holds values"),
    "infinity": (_tensors_with(regressor_2_bias=BIAS + float("inf")), "that are not finite"),
    "tensor missing": (_without_a_tensor, "tensor regressor.2.bias is missing"),
    "tensor too many": (_tensors_with(regressor_6_bias=BIAS), "tensor regressor.6.bias does not"),
}


@pytest.mark.parametrize(("write", "fault"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_refused_by_name_and_fault(write, fault, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.safetensors"
    write(path)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert fault in message
    assert not (tmp_path / "executed").exists()


def test_the_bad_files_are_bad_in_nothing_but_their_fault(tmp_path):
    path = tmp_path / "good.safetensors"
    _write(path)
    assert_same(load(path).meta, _good().meta)
