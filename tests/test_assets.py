"""The static folder: written once, whole, by whoever comes first."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor

import pytest

from metademo.ui import assets

FILES = {"a.js": b"export const a = 1;", "b.css": b"p {}" * 1000}


@pytest.fixture(autouse=True)
def forget():
    """Each test starts as a new process would."""
    for cached in (assets.install, assets._static_urls):
        cached.cache_clear()


def test_a_folder_is_written_once_by_many_at_once(tmp_path):
    folder = tmp_path / "static" / "set-1"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: assets.write_folder(folder, FILES), range(32)))
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == FILES
    assert [p.name for p in folder.parent.iterdir()] == ["set-1"]  # no scratch left behind
    before = (folder / "a.js").stat().st_ino
    assets.write_folder(folder, FILES)
    assert (folder / "a.js").stat().st_ino == before


def test_a_damaged_folder_is_mended(tmp_path):
    assets.write_folder(tmp_path / "set", FILES)
    (tmp_path / "set" / "a.js").write_bytes(b"cut")
    assets.write_folder(tmp_path / "set", FILES)
    assert (tmp_path / "set" / "a.js").read_bytes() == FILES["a.js"]


def test_install_names_what_it_wrote(tmp_path):
    urls = assets.install(tmp_path)
    assert (tmp_path / urls["frontend"].removeprefix("app/static/") / "chart.js").exists()
    plotly = tmp_path / urls["plotly"].removeprefix("app/static/")
    assert b"plotly.js" in gzip.decompress(plotly.read_bytes())[:200]


def test_a_folder_that_cannot_be_written_is_no_traceback(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(assets.st, "get_option", lambda name: True)
    (tmp_path / "static").write_text("a file in the way")
    assert assets._static_urls(tmp_path / "static") is None
    assert "cannot be written" in caplog.text
