"""How the app bears a crowd, measured without browsers: ``python -m tests.load --sessions 50``.

Visitors speak Streamlit's protocol over WebSockets on this machine. They come one after another,
and when all are there each does something about once a second: a click at the chart (`maml`,
`compare`), a move of the handle (`daml`), a question for what is new (`train`). Once the hand is at
rest it lets its controls follow, as the page in a browser does. Others train all the while. Printed
are the times from sending until what was done comes back drawn, and what the server took for it.

The command ends with status 1 if anything failed. It starts the server itself, or takes one that
runs on a port of this machine; of that one it knows neither processor time nor memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from metademo.visitor import CHART, FOLLOWER, SOURCE, VisitError, Visitor, visit
from tests.browser import ROOT, running

PAUSE = (0.6, 1.4)
"""Seconds between what a visitor does and the next."""
REST = 0.25
"""Seconds after which the hand at the chart is at rest, as in `conversation.js`."""
APART = 0.05
"""Seconds between arrivals."""
MOST_SESSIONS, MOST_SECONDS = 2_000, 3_600
CLEAR_AT = 12
"""Points after which the chart is cleared."""
POLL = 0.25
LONG_RUN = "algorithm=maml&family=two-phase&recipe=fast&steps=300000&hidden=64"
STAGE = "metademo_train_stage"


@dataclass
class Measured:
    """What came of it all; seconds and bytes."""

    arrivals: list[float] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    received: int = 0


@dataclass
class Crowd:
    """What the visitors have in common."""

    url: str
    page: str
    rests: bool
    measured: Measured = field(default_factory=Measured)
    begin: asyncio.Event = field(default_factory=asyncio.Event)
    end: asyncio.Event = field(default_factory=asyncio.Event)


Deed = Callable[[Visitor, random.Random, int], Awaitable[float]]
"""What a visitor does for the nth time; the seconds until it was drawn."""


async def _click(visitor: Visitor, chance: random.Random, count: int) -> float:
    if count % CLEAR_AT == CLEAR_AT - 1:
        return (await visitor.gesture(CHART, kind="clear"))[1]
    point = [chance.uniform(-6, 6), chance.uniform(-1, 1)]
    return (await visitor.gesture(CHART, kind="add", to=point))[1]


async def _move(visitor: Visitor, chance: random.Random, count: int) -> float:
    return (await visitor.gesture(SOURCE, kind="value", value=chance.uniform(0, 2)))[1]


async def _ask(visitor: Visitor, chance: random.Random, count: int) -> float:
    have = {"turn": count + 1, "run": "", "steps": []}
    return (await visitor.edit(visitor.find(STAGE), have, name="have")).seconds


PAGES: dict[str, tuple[str, Deed]] = {
    "maml": ("", _click),
    "daml": ("daml", _move),
    "compare": ("compare", _click),
    "train": ("train", _ask),
}


async def _visitor(crowd: Crowd, number: int) -> None:
    """One visit: it arrives, waits for the others, and does things until the end."""
    path, deed = PAGES[crowd.page]
    chance = random.Random(number)
    await asyncio.sleep(number * APART)
    async with visit(crowd.url, path) as visitor:
        crowd.measured.arrivals.append(visitor.arrival.seconds)
        await crowd.begin.wait()
        await asyncio.sleep(chance.uniform(0, sum(PAUSE) / 2))
        before, count = visitor.received, 0
        while not crowd.end.is_set():
            next_one = time.monotonic() + chance.uniform(*PAUSE)
            crowd.measured.clicks.append(await deed(visitor, chance, count))
            count += 1
            follows = any(part.kind == FOLLOWER for part in visitor.parts.values())
            if crowd.rests and follows:
                await asyncio.sleep(REST)
                await visitor.rest()
            await asyncio.sleep(max(0.0, next_one - time.monotonic()))
        crowd.measured.received += visitor.received - before


async def _trainer(crowd: Crowd) -> None:
    """One who trains all the while, and watches."""
    async with visit(crowd.url, "train", LONG_RUN) as visitor:
        await visitor.press("Start")
        for turn in range(1, 10**9):
            if crowd.end.is_set():
                return
            stage = visitor.find(STAGE)
            have = {"turn": turn, "run": stage.data["run"], "steps": stage.data["snapshots"]}
            await visitor.edit(stage, have, name="have")
            if not visitor.find(STAGE).data["live"]:
                await visitor.press("Start")
            await asyncio.sleep(POLL)


async def _counted(crowd: Crowd, visitor: Awaitable[None]) -> None:
    try:
        await visitor
    except VisitError as fault:
        crowd.measured.failures.append(str(fault))


@dataclass(frozen=True)
class Process:
    """What a process has taken: seconds of processor time, and MB of resident memory."""

    seconds: float
    memory: float

    @classmethod
    def now(cls, number: int) -> Process:
        *_, after = Path(f"/proc/{number}/stat").read_text().rpartition(")")
        user, system = after.split()[11:13]
        pages = int(Path(f"/proc/{number}/statm").read_text().split()[1])
        return cls(
            (int(user) + int(system)) / os.sysconf("SC_CLK_TCK"),
            pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        )


async def _crowd(
    crowd: Crowd, sessions: int, trainings: int, seconds: float, server: int | None
) -> dict[str, float | int | None]:
    """Let them come, and measure for so many seconds what the server (a process) takes."""
    visitors = [_visitor(crowd, number) for number in range(sessions)]
    coming = [*(_trainer(crowd) for _ in range(trainings)), *visitors]
    tasks = [asyncio.create_task(_counted(crowd, one)) for one in coming]
    while len(crowd.measured.arrivals) + len(crowd.measured.failures) < sessions:
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)
    before = Process.now(server) if server else None
    crowd.begin.set()
    await asyncio.sleep(seconds)
    after = Process.now(server) if server else None
    done = len(crowd.measured.clicks)
    crowd.end.set()
    await asyncio.gather(*tasks)
    used = after.seconds - before.seconds if before and after else None
    return {
        "server_cpu_percent": None if used is None else round(100 * used / seconds, 1),
        "server_cpu_ms_per_click": None if used is None else round(1000 * used / max(done, 1), 2),
        "server_memory_mb": None if after is None else round(after.memory, 1),
    }


@dataclass(frozen=True)
class Load:
    """A crowd, and for how long it is measured."""

    sessions: int = 20
    trainings: int = 0
    seconds: float = 20
    page: str = "maml"
    rests: bool = True


async def measure(load: Load, url: str, server: int | None = None) -> dict[str, Any]:
    """Send a crowd to the app at `url`, which the process `server` runs if that is known."""
    crowd = Crowd(url, load.page, load.rests)
    taken = await _crowd(crowd, load.sessions, load.trainings, load.seconds, server)
    found = crowd.measured
    return {
        **asdict(load),
        "clicks": len(found.clicks),
        "click_ms": _percentiles(found.clicks),
        "arrival_ms": _percentiles(found.arrivals),
        "failures": len(found.failures),
        "first_failures": sorted(set(found.failures))[:5],
        "kb_per_click": round(found.received / max(len(found.clicks), 1) / 1000, 1),
        **taken,
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {f"p{p}": round(1000 * float(np.percentile(seconds, p)), 1) for p in (50, 95, 99)}


def _lines(found: dict[str, Any]) -> str:
    """The report for people."""
    return "\n".join(f"{name.replace('_', ' '):<24}{value}" for name, value in found.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", type=within(1, MOST_SESSIONS), default=20)
    parser.add_argument("--trainings", type=within(0, 100), default=0)
    parser.add_argument("--seconds", type=within(1, MOST_SECONDS), default=20)
    parser.add_argument("--page", choices=PAGES, default="maml")
    parser.add_argument("--port", type=within(1, 65_535), help="of a server that runs here")
    parser.add_argument("--warm", type=within(0, 60), default=8, help="seconds before the crowd")
    parser.add_argument("--restless", action="store_true", help="no hand rests: clicks alone")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    load = Load(given.sessions, given.trainings, given.seconds, given.page, not given.restless)
    with ExitStack() as started:
        if given.port:
            found = asyncio.run(measure(load, f"http://127.0.0.1:{given.port}"))
        else:
            server = started.enter_context(running(ROOT / "streamlit_app.py"))
            asyncio.run(_first(server.url))
            time.sleep(given.warm)  # by then the compiled engine is loaded, too
            found = asyncio.run(measure(load, server.url, server.process.pid))
    print(json.dumps(found) if given.json else _lines(found))
    return 1 if found["failures"] else 0


async def _first(url: str) -> None:
    async with visit(url):
        pass


def within(least: int, most: int) -> Callable[[str], int]:
    """What reads a whole number in this range from the command line."""

    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be from {least} to {most}")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main())
