"""Long computations in the background: each once, one after another, and nobody waits."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from metademo.ui.server.score_cache import PENDING, Failed, ScoreCache

WAIT = 30


@pytest.fixture
def gate():
    """Computations wait until it is opened, at the latest when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_ten_visitors_at_once_cause_one_computation_and_wait_for_none(gate):
    cache, made = ScoreCache(10), []

    def compute():
        assert gate.wait(WAIT)
        made.append(threading.current_thread().name)
        return "value"

    start = threading.Barrier(10)

    def visit(_):
        start.wait(WAIT)
        return cache.get("key", compute)

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(visit, range(10))) == [PENDING] * 10  # though the gate is shut
    gate.set()
    assert cache.join(WAIT)
    assert cache.get("key", compute) == "value"
    assert made == ["metademo-scores"]


def test_a_key_that_is_being_computed_is_not_computed_again(gate):
    cache, begun, made = ScoreCache(10), threading.Event(), []

    def compute():
        begun.set()
        assert gate.wait(WAIT)
        made.append(1)
        return len(made)

    assert cache.get("key", compute) is PENDING
    assert begun.wait(WAIT)
    assert cache.get("key", compute) is PENDING
    gate.set()
    assert cache.join(WAIT)
    assert cache.get("key", compute) == 1


def test_what_fails_is_told_and_blocks_nothing(caplog):
    cache = ScoreCache(10)

    def fail():
        raise ValueError("no such thing")

    cache.get("good", lambda: 1)
    cache.get("bad", fail)
    assert cache.join(WAIT)
    assert cache.get("good", fail) == 1
    assert cache.get("bad", lambda: 2) == Failed("no such thing")
    assert "no such thing" in caplog.text
    cache.get("next", lambda: 3)
    assert cache.join(WAIT)
    assert cache.get("next", fail) == 3


def test_nothing_is_a_result_like_any_other():
    cache = ScoreCache(10)
    cache.get("key", lambda: None)
    assert cache.join(WAIT)
    assert cache.get("key", lambda: 1) is None


def test_the_latest_request_comes_first_and_the_oldest_ones_are_dropped(gate):
    cache, made, begun = ScoreCache(10, queue=3), [], threading.Event()

    def first():
        begun.set()
        assert gate.wait(WAIT)

    cache.get("first", first)
    assert begun.wait(WAIT)
    for key in "abcdb":  # `b` is asked for again: somebody still waits for it
        cache.get(key, lambda key=key: made.append(key))
    gate.set()
    assert cache.join(WAIT)
    assert made == ["b", "d", "c"]
    assert cache.get("a", lambda: None) is PENDING
    assert cache.join(WAIT)


def test_the_least_recently_used_results_go_first():
    cache, made = ScoreCache(2), []
    for key in "ababcb":
        cache.get(key, lambda key=key: made.append(key) or key)
        assert cache.join(WAIT)
    assert made == ["a", "b", "c"]
    assert cache.get("b", lambda: None) == "b"
    assert cache.get("a", lambda: "again") is PENDING
    assert cache.join(WAIT)


def test_without_a_thread_to_be_had_the_next_request_tries_again(monkeypatch, caplog):
    cache = ScoreCache(10)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda self: (_ for _ in ()).throw(RuntimeError()))
        assert cache.get("key", lambda: 1) is PENDING
    assert "no thread" in caplog.text
    assert cache.get("key", lambda: 1) is PENDING
    assert cache.join(WAIT)
    assert cache.get("key", lambda: 2) == 1


ENDS = """
import threading, time
from metademo.ui.server.score_cache import ScoreCache
cache, begun = ScoreCache(capacity=2), threading.Event()
def measure(key):
    begun.set()
    time.sleep(0.2)
    print(key, flush=True)
def ask():
    cache.get(1, lambda: measure(1))
    begun.wait()
    cache.get(2, lambda: measure(2))
    ready.set()
ready = threading.Event()
threading.Thread(target=ask, daemon=True).start()
ready.wait()
"""


def test_the_end_of_the_program_waits_for_the_measurement_under_way_alone():
    """Asked for by a daemon: cut off in compiled code, its thread would abort the process."""
    ended = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n", "")
