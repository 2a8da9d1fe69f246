# SPDX-License-Identifier: GPL-3.0-or-later
"""Any small constraint system: key and proof by the kernel, judged by groth16py, py-ecc and snarkjs.

Each system is proved twice: with a witness that meets it, and with one of its wires changed, where the proof
must hold exactly if the constraints still do.
"""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from native.systems import Combination, System, random_system
from zkmargin.protocol.poseidon import MODULUS
from zkmargin.proving.proof import Proof
from zkmargin.proving.verify import VerifyingKey, verify_groth16py, verify_py_ecc, verify_snarkjs
from zkmargin.proving.zkey import vkey_from_zkey
from zkmargin.toolchain import node, snarkjs

ENDS = [0, 1, 2, MODULUS - 1, MODULUS - 2, 2**64 - 1, 2**128, 2**253]
ELEMENTS = st.sampled_from(ENDS) | st.integers(0, MODULUS - 1)

Verify = Callable[[Proof, VerifyingKey], bool]
Case = tuple[System, int, int]
"""A system that holds, a wire, and another value for it."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Products, equations between sums, constraints written twice or empty, and wires of no constraint."""
    public = draw(st.integers(0, 3))
    witness = [1, *draw(st.lists(ELEMENTS, min_size=public + 1, max_size=public + 4))]
    rows: list[tuple[Combination, Combination, Combination]] = []

    def combination() -> Combination:
        return draw(st.dictionaries(st.integers(0, len(witness) - 1), ELEMENTS, max_size=4))

    def value(terms: Combination) -> int:
        return sum(c * witness[w] for w, c in terms.items()) % MODULUS

    for kind in draw(st.lists(st.sampled_from(["product", "product", "sum", "again", "empty"]), max_size=9)):
        a, b = combination(), combination()
        if kind == "product":
            rows.append((a, b, {len(witness): 1}))
            witness.append(value(a) * value(b) % MODULUS)
        elif kind == "sum":
            rows.append((a, {0: 1}, {len(witness): 1}))
            witness.append(value(a))
        elif kind == "again" and rows:
            rows.append(draw(st.sampled_from(rows)))
        else:
            rows.append(({}, b, {}))
    return System(public, rows, witness), draw(st.integers(1, len(witness) - 1)), draw(ELEMENTS)


def prove_and_judge(kernel: ModuleType, case: Case, *judges: Verify) -> None:
    system, wire, other = case
    assert system.holds()
    changed = System(system.public, system.constraints, list(system.witness))
    changed.witness[wire] = other
    with tempfile.TemporaryDirectory() as folder:
        path = system.write(Path(folder))
        zkey = path.with_suffix(".zkey")
        kernel.dev_setup([(str(path), str(zkey))])
        key, prover = vkey_from_zkey(zkey), kernel.Prover(str(zkey))
    for proved in (system, changed):
        proof = Proof.from_bytes(prover.prove(proved.witness_bytes()), proved.signals())
        for judge in judges:
            assert judge(proof, key) == proved.holds(), judge.__name__


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_groth16py_agrees(kernel: ModuleType, case: Case) -> None:
    prove_and_judge(kernel, case, verify_groth16py)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_py_ecc_and_snarkjs_agree(best_kernel: ModuleType, case: Case) -> None:
    prove_and_judge(best_kernel, case, verify_groth16py, verify_py_ecc, verify_snarkjs)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_groth16py_agrees_on_many(best_kernel: ModuleType, case: Case) -> None:
    prove_and_judge(best_kernel, case, verify_groth16py)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_py_ecc_and_snarkjs_agree_on_many(best_kernel: ModuleType, case: Case) -> None:
    prove_and_judge(best_kernel, case, verify_py_ecc, verify_snarkjs)


def test_a_key_of_snarkjs(best_kernel: ModuleType, tmp_path: Path) -> None:
    """snarkjs makes powers of tau and a key of its own; the kernel reads the key and its proofs hold."""

    def run(*arguments: object) -> None:
        command = [node(), snarkjs(), *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)

    run("powersoftau", "new", "bn128", 5, "new.ptau")
    run("powersoftau", "beacon", "new.ptau", "tau.ptau", "0123456789abcdef", 10)
    run("powersoftau", "prepare", "phase2", "tau.ptau", "final.ptau")
    for seed, public in ((1, 0), (2, 2)):
        system = random_system(seed, 20, public)
        path = system.write(tmp_path)
        run("groth16", "setup", path, "final.ptau", "first.zkey")
        run("zkey", "beacon", "first.zkey", "final.zkey", "0123456789abcdef", 10)
        key, prover = (
            vkey_from_zkey(tmp_path / "final.zkey"),
            best_kernel.Prover(str(tmp_path / "final.zkey")),
        )
        proof = Proof.from_bytes(prover.prove(system.witness_bytes()), system.signals())
        assert verify_groth16py(proof, key)
        assert verify_snarkjs(proof, key)
