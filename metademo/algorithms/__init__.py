"""Ways of learning to learn: one file each, and this registry.

To add one, write a subclass of :class:`~metademo.algorithms.base.Algorithm` and list it here; the
command line, the pages and the contract tests pick it up. The yardsticks are rows of their own:
they adapt and are scored like the others, but there is nothing to train.
"""

from metademo.algorithms.anil import ANIL
from metademo.algorithms.base import Algorithm, Meta
from metademo.algorithms.daml import DAML, LEARNED_LOSSES
from metademo.algorithms.fomaml import FOMAML
from metademo.algorithms.maml import MAML
from metademo.algorithms.maml_plus_plus import MAMLPlusPlus
from metademo.algorithms.maml_plus_plus_per_weight import MAMLPlusPlusPerWeight
from metademo.algorithms.meta_sgd import MetaSGD
from metademo.algorithms.pretrained import Pretrained
from metademo.algorithms.reptile import Reptile
from metademo.algorithms.yardsticks import Oracle, Random

ALGORITHMS: dict[str, type[Algorithm]] = {
    algorithm.name: algorithm
    for algorithm in (
        MAML,
        FOMAML,
        Reptile,
        ANIL,
        MetaSGD,
        MAMLPlusPlus,
        MAMLPlusPlusPerWeight,
        DAML,
        Pretrained,
    )
}
YARDSTICKS: dict[str, type[Algorithm]] = {
    yardstick.name: yardstick for yardstick in (Random, Oracle)
}

__all__ = ["ALGORITHMS", "LEARNED_LOSSES", "YARDSTICKS", "Algorithm", "Meta"]
