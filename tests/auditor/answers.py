# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle's answers in memory, to be changed, and an audit of them that decides no proof twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from zkmargin.auditor import Audit, audit
from zkmargin.auditor.chain import event_name
from zkmargin.auditor.groth16 import Job, holds
from zkmargin.auditor.source import NoAnswer
from zkmargin.errors import MissingData


@dataclass
class Kept:
    """A bundle, and what its audit said while the node still ran."""

    folder: Path
    ledger: str
    first: Audit


_DECIDED: dict[str, str] = {}


def verify_once(jobs: Sequence[Job], progress: Callable[[int, int], None]) -> list[str]:
    """The auditor's own verification, remembered by key, proof and public signals."""
    results = []
    for job in jobs:
        name = repr(job)
        if name not in _DECIDED:
            _DECIDED[name] = holds(*job)
        results.append(_DECIDED[name])
        progress(len(results), len(jobs))
    return results


def topic(signature: str) -> str:
    return "0x" + keccak(signature.encode()).hex()


class Answers:
    """A source over answers that may be changed. `logs`, `views` and `calls` are places to change them at."""

    altered = ""

    def __init__(self, folder: Path) -> None:
        self.ledger: str = json.loads((folder / "manifest.json").read_text())["ledger"]
        self.rows: list[dict[str, Any]] = json.loads((folder / "answers.json").read_text())

    def copy(self) -> Answers:
        return deepcopy(self)

    def ask(self, method: str, parameters: list[Any]) -> Any:
        for row in self.rows:
            if row["question"] == [method, parameters]:
                if "refused" in row:
                    raise NoAnswer(row["refused"])
                return row["answer"]
        raise MissingData(f"no answer to {method}")

    def audit(self) -> Audit:
        return audit(self, self.ledger, verify=verify_once)

    def _of(self, method: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["question"][0] == method]

    def code(self, address: str) -> dict[str, Any]:
        """The row of a contract's code."""
        return next(row for row in self._of("eth_getCode") if row["question"][1][0] == address.lower())

    @property
    def logs(self) -> list[dict[str, Any]]:
        return list(self._of("eth_getLogs")[0]["answer"])

    def replace_logs(self, logs: list[dict[str, Any]]) -> None:
        self._of("eth_getLogs")[0]["answer"] = logs

    def named(self, name: str) -> list[dict[str, Any]]:
        """The logs of an event, by its name."""
        return [log for log in self.logs if event_name(log["topics"][0]) == name]

    def move(self, log: dict[str, Any], block: str, index: int) -> None:
        """Put a log elsewhere in the chain."""
        log["blockNumber"], log["logIndex"] = block, hex(index)

    def sent(self, log: dict[str, Any]) -> dict[str, Any]:
        """The transaction of a log."""
        found = [
            row
            for row in self._of("eth_getTransactionByHash")
            if row["question"][1] == [log["transactionHash"]]
        ]
        answer: dict[str, Any] = found[0]["answer"]
        return answer

    def view(self, signature: str, contract: str | None = None) -> dict[str, Any]:
        """The row of a view's answer."""
        start = topic(signature)[:10]
        return next(
            row
            for row in self._of("eth_call")
            if row["question"][1][0]["data"].startswith(start)
            and contract in (None, row["question"][1][0]["to"])
        )
