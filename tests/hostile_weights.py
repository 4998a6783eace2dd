"""Weights files that nobody should trust: ``python -m tests.hostile_weights [--mutations 100000]``.

A corpus of bad files, each bad in a way of its own, and a fuzzer that damages good ones: the n-th
file of a seed is always the same. Each goes both ways into the project: as a checkpoint that is
loaded from disk, and as weights that a visitor uploads. It must come out as valid, finite weights,
or be refused in a plain sentence; with no code run, in 200 ms, and in 50 MB.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import random
import resource
import struct
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from metademo import checkpoints, foreign
from metademo.checkpoints import Checkpoint, CheckpointError
from metademo.foreign import Plain, UploadError
from metademo.jobs import Limits

SECONDS, MEGABYTES = 0.2, 50.0
LONGEST_SENTENCE = 600
ATTEMPTS = 3
"""How often a slow file is timed before it counts as slow: the machine may have other work."""
LIMITS = Limits()
SAID = dict(family="any-phase", inner_lr=0.01, inner_steps=3, support_loss="mse")
MARKUP = "<script>alert(1)</script> **bold** [x](javascript:alert(1)) :material/close: $x$"

# ------------------------------------------------------------------------ files, by hand


def file(header: Any, body: bytes = b"", size: int | None = None) -> bytes:
    """A safetensors file with this header: as JSON, or as it is if that is bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + body


def taken_apart(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the body of a good file."""
    (size,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def sequential(width: int = 6) -> bytes:
    """A plain network, saved as the page shows how."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(1, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
    )
    return save(net.state_dict())


def good_files() -> dict[str, bytes]:
    """What is damaged: all that ships, and plain networks."""
    names = checkpoints.shipped_names()
    shipped = {name: checkpoints.shipped(name).read_bytes() for name in names}
    return {**shipped, "sequential": sequential(), "wide sequential": sequential(128)}


