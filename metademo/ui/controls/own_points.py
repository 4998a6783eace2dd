"""The visitor's own points: a table to edit, and CSV to paste, to copy or to upload.

Both speak in the visitor's own numbers. What can't be placed stays there to be mended, and what the
chart has no room for is offered to be thinned, or scaled.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from metademo import logs
from metademo.moments import own_points as own
from metademo.moments.own_points import Fault
from metademo.moments.scaling import Point, Room, Scaling
from metademo.moments.views import MAX_POINTS, PointsView
from metademo.tasks import WaveFamily
from metademo.ui.state.state import PageState

P = TypeVar("P", bound=PointsView)

log = logging.getLogger(__name__)

FAULTS = 5
"""How many are listed."""
TABLE_LABEL = "Your points, as a table of x and y"
EXAMPLE = "x; y\n0; 0,5\n1,57; 1"


@dataclass
class Desk:
    """What a page's table and text show beside what is on the chart.

    Attributes:
        of: the points and their scaling that the chart shows.
        rows: those that the table began with; the browser holds what was changed since.
        table, text: how often each was made anew, to show other points.
        draft: the text, if it is not that of the points.
        faults: why what was given could not be placed.
        offered: points that can be placed in part only, or scaled.
        in_table: whether that was given in the table.
    """

    of: object = None
    rows: tuple[Point, ...] = ()
    table: int = 0
    text: int = 0
    draft: str | None = None
    faults: tuple[Fault, ...] = ()
    offered: tuple[Point, ...] = ()
    in_table: bool = False

    def show(self, view: PointsView, *, anew: bool = True) -> None:
        """Follow the view.

        Args:
            anew: whether the table is made anew, too; the visitor's place in it is lost then.
        """
        if anew:
            self.rows, self.table = view.own_points, self.table + 1
        self.of, self.text, self.draft = _shown(view), self.text + 1, None
        self.faults, self.offered = (), ()


def own_points(state: PageState[P], family: WaveFamily) -> None:
    """The points as a table and as text, and what is to be said about those."""
    desk: Desk = st.session_state.setdefault(f"{state.page} own points", Desk())
    if desk.of != _shown(state.view):
        desk.show(state.view)
    table, text = st.tabs(["Table", "CSV"])
    with table:
        _table(state, family, desk)
    with text:
        _text(state, family, desk)
    with table if desk.in_table else text:
        _complaint(desk.faults)
        if desk.offered:
            _offer(state, family, desk)
    with text:
        _file(state, family, desk)


def _table(state: PageState[P], family: WaveFamily, desk: Desk) -> None:
    key = f"{state.page} points table {desk.table}"

    def edited() -> None:
        rows = _edited(desk.rows, st.session_state[key])
        if not any(row for row in rows):
            return _place(state, desk, state.view.with_points((), family), anew=False)
        _take(state, family, desk, "\n".join(rows), in_table=True)

    columns = np.array(desk.rows).reshape(-1, 2).T
    number = st.column_config.NumberColumn(required=True)
    st.data_editor(
        dict(zip("xy", columns, strict=True)),
        num_rows="dynamic",
        column_config={"x": number, "y": number},
        hide_index=True,
        alt=TABLE_LABEL,
        disabled=state.lesson.lock,
        key=key,
        on_change=edited,
    )


def _text(state: PageState[P], family: WaveFamily, desk: Desk) -> None:
    key = f"{state.page} points text {desk.text}"
    written = own.written(state.view.own_points)

    def typed() -> None:
        desk.draft = st.session_state[key]
        if desk.draft == written:
            desk.show(state.view)
        else:
            _take(state, family, desk, desk.draft)

    with st.form(f"{state.page} points form", border=False):
        st.text_area(
            "A point to a line",
            written if desk.draft is None else desk.draft,
            height=160,
            placeholder=EXAMPLE,
            help="x and y with a comma, semicolon, tab or spaces between them, as a spreadsheet "
            "has them: with a header or without, with decimal points or decimal commas.",
            key=key,
            disabled=state.lesson.lock,
        )
        st.form_submit_button("Place these points", on_click=typed, disabled=state.lesson.lock)


def _file(state: PageState[P], family: WaveFamily, desk: Desk) -> None:
    key = f"{state.page} points file {desk.text}"

    def uploaded() -> None:
        if file := st.session_state[key]:
            data = file.getvalue()
            readable = all(fault.line for fault in own.read(data).faults)
            desk.draft, desk.text = own.decoded(data) if readable else None, desk.text + 1
            _take(state, family, desk, data)
            if desk.faults:
                logs.say(log, "upload refused", what="points")

    st.file_uploader(
        "Or a CSV file",
        ["csv", "tsv", "txt", "dat"],
        max_upload_size=1,
        disabled=state.lesson.lock,
        key=key,
        on_change=uploaded,
    )


def _take(
    state: PageState[P],
    family: WaveFamily,
    desk: Desk,
    data: str | bytes,
    *,
    in_table: bool = False,
) -> None:
    """Place the points of CSV; or have it said what is wrong, or what could be done."""
    reading = own.read(data)
    desk.faults, desk.offered, desk.in_table = reading.faults, (), in_table
    if reading.faults:
        return
    # A table goes on in the numbers that it is in; a text begins anew if it can.
    scalings = [Scaling(), Scaling.of(state.view.scaling)]
    view = own.placed(state.view, reading.points, family, scalings[:: -1 if in_table else 1])
    if view:
        _place(state, desk, view, anew=not in_table)
    else:
        desk.offered = reading.points


def _place(state: PageState[P], desk: Desk, view: P, *, anew: bool = True) -> None:
    desk.show(view, anew=anew)
    state.choose(view)


def _complaint(faults: tuple[Fault, ...]) -> None:
    """What is wrong, with the lines it is about. These are the visitor's text, not Markdown."""
    if not faults:
        return
    where = "1 line is" if len(faults) == 1 else f"{len(faults):,} lines are"
    if not faults[0].line:
        st.error(faults[0].reason)
        return
    st.error(f"Nothing was placed: {where} not a point. Mend what stands there, and try again.")
    listed = [fault.in_words for fault in faults[:FAULTS]]
    more = [f"… and {len(faults) - FAULTS:,} more"] * (len(faults) > FAULTS)
    st.code("\n".join([*listed, *more]), language=None, wrap_lines=True)


