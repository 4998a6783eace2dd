"""The order of the house: who may import whom. Only the pages know Streamlit."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ORDER = [
    {"files", "formats", "network", "tasks"},
    {"inner", "fused"},
    {"algorithms"},
    {"engines"},
    {"training"},
    {"evaluation"},
    {"benchmark", "checkpoints", "jobs", "seeds"},
    {"reproduce"},
    {"command_line"},
    {"__main__", "ui"},
    {"streamlit_app"},
]
"""Rooms from the ground up: each may import those below it, and itself if it is a folder."""
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
FOLDERS = {"algorithms", "fused", "jobs", "ui"}
ALONE = {"figures"}
"""Knows plain arrays only; may be imported by the rooms that show something."""
SHOWING = {"command_line", "ui"}
STREAMLIT = {"ui", "streamlit_app"}


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
            found |= (
                {f"{base}.{alias.name}" for alias in node.names} if base == "metademo" else {base}
            )
    return found


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
    return faults


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


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_lies_below_it(module):
    path = MODULES[module]
    source = path.read_text(encoding="utf-8")
    assert violations(module, source, package=path.stem == "__init__") == []


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
    "a neighbour": ("metademo.tasks", "from metademo.network import MLP"),
    "figures inwards": ("metademo.figures", "from metademo.tasks import PI"),
    "figures outwards": ("metademo.evaluation", "from metademo.figures import STYLES"),
    "pages from the backend": ("metademo.checkpoints", "import metademo.ui.views"),
    "pages from the command line": ("metademo.command_line", "from metademo import ui"),
    "the app from a page": ("metademo.ui.maml", "import streamlit_app"),
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
        "from metademo.algorithms.base import Algorithm",
    ),
    "inside a folder, relative": ("metademo.ui.maml", "from . import state\nfrom .state import x"),
    "figures on a page": ("metademo.ui.maml", "from metademo import figures"),
    "Streamlit on a page": ("metademo.ui.maml", "import streamlit as st"),
    "other libraries": ("metademo.network", "import torch\nfrom numpy.typing import ArrayLike"),
}


@pytest.mark.parametrize(("module", "source"), GOOD.values(), ids=GOOD)
def test_the_checker_lets_the_rest_pass(module, source):
    assert violations(module, source) == []