class Bomb:
    """Unpickled, it runs a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("exit 1",)


EMPTY = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
"""A tensor without values."""

# ------------------------------------------------------------------------ the corpus


def corpus() -> dict[str, bytes]:
    """Bad files by what is wrong with them."""
    of_ours = checkpoints.shipped("maml-two-phase").read_bytes()
    found: dict[str, bytes] = {}
    for kind, data in {"ours": of_ours, "plain": sequential()}.items():
        for makers in (_cut, _header_sizes, _ranges, _types_and_shapes, _values, _names):
            found |= {f"{kind}: {name}": bad for name, bad in makers(data).items()}
    return found | _other_formats() | _headers() | _metadata(of_ours) | _settings(of_ours)


def write_sparse(path: Path) -> None:
    """A file of a terabyte that takes no room: a good header, and nothing behind it."""
    path.write_bytes(sequential())
    os.truncate(path, 2**40)


def _cut(data: bytes) -> dict[str, bytes]:
    places = (0, 1, 7, 8, 9, 100, len(data) // 2, len(data) - 1)
    cut = {f"cut after {place} bytes": data[:place] for place in places}
    return cut | {"more bytes than tensors": data + b"\0", "twice": data + data}


def _header_sizes(data: bytes) -> dict[str, bytes]:
    sizes = (0, 1, len(data) - 8, len(data) - 7, 10**8, 2**31, 2**32, 2**63, 2**64 - 1)
    return {f"a header of {size} bytes": struct.pack("<Q", size) + data[8:] for size in sizes}


def _with_offsets(data: bytes, change: Callable[[list[int]], list[Any]]) -> bytes:
    header, body = taken_apart(data)
    name = _some_tensor(header)
    header[name]["data_offsets"] = change(header[name]["data_offsets"])
    return file(header, body)


def _some_tensor(header: dict[str, Any]) -> str:
    return sorted(name for name in header if name.endswith("2.bias"))[0]


def _ranges(data: bytes) -> dict[str, bytes]:
    changes: dict[str, Callable[[list[int]], list[Any]]] = {
        "overlapping": lambda at: [at[0] - 4, at[1] - 4],
        "missing": lambda at: [],
        "of one end": lambda at: at[:1],
        "of three ends": lambda at: [*at, at[1]],
        "the wrong way round": lambda at: at[::-1],
        "of another length": lambda at: [at[0], at[1] + 4],
        "beyond the end": lambda at: [end + 10**9 for end in at],
        "beyond all numbers": lambda at: [2**64 - 4, 2**64 - 1],
        "larger than numbers": lambda at: [2**64, 2**65],
        "negative": lambda at: [-4, 0],
        "of fractions": lambda at: [0.5, 1.5],
        "in words": lambda at: ["0", "24"],
        "null": lambda at: [None, None],
    }
    bad = {f"a range {name}": _with_offsets(data, change) for name, change in changes.items()}
    header, body = taken_apart(data)
    names = [name for name in header if name != "__metadata__"]
    same = {name: header[name] | {"data_offsets": [0, 4]} for name in names}
    swapped = dict(header)
    swapped[names[0]], swapped[names[-1]] = header[names[-1]], header[names[0]]
    text = json.dumps(header)
    twice = f"{{{json.dumps(names[0])}:{json.dumps(header[names[0]])},{text[1:]}".encode()
    return bad | {
        "all ranges alike": file(header | same, body),
        "ranges swapped": file(swapped, body),
        "a tensor twice": file(twice, body),
        "a hole between ranges": file(header, body[:4] + body),
    }


def _types_and_shapes(data: bytes) -> dict[str, bytes]:
    header, body = taken_apart(data)
    name = _some_tensor(header)
    count = (header[name]["data_offsets"][1] - header[name]["data_offsets"][0]) // 4
    shapes: list[Any] = [
        [], [count + 1], [count, 1], [1, count], [0], [-count], [2**62, 4], [2**64, 1], [0, 2**63],
        [2**32, 2**32], [1] * 5_000, [1] * 60, count, "many", [None], [1.5], {"0": 1},
        [[count]],
    ]  # fmt: skip
    types = (
        "F64", "F16", "BF16", "I32", "U8", "BOOL", "F4", "F8_E4M3", "C64", "f32", "", None, 32, [],
    )  # fmt: skip
    changed = {f"shape {place}": {"shape": shape} for place, shape in enumerate(shapes)}
    changed |= {f"type {kind!r}": {"dtype": kind} for kind in types}
    bad = {
        what: file(header | {name: header[name] | change}, body) for what, change in changed.items()
    }
    return bad | {
        "an entry too many": file(header | {name: header[name] | {"file": "/etc/passwd"}}, body),
        "no entries": file(header | {name: {}}, body),
        "a tensor that is a list": file(header | {name: [1, 2]}, body),
        "a tensor missing": file({n: v for n, v in header.items() if n != name}, body),
    }


def _values(data: bytes) -> dict[str, bytes]:
    header, body = taken_apart(data)
    at = header[_some_tensor(header)]["data_offsets"][0]
    bad = {"NaN": float("nan"), "infinity": float("inf"), "minus infinity": -float("inf")}
    found = {
        what: file(header, body[:at] + struct.pack("<f", value) + body[at + 4 :])
        for what, value in bad.items()
    }
    return found | {"nothing but NaN": file(header, b"\xff" * len(body))}


def _names(data: bytes) -> dict[str, bytes]:
    header, body = taken_apart(data)
    old = _some_tensor(header)
    names = (
        "../../../etc/passwd", "/etc/passwd", "C:\\weights", "", " ", "\0", "a\nb", "\u202egnp",
        "__class__", "__metadata__", MARKUP, "x" * 100_000, "\U0001f600", "{0.__class__}", "%s%n",
        "999999999999999999999.weight", "0.weight\n", "2.bias ", "２.bias",
    )  # fmt: skip
    found = {}
    for name in names:
        entries = {name if n == old else n: entry for n, entry in header.items()}
        found[f"a tensor called {name[:20]!r}"] = file(entries, body)
    surrogate = json.dumps(header).replace(old, r"\ud800").encode()
    more = {f"one more, {name[:20]!r}": file(header | {name: EMPTY}, body) for name in names}
    return found | more | {"a name of half a character": file(surrogate, body)}


def _other_formats() -> dict[str, bytes]:
    zipped, saved = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.py", "raise SystemExit")
        archive.writestr("zeros", bytes(10**7))
    torch.save({"0.weight": torch.ones(1), "bomb": Bomb()}, saved)
    pickles = {
        f"a pickle of protocol {n}": pickle.dumps(Bomb(), protocol=n)
        for n in range(pickle.HIGHEST_PROTOCOL + 1)
    }
    return pickles | {
        "no bytes": b"",
        "a zip": zipped.getvalue(),
        "a file of torch.save": saved.getvalue(),
        "a pickle behind a length": file(pickle.dumps(Bomb())),
        "text": b"weights, honestly",
        "markup": MARKUP.encode(),
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "zeros": bytes(10_000),
        "zeros up to the largest upload": bytes(foreign.MAX_BYTES),
        "zeros up to the largest file": bytes(checkpoints.MAX_BYTES),
        "ones": b"\xff" * 10_000,
        "all bytes": bytes(range(256)) * 100,
    }


def _headers() -> dict[str, bytes]:
    most = checkpoints.MAX_HEADER
    entry = '"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    layers = {
        f"{n}.{part}": {
            "dtype": "F32",
            "shape": [1] * axes,
            "data_offsets": [8 * n + 4 * axes - 4, 8 * n + 4 * axes],
        }
        for n in range(1_400)
        for part, axes in (("bias", 1), ("weight", 2))
    }
    many = "{" + ",".join(entry % n for n in range(most // 60)) + "}"
    huge = {"0.weight": {"dtype": "F32", "shape": [2**20, 3], "data_offsets": [0, 12 * 2**20]}}
    wide = {"0.weight": {"dtype": "F32", "shape": [1] * 50_000, "data_offsets": [0, 4]}}
    return {
        "as many tensors as fit": file(many.encode()),
        "more layers than anybody counts": file(layers, bytes(8 * 1_400)),
        "a tensor as large as fits": file(huge, bytes(12 * 2**20)),
        "a tensor of 50,000 axes": file(wide, bytes(4)),
        "a header of blanks": file(b"{" + b" " * (most - 2) + b"}"),
        "a header too large": file(b"{" + b" " * most + b"}"),
        "a deep header": file(b"[" * 100_000),
        "a deep header that ends": file(b"[" * 100_000 + b"]" * 100_000),
        "deep objects": file(b'{"a":' * 40_000 + b"1" + b"}" * 40_000),
        "a number of 200,000 digits": file(b'{"a":' + b"9" * 200_000 + b"}"),
        "an exponent beyond all": file(b'{"a":1e999999999}'),
        "not UTF-8": file(b'{"\xff":1}'),
        "UTF-16": file('{"a":1}'.encode("utf-16")),
        "constants": file(b'{"a":NaN,"b":Infinity}'),
        "a list": file([]),
        "a word": file("weights"),
        "null": file(None),
        "metadata alone": file({"__metadata__": {"format": "pt"}}),
        "metadata a list": file({"__metadata__": ["metademo"]}),
        "metadata of numbers": file({"__metadata__": {"metademo": 1}}),
    }


def _with_about(data: bytes, text: str) -> bytes:
    header, body = taken_apart(data)
    return file(header | {"__metadata__": {"metademo": text}}, body)


def _metadata(data: bytes) -> dict[str, bytes]:
    about = json.loads(taken_apart(data)[0]["__metadata__"]["metademo"])
    scores = about["scores"]
    texts: dict[str, Any] = {
        "empty": "",
        "null": None,
        "a list": [about],
        "deep": "[" * 100_000,
        "a number of 100,000 digits": "9" * 100_000,
        "of another version": about | {"version": 2},
        "a version that is NaN": about | {"version": float("nan")},
        "a version that is true": about | {"version": True},
        "markup": about | {"config": {MARKUP: 1}},
        "markup for an algorithm": about | {"config": about["config"] | {"algorithm": MARKUP}},
        "half a character": '{"version":1,"steps":0,"scores":{},"config":{"\\ud800":1}}',
        "half a character for a value": json.dumps(
            about | {"config": about["config"] | {"family": "\ud800"}}
        ),
        "a path for a family": about | {"config": about["config"] | {"family": "../../etc"}},
        "scores of a million steps": about | {"scores": scores | {"mean": [0.1] * 40_000}},
        "scores of markup": about | {"scores": scores | {"metric": MARKUP}},
        "steps beyond all numbers": about | {"steps": 10**400},
    }
    for depth in (50, 200, 400, 600, 800, 900, 950, 980, 990, 2_000):
        nested = "[" * depth + "]" * depth
        for key in ("hidden", "algorithm", "inner_lr"):
            text = f'{{"version":1,"steps":0,"scores":{{}},"config":{{"{key}":{nested}}}}}'
            texts[f"{key} {depth} deep"] = text
        texts[f"steps {depth} deep"] = (
            f'{{"version":1,"steps":{nested},"scores":{{}},"config":{{}}}}'
        )
    return {
        f"metadata {name}": _with_about(data, text if isinstance(text, str) else json.dumps(text))
        for name, text in texts.items()
    }


ODD = (
    None, True, -1, 0, 0.5, 2**31, 2**63, 10**400, float("nan"), float("inf"), "", "4", MARKUP,
    "x" * 10_000, "\0", "\ud800", [], [[]], {}, {"a": {}},
)  # fmt: skip
"""Values that no setting expects."""


def _settings(data: bytes) -> dict[str, bytes]:
    """Each setting and each score with each odd value."""
    about = json.loads(taken_apart(data)[0]["__metadata__"]["metademo"])
    found = {}
    for part in ("config", "scores"):
        for key in about[part]:
            for place, value in enumerate(ODD):
                changed = about | {part: about[part] | {key: value}}
                found[f"{part}: {key} odd {place}"] = _with_about(data, json.dumps(changed))
    return found


# ------------------------------------------------------------------------ the fuzzer


class Mutator:
    """Damages good files. The n-th file of a seed is always the same."""

    def __init__(self, seed: int = 0):
        self._seed, self._good = seed, list(good_files().values())

    def __call__(self, number: int) -> bytes:
        chance = random.Random(f"{self._seed} {number}")
        data = chance.choice(self._good)
        change = chance.choice((_bytes_changed, _bytes_changed, _header_changed, _about_changed))
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            data = self._safely(change, data, chance)
        return data

    def _safely(
        self, change: Callable[[bytes, random.Random], bytes], data: bytes, chance: random.Random
    ) -> bytes:
        """What is damaged already may be no file any more that can be taken apart."""
        try:
            return change(data, chance)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error):
            return _bytes_changed(data, chance)


def _bytes_changed(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, cut, put in or doubled, as often in the header as in all else."""
    size = len(data)
    place = chance.randrange(min(size, chance.choice((16, 1_000, size))) or 1)
    length = chance.choice((1, 1, 2, 4, 8, 64, 1_000))
    with_others = {
        "flip": bytes(byte ^ 1 << chance.randrange(8) for byte in data[place : place + length]),
        "noise": chance.randbytes(length),
        "same": chance.choice((b"\0", b"\xff", b"[", b'"', b"9", b" ")) * length,
        "cut": b"",
        "double": data[place : place + length] * 2,
        "not finite": struct.pack("<f", chance.choice((float("nan"), float("inf")))),
    }
    kind = chance.choice((*with_others, "end"))
    if kind == "end":
        return data[:place]
    return data[:place] + with_others[kind] + data[place + length :]


