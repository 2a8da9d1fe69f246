# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the auditor reads the chain: a node over JSON-RPC, or the answers of one kept in a folder.

A bundle is `manifest.json` (chain, ledger, when it was made) and `answers.json`: each JSON-RPC question that
an audit asked with the node's answer, so that the same audit runs again after the node is gone.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Protocol

import requests

from zkmargin.errors import BadInput, ChainUnreachable, MissingData

_TIMEOUT = 60.0
_DEEPEST = 64  # no answer of a node nests deeper
_HINT = "a bundle is what `zkmargin audit --save-bundle` wrote"


class Source(Protocol):
    """Answers JSON-RPC questions. `altered`: what shows that the answers are not those once given."""

    altered: str

    def ask(self, method: str, parameters: list[Any]) -> Any:
        """The `result` of a question."""
        ...


class Node:
    """A node at `url`."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"'{url}' is not the address of a node", hint="give http://HOST:PORT")
        self.url, self.altered = url, ""
        self._session = requests.Session()

    def ask(self, method: str, parameters: list[Any]) -> Any:
        """The `result` of a question; raises where there is none."""
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        try:
            answer = self._session.post(self.url, json=question, timeout=_TIMEOUT).json()
        except (requests.RequestException, ValueError) as error:
            raise ChainUnreachable(
                f"the node at {self.url} does not answer: {_cause(error)}",
                hint="start it, or audit a bundle with --bundle",
            ) from error
        if not isinstance(answer, dict) or "result" not in answer:
            raise MissingData(
                f"the node refused {method}: {answer.get('error') if isinstance(answer, dict) else answer}"
            )
        return answer["result"]


def _cause(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "no connection" if isinstance(error, requests.ConnectionError) else "what it says is no JSON"


def _key(method: str, parameters: list[Any]) -> str:
    return json.dumps([method, parameters], separators=(",", ":"))


class Recorder:
    """Passes questions on and keeps every answer."""

    def __init__(self, source: Source) -> None:
        self.source, self.altered = source, ""
        self.answers: dict[str, Any] = {}

    def ask(self, method: str, parameters: list[Any]) -> Any:
        """The `result` of a question; raises where there is none."""
        key = _key(method, parameters)
        if key not in self.answers:
            self.answers[key] = self.source.ask(method, parameters)
        return self.answers[key]

    def save(self, folder: Path, ledger: str) -> None:
        """Write the bundle."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = [{"question": json.loads(key), "answer": answer} for key, answer in self.answers.items()]
        text = json.dumps(rows, indent=1) + "\n"
        manifest = {
            "format": 1,
            "ledger": ledger,
            "answers": len(rows),
            "bytes": len(text.encode()),
            "sha256": _digest(rows),
        }
        (folder / "answers.json").write_text(text)
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _depth(text: str) -> int:
    """How deep lists and objects nest, brackets in strings left out."""
    most = depth = 0
    for bracket in re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text, flags=re.DOTALL)):
        depth += 1 if bracket in "[{" else -1
        most = max(most, depth)
    return most


def _digest(rows: Any) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Bundle:
    """A bundle in a folder.

    The manifest's hash finds damage of any byte; whoever forges a bundle can forge it too, and is found by
    the audit itself. Raises `MissingData` for files that are absent or cut off.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "manifest.json"
        try:
            text = self._read(path)
            if _depth(text) > _DEEPEST:
                raise ValueError("it nests too deeply")
            manifest = json.loads(text)
            self.ledger, count = str(manifest["ledger"]), int(manifest["answers"])
            size, digest = int(manifest["bytes"]), str(manifest["sha256"])
        except (ValueError, TypeError, KeyError) as error:
            raise MissingData(f"{path} is damaged: {error!r}", hint=_HINT) from error
        self.altered, self._answers = "", dict[str, Any]()
        path = folder / "answers.json"
        text = self._read(path)
        if _depth(text) > _DEEPEST:
            raise MissingData(f"{path} is damaged: its lists nest too deeply", hint=_HINT)
        try:
            rows = json.loads(text, strict=False)
            self._answers = {_key(*row["question"]): row["answer"] for row in rows}
            if _digest(rows) != digest and len(rows) == count:
                self.altered = f"{path} is not what was saved: its SHA-256 is another"
        except (ValueError, TypeError, KeyError) as error:
            if path.stat().st_size != size:
                raise MissingData(f"{path} is damaged: {error!r}", hint=_HINT) from error
            self.altered = f"{path} is not what was saved: {error!r}"

    @staticmethod
    def _read(path: Path) -> str:
        if not path.is_file():
            raise MissingData(f"there is no {path}", hint=_HINT)
        return path.read_bytes().decode(errors="replace")

    def ask(self, method: str, parameters: list[Any]) -> Any:
        """The `result` of a question; raises where there is none."""
        key = _key(method, parameters)
        if key not in self._answers:
            raise MissingData(
                f"the bundle has no answer to {method}", hint="it was made by another version, or is damaged"
            )
        return self._answers[key]
