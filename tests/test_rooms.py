"""The order of the package's rooms: each knows those below it, and no module knows itself."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "xcos_tf"

COMMON = "common"
"""The modules that stand beside the rooms, but for those that are a room of their own."""
VERIFIER = "verifier"
KNOWS = {
    COMMON: set(),
    "metrics": set(),
    "models": set(),
    "data": set(),
    "runtime": {"models"},
    VERIFIER: {"models", "data", "runtime"},
    "evaluation": {"metrics", "models", "data", VERIFIER},
    "training": {"metrics", "models", "data"},
    "explain": {"metrics", "models", "data", "runtime", VERIFIER, "evaluation"},
    "export": {"metrics", "models", "data", "runtime", VERIFIER},
    "serving": {"models", "data", VERIFIER, "export"},
    "mobile": {"models", "data", VERIFIER, "explain", "export"},
    "search": {"metrics", "models", "data", VERIFIER, "evaluation"},
    "web": {"models", "data", VERIFIER, "explain", "search"},
    "cli": {"metrics", "models", "data", "runtime", VERIFIER}
    | {"evaluation", "training", "explain", "export", "serving", "mobile", "search", "web"},
}
"""Which rooms each room may import from, besides itself and `COMMON`."""
LATE = {
    ("xcos_tf.templates", "xcos_tf.explain.words"),  # a result's sentence
    ("xcos_tf.models.network", "xcos_tf.models.presets"),  # `from_preset`
}
"""What is imported from above, within a function, when it is asked for."""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


def room_of(module: str) -> str:
    part = module.split(".")[1] if "." in module else COMMON
    if part in ("templates", VERIFIER):
        return VERIFIER
    if part == "__main__":
        return "cli"
    return part if (PACKAGE / part).is_dir() else COMMON


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & MODULES.keys() or {node.module}
    return found


GRAPH = {name: imported(path) & MODULES.keys() for name, path in MODULES.items()}


def test_every_room_has_its_place():
    assert {room_of(name) for name in MODULES} == KNOWS.keys()


@pytest.mark.parametrize("room", KNOWS)
def test_no_import_runs_up(room):
    allowed = KNOWS[room] | {room, COMMON}
    up = {
        (name, other)
        for name, others in GRAPH.items()
        for other in others
        if room_of(name) == room and room_of(other) not in allowed
    }
    assert up - LATE == set()


def test_what_is_imported_late_still_is():
    assert all(other in GRAPH[name] for name, other in LATE)


def test_no_modules_import_each_other():
    graph = {name: {x for x in found if (name, x) not in LATE} for name, found in GRAPH.items()}
    assert tuple(TopologicalSorter(graph).static_order())  # which names a circle


def test_nothing_imports_tools_or_tests_from_above():
    for path in (*PACKAGE.rglob("*.py"), *(ROOT / "tools").rglob("*.py")):
        above = ("tests",) if "tools" in path.relative_to(ROOT).parts else ("tests", "tools")
        assert not {name.split(".")[0] for name in imported(path) if name} & set(above), path
