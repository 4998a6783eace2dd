"""Many visitors at once, without browsers: `python -m tests.load` and `tests.churn` in short."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from browser import ROOT, Server, running
from visiting import Apart

from metademo.jobs import Limits
from metademo.visitor import Visitor, visit
from tests.load import LONG_RUN, PAGES, STAGE, Load, measure

STARTING = 30


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METADEMO_GRACE_SECONDS", "1")
        with running(ROOT / "streamlit_app.py") as server:
            yield server


@pytest.fixture
def apart() -> Iterator[Apart]:
    with Apart() as apart:
        yield apart


@pytest.mark.parametrize("page", PAGES)
def test_no_click_of_a_crowd_fails(apart, server, page):
    load = Load(sessions=6, trainings=1, seconds=1.5, page=page)
    found = apart.do(measure(load, server.url, server.process.pid))
    assert found["first_failures"] == []
    assert found["clicks"] >= load.sessions
    assert found["server_cpu_ms_per_click"] > 0


def said(visitor: Visitor) -> str:
    """What the Train page says of the visitor's run."""
    texts = [part.proto.body for part in visitor.parts.values() if part.kind == "markdown"]
    refusal = next((text for text in texts if "Not started" in text), "")
    return refusal or visitor.find(STAGE).data["progress"]["text"]


async def press_start(visitor: Visitor) -> str:
    await visitor.press("Start")
    return said(visitor)


def test_of_many_starts_at_once_exactly_the_cap_runs_and_the_rest_are_told(apart, server):
    limits, visitors = Limits(), AsyncExitStack()

    async def come() -> list[Visitor]:
        arriving = (visit(server.url, "train", LONG_RUN) for _ in range(STARTING))
        return [await visitors.enter_async_context(one) for one in arriving]

    async def start(all_of_them: list[Visitor]) -> list[str]:
        return await asyncio.gather(*map(press_start, all_of_them))

    came = apart.do(come())
    try:
        told = apart.do(start(came))
    finally:
        apart.do(visitors.aclose())
    places = sorted(int(n) for text in told for n in re.findall(r"number (\d+) in the wait", text))
    assert places == list(range(1, limits.max_waiting + 1))
    refused = [text for text in told if "Try again in a minute" in text]
    assert len(refused) == STARTING - limits.max_running - limits.max_waiting


def test_who_leaves_the_line_harms_nobody(apart, server):
    """The one before in the line leaves; the one behind moves up, and trains in the end."""

    async def moves_up() -> list[str]:
        async with AsyncExitStack() as running, AsyncExitStack() as first:
            for _ in range(Limits().max_running):
                one = await running.enter_async_context(visit(server.url, "train", LONG_RUN))
                while "Not started" in await press_start(one):  # others are still leaving
                    await asyncio.sleep(0.2)
                await told(one, "outer steps")
            leaver = await first.enter_async_context(visit(server.url, "train", LONG_RUN))
            async with visit(server.url, "train", LONG_RUN) as stayer:
                heard = [await press_start(leaver), await press_start(stayer)]
                await first.aclose()
                heard.append(await told(stayer, "number 1"))
                await running.aclose()
                heard.append(await told(stayer, "outer steps"))
                return heard

    first, second, moved_up, trains = apart.do(moves_up())
    assert "number 1 in the waiting line" in first
    assert "number 2 in the waiting line" in second
    assert "number 1 in the waiting line" in moved_up
    assert "of 300,000 outer steps" in trains


async def told(visitor: Visitor, what: str) -> str:
    """What the page says once it says `what`; it asks as the page in a browser does."""
    for turn in range(1, 200):
        stage = visitor.find(STAGE)
        have = {"turn": turn, "run": stage.data["run"], "steps": stage.data["snapshots"]}
        await visitor.edit(stage, have, name="have")
        if what in said(visitor):
            return said(visitor)
        await asyncio.sleep(0.1)
    return said(visitor)
