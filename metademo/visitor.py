"""A visitor without a browser: speaks with a running server as Streamlit's own page does.

It opens the WebSocket, asks for a page, sends what widgets and components are set to, and keeps
what the server answers. The load test, the tests of hostile messages, and `metademo check` are its
users. The protocol is Streamlit's own and no promise of theirs, so it is spoken here alone.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

SECONDS = 30.0
"""How long an answer may take."""
CHART, SOURCE = "metademo_chart", "metademo_source_line"
FOLLOWER = "metademo_follow"


class VisitError(Exception):
    """The server can't be reached, does not answer in time, or answers with an error."""


@dataclass(frozen=True)
class Part:
    """An element of the page: what it is, and the fragment that draws it."""

    element: Element
    fragment: str

    @property
    def kind(self) -> str:
        """Such as `button`; of a component, its name."""
        kind = self.element.WhichOneof("type") or ""
        return self.element.bidi_component.component_name if kind == "bidi_component" else kind

    @property
    def proto(self) -> Any:
        return getattr(self.element, self.element.WhichOneof("type") or "")

    @property
    def data(self) -> dict[str, Any]:
        """What a component was sent."""
        component = self.element.bidi_component
        return json.loads(component.json or "[{}]")[0]


@dataclass
class Answer:
    """What came of one message.

    Attributes:
        seconds: until the run of the page ended.
        bytes: that were received.
        parts: that were drawn, by place.
        at: seconds after which each of them arrived.
    """

    seconds: float = 0.0
    bytes: int = 0
    parts: dict[tuple[int, ...], Part] = field(default_factory=dict)
    at: dict[tuple[int, ...], float] = field(default_factory=dict)


