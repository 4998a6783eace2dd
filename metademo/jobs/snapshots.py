"""The time machine of a run: its meta-parameters at chosen outer steps, with their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metademo.algorithms import Meta
from metademo.evaluation import evaluate
from metademo.settings import TrainConfig
from metademo.tasks import Array

MAX_SNAPSHOTS = 60
MAX_BYTES = 4 * 2**20
"""How many snapshots a run keeps at most, besides those of its start and its end, and how large
they may be together."""
HELD_OUT_TASKS = 40
EVERY = 8
"""The held-out error of a snapshot is taken on every 8th input: a quick look, so that 60 of them
stay a small part of a run that is over in two seconds."""


@dataclass(frozen=True)
class Snapshot:
    """The meta-parameters after `step` outer steps, and their held-out error after each inner step.

    Attributes:
        errors: mean error over held-out tasks after 0 .. S inner steps, (S + 1,).
    """

    step: int
    meta: Meta
    errors: Array


def take_snapshot(config: TrainConfig, step: int, meta: Meta) -> Snapshot:
    return Snapshot(step, meta, held_out_errors(config, meta))


def held_out_errors(config: TrainConfig, meta: Meta) -> Array:
    """A quick look at the mean error over held-out tasks after 0 .. S inner steps, (S + 1,)."""
    return evaluate(
        config.learner,
        meta,
        config.task_family,
        shots=config.shots,
        steps=config.inner_steps,
        tasks=HELD_OUT_TASKS,
        seed=config.seed,
        every=EVERY,
    ).mean


def snapshot_steps(steps: int, meta: Meta) -> Array:
    """The outer steps at which snapshots of a run of `steps` are kept: denser early, its end last.

    As many as fit into the memory that a run may take, for meta-parameters as large as `meta`.
    """
    size = sum(value.nbytes for value in meta.values())
    count = max(2, min(MAX_SNAPSHOTS, MAX_BYTES // size))
    return np.unique(np.geomspace(1, steps, count).round().astype(int))
