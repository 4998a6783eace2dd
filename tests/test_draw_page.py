"""The Draw page through Streamlit's own test harness: strokes as a browser sends them."""

from __future__ import annotations

import math

import pytest
from pages import component, components, gesture, press, send, start, view, widget
from streamlit.testing.v1 import AppTest

from metademo.moments.ready_made import READY_MADE
from metademo.moments.signs import MOST_SIGNS, DrawView
from metademo.moments.tour import PANELS, SENTENCES
from metademo.ui.server.measurements import shared_cache

QUESTION = [-1, 0]
ZIGZAG = "10108015158085"  # not of whole points: no drawing
STROKE = "1010801515808585"


@pytest.fixture
def app() -> AppTest:
    return start("draw")


def shown(app: AppTest) -> dict:
    return component(app, "draw")


def drawn(app: AppTest) -> DrawView:
    return view(app, "draw")


def does(app: AppTest, kind: str, **what) -> AppTest:
    return gesture(app, kind, "draw", **what)


def test_it_begins_with_an_answer(app):
    data = shown(app)
    assert not app.exception
    assert [len(examples) for examples in data["signs"]] == [1, 1, 1]
    assert [answer["label"] for answer in data["answers"]] == ["ANIL", "Prototypical network"]
    anil, protonet = (answer["shares"] for answer in data["answers"])
    last = data["steps"]
    assert last > 1
    assert (len(anil), len(protonet)) == (last + 1, 1), "one learns by steps, the other has looked"
    assert anil[0] == pytest.approx([1 / 3] * 3, abs=1e-3)
    for rows in (anil, protonet):
        assert max(rows[-1]) == rows[-1][2] > 0.5, "the question is another drawing of the third"
        assert sum(rows[-1]) == pytest.approx(1, abs=1e-3)
    assert len(data["captions"]) == last + 1
    assert data["captions"][0].startswith("Before any step ANIL can’t tell: 33 % for each sign.")
    assert data["captions"][-1].startswith(f"After {last} steps ANIL says: the third sign, ")


def test_strokes_come_and_go(app):
    does(app, "clear", at=QUESTION)
    assert drawn(app).question == ""
    assert shown(app)["answers"] == []
    assert shown(app)["captions"] == ["Now draw one of the signs, in a way of your own."]
    does(app, "stroke", at=QUESTION, text=STROKE)
    does(app, "stroke", at=QUESTION, text="5050")
    assert drawn(app).question == f"{STROKE}.5050"
    does(app, "undo")
    assert drawn(app).question == STROKE
    does(app, "add", to=[3, 0])
    does(app, "draw", at=[3, 0], text=READY_MADE["star"][0])
    assert len(shown(app)["answers"][0]["shares"][0]) == 4
    does(app, "remove", at=[0, 0])
    assert drawn(app).signs[-1] == READY_MADE["star"][0]
    assert len(drawn(app).signs) == 3
    assert not app.exception


def test_a_stroke_that_is_going_on_is_answered_and_not_kept(app):
    does(app, "stroke", at=QUESTION, text="2020")
    before = drawn(app).question
    assert before == "2020", "a ready-made drawing gives way"
    for end in ("3030", "50506060"):
        does(app, "stroke", at=QUESTION, text=f"1010{end}", final=False)
        assert shown(app)["question"] == before, "the browser shows that one itself"
        assert drawn(app).question == f"{before}.1010{end}"
    does(app, "stroke", at=QUESTION, text="101099", final=True)  # no drawing: it comes to nothing
    assert drawn(app).question == shown(app)["question"] == before
    does(app, "undo")
    assert drawn(app).question == READY_MADE["fish"][1], "only the first stroke is taken back"
    does(app, "redo")
    does(app, "stroke", at=QUESTION, text="1010", final=False)
    does(app, "stroke", at=QUESTION, text=STROKE, final=True)
    assert drawn(app).question == f"{before}.{STROKE}"
    does(app, "undo")
    assert drawn(app).question == before, "one stroke, one step back"


