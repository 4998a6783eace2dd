"""A learner with its meta-parameters: what pages draw and measurements are taken of."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from metademo.algorithms import Learner, Meta
from metademo.checkpoints import Checkpoint


@dataclass(frozen=True)
class Model:
    """A learner that can be run: with meta-parameters."""

    learner: Learner
    meta: Meta

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Model:
        return cls(checkpoint.config.learner, checkpoint.meta)

    @property
    def fingerprint(self) -> int:
        """Tells these meta-parameters from others."""
        return zlib.crc32(b"".join(value.numpy().tobytes() for value in self.meta.values()))

    @classmethod
    def untrained(cls, checkpoint: Checkpoint) -> Model:
        """The same network as it was drawn at random, before any training."""
        learner = checkpoint.config.learner
        return cls(learner, learner.init(np.random.default_rng(1)))
