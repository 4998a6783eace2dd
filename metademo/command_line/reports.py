"""What the commands report: the schemas of their JSON, and scores in words."""

from __future__ import annotations

from metademo.formats import readable
from metademo.reports import Report, Unbounded
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


class SliceReport(Report):
    """The losses on the line theta_0 + s (theta_S - theta_0): see `analysis.ground.Slice`."""

    s: list[Unbounded]
    true: list[Unbounded]
    mirror: list[Unbounded]
    inner: list[Unbounded]
    at: list[Unbounded]
    off: list[Unbounded]
    length: float
    norm: float


class PlaneReport(Report):
    """The losses on the plane that the walk leaves least: see `analysis.ground.Plane`."""

    places: list[Unbounded]
    true: list[list[Unbounded]]
    inner: list[list[Unbounded]]
    steps: list[list[Unbounded]]
    lost: list[Unbounded]
    true_at_steps: list[Unbounded]
    inner_at_steps: list[Unbounded]
    true_seen: list[Unbounded]
    inner_seen: list[Unbounded]


class GradientsReport(Report):
    """Both losses along the walk, and their gradients: see `analysis.gradients.Slopes`.

    Attributes:
        cosine: between the gradients; null in JSON where one of them is zero.
    """

    inner: list[Unbounded]
    true: list[Unbounded]
    inner_length: list[Unbounded]
    true_length: list[Unbounded]
    cosine: list[float | None]


class UnitsReport(Report):
    """The units of a hidden layer: see `analysis.units.Layer`.

    Attributes:
        order: of the units, counted from 0: those first that moved most.
    """

    layer: int
    moved: list[Unbounded]
    order: list[int]
    pushes: list[list[list[Unbounded]]]


class BackwardReport(Report):
    """The gradient of the true loss at the end, back through the inner loop.

    Attributes:
        lengths: of lambda_0 .. lambda_S, (S + 1,).
        first_order, reptile: the angles of their directions with lambda_0, which is MAML's, in
            degrees; None where one has no length.
    """

    lengths: list[Unbounded]
    first_order: float | None
    reptile: float | None


class InspectReport(Report):
    """Of `inspect`.

    Attributes:
        amplitude, phase: of the wave that errors are against; the phase in radians.
        steps: S.
    """

    algorithm: str
    family: str
    amplitude: float
    phase: float
    steps: int
    slice: SliceReport
    plane: PlaneReport
    gradients: GradientsReport
    units: list[UnitsReport]
    backward: BackwardReport


class ComparedReport(Report):
    """Of `adapt` with a link to the Compare page.

    Attributes:
        learners: by name, each as of a page with one.
    """

    learners: dict[str, AdaptReport]


class AnswersReport(Report):
    """Of `adapt` with a link to the Draw page.

    Attributes:
        signs: those to choose among, counted from 1, (ways,).
        learners: by name the probability of each of them after 0, 1, .. S inner steps,
            (S + 1, ways), or (1, ways) of one that takes none; empty if there is nothing to ask.
    """

    signs: list[int]
    learners: dict[str, list[list[float]]]


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
    """The conditions, and a row for each step."""
    print(
        f"{scores.algorithm} on {scores.on or scores.family}: {scores.metric} "
        f"{FAMILIES[scores.family].measured}, {_support_in_words(scores)}, "
        f"{scores.tasks} held-out tasks"
    )
    for name, value in scores.outside.items():
        print(f"  {name}: {value}")
    columns = {
        "mean": scores.mean,
        "±95 %": scores.ci95,
        "median": scores.median,
        "p90": scores.p90,
        "in band": scores.coverage,
        "log lik": scores.log_likelihood,
        "ECE": scores.calibration_error,
    }
    known = {name: values for name, values in columns.items() if values is not None}
    print("  step" + "".join(f"{name:>10}" for name in known))
    rows = zip(*known.values(), strict=True)
    for k, row in enumerate(rows):
        print(f"  {k:>4}" + "".join(f"{readable(value):>10}" for value in row))


def _support_in_words(scores: Scores) -> str:
    if scores.ways is None:
        return f"{scores.shots} labelled points"
    return f"{scores.shots} of each of {scores.ways} classes"
