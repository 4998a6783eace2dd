"""What the compiled engine is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray

LOSSES = {"l1": 0, "mse": 1}
ORDERS = {"reptile": 0, "first": 1, "second": 2}
OPTIMIZERS = {"none": 0, "sgd": 1, "adam": 2}
LEARNED_LOSSES = ("absolute", "squared")
_CHOICES = dict(loss=LOSSES, query_loss=LOSSES, order=ORDERS, learned_loss=LEARNED_LOSSES)


def parameter_count(hidden: int, inputs: int = 1) -> int:
    """How many numbers make up a network inputs-hidden-hidden-1."""
    return hidden * (inputs + hidden + 3) + 1


@dataclass(frozen=True, eq=False)
class Problem:
    """What is meta-learned. Shapes: step_sizes (n,), slots (1 or S, P).

    `slots[k, i]` says which step size moves parameter i at inner step k, -1 that none does; one row
    serves all steps. Without slots one step size moves everything, as in MAML. ANIL has -1 below
    the head; Meta-SGD learns one step size per parameter, MAML++ one per tensor and step. Learned
    step sizes are the tail of the meta-vector; of `step_sizes` only the length counts then.

    With `adaptation_hidden` the inner loss is DAML's, made of the output g of a network of that
    width: "absolute", |g| with ReLU units, or "squared", g^2 / 2 with leaky ones. Otherwise it is
    `loss` on the support points.

    The query loss after inner step k is measured against `query_shares[k]` (S + 1,) of the labels,
    by default all of them.
    """

    hidden: int = 32
    inner_steps: int = 5
    loss: str = "l1"
    query_loss: str = "l1"
    order: str = "second"
    adaptation_hidden: int = 0
    learned_loss: str = "absolute"
    step_sizes: Array = field(default_factory=lambda: np.array([0.03]))
    slots: Array | None = None
    learn_step_sizes: bool = False
    query_shares: Array | None = None

    def __post_init__(self) -> None:
        if self.hidden < 1 or self.adaptation_hidden < 0 or self.inner_steps < 0:
            raise ValueError("a network is at least 1 wide, and no number of steps is negative")
        for name, known in _CHOICES.items():
            given = getattr(self, name)
            if given not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {given!r}")
        if self.slots is not None:
            self._check_slots(self.slots)
        if self.query_shares is not None and np.shape(self.query_shares) != (self.inner_steps + 1,):
            raise ValueError(f"there are {self.inner_steps + 1} shares of the query labels")

    def _check_slots(self, slots: Array) -> None:
        rows, width = np.shape(slots)
        if rows not in (1, self.inner_steps) or width != self.theta_size:
            expected = f"(1 or {self.inner_steps}, {self.theta_size})"
            raise ValueError(f"slots have shape {expected}, not {(rows, width)}")
        if np.max(slots) >= len(self.step_sizes):
            raise ValueError("slots name a step size that there is not")

    @property
    def theta_size(self) -> int:
        return parameter_count(self.hidden)

    @property
    def psi_size(self) -> int:
        if not self.adaptation_hidden:
            return 0
        return parameter_count(self.adaptation_hidden, inputs=1 + 2 * self.hidden)

    @property
    def meta_size(self) -> int:
        learned = len(self.step_sizes) if self.learn_step_sizes else 0
        return self.theta_size + self.psi_size + learned
