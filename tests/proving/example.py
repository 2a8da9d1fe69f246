# SPDX-License-Identifier: GPL-3.0-or-later
"""A small circuit with every kind of signal, for tests of the proving layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zkmargin.circuits.circuit import Circuit

FOLDER = Path(__file__).parent / "circuits"


def example_circuit(folder: Path = FOLDER, name: str = "example", n: int = 3) -> Circuit:
    """The circuit of `example.circom` with n products."""
    return Circuit(name, "test", "example.circom", "Example", (n,), ("total", "label"), search=(folder,))


def example_inputs(**changed: Any) -> dict[str, Any]:
    """Inputs that meet the statement, with some changed."""
    return {"total": 100, "label": 7, "root": 10, "factors": [[4, 5], [8, 8], [2, 8]]} | changed
