"""Almost No Inner Loop (Raghu, Raghu, Bengio & Vinyals 2020, section 4).

MAML whose inner loop moves the last layer only. The body is learned by the outer loop and serves
all tasks as it is: the features are reused, and a task finds its own head on them.
"""

from __future__ import annotations

from metademo.algorithms.maml import MAML


class ANIL(MAML):
    """MAML on the head; inner steps leave the body alone."""

    name = "anil"
    title = "ANIL"
    summary = "MAML that adapts the last layer only: features for all tasks, a head for each"

    @property
    def moving(self) -> tuple[str, ...]:
        return ("4.weight", "4.bias")
