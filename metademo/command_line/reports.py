"""What the commands report: the schemas of their JSON, and scores in words."""

from __future__ import annotations

from metademo.formats import readable
from metademo.reports import Report
from metademo.scores import Scores, ScoresOrNone
from metademo.settings import TrainConfig
from metademo.tasks import FAMILIES


class TrainReport(Report):
    """Of `train`.

    Attributes:
        file: where the weights are.
        ending: finished, interrupted, or why it diverged.
        engine: the name of the engine that did the work.
        steps: outer steps done.
        seconds: wall time of the training.
    """

    file: str
    ending: str
    engine: str
    steps: int
    seconds: float
    scores: ScoresOrNone
    config: TrainConfig


class AdaptReport(Report):
    """Of `adapt`.

    Attributes:
        x: the grid, (points,).
        curves: what the regressor predicts there after 0, 1, .. S inner steps, (S + 1, points).
        loss: the inner loss at each of them, (S + 1,).
    """

    x: list[float]
    curves: list[list[float]]
    loss: list[float]


class ComparedReport(Report):
    """Of `adapt` with a link to the Compare page.

    Attributes:
        learners: by name, each as of a page with one.
    """

    learners: dict[str, AdaptReport]


class CheckReport(Report):
    """What `check` found: milliseconds and kilobytes, or what was wrong."""

    url: str
    first_chart_ms: float | None = None
    click_ms: float | None = None
    page_kb: float | None = None
    files_kb: float | None = None
    fault: str | None = None


class LinkReport(Report):
    """Of `link`."""

    link: str


class Listing(Report):
    """Of `list`: names, each with a line about it.

    Attributes:
        papers: where each algorithm was published, with the address.
    """

    algorithms: dict[str, str]
    yardsticks: dict[str, str]
    papers: dict[str, str]
    families: dict[str, str]
    recipes: dict[str, str]
    weights: dict[str, str]


def print_scores(scores: Scores) -> None:
    """The conditions, and a row for each inner step."""
    print(
        f"{scores.algorithm} on {scores.family}: {scores.metric} "
        f"{FAMILIES[scores.family].measured}, "
        f"{scores.shots} labelled points, {scores.tasks} held-out tasks"
    )
    for name, value in scores.outside.items():
        print(f"  {name}: {value}")
    print("  step      mean     ±95 %    median       p90")
    rows = zip(scores.mean, scores.ci95, scores.median, scores.p90, strict=True)
    for k, row in enumerate(rows):
        print(f"  {k:>4}" + "".join(f"{readable(value):>10}" for value in row))
