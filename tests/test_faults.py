"""What goes wrong on a server, and where it is tested that it does no harm.

Tests are named without `test_`; "here" is this file.

| fault | tested in |
|---|---|
| the server is killed, or told to end, under open pages | server_browser |
| an address names a run that the server no longer has | train_page |
| the server is told to end while one trains and another loads | server_browser |
| ... while code is compiled, by a process that has to end with it | here |
| ... while jobs run and wait, in a program without a server | jobs |
| a training's thread dies: the job, and who comes next | here, registry_states |
| ... what the page says | train_page |
| no thread is to be had | jobs, registry, score_cache |
| weights are missing, removed, damaged, replaced | resources, pages, checkpoints |
| ... while pages are drawn from them; or may not be read | here |
| the disk is full, or the folder can't be written to | files, checkpoint_writing, command_train |
| ... a real disk, for weights, static files and compiled code | here |
| the file system has no hard links, no modes, no locks | files, assets |
| compiled code is damaged, of other sources, or can't be kept | kernel_cache |
| two servers start at once where nothing is there yet | here, assets |
| the clock jumps | here |
| the connection drops, or is slow | hands_browser, server_browser |
| more visitors come than there is room for | admission, crowd |
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import hashlib
import itertools
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from browser import ROOT, Server, running
from helpers import PATIENCE, small, wait
from pages import start
from visiting import awaited

from metademo import checkpoints
from metademo import kernel_cache as cache
from metademo.jobs import JobState, Limits, Registry
from metademo.training import MetaTrainer
from metademo.ui.server import resources
from metademo.ui.server.score_cache import ScoreCache
from metademo.visitor import CHART, visit

# ---------------------------------------------------------------------------- a thread that dies

DEATHS = {
    "with a word": (RuntimeError("out of tea"), "RuntimeError: out of tea"),
    "without a word": (RuntimeError(), "RuntimeError"),
    "without memory": (MemoryError(), "the server has no memory left for it"),
    "by an exit": (SystemExit(1), "SystemExit: 1"),
    "by an interrupt": (KeyboardInterrupt(), "KeyboardInterrupt"),
}


@pytest.mark.parametrize("method", ["__init__", "advance"])
@pytest.mark.parametrize(("fault", "reason"), DEATHS.values(), ids=DEATHS)
def test_a_training_that_dies_says_why_and_the_next_in_line_begins(
    fault, reason, method, monkeypatch, no_thread_is_left
):
    doomed, heir = small("maml", hidden=5), small("maml", steps=3)
    sound, second_waits = getattr(MetaTrainer, method), threading.Event()

    def dies(trainer, *arguments, **options):
        if doomed in (*arguments, getattr(trainer, "config", None)):
            assert second_waits.wait(PATIENCE)
            raise fault
        return sound(trainer, *arguments, **options)

    monkeypatch.setattr(MetaTrainer, method, dies)
    registry = Registry(Limits(max_running=1, max_waiting=1))
    first, second = (
        registry.submit(config, owner, engine="torch")
        for config, owner in ((doomed, "a"), (heir, "b"))
    )
    assert registry.load() == (1, 1)
    second_waits.set()
    assert first.join(PATIENCE)
    assert (first.state, first.snapshot().reason) == (JobState.FAILED, reason)
    wait(lambda: second.state is JobState.FINISHED)
    assert registry.load() == (0, 0)


# ---------------------------------------------------------------------------- weights


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A copy of the shipped weights, to be changed."""
    folder = shutil.copytree(checkpoints.SHIPPED, tmp_path / "weights")
    monkeypatch.setattr(checkpoints, "SHIPPED", folder)
    monkeypatch.setattr(resources, "LOOK_SECONDS", 1e-9)
    return folder


