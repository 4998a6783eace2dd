"""Who is let in: so many at once, then those who wait, in order; and nobody inside is slowed."""

from __future__ import annotations

import logging

import pytest
from browser import ROOT, running
from chart_page import CHART
from visiting import Apart

from metademo.ui.server import admission
from metademo.ui.server.admission import ASK_SECONDS, Capacity, Door
from metademo.visitor import CHART as CHART_PART
from metademo.visitor import visit

GRACE = 15.0


class Street:
    """A door, the time, and whose connections are up."""

    def __init__(self, capacity: int):
        self.now, self.gone = 0.0, set()
        self.door = Door(
            Capacity(max_sessions=capacity, grace_seconds=GRACE),
            lambda one: one not in self.gone,
            lambda: self.now,
        )

    def ask(self, *visitors: str) -> list[int]:
        return [self.door.ask(one) for one in visitors]


def test_so_many_are_let_in_and_others_wait_in_order():
    street = Street(2)
    assert street.ask("a", "b", "c", "d") == [0, 0, 1, 2]
    assert street.ask("d", "c", "b", "a") == [2, 1, 0, 0]
    street.gone.add("a")
    assert street.ask("c") == [1], "a connection may come back"
    while street.now < GRACE:
        street.now += ASK_SECONDS
        places = street.ask("d", "c")
    assert places == [2, 0]
    assert street.ask("d") == [1]
    assert street.ask("b", "c") == [0, 0]


def test_a_connection_that_comes_back_has_kept_its_place():
    street = Street(1)
    street.ask("a", "b")
    street.gone.add("a")
    street.now += GRACE / 2
    assert street.ask("b", "a") == [1, 0]
    street.gone.remove("a")
    street.now += GRACE
    assert street.ask("b", "a") == [1, 0]


def test_who_leaves_the_line_or_falls_asleep_in_it_keeps_nobody_waiting():
    street = Street(1)
    assert street.ask("a", "b", "c", "d") == [0, 1, 2, 3]
    street.gone.add("b")
    assert street.ask("d", "c") == [2, 1]
    street.now += 4 * ASK_SECONDS
    assert street.ask("d") == [1], "nobody else has asked"
    assert street.ask("c") == [1], "who wakes up has kept the place"
    assert street.ask("d") == [2]


def test_a_hundred_at_once_find_exactly_the_room_there_is():
    street = Street(10)
    places = street.ask(*(str(number) for number in range(100)))
    assert places == [0] * 10 + list(range(1, 91))


def test_the_capacity_is_said_by_the_environment(monkeypatch, caplog):
    monkeypatch.setenv("METADEMO_MAX_SESSIONS", "7")
    assert Capacity().max_sessions == 7
    monkeypatch.setenv("METADEMO_MAX_SESSIONS", "many")
    admission.door.cache_clear()
    with caplog.at_level(logging.WARNING):
        admission.door()
    admission.door.cache_clear()
    assert "METADEMO_MAX_SESSIONS" in caplog.text


@pytest.fixture(scope="module")
def small_server():
    """A server for one visitor at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METADEMO_MAX_SESSIONS", "1")
        patch.setenv("METADEMO_GRACE_SECONDS", "1")
        with running(ROOT / "streamlit_app.py") as server:
            yield server


def test_a_newcomer_waits_and_is_let_in_with_what_the_link_says(small_server, page):
    with Apart() as inside:
        visiting = visit(small_server.url)
        visitor = inside.do(visiting.__aenter__())
        page.goto(f"{small_server.url}/?points=1,0.5&steps=2")
        page.get_by_role("heading", name="Full for the moment").wait_for()
        page.get_by_text("You are next.").wait_for()
        _, seconds = inside.do(visitor.gesture(CHART_PART, kind="add", to=[1.0, 0.5]))
        assert seconds < 5, "who is inside goes on"
        assert page.locator(CHART).count() == 0
        inside.do(visiting.__aexit__(None, None, None))
    page.wait_for_selector(f"{CHART}[data-ready=true]")
    assert page.locator(CHART).get_attribute("data-points") == "[[1,0.5]]"
