"""Take it home, through Streamlit's own test harness: what is offered, and what is in it."""

from __future__ import annotations

import csv
import io
import json

import nbformat
import numpy as np
import pytest
from offered import Offered, watch_downloads
from pages import chart, component, gesture, start, view, widget

from metademo import checkpoints
from metademo.algorithms.maml import MAML
from metademo.evaluation import Z90


@pytest.fixture
def offered(monkeypatch) -> Offered:
    return watch_downloads(monkeypatch)


def table(text: str) -> dict[str, np.ndarray]:
    names, *rows = csv.reader(io.StringIO(text))
    return dict(zip(names, np.array(rows, float).T, strict=True))


def test_the_maml_page_gives_its_curves_script_notebook_and_weights(offered, tmp_path, monkeypatch):
    app = offered.open(start())
    assert offered.files == {
        "Curves (CSV)": "maml-curves.csv",
        "Script": "maml-maml.py",
        "Notebook": "maml-maml.ipynb",
        "Weights": "maml-any-phase.safetensors",
    }
    offered.open(widget(app, "toggle", "contrast").set_value(True).run())
    curves = table(offered["Curves (CSV)"])
    steps = [f"{name}_step_{k}" for name in ("pretrained", "random", "maml") for k in range(6)]
    assert list(curves) == ["x", "truth", *steps]
    np.testing.assert_allclose(curves["truth"], view(app).wave(curves["x"])[0])
    monkeypatch.chdir(tmp_path)
    (tmp_path / offered.files["Weights"]).write_bytes(offered["Weights"])
    assert checkpoints.load(offered.files["Weights"]).config.family == "any-phase"
    space: dict = {"__name__": "taken home"}
    exec(offered["Script"], space)
    for k, curve in enumerate(space["curves"]):
        np.testing.assert_allclose(curve, curves[f"maml_step_{k}"], atol=1e-5)
    nbformat.validate(nbformat.reads(offered["Notebook"], as_version=4))


def test_without_a_point_there_is_no_script_and_the_page_says_so(offered):
    app = start()
    gesture(app, "clear")
    offered.open(app)
    assert set(offered.content) == {"Curves (CSV)", "Weights"}
    assert any("place a point first" in caption.value for caption in app.caption)
    assert chart(app)["points"] == []


def test_a_learner_without_words_for_itself_has_no_script_and_the_page_says_so(
    offered, monkeypatch
):
    monkeypatch.setattr(MAML, "in_torch", lambda self, inner_lr=None: None)
    app = offered.open(start())
    assert set(offered.content) == {"Curves (CSV)", "Weights"}
    assert any("nobody has put MAML into plain PyTorch" in c.value for c in app.caption)


def test_the_daml_page_gives_the_same(offered):
    app = offered.open(start("daml"), "daml")
    assert offered.files["Script"] == "daml-daml.py"
    offered.open(widget(app, "slider", "source", "daml").set_value(0.0).run(), "daml")
    curves = table(offered["Curves (CSV)"])
    assert list(curves)[:3] == ["x", "truth_0", "truth_1"]
    assert "x_s = torch.tensor([0.0])" in offered["Script"]


@pytest.mark.parametrize("name", ["in-context", "alpaca"])
def test_the_page_in_context_gives_what_it_shows_after_each_point(
    offered, tmp_path, monkeypatch, name
):
    offered.open(start("context", {"weights": f"{name}-any-phase"}), "context")
    assert offered.files == {
        "Curves (CSV)": "context-curves.csv",
        "Script": f"context-{name}.py",
        "Notebook": f"context-{name}.ipynb",
        "Weights": f"{name}-any-phase.safetensors",
    }
    assert " on 4 points: 0 to 4 seen." in offered["Script"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / offered.files["Weights"]).write_bytes(offered["Weights"])
    space: dict = {"__name__": "taken home"}
    exec(offered["Script"], space)
    curves = table(offered["Curves (CSV)"])
    assert len(space["curves"]) == 1 + 4
    for k, curve in enumerate(space["curves"]):
        np.testing.assert_allclose(curve, curves[f"{name}_step_{k}"], atol=1e-5)
        if name == "alpaca":
            low = curve - Z90 * space["std"][k]
            np.testing.assert_allclose(low, curves[f"alpaca_low_step_{k}"], atol=1e-5)
    assert not any("widest" in column for column in curves)