HOSTILE = [
    {"kind": "stroke", "at": QUESTION, "text": "1234" * 100_000},
    {"kind": "stroke", "at": QUESTION, "text": ZIGZAG},
    {"kind": "stroke", "at": QUESTION, "text": "1010.2020"},
    {"kind": "stroke", "at": QUESTION, "text": [[math.nan, 1e300]]},
    {"kind": "stroke", "at": [math.nan, 0], "text": STROKE},
    {"kind": "stroke", "at": [1e300, -1e300], "text": STROKE},
    {"kind": "stroke", "at": [0.5], "text": STROKE},
    {"kind": "draw", "at": QUESTION, "text": "-1-1"},
    {"kind": "draw", "at": [9, 9], "text": STROKE},
    {"kind": "draw", "text": STROKE},
    {"kind": "add", "to": [99, 0]},
    {"kind": "add", "to": [-1, 0]},
    {"kind": "remove", "at": QUESTION},
    {"kind": "clear", "at": [0, 7]},
    {"kind": "clear"},
    {"kind": "new"},
]


def test_what_is_no_drawing_changes_nothing(app):
    before = drawn(app)
    done = [{"seq": k, "final": True, **what} for k, what in enumerate(HOSTILE, 1)]
    send(app, "draw", {"visit": "v", "gestures": done})
    assert drawn(app) == before
    assert shown(app)["ack"] == len(HOSTILE), "and is answered"
    for seq, what in enumerate([{"kind": "add", "to": [3 + k, 0]} for k in range(9)], 100):
        send(app, "draw", {"visit": "v", "gestures": [{"seq": seq, "final": True, **what}]})
    assert len(drawn(app).signs) == MOST_SIGNS
    assert not app.exception


def test_learners_and_changes_are_chosen(app):
    widget(app, "button_group", "chosen", "draw").set_value(["protonet"]).run()
    assert [answer["label"] for answer in shown(app)["answers"]] == ["Prototypical network"]
    assert shown(app)["steps"] == 0
    upright = shown(app)["seen"]["question"]
    widget(app, "slider", "turn", "draw").set_value(60.0).run()
    assert shown(app)["seen"]["question"] != upright
    assert "question’s turn is 60° (trained: −16° to 16°)" in shown(app)["details"][0]
    widget(app, "button_group", "chosen", "draw").set_value([]).run()
    assert shown(app)["captions"] == ["Choose at least one way of learning."]
    assert not app.exception


def test_scores_come_in_the_background(app):
    assert shared_cache().join(60)
    app.run()
    [table] = [m.value for m in app.markdown if m.value.startswith("| Way of learning")]
    for name in ("ANIL", "Prototypical network"):
        [row] = [line for line in table.splitlines() if line.startswith(f"| {name}")]
        assert row.count("±") == 2, "on generated signs, and on real digits"
    sweep = component(app, "scores")["sweep"]
    assert sweep["shares"]
    assert [len(series["values"][-1]) for series in sweep["series"]] == [len(sweep["values"])] * 2
    upright = sweep["values"].index(0)
    for series in sweep["series"]:
        accuracy = series["values"][-1]
        assert accuracy[upright] == max(accuracy) > 0.75
        assert accuracy[0] < accuracy[upright] - 0.2, "a sign on its side is another sign"


@pytest.mark.parametrize(
    ("hide", "gone"),
    [(PANELS, ["answers"]), (SENTENCES, ["captions", "details"])],
)
def test_what_a_lesson_hides_is_not_sent(hide, gone):
    app = start("draw", {"hide": hide, "lock": "1"})
    for name in gone:
        assert shown(app)[name] == []
    assert not shown(app)["editable"]
    scored = [m for m in app.markdown if m.value.startswith("| Way of learning")]
    assert len(scored) == (hide != PANELS)


def test_a_link_for_a_class_can_hide_the_answers(app):
    app.session_state["draw class hide"] = [PANELS]
    press(app, "Link for a class")
    queries = [data["query"] for data in components(app, "link") if data["query"]]
    assert queries == [f"lock=1&hide={PANELS}"]
