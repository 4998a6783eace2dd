"""Weights that a visitor brings: the dialogue on the pages, through Streamlit's harness."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from compare_parts import few_tasks
from pages import chart, component, start, view
from streamlit.testing.v1 import AppTest
from test_foreign import ours, plain

from metademo import foreign
from metademo.recipes import configure
from metademo.ui.server import resources

_ = few_tasks  # a fixture, found by its name


class Dialogue:
    """The dialogue of a page.

    The browser runs it by itself, as a fragment; the harness runs the whole page, in which it is
    only there if the button that opens it has been pressed.
    """

    def __init__(self, page: str = "maml"):
        self.page, self.app = page, start(page)
        self.run()

    def run(self) -> AppTest:
        self.app.button(key=f"{self.page} own weights").click()
        return self.app.run()

    def upload(self, data: bytes, name: str = "my net.safetensors") -> AppTest:
        if self.closed:
            self.run()
        self.app.file_uploader(key=f"{self.page} upload").set_value(
            (name, data, "application/octet-stream")
        )
        return self.run()

    def take(self) -> AppTest:
        self.app.button(key=f"{self.page} take weights").click()
        return self.run()

    @property
    def kept(self) -> dict:
        state = self.app.session_state
        return state[resources.OWN] if resources.OWN in state else {}  # noqa: SIM401

    @property
    def closed(self) -> bool:
        return not self.app.get("file_uploader")


@pytest.fixture(scope="module")
def of_the_script(tmp_path_factory) -> bytes:
    """What the script on the page writes."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "script.py").write_text(foreign.SCRIPT)
    subprocess.run([sys.executable, "script.py"], cwd=folder, check=True, timeout=60)
    return (folder / "my-net.safetensors").read_bytes()


def test_the_page_shows_the_script():
    dialogue = Dialogue()
    assert [code.value for code in dialogue.app.code] == [foreign.SCRIPT.strip()]
    assert not dialogue.app.exception


def test_what_the_script_writes_is_uploaded_and_played_with(of_the_script):
    dialogue = Dialogue()
    app = dialogue.upload(of_the_script, "my-net.safetensors")
    assert not app.error
    assert "**my-net**: a network 1-40-40-1" in app.success[0].value
    app.selectbox(key="maml upload family").set_value("two-phase")
    app.selectbox(key="maml upload loss").set_value("l1")
    app.number_input(key="maml upload inner_lr").set_value(0.02)
    app.number_input(key="maml upload inner_steps").set_value(3)
    app = dialogue.take()
    assert dialogue.closed
    assert not app.exception
    assert (view(app).weights, view(app).steps) == ("my-net", 3)
    config = dialogue.kept["my-net"].config
    assert (config.algorithm, config.family, config.hidden) == ("maml", "two-phase", 40)
    assert (config.support_loss, config.inner_lr, config.inner_steps) == ("l1", 0.02, 3)
    curves = {curve["name"] for curve in chart(app)["curves"]}
    assert {"truth", "maml-before", "maml"} <= curves
    assert "two sine waves" in app.markdown[0].value


def test_without_a_word_a_plain_network_is_one_for_squared_errors():
    dialogue = Dialogue()
    dialogue.upload(plain())
    dialogue.take()
    config, likely = dialogue.kept["my-net"].config, configure("maml", "any-phase")
    assert config.support_loss == config.loss == "mse"
    for name in ("family", "inner_lr", "inner_steps"):
        assert getattr(config, name) == getattr(likely, name)


def test_weights_that_were_downloaded_need_no_word():
    dialogue = Dialogue()
    app = dialogue.upload(ours(configure("reptile", "any-phase", hidden=8)), "mine.safetensors")
    assert app.success[0].value == "**mine**: Reptile, any phase."
    assert not app.selectbox
    app = dialogue.take()
    assert view(app).weights == "mine"
    assert chart(app)["captions"]


@pytest.mark.parametrize(("page", "other"), [("maml", "daml"), ("daml", "maml")])
def test_weights_for_the_other_page_open_it(page, other):
    dialogue = Dialogue(page)
    app = dialogue.upload(ours(configure(other, "two-phase", hidden=8)))
    button = app.button(key=f"{page} take weights")
    assert button.label == f"Play with these weights on the page {other.upper()}"
    app = dialogue.take()
    assert view(app, other).weights == "my-net"
    assert app.title[0].value == {"maml": "Four points, five steps"}.get(
        other, "One input, no label"
    )
    assert not app.exception


def test_daml_takes_no_plain_network_and_says_where_to_go():
    dialogue = Dialogue("daml")
    app = dialogue.upload(plain())
    assert "without the learned loss" in app.error[0].value
    assert "Bring it to the MAML page" in app.error[0].value
    assert not app.code
    assert not dialogue.kept