def _header_changed(data: bytes, chance: random.Random) -> bytes:
    """Something else at some place of the header's JSON."""
    header, body = taken_apart(data)
    _change_somewhere(header, chance)
    return file(header, body)


def _about_changed(data: bytes, chance: random.Random) -> bytes:
    """Something else at some place of the metadata's JSON; without any, it is made up."""
    header, body = taken_apart(data)
    about = header.get("__metadata__", {}).get("metademo")
    content = {"version": 1, "config": {}, "steps": 0, "scores": {}}
    content = json.loads(about) if about else content
    _change_somewhere(content, chance)
    return file(header | {"__metadata__": {"metademo": json.dumps(content)}}, body)


def _change_somewhere(tree: Any, chance: random.Random) -> None:
    """Walk down to some place, and put something odd there, take it away, or add to it."""
    while True:
        places = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not places:
            break
        place = chance.choice(places)
        deeper = isinstance(tree[place], (dict, list)) and chance.random() < 0.85
        if not deeper:
            _change_at(tree, place, chance)
            return
        tree = tree[place]
    _change_at(tree, "odd" if isinstance(tree, dict) else 0, chance)


def _change_at(tree: Any, place: Any, chance: random.Random) -> None:
    if chance.random() < 0.2 and place in tree:
        del tree[place]
    elif isinstance(tree, dict):
        name = place if chance.random() < 0.7 else chance.choice(("", "self", "0.weight", MARKUP))
        tree[name] = _odd(tree.get(place), chance)
    else:
        tree[place : place + 1] = [_odd(None, chance) for _ in range(chance.choice((0, 1, 2)))]


