"""What all sessions share: the shipped weights, read once and checked."""

from __future__ import annotations

import gc

import streamlit as st
import torch

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
def settle() -> None:
    """Once per server, when all imports are done.

    Streamlit collects garbage fully after every rerun; walking the modules again and again costs
    more than the whole rest of a click, so what is there by now is exempt. The networks are so
    small that a second torch thread only makes them wait for each other.
    """
    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()
