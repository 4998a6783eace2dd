"""The order of the house: who may import whom. Only `ui` knows Streamlit, and its scenes do not."""

import ast
import dataclasses
import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from metademo.tasks import GlyphFamily, Signs, TaskFamily, TaskKind, WaveFamily, Waves

ROOT = Path(__file__).resolve().parent.parent

ORDER = [
    {"__version__", "citation", "described", "files", "formats", "kernel_cache", "network"},
    {"convolutional", "environment", "workers"},
    {"logs", "tasks"},
    {"inner", "fused"},
    {"algorithms"},
    {"engines"},
    {"settings"},
    {"recipes"},
    {"training"},
    {"evaluation", "reports"},
    {"scores"},
    {"benchmark", "checkpoints", "jobs", "seeds"},
    {"reproduced"},
    {"foreign", "models", "reproduce", "sweep"},
    {"analysis"},
    {"moments"},
    {"export", "visitor"},
    {"command_line"},
    {"__main__", "ui"},
    {"streamlit_app"},
]
"""Rooms from the ground up: each may import those below it, and itself if it is a folder."""
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
FOLDERS = {
    *{"algorithms", "analysis", "command_line", "export", "fused"},
    *{"jobs", "moments", "sweep", "tasks", "ui"},
}
ALONE = {"figures"}
"""Knows plain arrays only; may be imported by the rooms that show something."""
SHOWING = {"command_line", "moments", "ui"}
STREAMLIT = {"ui", "visitor", "streamlit_app"}

UI_ORDER = [
    {"components.kernel"},
    {"state.history", "server"},
    {"scenes"},
    {"components.*"},
    {"state"},
    {"controls"},
    {"pages"},
]
"""Rooms within `ui`, likewise; a name with a dot is a part of a room that stands lower than it.

A visit holds a view and draws components. What is kept for all
visitors is measured from views, and drawn by scenes.
"""
UI_LEVEL = {room: level for level, rooms in enumerate(UI_ORDER) for room in rooms}
WITHOUT_A_KIND = {
    *{"checkpoints", "engines", "evaluation", "fused"},
    *{"inner", "jobs", "recipes", "settings", "training"},
}
"""These know tasks as `TaskFamily` and `TaskKind` alone, so that other kinds find room in them."""
OF_ONE_KIND = {
    "metademo.convolutional",
    *(f"metademo.tasks.{name}" for name in ("waves", "glyphs", "pen", "strokes", "handwriting")),
}
"""Modules that one kind of task alone has to do with."""
WITHOUT_STREAMLIT = "metademo.ui.scenes"
"""Nothing here imports Streamlit, nor does anything that it imports."""


def room_of(module: str) -> str:
    """The room that a dotted module name belongs to: metademo.ui.maml is in ui."""
    return module.removeprefix("metademo.").split(".")[0]


