"""Fast context adaptation via meta-learning (Zintgraf et al. 2019, section 3).

    phi_{k+1} = phi_k - alpha * grad_phi L(phi_k, theta),   phi_0 = 0

The network takes a few numbers beside x, the *context* phi. Inner steps move these numbers alone;
the weights theta serve all tasks and are meta-learned. So a task is a place on a map.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from metademo.algorithms.gradient_based import GradientBased
from metademo.algorithms.learner import Meta, part
from metademo.algorithms.papers import ZINTGRAF_2019
from metademo.network import MLP, Params
from metademo.tasks import CURVES, Examples, TaskFamily

CONTEXT = "context"
NUMBERS = 5
"""How many numbers the context has; so the paper's first experiment, on waves."""


class Contextual(MLP):
    """A network of curves with a context: ``sizes = (1 + numbers, hidden1, hidden2, 1)``."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return self.weights | {CONTEXT: (self.sizes[0] - 1,)}

    @property
    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each parameter but the context."""
        return super().shapes

    def init(self, rng: np.random.Generator, scheme: str = "fan-in") -> Params:
        """Fresh weights, see `MLP.init`, and a context of zeros."""
        drawn = MLP(self.sizes, self.activation).init(rng, scheme)
        return drawn | {CONTEXT: torch.zeros(self.sizes[0] - 1)}

    def predict(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Its curve: `x` has shape (*batch, points), and so has the result.

        What the context adds to the first layer is the same at each x, and goes with its bias.
        """
        weight, context = params["0.weight"], params[CONTEXT].unsqueeze(-2)
        shift = (context @ weight[..., 1:].mT).squeeze(-2)
        first = {"0.weight": weight[..., :1], "0.bias": params["0.bias"] + shift}
        return super().predict({**params, **first}, x.unsqueeze(-1)).squeeze(-1)

    def in_torch(self, role: str, name: str) -> str:
        return f'''\
{super().in_torch(role, "with_context")}

def {name}(theta, x):
    """The height of its curve at each x, beside which it takes the context."""
    context = theta["{role}.{CONTEXT}"].unsqueeze(-2)
    x = x.expand(*context.shape[:-2], x.shape[-1])
    inputs = torch.cat([x.unsqueeze(-1), context.expand(*x.shape, {self.sizes[0] - 1})], dim=-1)
    return with_context(theta, inputs).squeeze(-1)
'''

    def draw_in_torch(self, scheme: str) -> str:
        """That of the weights: the context is not drawn."""
        return super().draw_in_torch(scheme)


class CAVIA(GradientBased):
    """MAML on a few inputs of the network in place of its weights."""

    name = "cavia"
    title = "CAVIA"
    summary = "moves five numbers that the network takes beside x: each task is a place on a map"
    about = (
        "Fast context adaptation. The network has a few inputs beside x, its *context*, which "
        "start at zero. The inner loop moves these numbers and nothing else; the weights are "
        "learned by the outer loop and serve all tasks. So what is learned of a task are five "
        "numbers: its place on a map that the outer loop has drawn, where waves that are alike "
        "lie side by side."
    )
    formula = (
        r"\begin{aligned} \phi_0 &= 0 \\ "
        r"\phi_{k+1} &= \phi_k - \alpha \, \nabla_{\!\phi} \, L_{\text{support}}(\phi_k, \theta)"
        r"\end{aligned}"
    )
    papers = (ZINTGRAF_2019,)

    @classmethod
    def unsuited(cls, family: TaskFamily) -> str:
        return "" if family.kind is CURVES else f"{cls.name} predicts numbers from numbers alone"

    @property
    def network(self) -> Contextual:
        return Contextual((1 + NUMBERS, self.hidden, self.hidden, 1), self.activation)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Without the context: each task starts at zero, which is not learned."""
        return {f"{self.kind.role}.{name}": s for name, s in self.network.weights.items()}

    def init(self, rng: np.random.Generator) -> Meta:
        drawn = super().init(rng)
        return {name: drawn[name] for name in self.shapes}

    @property
    def moving(self) -> tuple[str, ...]:
        return (CONTEXT,)

    def curves(self, meta: Meta, context: Tensor, x: Tensor) -> Tensor:
        """What it draws at places on its map.

        Args:
            meta: meta-parameters.
            context: (places, numbers).
            x: (points,).

        Returns:
            (places, points).
        """
        weights = part(meta, self.kind.role)
        at = {name: value.expand(len(context), *value.shape) for name, value in weights.items()}
        return self.network.predict(at | {CONTEXT: context}, x)

    def start(self, meta: Meta, support: Examples[Tensor]) -> Params:
        """The weights, which stay, and a context of zeros."""
        weights = super().start(meta, support)
        return weights | {CONTEXT: support.x.new_zeros(NUMBERS).requires_grad_()}

    @property
    def network_in_torch(self) -> str:
        return self.network.in_torch(self.kind.role, "network")

    def own_in_torch(self, many: bool) -> str:
        tasks = "len(x), " if many else ""
        return f'"{self.kind.role}.{CONTEXT}": torch.zeros({tasks}{NUMBERS}, requires_grad=True)'

    @property
    def draw_in_torch(self) -> str:
        """That of the weights: the context is not learned."""
        return super().draw_in_torch
