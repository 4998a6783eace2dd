"""Uploaded weights: what is read, that it adapts as its owner's does, and what each fault says."""

import itertools
import json
import pickle
import struct
import subprocess
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from helpers import WAVE_PAIRS, assert_same, checkpoint_of, small
from hypothesis import given
from safetensors.torch import save
from torch import nn
from toy_tasks import LineFamily

from metademo import checkpoints, engines, foreign, tasks
from metademo.evaluation import run_learner
from metademo.foreign import MAX_BYTES, Plain, UploadError, name_for, read
from metademo.jobs import Limits
from metademo.recipes import configure
from metademo.settings import TrainConfig
from metademo.tasks import CURVES, GLYPHS, Examples

LIMITS = Limits()
SAID = dict(family="any-phase", inner_lr=0.01, inner_steps=3, support_loss="mse")


def sequential(*sizes: int) -> nn.Sequential:
    """A plain network with ReLU between its layers, as anybody builds it."""
    torch.manual_seed(0)
    layers = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def plain(*sizes: int, **changes) -> bytes:
    """The file of such a network, with some tensors changed: `of_2_bias` is 2.bias, None none."""
    named = {name.removeprefix("of_").replace("_", "."): v for name, v in changes.items()}
    tensors = dict(sequential(*(sizes or (1, 6, 6, 1))).state_dict()) | named
    return save({name: value for name, value in tensors.items() if value is not None})


def ours(config: TrainConfig) -> bytes:
    return checkpoints.serialise(checkpoint_of(config))


# What can be used


@pytest.mark.parametrize(("algorithm", "family"), WAVE_PAIRS)
def test_weights_that_were_downloaded_come_back_as_they_were(algorithm, family):
    saved = checkpoint_of(small(algorithm, family))
    found = read(checkpoints.serialise(saved), LIMITS)
    assert (found.config, found.steps) == (saved.config, saved.steps)
    assert_same(found.meta, saved.meta)


def test_all_that_a_server_trains_by_default_can_be_brought_back():
    largest = dict(hidden=LIMITS.max_hidden, inner_steps=LIMITS.max_inner_steps)
    for algorithm, family in WAVE_PAIRS:
        assert checkpoints.size_of(configure(algorithm, family, **largest)) <= MAX_BYTES


@pytest.mark.parametrize("sizes", [(1, 6, 6, 1), (1, 5, 9, 1), (1, 9, 5, 1), (1, 1, 128, 1)])
@pytest.mark.parametrize("loss", ["l1", "mse"])
@pytest.mark.parametrize("warm", [False, True], ids=["reference", "compiled"])
def test_a_plain_network_adapts_as_in_its_owners_code(sizes, loss, warm, monkeypatch):
    monkeypatch.setattr(engines, "is_warm", lambda: warm)
    rng = np.random.default_rng(0)
    x, y, grid = rng.uniform(-3, 3, 4), rng.uniform(-1, 1, 4), np.linspace(-6, 6, 50)
    checkpoint = read(plain(*sizes), LIMITS).checkpoint(**SAID | {"support_loss": loss})
    assert checkpoint.config.algorithm == "maml"
    found = run_learner(
        checkpoint.config.learner, checkpoint.meta, Examples(x[None], y[None]), grid
    )
    net = sequential(*sizes)
    measure = nn.L1Loss() if loss == "l1" else nn.MSELoss()
    descent = torch.optim.SGD(net.parameters(), lr=SAID["inner_lr"])
    for k in range(SAID["inner_steps"] + 1):
        drawn = net(torch.tensor(grid[:, None]).float())[:, 0].detach()
        np.testing.assert_allclose(found.outputs[k, 0], drawn, atol=1e-5)
        error = measure(net(torch.tensor(x[:, None]).float())[:, 0], torch.tensor(y).float())
        assert found.losses[k, 0] == pytest.approx(error.item(), rel=1e-5)
        descent.zero_grad()
        error.backward()
        descent.step()


