"""A running server among hostile visitors: ``python -m tests.hostile_server [--seconds 60]``.

Hostile visitors send it whatever a WebSocket takes: bytes that are no message, messages that no
page sends, widgets set to values of every type, gestures without end or sense, addresses and CSV of
every badness. Beside them a bystander clicks, and has to be answered: at once, and with what was
asked for. No page may show a traceback, and the server's log none that ends in code of ours.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import functools
import itertools
import json
import math
import random
import re
import select
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed

from metademo.moments.address import PAGES, _readable
from metademo.visitor import CHART, Part, VisitError, Visitor, visit
from tests.browser import ROOT, Server, running

PATIENCE = 8.0
WORST, USUAL = 3.0, 0.5
"""Seconds for a click of the bystander, at most and in the median, on a machine with other work."""
UNITS = 60
"""By how much of 65,000 a curve may differ: the engine may be another by then."""
DEEP = "[" * 100_000
CHARACTERS = "\0\u202e\ud7ff\U0001f600<script>%s{0}'\";--\n\t\\"


ENDS = ("hung up", "redacted", "no answer")
"""What a hostile visitor may come to see: what is passed over is not answered either."""


class Fault(AssertionError):
    """The server did what it may not do."""


# ------------------------------------------------------------------------ what is sent


def messages() -> dict[str, bytes | str]:
    """What no page sends, as it is."""
    of_kinds = {
        "clear the caches": BackMsg(clear_cache=True),
        "shut down": BackMsg(debug_shutdown_runtime=True),
        "disconnect": BackMsg(debug_disconnect_websocket=True),
        "run on save": BackMsg(set_run_on_save=True),
        "tell of git": BackMsg(load_git_info=True),
        "stop": BackMsg(stop_script=True),
        "heartbeat": BackMsg(app_heartbeat=True),
    }
    for payload in ("install_skills", "dismiss_skills_nudge", "deferred_file", "dataframe_chunk"):
        of_kinds[payload] = BackMsg()
        getattr(of_kinds[payload].backend_operation_request, payload).SetInParent()
    found: dict[str, bytes | str] = {n: m.SerializeToString() for n, m in of_kinds.items()}
    for fragment, script, page in (("x" * 10_000, "", ""), ("", "\0", ""), ("", "", "../../etc")):
        message = BackMsg()
        run = message.rerun_script
        run.fragment_id, run.page_script_hash, run.page_name = fragment, script, page
        found[f"stale {fragment[:1]}{script}{page}"] = message.SerializeToString()
    return found | _floods() | {
        "no bytes": b"",
        "noise": random.Random(0).randbytes(1_000),
        "text": "hello",
        "cut short": found["stop"][:-1],
        "zeros": bytes(1_000),
        "10 MB": b"\x5a" + bytes(10**7),
    }  # fmt: skip


def _floods() -> dict[str, bytes]:
    """A few megabytes that make much of themselves."""
    urls, hashes, widgets, places = BackMsg(), BackMsg(), BackMsg(), BackMsg()
    urls.file_urls_request.file_names.extend([""] * 100_000)
    hashes.rerun_script.cached_message_hashes.extend([""] * 1_000_000)
    widgets.rerun_script.widget_states.widgets.extend([WidgetState(id="x")] * 100_000)
    places.rerun_script.query_string = "points=" + "0,0+" * 500_000
    return {
        "a place for 100,000 files": urls.SerializeToString(),
        "a million answers kept": hashes.SerializeToString(),
        "100,000 widgets": widgets.SerializeToString(),
        "an address of 2 MB": places.SerializeToString(),
    }


@functools.cache
def values(component: bool) -> list[dict[str, Any]]:
    """Fields of `WidgetState`, each with what it may hold at worst."""
    texts = ["", "\0<script>", "x" * 100_000, "[]", '{"edited_rows":{"9":1}}', "NaN"]
    numbers = [math.nan, math.inf, -1e300, 0.5]
    found: list[dict[str, Any]] = [{}, {"bool_value": True}, {"bytes_value": b"\xff"}]
    found += [{"trigger_value": True}]
    found += [{"string_value": text} for text in texts]
    found += [{"double_value": number} for number in numbers]
    found += [{"int_value": number} for number in (2**62, -1)]
    found += [{"json_value": text} for text in (*jsons(), *(component * gestures()))]
    return found


def jsons() -> tuple[str, ...]:
    return (
        "null", "3", "{", "NaN", "[]", '"x"', DEEP, DEEP + "]" * 100_000,
        '{"edit":' * 900 + "1" + "}" * 900, '{"edit":NaN,"heard":Infinity}', '{"edit":1e999}',
        json.dumps({"edit": "x" * 3_500_000}), f'{{"heard":{"9" * 4_000}}}',
    )  # fmt: skip


def gestures() -> list[str]:
    """What a component may be said to have been told, by somebody who knows how it speaks."""
    add = {"seq": 1, "kind": "add", "to": [0.5, 0.5]}
    many = [[k / 1e6, 0] for k in range(100_000)]
    wrong: list[Any] = [
        add | {"seq": -5}, add | {"seq": 1e308}, add | {"seq": "1"}, add | {"seq": None},
        add | {"kind": "explode"}, add | {"kind": ["add"]}, add | {"to": [1e308, -1e308]},
        add | {"to": [[1], 2]}, add | {"to": many}, add | {"at": {}}, add | {"value": 10**300},
        add | {"kind": "draw", "drawing": many}, add | {"kind": "value", "value": "x"},
        add | {"kind": "restore", "view": "{" * 10_000}, add | {"kind": "restore", "view": "[]"},
        add | {"kind": "restore", "view": '{"points":[[1e999,0]],"steps":-1,"weights":"../x"}'},
        add | {"kind": "undo"}, add | {"kind": "redo"}, add | {"kind": "new"}, None, 3, [add],
    ]  # fmt: skip
    edits: list[Any] = [{"visit": "v", "gestures": [one]} for one in wrong]
    edits += [
        {"visit": "v", "gestures": [add] * 20_000},
        {"visit": "v", "gestures": [add | {"to": [k / 1e5, 0]} for k in range(20_000)]},
        {"visit": "v" * 100_000, "gestures": [add]},
        {"visit": ["v"], "gestures": [add]},
        {"gestures": {"0": add}},
    ]
    return [json.dumps({"edit": edit}) for edit in edits]


def addresses(page: str) -> Iterator[str]:
    """Each parameter of a page's address with each odd value."""
    odd = (
        "", "x", "1e999", "nan", "-1", "9" * 9_000, "0,0 " * 3_000, "\0", CHARACTERS, "../../etc",
        "%00", "%ff%fe", "[[[[", "1,2,3", "0,0;1,1", "True", "١", "x" * 20_000, "1_0", "0x10",
    )  # fmt: skip
    names = [*_readable(PAGES[page]), "at", "v", "lock", "hide", "tour", "run", "embed", "\0"]
    for name in names:
        for value in odd:
            yield f"{quote(name)}={quote(value)}&{quote(name)}={quote(value[:100])}"
    yield "&" * 10_000
    yield "%" * 10_000
    yield "=" + CHARACTERS.replace("\ud7ff", "")


