"""A subject: what one learner makes of the task on the screen, and how a script tells of it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from metademo.algorithms import Learner
from metademo.algorithms.in_torch import InTorch
from metademo.algorithms.papers import in_text
from metademo.checkpoints import SUFFIX
from metademo.models import Model
from metademo.tasks import Array, Examples


@dataclass(frozen=True, kw_only=True)
class Subject(ABC):
    """One learner, one task and the inner loop's settings: all that its predictions follow from.

    What scripts tell of the task, and of what is predicted, each kind of task says itself, see
    `waves` and `signs`; all else is common to them, see `script`.

    Attributes:
        title: of the learner, as the page calls it.
        support: what one task has to learn from.
        inner_lr: alpha; None for that of training.
        weights: the name of the weights; "" if none were trained, and they are drawn.
    """

    lacking: ClassVar[str]
    """What a visitor is to do where there is nothing to learn from."""
    finds: ClassVar[str]
    """What its script does, in words that follow "Plain PyTorch that"."""
    adapting_is: ClassVar[str]
    """The paragraph (Markdown) above the lines that call `run`."""
    without_picture: ClassVar[str]
    """What the script says where there is no library for pictures."""

    title: str
    model: Model
    support: Examples[Array]
    steps: int
    inner_lr: float | None = None
    weights: str = ""

    @property
    def learner(self) -> Learner:
        return self.model.learner

    @property
    def file(self) -> str:
        """The name of the file that holds the weights."""
        return re.sub(r"[^\w+.]+", "-", self.weights).strip("-.") + SUFFIX

    @property
    def citation(self) -> str:
        """Where the method is from, in plain text; "" if it is nobody's."""
        return in_text(self.learner.papers)

    @property
    def told(self) -> InTorch | None:
        """How the learner adapts, as text; None if it has no words for that."""
        return self.learner.in_torch(self.inner_lr)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to learn from."""
        return not self.support.x.size

    @property
    @abstractmethod
    def sees(self) -> str:
        """What it learns from, in words: "on 4 points"."""

    @property
    def taken(self) -> str:
        """The steps that it takes, in words: "5 steps"."""
        return f"{self.steps} {self.learner.a_step}{'s' * (self.steps != 1)}"

    # -------------------------------------------------------- for scripts: of the task, as text

    @abstractmethod
    def task(self, told: InTorch) -> str:
        """The lines that make the support set, `steps`, the settings, and what is asked."""

    @abstractmethod
    def adapting(self, told: InTorch) -> str:
        """The lines that call `run`."""

    @property
    def own(self) -> str:
        """The lines, before any result, that take all back to the visitor's own numbers, or ""."""
        return ""

    @property
    @abstractmethod
    def results(self) -> str:
        """The lines that print what was found, or write it into a file."""

    @property
    @abstractmethod
    def picture(self) -> str:
        """The lines that draw it, with `plt` at hand."""
