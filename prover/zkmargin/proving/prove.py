# SPDX-License-Identifier: GPL-3.0-or-later
"""Proofs that have been verified: witness, backend, check, with the time each took."""

from __future__ import annotations

import time
from dataclasses import dataclass

from zkmargin.circuits.r1cs import ConstraintSystem, SignalNames
from zkmargin.errors import BadInput, ProvingError
from zkmargin.proving.backends import get_backend
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.proof import Proof
from zkmargin.proving.verify import verify_groth16py
from zkmargin.proving.witness import Inputs, WitnessGenerator

_generators: dict[str, WitnessGenerator] = {}


@dataclass(frozen=True)
class Proved:
    """A verified proof and the seconds its steps took."""

    proof: Proof
    backend: str
    witness_s: float
    prove_s: float
    verify_s: float


def compute_witness(keys: CircuitKeys, inputs: Inputs) -> bytes:
    """The witness for `inputs`, by this process's warm generator of the circuit."""
    name = str(keys.artifacts.folder)
    if name not in _generators:
        _generators[name] = WitnessGenerator(keys.artifacts)
    return _generators[name].compute(inputs)


def prove(keys: CircuitKeys, inputs: Inputs, backend: str) -> Proved:
    """Prove the circuit on `inputs`; raises WitnessError for inputs that do not meet the statement."""
    start = time.perf_counter()
    witness = compute_witness(keys, inputs)
    return prove_witness(keys, witness, backend, witness_s=time.perf_counter() - start)


def prove_witness(keys: CircuitKeys, witness: bytes, backend: str, *, witness_s: float = 0.0) -> Proved:
    """Prove a finished witness; ProvingError names a broken constraint when the proof does not verify."""
    if len(witness) != 32 * keys.artifacts.wires:
        raise BadInput(
            f"the witness has {len(witness)} bytes; circuit {keys.artifacts.key} "
            f"has {keys.artifacts.wires} wires of 32"
        )
    start = time.perf_counter()
    proof = get_backend(backend).prove(keys, witness)
    proved = time.perf_counter()
    if not verify_groth16py(proof, keys.verification_key):
        raise ProvingError(
            f"the proof of circuit {keys.artifacts.key} by {backend} does not verify: "
            + _reason(keys, witness),
            hint="",
        )
    return Proved(proof, backend, witness_s, proved - start, time.perf_counter() - proved)


def _reason(keys: CircuitKeys, witness: bytes) -> str:
    system = ConstraintSystem(keys.artifacts.r1cs)
    failed = system.check(witness)
    if not failed:
        return "its witness satisfies the circuit, so the backend or its key is at fault"
    example = SignalNames(keys.artifacts.sym).describe(system, failed[0])
    return f"the witness breaks {len(failed)} constraints, first number {failed[0]}: {example[:400]}"