def _odd(old: Any, chance: random.Random) -> Any:
    if isinstance(old, (int, float)) and not isinstance(old, bool) and chance.random() < 0.5:
        return chance.choice((old + 1, old - 1, -old, old * 4, 0.5, old * 2**32))
    return chance.choice(ODD)


# ------------------------------------------------------------------------ what has to come of it


class Fault(AssertionError):
    """A file that did what none may do."""


Way = Callable[[bytes, Path], Checkpoint]
"""Into the project: the weights that come of a file's bytes, which also lie at the path."""


def from_disk(data: bytes, path: Path) -> Checkpoint:
    return checkpoints.load(path)


def uploaded(data: bytes, path: Path) -> Checkpoint:
    found = foreign.read(data, LIMITS)
    return found.checkpoint(**SAID) if isinstance(found, Plain) else found


WAYS: dict[str, Way] = {"from disk": from_disk, "uploaded": uploaded}

RUNS = (
    "exec",
    "compile",
    "import",
    "pickle.",
    "os.",
    "subprocess.",
    "socket.",
    "ctypes.",
    "shutil.",
)
"""Events of Python's audit that reading weights has no reason to cause."""
HARMLESS = ("os.listdir", "os.scandir")


@dataclass
class Watch:
    """What Python does while a file is read; an audit's hook can't be taken away, so it is one."""

    on: bool = False
    seen: list[str] = field(default_factory=list)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        writes = event == "open" and set(str(arguments[1])) & set("wax+")
        if writes or (event.startswith(RUNS) and event not in HARMLESS):
            self.seen.append(event)

    def __enter__(self) -> None:
        self.seen.clear()
        self.on = True

    def __exit__(self, *_: object) -> None:
        self.on = False


