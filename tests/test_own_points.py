"""Points of the visitor's own: from CSV in any dialect, and onto the chart and back."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metademo.moments.own_points import (
    MOST_BYTES,
    MOST_LINES,
    Fault,
    Reading,
    evenly,
    placed,
    read,
    written,
)
from metademo.moments.scaling import LARGEST, Axis, Scaling
from metademo.moments.views import MAX_POINTS, CompareView, MamlView
from metademo.tasks import FAMILIES, wave_families

MANY = settings(max_examples=300, deadline=None)
TWO_PHASE, FINN = FAMILIES["two-phase"], FAMILIES["finn"]
NUMBERS = st.floats(-LARGEST, LARGEST).map(lambda value: value + 0.0)
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30)

DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([";", "\t", ",", "|", " "]),
        "decimal": st.sampled_from([".", ","]),
        "header": st.sampled_from(
            [None, ("x", "y"), ("y", "x"), ("X", "Y"), ("time", "height"), ("s", "x", "y")]
        ),
        "mark": st.booleans(),
        "end": st.sampled_from(["\n", "\r\n", "\r"]),
        "last": st.booleans(),
        "around": st.sampled_from(["", " ", "  "]),
        "quoted": st.booleans(),
        "excel": st.booleans(),
        "blank": st.booleans(),
        "encoding": st.sampled_from(["utf-8", "utf-16"]),
        "as_text": st.booleans(),
    }
)


def _number(value: float, decimal: str) -> str:
    return repr(value).replace(".", decimal)


def spelled(points: list, dialect: dict) -> str | bytes:
    """The points as a program of that dialect writes them."""
    delimiter, decimal, header = (dialect[name] for name in ("delimiter", "decimal", "header"))
    around = "" if dialect["quoted"] and delimiter == " " else dialect["around"]
    columns = header if header and {"x", "y"} <= {n.lower() for n in header} else ("x", "y")
    rows = [header] if header else []
    for place, point in enumerate(points):
        named = dict(zip("xy", (_number(value, decimal) for value in point), strict=True))
        rows.append([named.get(name.lower(), str(place)) for name in columns])
    # Without quotes nobody can tell the comma between numbers from the one within.
    quoted = dialect["quoted"] or (delimiter == "," and decimal == ",")
    mark = '"' * quoted
    lines = [delimiter.join(f"{around}{mark}{v}{mark}{around}" for v in row) for row in rows]
    if dialect["blank"]:
        lines = [line for pair in zip(lines, ["", " "] * len(lines), strict=False) for line in pair]
    if dialect["excel"] and delimiter != " ":
        lines = [f"sep={delimiter}", *lines]
    text = dialect["end"].join(lines) + dialect["end"] * dialect["last"]
    if dialect["as_text"]:
        return "\ufeff" * dialect["mark"] + text
    if dialect["encoding"] == "utf-8":
        return text.encode("utf-8-sig" if dialect["mark"] else "utf-8")
    return text.encode("utf-16")


@MANY
@given(POINTS, DIALECTS)
def test_csv_of_every_dialect_comes_back_to_the_same_points(points, dialect):
    assert read(spelled(points, dialect)) == Reading(tuple(points))


@MANY
@given(POINTS)
def test_points_are_written_as_they_are_read(points):
    assert read(written(points)).points == tuple(points)


def test_what_a_spreadsheet_or_numpy_writes_is_read():
    points = np.array([[0.5, -1.25], [3.0, 1e-3]])
    saved = io.StringIO()
    np.savetxt(saved, points, header="x y")
    assert read(saved.getvalue()).points == ((0.5, -1.25), (3.0, 1e-3))
    table = io.StringIO()
    csv.writer(table).writerows([["", "x", "y"], *([i, *row] for i, row in enumerate(points))])
    assert read(table.getvalue()).points == ((0.5, -1.25), (3.0, 1e-3))


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("0,5", ((0, 5),)),
        ("0,5 1,5", ((0.5, 1.5),)),
        ("1, 2\n3, 4", ((1, 2), (3, 4))),
        ("1,5;2\n3;4,5", ((1.5, 2), (3, 4.5))),
        ('"1,5","2,5"', ((1.5, 2.5),)),
        ("Höhe;Zeit\n1;2", ((1, 2),)),
        ("−1\t−2.5", ((-1, -2.5),)),
        ("1;2;\n;;\n3;4;", ((1, 2), (3, 4))),
        ("1\xa0;\xa02", ((1, 2),)),
        ("y,x\n1,2", ((2, 1),)),
        (".5 1.\n+1e-3 2E2", ((0.5, 1), (0.001, 200))),
    ],
)
def test_a_dialect_is_told_by_what_most_lines_are(text, points):
    assert read(text) == Reading(points)
    assert read(text.encode()) == Reading(points)


def test_names_in_another_encoding_do_no_harm():
    assert read("Höhe;Größe\r\n1,5;2".encode("cp1252")).points == ((1.5, 2.0),)


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        ("0,0\n1,abc\n2", [(2, "“abc” is not a number."), (3, "There is no y.")]),
        ("x;y\n1,5;2\n\n3;4;5", [(4, "These are 3 values, and not 2.")]),
        ("0,0 rubbish", [(1, "“0 rubbish” is not a number.")]),
        ("nan,0", [(1, "“nan” is not a number.")]),
        ("0,inf", [(1, "“inf” is not a number.")]),
        ("0,1e999", [(1, "“1e999” is too large: 1e+15 is the most.")]),
        ("t,x,y\n1,2,3\n1,,3", [(3, "There is no x.")]),
        ("1", [(1, "There is no y.")]),
        ("1,5,2,5", [(1, "These are 4 values, and not 2.")]),
        ("x,y\n1,5,2,5", [(2, "These are 4 values, and not 2.")]),
        ("", [(0, "There are no points here.")]),
        (" \n#0,0\n;;", [(0, "There are no points here.")]),
        ("x,y\n", [(0, "There are no points here.")]),
        (b"\x89PNG\0\1", [(0, "This is not a text file: save it as CSV.")]),
        ("0,0\n" * (MOST_LINES + 1), [(0, "These are 2,001 lines: 2,000 are the most.")]),
        (b"0" * (MOST_BYTES + 1), [(0, "This is too long: 1 MB is the most.")]),
        ("0" * (MOST_BYTES + 1), [(0, "This is too long: 1 MB is the most.")]),
    ],
)
def test_what_is_wrong_is_said_by_line(data, faults):
    found = read(data)
    assert [(fault.line, fault.reason) for fault in found.faults] == faults
    assert not found.points


def test_a_fault_shows_the_line_but_not_all_of_a_long_one():
    found = read("1,2\n" + "long " * 100).faults[0]
    assert found.in_words.startswith("Line 2: long long")
    assert len(found.in_words) < 150
    assert Fault(0, "", "All of it.").in_words == "All of it."


BITS = st.sampled_from(
    ["0", "1.5", "2,5", ",", ";", "\t", " ", "\n", "\r", '"', "'", "x", "e9", "-", "#", "sep=", "|"]
)


@MANY
@given(st.lists(BITS, max_size=60).map("".join) | st.text(max_size=80) | st.binary(max_size=80))
@example('"')
@example(b"\xff\xfe\x00")
@example("\ufeff\ufeff")
@example("\ud800")
@example("1" * 999_999 + "x")  # slow if a number were looked for in more ways than one
@example('"' * 999_999)
def test_whatever_is_given_is_points_or_faults_and_never_raises(data):
    found = read(data)
    assert bool(found.points) != bool(found.faults)
    assert all(math.isfinite(value) for point in found.points for value in point)
    assert all(fault.in_words for fault in found.faults)


# ------------------------------------------------------------------------------ onto the chart


@st.composite
def measured(draw):
    """Points as somebody may have measured them: about any place, over any width."""
    place, width = draw(st.floats(-1e9, 1e9)), 10.0 ** draw(st.integers(-6, 9))
    axis = st.floats(-1, 1).map(lambda value: place + width * value)
    return draw(st.lists(st.tuples(axis, axis), min_size=1, max_size=MAX_POINTS))


@pytest.mark.parametrize("family", wave_families().values(), ids=list(wave_families()))
@MANY
@given(points=measured() | POINTS.map(lambda points: points[:MAX_POINTS]))
def test_scaled_points_are_on_the_chart_and_come_back(family, points):
    room = MamlView().room(family)
    scaling = room.scaling(points)
    onto = scaling.onto_chart(points)
    assert room.outside(onto) == 0
    assert Scaling.of(scaling.values) == scaling
    largest = np.abs(points).max(0)
    assert (np.abs(np.array(scaling.back(onto)) - points) <= 1e-9 * largest).all()
    view = MamlView().with_own_points(points, scaling, family)
    assert np.allclose(view.own_points, points, rtol=0, atol=1e-9 * largest.max())


def test_a_scaling_has_few_digits_and_so_have_the_points_that_come_back():
    points = ((2010.0, 0.5), (2015.3, 7.0), (2020.0, 3.1))
    room = MamlView().room(TWO_PHASE)
    scaling = room.scaling(points)
    assert scaling.values == (2015.0, 0.89, 3.8, 3.7)
    assert scaling.back(scaling.onto_chart(points)) == points
    assert scaling.in_words == ("x = 2015 + 0.89 × the chart’s x, y = 3.8 + 3.7 × the chart’s y")


def test_an_axis_with_room_enough_is_not_scaled():
    room = MamlView().room(TWO_PHASE)
    scaling = room.scaling([(0.0, 1.0), (100.0, -1.0)])
    assert scaling.y == Axis()
    assert "y =" not in scaling.in_words
    assert room.scaling([(1.0, 1.0)]) == Scaling()
    assert Scaling().values == ()
    assert Scaling().in_words == ""
    assert Axis(-3.0, 2.0).in_words("x") == "x = −3 + 2 × the chart’s x"


def test_points_that_are_all_alike_are_only_shifted():
    scaling = MamlView().room(TWO_PHASE).scaling([(1e6, 50.0), (1e6, 50.0)])
    assert scaling.values == (1e6, 1.0, 50.0, 1.0)


@pytest.mark.parametrize(
    "values", [(1.0,), (0.0, 0.0, 0.0, 1.0), (0.0, -1.0, 0.0, 1.0), (math.nan, 1.0, 0.0, 1.0)]
)
def test_what_scales_nothing_is_no_scaling(values):
    with pytest.raises(ValueError, match=r"no axis|unpack"):
        Scaling.of(values)
    assert MamlView(points=((0.0, 0.0),), scaling=values).scaling == ()


def test_a_view_has_a_scaling_only_of_points_that_are_the_visitors():
    scaling = (0.0, 2.0, 0.0, 3.0)
    view = MamlView(points=((1.0, 1.0),), scaling=scaling)
    assert view.scaling == scaling
    assert view.own_points == ((2.0, 3.0),)
    assert MamlView(points=((1.0, 1.0),), scaling=(0, 1, 0, 1)).scaling == ()
    assert view.changed(points=()).scaling == ()
    assert view.changed(example=True).scaling == ()
    assert view.with_points(((0.5, 0.5),), TWO_PHASE).scaling == scaling
    assert view.with_random_points(np.random.default_rng(0), TWO_PHASE).scaling == ()


@pytest.mark.parametrize("page", [MamlView, CompareView])
def test_own_points_are_free_and_have_the_nearest_wave(page):
    view = placed(page.first(), [(0.0, 0.5), (1.0, 1.0)], TWO_PHASE, [Scaling()])
    assert view.points == ((0.0, 0.5), (1.0, 1.0))
    assert view.fitted
    assert not view.snap
    assert not view.example


@pytest.mark.parametrize("page", [MamlView, CompareView])
def test_where_the_family_has_a_chart_of_its_own(page):
    high = [(-4.0, 6.5), (4.0, -6.5)]
    assert placed(page(), high, TWO_PHASE, [Scaling()]) is None
    assert placed(page(), high, FINN, [Scaling()]).points == tuple(high)
    assert placed(page(), [(5.5, 0.0)], FINN, [Scaling()]) is None
    assert placed(page(), [(5.5, 0.0)], TWO_PHASE, [Scaling()])
    assert placed(page(), [(0.0, 0.0)] * (MAX_POINTS + 1), TWO_PHASE, [Scaling()]) is None


def test_a_wave_far_out_gives_free_points_no_more_room():
    far = CompareView(amplitude=10.0)
    assert placed(far, [(0.0, 9.0)], TWO_PHASE, [Scaling()]) is None


def test_points_that_were_scaled_are_scaled_anew_where_another_family_has_no_room():
    points = ((2010.0, 0.5), (2015.3, 7.0), (2020.0, 3.1))
    scaling = MamlView().room(TWO_PHASE).scaling(points)
    view = CompareView().with_own_points(points, scaling, TWO_PHASE)
    other = view.with_family("finn")
    assert other.own_points == points
    assert other.scaling != view.scaling
    assert FINN.x_range[0] <= min(other.points)[0]
    assert other.with_family("finn").points == other.points
    assert other.within(FINN) == other


@MANY
@given(st.tuples(*[st.floats()] * 4), st.lists(st.tuples(st.floats(), st.floats()), max_size=4))
def test_no_view_is_too_wild_for_another_family(scaling, points):
    view = MamlView(points=points, scaling=scaling, fitted=True).within(FINN)
    assert view.within(FINN) == view
    assert isinstance(view.own_points, tuple)
    assert isinstance(written(view.own_points), str)


def test_thinned_points_are_spread_evenly_from_end_to_end():
    points = [(float(k % 50), float(k)) for k in range(100)]
    some = evenly(points)
    assert len(some) == MAX_POINTS
    assert list(some) == sorted(some)
    assert some[0] == min(points)
    assert some[-1] == max(points)
    assert set(some) <= set(points)
    assert evenly(points[:3]) == tuple(sorted(points[:3]))
