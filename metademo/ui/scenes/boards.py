"""The board and the sweep of the Compare page, as they are drawn. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from metademo.ui.components.kernel.curves import Color, Series
from metademo.ui.components.kernel.gestures import Range


@dataclass(frozen=True)
class Score:
    """A row of the board: a learner's error on many tasks, and on this one, at each step 0..S.

    Attributes:
        about: what it is, in a line.
        note: what it costs.
        mean, half: the mean over the tasks, and half of its interval, (S + 1,).
        spread: the errors that 5, 25, 50, 75 and 95 % of the tasks stay below, (S + 1, 5).
        mine: the error on this task.
        better: the share of the tasks on which the error is larger than on this one; NaN where
            that would say nothing.
        formulas: how "mine", "mean", "half" and "better" were computed, at each step.
        missing: words in place of what is not known; `mean`, `half`, `spread` and `better` are
            empty then.

    Other values that are not finite have run away.
    """

    label: str
    about: str
    note: str
    color: Color
    dash: str
    mean: np.ndarray
    half: np.ndarray
    spread: np.ndarray
    mine: np.ndarray
    better: np.ndarray
    formulas: Mapping[str, Sequence[str]] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True)
class Board:
    """A table that follows the scrubber: one score a row.

    Attributes:
        tasks: what the many tasks are called, such as "300 held-out tasks".
    """

    title: str
    scores: Sequence[Score]
    tasks: str
    note: str = ""


@dataclass(frozen=True)
class Sweep:
    """A chart of errors against an attribute of the tasks, with one line per learner and step.

    It may also be one of shares from 0 to 1, of which more is better.

    Attributes:
        values: of the attribute, (n,); with `names` they are kinds and not numbers.
        trained: stretches of it that occurred in training.
        here: the value of the task in the chart.
        about: how the errors at the value next to it were computed.
        series: `values` of each has shape (S + 1, n).
        shares: whether these are shares, and no errors.
    """

    title: str
    values: Sequence[float] | np.ndarray
    trained: Sequence[Range]
    here: float
    series: Sequence[Series]
    names: Sequence[str] = ()
    note: str = ""
    about: str = ""
    shares: bool = False
