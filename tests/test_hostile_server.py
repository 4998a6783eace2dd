"""A running server among hostile visitors; the long form is `python -m tests.hostile_server`."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from visiting import awaited

from metademo.ui.server.guard import MOST_FILES, MOST_HASHES, MOST_JSON, MOST_WIDGETS, is_heard
from metademo.visitor import CHART, visit
from tests.browser import ROOT, Server, running
from tests.hostile_server import (
    Fault,
    apart,
    attacks,
    differences,
    drawn,
    first,
    place_for_upload,
    put,
    siege,
    traces_of_ours,
)

SECONDS, OTHERS, ROUNDS = 6.0, 30, 20
MEGABYTE = 2**20
CAP = 4 * MEGABYTE


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(ROOT / "streamlit_app.py") as server:
        yield server


# Before anybody has learners measured, which takes memory for a while.


def upload(server: Server, size: int, **options):
    async def sent():
        async with visit(server.url) as visitor:
            place = await place_for_upload(visitor)
            return await asyncio.to_thread(put, server.url, place, size, **options)

    return awaited(sent())


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
def test_an_upload_above_the_cap_is_refused_before_it_is_read(server, chunked):
    before = memory_at_rest(server)
    done = upload(server, 200 * MEGABYTE, chunked=chunked)
    assert done.status == 413
    assert done.sent < 20 * MEGABYTE  # what the lines hold is on its way already
    assert memory(server) - before < 30 * MEGABYTE


def test_an_upload_that_says_it_is_short_is_read_no_further(server):
    done = upload(server, 200 * MEGABYTE, chunked=False, claims=1_000)
    assert done.status in (204, 400)
    assert done.sent < 20 * MEGABYTE


@pytest.mark.parametrize(("size", "status"), [(CAP - 4_096, 204), (CAP + 1, 413)])
def test_the_cap_is_that_of_the_settings(server, size, status):
    assert upload(server, size, chunked=True).status == status


def memory(server: Server) -> int:
    """Bytes that the server has had at most, where the system tells."""
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return 1024 * int(lines["VmHWM"].split()[0])


def memory_at_rest(server: Server) -> int:
    """The same once the first visit has had its effect: code is loaded for some seconds."""

    async def come() -> None:
        async with visit(server.url):
            pass

    awaited(come())
    before = -1
    while (now := memory(server)) != before:
        before = now
        time.sleep(2)
    return now


def test_nobody_notices_what_hostile_visitors_send(server):
    """All messages and tables, and some of the rest: the order is the same each time."""
    every = attacks()
    some = random.Random(1).sample(every[first() :], OTHERS)
    report = awaited(siege(server.url, every[: first()] + some, seconds=SECONDS, at_once=3))
    assert not report.faults
    assert report.done["message"] > 10
    assert len(report.clicks) > 10
    assert not traces_of_ours(server.said)


def test_two_visitors_at_once_never_see_each_others_points(server):
    awaited(apart(server.url, ROUNDS))


def test_whose_curves_they_are_can_be_told(server):
    async def two() -> list[str]:
        async with visit(server.url) as one, visit(server.url) as other:
            return differences(await drawn(one, 0), await drawn(other, 1))

    assert {"points", "maml"} <= set(awaited(two()))


def test_caches_of_all_are_not_cleared_at_the_word_of_one(server):
    async def stranger() -> str:
        async with visit(server.url) as visitor:
            await visitor.send(BackMsg(clear_cache=True).SerializeToString())
            await visitor.send(BackMsg(load_git_info=True).SerializeToString())
            await visitor.gesture(CHART, kind="add", to=[0.5, 0.5])
        return server.said

    said = awaited(stranger())
    assert "passed over a message: clear_cache" in said
    assert "passed over a message: load_git_info" in said


def test_a_part_of_a_page_that_was_left_does_not_clear_the_one_that_is_there(server):
    """As where a chart tells of something while a button opens another page."""

    async def late() -> None:
        async with visit(server.url) as visitor:
            left, message = visitor.find(CHART), BackMsg()
            message.rerun_script.page_script_hash = visitor.script
            message.rerun_script.fragment_id = left.fragment
            going = asyncio.create_task(visitor.go("compare"))
            await asyncio.sleep(0.02)
            await visitor.send(message.SerializeToString())  # before the other page is whole
            await going
            await asyncio.sleep(0.3)
            # The next answer is that of the page which is there.
            await visitor.gesture(CHART, kind="add", to=[0.5, 0.5])

    awaited(late())


def rerun() -> BackMsg:
    message = BackMsg()
    message.rerun_script.query_string = "x=1"
    return message


def test_what_pages_send_is_heard():
    heard = [rerun(), BackMsg(stop_script=True), BackMsg(app_heartbeat=True), BackMsg()]
    heard[-1].file_urls_request.file_names.extend(["x"] * MOST_FILES)
    assert all(map(is_heard, heard))


@pytest.mark.parametrize("kind", ["clear_cache", "load_git_info", "set_run_on_save"])
def test_what_no_page_sends_is_not(kind):
    assert not is_heard(BackMsg(**{kind: True}))


def test_nor_is_what_makes_much_of_itself():
    files, hashes, widgets = BackMsg(), rerun(), rerun()
    files.file_urls_request.file_names.extend([""] * (MOST_FILES + 1))
    hashes.rerun_script.cached_message_hashes.extend([""] * (MOST_HASHES + 1))
    for _ in range(MOST_WIDGETS + 1):
        widgets.rerun_script.widget_states.widgets.add()
    told, too_much = rerun(), rerun()
    told.rerun_script.widget_states.widgets.add(json_value="x" * MOST_JSON)
    too_much.rerun_script.widget_states.widgets.add(json_value="x" * (MOST_JSON + 1))
    assert is_heard(told)
    assert not any(map(is_heard, (BackMsg(), files, hashes, widgets, too_much)))


def test_a_traceback_of_ours_is_found():
    def trace(file) -> str:
        return f'Traceback (most recent call last):\n  File "{file}", line 3, in x\n    y\nE: z\n'

    ours, theirs = trace(ROOT / "metademo" / "a.py"), trace("/usr/lib/json.py")
    assert len(traces_of_ours(theirs + ours + theirs)) == 1


def test_a_bystander_who_sees_something_else_says_so():
    from tests.hostile_server import Bystander

    class Other:
        async def gesture(self, component, **gesture):
            pass

        def find(self, component):
            return type("Drawn", (), {"data": {"points": [[1.0, 0.0]]}})

    with pytest.raises(Fault, match="were clicked"):
        awaited(Bystander(Other()).click())