def test_the_script_on_the_page_writes_a_file_that_can_be_used(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(foreign.SCRIPT)
    subprocess.run([sys.executable, script], cwd=tmp_path, check=True, timeout=60)
    found = read((tmp_path / "my-net.safetensors").read_bytes(), LIMITS)
    assert isinstance(found, Plain)
    assert found.sizes == (1, 40, 40, 1)


def test_what_its_owner_says_is_checked_as_any_setting():
    found = read(plain(), LIMITS)
    with pytest.raises(ValueError, match="inner_lr must be from 0 to 10"):
        found.checkpoint(**SAID | {"inner_lr": -1.0})


NAMES = {
    "my-net.safetensors": "my-net",
    "my net (1).safetensors": "my-net-1",
    "C:\\nets\\best.v2.safetensors": "best.v2",
    "../../etc/passwd": "passwd",
    "**[x](y)** $z$ :material/close:.safetensors": "close",
    "мережа.safetensors": "мережа",
    "\u202egnp.safetensors": "gnp",
    "a" * 300 + ".safetensors": "a" * foreign.LONGEST_NAME,
    "run 1, step 5.safetensors": "run-1-step-5",
    ".safetensors": "safetensors",
    "---.safetensors": "uploaded",
    "": "uploaded",
}


@pytest.mark.parametrize(("file", "name"), NAMES.items())
def test_weights_are_named_after_their_file(file, name):
    assert name_for(file, []) == name


@given(st.text(), st.sets(st.sampled_from(["a", "a-2", "uploaded", "uploaded-2"])))
def test_names_are_short_plain_and_not_taken(file, taken):
    name = name_for(file, taken)
    assert name not in taken
    assert 0 < len(name) <= foreign.LONGEST_NAME + 2
    assert all(letter.isalnum() or letter in "_.+-" for letter in name)


# What can't be used


def header(text: bytes, size: int | None = None, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(text) if size is None else size) + text + body


def with_header(change) -> bytes:
    data = plain()
    (size,) = struct.unpack("<Q", data[:8])
    return header(change(data[8 : 8 + size].rstrip()), body=data[8 + size :])


def torch_pickle(tmp_path) -> bytes:
    torch.save(sequential(1, 6, 6, 1).state_dict(), tmp_path / "net.pt")
    return (tmp_path / "net.pt").read_bytes()


def described_as(**changes) -> bytes:
    """One of our files, with other settings in its metadata."""
    saved = checkpoint_of(small("maml"))
    about = dict(version=1, config=saved.config.to_dict() | changes, steps=1, scores={})
    return save(saved.meta, {"metademo": json.dumps(about)})


ONES = torch.ones(6)
TWICE = b'{"0.bias":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},'
UNREADABLE = "not a readable safetensors file", "Save it once more"
BAD = {
    "empty": (b"", ("is empty", "Save the weights")),
    "too large": (bytes(MAX_BYTES + 1), ("takes 2.0 MB, and at most 2 MB", "weights alone")),
    "text": (b"weights, honestly", UNREADABLE),
    "random bytes": (bytes(range(1, 256)) * 9, UNREADABLE),
    "cut in the header": (plain()[:50], UNREADABLE),
    "cut in the tensors": (plain()[:-1], UNREADABLE),
    "more bytes than tensors": (plain() + b"more", UNREADABLE),
    "a header of absurd length": (header(b"{}", 2**64 - 1), UNREADABLE),
    "a header of half a megabyte": (header(b"{" + b" " * 2**19 + b"}"), UNREADABLE),
    "a header that is no JSON": (header(b"{'a': 1}"), UNREADABLE),
    "a header that is very deep": (header(b"[" * 100_000), UNREADABLE),
    "a tensor twice": (with_header(lambda text: TWICE + text[1:]), ("stands twice", "once more")),
    "a pickle": (pickle.dumps({"0.weight": [1.0]}), ("is a pickle", "save_file")),
    "no tensors": (save({}), ("no tensors", "state_dict")),
    "names of a module": (
        save({f"net.{name}": value for name, value in sequential(1, 6, 6, 1).state_dict().items()}),
        ("called 'net.0.bias', 'net.0.weight', 'net.2.bias', …", "nn.Sequential itself"),
    ),
    "a name too many": (plain(of_scale=ONES), ("'0.bias'", "nn.Sequential itself")),
    "a bias alone": (plain(of_6_bias=ONES), ("'0.bias'", "nn.Sequential itself")),
    "no bias": (plain(of_2_bias=None), ("no 2.bias beside 2.weight", "with a bias")),
    "float64": (plain(of_2_bias=ONES.double()), ("2.bias is float64", "net.float()")),
    "bfloat16": (plain(of_2_bias=ONES.bfloat16()), ("2.bias is bfloat16", "net.float()")),
    "integers": (plain(of_2_bias=ONES.long()), ("2.bias is int64", "net.float()")),
    "NaN": (plain(of_2_bias=ONES * torch.nan), ("2.bias holds values that are", "ran away")),
    "infinity": (plain(of_0_weight=torch.full((6, 1), torch.inf)), ("0.weight holds", "ran away")),
    "two inputs": (plain(2, 6, 6, 1), ("2-6-6-1, and the pages run 1-a-b-1", "such a shape")),
    "two outputs": (plain(1, 6, 6, 2), ("1-6-6-2, and the pages run 1-a-b-1", "such a shape")),
    "one hidden layer": (plain(1, 6, 1), ("1-6-1, and the pages run", "such a shape")),
    "three of them": (plain(1, 6, 6, 6, 1), ("1-6-6-6-1, and the pages run", "such a shape")),
    "too wide": (plain(1, 6, 129, 1), ("1-6-129-1, and the pages run", "such a shape")),
    "no units": (
        plain(of_0_weight=ONES[:0, None], of_0_bias=ONES[:0], of_2_weight=ONES[:, None][:, :0]),
        ("1-0-6-1, and the pages run", "such a shape"),
    ),
    "no ReLU": (
        save(nn.Sequential(nn.Linear(1, 3), nn.Linear(3, 3), nn.Linear(3, 1)).state_dict()),
        ("are its numbers 0, 1, 2, and have to be 0, 2, 4", "one ReLU between"),
    ),
    "layers that do not fit": (
        plain(of_2_weight=torch.ones(6, 5)),
        ("Layer 2 takes 5 numbers, and the one before it gives 6", "that runs"),
    ),
    "a bias that does not fit": (
        plain(of_2_bias=torch.ones(5)),
        ("2.weight has the shape (6, 6) and 2.bias (5,)", "Linear layers"),
    ),
    "a convolution": (
        plain(of_0_weight=torch.ones(6, 1, 3)),
        ("0.weight has the shape (6, 1, 3)", "Linear layers"),
    ),
    "ours, of settings unknown": (described_as(magic=1), ("magic is not a setting", "Download")),
    "ours, of another width": (described_as(hidden=5), ("has shape (4, 1)", "Download it")),
    "ours, too wide": (
        ours(small("maml", hidden=129)),
        ("129 for their hidden width, and this server takes 128 at most", "Train smaller"),
    ),
    "ours, of too many steps": (
        ours(small("maml", inner_steps=21)),
        ("21 for their inner steps, and this server takes 20", "Train smaller"),
    ),
}


@pytest.mark.parametrize(("data", "said"), BAD.values(), ids=BAD)
def test_a_file_that_cannot_be_used_is_refused_with_what_is_wrong_and_what_helps(data, said):
    with pytest.raises(UploadError) as caught:
        read(data, LIMITS)
    fault = caught.value
    assert said[0] in fault.problem
    assert said[1] in fault.remedy
    assert str(fault) == f"{fault.problem} {fault.remedy}"
    for sentence in (fault.problem, fault.remedy):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not sentence.endswith("..")


def test_a_file_of_torch_save_is_refused_unread(tmp_path):
    with pytest.raises(UploadError, match=r"is a pickle.* with save_file"):
        read(torch_pickle(tmp_path), LIMITS)


def test_weights_of_tasks_that_are_no_waves_are_refused(monkeypatch):
    monkeypatch.setitem(tasks.FAMILIES, "lines", LineFamily())
    with pytest.raises(
        UploadError,
        match=r"trained on lines, and .* tasks of another kind. Upload .* two-phase, any-",
    ):
        read(ours(configure("maml", "lines", hidden=4)), LIMITS)


def test_weights_of_signs_are_for_signs_alone():
    signs, waves = ours(configure("anil", "glyphs", hidden=4)), ours(small("maml"))
    assert read(signs, LIMITS, GLYPHS).config.family == "glyphs"
    for data, kind, families in ((signs, CURVES, "two-phase, any-"), (waves, GLYPHS, "glyphs")):
        with pytest.raises(UploadError, match=f"tasks of another kind. .* trained on {families}"):
            read(data, LIMITS, kind)
    with pytest.raises(UploadError, match="not weights that were downloaded here"):
        read(plain(), LIMITS, GLYPHS)


def test_a_file_too_large_is_not_parsed(monkeypatch):
    monkeypatch.setattr(checkpoints, "unpack", lambda data: pytest.fail("it was parsed"))
    with pytest.raises(UploadError):
        read(plain() + bytes(MAX_BYTES), LIMITS)


DTYPES = st.sampled_from(["F32", "F64", "F16", "BF16", "I64", "BOOL", "F4", "F8_E4M3", "C64", ""])
SIZES = st.lists(st.sampled_from([0, 1, 2, 6, 2**31, 2**62, 2**63, 2**64, -1]), max_size=4)
ENTRY = st.fixed_dictionaries(
    {"dtype": DTYPES, "shape": SIZES, "data_offsets": st.lists(st.integers(0, 64), max_size=3)}
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAME = st.sampled_from(["0.weight", "0.bias", "2.weight", "__metadata__", "a"]) | st.text()
HEADERS = st.builds(
    lambda entries, body: header(json.dumps(entries).encode(), body=body),
    st.dictionaries(NAME, ENTRY | JSON, max_size=5),
    st.binary(max_size=64),
)
ABOUT = st.builds(
    lambda about: save(sequential(1, 2, 2, 1).state_dict(), {"metademo": json.dumps(about)}),
    JSON | st.fixed_dictionaries({"version": st.just(1), "config": JSON, "steps": JSON}),
)


@st.composite
def damaged(draw) -> bytes:
    """A good file with a few bytes changed, cut or doubled."""
    data = bytearray(draw(st.sampled_from([plain(), ours(small("daml"))])))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 9))] = draw(st.binary(max_size=9))
    return bytes(data)


@given(st.binary(max_size=200) | HEADERS | ABOUT | damaged())
def test_whatever_the_bytes_are_nothing_but_an_upload_error_is_raised(data):
    try:
        found = read(data, LIMITS)
    except UploadError:
        pass
    else:
        checkpoint = found.checkpoint(**SAID) if isinstance(found, Plain) else found
        assert all(torch.isfinite(value).all() for value in checkpoint.meta.values())
