# SPDX-License-Identifier: GPL-3.0-or-later
"""Witness files for provers that take a path, in memory where the system offers it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zkmargin.proving.witness import write_wtns

_SHARED_MEMORY = Path("/dev/shm")


@contextmanager
def witness_file(witness: bytes) -> Iterator[Path]:
    """A .wtns file of `witness`, gone afterwards and for this user alone: a witness is private."""
    folder = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    with tempfile.NamedTemporaryFile(dir=folder, prefix="zkmargin-", suffix=".wtns") as file:
        path = Path(file.name)
        write_wtns(path, witness)
        yield path
