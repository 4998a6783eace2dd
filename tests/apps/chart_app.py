"""A page with the two components and a fake model, for the browser tests: no weights.

The "network" is the smoothest polynomial through the points, faded in over the steps.
"""

import gc
import math

import numpy as np
import streamlit as st

from metademo.moments.mended import PageView
from metademo.moments.views import Points
from metademo.ui.components.chart.chart import interactive_chart
from metademo.ui.components.kernel.curves import Curve, Panel, Scene, Series, pi_ticks
from metademo.ui.components.kernel.gestures import Gesture, carried_out, within
from metademo.ui.components.source_line.source_line import Band, source_line
from metademo.ui.state.state import PageState

X_RANGE = (-2 * math.pi, 2 * math.pi)
Y_RANGE = (-2.0, 2.0)
STEPS, GRID = 5, 400
GREY, BLUE, ORANGE = ("#6b7280", "#9ca3af"), ("#0072b2", "#56b4e9"), ("#c2410c", "#f59e0b")
START = [(-5.0, -0.9), (-2.0, 0.5), (1.0, -0.6), (4.0, 0.8)]

st.set_page_config(page_title="chart", layout="wide")


@st.cache_resource
def settle() -> None:
    """Keep what is imported out of every later garbage collection."""
    gc.collect()
    gc.freeze()


settle()


class ToyView(PageView):
    """The points and how many there may be and where, the source input, and the changes so far."""

    points: Points = tuple(START)
    most: int = 20
    snap: bool = False
    source: float = 0.4
    events: int = 0


state = PageState("toy", ToyView)
source_state = PageState("toy source", ToyView)


def fit(points: list, x: np.ndarray, share: float) -> np.ndarray:
    """The fake network after `share` of its steps."""
    if not points:
        return 0.3 * np.cos(x) * (1 - share) + 0.2
    px, py = np.array(points).T
    basis = np.array([f(k * x / 2) for k in range(1, 9) for f in (np.sin, np.cos)])
    at = np.array([f(k * px / 2) for k in range(1, 9) for f in (np.sin, np.cos)])
    weights = np.linalg.solve(at.T @ at + 1e-2 * np.eye(len(px)), py)
    return (1 - share) * 0.3 * np.cos(x) + share * (weights @ (at.T @ basis))


def changed(view: ToyView, gesture: Gesture) -> ToyView:
    """The visitor changed the points, or moved the handle."""
    events = view.events + 1
    if gesture.kind == "value":
        return view.changed(source=gesture.value, events=events)
    points = carried_out(view.points, gesture, view.most)
    return view.changed(points=within(points, X_RANGE, Y_RANGE), events=events)


def draw_chart() -> None:
    """The chart with all its parts."""
    x = np.linspace(*X_RANGE, GRID)
    points = state.view.points
    adapted = np.array([fit(points, x, k / STEPS) for k in range(STEPS + 1)])
    plain = np.array([fit(points, x, 0.15 * k / STEPS) for k in range(STEPS + 1)])
    truth = np.sin(x)
    error = [float(np.abs(a - truth).mean()) for a in adapted]
    other = [float(np.abs(a - truth).mean()) for a in plain]
    px = np.array([p[0] for p in points]) if points else np.zeros(0)
    py = np.array([p[1] for p in points]) if points else np.zeros(0)
    loss = [float(np.abs(np.interp(px, x, a) - py).mean()) if points else None for a in adapted]
    scene = Scene(
        "The network's curve through your points",
        curves=[
            Curve("truth", "the true wave", truth, GREY, dash="dash", width=1.5, opacity=0.8),
            Curve("before", "before any step", adapted[0], BLUE, width=1.5, opacity=0.4),
            Curve("plain", "the ordinary way", plain, ORANGE, dash="dashdot", width=2),
            Curve("adapted", "after {steps}", adapted, BLUE, width=4),
        ],
        x_range=X_RANGE,
        y_range=Y_RANGE,
        x_ticks=pi_ticks(*X_RANGE, every=math.pi),
        points=points,
        points_label="your examples",
        snap="truth" if state.view.snap else "",
        captions=[
            f"After {k} steps it is off by {e:.2f} on average. "
            f"The same network trained the ordinary way is off by {o:.2f}."
            for k, (e, o) in enumerate(zip(error, other, strict=True))
        ],
        panels=[
            Panel(
                "Loss on your points, per step", [Series("loss", loss, BLUE)], without="undefined"
            ),
            Panel(
                "Error against the true wave",
                [Series("ordinary", other, ORANGE, "dashdot"), Series("this one", error, BLUE)],
            ),
        ],
    )
    interactive_chart(
        "chart",
        scene,
        conversation=state.conversation,
        on_edit=state.listen("chart", changed),
        max_points=state.view.most,
        new_points="New points",
    )


def page() -> None:
    """Everything that an event can change."""
    source = source_state.view.source
    within = [
        b
        for b in ((-math.pi / 2, -math.pi / 4), (math.pi / 4, math.pi / 2))
        if b[0] <= source <= b[1]
    ]
    source_line(
        "source",
        value=source,
        x_range=(-1.1 * math.pi / 2, 1.1 * math.pi / 2),
        bands=[
            Band(-math.pi / 2, -math.pi / 4, "means sin(x + π)", ORANGE),
            Band(math.pi / 4, math.pi / 2, "means sin(x)", BLUE),
        ],
        status="within a band" if within else "between the bands: the network never saw this",
        conversation=source_state.conversation,
        on_edit=source_state.listen("source", changed),
    )
    draw_chart()
    view = state.view
    with st.container(horizontal=True):
        st.button("Empty", on_click=lambda: state.commit(view.changed(points=())))
        st.button("Reset", on_click=lambda: state.commit(ToyView(events=view.events)))
        st.button("Few", on_click=lambda: state.commit(view.changed(most=5)))
        st.button("Snap", on_click=lambda: state.commit(view.changed(snap=True)))
        st.button("Home", on_click=lambda: source_state.commit(view.changed(source=0.0)))
        st.text(f"events {view.events}; points {len(view.points)}; source {source:.4f}")
        st.text(f"at most {view.most}{', on the wave' * view.snap}")


page()
