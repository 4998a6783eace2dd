"""A moment as an address and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from views_at_random import views

from metademo.described import ConfigError
from metademo.moments.address import PAGES, follow, link, parameters, query, read
from metademo.moments.lesson import Lesson
from metademo.moments.train_view import TrainView
from metademo.moments.views import CompareView, DamlView, MamlView

KINDS = [*PAGES.values(), Lesson]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_any_view_survives_the_address(kind, data):
    view = data.draw(views(kind))
    again, notes = read(parameters(query(view)), kind)
    assert (again, notes) == (view, ())


@pytest.mark.parametrize("page", PAGES)
@given(data=st.data())
def test_a_moment_survives_the_address(page, data):
    view = data.draw(views(PAGES[page]))
    lesson = data.draw(views(Lesson))
    at = data.draw(st.none() | st.integers(0, 10**6))
    found = follow(link(page, view, lesson, at=at))
    assert (found.page, found.view, found.lesson, found.at) == (page, view, lesson, at)
    assert found.notes == ()


@pytest.mark.parametrize("kind", [MamlView, CompareView])
@given(data=st.data())
def test_a_link_with_twenty_points_is_short(kind, data):
    points = data.draw(
        st.lists(st.tuples(st.floats(-7, 7), st.floats(-7, 7)), min_size=20, max_size=20)
    )
    view = data.draw(views(kind)).changed(points=tuple(points))
    text = link("compare", view, Lesson(lock=True, hide=("truth", "panels")), at=20)
    assert len(text) <= 2_000


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(max_size=300))
def test_no_address_breaks_a_page(kind, text):
    view, notes = read(parameters(text), kind)
    assert isinstance(view, kind)
    assert read(parameters(query(view)), kind) == (view, ())
    assert all(len(note) < 300 for note in notes)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_no_value_breaks_a_page(kind, data):
    keys = [kind.IN_ADDRESS.get(name, name) for name in kind.model_fields] + ["v", "steps", "seed"]
    said = data.draw(st.dictionaries(st.sampled_from(keys), st.text(max_size=30)))
    view, _ = read(said, kind)
    assert read(parameters(query(view)), kind) == (view, ())


def test_links_are_readable():
    assert link("maml", MamlView.first()) == "/"
    assert link("daml", DamlView(source=1.25, steps=3)) == "/daml?x=1.25&steps=3"
    placed = MamlView.first().changed(
        points=((-4.0, 0.5), (1.5, -1.0)), example=False, inner_lr=0.02
    )
    assert link("maml", placed) == "/?points=-4,0.5+1.5,-1&alpha=0.02"
    assert link("maml", MamlView.first().changed(points=())) == "/?points="
    seeded = TrainView(algorithm="anil").with_setting("seed", 7)
    assert link("train", seeded) == "/train?algorithm=anil&seed=7"
    assert link("compare", CompareView.first(), Lesson(lock=True), at=2) == "/compare?lock=1&at=2"


def test_points_go_with_the_wave_that_a_link_names():
    """So a link written by hand need not say where the points of its wave lie."""
    moved = MamlView.first().with_wave(phase=1.0)
    assert query(moved) == "phase=1"
    assert follow("/?phase=1").view == moved


@pytest.mark.parametrize(
    ("address", "field", "value", "noted"),
    [
        ("/daml?steps=abc", "steps", 5, "steps=abc"),
        ("/daml?steps=99", "steps", 20, "steps=99"),
        ("/daml?x=nan", "source", 1.2, "x=nan"),
        ("/daml?fresh=yes", "fresh", False, "fresh=yes"),
        ("/?points=1,2+3", "points", MamlView.first().points, "points=1,2 3"),
        ("/compare?family=none", "family", "two-phase", "family=none"),
        ("/daml?x=1.3&v=2", "source", 1.3, "newer version"),
    ],
)
def test_what_is_malformed_is_left_out_and_said(address, field, value, noted):
    found = follow(address)
    assert getattr(found.view, field) == value
    assert len(found.notes) == 1
    assert noted in found.notes[0]


def test_what_means_nothing_is_passed_over():
    assert follow("/daml?utm_source=mail&embed=true&x=1.3").notes == ()
    assert follow("http://host:8501/base/daml?x=1.3").view == DamlView(source=1.3)


def test_a_page_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="there is no page /dalm"):
        follow("/dalm?x=1")
