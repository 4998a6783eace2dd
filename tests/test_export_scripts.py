"""Scripts and notebooks that are taken home run by themselves, and draw what the page draws."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import subjects
from scripts import assert_written_as_ours, put_weights, run, run_alone, run_notebook
from toy_learner import Fourier
from toy_tasks import SIDES

from metademo import checkpoints
from metademo.algorithms.cavia import CAVIA
from metademo.algorithms.cnp import CNP
from metademo.algorithms.maml import MAML
from metademo.export.notebook import notebook
from metademo.export.script import script
from metademo.export.waves import WaveSubject, of_points
from metademo.models import Model
from metademo.moments.drawn import draw_points
from metademo.moments.scaling import Scaling
from metademo.moments.views import MamlView
from metademo.tasks import FAMILIES

ALL = {name: lambda pair=pair: subjects.compared(*pair) for name, pair in subjects.COMPARED.items()}
ALL |= {name: lambda view=view: subjects.at_source(view) for name, view in subjects.SOURCES.items()}
ALL |= {
    "another alpha": lambda: subjects.compared("maml", "any-phase", inner_lr=0.003),
    "learned step sizes, another alpha": lambda: subjects.compared(
        "maml++w", "two-phase", inner_lr=0.02
    ),
    "more steps than step sizes": lambda: subjects.compared(
        "maml++", "any-phase", steps=7, own_steps=False
    ),
    "a wave of another shape": lambda: subjects.compared(
        "reptile", "any-phase", shape="sawtooth", frequency=1.3, amplitude=0.7, phase=-0.3
    ),
    "more steps than points": lambda: subjects.compared(
        "alpaca", "any-phase", steps=9, own_steps=False
    ),
    "twenty points": lambda: subjects.compared(
        "maml", "finn", points=tuple((x / 2, np.sin(x)) for x in range(-10, 10))
    ),
}


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch) -> Path:
    """A folder with nothing in it, where scripts run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assert_drawn(subject: WaveSubject, drawn: np.ndarray) -> None:
    expected = subjects.drawn(subject).curves
    assert np.isfinite(expected).all()
    assert drawn.shape == expected.shape
    np.testing.assert_allclose(drawn, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_script_draws_the_very_curve(make):
    subject = make()
    put_weights(subject)
    text = script(subject)
    assert "metademo" not in text
    found = run(text)
    assert_drawn(subject, found["curves"])
    std = subjects.drawn(subject).std
    assert (std is None) == ("std" not in found)
    if std is not None:
        np.testing.assert_allclose(found["std"], std, atol=1e-5, rtol=0)
    if subject.truth is not None:
        np.testing.assert_allclose(
            found["truth"], subject.truth(subject.family.grid)[0], atol=1e-12
        )
    else:
        assert "truth" not in found


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_notebook_draws_it_too(make, monkeypatch):
    subject = make()
    put_weights(subject)
    drawn = stub_of_matplotlib(monkeypatch)
    opening, space = run_notebook(subject)
    assert opening.startswith(f"# {subject.title} on ")
    assert_drawn(subject, space["curves"])
    assert [label for label in drawn if "after" in label] == [f"after {subject.steps} steps"]


@pytest.mark.parametrize("view", subjects.SOURCES.values(), ids=subjects.SOURCES)
def test_a_source_input_is_not_called_x_like_the_axis(view):
    lines = script(subjects.at_source(view)).splitlines()
    assert any(line.startswith("x_s = torch.tensor(") for line in lines)
    assert not any(line.startswith("x = ") or "theta, x, y" in line for line in lines)


def stub_of_matplotlib(monkeypatch) -> list[str]:
    """In the place of `matplotlib.pyplot`; the labels of what is drawn."""
    labels: list[str] = []
    plot = SimpleNamespace(
        plot=lambda x, y, *form, label, **look: labels.append(label) or np.broadcast(x, y),
        fill_between=lambda x, low, high, *, label, **look: labels.append(label),
        title=lambda text: None,
        legend=lambda: None,
        show=lambda: None,
    )
    monkeypatch.setitem(sys.modules, "matplotlib", SimpleNamespace(pyplot=plot))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", plot)
    return labels


def test_run_as_a_program_it_writes_the_curves_and_draws_them(monkeypatch, capsys):
    subject = subjects.compared("maml", "any-phase")
    put_weights(subject)
    labels = stub_of_matplotlib(monkeypatch)
    run(script(subject), "__main__")
    assert labels == ["the true wave", "before any step", "after 5 steps", "points"]
    error = np.abs(
        subjects.drawn(subject).curves[-1] - subject.truth(subject.family.grid)[0]
    ).mean()
    assert f"step 5: mean |error| {error:.4f}" in capsys.readouterr().out
    assert_drawn(
        subject,
        np.genfromtxt("curves.csv", delimiter=",", names=True)
        .view(float)
        .reshape(400, -1)[:, 2:]
        .T,
    )


def test_who_knows_how_sure_it_is_has_a_band_and_its_deviations_in_the_table(monkeypatch):
    subject = subjects.compared("alpaca", "finn")
    put_weights(subject)
    labels = stub_of_matplotlib(monkeypatch)
    run(script(subject), "__main__")
    assert labels[-2:] == ["90 % band", "points"]
    table = np.genfromtxt("curves.csv", delimiter=",", names=True)
    for k, std in enumerate(subjects.drawn(subject).std):
        np.testing.assert_allclose(table[f"std_{k}"], std, atol=1e-5, rtol=0)


def test_it_stands_alone():
    """In an interpreter that finds nothing of ours, and no library for pictures."""
    subject = subjects.at_source(subjects.SOURCES["two waves, between the bands"])
    put_weights(subject)
    told = run_alone(script(subject))
    assert told == "The curves are in curves.csv; with matplotlib there is a picture, too.\n"
    with open("curves.csv", encoding="utf-8") as file:
        assert file.readline().strip() == "x," + ",".join(f"step_{k}" for k in range(8))
        table = np.loadtxt(file, delimiter=",")
    assert_drawn(subject, table[:, 1:].T)


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_it_is_short(make):
    lines = script(make()).split('"""\n', 1)[1].splitlines()
    assert len([line for line in lines if line.strip()]) <= 90
    assert max(map(len, lines)) <= 100


def test_scripts_are_written_as_our_own_code_is():
    assert_written_as_ours(script(make()) for make in ALL.values())


@pytest.mark.parametrize(
    "title", ['run "1"', 'a """ b', "a\\", "{x}", "two\nlines", "{__import__}"]
)
def test_weights_may_have_any_name(title):
    subject = subjects.with_title(subjects.compared("maml", "any-phase"), title, title)
    Path(subject.file).write_bytes(checkpoints.shipped("maml-any-phase").read_bytes())
    assert Path(subject.file).name == subject.file
    assert_drawn(subject, run(script(subject))["curves"])
    nbformat.validate(nbformat.reads(notebook(subject), as_version=4))


def test_what_a_subclass_changes_is_not_told_as_what_it_is_made_from():
    class Shrinking(MAML):
        def step_sizes(self, meta, step):
            return dict.fromkeys(self.moving, self.inner_lr / (step + 1))

    class Told(Shrinking):
        def alpha_in_torch(self, inner_lr):
            return f"{inner_lr} / (k + 1)"

    class Biased(MAML):
        @property
        def moving(self):
            return tuple(name for name in self.network.shapes if name.endswith("bias"))

    class Deeper(CNP):
        @property
        def parts(self):
            return super().parts

    class Elsewhere(CAVIA):
        def _inner_loop(self, meta, support, steps, **options):
            return super()._inner_loop(meta, support, steps, **options)

    base = subjects.compared("maml", "any-phase")
    for learner in (Shrinking(), Deeper(), Elsewhere()):
        assert learner.in_torch() is None
    for kind in (Told, Biased):
        model = base.model.__class__(
            kind.configured(base.learner, base.learner.kind), base.model.meta
        )
        subject = base.__class__(**(vars(base) | {"model": model}))
        put_weights(subject)
        assert_drawn(subject, run(script(subject))["curves"])


@pytest.mark.parametrize("learner", [Fourier(), MAML(kind=SIDES)])
def test_a_learner_or_a_network_that_says_nothing_of_itself_has_no_script(learner):
    assert learner.in_torch() is None
    assert learner.training_in_torch() is None
    assert not learner.draw_in_torch


def test_what_was_scaled_into_the_chart_is_written_in_the_visitors_own_numbers(
    tmp_path, monkeypatch
):
    """The network takes the chart's numbers; the table and the picture have the visitor's."""
    family, own = FAMILIES["any-phase"], ((2010.0, 0.5), (2015.0, 7.0), (2020.0, 3.25))
    view = MamlView.first()
    view = view.with_own_points(own, view.room(family).scaling(own), family)
    model = Model.of(checkpoints.load(checkpoints.shipped("maml-any-phase")))
    subject = of_points(view, family, model, "maml-any-phase")
    monkeypatch.chdir(tmp_path)
    shutil.copy(checkpoints.shipped("maml-any-phase"), tmp_path)
    exec(compile(script(subject), "script", "exec"), {"__name__": "__main__"})
    table = np.genfromtxt(tmp_path / "curves.csv", delimiter=",", names=True)
    drawn = draw_points(view, family, model)
    x, y = (np.array(values) for values in zip(*own, strict=True))
    assert table["x"][0] < 2010 < 2020 < table["x"][-1]
    for k, curve in enumerate(drawn.curves):
        expected = [
            value
            for _, value in Scaling.of(view.scaling).back(zip(family.grid, curve, strict=True))
        ]
        np.testing.assert_allclose(table[f"step_{k}"], expected, atol=1e-4)
    off = np.interp(x, table["x"], table["step_5"]) - y
    assert np.abs(off).max() < np.abs(np.interp(x, table["x"], table["step_0"]) - y).max()
