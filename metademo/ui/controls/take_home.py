"""What can be taken home: a popover with the downloads of a page.

Nothing is computed before the popover is opened. Then each file is made and the server keeps it as
long as the page offers it. (A file that Streamlit has a callable make at the press of a button is
forgotten after two runs of *anybody's* page, which among many visitors is before a slow line has
brought it.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import streamlit as st

from metademo import checkpoints
from metademo.algorithms.papers import in_text
from metademo.checkpoints import Checkpoint
from metademo.export.notebook import notebook
from metademo.export.script import passages, script, title
from metademo.export.signs import of_asked
from metademo.export.subject import Subject
from metademo.export.tables import RunReport, answers_csv, curves_csv, drawings_json
from metademo.export.training import training_script, without_script
from metademo.export.waves import of_compared, of_points, of_source
from metademo.models import Model
from metademo.moments.asked import Asked
from metademo.moments.candidates import Candidate, steps_of
from metademo.moments.scaling import Scaling
from metademo.moments.signs import DrawView
from metademo.moments.views import CompareView, DamlView, WeightsView
from metademo.tasks import CURVES, WaveFamily, as_waves
from metademo.ui.components.kernel.curves import Scene
from metademo.ui.components.picture.picture import picture
from metademo.ui.scenes.compare_scene import in_a_row
from metademo.ui.server import resources
from metademo.ui.state.runs import Run

Width = Literal["stretch", "content"]
SomeSubject = TypeVar("SomeSubject", bound=Subject)


@dataclass(frozen=True)
class Download:
    """A file.

    Attributes:
        label: of its button.
        file: its name.
    """

    label: str
    content: str | bytes
    file: str
    mime: str = "text/plain"
    help: str = ""


def popover(page: str, content: Callable[[], None], width: Width = "stretch") -> None:
    """A button that opens what can be taken home.

    Args:
        page: its name.
        content: draws that; it is called when the popover is opened, and while it is open.
        width: of the button.
    """
    st.fragment(_popover)(page, content, width)


def _popover(page: str, content: Callable[[], None], width: Width) -> None:
    with st.popover(
        "Take it home",
        icon=":material/download:",
        width=width,
        key=f"{page} take home",
        on_change="rerun",
    ) as part:
        if part.open:
            content()


def from_points(page: str, view: WeightsView, checkpoint: Checkpoint, scene: Scene) -> None:
    """Of a page on which one network meets the visitor's points.

    Args:
        page: its name.
        view: with the steps that the chart shows.
        checkpoint: the weights whose curve it is about.
        scene: what the chart shows.
    """
    family = as_waves(checkpoint.config.task_family)
    subject = of_points(view, family, Model.of(checkpoint), view.weights)
    _subject(page, subject, [_curves(page, scene, subject.scaling)], checkpoint)
    _picture(page, [subject])


def from_source(view: DamlView, checkpoint: Checkpoint, scene: Scene) -> None:
    """Of the DAML page, likewise."""
    family = as_waves(checkpoint.config.task_family)
    subject = of_source(view, family, Model.of(checkpoint), view.weights)
    _subject("daml", subject, [_curves("daml", scene, subject.scaling)], checkpoint)
    _picture("daml", [subject])


def from_compared(
    view: CompareView, family: WaveFamily, chosen: Sequence[Candidate], scene: Scene
) -> None:
    """Of the Compare page: the curves of all, and one of them to take apart."""
    steps = steps_of(view, chosen)
    found = {one.name: of_compared(view, family, one, steps[one.name]) for one in chosen}
    subjects = {name: subject for name, subject in found.items() if subject is not None}
    if not subjects:
        st.caption("Choose at least one way of learning.")
        return
    subject = _one_of("compare", subjects)
    tables = [_curves("compare", scene, subject.scaling)]
    _subject("compare", subject, tables, _weights(subject))
    _picture("compare", list(subjects.values()))


def from_signs(view: DrawView, asked: Asked) -> None:
    """Of the Draw page: the drawings, what all say of them, and one learner to take apart."""
    answers = Download(
        "Answers (CSV)",
        answers_csv(asked),
        "draw-answers.csv",
        "text/csv",
        "The probability of each sign, a column for each way of learning and step.",
    )
    drawings = Download(
        "Drawings (JSON)",
        drawings_json(view),
        "draw-drawings.json",
        "application/json",
        "All strokes as points (x, y) from 0 to 99, with y downwards.",
    )
    if not asked.chosen:
        _downloads("draw", [drawings])
        return
    subjects = {one.name: of_asked(asked, one) for one in asked.chosen}
    subject = _one_of("draw", subjects)
    tables = [answers, drawings] if asked.shares else [drawings]
    _subject("draw", subject, tables, _weights(subject))
    _picture("draw", list(subjects.values()))


def from_run(run: Run, step: int | None) -> None:
    """Of the Train page: a run, its weights, and how it was trained.

    Args:
        step: of the snapshot whose weights are wanted; None for the newest.
    """
    config, snapshot = run.config, run.snapshot(step)
    name = f"{config.algorithm}-{config.family}-run-{run.number}"
    heading = f"{run.title[0].upper()}{run.title[1:]}"
    report = RunReport.of(run.job.snapshot())
    st.caption(f"{heading}; the weights are those of step {snapshot.step:,}.")
    downloads = [
        Download(
            "Weights",
            checkpoints.serialise(run.checkpoint(snapshot)),
            f"{config.algorithm}-{config.family}-step-{snapshot.step}{checkpoints.SUFFIX}",
            "application/octet-stream",
            "As a safetensors file, for the pages here and for `python -m metademo evaluate`.",
        ),
        Download(
            "Run (CSV)",
            report.to_csv(),
            f"{name}.csv",
            "text/csv",
            "Query losses and held-out errors by outer step; the settings stand above.",
        ),
        Download(
            "Run (JSON)",
            report.to_json(),
            f"{name}.json",
            "application/json",
            "The same with all settings, for programs.",
        ),
    ]
    if text := training_script(config):
        downloads.append(
            Download(
                "Training script",
                text,
                f"train-{name}.py",
                "text/x-python",
                "Plain PyTorch: the same recipe and seeds, with nothing of this site.",
            )
        )
    _downloads("train", downloads)
    if not text:
        st.caption(f"No script: {without_script(config)}.")
    citation = in_text(config.learner.papers)
    if config.task_family.kind is CURVES:
        picture("train", title=heading, citation=citation, file=f"{name}-chart")


def _one_of(page: str, subjects: Mapping[str, SomeSubject]) -> SomeSubject:
    """The subject that the visitor chooses to take apart."""
    name = st.selectbox(
        "Script, notebook and weights of",
        list(subjects),
        format_func=lambda name: subjects[name].title,
        key=f"{page} take home learner",
    )
    return subjects[name]


def _weights(subject: Subject) -> Checkpoint | None:
    return (resources.library()[0] | resources.own()).get(subject.weights)


def _subject(
    page: str, subject: Subject, tables: Sequence[Download], checkpoint: Checkpoint | None
) -> None:
    """What the page shows as tables; and one learner as a script, a notebook and weights."""
    st.caption(f"{title(subject)}.")
    file = f"{page}-{subject.learner.name}"
    downloads = [*tables]
    reason = _without_script(subject)
    if not reason:
        downloads += [
            Download(
                "Script",
                script(subject),
                f"{file}.py",
                "text/x-python",
                f"Plain PyTorch that {subject.finds}, with nothing of this site.",
            ),
            Download(
                "Notebook",
                notebook(subject),
                f"{file}.ipynb",
                "application/x-ipynb+json",
                "The same for Jupyter, with explanations.",
            ),
        ]
    if checkpoint is not None:
        downloads.append(
            Download(
                "Weights",
                checkpoints.serialise(checkpoint),
                subject.file,
                "application/octet-stream",
                "As a safetensors file: the script wants it beside it.",
            )
        )
    _downloads(page, downloads)
    if reason:
        st.caption(reason)


def _picture(page: str, subjects: Sequence[Subject]) -> None:
    """The chart as a picture, with the names of those on it and where they are from."""
    citations = dict.fromkeys(subject.citation for subject in subjects if subject.citation)
    picture(
        page,
        title=f"{in_a_row(subject.title for subject in subjects)} {subjects[0].sees}",
        citation=" · ".join(citations),
        file=f"{page}-chart",
    )


def _curves(page: str, scene: Scene, scaling: Scaling) -> Download:
    """The lines of a chart and the ends of their bands as a table.

    What is also a step of another is not told twice; what has no key is a mark, and no line.
    """
    curves = {}
    for curve in scene.curves:
        if curve.legend and not curve.name.endswith("-before"):
            curves[curve.name] = curve.y
            if curve.band:
                curves |= {
                    f"{curve.name} low": curve.band.low,
                    f"{curve.name} high": curve.band.high,
                }
    points = next(iter(curves.values())).shape[-1]
    return Download(
        "Curves (CSV)",
        curves_csv(np.linspace(*scene.x_range, points), curves, scaling),
        f"{page}-curves.csv",
        "text/csv",
        "x, the wave, and a column for each curve and step.",
    )


def _without_script(subject: Subject) -> str:
    """Why there is no script, or ""."""
    if subject.empty:
        return f"No script: {subject.lacking}."
    if not passages(subject):
        return f"No script: nobody has put {subject.learner.title} into plain PyTorch yet."
    return ""


def _downloads(page: str, downloads: Sequence[Download]) -> None:
    for one in downloads:
        st.download_button(
            one.label,
            one.content,
            file_name=one.file,
            mime=one.mime,
            help=one.help,
            key=f"{page} take home {one.label}",
            on_click="ignore",
            width="stretch",
        )
