"""A learner with its meta-parameters: what pages draw and measurements are taken of."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from metademo.algorithms import Learner, Meta
from metademo.checkpoints import Checkpoint


@dataclass(frozen=True, eq=False)
class Model:
    """A learner that can be run: with meta-parameters.

    Two models are the same if their learners and their `fingerprint` are, so that what was
    computed of one can be kept by it.
    """

    learner: Learner
    meta: Meta

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Model:
        return cls(checkpoint.config.learner, checkpoint.meta)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[Learner, int]:
        return self.learner, self.fingerprint

    @cached_property
    def fingerprint(self) -> int:
        """Tells these meta-parameters from others."""
        return zlib.crc32(b"".join(value.numpy().tobytes() for value in self.meta.values()))

    @classmethod
    def untrained(cls, checkpoint: Checkpoint) -> Model:
        """The same network as it was drawn at random, before any training."""
        learner = checkpoint.config.learner
        return cls(learner, learner.init(np.random.default_rng(1)))
