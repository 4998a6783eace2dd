"""Gestures: each is carried out once and in order, whatever the line does to the messages."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metademo.ui.components.kernel.gestures import Gesture, carried_out, find, read, within

A, B, C = (0.0, 1.0), (1.0, -1.0), (2.0, 0.5)


def test_each_kind_does_what_it_says():
    assert carried_out((A,), Gesture(1, "add", to=B), 20) == (A, B)
    assert carried_out((A, B), Gesture(1, "remove", at=A), 20) == (B,)
    assert carried_out((A, B), Gesture(1, "move", at=A, to=C), 20) == (C, B)
    assert carried_out((A, B), Gesture(1, "clear"), 20) == ()


def test_the_first_click_replaces_an_example_and_a_drag_does_not():
    assert carried_out((A, B), Gesture(1, "add", to=C), 20, example=True) == (C,)
    assert carried_out((A, B), Gesture(1, "move", at=A, to=C), 20, example=True) == (C, B)


def test_a_point_in_the_hand_outlives_what_becomes_of_the_others():
    assert carried_out((), Gesture(1, "move", at=A, to=C), 20) == (C,)
    assert carried_out((B,), Gesture(1, "remove", at=A), 20) == (B,)


def test_no_more_points_than_there_may_be():
    assert carried_out((A, B), Gesture(1, "add", to=C), 2) == (A, B)


def test_a_point_that_the_server_put_onto_a_wave_is_found_again():
    assert find([(0.5, 0.48), (1.0, 0.84)], (1.0, -0.3)) == 1
    assert find([(1.0, 0.9), (1.0, -0.9)], (1.0, -0.8)) == 1
    assert find([(1.0, 0.9)], (1.1, 0.9)) == -1


def test_points_are_moved_to_within_the_axes():
    assert within([(-9.0, 3.0), (1.0, -0.5)], (-6.0, 6.0), (-2.0, 2.0)) == (
        (-6.0, 2.0),
        (1.0, -0.5),
    )


GOOD = {"seq": 1, "kind": "add", "to": [1, 2], "final": True}


@pytest.mark.parametrize("change", [
    {"seq": None}, {"seq": math.nan}, {"seq": True}, {"kind": ["add"]}, {"kind": "drop"},
    {"kind": None}, {"to": None}, {"to": [1]}, {"to": [1, math.inf]}, {"to": [10**400, 1]},
    {"to": "ab"}, {"kind": "move", "to": [True, 1]}, {"kind": "remove", "at": {}},
])  # fmt: skip
def test_what_is_no_gesture_is_left_out(change):
    assert len(read({"visit": "v", "gestures": [GOOD]})[1]) == 1
    assert read({"visit": "v", "gestures": [GOOD | change]})[1] == []


@pytest.mark.parametrize("message", [None, 3, "x", [], {}, {"visit": 1}, {"gestures": [GOOD]}])
def test_what_is_no_message_holds_no_gestures(message):
    assert read(message) == ("", [])


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: (
    st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["visit", "gestures", "seq", "kind", "to", "at", "value", "view"]), inner,
    )
)))  # fmt: skip
def test_anything_at_all_can_be_read(message):
    visit, gestures = read({"visit": "v", "gestures": message})
    assert visit == "v"
    assert all(isinstance(gesture.seq, int) for gesture in gestures)


@dataclass
class Server:
    """What `PageState` does with messages, without Streamlit."""

    points: tuple = ()
    seen: int = 0

    def hear(self, message: dict) -> None:
        for gesture in read(message)[1]:
            if gesture.seq > self.seen:
                self.points = carried_out(self.points, gesture, 20)
                self.seen = gesture.seq


KINDS = st.sampled_from(["add", "move", "remove", "clear"])
PLACES = st.sampled_from([A, B, C, (3.0, 0.0)])


@given(
    st.lists(st.tuples(KINDS, PLACES, PLACES), max_size=12),
    st.lists(st.integers(0, 12), max_size=30),
)
def test_messages_that_overtake_or_repeat_each_other_change_nothing(done, order):
    """Each message holds all that was not answered when it was sent, so any may be lost."""
    gestures = [
        {"seq": i + 1, "kind": kind, "at": at, "to": to} for i, (kind, at, to) in enumerate(done)
    ]
    plain, odd = Server(), Server()
    for gesture in gestures:
        plain.hear({"visit": "v", "gestures": [gesture]})
    for sent in [*order, len(gestures)]:
        odd.hear({"visit": "v", "gestures": gestures[:sent]})
    assert odd == plain
