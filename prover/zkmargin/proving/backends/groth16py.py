# SPDX-License-Identifier: GPL-3.0-or-later
"""PyPI groth16py: arkworks in this process, one thread, without the interpreter lock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import groth16py

from zkmargin.proving.files import witness_file
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.proof import Proof
from zkmargin.proving.witness import public_signals


class Groth16Py:
    """Keeps each proving key it has loaded.

    groth16py checks no curve points when it reads a proving key, so the key's hash is checked first.
    """

    name = "groth16py"

    def __init__(self) -> None:
        self._loaded: dict[Path, Any] = {}

    def prove(self, keys: CircuitKeys, witness: bytes) -> Proof:
        """See `Backend.prove`."""
        if keys.zkey not in self._loaded:
            keys.check_zkey()
            self._loaded[keys.zkey], _ = groth16py.import_zkey(str(keys.zkey))
        with witness_file(witness) as path:
            data = groth16py.prove_wtns(self._loaded[keys.zkey], str(path))
        return Proof.from_bytes(data, public_signals(keys.artifacts, witness))
