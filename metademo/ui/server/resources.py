"""What all sessions share: the shipped weights, read once and checked."""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import os
import threading
import time
from pathlib import Path

import numpy as np
import streamlit as st
import torch

from metademo import __version__, checkpoints, engines, logs
from metademo.algorithms import ALGORITHMS, YARDSTICKS, Conditioned
from metademo.checkpoints import Checkpoint, CheckpointError
from metademo.tasks import WaveFamily, wave_families
from metademo.ui.server import metrics
from metademo.ui.server.guard import heed_pages_alone, pass_over_left_pages
from metademo.ui.server.no_delay import send_at_once
from metademo.ui.server.shutdown import bound_shutdown

log = logging.getLogger(__name__)

SHIPPED = (
    "daml-two-phase",
    "maml-any-phase",
    "maml-two-phase",
    "pretrained-any-phase",
    "pretrained-two-phase",
)


LOOK_SECONDS = 1.0
"""For so long what was found in the folder of weights is taken to be there still."""
FILES = 65_536
"""Open files that this server may have, if the system lets it."""
OWN = "own weights"
MOST_OWN = 8


def keep(name: str, checkpoint: Checkpoint) -> None:
    """Make weights of this visit known to the pages, under a name of their own."""
    others = {n: c for n, c in own().items() if n != name}
    st.session_state[OWN] = dict([*others.items(), (name, checkpoint)][-MOST_OWN:])


def drop(name: str) -> None:
    """Forget weights of this visit."""
    st.session_state[OWN] = {n: c for n, c in own().items() if n != name}


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
        if c.config.algorithm == algorithm
        and isinstance(c.config.task_family, WaveFamily)
        and c.config.task_family.unit_amplitude
    }
    return shipped | {
        n: c
        for n, c in own().items()
        if c.config.learner.unlabelled == unlabelled
        and isinstance(c.config.task_family, WaveFamily)
    }, faults


def conditioned() -> tuple[dict[str, Checkpoint], list[str]]:
    """The weights of learners that condition on points, likewise: shipped ones, then own ones."""
    usable, faults = library()
    return {
        n: c
        for n, c in {**usable, **own()}.items()
        if isinstance(c.config.learner, Conditioned)
        and isinstance(c.config.task_family, WaveFamily)
    }, faults


def own() -> dict[str, Checkpoint]:
    """The weights of this visit."""
    return st.session_state.get(OWN, {})


def label(name: str, title: str | None = None) -> str:
    """How weights are called in a list: what was trained in this visit keeps its own name."""
    return name if name in own() else title or name


def library() -> tuple[dict[str, Checkpoint], list[str]]:
    """All usable weights by name, and a sentence about each file that is not usable.

    The folder is looked at once a second at most, and what changed there is read again.
    """
    usable, faults = _looked_at(int(time.monotonic() / LOOK_SECONDS), checkpoints.SHIPPED)
    return dict(usable), list(faults)


@functools.lru_cache(maxsize=1)
def _looked_at(moment: int, folder: Path) -> tuple[dict[str, Checkpoint], list[str]]:
    """What is in the folder within a moment."""
    found = _weights_files()
    usable, faults = {}, []
    for name in sorted({*SHIPPED, *found}):
        try:
            usable[name] = _load(name, found.get(name))
        except CheckpointError as fault:
            faults.append(str(fault))
    return usable, faults


FileState = tuple[int, int, int]
"""When a file was changed last, its size, and which file it is."""


def _weights_files() -> dict[str, FileState]:
    """The state of each weights file in the folder, by name: it takes a tenth of a millisecond."""
    found: dict[str, FileState] = {}
    with contextlib.suppress(OSError), os.scandir(checkpoints.SHIPPED) as entries:
        for entry in entries:
            if entry.name.endswith(checkpoints.SUFFIX):
                with contextlib.suppress(OSError):  # removed while we looked
                    found[entry.name.removesuffix(checkpoints.SUFFIX)] = _state(entry.stat())
    return found


def _state(stat: os.stat_result) -> FileState:
    """The change of the status counts, not that of the content, whose time a copy may keep."""
    return stat.st_ctime_ns, stat.st_size, stat.st_ino


@functools.lru_cache(maxsize=64)
def _load(name: str, state: FileState | None) -> Checkpoint:
    return checkpoints.load(checkpoints.shipped(name))


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Once per server, when all imports are done.

    The networks are so small that a second torch thread only makes them wait for each other. Pages
    never wait for the compiler: until it is done they use the reference engine.
    """
    logs.set_up()
    logs.say(log, "server started", version=__version__)
    torch.set_num_threads(1)
    _allow_many_files()
    bound_shutdown(at_end=lambda: metrics.report("server stops"))
    metrics.report_while_visited()
    heed_pages_alone()
    pass_over_left_pages()
    send_at_once()
    _exempt_from_collection()
    threading.Thread(target=_warm_up, name="metademo-warm-up", daemon=True).start()


def _allow_many_files() -> None:
    """A visitor takes four open files, and who has left three for a while. Often 1,024 are allowed,
    and more to a process that asks."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
        if allowed != resource.RLIM_INFINITY and allowed < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _warm_up() -> None:
    engines.warm_up_apart()
    # Not a daemon, as this thread is: the end of the program waits for the fit under way. A thread
    # that is cut off in PyTorch's own code aborts the process.
    fitting = threading.Thread(target=_fit_yardsticks, name="metademo-yardsticks", daemon=False)
    with contextlib.suppress(RuntimeError):  # no thread to be had: then who asks first has to wait
        fitting.start()
        fitting.join()
    _exempt_from_collection()


def _fit_yardsticks() -> None:
    """So that no click waits for those that are fitted to a family; they keep what they found.

    It leaves off where the program ends.
    """
    for family in wave_families().values():
        for yardstick in YARDSTICKS.values():
            if not threading.main_thread().is_alive():
                return
            if not yardstick.unsuited(family):
                yardstick.for_family(None, family, np.random.default_rng(0))


def _exempt_from_collection() -> None:
    """Take all that is there by now out of garbage collection.

    Streamlit collects fully after every rerun, and walking the modules again and again costs more
    than the whole rest of a click.
    """
    gc.collect()
    gc.freeze()
