# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit found, check by check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from zkmargin.auditor.chain import Undecodable
from zkmargin.auditor.rules import Broken
from zkmargin.errors import BadInput

WHOLE = 0  # the batch number of checks of the ledger as a whole
NAMES = ("vk", "proof", "binding", "order", "reexec", "root", "queue", "vault", "coverage")


@dataclass(frozen=True)
class Check:
    """One check of one batch (0 for the ledger as a whole). `status`: pass, fail or missing."""

    name: str
    batch: int
    status: str
    detail: str = ""


@dataclass
class Findings:
    """All checks so far, and in `notes` what was not checked, or can't be."""

    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, batch: int, problem: str, detail: str = "") -> bool:
        """Record a check: failed with `problem`, or passed if that is empty; says whether it passed."""
        self.checks.append(Check(name, batch, "fail" if problem else "pass", problem or detail))
        return not problem

    def require(self, name: str, batch: int, held: bool, problem: str) -> bool:
        """Record a check that `held`, or failed with `problem`; says whether it held."""
        return self.add(name, batch, "" if held else problem)

    def missing(self, name: str, batch: int, detail: str) -> None:
        """Record a check that could not be made."""
        self.checks.append(Check(name, batch, "missing", detail))

    @contextmanager
    def checking(self, name: str, batch: int) -> Iterator[None]:
        """Record what the block raises as a failure of this check, else a pass."""
        try:
            yield
        except (Broken, Undecodable, BadInput, LookupError, ArithmeticError, ValueError) as error:
            self.add(name, batch, str(error) or type(error).__name__)
        else:
            self.add(name, batch, "")

    @property
    def ok(self) -> bool:
        """Whether there are checks and all passed."""
        return bool(self.checks) and all(check.status == "pass" for check in self.checks)

    def failed(self) -> list[Check]:
        """The checks that did not pass."""
        return [check for check in self.checks if check.status != "pass"]

    def as_json(self) -> list[dict[str, Any]]:
        """The checks as JSON objects."""
        return [vars(check) for check in self.checks]
