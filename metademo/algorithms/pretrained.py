"""The contrast: one network trained ordinarily on all tasks at once, then fine-tuned.

This is transfer learning, with which meta-learning is to be compared: the outer loop minimises the
error *before* any adaptation, so nothing prepares the weights for the gradient steps that follow.
"""

from __future__ import annotations

from metademo.algorithms.base import Algorithm


class Pretrained(Algorithm):
    """Joint training; the inner loop only runs afterwards, as fine-tuning."""

    name = "pretrained"
    title = "Trained the ordinary way"
    summary = "learns all tasks at once, without adapting; the inner loop only fine-tunes it"

    @property
    def trained_steps(self) -> int:
        return 0
