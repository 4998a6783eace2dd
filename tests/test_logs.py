"""The log and the figures of a server: what happened, a line each, and nothing of a visitor's."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import IO

import pytest
from browser import ROOT, Server, running
from helpers import PATIENCE, small, wait
from pages import start
from test_upload import Dialogue
from visiting import awaited

from metademo import __version__, logs
from metademo.described import ConfigError
from metademo.jobs import Busy, Limits, Registry
from metademo.training import MetaTrainer
from metademo.ui.server import metrics
from metademo.ui.server.admission import Capacity, Door
from metademo.ui.server.metrics import Clicks
from metademo.visitor import CHART, Visitor, visit

log = logging.getLogger("metademo.tests")


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict]]:
    """What our own loggers have said: each event with its fields."""
    ours = [record for record in caplog.records if record.name.startswith("metademo.")]
    return [(record.getMessage(), getattr(record, "fields", {})) for record in ours]


@pytest.fixture
def written(monkeypatch, capsys) -> Callable[..., list[str]]:
    """`written(form)` sets the log up, has something said, and returns the lines."""
    logger = logging.getLogger("metademo")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "level", logging.WARNING)
    monkeypatch.setattr(logs, "_have_all_in_json", lambda handler: None)

    def write(form: str) -> list[str]:
        monkeypatch.setenv("METADEMO_LOG", form)
        logs.set_up()
        logs.set_up()  # as at a second start in the same process
        capsys.readouterr()
        logs.say(log, "tea\nis ready", cups=2, milk=None, time="noon")
        try:
            raise ValueError("no biscuits")
        except ValueError:
            log.exception("tea failed")
        return capsys.readouterr().err.splitlines()

    return write


def test_a_line_for_people_has_the_event_and_its_fields(written):
    first, second, *traceback = written("text")
    assert first.endswith("INFO metademo.tests: tea is ready (cups=2, time=noon)")
    assert second.endswith("ERROR metademo.tests: tea failed")
    assert traceback[-1] == "ValueError: no biscuits"


def test_a_line_for_machines_is_one_object(written):
    first, second = map(json.loads, written("json"))
    assert first.pop("time").endswith("+00:00")
    expected = {"level": "INFO", "logger": "metademo.tests", "event": "tea\nis ready", "cups": 2}
    assert first == expected, "no field takes the place of what each line has"
    assert second["traceback"].endswith("ValueError: no biscuits")


def test_another_form_is_named_and_the_log_is_for_people(written, monkeypatch, capsys):
    assert written("yaml")[0].endswith("tea is ready (cups=2, time=noon)")
    logs.set_up()
    assert "METADEMO_LOG 'yaml' is not known: choose from text, json" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        logs.LogSettings()


OTHERS = """
import logging, threading, warnings
other = logging.getLogger("another.library")
other.addHandler(logging.StreamHandler())
from metademo import logs
logs.set_up()
other.warning("from a library")
warnings.warn("deprecated")
def die():
    raise MemoryError