TABLES = (
    "", "x, y", "0, 0", "a,b\n" * 1_999, "0,0\n" * 5_000, "1e999, 0", "nan, nan", "1,2\0", "=1+1,2",
    '"' * 10_000, '"0,0\n0,0', CHARACTERS, "1 " * 100_000, "0;0,5\r\r\n1;2", "9" * 400 + ",1",
    "x" * 1_200_000, "\n" * 500_000, ",;|\t" * 20_000, "<script>alert(1)</script>,0",
)  # fmt: skip
"""What may be pasted for CSV."""

# ------------------------------------------------------------------------ who sends it

Attack = tuple[str, Callable[[str], Any]]
"""What it is, and the coroutine that does it to a server's URL."""


def attacks() -> list[Attack]:
    """All of them; of messages and tables each, the rest is for chance to choose from."""
    sent: list[Attack] = [
        (f"message: {name}", lambda url, data=data: _send(url, data))
        for name, data in messages().items()
    ]
    pasted: list[Attack] = [
        (f"CSV: {table[:20]!r}", lambda url, table=table: _paste(url, table)) for table in TABLES
    ]
    said: list[Attack] = [
        (f"/{page}?{query[:60]}", lambda url, page=page, query=query: _come(url, page, query))
        for page in PAGES
        for query in addresses(page)
    ]
    told: list[Attack] = [
        (f"values on /{page}, {k}", lambda url, page=page, k=k: _tell(url, page, k))
        for page in PAGES
        for k in range(60)
    ]
    return sent + pasted + said + told


