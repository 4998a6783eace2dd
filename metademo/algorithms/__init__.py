"""Ways of learning to learn: one file each, and this registry.

To add one, write a subclass of :class:`~metademo.algorithms.learner.Learner`, or where it takes
gradient steps of :class:`~metademo.algorithms.gradient_based.GradientBased`, and list it here; the
command line, the pages and the contract tests pick it up. Which families it goes with is for it to
say (:meth:`~metademo.algorithms.learner.Learner.unsuited`). The yardsticks are rows of their own:
they adapt and are scored like the others, but no outer loop trains them: what they have of a family
they have at once (:meth:`~metademo.algorithms.learner.Learner.for_family`).
"""

from metademo.algorithms.alpaca import ALPaCA
from metademo.algorithms.anil import ANIL
from metademo.algorithms.cavia import CAVIA
from metademo.algorithms.cnp import CNP
from metademo.algorithms.conditioned import Conditioned
from metademo.algorithms.daml import DAML, LEARNED_LOSSES
from metademo.algorithms.fomaml import FOMAML
from metademo.algorithms.gaussian_process import RBF, Cosine, Periodic
from metademo.algorithms.gradient_based import GradientBased
from metademo.algorithms.in_context import InContext
from metademo.algorithms.learner import Learner, Meta, Predictions
from metademo.algorithms.maml import MAML, STEP_SIZES
from metademo.algorithms.maml_plus_plus import MAMLPlusPlus
from metademo.algorithms.maml_plus_plus_per_weight import MAMLPlusPlusPerWeight
from metademo.algorithms.meta_sgd import MetaSGD
from metademo.algorithms.nearest import Nearest
from metademo.algorithms.pretrained import Pretrained
from metademo.algorithms.protonet import ProtoNet
from metademo.algorithms.reptile import Reptile
from metademo.algorithms.yardsticks import Oracle, Random

ALGORITHMS: dict[str, type[Learner]] = {
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
        CAVIA,
        InContext,
        ALPaCA,
        CNP,
        ProtoNet,
        Pretrained,
    )
}
YARDSTICKS: dict[str, type[Learner]] = {
    yardstick.name: yardstick for yardstick in (Random, RBF, Periodic, Cosine, Oracle, Nearest)
}

__all__ = [
    "ALGORITHMS",
    "LEARNED_LOSSES",
    "STEP_SIZES",
    "YARDSTICKS",
    "Conditioned",
    "GradientBased",
    "Learner",
    "Meta",
    "Predictions",
]
