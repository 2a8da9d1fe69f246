# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the auditor reads the chain: a node over JSON-RPC, or the answers of one kept in a folder.

A bundle is `manifest.json` (chain, ledger, when it was made) and `answers.json`: each JSON-RPC question that an audit asked
with the node's answer, so that the same audit runs again after the node is gone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import requests

from zkmargin.errors import BadInput, ChainUnreachable, MissingData

_TIMEOUT = 60.0


class Source(Protocol):
    """Answers JSON-RPC questions."""

    def ask(self, method: str, parameters: list[Any]) -> Any: ...


class Node:
    """A node at `url`."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"'{url}' is not the address of a node", hint="give http://HOST:PORT")
        self.url = url
        self._session = requests.Session()

    def ask(self, method: str, parameters: list[Any]) -> Any:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        try:
            answer = self._session.post(self.url, json=question, timeout=_TIMEOUT).json()
        except (requests.RequestException, ValueError) as error:
            raise ChainUnreachable(f"the node at {self.url} does not answer: {error}",
                                   hint="start it, or audit a bundle with --bundle") from error
        if not isinstance(answer, dict) or "result" not in answer:
            raise MissingData(f"the node refused {method}: {answer.get('error') if isinstance(answer, dict) else answer}")
        return answer["result"]


def _key(method: str, parameters: list[Any]) -> str:
    return json.dumps([method, parameters], separators=(",", ":"))


class Recorder:
    """Passes questions on and keeps every answer."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.answers: dict[str, Any] = {}

    def ask(self, method: str, parameters: list[Any]) -> Any:
        key = _key(method, parameters)
        if key not in self.answers:
            self.answers[key] = self.source.ask(method, parameters)
        return self.answers[key]

    def save(self, folder: Path, ledger: str) -> None:
        """Write the bundle."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = [{"question": json.loads(key), "answer": answer} for key, answer in self.answers.items()]
        (folder / "answers.json").write_text(json.dumps(rows, indent=1) + "\n")
        (folder / "manifest.json").write_text(json.dumps({"format": 1, "ledger": ledger}, indent=1) + "\n")


class Bundle:
    """A bundle in a folder."""

    def __init__(self, folder: Path) -> None:
        self.ledger = str(self._read(folder / "manifest.json").get("ledger", ""))
        rows = self._read(folder / "answers.json")
        try:
            self._answers = {_key(*row["question"]): row["answer"] for row in rows}
        except (TypeError, KeyError) as error:
            raise MissingData(f"{folder / 'answers.json'} is damaged: {error!r}") from error

    @staticmethod
    def _read(path: Path) -> Any:
        if not path.is_file():
            raise MissingData(f"there is no {path}", hint="a bundle is what `zkmargin audit --save-bundle` wrote")
        try:
            return json.loads(path.read_text())
        except ValueError as error:
            raise MissingData(f"{path} is damaged: {error}") from error

    def ask(self, method: str, parameters: list[Any]) -> Any:
        key = _key(method, parameters)
        if key not in self._answers:
            raise MissingData(f"the bundle has no answer to {method}", hint="it was made by another version, or is damaged")
        return self._answers[key]