WATCH = Watch()
sys.addaudithook(WATCH)


@dataclass
class Tally:
    """What came of the files so far.

    Attributes:
        outcomes: how many were loaded and refused, by way.
        slowest: seconds, and the name of the file.
        faults: by the name of the file.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    faults: dict[str, str] = field(default_factory=dict)


def judge(name: str, write: bytes | Callable[[Path], None], folder: Path, tally: Tally) -> None:
    """Have a file read in both ways, and note what came of it."""
    path = folder / "hostile.safetensors"
    if isinstance(write, bytes):
        path.write_bytes(write)
        # The server has Streamlit read an upload, and no more of it than the cap.
        data = write
    else:
        write(path)
        with path.open("rb") as opened:
            data = opened.read(foreign.MAX_BYTES + 1)
    for way, read in WAYS.items():
        try:
            seconds, outcome = timed(lambda read=read: outcome_of(read, data, path))  # type: ignore[misc]
        except Fault as fault:
            tally.faults[f"{name}, {way}"] = str(fault)
            continue
        tally.outcomes[f"{way}: {outcome}"] += 1
        tally.slowest = max(tally.slowest, (seconds, f"{name}, {way}"))
        if seconds > SECONDS:
            tally.faults[f"{name}, {way}"] = f"took {1000 * seconds:.0f} ms"


def timed(work: Callable[[], str]) -> tuple[float, str]:
    """What some work says, and the seconds that it took: the fewest of some attempts, if many."""
    fewest = float("inf")
    for _ in range(ATTEMPTS):
        began = time.perf_counter()
        said = work()
        fewest = min(fewest, time.perf_counter() - began)
        if fewest <= SECONDS:
            break
    return fewest, said


def outcome_of(read: Way, data: bytes, path: Path) -> str:
    """ "loaded" or "refused".

    Raises:
        Fault: for anything else.
    """
    try:
        with WATCH:
            checkpoint = read(data, path)
    except (CheckpointError, UploadError) as refusal:
        outcome = "refused"
        check_sentence(str(refusal).removeprefix(f"{path}: "))
    except BaseException as fault:
        raise Fault(f"{type(fault).__name__}: {fault}"[:300]) from fault
    else:
        outcome = "loaded"
    if WATCH.seen:
        raise Fault(f"it had Python do this: {', '.join(WATCH.seen)}")
    if outcome == "loaded":
        check_weights(checkpoint)
    return outcome


def check_sentence(said: str) -> None:
    """A refusal is to be read by people, wherever it is shown.

    Raises:
        Fault: if it can't be.
    """
    if not 10 < len(said) <= LONGEST_SENTENCE:
        raise Fault(f"a sentence of {len(said)} characters: {said[:200]!r}")
    if not said.isprintable():
        raise Fault(f"characters that can't be shown: {said!r}")
    for never in ("Traceback", "Error(", "object at 0x"):
        if never in said:
            raise Fault(f"no plain sentence: {said!r}")


def check_weights(checkpoint: Checkpoint) -> None:
    """What is loaded is what its settings say, and finite.

    Raises:
        Fault: if it is not.
    """
    shapes = checkpoint.config.learner.shapes
    if {name: tuple(value.shape) for name, value in checkpoint.meta.items()} != shapes:
        raise Fault("weights of other shapes than their settings have")
    for name, value in checkpoint.meta.items():
        if value.dtype != torch.float32 or not torch.isfinite(value).all():
            raise Fault(f"{name} is not finite, or no float32")


def peak() -> float:
    """The most memory that this process has had so far, in megabytes of 2^20 bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def warm_up(folder: Path) -> None:
    """Read each kind of file once: what is imported and allocated then is nobody's fault."""
    for name, data in good_files().items():
        judge(name, data, folder, Tally())


