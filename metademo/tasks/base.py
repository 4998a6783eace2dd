"""What a kind of task and a family of tasks are: all that the backend knows about them.

A *task family* is a distribution over tasks; an *episode* is what a learner sees of some of them.
A *kind* of task is what families share that are learned by the same network: curves, for instance,
where a number is predicted from a number. The inner loop, the engines, training, evaluation, jobs
and checkpoints go through these two classes alone, so another kind of task is a file beside
`waves`, and a row of the registry for each family.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from metademo.described import ConfigError
from metademo.network import INITIALISATIONS, Embedding, Network
from metademo.tasks.episodes import Array, Episode

Loss = Callable[[Tensor, Tensor], Tensor]
Metric = Callable[[Array, Array], Array]


@dataclass(frozen=True, eq=False)
class TaskKind:
    """What tasks of one kind are learned by and judged by. Each kind is there once.

    Attributes:
        name: such as "curve".
        role: what its network is called among the meta-parameters, and so in files.
        network: makes the network of a hidden width and an activation.
        losses: what training may lower, by name, the default first: functions of predictions and
            labels with leading axes (tasks, points) that give an error per task, (tasks,).
        metrics: what results may be told in, by name: functions of predictions (..., tasks, points)
            and the truth (tasks, points), with whatever axes a prediction has behind them, that
            give a value per task, (..., tasks).
        more_is_better: those of the metrics of which more is better; of the others less is.
        initialisations: those of `network.INITIALISATIONS` that its network knows.
        work: what one input costs, in those of a network of two hidden layers of the same width.
        classes: whether labels are classes, whole numbers from 0, and predictions logits of them.
        features: the shape of one input; () where it is a number.
        predicts: what its network puts out, in words for scripts.
        compiled: whether the compiled engine has this network and these losses.
        losses_in_torch: the losses as scripts that are taken home write them, by name: expressions
            with places for predictions and labels.
    """

    name: str
    role: str
    network: Callable[[int, str], Network]
    losses: Mapping[str, Loss]
    metrics: Mapping[str, Metric]
    more_is_better: Collection[str] = ()
    initialisations: Collection[str] = INITIALISATIONS
    work: int = 1
    classes: bool = False
    features: tuple[int, ...] = ()
    predicts: str = "The prediction"
    compiled: bool = False
    losses_in_torch: Mapping[str, str] = field(default_factory=dict)

    @property
    def default_loss(self) -> str:
        return next(iter(self.losses))

    @property
    def fresh_head(self) -> bool:
        """Whether each task has a last layer for itself, which is not meta-learned."""
        return isinstance(self.network(1, "relu"), Embedding)


class TaskFamily(ABC):
    """A distribution over tasks of one kind: a frozen value, which can be a key.

    Attributes:
        name: in the registry, in files and in addresses.
        title: in words.
        metric: what results are told in, whatever the loss of training; a name in `kind.metrics`.
        ways: how many classes a task has; 0 where labels are no classes, or not to be chosen.
    """

    kind: ClassVar[TaskKind]
    measured: ClassVar[str] = "against the truth"
    """What is measured by the metric, in words that follow its name."""
    not_in_numpy: ClassVar[str] = ""
    """Why scripts that are taken home can't draw such tasks, see `in_numpy`; "" if they can."""
    name: str
    title: str
    metric: str
    ways: int = 0

    @property
    def more_is_better(self) -> bool:
        """Whether more of its metric is better, as of an accuracy; of an error less is."""
        return self.metric in self.kind.more_is_better

    def of_ways(self, ways: int) -> TaskFamily:
        """The same family with another number of classes.

        Raises:
            ConfigError: if that is nothing to be chosen.
        """
        raise ConfigError(f"the tasks of family {self.name!r} have no classes to choose", "ways")

    @property
    def has_source_domain(self) -> bool:
        """Whether unlabelled inputs of a source domain stand for its tasks, too."""
        return False

    @abstractmethod
    def sample_episodes(
        self, rng: np.random.Generator, n: int, *, shots: int, queries: int, sources: int = 0
    ) -> tuple[Any, Episode[Array]]:
        """Draw `n` tasks with their support and query sets.

        The stream of episodes must depend on the seed alone, never on how many are drawn at a time.

        Args:
            shots: labelled support points per task; ignored when `sources` is positive.
            queries: query points per task.
            sources: if positive, the support set is that many unlabelled source-domain inputs
                (one for each inner step) instead of labelled points.

        Returns:
            The tasks, as the family describes them, and their episodes.

        Raises:
            ValueError: if there is no source domain to draw from.
        """

    def in_numpy(self, *, unlabelled: bool) -> str:
        """`sample_episodes` as text, for scripts that need nothing of ours; "" if not told.

        A function `draw_tasks(rng, n, points, queries)` that gives x, y, query_x and query_y as
        tensors, and the truth as a function of x. It draws the same numbers.

        Args:
            unlabelled: whether x are source-domain inputs, and y is None.
        """
        return ""

    @abstractmethod
    def sample_held_out(
        self, rng: np.random.Generator, n: int, *, shots: int, sources: int = 0, every: int = 1
    ) -> Episode[Array]:
        """Draw `n` tasks to measure a learner on: the query set holds the inputs and the truth.

        Args:
            shots, sources: see `sample_episodes`.
            every: with more than 1 only about every so-many-th input is there, for a quicker look.

        Returns:
            The support sets, and as query set `y` of shape (tasks, points) with `x` of shape
            (tasks, points, *features), or (points, *features) where all tasks share the inputs.
        """
