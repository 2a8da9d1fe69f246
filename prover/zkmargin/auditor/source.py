# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the auditor reads the chain: a node over JSON-RPC, or the answers of one kept in a folder.

A bundle is `manifest.json` (which chain, ledger and block) and `answers.json`: each JSON-RPC question that an
audit asked with the node's answer, or with its refusal, so that the same audit runs again after the node is
gone.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Protocol

import requests

from zkmargin.auditor.untrusted import parse
from zkmargin.errors import BadInput, ChainUnreachable, MissingData

_TIMEOUT = 60.0
_FORMAT = 2
_LARGEST = {"manifest.json": 1 << 16, "answers.json": 1 << 29}  # bytes
_HINT = "a bundle is what `zkmargin audit --save-bundle` wrote"


class NoAnswer(MissingData):
    """A question was answered by an error, of a call that reverts say, or by nothing."""


class Source(Protocol):
    """Answers JSON-RPC questions. `altered`: what shows that the answers are not those once given."""

    altered: str

    def ask(self, method: str, parameters: list[Any]) -> Any:
        """The `result` of a question; NoAnswer for an error."""
        ...


class Node:
    """A node at `url`."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"'{url}' is not the address of a node", hint="give http://HOST:PORT")
        self.url, self.altered = url, ""
        self._session = requests.Session()

    def ask(self, method: str, parameters: list[Any]) -> Any:
        """The `result` of a question; NoAnswer for an error."""
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        try:
            answer = parse(self._session.post(self.url, json=question, timeout=_TIMEOUT).content.decode())
        except (requests.RequestException, ValueError) as error:
            raise ChainUnreachable(
                f"the node at {self.url} does not answer: {_cause(error)}",
                hint="start it, or audit a bundle with --bundle",
            ) from error
        if not isinstance(answer, dict) or "result" not in answer:
            words = answer.get("error") if isinstance(answer, dict) else answer
            raise NoAnswer(f"the node refused {method}: {str(words)[:200]}")
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
        self._rows: dict[str, dict[str, Any]] = {}

    def ask(self, method: str, parameters: list[Any]) -> Any:
        """The `result` of a question; NoAnswer for an error."""
        key = _key(method, parameters)
        if key not in self._rows:
            try:
                self._rows[key] = {"answer": self.source.ask(method, parameters)}
            except NoAnswer as error:
                self._rows[key] = {"refused": error.message}
        return _answer(self._rows[key])

    def save(self, folder: Path, ledger: str, from_block: int = 0) -> None:
        """Write the bundle of an audit that looked for events from `from_block`."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = [{"question": json.loads(key)} | row for key, row in self._rows.items()]
        text = json.dumps(rows, indent=1) + "\n"
        manifest = {
            "format": _FORMAT,
            "ledger": ledger,
            **_place(self._rows),
            "from_block": from_block,
            "answers": len(rows),
            "bytes": len(text.encode()),
            "sha256": _digest(rows),
        }
        (folder / "answers.json").write_text(text)
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _place(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Of which chain and block the answers are, as they say; None for what they don't."""
    chain = rows.get(_key("eth_chainId", []), {}).get("answer")
    block = rows.get(_key("eth_getBlockByNumber", ["latest", False]), {}).get("answer")
    block = block if isinstance(block, dict) else {}
    return {"chain_id": chain, "block": block.get("number"), "block_hash": block.get("hash")}


def _answer(row: dict[str, Any]) -> Any:
    if "refused" in row:
        raise NoAnswer(str(row["refused"]))
    return row["answer"]


def _digest(rows: Any) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Bundle:
    """A bundle in a folder.

    The manifest's hash finds damage of any byte; whoever forges a bundle can forge it too, and is found by
    the audit itself. Raises `MissingData` for files that are absent, cut off, too large or of another format.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "manifest.json"
        try:
            manifest = parse(self._read(path))
            self.ledger, count = _text(manifest, "ledger"), _size(manifest, "answers")
            size, digest = _size(manifest, "bytes"), _text(manifest, "sha256")
            version = _size(manifest, "format")
            self.from_block = _size(manifest, "from_block") if version == _FORMAT else 0
        except (ValueError, TypeError, KeyError) as error:
            raise MissingData(f"{path} is damaged: {error!r}", hint=_HINT) from error
        if version != _FORMAT:
            raise MissingData(
                f"{folder} is a bundle of format {version}, this version reads {_FORMAT}",
                hint="audit the node again, or use the version that made it",
            )
        self.altered, self._rows = "", dict[str, dict[str, Any]]()
        path = folder / "answers.json"
        text = self._read(path)
        try:
            rows = parse(text, strict=False)
            self._rows = {_key(*row["question"]): row for row in rows}
            whole = len(rows) == count  # else an answer that is asked for will be missing
            if whole and _digest(rows) != digest:
                self.altered = f"{path} is not what was saved: its SHA-256 is another"
            elif whole and any(manifest.get(name) != value for name, value in _place(self._rows).items()):
                self.altered = f"{folder / 'manifest.json'} tells of another chain or block than {path}"
        except (ValueError, TypeError, KeyError) as error:
            if path.stat().st_size != size:
                raise MissingData(f"{path} is damaged: {error!r}", hint=_HINT) from error
            self.altered = f"{path} is not what was saved: {error!r}"

    @staticmethod
    def _read(path: Path) -> str:
        if not path.is_file():
            raise MissingData(f"there is no {path}", hint=_HINT)
        if path.stat().st_size > (largest := _LARGEST[path.name]):
            raise MissingData(
                f"{path} is larger than the {largest:,} bytes that are read",
                hint="audit the ledger from a node",
            )
        return path.read_bytes().decode(errors="replace")

    def ask(self, method: str, parameters: list[Any]) -> Any:
        """The `result` of a question; NoAnswer for an error."""
        row = self._rows.get(_key(method, parameters))
        if row is None or not row.keys() & {"answer", "refused"}:
            raise MissingData(
                f"the bundle has no answer to {method}", hint="it was made by another version, or is damaged"
            )
        return _answer(row)


def _text(manifest: Any, name: str) -> str:
    value = manifest[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _size(manifest: Any, name: str) -> int:
    value = manifest[name]
    if type(value) is not int:
        raise TypeError(f"{name} is no whole number")
    return value
