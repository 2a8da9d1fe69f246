# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's own prover, in the native kernel: all cores for one proof."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from zkmargin.errors import ToolMissing
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.proof import Proof
from zkmargin.proving.witness import public_signals

THREADS = "ZKMARGIN_PROVER_THREADS"
"""Environment variable: threads for one proof; all cores when it is not set."""


class Native:
    """Keeps each proving key it has loaded."""

    name = "native"

    def __init__(self) -> None:
        try:
            from zkmargin import _kernel
        except ImportError:
            raise ToolMissing("the native kernel is not built") from None
        self._prover = _kernel.Prover
        self._threads = int(os.environ.get(THREADS, "0")) or os.cpu_count() or 1
        self._loaded: dict[Path, Any] = {}

    def prove(self, keys: CircuitKeys, witness: bytes) -> Proof:
        """See `Backend.prove`."""
        if keys.zkey not in self._loaded:
            keys.check_zkey()
            self._loaded[keys.zkey] = self._prover(str(keys.zkey), self._threads)
        data = self._loaded[keys.zkey].prove(witness, self._threads)
        return Proof.from_bytes(data, public_signals(keys.artifacts, witness))
