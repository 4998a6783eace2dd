"""The browser shows what the server will answer: both halves carry out the same histories."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from metademo.ui.components.kernel.gestures import POINT_KINDS, Gesture, carried_out, find, read

SCRIPT = Path(__file__).parent / "js" / "parity.mjs"
HISTORIES = 500


@dataclass
class Server:
    """What a page does with messages, without Streamlit."""

    points: tuple
    example: bool
    max_points: int
    seen: int = 0

    def carry_out(self, gesture: Gesture) -> None:
        if gesture.kind in POINT_KINDS:
            self.points = carried_out(self.points, gesture, self.max_points, example=self.example)
            self.example = False

    def hear(self, message: dict) -> None:
        for gesture in read(message)[1]:
            if gesture.seq > self.seen:
                self.carry_out(gesture)
                self.seen = gesture.seq

    @property
    def known(self) -> dict:
        return {"points": [list(point) for point in self.points], "example": self.example}


def server_of(history: dict) -> Server:
    points = tuple(map(tuple, history["points"]))
    return Server(points, history["example"], history["maxPoints"])


def a_history(rng: random.Random) -> dict:
    """Few places, so that points meet, lie above each other, and are missing; room for few."""

    def place() -> list[float]:
        return [rng.choice([-1.5, 0.0, 2.0]) + rng.choice([0, 0, 5e-10]), rng.choice([-1.0, 0, 1])]

    def a_gesture() -> dict:
        kind = rng.choice([*POINT_KINDS, "add", "move", "move", "undo", "value"])
        gesture = {"kind": kind, "final": rng.random() < 0.5}
        if kind in ("move", "remove"):
            gesture["at"] = place()
        if kind in ("add", "move"):
            gesture["to"] = place()
        if kind == "value":
            gesture["value"] = rng.random()
        return gesture

    max_points = rng.randint(1, 6)
    return {
        "points": [place() for _ in range(rng.randint(0, max_points))],
        "example": rng.random() < 0.3,
        "maxPoints": max_points,
        "gestures": [a_gesture() for _ in range(rng.randint(1, 15))],
        "at": place(),
    }


@pytest.fixture(scope="module")
def histories() -> list[tuple[dict, dict]]:
    """Random histories, each with what the browser's half makes of it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js to run the browser's half")
    rng = random.Random(1)
    asked = [a_history(rng) for _ in range(HISTORIES)]
    done = subprocess.run(
        [node, SCRIPT], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(zip(asked, json.loads(done.stdout), strict=True))


def test_both_carry_out_each_gesture_alike(histories):
    for asked, browser in histories:
        server = server_of(asked)
        for seq, (gesture, shown) in enumerate(
            zip(asked["gestures"], browser["each"], strict=True), start=1
        ):
            server.hear({"visit": "v", "gestures": [gesture | {"seq": seq}]})
            assert server.known == shown, (asked, seq)


def test_both_find_the_same_point(histories):
    for asked, browser in histories:
        assert find(asked["points"], asked["at"]) == browser["found"], asked


def test_the_server_ends_where_the_browser_is_whatever_becomes_of_the_messages(histories):
    """The messages that the browser sends; the server sees some of them, and the last."""
    rng = random.Random(2)
    for asked, browser in histories:
        server = server_of(asked)
        *some, last = browser["messages"]
        for message in [message for message in some if rng.random() < 0.5]:
            server.hear(message)
        server.hear(last)
        server.hear(last)
        assert server.known == browser["shown"], asked
