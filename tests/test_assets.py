"""The static folder: written once, whole, by whoever comes first."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs

from metademo.ui.components.kernel import assets, static_files

ROOT = Path(__file__).resolve().parent.parent
FILES = {"a.js": b"export const a = 1;", "b.css": b"p {}" * 1000}


@pytest.fixture(autouse=True)
def forget():
    """Each test starts as a new process would."""
    for cached in (assets.install, assets._static_urls):
        cached.cache_clear()


def test_a_folder_is_written_once_by_many_at_once(tmp_path):
    folder = tmp_path / "static" / "set-1"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: static_files.write_folder(folder, FILES), range(32)))
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == FILES
    assert [p.name for p in folder.parent.iterdir()] == ["set-1"]  # no scratch left behind
    before = (folder / "a.js").stat().st_ino
    static_files.write_folder(folder, FILES)
    assert (folder / "a.js").stat().st_ino == before


def test_a_damaged_folder_is_mended(tmp_path):
    static_files.write_folder(tmp_path / "set", FILES)
    (tmp_path / "set" / "a.js").write_bytes(b"cut")
    static_files.write_folder(tmp_path / "set", FILES)
    assert (tmp_path / "set" / "a.js").read_bytes() == FILES["a.js"]


def test_install_names_what_it_wrote(tmp_path):
    urls = assets.install(tmp_path)
    assert (tmp_path / urls["frontend"].removeprefix("app/static/") / "chart/chart.js").exists()
    plotly = tmp_path / urls["plotly"].removeprefix("app/static/")
    assert b"plotly.js" in gzip.decompress(plotly.read_bytes())[:200]


def test_the_browser_and_python_draw_with_the_same_plotly():
    ours = gzip.decompress(assets.plotly_files()[assets.PLOTLY_FILE]).decode()
    versions = [re.search(r"plotly\.js .*v([\d.]+)", text[:200]) for text in (ours, get_plotlyjs())]
    assert versions[0][1] == versions[1][1]


def test_a_folder_that_cannot_be_written_is_no_traceback(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(assets.st, "get_option", lambda name: True)
    (tmp_path / "static").write_text("a file in the way")
    assert assets._static_urls(tmp_path / "static") is None
    assert "cannot be written" in caplog.text


OLD = ("metademo-0123456789ab", "plotly-7.0.0-0123456789ab", ".removed-metademo-ba9876543210")


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_what_earlier_releases_left_is_removed_and_nothing_else(tmp_path):
    for name in OLD:
        static_files.write_folder(tmp_path / name, FILES)
    others = {"metademo", "plotly-mine", "metademo-0123456789abc", "metademo-0123456789xx"}
    for name in others:
        (tmp_path / name).mkdir()
    (tmp_path / "metademo-000000000000").write_text("a file")
    urls = assets.install(tmp_path)
    own = {url.split("/")[2] for url in urls.values()}
    assert names(tmp_path) == own | others | {"metademo-000000000000"}


SERVER = """
import sys
from pathlib import Path
from metademo.ui.components.kernel.static_files import provide
provide(Path(sys.argv[1]), {"a.js": b"export const a = 1;"})
print("serving", flush=True)
sys.stdin.read()
"""


def test_what_another_server_still_serves_stays_until_it_ends(tmp_path):
    folder = tmp_path / OLD[0]
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, folder],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout.readline() == "serving\n"
        static_files.remove_unused(tmp_path)
        assert names(folder) == {"a.js"}
        server.kill()
    static_files.remove_unused(tmp_path)
    assert names(tmp_path) == set()


WRITER = """
import sys
from pathlib import Path
from metademo.ui.components.kernel.static_files import provide
def write(path, content):
    print("writing", flush=True)
    sys.stdin.read()
Path.write_bytes = write
provide(Path(sys.argv[1]), {"a.js": b"export const a = 1;"})
"""


def test_what_a_server_left_that_was_killed_while_writing_is_removed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path / OLD[0]],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout.readline() == "writing\n"
        static_files.remove_unused(tmp_path)
        assert len(names(tmp_path)) == 1, "it is still being written"
        server.kill()
    static_files.remove_unused(tmp_path)
    assert names(tmp_path) == set()


def test_one_that_is_removed_while_it_is_found_is_written_again(tmp_path, monkeypatch):
    """Between finding a folder whole and holding it another server may remove it."""
    folder, write, calls = tmp_path / OLD[0], static_files.write_folder, []

    def write_and_lose(folder, files):
        write(folder, files)
        calls.append(folder)
        if len(calls) == 1:
            static_files.remove_unused(tmp_path)
            assert not folder.exists()

    monkeypatch.setattr(static_files, "write_folder", write_and_lose)
    static_files.provide(folder, FILES)
    assert names(folder) == set(FILES)
    static_files.remove_unused(tmp_path)
    assert names(folder) == set(FILES)


def test_many_servers_come_and_clear_away_at_once(tmp_path):
    for name in OLD:
        static_files.write_folder(tmp_path / name, FILES)

    def start(i: int) -> None:
        static_files.provide(tmp_path / f"metademo-{i % 4:012x}", FILES)
        static_files.remove_unused(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(64)))
    assert names(tmp_path) == {f"metademo-{i:012x}" for i in range(4)}


def test_without_locks_nothing_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(static_files, "fcntl", None)
    static_files.write_folder(tmp_path / OLD[0], FILES)
    static_files.provide(tmp_path / OLD[1], FILES)
    static_files.remove_unused(tmp_path)
    assert names(tmp_path) == set(OLD[:2])


def test_the_static_folder_is_there_before_the_first_start():
    """Streamlit looks for it before the app runs, and warns if it is missing."""
    assert (ROOT / "static" / ".gitignore").read_text().splitlines()[-2:] == ["*", "!.gitignore"]


def test_no_file_is_watched_unless_a_developer_wants_it():
    """The default watcher walks the tree, packages included, at every session."""
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["fileWatcherType"] == "none"
