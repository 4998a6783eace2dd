"""Ways of learning to learn: one file each, and this registry.

To add one, write a subclass of :class:`~metademo.algorithms.base.Algorithm` and list it here; the
command line, the pages and the contract tests pick it up.
"""

from metademo.algorithms.base import Algorithm, Meta
from metademo.algorithms.daml import DAML
from metademo.algorithms.maml import MAML
from metademo.algorithms.pretrained import Pretrained

ALGORITHMS: dict[str, type[Algorithm]] = {
    algorithm.name: algorithm for algorithm in (MAML, DAML, Pretrained)
}

__all__ = ["ALGORITHMS", "Algorithm", "Meta"]
