"""What the server does at a visitor's word, and what it does not."""

from __future__ import annotations

import functools
import logging

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import RerunData, ScriptRunner

log = logging.getLogger(__name__)

MOST_JSON = 256 * 1024
"""Characters that a component tells. What they say is kept as long as the session, and Streamlit's
collection of garbage walks through it after each click of anybody."""
HEARD = ("rerun_script", "stop_script", "app_heartbeat", "file_urls_request")
"""Kinds of messages that the pages cause."""
MOST_FILES, MOST_WIDGETS, MOST_HASHES = 20, 1_000, 10_000
"""In a message: files that it asks places for (the pages upload one at a time), widgets that it
tells of, and answers that it need not be sent again. A million of them fit, and cost seconds."""


def heed_pages_alone() -> None:
    """Pass over messages that no page causes: Streamlit obeys anybody who sends them.

    Among them is one that empties the caches of the whole server, one that runs git and tells what
    has been changed and not committed, and one that installs files in the project. None of them has
    a setting that switches it off.
    """
    handle = AppSession.handle_backmsg

    @functools.wraps(handle)
    def guarded(session: AppSession, message: BackMsg) -> None:
        if is_heard(message):
            handle(session, message)
        else:
            log.warning("passed over a message: %s", message.WhichOneof("type"))

    AppSession.handle_backmsg = guarded  # type: ignore[method-assign, assignment]


def pass_over_left_pages() -> None:
    """Run no part of a page that the visitor has left.

    A component may tell of something just while its page gives way to another one, such as by *Play
    with these weights*. Streamlit would run the part that it is in, and tell the browser that its
    page is the one to be shown: so the browser would clear the one that it has, and be left with
    nothing.
    """
    run = ScriptRunner._run_script

    @functools.wraps(run)
    def of_this_page(runner: ScriptRunner, rerun: RerunData) -> None:
        here = runner._pages_manager.current_page_script_hash
        if not rerun.fragment_id_queue or rerun.page_script_hash in ("", here):
            run(runner, rerun)

    ScriptRunner._run_script = of_this_page  # type: ignore[method-assign, assignment]


def is_heard(message: BackMsg) -> bool:
    """Whether a page of ours could have sent a message."""
    run = message.rerun_script
    return (
        message.WhichOneof("type") in HEARD
        and len(message.file_urls_request.file_names) <= MOST_FILES
        and len(run.widget_states.widgets) <= MOST_WIDGETS
        and len(run.cached_message_hashes) <= MOST_HASHES
        and all(len(widget.json_value) <= MOST_JSON for widget in run.widget_states.widgets)
    )
