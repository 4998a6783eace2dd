"""What all sessions share: the shipped weights, read once and checked."""

from __future__ import annotations

import gc

import streamlit as st

from metademo import checkpoints
from metademo.checkpoints import Checkpoint, CheckpointError

SHIPPED = (
    "daml-two-phase",
    "maml-any-phase",
    "maml-two-phase",
    "pretrained-any-phase",
    "pretrained-two-phase",
)


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
def settle_memory() -> None:
    """Once all imports are done, exempt what they left from garbage collection.

    Streamlit collects fully after every rerun; walking the modules again and again costs more than
    the whole rest of a click.
    """
    gc.collect()
    gc.freeze()
