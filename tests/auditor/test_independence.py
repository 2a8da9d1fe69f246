# SPDX-License-Identifier: GPL-3.0-or-later
"""The auditor shares with the prover's side nothing but the protocol package and the error tree."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import zkmargin

ROOT = Path(zkmargin.__file__).parent
ALLOWED = ("zkmargin.auditor", "zkmargin.protocol", "zkmargin.errors")


def _path(module: str) -> Path | None:
    place = ROOT.joinpath(*module.split(".")[1:])
    found = (place / "__init__.py", place.with_suffix(".py"))
    return next((path for path in found if path.is_file()), None)


def _imports(module: str) -> set[str]:
    """Modules of the package that a module imports, wherever in its text."""
    path = _path(module)
    assert path is not None
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            assert node.module
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Name):
            assert node.id not in {"__import__", "import_module"}, f"{module} imports by name"
    return {name for name in found if name.split(".")[0] == "zkmargin" and _path(name)}


def _reached() -> set[str]:
    todo = [f"zkmargin.auditor.{path.stem}" for path in (ROOT / "auditor").glob("*.py")]
    todo = [name.removesuffix(".__init__") for name in todo]
    reached: set[str] = set()
    while todo:
        module = todo.pop()
        if module not in reached:
            reached.add(module)
            todo += _imports(module)
    return reached - {"zkmargin"}


def test_reaches_only_protocol_and_errors() -> None:
    reached = _reached()
    assert {"zkmargin.auditor.audit", "zkmargin.protocol.words"} <= reached
    assert [name for name in sorted(reached) if not name.startswith(ALLOWED)] == []


def test_loads_only_protocol_and_errors() -> None:
    """The same in a fresh interpreter, whatever way a module may be loaded."""
    code = (
        "import sys, zkmargin.auditor; "
        "print('\\n'.join(name for name in sys.modules if name.startswith('zkmargin.')))"
    )
    made = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT.parent)},
    )
    loaded = made.stdout.split()
    assert "zkmargin.auditor.rules" in loaded
    # The protocol hashes with the native kernel where it is built; `test_chain` audits without it.
    assert [name for name in loaded if not name.startswith((*ALLOWED, "zkmargin._kernel"))] == []


def test_third_party_packages_are_named() -> None:
    """What else it imports is the standard library and these."""
    outside = set()
    for path in (ROOT / "auditor").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                outside.add(node.module.split(".")[0])
            elif isinstance(node, ast.Import):
                outside |= {name.name.split(".")[0] for name in node.names}
    outside -= {"zkmargin", *sys.stdlib_module_names}
    assert outside <= {"eth_abi", "eth_utils", "py_ecc", "requests"}
    assert all(importlib.util.find_spec(name) for name in outside)
