# SPDX-License-Identifier: GPL-3.0-or-later
"""npm snarkjs, the reference, in a Node process for each proof."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from zkmargin.errors import ProvingError
from zkmargin.proving.files import witness_file
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.proof import Proof
from zkmargin.toolchain import node, snarkjs


class SnarkJs:
    """Runs `snarkjs groth16 prove`."""

    name = "snarkjs"

    def prove(self, keys: CircuitKeys, witness: bytes) -> Proof:
        """See `Backend.prove`."""
        keys.check_zkey()
        with witness_file(witness) as wtns, tempfile.TemporaryDirectory(prefix="zkmargin-") as folder:
            proof, public = Path(folder) / "proof.json", Path(folder) / "public.json"
            done = subprocess.run(
                [node(), snarkjs(), "groth16", "prove", keys.zkey, wtns, proof, public],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode != 0 or not proof.exists():
                said = (done.stdout + done.stderr).strip()[-1000:]
                raise ProvingError(f"snarkjs made no proof for circuit {keys.artifacts.key}: {said}")
            return Proof.from_json(json.loads(proof.read_text()), json.loads(public.read_text()))