def _offer(state: PageState[P], family: WaveFamily, desk: Desk) -> None:
    """What can be done with points that the chart has no room for."""
    points, room = desk.offered, state.view.room(family)
    if len(points) > MAX_POINTS:
        spread = st.radio(
            f"These are {len(points):,} points, and the chart takes {MAX_POINTS}. Place",
            [True, False],
            format_func=lambda spread: (
                f"{MAX_POINTS} spread evenly" if spread else f"the first {MAX_POINTS}"
            ),
            key=f"{state.page} which points",
        )
        points = own.evenly(points) if spread else points[:MAX_POINTS]
    beyond = room.outside(points)
    scaling = room.scaling(points) if beyond else Scaling()
    if beyond:
        st.warning(_beyond(beyond, len(points), room, scaling))

    def accepted() -> None:
        _place(state, desk, state.view.with_own_points(points, scaling, family))

    label = "Scale them into the chart" if beyond else f"Place these {len(points)}"
    st.button(label, on_click=accepted, type="primary", key=f"{state.page} offered points")


def _beyond(count: int, of: int, room: Room, scaling: Scaling) -> str:
    x, y = (f"{low:.3g} to {high:.3g}".replace("-", "−") for low, high in (room.x, room.y))
    which = "This point lies" if of == 1 else f"{count} of {of} points lie"
    return (
        f"{which} beyond the chart (x from {x}, y from {y}). Scaled to fit: "
        f"{scaling.in_words}. The table and the CSV stay in your own numbers."
    )


def _edited(rows: Iterable[Point], changes: Any) -> list[str]:
    """The rows of the table as CSV, with what the browser says was changed in them."""
    cells: list[dict[str, Any] | None] = [dict(zip("xy", row, strict=True)) for row in rows]
    for place, changed in changes["edited_rows"].items():
        if row := cells[int(place)]:
            row |= changed
    for place in changes["deleted_rows"]:
        cells[int(place)] = None
    cells += changes["added_rows"]
    return [_line(row) for row in cells if row is not None]


def _line(row: dict[str, Any]) -> str:
    """A row as CSV; "" if nothing is in it."""
    values = ["" if row.get(name) is None else str(row[name]) for name in "xy"]
    return ", ".join(values) if any(values) else ""


def _shown(view: PointsView) -> tuple[Any, ...]:
    return view.points, view.scaling
