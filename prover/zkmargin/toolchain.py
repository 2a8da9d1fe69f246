# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of the programs and libraries that `make setup` installs, each checked when asked for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zkmargin.errors import ToolMissing
from zkmargin.protocol.home import build_folder, home

__all__ = [
    "anvil",
    "build_folder",
    "cache_folder",
    "cast",
    "circom_wasm",
    "circomlib",
    "exclusively",
    "forge",
    "forget_unused",
    "home",
    "mark_used",
    "node",
    "snarkjs",
    "solc",
]

Report = Callable[[str], None]


def cache_folder(name: str) -> Path:
    """Folder `build/<name>`, made if it is not there."""
    folder = build_folder() / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def mark_used(record: Path) -> None:
    """Note that a cached folder is in use, by the time of its record file."""
    with contextlib.suppress(PermissionError):
        os.utime(record)


def forget_unused(root: Path, record: str, days: float = 3) -> list[str]:
    """Remove folders below `root` whose file `record` was not marked for `days`; their names.

    Compiled circuits and keys take hundreds of megabytes for every version of a source.
    """
    limit = time.time() - days * 86400
    old = [path.parent for path in root.glob(f"*/{record}") if path.stat().st_mtime < limit]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return sorted(folder.name for folder in old)


def _installed(relative: str, what: str) -> Path:
    path = home() / relative
    if not path.exists():
        raise ToolMissing(f"{what} is not installed: {path} is missing")
    return path


def _foundry(name: str) -> Path:
    return _installed(f"node_modules/@foundry-rs/{name}-linux-amd64/bin/{name}", f"{name} (Foundry)")


def anvil() -> Path:
    """The local Ethereum node."""
    return _foundry("anvil")


def forge() -> Path:
    """The contract builder and test runner."""
    return _foundry("forge")


def cast() -> Path:
    """The chain query tool."""
    return _foundry("cast")


def solc() -> Path:
    """The wrapper that runs the npm Solidity compiler like a native one."""
    return _installed("tools/solc", "the Solidity compiler's wrapper")


def circom_wasm() -> Path:
    """The circom compiler as a WebAssembly program."""
    return _installed("node_modules/circom2/circom.wasm", "the circom compiler (npm circom2)")


def circomlib() -> Path:
    """Folder of circomlib's templates, for the compiler's search path."""
    return _installed("node_modules/circomlib/circuits", "circomlib (npm)")


def snarkjs() -> Path:
    """The snarkjs command, a script for `node()`."""
    return _installed("node_modules/snarkjs/build/cli.cjs", "snarkjs (npm)")


def node() -> Path:
    """The Node.js interpreter."""
    found = shutil.which("node")
    if found is None:
        raise ToolMissing("node is not on the PATH", hint="install Node.js 20 or later")
    return Path(found)


@contextmanager
def exclusively(lock: Path, report: Report | None = None, waiting_for: str = "") -> Iterator[None]:
    """Hold the lock file `lock`, so that two processes do not build the same thing at once.

    Waits for the other process, saying so through `report`. The lock is given up when its holder ends,
    however it ends.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if report is not None:
                report(f"waiting for another process that is building {waiting_for or lock.stem}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