def test_on_the_compare_page_one_learner_is_taken_apart(offered):
    app = offered.open(start("compare"), "compare")
    choice = app.selectbox(key="compare take home learner")
    assert choice.options == ["MAML", "Reptile", "MAML++", "Ordinary training"]
    assert "MAML on 4 points" in offered["Script"]
    steps = {name.rpartition("_step_")[0] for name in table(offered["Curves (CSV)"])}
    assert steps >= {"maml", "maml++", "reptile", "pretrained"}
    choice.set_value("maml++").run()
    assert offered.files["Weights"] == "maml++-two-phase.safetensors"
    assert "step_sizes" in offered["Script"]
    widget(app, "button_group", "chosen", "compare").set_value(["oracle"]).run()
    offered.open(app, "compare")
    assert set(offered.content) == {"Curves (CSV)", "Script", "Notebook"}
    assert "least squared error" in offered["Script"]


def test_nobody_chosen_leaves_nothing_to_take(offered):
    app = start("compare")
    offered.open(widget(app, "button_group", "chosen", "compare").set_value([]).run(), "compare")
    assert not offered.content
    assert any(c.value == "Choose at least one way of learning." for c in app.caption)


def test_the_draw_page_gives_its_answers_drawings_script_and_weights(
    offered, tmp_path, monkeypatch
):
    app = offered.open(start("draw"), "draw")
    assert offered.files == {
        "Answers (CSV)": "draw-answers.csv",
        "Drawings (JSON)": "draw-drawings.json",
        "Script": "draw-anil.py",
        "Notebook": "draw-anil.ipynb",
        "Weights": "anil-glyphs.safetensors",
    }
    answers, data = table(offered["Answers (CSV)"]), component(app, "draw")
    assert answers["sign"].tolist() == [1, 2, 3]
    for name, answer in zip(("anil", "protonet"), data["answers"], strict=True):
        for k, shares in enumerate(answer["shares"]):
            np.testing.assert_allclose(answers[f"{name}_step_{k}"], shares, atol=1e-4)
    drawings = json.loads(offered["Drawings (JSON)"])
    assert [[len(d) for d in examples] for examples in drawings["signs"]] == [[1], [1], [1]]
    assert "".join(f"{x:02}{y:02}" for x, y in drawings["question"][0]) == data["question"]
    monkeypatch.chdir(tmp_path)
    for name, answer in zip(("anil", "protonet"), data["answers"], strict=True):
        app.selectbox(key="draw take home learner").set_value(name).run()
        assert offered.files["Weights"] == f"{name}-glyphs.safetensors"
        (tmp_path / offered.files["Weights"]).write_bytes(offered["Weights"])
        space: dict = {"__name__": "taken home"}
        exec(offered["Script"], space)
        shares = space["probabilities"][-len(answer["shares"]) :]
        np.testing.assert_allclose(shares, answer["shares"], atol=1e-4)
        nbformat.validate(nbformat.reads(offered["Notebook"], as_version=4))


@pytest.mark.parametrize("lacking", ["question", "signs"])
def test_without_a_question_or_signs_there_is_no_script_and_the_page_says_so(offered, lacking):
    view = {"question": ""} if lacking == "question" else {"signs": ","}
    app = offered.open(start("draw", view), "draw")
    assert set(offered.content) == {"Drawings (JSON)", "Weights"}
    assert any("draw two signs and a question first" in c.value for c in app.caption)


def test_who_has_no_words_on_signs_has_no_script_and_the_page_says_so(offered):
    app = offered.open(start("draw", {"chosen": "random"}), "draw")
    assert set(offered.content) == {"Answers (CSV)", "Drawings (JSON)"}
    assert any("nobody has put No training into plain PyTorch" in c.value for c in app.caption)


def test_with_nobody_chosen_there_are_the_drawings_alone(offered):
    offered.open(start("draw", {"chosen": ""}), "draw")
    assert set(offered.content) == {"Drawings (JSON)"}