def first() -> int:
    """How many of the attacks are for everybody."""
    return len(messages()) + len(TABLES)


@contextlib.asynccontextmanager
async def _hostile(
    url: str, page: str = "", *, seconds: float = PATIENCE
) -> AsyncIterator[Visitor]:
    """A visit that may come to any end but one: that its page tells more than it should."""
    visitor = None
    try:
        async with visit(url, page, seconds=seconds) as visitor:
            yield visitor
    except ConnectionClosed:
        pass
    except VisitError as end:
        if visitor is not None:
            check_exceptions(visitor.parts.values())
        if not any(said in str(end) for said in ENDS):
            raise Fault(str(end)) from end


def check_exceptions(parts: Any) -> None:
    """A page may say that there was an error, and nothing of where.

    Raises:
        Fault: if it does.
    """
    for part in parts:
        if part.kind == "exception":
            told = part.proto
            if list(told.stack_trace) or "redacted" not in told.message:
                raise Fault(f"a page shows {told}")


async def _send(url: str, data: bytes | str) -> None:
    """Send something, and go on as if nothing were."""
    async with _hostile(url) as visitor:
        await visitor.send(data)
        await visitor.press("Take the tour")


async def _come(url: str, page: str, query: str) -> None:
    """Follow a link. Whatever it says, what comes is a page without any error."""
    async with visit(url, page * (page != "maml"), query, seconds=PATIENCE) as visitor:
        if len(visitor.parts) < 5:
            raise Fault("the page is empty")


async def _tell(url: str, page: str, number: int) -> None:
    """Set each element of a page to an odd value: another one with each number."""
    async with _hostile(url, page * (page != "maml"), seconds=3) as visitor:
        known = [_id_of(part) for part in visitor.parts.values()]
        for place, name in enumerate(filter(None, known)):
            # Each run may have it drawn by another fragment, or not at all.
            part = next((p for p in visitor.parts.values() if _id_of(p) == name), None)
            if part is not None:
                odd = values(component=part.kind.startswith("metademo"))
                await visitor.tell(part, **odd[(7 * place + number) % len(odd)])


def _id_of(part: Part) -> str:
    return getattr(part.proto, "id", "")


async def _paste(url: str, table: str) -> None:
    """Place points by CSV. What can't be read is told in words."""
    async with visit(url, "", "unfolded=own", seconds=PATIENCE) as visitor:
        text = visitor.find("text_area")
        visitor.keep(text, string_value=table)
        await visitor.press("Place these points")


# ------------------------------------------------------------------------ who must not notice


@dataclass
class Bystander:
    """Clicks on and on, and sees to it that each answer is about these clicks."""

    visitor: Visitor
    xs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    async def click(self) -> None:
        x = round(-6 + 0.61 * (len(self.seconds) % 19), 3)
        if len(self.xs) == 15:
            self.xs.clear()
            await self._do(kind="clear")
        self.xs.append(x)
        await self._do(kind="add", to=[x, 0.25])

    async def _do(self, **gesture: Any) -> None:
        began = time.perf_counter()
        await self.visitor.gesture(CHART, **gesture)
        self.seconds.append(time.perf_counter() - began)
        shown = [x for x, _ in self.visitor.find(CHART).data["points"]]
        if shown != self.xs:
            raise Fault(f"{self.xs} were clicked, and {shown} are shown")

    def check(self) -> None:
        """Raises Fault if answers were late."""
        worst, usual = max(self.seconds), statistics.median(self.seconds)
        if worst > WORST or usual > USUAL:
            raise Fault(f"clicks took {usual:.2f} s, and {worst:.2f} s at worst")


