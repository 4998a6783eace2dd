"""Every page through Streamlit's own test harness: no browser, real weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parent.parent
PAGES = {name: f"metademo/ui/{name}.py" for name in ("maml", "daml", "how")}


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30).run()


def view(app: AppTest, page: str = "maml"):
    return app.session_state[f"history of {page}"].present


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_without_a_complaint(app, page):
    app.switch_page(PAGES[page]).run()
    assert not app.exception
    assert not app.error
    assert not app.warning


def test_x(app):
    print(app)
    print(view(app))
