# SPDX-License-Identifier: GPL-3.0-or-later
"""The files a circuit is made of, found as the compiler finds them, and their hash."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zkmargin.circuits.circuit import Circuit
from zkmargin.errors import CompileError
from zkmargin.toolchain import circom_wasm

OPTIONS = ("--O1", "--r1cs", "--sym", "--wasm")
MAIN = "main.circom"

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_INCLUDE = re.compile(r'^\s*include\s+"([^"]+)"\s*;', re.MULTILINE)


@dataclass(frozen=True)
class Sources:
    """Texts of a circuit's files by names that do not depend on the machine, and the hash of it all."""

    texts: dict[str, str]
    digest: str


@cache
def _file_hash(path: Path, stamp: tuple[int, int]) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def compiler_hash() -> str:
    """Hash of the compiler itself: a changed compiler makes every compiled circuit stale."""
    path = circom_wasm()
    status = path.stat()
    return _file_hash(path, (status.st_mtime_ns, status.st_size))


def includes(text: str) -> list[str]:
    """Paths named by the include statements of a source text."""
    return _INCLUDE.findall(_COMMENT.sub("", text))


def gather(circuit: Circuit) -> Sources:
    """All files `circuit` includes, directly or not; CompileError names an include that is not found."""
    texts: dict[str, str] = {}

    def visit(name: str, text: str, folder: Path | None) -> None:
        if name in texts:
            return
        texts[name] = text
        for include in includes(text):
            visit(*_resolve(circuit, name, include, folder))

    visit(MAIN, circuit.main_source(), None)
    hasher = hashlib.sha256()
    for part in (compiler_hash(), json.dumps(OPTIONS), json.dumps(texts, sort_keys=True)):
        hasher.update(part.encode() + b"\0")
    return Sources(texts, hasher.hexdigest())


def _resolve(circuit: Circuit, name: str, include: str, folder: Path | None) -> tuple[str, str, Path | None]:
    """Name, text and folder of an include: beside the including file, generated, or on the search path."""
    places = [] if folder is None else [folder]
    for place in places:
        if (place / include).is_file():
            return _named(circuit, (place / include).resolve())
    if include in circuit.generated:
        return f"generated/{include}", circuit.generated[include], None
    for place in circuit.search:
        if (place / include).is_file():
            return _named(circuit, (place / include).resolve())
    raise CompileError(
        f"circuit {circuit.key}: {name} includes '{include}', which is not found",
        hint=f"looked beside it and in {', '.join(str(place) for place in circuit.search) or 'no folder'}",
    )


def _named(circuit: Circuit, path: Path) -> tuple[str, str, Path]:
    for number, place in enumerate(circuit.search):
        if path.is_relative_to(place.resolve()):
            return f"{number}/{path.relative_to(place.resolve())}", path.read_text(), path.parent
    return str(path.name), path.read_text(), path.parent