@dataclass
class Report:
    """What a siege came to.

    Attributes:
        done: how many attacks, by what they begin with.
        faults: by what they were.
        clicks: seconds of each of the bystander's.
    """

    done: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    clicks: list[float] = field(default_factory=list)


async def siege(
    url: str, todo: list[Attack], *, seconds: float = math.inf, at_once: int = 2
) -> Report:
    """Have attacks made, some at a time, while a bystander clicks."""
    report, end, waiting = Report(), time.monotonic() + seconds, iter(todo)

    async def attack() -> None:
        for name, do in waiting:
            if time.monotonic() > end:
                return
            try:
                await do(url)
            except (Fault, VisitError, OSError) as fault:
                report.faults[name] = f"{type(fault).__name__}: {fault}"[:300]
            report.done[re.split(r"[:?, ]", name)[0]] += 1

    async with visit(url, seconds=PATIENCE) as visitor:
        bystander = Bystander(visitor)
        besieging = asyncio.gather(*(attack() for _ in range(at_once)))
        while not besieging.done():
            await bystander.click()
            await asyncio.sleep(0.05)
        await besieging
        report.clicks = bystander.seconds
        bystander.check()
    return report


def traces_of_ours(log: str) -> list[str]:
    """The tracebacks in a server's log that end in code of ours."""
    found = []
    for trace in log.split("Traceback (most recent call last)")[1:]:
        frames = re.findall(r'^\s*File "([^"]+)", line \d+', trace, re.MULTILINE)
        if frames and frames[-1].startswith((str(ROOT / "metademo"), str(ROOT / "streamlit_app"))):
            found.append(trace[-1_500:])
    return found


# ------------------------------------------------------------------------ whose state is whose

PATTERNS = [(-4.0, 0.9), (-2.5, -0.9), (-1.0, 0.5), (0.5, -0.5), (2.0, 0.0), (3.5, 0.9)]