@pytest.mark.parametrize("page", ["maml", "daml", "compare"])
def test_a_file_that_cannot_be_used_is_refused_in_place(page):
    dialogue = Dialogue(page)
    before = view(dialogue.app, page)
    app = dialogue.upload(b"weights, honestly")
    assert "not a readable safetensors file" in app.error[0].value
    assert "Save it once more" in app.error[0].value
    assert not app.exception
    assert not app.success
    assert not dialogue.kept
    assert view(app, page) == before


def test_weights_of_signs_are_brought_to_the_draw_page():
    dialogue = Dialogue("draw")
    assert not dialogue.app.code
    app = dialogue.upload(ours(configure("maml", "glyphs", hidden=4)), "mine.safetensors")
    assert "**mine**: MAML, signs" in app.success[0].value
    app = dialogue.take()
    assert list(dialogue.kept) == ["mine"]
    assert view(app, "draw").chosen == ("mine", "anil", "protonet")
    answers = component(app, "draw")["answers"]
    assert answers[-1]["label"] == "MAML (mine)"
    assert len(answers[-1]["shares"]) == 1 + configure("maml", "glyphs").inner_steps
    assert not app.exception


@pytest.mark.parametrize(
    ("page", "data", "said"),
    [
        ("draw", ours(configure("maml", "any-phase")), "tasks of another kind"),
        ("draw", plain(), "not weights that were downloaded here"),
        *(
            (page, ours(configure("anil", "glyphs")), "tasks of another kind")
            for page in ("maml", "daml", "compare")
        ),
    ],
)
def test_weights_of_another_kind_of_task_are_refused(page, data, said):
    dialogue = Dialogue(page)
    app = dialogue.upload(data)
    assert said in app.error[0].value
    assert not app.success
    assert not dialogue.kept


def test_what_a_file_says_is_shown_without_its_markup():
    name = "**bold** :material/close:"
    app = Dialogue().upload(plain(**{name: torch.ones(1)}))
    assert r"\*\*bold\*\* \:material\/close\:" in app.error[0].value


def test_it_is_compared_on_the_family_it_was_trained_on():
    dialogue = Dialogue("compare")
    dialogue.upload(plain())
    app = dialogue.take()
    shown = view(app, "compare")
    assert (shown.family, shown.chosen[-1]) == ("any-phase", "my-net")
    assert "my-net" in {curve["name"] for curve in chart(app)["curves"]}
    assert not app.exception


def test_a_second_file_of_the_same_name_has_a_name_of_its_own():
    dialogue = Dialogue()
    for _ in range(2):
        dialogue.upload(plain(), "maml.safetensors")  # the name of an algorithm, too
        dialogue.take()
    assert list(dialogue.kept) == ["maml-2", "maml-3"]


def test_only_so_many_are_kept():
    dialogue = Dialogue()
    for _ in range(resources.MOST_OWN + 1):
        dialogue.upload(plain())
        dialogue.take()
    assert len(dialogue.kept) == resources.MOST_OWN
    assert "my-net" not in dialogue.kept
    assert f"my-net-{resources.MOST_OWN + 1}" in dialogue.kept


def test_weights_can_be_removed_also_those_that_are_played_with():
    dialogue = Dialogue()
    dialogue.upload(plain())
    dialogue.take()
    dialogue.run()
    dialogue.app.button(key="maml remove my-net").click()
    app = dialogue.run()
    assert not dialogue.kept
    assert view(app).weights != "my-net"
    assert not app.exception


def test_weights_that_run_away_are_said_to():
    huge = torch.full((6, 6), 1e30)
    dialogue = Dialogue()
    dialogue.upload(plain(of_2_weight=huge))
    app = dialogue.take()
    assert not app.exception
    assert "run away" in chart(app)["captions"][-1]


def test_how_it_works_claims_nothing_of_a_training_elsewhere():
    dialogue = Dialogue()
    dialogue.upload(plain())
    app = dialogue.take().switch_page("metademo/ui/pages/how.py").run()
    said = " ".join(text.value for text in app.markdown)
    assert "61 of them, to which no outer step has been done here." in said
    assert "No outer step has been done here." in said
    assert not app.exception


def test_a_servers_own_bounds_hold(monkeypatch):
    from metademo.ui.state import runs

    runs.registry.clear()
    monkeypatch.setenv("METADEMO_MAX_HIDDEN", "5")
    try:
        app = Dialogue().upload(plain())
        assert "of up to 5 units" in app.error[0].value
        assert "of up to 5 units" in " ".join(text.value for text in app.markdown)
        monkeypatch.setenv("METADEMO_MAX_HIDDEN", "many")
        runs.registry.clear()
        assert "METADEMO_MAX_HIDDEN" in Dialogue().app.error[0].value
    finally:
        runs.registry.clear()
