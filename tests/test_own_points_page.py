"""Points of the visitor's own on the pages: table, text and file. No browser."""

from __future__ import annotations

import pytest
from pages import (
    chart,
    click,
    edit_table,
    gesture,
    press,
    start,
    type_points,
    unfold_own_points,
    view,
    widget,
)
from streamlit.testing.v1 import AppTest

from metademo.moments.own_points import MOST_BYTES, written
from metademo.moments.views import MAX_POINTS

YEARS = "year;height\r\n2010;0,5\r\n2015,5;7\r\n2020;3,25\r\n"
OWN = ((2010.0, 0.5), (2015.5, 7.0), (2020.0, 3.25))
SCALE = "Scale them into the chart"


def upload(app: AppTest, data: bytes, page: str = "maml") -> AppTest:
    unfold_own_points(app, page).file_uploader[0].upload("mine.csv", data, "text/csv")
    return app.run()


def table(app: AppTest) -> list[tuple[float, float]]:
    return [*app.data_editor[0].value.itertuples(index=False, name=None)]


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


@pytest.fixture(params=["maml", "compare"])
def page(request) -> str:
    return request.param


def test_table_and_text_show_the_points_when_they_are_unfolded():
    app = start()
    assert not app.data_editor
    assert not app.text_area
    unfold_own_points(app)
    assert table(app) == [*view(app).points]
    assert app.text_area[0].value == written(view(app).points)
    assert not app.exception


def test_pasted_points_are_placed_where_they_say(page):
    app = type_points(start(page), "x\ty\n0\t0,5\n1,5\t1\n", page)
    assert view(app, page).points == ((0.0, 0.5), (1.5, 1.0))
    assert view(app, page).scaling == ()
    assert not view(app, page).snap
    assert table(app) == [(0.0, 0.5), (1.5, 1.0)]
    assert app.text_area[0].value == "x, y\n0, 0.5\n1.5, 1"
    assert not app.exception
    assert not app.error


def test_placing_what_is_there_already_changes_nothing():
    app = unfold_own_points(start())
    before = view(unfold_own_points(app))
    press(app, "Place these points")
    assert view(app) == before
    assert view(app).example


def test_refused_text_stays_to_be_mended_with_its_lines_named(page):
    app = start(page)
    before = view(unfold_own_points(app, page), page)
    text = "0, 0\n1, abc\n2\n"
    type_points(app, text, page)
    assert view(app, page) == before
    assert app.text_area[0].value == text
    assert "2 lines are not a point" in app.error[0].value
    assert app.code[0].value.split("\n") == [
        "Line 2: 1, abc",
        "“abc” is not a number.",
        "Line 3: 2",
        "There is no y.",
    ]
    assert app.run().text_area[0].value == text
    type_points(app, "0, 0\n1, 1\n", page)
    assert view(app, page).points == ((0.0, 0.0), (1.0, 1.0))
    assert not app.error
    assert not app.code


def test_of_many_faults_some_are_listed_and_the_others_counted():
    app = type_points(start(), "0,0\n" + "no\n" * 30)
    assert "30 lines are not a point" in app.error[0].value
    assert app.code[0].value.count("\n") == 10
    assert app.code[0].value.endswith("… and 25 more")


def test_what_was_refused_gives_way_to_what_is_done_at_the_chart():
    app = type_points(start(), "rubbish")
    assert app.error
    click(app, (0.5, 1.0))
    app.run()
    assert not app.error
    assert app.text_area[0].value == written(view(app).points)


def test_points_beyond_the_chart_are_offered_to_be_scaled_and_undo_works(page):
    app = start(page)
    before = view(unfold_own_points(app, page), page)
    type_points(app, YEARS, page)
    assert view(app, page) == before
    assert "3 of 3 points lie beyond the chart" in app.warning[0].value
    assert app.text_area[0].value == YEARS
    press(app, SCALE)
    now = view(app, page)
    assert now.own_points == OWN
    assert now.scaling
    assert table(app) == [*OWN]
    assert app.text_area[0].value == written(OWN)
    assert SCALE not in labels(app)
    assert not app.warning
    assert all(-6.3 < x < 6.3 and -1 <= y <= 1 for x, y in chart(app)["points"])
    scaled = "Your points are scaled: x = 2015 + 0.89 × the chart’s x, y = 3.8 + 3.7 × the chart’s"
    assert all(detail.startswith(scaled) for detail in chart(app)["details"])
    gesture(app, "undo", page)
    assert view(app, page) == before
    assert "scaled" not in chart(app)["details"][-1]
    gesture(app, "redo", page)
    assert view(app, page) == now


def test_what_is_placed_on_the_chart_comes_to_the_table_in_the_visitors_numbers():
    app = press(type_points(start(), YEARS), SCALE)
    click(app, (0.0, 0.0))
    app.run()
    assert table(app) == [*OWN, (2015.0, 3.8)]
    gesture(app, "clear")
    assert view(app).scaling == ()


