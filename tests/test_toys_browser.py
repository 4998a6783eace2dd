"""A first component and a first page: a folder, a file and a row, and nothing else changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from browser import ROOT
from chart_page import SOURCE, AppChart
from playwright.sync_api import expect

COMPONENT = '''
"""A number that the visitor makes larger."""

import functools

from metademo.ui.components.kernel import assets


def toy(key, *, conversation, on_edit, number):
    data = {"assets": assets.urls("toy/toy.js"), "number": number}
    _mount()(key=key, data=data | conversation, on_edit_change=on_edit)


@functools.cache
def _mount():
    return assets.component("toy", 40)
'''
SCRIPT = """
import { loadStyle, make, mount, say } from "../kernel/base.js";
import { Conversation } from "../kernel/conversation.js";
import { mark } from "../kernel/stage.js";

export default (component) => mount(component, (host) => new Toy(host));

class Toy {
  constructor(host) {
    this.host = host;
    const post = (message) => this.component.setStateValue("edit", message);
    this.conversation = new Conversation(post);
    this.button = make("button", { type: "button" });
    this.button.onclick = () => this.press();
  }

  update(component) {
    this.component = component;
    if (!this.conversation.take(component.data)) return;
    this.number = component.data.number;
    this.conversation.rest(false);
    loadStyle(component.root + component.data.assets.style).then(() => {
      this.host.replaceChildren(this.button);
      say(this.button, `Toy number ${this.number}`);
      mark(this.host, { ready: true });
    });
  }

  press() {
    this.conversation.gestures.add({ kind: "value", value: this.number + 1, final: true });
  }

  destroy() { this.conversation.destroy(); }
}
"""
PAGE = '''
"""A page with one toy on it."""

import streamlit as st

from metademo.ui.components.toy.toy import toy
from metademo.ui.controls import layout
from metademo.moments.views import DamlView


def _chart():
    state = _state()
    moved = lambda view, gesture: view.changed(steps=int(gesture.value))
    on_edit = state.listen("toy", moved)
    toy("toy", conversation=state.conversation, on_edit=on_edit, number=state.view.steps)


def _controls():
    state = _state()
    st.text(f"The server has {state.view.steps}")


def _state():
    return layout.page_state("toy", DamlView)


layout.headline("Toys", "A page that was not there before.")
layout.in_fragments(_state(), chart=_chart, controls=_controls)
'''
ROW = '    st.Page("metademo/ui/pages/toy.py", title="Toys", url_path="toy"),\n'


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """A copy of the project with a toy component and a toy page."""
    tmp_path = tmp_path_factory.mktemp("house")
    for name in ("metademo", ".streamlit"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.pyc"))
    (tmp_path / "weights").symlink_to(ROOT / "weights")
    ui = tmp_path / "metademo" / "ui"
    (ui / "components" / "toy").mkdir()
    (ui / "components" / "toy" / "__init__.py").touch()
    (ui / "components" / "toy" / "toy.py").write_text(COMPONENT, encoding="utf-8")
    (ui / "components" / "toy" / "toy.js").write_text(SCRIPT, encoding="utf-8")
    (ui / "pages" / "toy.py").write_text(PAGE, encoding="utf-8")
    app = (ROOT / "streamlit_app.py").read_text(encoding="utf-8")
    pages, rest = app.split("\n]\n", 1)
    (tmp_path / "streamlit_app.py").write_text(f"{pages}\n{ROW}]\n{rest}", encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def url(serve, house) -> str:
    """The house at a path of its server."""
    return serve(house / "streamlit_app.py", "--server.baseUrlPath", "lab/demo")


def test_the_charts_load_wherever_it_is_served(page, url):
    assert url.endswith("/lab/demo")
    maml = AppChart(page)
    maml.open(url)
    maml.click(2.5, 1.25)
    maml.wait_points(1)
    maml.goto("DAML")
    page.wait_for_selector(f"{SOURCE}[data-ready=true]")


def test_a_component_is_a_folder_and_a_page_is_a_file_and_a_row(url, page):
    page.goto(f"{url}/toy")
    expect(page.get_by_role("heading", name="Toys")).to_be_visible()
    button = page.get_by_role("button", name="Toy number")
    expect(button).to_have_text("Toy number 5")
    button.click()
    expect(button).to_have_text("Toy number 6")
    expect(page.get_by_text("The server has 6")).to_be_visible()
    expect(page.get_by_role("link", name="Toys").first).to_be_visible()