def long_corpus() -> Iterator[tuple[str, bytes | Callable[[Path], None]]]:
    """The whole corpus, the sparse file among it."""
    yield "a sparse terabyte", write_sparse
    yield from corpus().items()


def mutations(count: int, seed: int) -> Iterable[tuple[str, bytes]]:
    mutator = Mutator(seed)
    return ((f"mutation {n} of seed {seed}", mutator(n)) for n in range(count))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # as the server does
    tally, began = Tally(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        warm_up(Path(folder))
        bad = list(long_corpus())
        for files, count in (
            (bad, len(bad)),
            (mutations(arguments.mutations, arguments.seed), arguments.mutations),
        ):
            before = peak()
            for name, data in files:
                judge(name, data, Path(folder), tally)
            grown = peak() - before
            print(f"{count:,} files: memory grew by {grown:.1f} MB at its highest")
            if grown > MEGABYTES:
                tally.faults[f"{count:,} files"] = f"took {grown:.0f} MB"
    print(*(f"{outcome}: {count:,}" for outcome, count in sorted(tally.outcomes.items())), sep="\n")
    print(f"slowest: {1000 * tally.slowest[0]:.1f} ms, {tally.slowest[1]}")
    print(f"all: {time.perf_counter() - began:.0f} s")
    for name, fault in tally.faults.items():
        print(f"FAULT: {name}: {fault}")
    return bool(tally.faults)


if __name__ == "__main__":
    sys.exit(main())
