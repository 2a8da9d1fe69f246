# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's own prover, in the native kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zkmargin.errors import ToolMissing
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.proof import Proof
from zkmargin.proving.witness import public_signals


class Native:
    """Keeps each proving key it has loaded."""

    name = "native"

    def __init__(self) -> None:
        try:
            from zkmargin import _kernel
        except ImportError:
            raise ToolMissing("the native kernel is not built") from None
        self._prover: Any = getattr(_kernel, "Prover", None)
        if self._prover is None:
            raise ToolMissing(
                "the native kernel of this installation has no prover", hint="use another backend"
            )
        self._loaded: dict[Path, Any] = {}

    def prove(self, keys: CircuitKeys, witness: bytes) -> Proof:
        """See `Backend.prove`."""
        if keys.zkey not in self._loaded:
            keys.check_zkey()
            self._loaded[keys.zkey] = self._prover(str(keys.zkey))
        return Proof.from_bytes(
            self._loaded[keys.zkey].prove(witness), public_signals(keys.artifacts, witness)
        )