thread = threading.Thread(target=die)
thread.start()
thread.join()
"""


def test_what_others_say_is_an_object_a_line_too():
    done = subprocess.run(
        [sys.executable, "-c", OTHERS],
        env={"METADEMO_LOG": "json", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["logger"] for line in said] == ["another.library", "py.warnings", "metademo.logs"]
    assert said[-1]["traceback"].endswith("MemoryError")


# ---------------------------------------------------------------------------- what is logged


@pytest.fixture
def heard(caplog) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="metademo")
    return caplog


def test_a_training_has_a_line_at_its_start_and_one_at_its_end(make, heard):
    job = make(small("maml", steps=12))
    job.start()
    assert job.join(PATIENCE)
    (started, first), (ended, last) = lines(heard)
    assert (started, ended) == ("training started", "training ended")
    assert first == {"settings": "maml-two-phase original, changed"}
    assert 0 <= last.pop("seconds") < PATIENCE
    assert last == first | {"outcome": "finished", "steps": 12, "engine": "torch"}


def test_a_training_that_fails_has_its_fault_in_between(make, heard, monkeypatch):
    def broken(self, steps):
        raise RuntimeError("out of tea")

    monkeypatch.setattr(MetaTrainer, "advance", broken)
    job = make()
    job.start()
    assert job.join(PATIENCE)
    events = lines(heard)
    assert [event for event, _ in events][1:] == ["a training failed", "training ended"]
    assert events[-1][1]["outcome"] == "failed"


def test_each_refusal_has_a_line_with_its_reason(heard, no_thread_is_left):
    registry, config = Registry(Limits(max_running=1, max_waiting=1)), small("maml", steps=50_000)
    jobs = [registry.submit(config, owner, engine="torch", pace=20.0) for owner in "ab"]
    assert registry.load() == (1, 1)
    for owner, fault in (("a", Busy), ("c", Busy)):
        with pytest.raises(fault):
            registry.submit(config, owner)
    with pytest.raises(ConfigError):
        registry.submit(small("maml", hidden=129), "c")
    for job in reversed(jobs):
        job.stop()
        assert job.join(PATIENCE)
    said = [fields for event, fields in lines(heard) if event == "training refused"]
    assert said == [
        {"reason": "the visitor has another one"},
        {"reason": "the waiting line is full"},
        {"reason": "a limit", "setting": "hidden"},
    ]
    assert ("training waits", {"position": 1}) in lines(heard)


def test_a_refused_upload_has_one_line_however_often_the_page_is_drawn(heard):
    dialogue = Dialogue()
    for _ in range(2):
        dialogue.upload(b"no weights at all", "my private net.safetensors")
        dialogue.run()
    refused = [line for line in lines(heard) if line[0] == "upload refused"]
    assert refused == [("upload refused", {"what": "weights", "page": "maml"})] * 2
    assert "private" not in heard.text


def test_a_visitor_for_whom_there_is_no_room_has_one_line_however_often_the_page_asks(heard):
    door = Door(Capacity(max_sessions=1), connected=lambda visitor: True)
    assert [door.ask(visitor) for visitor in ("a", "b", "b", "a", "b")] == [0, 1, 1, 0, 1]
    assert lines(heard) == [("visitor waits", {"position": 1})]


# ---------------------------------------------------------------------------- the figures


def test_clicks_count_for_some_minutes():
    now = 0.0
    clicks = Clicks(clock=lambda: now)
    for seconds in (0.3, 0.1):
        clicks.add(seconds)
    now = 200.0
    clicks.add(0.2)
    assert clicks.latest() == [0.1, 0.2, 0.3]
    now = 400.0
    assert clicks.latest() == [0.2]


@pytest.mark.parametrize(
    ("taken", "p95"), [([], None), ([5], 5), (range(1, 101), 95), (range(1, 21), 19)]
)
def test_95_percent_of_the_clicks_took_no_longer(taken, p95, monkeypatch):
    clicks = Clicks()
    for milliseconds in taken:
        clicks.add(milliseconds / 1e3)
    monkeypatch.setattr(metrics, "CLICKS", clicks)
    assert (metrics.figures().clicks, metrics.figures().p95_ms) == (len(taken), p95)


def test_to_measure_a_click_takes_next_to_no_time(monkeypatch):
    monkeypatch.setattr(metrics, "CLICKS", Clicks())
    monkeypatch.setattr(metrics, "_after_a_click", lambda: True)
    draw, rounds = metrics.timed(lambda: None), []
    for _ in range(10):
        began = time.perf_counter()
        for _ in range(200):
            draw()
        rounds.append((time.perf_counter() - began) / 200)
    assert min(rounds) < 20e-6
    assert metrics.figures().clicks == 2_000


def test_a_drawing_that_is_cut_short_is_no_click(monkeypatch):
    monkeypatch.setattr(metrics, "CLICKS", Clicks())
    monkeypatch.setattr(metrics, "_after_a_click", lambda: True)

    def cut_short():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        metrics.timed(cut_short)()
    assert metrics.figures().clicks == 0


class Another:
    """A Streamlit whose insides are not those that we know."""

    @classmethod
    def instance(cls):
        return cls()


class Unknowing(Another):
    """One that knows no number."""

    _session_mgr = type("Manager", (), {"num_active_sessions": lambda self: object()})()


@pytest.mark.parametrize("runtime", [metrics.Runtime, Another, Unknowing])
def test_what_cannot_be_known_is_left_out(runtime, monkeypatch, heard):
    def misconfigured():
        raise ConfigError("must be a number", "METADEMO_MAX_RUNNING")

    monkeypatch.setattr(metrics, "Runtime", runtime)
    monkeypatch.setattr(metrics, "registry", misconfigured)
    monkeypatch.setattr(metrics, "Path", lambda path: ROOT / "no" / path[1:])
    metrics.report("figures")
    ((event, fields),) = lines(heard)
    assert event == "figures"
    assert fields.keys() <= {"clicks", "p95_ms", "seconds"}


def test_figures_are_reported_while_somebody_is_there(monkeypatch, heard):
    class Over(Exception):
        """Ends what has no end."""

    minutes = iter([0, 2, 0, 1])

    def sleep(seconds):
        assert seconds == 60
        if not minutes.__length_hint__():
            raise Over

    monkeypatch.setattr(metrics, "time", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(metrics, "_sessions", lambda: next(minutes))
    monkeypatch.setattr(metrics, "figures", lambda: metrics.Figures(1, 0, 0, 3, 7.5, 400, 60))
    with pytest.raises(Over):
        metrics._report_for_ever()
    assert [event for event, _ in lines(heard)] == ["figures", "figures"]


def test_about_shows_the_figures_when_it_is_asked_to(monkeypatch):
    app = start("about")
    folded = [part for part in app.expander if part.label == "This server"]
    assert len(folded) == 1
    assert not folded[0].markdown
    app.session_state["this server"] = True
    monkeypatch.setattr(
        metrics, "figures", lambda: metrics.Figures(12, 2, 1, 1234, 7.5, None, 3700)
    )
    (table,) = next(part for part in app.run().expander if part.label == "This server").markdown
    cells = [line.strip("| ").split(" | ") for line in table.value.splitlines()[2:]]
    assert dict(cells) == {
        "Version": __version__,
        "Connected pages": "12",
        "Trainings under way": "2",
        "Trainings that wait": "1",
        "Clicks of the last 5 minutes": "1,234",
        "Server time of a click, 95th percentile": "7.5\N{NO-BREAK SPACE}ms",
        "Resident memory": "–",
        "Since its first visitor": "1:01:40",
    }
    assert not app.exception


# ---------------------------------------------------------------------------- a whole server


@dataclass
class Life:
    """What a server has written to stderr, and how it ended."""

    said: list[str]
    code: int


async def visits(server: Server, stderr: IO[str]) -> None:
    """Two visitors: one plays, one trains, and the server is told to end while that goes on."""

    def under_way() -> bool:
        return b"training started" in os.pread(stderr.fileno(), 2**20, 0)

    async with visit(server.url) as player, visit(server.url, "train") as trainer:
        for x in (-2.718, 1.618):
            await player.gesture(CHART, kind="add", to=[x, 0.577])
        await player.rest()
        await slow_training(trainer)
        await asyncio.to_thread(wait, under_way)
        server.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(server.process.wait, PATIENCE)


async def slow_training(trainer: Visitor) -> None:
    """Start one that lasts."""
    await trainer.tell(trainer.find("slider", "Pace"), string_array_value={"data": ["3 a second"]})
    await trainer.press("Start")


@pytest.fixture(scope="module")
def life() -> Life:
    """A server that logs for machines, from its first visitor to its end."""
    with tempfile.TemporaryFile("w+") as stderr:
        environment = {"METADEMO_LOG": "json"}
        with running(ROOT / "streamlit_app.py", environment=environment, stderr=stderr) as server:
            awaited(visits(server, stderr))
        stderr.seek(0)
        return Life(stderr.read().splitlines(), server.process.returncode)


def test_a_server_tells_its_life_in_objects(life):
    greeting, *said = life.said  # Streamlit's own, before our code is there
    assert "server started on" in greeting
    assert life.code == 0
    events = {line["event"]: line for line in map(json.loads, said)}
    assert list(events) == ["server started", "training started", "server stops", "training ended"]
    assert len(said) == len(events), "each is said once"
    assert events["server started"]["version"] == __version__
    assert events["training ended"]["outcome"] == "stopped"
    stops = events["server stops"]
    assert (stops["sessions"], stops["running"], stops["waiting"]) == (2, 1, 0)
    assert stops["clicks"] == 2
    assert 0 < stops["p95_ms"] < 1e3 * PATIENCE
    assert 50 < stops["memory_mb"] < 4_000


def test_nothing_of_a_visitor_is_in_it(life):
    said = "\n".join(life.said[1:])
    for private in ("2.718", "1.618", "0.577", "127.0.0.1", "points=", "run="):
        assert private not in said