async def drawn(visitor: Visitor, pattern: int) -> dict[str, Any]:
    """Place one point alone; the points and curves that are drawn then."""
    await visitor.gesture(CHART, kind="clear")
    await visitor.gesture(CHART, kind="add", to=list(PATTERNS[pattern]))
    data = visitor.find(CHART).data
    curves = {c["name"]: np.frombuffer(base64.b64decode(c["y"]), "<i2") for c in data["curves"]}
    return {"points": data["points"], "curves": curves}


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Which curves of two charts are not the same; "points" if these are not."""
    found = ["points"] * (one["points"] != other["points"])
    if one["curves"].keys() != other["curves"].keys():
        return [*found, "curves"]
    for name, y in one["curves"].items():
        if np.abs(y.astype(int) - other["curves"][name]).max() > UNITS:
            found.append(name)
    return found


async def apart(url: str, rounds: int) -> None:
    """Two visitors place points at once, again and again; each has to see what it would see alone.

    Raises:
        Fault: if one of them sees something else.
    """
    async with visit(url) as alone:
        expected = [await drawn(alone, pattern) for pattern in range(len(PATTERNS))]
    if not all("maml" in differences(*pair) for pair in itertools.pairwise(expected)):
        raise Fault("the curves of different points are alike: nothing could be told by them")
    async with visit(url) as one, visit(url) as other:
        for turn in range(rounds):
            mine, yours = turn % len(PATTERNS), (turn * 5 + 1) % len(PATTERNS)
            yours = (yours + (mine == yours)) % len(PATTERNS)
            seen = await asyncio.gather(drawn(one, mine), drawn(other, yours))
            for found, pattern in zip(seen, (mine, yours), strict=True):
                if wrong := differences(found, expected[pattern]):
                    raise Fault(f"round {turn}: {', '.join(wrong)} of somebody else")


# ------------------------------------------------------------------------ uploads


async def place_for_upload(visitor: Visitor) -> str:
    """Where a visitor may put a file, as the server says."""
    message = BackMsg()
    message.file_urls_request.request_id = "1"
    message.file_urls_request.file_names.append("x")
    await visitor.send(message.SerializeToString())
    return (await visitor.hear("file_urls_response")).file_urls[0].upload_url


@dataclass
class Put:
    """A file that is being sent to the server.

    Attributes:
        status: of the answer.
        sent: bytes of the body that were sent before it.
    """

    status: int
    sent: int


def put(url: str, place: str, size: int, *, chunked: bool, claims: int | None = None) -> Put:
    """Send a file of so many bytes, until it is sent or the server answers.

    Args:
        chunked: without saying beforehand how long it is.
        claims: sizes that a header states, if not the true one.
    """
    host = urlsplit(url).netloc
    connection = HTTPConnection(host, timeout=PATIENCE)
    connection.request("GET", "/_stcore/health")
    answer = connection.getresponse()
    answer.read()
    token = re.search(r"_streamlit_xsrf=([^;]+)", answer.headers.get("Set-Cookie") or "")
    edge = "-x"
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="f"; filename="x.csv"\r\n\r\n'.encode()
    )
    tail = f"\r\n--{edge}--\r\n".encode()
    connection.putrequest("PUT", "/" + place.lstrip("/"))
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    if token:
        headers |= {"Cookie": f"_streamlit_xsrf={token[1]}", "X-Xsrftoken": token[1]}
    length = len(head) + size + len(tail) if claims is None else claims
    headers |= {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(length)}
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    sent = _pour(connection, (head, *_pieces(size), tail), chunked)
    status = connection.getresponse().status
    connection.close()
    return Put(status, sent)


def _pieces(size: int) -> Iterator[bytes]:
    piece = bytes(2**16)
    for _ in range(size // len(piece)):
        yield piece
    yield bytes(size % len(piece))


def _pour(connection: HTTPConnection, pieces: Any, chunked: bool) -> int:
    """Send pieces until there is an answer; how many bytes were sent."""
    sent = 0
    for piece in pieces:
        if select.select([connection.sock], [], [], 0)[0]:
            break
        data = b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece
        try:
            if piece:
                connection.send(data)
        except OSError:  # it has hung up already; its answer may be there all the same
            break
        sent += len(piece)
    else:
        if chunked:
            connection.send(b"0\r\n\r\n")
    return sent


# ------------------------------------------------------------------------ the long form


async def all_of_it(server: Server, seconds: float, rounds: int, seed: int) -> int:
    chance, every = random.Random(seed), attacks()
    todo = every[: first()]
    rest = every[first() :]
    chance.shuffle(rest)
    began = time.perf_counter()
    await apart(server.url, rounds)
    print(f"{rounds:,} rounds of two visitors: {time.perf_counter() - began:.0f} s, none mixed up")
    report = await siege(server.url, todo + rest, seconds=seconds, at_once=3)
    clicks = sorted(report.clicks)
    print(f"attacks: {sum(report.done.values()):,} of {len(every):,}, {dict(report.done)}")
    print(
        f"{len(clicks):,} clicks of a bystander: median {1000 * statistics.median(clicks):.0f} ms,"
        f" 99 % {1000 * clicks[int(0.99 * len(clicks))]:.0f} ms, worst {1000 * clicks[-1]:.0f} ms"
    )
    traces = traces_of_ours(server.said)
    for name, fault in (*report.faults.items(), *(("the log", trace) for trace in traces)):
        print(f"FAULT: {name}: {fault}")
    return bool(report.faults or traces)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with running(ROOT / "streamlit_app.py") as server:
        return asyncio.run(all_of_it(server, arguments.seconds, arguments.rounds, arguments.seed))


if __name__ == "__main__":
    sys.exit(main())
