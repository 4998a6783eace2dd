"""Scripts and notebooks of the Draw page run by themselves, and answer what the page answers."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import subjects
import torch
from scripts import assert_written_as_ours, put_weights, run, run_alone, run_notebook, without_rows

from metademo import checkpoints
from metademo.algorithms.maml import MAML
from metademo.algorithms.protonet import ProtoNet
from metademo.convolutional import ConvNet
from metademo.export.notebook import notebook
from metademo.export.script import script
from metademo.moments.ready_made import READY_MADE
from metademo.moments.signs import DrawView
from metademo.tasks import GLYPHS, Array

FIRST = DrawView.first()
HOUSE, KEY, HEART = (READY_MADE[name] for name in ("house", "key", "heart"))
VIEWS = {
    "the first three": FIRST,
    "one more example of one of them": FIRST.changed(
        signs=("_".join(HOUSE), KEY[0], HEART[0]), question=KEY[1]
    ),
    "one is not drawn yet": FIRST.changed(
        signs=(HOUSE[0], "", KEY[0], HEART[0]), question=HOUSE[1]
    ),
    "outside of what was learned": FIRST.changed(turn=50, thickness=4.5, size=0.6),
}
CASES = [(name, view) for name in subjects.ON_SIGNS for view in VIEWS]


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch) -> None:
    """A folder with nothing in it, where scripts run."""
    monkeypatch.chdir(tmp_path)


def shown(name: str, view: str) -> Array:
    """The probabilities on the page, (steps + 1, ways), or (1, ways)."""
    return subjects.asked(VIEWS[view], name).shares[name]


@pytest.mark.parametrize(("name", "view"), CASES)
def test_a_script_gives_the_very_answers(name, view):
    subject = subjects.on_signs(name, VIEWS[view])
    put_weights(subject)
    text = script(subject)
    assert "metademo" not in text
    found, expected = run(text), shown(name, view)
    np.testing.assert_allclose(found["probabilities"][-len(expected) :], expected, atol=1e-5)
    assert found["signs"] == [1 + sign for sign in VIEWS[view].drawn]
    assert np.ptp(expected[-1]) > 0.05, "it can tell"


@pytest.mark.parametrize("name", subjects.ON_SIGNS)
def test_it_stands_alone_and_prints_them(name):
    view = "one is not drawn yet"
    subject = subjects.on_signs(name, VIEWS[view])
    put_weights(subject)
    *lines, last = run_alone(script(subject)).splitlines()
    assert last == "With matplotlib there is a picture, too."
    assert re.sub(r" 0\.\d{4}", "", lines[0]) == f"{subject.learner.a_step} 0: " + ", ".join(
        ("sign 1", "sign 3", "sign 4")
    )
    told = np.array([re.findall(r"0\.\d{4}|1\.0000", line) for line in lines], float)
    expected = shown(name, view)
    np.testing.assert_allclose(told[-len(expected) :], expected, atol=1e-4)
    np.testing.assert_allclose(told[0], 1 / 3, atol=1e-4)


@pytest.mark.parametrize("name", subjects.ON_SIGNS)
def test_a_notebook_gives_them_too(name, monkeypatch):
    subject = subjects.on_signs(name, FIRST)
    put_weights(subject)
    titles = stub_of_matplotlib(monkeypatch)
    opening, space = run_notebook(subject)
    assert opening.startswith(f"# {subject.title} on 3 drawings: ")
    expected = shown(name, "the first three")
    np.testing.assert_allclose(space["probabilities"][-len(expected) :], expected, atol=1e-5)
    said = [f"sign {1 + i}: {share:.0%}" for i, share in enumerate(expected[-1])]
    assert titles == [*said, "which is it?", subject.title]


def stub_of_matplotlib(monkeypatch) -> list[str]:
    """In the place of `matplotlib.pyplot`; the titles of what is drawn."""
    titles: list[str] = []
    axis = SimpleNamespace(
        imshow=lambda image, cmap: np.testing.assert_equal(tuple(image.shape), (14, 14)),
        set_title=titles.append,
        axis=lambda how: None,
    )
    plot = SimpleNamespace(
        subplots=lambda rows, columns, figsize: (None, [axis] * columns),
        suptitle=titles.append,
        show=lambda: None,
    )
    monkeypatch.setitem(sys.modules, "matplotlib", SimpleNamespace(pyplot=plot))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", plot)
    return titles


@pytest.mark.parametrize("name", subjects.ON_SIGNS)
def test_it_is_short_but_for_the_drawings(name):
    text = without_rows(script(subjects.on_signs(name, FIRST))).split('"""\n', 1)[1]
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) <= 90
    assert max(map(len, lines)) <= 100


def test_scripts_are_written_as_our_own_code_is():
    assert_written_as_ours(script(subjects.on_signs(name, FIRST)) for name in subjects.ON_SIGNS)


@pytest.mark.parametrize("name", subjects.WITHOUT_WORDS_ON_SIGNS)
def test_who_has_no_words_on_signs_has_no_script(name):
    subject = subjects.on_signs(name, FIRST)
    assert script(subject) == notebook(subject) == ""


@pytest.mark.parametrize("title", ['run "1"', 'a """ b', "a\\", "{x}", "two\nlines"])
def test_weights_may_have_any_name(title):
    subject = subjects.with_title(subjects.on_signs("anil", FIRST), title, title)
    Path(subject.file).write_bytes(checkpoints.shipped("anil-glyphs").read_bytes())
    run(script(subject))
    nbformat.validate(nbformat.reads(notebook(subject), as_version=4))


def test_what_a_subclass_changes_is_not_told_as_what_it_is_made_from():
    class Deeper(ConvNet):
        def features(self, params, x):
            return super().features(params, x)

    class FromOnes(MAML):
        def start(self, meta, support):
            return super().start(meta, support)

    class Further(ProtoNet):
        def logits(self, meta, support, x):
            return 2 * super().logits(meta, support, x)

    class Twice(ProtoNet):
        def run(self, meta, support, x, **options):
            return super().run(meta, support, x, **options)

    def told(kind, tasks=GLYPHS):
        return kind(kind=tasks, loss="cross-entropy").in_torch() is not None

    deeper = replace(GLYPHS, network=lambda filters, activation: Deeper(14, filters, activation))
    assert told(MAML)
    assert told(ProtoNet)
    assert not told(MAML, deeper)
    assert not told(ProtoNet, deeper)
    assert not any(map(told, (FromOnes, Further, Twice)))


@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "tanh", "gelu"])
def test_the_network_in_words_is_the_network(activation):
    net = ConvNet(14, 5, activation)
    rng = np.random.default_rng(3)
    theta = {f"net.{name}": value for name, value in net.init(rng).items()}
    x = torch.from_numpy(subjects.on_signs("anil", FIRST).support.x[0])
    found = run("import torch\n\n" + net.features_in_torch("net"))["features"]
    expected = net.features({n.removeprefix("net."): v for n, v in theta.items()}, x)
    np.testing.assert_allclose(found(theta, x), expected, atol=1e-5)
