"""A page of the app through Streamlit's own test harness, in words."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from metademo.ui.components.kernel.gestures import Point

ROOT = Path(__file__).resolve().parent.parent
# Each app looks for components in all packages that are installed. They stay the same ones.
manifest_scanner.scan_component_manifests = functools.cache(
    manifest_scanner.scan_component_manifests
)

INPUT = {
    "maml": "chart",
    "compare": "chart",
    "context": "chart",
    "daml": "source_line",
    "duel": "sketch",
    "draw": "draw",
}
"""The component of a page that takes gestures."""


def start(page: str = "maml", said: Mapping[str, str] | None = None) -> AppTest:
    """The app, opened at a page, with these parameters in its address."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    if page != "maml":  # the one that an address without a path leads to
        app.switch_page(f"metademo/ui/pages/{page}.py")
    for name, value in (said or {}).items():
        app.query_params[name] = value
    return app.run()


def view(app: AppTest, page: str = "maml") -> Any:
    """The view that a page is drawn from."""
    return app.session_state[f"history of {page}"].present


def widget_key(app: AppTest, name: str, page: str = "maml") -> str:
    """The key of a bound widget, see `PageState.bind`."""
    name_of_revision, state = f"{page} revision {name}", app.session_state
    revision = state[name_of_revision] if name_of_revision in state else 0  # noqa: SIM401
    return f"{page} widget {name}" + f" ({revision})" * bool(revision)


def widget(app: AppTest, kind: str, name: str, page: str = "maml") -> Any:
    """A control of a page, by its kind and name."""
    return getattr(app, kind)(key=widget_key(app, name, page))


def component(app: AppTest, name: str) -> dict[str, Any]:
    """What a component in the browser was given."""
    return json.loads(_element(app, name).proto.json)[0]


def components(app: AppTest, name: str) -> list[dict[str, Any]]:
    """What each component of a name was given."""
    elements = app.get("bidi_component")
    mine = [element for element in elements if element.proto.component_name.endswith(name)]
    return [json.loads(element.proto.json)[0] for element in mine]


def chart(app: AppTest) -> dict[str, Any]:
    return component(app, "chart")


def press(app: AppTest, label: str) -> AppTest:
    """Press one of Streamlit's own buttons."""
    return next(button for button in app.button if button.label == label).click().run()


def unfold(app: AppTest, part: str, page: str = "maml") -> AppTest:
    """Open a part of a page."""
    history = app.session_state[f"history of {page}"]
    app.session_state[f"history of {page}"] = history.amend(history.present.unfold(part, True))
    return app.run()


def unfold_own_points(app: AppTest, page: str = "maml") -> AppTest:
    """Open the part of a page that has the points as a table and as text."""
    return unfold(app, "own", page)


def type_points(app: AppTest, text: str, page: str = "maml") -> AppTest:
    """Place points as CSV."""
    unfold_own_points(app, page).text_area[0].set_value(text)
    return press(app, "Place these points")


def edit_table(app: AppTest, page: str = "maml", **changes: Any) -> AppTest:
    """Edit the table of points, as the browser would send it.

    Args:
        changes: `edited_rows`, `added_rows` and `deleted_rows` since the table was made.
    """
    table = unfold_own_points(app, page).data_editor[0]
    nothing = {"edited_rows": {}, "added_rows": [], "deleted_rows": []}
    states = app._tree.get_widget_states()
    states.widgets.append(
        WidgetState(id=table.proto.id, string_value=json.dumps(nothing | changes))
    )
    return app._run(states)


def gesture(app: AppTest, kind: str, page: str = "maml", **what: Any) -> AppTest:
    """Do something at the chart (or the source line), as the browser would send it."""
    data = component(app, INPUT[page])
    done = {"kind": kind, "final": True, "seq": data["ack"] + 1, **what}
    return send(app, page, {"visit": data["visit"] or "a visit", "gestures": [done]})


def click(app: AppTest, *points: Point, page: str = "maml") -> AppTest:
    """Place points."""
    for point in points:
        app = gesture(app, "add", page, to=point)
    return app


def send(app: AppTest, page: str, message: Any) -> AppTest:
    """Have the input component of a page send anything at all."""
    states = app._tree.get_widget_states()
    state = WidgetState(id=_element(app, INPUT[page]).proto.id)
    state.json_value = json.dumps({"edit": message})
    states.widgets.append(state)
    return app._run(states)


def _element(app: AppTest, name: str) -> Any:
    for element in app.get("bidi_component"):
        if element.proto.component_name.endswith(name):
            return element
    raise LookupError(name)