@contextlib.contextmanager
def restless(folder: Path) -> Iterator[None]:
    """Weights that are removed, half written, replaced and restored, again and again."""
    whole = {path: path.read_bytes() for path in folder.glob("*.safetensors")}
    over = threading.Event()

    def change(path: Path, turn: int) -> None:
        if turn == 0:
            path.unlink(missing_ok=True)
        elif turn == 1:
            path.write_bytes(whole[path][: len(whole[path]) // 2])
        elif turn == 2:
            other = path.with_suffix(".new")
            other.write_bytes(whole[path])
            other.replace(path)
        else:
            path.write_bytes(whole[path])

    def change_all() -> None:
        turns = itertools.product(range(4), whole)
        while not over.wait(0.001):
            turn, path = next(turns, (None, None))
            if path is None:
                turns = itertools.product(range(4), whole)
            else:
                change(path, turn)

    thread = threading.Thread(target=change_all)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for path, data in whole.items():
            path.write_bytes(data)


@pytest.mark.parametrize("page", ["maml", "daml", "compare", "draw", "duel"])
def test_pages_survive_weights_that_change_while_they_are_drawn(page, folder):
    app = start(page)
    told = 0
    with restless(folder):
        for _ in range(12):
            app.run()
            assert not app.exception
            told += bool(app.warning or app.error or app.expander)
    assert told
    app.run()
    assert not any((app.exception, app.warning, app.error))
    assert resources.library()[1] == []


def test_weights_that_the_server_may_not_read_are_named(folder, monkeypatch):
    opened, locked = Path.open, folder / "maml-two-phase.safetensors"

    def refuse(path, *arguments, **options):
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    resources._load.cache_clear()
    monkeypatch.setattr(Path, "open", refuse)
    usable, faults = resources.library()
    assert faults == [f"weights/{locked.name}: can't be read (Permission denied)"]
    assert "maml-any-phase" in usable


# ---------------------------------------------------------------------------- a disk that is full

ON_A_FULL_DISK = """
import subprocess, sys
from pathlib import Path
disk, shipped = map(Path, sys.argv[1:])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", disk], check=True)
from metademo import files
from metademo import kernel_cache as cache
from metademo.ui.components.kernel import static_files
weights = files.write(disk / shipped.name, shipped.read_bytes())
large = bytes(200_000)
for write in (
    lambda: files.check_place(weights, overwrite=True, size=len(large)),
    lambda: files.write(weights, large, overwrite=True),
    lambda: files.write(disk / "new", large),
    lambda: static_files.provide(disk / "static", {"a.js": large}),
    lambda: cache._write(disk / "kernel.nbc", large),
):
    try:
        write()
    except OSError as fault:
        print("No space left on device" in str(fault), [path.name for path in disk.iterdir()])
cache.folders = lambda: [disk]
print(cache.is_writable(), weights.read_bytes() == shipped.read_bytes())
"""
APART = ["unshare", "--mount", "--map-root-user"]
"""Runs a command with mounts of its own."""


def can_mount() -> bool:
    try:
        mount = [*APART, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not can_mount(), reason="no small disk can be mounted here")
def test_on_a_full_disk_nothing_is_half_written_and_no_file_is_harmed(tmp_path):
    shipped = checkpoints.shipped("maml-two-phase")
    done = subprocess.run(
        [*APART, sys.executable, "-c", ON_A_FULL_DISK, tmp_path, shipped],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [f"True ['{shipped.name}']"] * 5 + ["False True"]


# ---------------------------------------------------------------------------- two servers at once


def test_many_who_keep_and_read_the_same_code_at_once_see_it_whole(tmp_path):
    path, contents = tmp_path / "kernel.nbc", [bytes([i]) * 100_000 for i in range(8)]
    cache._write(path, cache.sealed(contents[0]))

    def write_and_read(i: int) -> bool:
        cache._write(path, cache.sealed(contents[i % 8]))
        return cache._read(path) in contents

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write_and_read, range(160)))
    assert list(tmp_path.iterdir()) == [path]


JUMPING = """
import itertools, time
real, jumps = time.time, itertools.cycle([0, 3600, 0, -3600])
if not hasattr(time, "jumps"):
    time.jumps, time.time = True, lambda: real() + next(jumps)
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A checkout that nothing has run in: no static files, no compiled code. Its clock jumps."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "metademo").symlink_to(ROOT / "metademo")
    (folder / "static").mkdir()
    app = (ROOT / "streamlit_app.py").read_text(encoding="utf-8")
    (folder / "streamlit_app.py").write_text(JUMPING + app, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def pair(checkout) -> Iterator[list[Server]]:
    """Two servers that start in it at the same time."""
    environment = {"NUMBA_CACHE_DIR": str(checkout / "kernels")}
    with contextlib.ExitStack() as servers, ThreadPoolExecutor(2) as pool:
        contexts = [running(checkout / "streamlit_app.py", environment=environment) for _ in "ab"]
        yield list(pool.map(servers.enter_context, contexts))


def children(process: int) -> list[int]:
    """The processes that a process has started and that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == process and state != "Z":
                found.append(int(stat.parent.name))
    return found


def digest_of(address: str) -> str:
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        return hashlib.sha256(answer.read()).hexdigest()


async def play(server: Server) -> tuple[list[str], str]:
    """Click on the chart of a server's first page: what it says, and what a browser loads."""
    async with visit(server.url) as visitor:
        await visitor.gesture(CHART, kind="add", to=[1.0, 0.5])
        data = visitor.find(CHART).data
        address = f"{server.url}/{data['assets']['plotly']}"
        files = await asyncio.to_thread(digest_of, address)
    return data["captions"], files


async def end_while_it_compiles(server: Server) -> tuple[int, float, list[int]]:
    """Its exit code, how long it took to end, and what it had started and has left behind."""
    async with visit(server.url, "train") as visitor:
        await visitor.press("Start")
        compilers = children(server.process.pid)
        assert compilers, "its training waits for them"
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(server.process.wait, PATIENCE)
    seconds = time.monotonic() - began
    return code, seconds, [child for child in compilers if Path(f"/proc/{child}").exists()]


def test_two_servers_start_at_once_where_nothing_is_there_yet_and_end_promptly(pair, checkout):
    async def visit_both() -> list:
        return await asyncio.gather(*map(play, pair))

    async def end_both() -> list:
        return await asyncio.gather(*map(end_while_it_compiles, pair))

    first, second = awaited(visit_both())
    assert first == second
    names = sorted(path.name.split("-")[0] for path in (checkout / "static").iterdir())
    assert names == ["metademo", "plotly"], "one set for both, and no scratch"
    for code, seconds, left in awaited(end_both()):
        assert (code, left) == (0, [])
        assert seconds < 5
    for server in pair:
        for complaint in ("WARNING", "ERROR", "Traceback"):
            assert complaint not in server.said, server.said


# ---------------------------------------------------------------------------- a clock that jumps

OF_THE_DAY = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
"""What tells the time of day, which somebody may set."""


def asks_for_the_time_of_day(source: str) -> bool:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = getattr(node.value, "id", getattr(node.value, "attr", ""))
            if node.attr in OF_THE_DAY.get(owner, ()):
                return True
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            names = {alias.name for alias in node.names}
            if names & OF_THE_DAY["time"]:
                return True
    return False


@pytest.mark.parametrize(
    "source",
    [
        "import time\nnow = time.time()",
        "from time import time",
        "from datetime import datetime as datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.utcnow()",
    ],
)
def test_who_asks_for_the_time_of_day_is_found(source):
    assert asks_for_the_time_of_day(source)


def test_nobody_here_asks_for_the_time_of_day():
    """Durations are measured by clocks that only go forward; the log alone has the date."""
    paths = sorted((ROOT / "metademo").rglob("*.py"))
    assert len(paths) > 100
    assert [p.name for p in paths if asks_for_the_time_of_day(p.read_text("utf-8"))] == []


def test_trainings_waits_and_scores_do_not_mind_a_clock_that_jumps(monkeypatch, no_thread_is_left):
    jumps, real = itertools.cycle([0.0, 3600.0, 0.0, -3600.0]), time.time
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
    registry = Registry(Limits(max_running=1, max_waiting=1, grace_seconds=60.0))
    slow, next_one = small("maml", steps=15), small("maml", steps=5)
    first = registry.submit(slow, "a", engine="torch", pace=30.0)
    second = registry.submit(next_one, "b", engine="torch")
    scores = ScoreCache(10)
    scores.get("key", lambda: 0.5)
    assert scores.join(PATIENCE)
    assert second.state is JobState.WAITING
    for job in (first, second):
        assert job.join(PATIENCE)
        progress = job.snapshot()
        assert progress.state is JobState.FINISHED
        assert 0 < progress.seconds < PATIENCE
    assert first.snapshot().seconds > 0.3
