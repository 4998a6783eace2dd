"""What all sessions share: the shipped weights, read once and checked."""

from __future__ import annotations

import gc
import threading

import streamlit as st
import torch

from metademo import checkpoints, engines
from metademo.algorithms import ALGORITHMS
from metademo.checkpoints import Checkpoint, CheckpointError

SHIPPED = (
    "daml-two-phase",
    "maml-any-phase",
    "maml-two-phase",
    "pretrained-any-phase",
    "pretrained-two-phase",
)


OWN = "own weights"
MOST_OWN = 8


def keep(name: str, checkpoint: Checkpoint) -> None:
    """Make weights of this visit known to the pages, under a name of their own."""
    others = {n: c for n, c in own().items() if n != name}
    st.session_state[OWN] = dict([*others.items(), (name, checkpoint)][-MOST_OWN:])


def playable(algorithm: str) -> tuple[dict[str, Checkpoint], list[str]]:
    """The weights for the page of an algorithm, and a sentence about each file not usable.

    They are those that ship for this algorithm and waves as high as the page draws them, and those
    of this visit that adapt to the same kind of support set: a page for labelled points plays with
    any method that learns from them.
    """
    usable, faults = library()
    unlabelled = ALGORITHMS[algorithm].unlabelled
    shipped = {
        n: c
        for n, c in usable.items()
        if c.config.algorithm == algorithm and c.config.task_family.unit_amplitude
    }
    return shipped | {
        n: c for n, c in own().items() if c.config.learner.unlabelled == unlabelled
    }, faults


def own() -> dict[str, Checkpoint]:
    """The weights of this visit."""
    return st.session_state.get(OWN, {})


def label(name: str, title: str | None = None) -> str:
    """How weights are called in a list: what was trained in this visit keeps its own name."""
    return name if name in own() else title or name


def library() -> tuple[dict[str, Checkpoint], list[str]]:
    """All usable weights by name, and a sentence about each file that is not usable."""
    usable, faults = {}, []
    for name in sorted({*SHIPPED, *checkpoints.shipped_names()}):
        try:
            usable[name] = _load(name, _changed(name))
        except CheckpointError as fault:
            faults.append(str(fault))
    return usable, faults


@st.cache_resource(max_entries=64, show_spinner=False)
def _load(name: str, changed: int) -> Checkpoint:
    return checkpoints.load(checkpoints.shipped(name))


def _changed(name: str) -> int:
    """When the file was changed last, so that a mended file is read again."""
    path = checkpoints.shipped(name)
    return path.stat().st_mtime_ns if path.exists() else 0


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Once per server, when all imports are done.

    The networks are so small that a second torch thread only makes them wait for each other. Pages
    never wait for the compiler: until it is done they use the reference engine.
    """
    torch.set_num_threads(1)
    _exempt_from_collection()
    threading.Thread(target=_warm_up, name="metademo-warm-up", daemon=True).start()


def _warm_up() -> None:
    engines.warm_up_apart()
    _exempt_from_collection()


def _exempt_from_collection() -> None:
    """Take all that is there by now out of garbage collection.

    Streamlit collects fully after every rerun, and walking the modules again and again costs more
    than the whole rest of a click.
    """
    gc.collect()
    gc.freeze()