def test_the_benchmark_has_a_chart_of_its_own():
    app = start("compare")
    widget(app, "button_group", "family", "compare").set_value("finn").run()
    type_points(app, "-4.5; 6.5\n4.5; -6.5", "compare")
    assert view(app, "compare").points == ((-4.5, 6.5), (4.5, -6.5))
    type_points(app, "-5.5; 8\n5.5; -6.5\n0; 0", "compare")
    assert "2 of 3 points" in app.warning[0].value
    assert "x from −5 to 5, y from −7 to 7" in app.warning[0].value
    press(app, SCALE)
    assert view(app, "compare").own_points == ((-5.5, 8.0), (5.5, -6.5), (0.0, 0.0))
    assert not app.exception


def test_more_points_than_the_chart_takes_are_thinned_or_cut_by_choice():
    text = "\n".join(f"{k / 20}; {k % 2}" for k in range(100))
    app = type_points(start(), text)
    assert view(app).example
    assert "100 points" in app.radio(key="maml which points").label
    press(app, f"Place these {MAX_POINTS}")
    spread = view(app).points
    assert len(spread) == MAX_POINTS
    assert spread[0][0] == 0
    assert spread[-1][0] == 4.95
    type_points(app, text)
    app.radio(key="maml which points").set_value(False).run()
    press(app, f"Place these {MAX_POINTS}")
    assert view(app).points == tuple((k / 20, float(k % 2)) for k in range(MAX_POINTS))


def test_too_many_and_beyond_are_settled_at_once():
    app = type_points(start(), "\n".join(f"{k}; {k * k}" for k in range(100)))
    assert "20 points lie beyond" in app.warning[0].value
    press(app, SCALE)
    assert len(view(app).points) == MAX_POINTS
    assert view(app).own_points[-1] == (99.0, 9801.0)


def test_a_file_is_placed_like_text(page):
    app = upload(start(page), "x,y\r\n0.5,1\r\n2,-0.25\r\n".encode("utf-8-sig"), page)
    assert view(app, page).points == ((0.5, 1.0), (2.0, -0.25))
    assert not app.exception


def test_the_text_of_a_file_that_was_refused_can_be_mended():
    app = upload(start(), b"0,0\n1,one\n")
    assert "“one” is not a number" in app.code[0].value
    assert app.text_area[0].value == "0,0\n1,one\n"
    type_points(app, "0,0\n1,1\n")
    assert view(app).points == ((0.0, 0.0), (1.0, 1.0))


@pytest.mark.parametrize("data", [b"", b"\x89PNG\0", b"0," * MOST_BYTES, b"\xff\xfe\x00"])
def test_a_file_of_anything_else_is_refused_in_a_sentence(data):
    app = start()
    before = view(unfold_own_points(app))
    upload(app, data)
    assert app.error[0].value
    assert view(app) == before
    assert app.text_area[0].value == written(before.points)
    assert not app.exception


def test_a_file_of_scaled_points_waits_for_an_answer():
    app = press(upload(start(), YEARS.encode("utf-16")), SCALE)
    assert view(app).own_points == OWN


def test_the_table_moves_adds_and_removes_points():
    app = type_points(start(), "0,0\n1,1\n2,0.5")
    edits = {"edited_rows": {"1": {"y": 0.75}}, "added_rows": [{"x": 3.0, "y": -1.0}]}
    edit_table(app, **edits)
    assert view(app).points == ((0.0, 0.0), (1.0, 0.75), (2.0, 0.5), (3.0, -1.0))
    key = app.data_editor[0].key
    edit_table(app, **edits, deleted_rows=[0])
    assert view(app).points == ((1.0, 0.75), (2.0, 0.5), (3.0, -1.0))
    assert app.data_editor[0].key == key, "whoever edits it keeps the place"
    assert app.text_area[0].value == written(view(app).points)
    gesture(app, "undo")
    app.run()
    assert table(app) == [(0.0, 0.0), (1.0, 0.75), (2.0, 0.5), (3.0, -1.0)]
    assert app.data_editor[0].key != key


def test_a_row_that_is_not_whole_waits_and_an_empty_one_is_passed_over():
    app = type_points(start(), "0,0\n1,1")
    before = view(unfold_own_points(app))
    edit_table(app, added_rows=[{"x": 3.0}])
    assert view(app) == before
    assert app.code[0].value == "Line 3: 3.0,\nThere is no y."
    edit_table(app, added_rows=[{}, {"x": None, "y": None}])
    assert view(app) == before
    assert not app.error


def test_an_emptied_table_clears_the_chart():
    app = type_points(start(), "0,0\n1,1")
    edit_table(app, deleted_rows=[0, 1])
    assert view(app).points == ()
    assert not app.error
    assert not app.exception


def test_the_table_goes_on_in_the_visitors_numbers():
    app = press(type_points(start(), YEARS), SCALE)
    scaling = view(app).scaling
    edit_table(app, edited_rows={"0": {"x": 2012.0}})
    assert view(app).own_points == ((2012.0, 0.5), *OWN[1:])
    assert view(app).scaling == scaling
    edit_table(app, edited_rows={"0": {"x": 1900.0}})
    assert view(app).scaling == scaling
    press(app, SCALE)
    assert view(app).own_points == ((1900.0, 0.5), *OWN[1:])
    assert view(app).scaling != scaling


def test_text_that_needs_no_scaling_ends_it():
    app = press(type_points(start(), YEARS), SCALE)
    type_points(app, "0,0\n1,1")
    assert view(app).scaling == ()
    assert view(app).points == ((0.0, 0.0), (1.0, 1.0))
