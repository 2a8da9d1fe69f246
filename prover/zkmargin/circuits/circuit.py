# SPDX-License-Identifier: GPL-3.0-or-later
"""What decides a compiled circuit, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PUBLIC_SIGNALS = ("C", "r", "y")
PRAGMA = "pragma circom 2.1.6;"


@dataclass(frozen=True)
class Circuit:
    """All that decides what a circuit compiles to.

    `source` is a path as an include writes it, found in one of the `search` folders. `generated` are files,
    by name, that are written for this circuit and found before those folders. `units` of kind `unit` is what
    `arguments` makes room for: touches for settle, signers for tick.
    """

    name: str
    profile: str
    source: str
    template: str
    arguments: tuple[int, ...] = ()
    public_signals: tuple[str, ...] = PUBLIC_SIGNALS
    unit: str = ""
    units: int = 0
    search: tuple[Path, ...] = ()
    generated: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """`name-profile`, as in folder names and messages."""
        return f"{self.name}-{self.profile}"

    def main_source(self) -> str:
        """Text of the main file."""
        public = f" {{public [{', '.join(self.public_signals)}]}}" if self.public_signals else ""
        arguments = ", ".join(str(argument) for argument in self.arguments)
        return (
            f"// Generated from the circuit registry: {self.name}, profile {self.profile}.\n"
            f'{PRAGMA}\n\ninclude "{self.source}";\n\n'
            f"component main{public} = {self.template}({arguments});\n"
        )
