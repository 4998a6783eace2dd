"""Runs on signs, as the Train page shows them: a task of three, and shares that are right."""

from __future__ import annotations

import numpy as np

from metademo.algorithms import Meta
from metademo.evaluation import run_learner
from metademo.figures import style_of
from metademo.formats import percent
from metademo.jobs.snapshots import HELD_OUT_TASKS as TASKS
from metademo.settings import TrainConfig
from metademo.tasks import Array, probabilities
from metademo.ui.components.kernel.curves import Curve
from metademo.ui.scenes.facts import exact, told
from metademo.ui.scenes.train_kind import Figure, RunKind, untrained
from metademo.ui.scenes.train_words import count

WAYS, PROBE_SEED = 3, 6
"""Classes of the probe task: few enough for large images. With one question each it has nine
probabilities, a multiple of three as `train_waves.POINTS` is."""
SAME = 0.01
"""Probabilities that differ by less can't be told apart."""


class SignRun(RunKind):
    """Three signs with one example each, and how sure the learner is of another of each."""

    shares = True
    measure = "share of new drawings told right"
    axis = "share that is right"

    def __init__(self, config: TrainConfig):
        super().__init__(config)
        self.keys = {
            "query": "given to the right sign",
            "heldOut": "told right, new signs",
            "ignoring": "without meta-training",
        }
        family = config.task_family.of_ways(WAYS)
        episode = family.sample_episodes(np.random.default_rng(PROBE_SEED), 1, shots=1, queries=1)[
            1
        ]
        self.support, self.query = episode.support, episode.query

    def adapted(self, meta: Meta) -> tuple[Array, Array]:
        """The probability of each sign for each question, (2, 9), before and after the steps."""
        found = run_learner(self.config.learner, meta, self.support, self.query.x[0])
        given = probabilities(found.outputs[[0, -1], 0])
        right = given[:, np.arange(WAYS), self.query.labels[0].astype(int)]
        return given.reshape(2, -1), right.mean(1)

    def figure(self, rows: Array) -> Figure:
        colour = style_of(self.config.algorithm).colours
        after = f"after {self.steps(self.config.inner_steps)}"
        return Figure(
            [
                Curve(
                    "before",
                    f"before any {self.config.learner.a_step}",
                    rows[0],
                    colour,
                    width=1.5,
                    opacity=0.4,
                ),
                Curve("after 0", after, rows[1], colour, width=3.5),
            ],
            x_range=(0, WAYS**2 - 1),
            y_range=(0, 1),
            images=np.stack([self.support.x[0], self.query.x[0]]),
        )

    def moved(self, rows: Array) -> Array:
        return np.abs(rows[1] - rows[0]).max(1) > SAME

    @property
    def without(self) -> float:
        return float(untrained(self.config).errors[-1])

    @property
    def top(self) -> float:
        return 1.0

    def on_the_axis(self, losses: Array) -> Array:
        """exp(-L), the geometric mean of the probability that is given to the right sign."""
        return np.exp(-losses)

    def shown(self, value: float) -> str:
        return percent(value)

    def formula(self, step: int, value: float) -> str:
        ways = self.config.task_family.ways
        return (
            f"{exact(100 * value)} % = share of the questions in {TASKS} held-out tasks of {ways} "
            f"signs that are told right, after {self.steps(step)}"
        )

    def about(self) -> dict[str, str]:
        config = self.config
        return {
            "query": f"exp(−L), L the mean cross-entropy at the queries after {self.inner}, over "
            f"the {count(config.meta_batch, 'task')} of an outer step: the probability that is "
            "given to the right sign; the thick line is its moving mean",
            "heldOut": f"share of new drawings told right after {self.inner}, over {TASKS} "
            f"held-out tasks of {config.task_family.ways} signs, at each snapshot",
            "ignoring": f"{exact(100 * self.without)} % = the same share, of the steps from random "
            f"weights; a guess is right in {percent(1 / config.task_family.ways)}",
        }

    @property
    def alternative(self) -> tuple[str, str]:
        value = self.without
        return "Random weights", told(
            percent(value),
            f"{exact(100 * value)} % = their share over the same {TASKS} tasks",
        )

    def detail(self, first: float, last: float) -> str:
        begins, ends = (
            told(
                percent(share), f"{exact(100 * share)} % = mean of the {WAYS} probabilities, {when}"
            )
            for share, when in zip((first, last), self.ends, strict=True)
        )
        return f"Of these three, the right one gets {begins} before and {ends} after."
