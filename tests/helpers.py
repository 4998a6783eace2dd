"""What several test modules share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import torch

from metademo import fused
from metademo.algorithms import ALGORITHMS, GradientBased, Learner, Meta
from metademo.checkpoints import Checkpoint
from metademo.engines import compiled_problem, flatten, unflatten
from metademo.recipes import configure
from metademo.settings import TrainConfig
from metademo.tasks import FAMILIES, Episode, Examples, wave_families

torch.set_num_threads(1)  # The networks are tiny: more threads only wait for each other.


class Toy(GradientBased):
    """The least that a new algorithm has to say: one class, for one row of the registry."""

    name = "toy"
    title = "A toy of one class"
    summary = "moves biases only"

    @property
    def moving(self) -> tuple[str, ...]:
        return tuple(name for name in self.network.shapes if name.endswith("bias"))


def small(algorithm: str, family: str = "two-phase", **changes) -> TrainConfig:
    """The original recipe with a network of four units, so that every coordinate can be tried."""
    return configure(algorithm, family, "original", **(dict(hidden=4, steps=20) | changes))


PAIRS = [
    (name, family)
    for name, learner in ALGORITHMS.items()
    for family, tasks in FAMILIES.items()
    if not learner.unsuited(tasks)
]
"""Every algorithm of the registry with every family that it suits."""
WAVE_PAIRS = [(name, family) for name, family in PAIRS if family in wave_families()]
"""The same of families of waves, where tests have a curve of their own to compare with."""
OF_WAVES = list(dict(WAVE_PAIRS))
"""The names of the algorithms that learn waves: all but those that tell classes apart."""
GRADIENT_BASED = [name for name, kind in ALGORITHMS.items() if issubclass(kind, GradientBased)]
GRADIENT_PAIRS = [(name, family) for name, family in WAVE_PAIRS if name in GRADIENT_BASED]
"""The same of those that take gradient steps."""
COMPILED = [name for name in GRADIENT_BASED if vars(ALGORITHMS[name]).get("compiled")]
COMPILED_PAIRS = [(name, family) for name, family in GRADIENT_PAIRS if name in COMPILED]
"""Those of which the compiled engine does the same, as they say of themselves."""
ENGINES = ("torch", "fused")


def generic_meta(config: TrainConfig, seed: int = 0) -> Meta:
    """Float64 meta-parameters at no special place: with biases, and with no exact zeros.

    Step sizes among them differ from alpha, by half of it at most.
    """
    rng = np.random.default_rng(seed)
    meta = {}
    for name, value in config.learner.init(rng).items():
        if name.startswith("step_sizes."):
            meta[name] = value.double() * torch.from_numpy(rng.uniform(0.5, 1.5, value.shape))
        else:
            meta[name] = value.double() + 0.2 * torch.from_numpy(rng.standard_normal(value.shape))
    return meta


def draw(config: TrainConfig, tasks: int, seed: int = 0) -> Episode:
    return config.sample_episodes(np.random.default_rng(seed), tasks)


def one_of(examples: Examples, task: int) -> Examples:
    """A single task as a batch of one."""
    return examples.map(lambda values: values[task : task + 1])


def meta_gradient(
    engine: str, learner: Learner, meta: Meta, episode: Episode, weights=None
) -> tuple[Meta, float]:
    """The meta-gradient by one of the `ENGINES`, and the outer loss."""
    if engine == "torch":
        gradient, loss = learner.meta_gradient(meta, episode, weights)
        return gradient, loss.item()
    vector, loss = fused.meta_gradient(
        compiled_problem(learner, learner.trained_steps),
        flatten(meta, learner.shapes),
        *episode.support,
        *episode.query,
        weights=weights,
        dtype=flatten(meta, learner.shapes).dtype,
    )
    return unflatten(vector, learner.shapes), loss


def checkpoint_of(config: TrainConfig, **changes) -> Checkpoint:
    """Untrained weights as a checkpoint."""
    meta = config.learner.init(np.random.default_rng(config.seed))
    return Checkpoint(**(dict(config=config, meta=meta, steps=7) | changes))


def assert_same(left: Meta, right: Meta) -> None:
    """Equal to the last bit, in names, order and values."""
    assert list(left) == list(right)
    for name, value in left.items():
        assert torch.equal(value, right[name]), name


def assert_near(left: Meta, right: Meta, tolerance: float) -> None:
    """Equal in names, and in values to `tolerance`."""
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert value.shape == right[name].shape, name
        assert (value - right[name]).abs().max() <= tolerance, name


def starting_curve(meta: Meta, x: np.ndarray) -> np.ndarray:
    """What the regressor predicts before any adaptation, by plain matrix products.

    What it takes beside x is zero then.
    """
    w1, b1, w2, b2, w3, b3 = (
        meta[f"regressor.{layer}.{kind}"].numpy()
        for layer in (0, 2, 4)
        for kind in ("weight", "bias")
    )
    hidden = np.maximum(x[:, None] @ w1[:, :1].T + b1, 0)
    return (np.maximum(hidden @ w2.T + b2, 0) @ w3.T + b3)[:, 0]


PATIENCE = 20.0
"""Seconds after which a test gives up waiting; nothing takes that long."""


def wait(condition: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Wait until `condition()` holds; how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, "waited in vain"
        time.sleep(0.002)
    return time.monotonic() - began


def job_threads() -> list[threading.Thread]:
    """The threads of all jobs that run."""
    return [thread for thread in threading.enumerate() if thread.name == "metademo-job"]
