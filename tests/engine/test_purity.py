# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine is arithmetic: it does no input or output and knows nothing of the services around it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import zkmargin.engine

FILES = sorted(Path(str(zkmargin.engine.__file__)).parent.glob("*.py"))
ALLOWED = {"__future__", "collections", "dataclasses", "typing", "numpy"}
OURS = ("zkmargin.engine", "zkmargin.protocol", "zkmargin.errors")
INPUT_OUTPUT = {"open", "print", "input", "exec", "eval"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_imports_and_calls(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [str(node.module)]
        for name in names:
            assert name.split(".")[0] in ALLOWED or name.startswith(OURS), name
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in INPUT_OUTPUT