def imports(module: str, source: str, *, package: bool = False) -> set[str]:
    """Every module or name that `source` imports, wherever in it, with full dotted names."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parts = parts[: len(parts) - node.level + package]
                base = ".".join([*parts, base] if base else parts)
            found |= {_imported(base, alias.name) for alias in node.names}
    return found


def _imported(base: str, name: str) -> str:
    """What `from base import name` imports: a module of ours, or something in the module `base`."""
    full = f"{base}.{name}"
    return full if base == "metademo" or (base in PACKAGES and full in MODULES) else base


def ui_room_of(module: str) -> str | None:
    """The room within `ui` that a dotted module name belongs to; None if it has no place."""
    parts = module.removeprefix("metademo.ui.").split(".")
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    room = next((name for name in names if name in UI_LEVEL), None)
    if room is None and parts[0] == "components" and len(parts) > 1:
        return names[-2]
    return room


def ui_level_of(room: str) -> int:
    """How low a room of `ui` stands: components are all alike, and none imports another."""
    return UI_LEVEL.get(room, UI_LEVEL["components.*"])


def violations(module: str, source: str, *, package: bool = False) -> list[str]:
    """What in `source` breaks the order, in words."""
    room, faults = room_of(module), []
    if room != "metademo" and room not in LEVEL and room not in ALONE:
        faults.append(f"{module} has no place in the order")
    for name in sorted(imports(module, source, package=package)):
        if name.split(".")[0] == "streamlit" and room not in STREAMLIT:
            faults.append(f"{module} imports Streamlit")
        if name.split(".")[0] in ("metademo", "streamlit_app") and not _allowed(
            room, room_of(name)
        ):
            faults.append(f"{module} imports {name}")
        if not _allowed_in_ui(module, name):
            faults.append(f"{module} imports {name}")
    if _in_ui(module) and ui_room_of(module) is None:
        faults.append(f"{module} has no place in the order of ui")
    return faults


def _in_ui(module: str) -> bool:
    """Whether it lies in `ui` and does something: what only holds others has no place."""
    return module.startswith("metademo.ui.") and module not in {
        f"metademo.ui.{room.split('.')[0]}" for room in UI_LEVEL if "." in room
    }


def _allowed_in_ui(module: str, other: str) -> bool:
    rooms = [ui_room_of(name) for name in (module, other) if name.startswith("metademo.ui.")]
    if len(rooms) < 2 or None in rooms or rooms[0] == rooms[1]:
        return True
    return ui_level_of(rooms[1]) < ui_level_of(rooms[0])


def streamlit_behind(module: str, imported: Mapping[str, Iterable[str]]) -> list[str]:
    """How `module` comes to import Streamlit: itself first, or [] if it never does.

    Args:
        imported: what each module imports. With a module its packages are imported, too.
    """
    paths, seen = [[module]], {module}
    for path in paths:
        for name in imported.get(path[-1], ()):
            parts = name.split(".")
            if parts[0] == "streamlit":
                return [*path, name]
            for step in (".".join(parts[:n]) for n in range(1, len(parts) + 1)):
                if step not in seen:
                    seen.add(step)
                    paths.append([*path, step])
    return []


def _allowed(room: str, other: str) -> bool:
    if room == other:
        return room in FOLDERS
    if other in ALONE:
        return room in SHOWING
    return room in LEVEL and other in LEVEL and LEVEL[other] < LEVEL[room]


def _modules():
    """Each module of the project: its dotted name, its path."""
    paths = [ROOT / "streamlit_app.py", *sorted((ROOT / "metademo").rglob("*.py"))]
    for path in paths:
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(_modules())
PACKAGES = {module for module, path in MODULES.items() if path.stem == "__init__"}


def imports_of(module: str) -> set[str]:
    """What a module of ours imports."""
    source = MODULES[module].read_text(encoding="utf-8")
    return imports(module, source, package=module in PACKAGES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_lies_below_it(module):
    source = MODULES[module].read_text(encoding="utf-8")
    assert violations(module, source, package=module in PACKAGES) == []


def test_no_scene_imports_streamlit_nor_a_module_that_does():
    imported = {module: imports_of(module) for module in MODULES}
    scenes = [module for module in MODULES if module.startswith(f"{WITHOUT_STREAMLIT}.")]
    assert len(scenes) > 5
    assert [path for path in (streamlit_behind(s, imported) for s in scenes) if path] == []


STREAMLIT_BEHIND = {
    "itself": {"scene": ["streamlit"]},
    "a part of it": {"scene": ["streamlit.runtime"]},
    "a module it imports": {
        "scene": ["chart"],
        "chart": ["math", "assets"],
        "assets": ["streamlit"],
    },
    "a package of what it imports": {"scene": ["kernel.curves"], "kernel": ["streamlit"]},
    "two that import each other": {"scene": ["a"], "a": ["scene", "b"], "b": ["a", "streamlit"]},
}


@pytest.mark.parametrize("imported", STREAMLIT_BEHIND.values(), ids=STREAMLIT_BEHIND)
def test_streamlit_is_found_behind_a_module(imported):
    assert streamlit_behind("scene", imported)[-1].startswith("streamlit")
    assert streamlit_behind("math", imported) == []


def test_every_room_of_ui_is_there():
    rooms = {ui_room_of(module) for module in MODULES if _in_ui(module)}
    assert {room if room in UI_LEVEL else "components.*" for room in rooms} == UI_LEVEL.keys()


def test_the_modules_are_found():
    backend = {"network", "tasks", "inner", "engines", "training", "evaluation", "checkpoints"}
    assert backend | ALONE <= {room_of(module) for module in MODULES}
    assert {"metademo.algorithms.maml", "streamlit_app", "metademo"} <= MODULES.keys()


BAD = {
    "upwards": ("metademo.network", "from metademo.inner import adapt"),
    "upwards as a module": ("metademo.tasks", "import metademo.training"),
    "upwards from the package": ("metademo.inner", "from metademo import engines"),
    "upwards in a function": ("metademo.engines", "def f():\n    from metademo.training import x"),
    "upwards, relative": ("metademo.training", "from .evaluation import evaluate"),
    "upwards out of a folder": ("metademo.algorithms.maml", "from ..training import TrainConfig"),
    "a neighbour": ("metademo.inner", "from metademo.fused import Problem"),
    "a task from its network": ("metademo.network", "from metademo.tasks import CURVES"),
    "figures inwards": ("metademo.figures", "from metademo.tasks import PI"),
    "figures outwards": ("metademo.evaluation", "from metademo.figures import STYLES"),
    "pages from the backend": ("metademo.checkpoints", "import metademo.ui.state.state"),
    "pages from the command line": ("metademo.command_line", "from metademo import ui"),
    "the app from a page": ("metademo.ui.pages.maml", "import streamlit_app"),
    "a page from the controls": (
        "metademo.ui.controls.layout",
        "from metademo.ui.pages import train",
    ),
    "the controls from a component": (
        "metademo.ui.components.chart.chart",
        "import metademo.ui.controls.layout",
    ),
    "the visit from a scene": (
        "metademo.ui.scenes.train_scene",
        "from metademo.ui.state.runs import Run",
    ),
    "the visit from its history": (
        "metademo.ui.state.history",
        "def f():\n    from metademo.ui.state import state",
    ),
    "a component from a scene": (
        "metademo.ui.scenes.scenes",
        "from metademo.ui.components.chart.chart import interactive_chart",
    ),
    "a component from another": (
        "metademo.ui.components.scores.scores",
        "from metademo.ui.components.chart import chart",
    ),
    "a component from the kernel, relative": (
        "metademo.ui.components.kernel.assets",
        "from ..chart.chart import interactive_chart",
    ),
    "a scene from the server": (
        "metademo.ui.server.measurements",
        "from metademo.ui.scenes import boards",
    ),
    "a room of ui without a place": ("metademo.ui.attic", "import math"),
    "a file beside the rooms": (
        "metademo.ui.layout",
        "from metademo.ui.state.history import History",
    ),
    "Streamlit": ("metademo.jobs", "import streamlit as st"),
    "a part of Streamlit": ("metademo.figures", "from streamlit.runtime import get_instance"),
    "Streamlit in the command line": ("metademo.command_line", "import streamlit"),
    "a room without a place": ("metademo.attic", "import math"),
}


@pytest.mark.parametrize(("module", "source"), BAD.values(), ids=BAD)
def test_the_checker_sees_a_violation(module, source):
    assert len(violations(module, source)) == 1


GOOD = {
    "downwards": ("metademo.training", "from metademo.engines import Engine"),
    "from the package": ("metademo.command_line", "from metademo import checkpoints, figures"),
    "inside a folder": (
        "metademo.algorithms.maml",
        "from metademo.algorithms.learner import Learner",
    ),
    "inside a folder, relative": (
        "metademo.ui.pages.maml",
        "from . import frame\nfrom .frame import x",
    ),
    "figures on a page": ("metademo.ui.pages.maml", "from metademo import figures"),
    "Streamlit on a page": ("metademo.ui.pages.maml", "import streamlit as st"),
    "downwards within ui": (
        "metademo.ui.pages.maml",
        "from metademo.ui.controls import layout\nfrom metademo.ui.scenes.scenes import Scene",
    ),
    "a view in a scene": ("metademo.ui.scenes.scenes", "from metademo.moments.mended import View"),
    "a view on the command line": ("metademo.command_line.adapt", "import metademo.moments.views"),
    "the kernel in a component": (
        "metademo.ui.components.chart.chart",
        "from ..kernel import assets\nfrom metademo.ui.components.kernel.curves import Curve",
    ),
    "another component": ("metademo.ui.components.toy.toy", "from ..kernel import assets"),
    "other libraries": ("metademo.network", "import torch\nfrom numpy.typing import ArrayLike"),
}


@pytest.mark.parametrize(("module", "source"), GOOD.values(), ids=GOOD)
def test_the_checker_lets_the_rest_pass(module, source):
    assert violations(module, source) == []


@functools.cache
def _words_of_one_kind() -> set[str]:
    """What there is to say of waves alone, or of signs: all that their modules define, and their
    attributes.

    The `shape` of waves is left out, for arrays have one, too.
    """
    defined = set()
    for module in OF_ONE_KIND - {"metademo.tasks.pen"}:  # whose words are anybody's
        tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                defined.add(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                defined |= {target.id for target in targets if isinstance(target, ast.Name)}
    own = {field.name for field in dataclasses.fields(Waves)} | vars(Signs).keys()
    for family in (WaveFamily, GlyphFamily):
        own |= {field.name for field in dataclasses.fields(family)} | vars(family).keys()
    kinds = {field.name for field in dataclasses.fields(TaskKind)}
    shared = {*dir(TaskFamily), *TaskFamily.__annotations__, *kinds, "shape"}
    return {name for name in defined | own - shared if not name.startswith("_")}


def said_of_one_kind(module: str, source: str, *, package: bool = False) -> set[str]:
    """Of waves or of signs alone: the names that `source` imports, uses or asks of an object."""
    words, found = _words_of_one_kind(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
    imported = imports(module, source, package=package)
    return (found & words) | {name for name in imported if name in OF_ONE_KIND}


def test_what_is_said_of_one_kind_is_known():
    words = {"WaveFamily", "Waves", "SourceBand", "SHAPES", "GRID_POINTS", "as_waves", "turned"}
    words |= {"phase", "phases", "amplitude", "amplitudes", "frequency", "bands", "noise"}
    words |= {"GLYPHS", "GlyphFamily", "Signs", "ConvNet", "as_image", "Handwriting", "mnist"}
    words |= {"strokes", "images", "sample_signs"}
    words |= {"grid", "x_range", "unit_amplitude", "nearest", "source_of", "two_phase"}
    assert words <= _words_of_one_kind()
    assert not {"name", "title", "metric", "kind", "sample_episodes"} & _words_of_one_kind()


@pytest.mark.parametrize(
    "module", [module for module in MODULES if room_of(module) in WITHOUT_A_KIND]
)
def test_the_backend_knows_nothing_of_one_kind_alone(module):
    source = MODULES[module].read_text(encoding="utf-8")
    assert said_of_one_kind(module, source, package=module in PACKAGES) == set()


WAVY = {
    "the module": "import metademo.tasks.waves",
    "from the module": "from metademo.tasks.waves import PI",
    "from the room": "from metademo.tasks import WaveFamily",
    "by another name": "from metademo.tasks import Waves as Tasks",
    "an attribute": "def f(tasks):\n    return tasks.phase",
    "the family's grid": "def f(config):\n    return config.task_family.grid[::8]",
    "the module of signs": "import metademo.tasks.glyphs",
    "signs": "from metademo.tasks import GLYPHS",
    "their images": "def f(signs):\n    return signs.images()",
    "their network": "from metademo.convolutional import ConvNet",
    "in an annotation": "def f(family: WaveFamily): ...",
}


@pytest.mark.parametrize("source", WAVY.values(), ids=WAVY)
def test_the_checker_sees_what_is_said_of_one_kind(source):
    assert said_of_one_kind("metademo.evaluation", source)


def test_the_checker_lets_families_pass():
    source = "from metademo.tasks import FAMILIES, TaskFamily\nx = f.kind.losses, f.name, a.shape"
    assert said_of_one_kind("metademo.evaluation", source) == set()