class Visitor:
    """One visit to a page; see `visit`.

    Attributes:
        parts: the elements of the page as it is drawn now, by place.
        arrival: the answer to the first message.
        script: what the server calls the page.
    """

    def __init__(self, socket: ClientConnection, url: str, page: str, query: str, seconds: float):
        self.parts: dict[tuple[int, ...], Part] = {}
        self.arrival = Answer()
        self.received = 0
        self._socket, self._url = socket, url
        self._page, self._query, self._seconds = page, query, seconds
        self.script = ""
        self._said: dict[str, WidgetState] = {}
        self._kept: dict[str, ForwardMsg] = {}
        """Messages that the server need not send twice, by their hash."""
        self._sequence = itertools.count(1)
        self._visit = f"visit{time.monotonic_ns():x}"

    # ---------------------------------------------------------------------- what is on the page

    def find(self, kind: str, label: str = "") -> Part:
        """The first element of a kind (or component of a name), with a label if one is given.

        Raises:
            VisitError: if there is none.
        """
        for part in self.parts.values():
            if part.kind == kind and label in getattr(part.proto, "label", ""):
                return part
        shown = ", ".join(sorted({part.kind for part in self.parts.values()}))
        raise VisitError(f"the page has no {label or kind}, only: {shown}")

    # ---------------------------------------------------------------------- what a visitor does

    async def gesture(self, component: str, **gesture: Any) -> tuple[Answer, float]:
        """Do something at a component (`kind="add", to=[x, y]`), until it is answered.

        Returns:
            The answer, and the seconds until what was done came back drawn.
        """
        part = self.find(component)
        number = next(self._sequence)
        done = {"final": True, **gesture, "seq": number}
        answer = await self.edit(part, {"visit": self._visit, "gestures": [done]})
        for place, drawn in answer.parts.items():
            if drawn.kind == component and drawn.data.get("ack", 0) >= number:
                return answer, answer.at[place]
        raise VisitError(f"{gesture.get('kind')} at {component} was not carried out")

    async def edit(self, part: Part, value: Any, name: str = "edit") -> Answer:
        """Send anything at all as what a component tells of the visitor, by the name of a state."""
        return await self.tell(part, json_value=json.dumps({name: value}))

    async def rest(self) -> Answer:
        """Let the controls follow, as the chart does once the hand is at rest."""
        follower = self.find(FOLLOWER)
        return await self.edit(follower, next(self._sequence), name="heard")

    async def press(self, label: str) -> Answer:
        """Press a button."""
        return await self.tell(self.find("button", label), trigger_value=True)

    async def tell(self, part: Part, **value: Any) -> Answer:
        """Send what an element is set to: a field of `WidgetState`, and its value."""
        state = WidgetState(id=part.proto.id, **value)
        if "trigger_value" not in value:
            self._said[state.id] = state
        return await self._run(state, fragment=part.fragment)

    def keep(self, part: Part, **value: Any) -> None:
        """Set an element without telling: it goes with the next message, as within a form."""
        self._said[part.proto.id] = WidgetState(id=part.proto.id, **value)

    async def hear(self, kind: str) -> Any:
        """The next message of a kind: a field of `ForwardMsg`. Those before it are passed over.

        Raises:
            VisitError: if none comes in time.
        """
        try:
            async with asyncio.timeout(self._seconds):
                async for message in self._messages(Answer()):
                    if message.WhichOneof("type") == kind:
                        return getattr(message, kind)
        except TimeoutError:
            raise VisitError(f"no {kind} within {self._seconds:g} s") from None

    # ---------------------------------------------------------------------- the protocol

    async def arrive(self) -> None:
        """Ask for the page."""
        self.arrival = await self._run()

    async def go(self, page: str) -> Answer:
        """Follow a link to another page, by its path."""
        self._page, self.script = page, ""
        return await self._run()

    async def _run(self, state: WidgetState | None = None, fragment: str = "") -> Answer:
        message = BackMsg()
        run = message.rerun_script
        run.query_string, run.page_script_hash, run.fragment_id = (
            self._query,
            self.script,
            fragment,
        )
        run.page_name = "" if self.script else self._page
        run.cached_message_hashes.extend(self._kept)
        run.context_info.url = self._url
        said = self._said | ({state.id: state} if state else {})
        run.widget_states.widgets.extend(said.values())
        await self.send(message.SerializeToString())
        return await self.answer()

    async def send(self, data: bytes | str) -> None:
        """Send a message as it is."""
        await self._socket.send(data)

    async def answer(self) -> Answer:
        """Everything up to the end of the run.

        Raises:
            VisitError: if the server hangs up, takes too long, or shows an exception.
        """
        answer, began = Answer(), time.perf_counter()
        try:
            async with asyncio.timeout(self._seconds):
                async for message in self._messages(answer):
                    if message.WhichOneof("type") == "delta":
                        self._draw(message, answer, time.perf_counter() - began)
                    elif self._ends(message, answer):
                        break
        except TimeoutError:
            raise VisitError(f"no answer within {self._seconds:g} s") from None
        except ConnectionClosed as closed:
            raise VisitError(f"the server hung up ({closed})") from None
        answer.seconds = time.perf_counter() - began
        for part in answer.parts.values():
            if part.kind == "exception":
                raise VisitError(f"the page shows an error: {part.proto.message}")
        return answer

    async def _messages(self, answer: Answer) -> AsyncIterator[ForwardMsg]:
        while True:
            data = await self._socket.recv(decode=False)
            answer.bytes += len(data)
            self.received += len(data)
            message = ForwardMsg.FromString(data)
            if message.WhichOneof("type") == "ref_hash":
                known = ForwardMsg()
                known.CopyFrom(self._kept[message.ref_hash])
                known.metadata.CopyFrom(message.metadata)
                message = known
            elif message.metadata.cacheable:
                self._kept[message.hash] = message
            yield message

    def _draw(self, message: ForwardMsg, answer: Answer, seconds: float) -> None:
        if message.delta.WhichOneof("type") == "new_element":
            place = tuple(message.metadata.delta_path)
            part = Part(message.delta.new_element, message.delta.fragment_id)
            self.parts[place] = answer.parts[place] = part
            answer.at[place] = seconds

    def _ends(self, message: ForwardMsg, answer: Answer) -> bool:
        """Whether this is the last message of what was asked for."""
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self.script = message.navigation.page_script_hash
        if kind != "script_finished":
            return False
        if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            raise VisitError("the server's script can't be compiled")
        if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            self.parts = dict(answer.parts)  # what was not drawn again is gone
        return bool(message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN)


@asynccontextmanager
async def visit(
    url: str,
    page: str = "",
    query: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> AsyncIterator[Visitor]:
    """A visitor whose page has been drawn once.

    Args:
        url: of the app, such as http://localhost:8501.
        page: its path, such as "daml"; the first page if it is empty.
        query: of its address.
        seconds: that each answer may take.

    Raises:
        VisitError: if the server can't be reached, or does not answer.
    """
    where = urlsplit(url)
    scheme = "wss" if where.scheme == "https" else "ws"
    address = f"{scheme}://{where.netloc}{where.path.rstrip('/')}/_stcore/stream"
    try:
        socket = await connect(
            address,
            subprotocols=[Subprotocol("streamlit")],
            additional_headers=headers,
            open_timeout=seconds,
            max_size=None,
        )
    except (OSError, TimeoutError, WebSocketException) as fault:
        raise VisitError(f"{url} can't be reached: {fault or type(fault).__name__}") from fault
    async with socket:
        visitor = Visitor(socket, url, page, query, seconds)
        await visitor.arrive()
        yield visitor
