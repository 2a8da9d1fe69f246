# SPDX-License-Identifier: GPL-3.0-or-later
"""The native prover: its proofs under every verifier, fresh blinding and wrong witnesses."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from native.systems import System, random_system
from zkmargin.protocol.poseidon import MODULUS, to_words
from zkmargin.proving.proof import Proof
from zkmargin.proving.verify import verify_groth16py, verify_py_ecc, verify_snarkjs
from zkmargin.proving.zkey import vkey_from_zkey
from zkmargin.toolchain import node, snarkjs


def make(kernel: ModuleType, folder: Path, system: System) -> Path:
    path = system.write(folder)
    zkey = path.with_suffix(".zkey")
    kernel.dev_setup([(str(path), str(zkey))])
    return zkey


def proof_of(prover: object, system: System, threads: int = 1) -> Proof:
    return Proof.from_bytes(prover.prove(system.witness_bytes(), threads), system.signals())


@pytest.mark.parametrize(
    ("constraints", "public", "terms"),
    [(1, 1, 1), (2, 1, 3), (30, 4, 3), (61, 2, 60), (900, 3, 4), (5000, 3, 3)],
)
def test_proofs_verify(kernel: ModuleType, tmp_path: Path, constraints: int, public: int, terms: int) -> None:
    system = random_system(constraints + terms, constraints, public, terms)
    assert system.holds()
    zkey = make(kernel, tmp_path, system)
    key, prover = vkey_from_zkey(zkey), kernel.Prover(str(zkey), 2)
    assert (prover.wires, prover.public_signals) == (len(system.witness), public)
    for threads in (1, 2, 5):
        proof = proof_of(prover, system, threads)
        assert verify_groth16py(proof, key)
        wrong = Proof(proof.a, proof.b, proof.c, ((proof.public[0] + 1) % MODULUS, *proof.public[1:]))
        assert not verify_groth16py(wrong, key)


def test_three_verifiers_agree(best_kernel: ModuleType, tmp_path: Path) -> None:
    system = random_system(4, 100)
    zkey = make(best_kernel, tmp_path, system)
    proof, key = proof_of(best_kernel.Prover(str(zkey)), system), vkey_from_zkey(zkey)
    for verify in (verify_groth16py, verify_snarkjs, verify_py_ecc):
        assert verify(proof, key), verify.__name__


@pytest.mark.parametrize("filler", [0, 1, MODULUS - 1, 2**253])
def test_uniform_witnesses(kernel: ModuleType, tmp_path: Path, filler: int) -> None:
    """All signals alike: one bucket holds every point."""
    count = 300
    rows = [({i: 1}, {0: 1}, {i + 1: 1}) for i in range(1, count)]
    system = System(1, rows, [1] + [filler] * count)
    assert system.holds()
    zkey = make(kernel, tmp_path, system)
    assert verify_groth16py(proof_of(kernel.Prover(str(zkey)), system), vkey_from_zkey(zkey))


def test_blinding_is_fresh(best_kernel: ModuleType, tmp_path: Path) -> None:
    system = random_system(1, 20)
    prover = best_kernel.Prover(str(make(best_kernel, tmp_path, system)))
    proofs = [proof_of(prover, system) for _ in range(4)]
    for point in ("a", "b", "c"):
        assert len({getattr(proof, point) for proof in proofs}) == 4


def test_proofs_are_blinded_apart(best_kernel: ModuleType, tmp_path: Path) -> None:
    """A proof's points belong to its own blinding: none fits another proof of the same witness."""
    system = random_system(2, 30)
    zkey = make(best_kernel, tmp_path, system)
    prover, key = best_kernel.Prover(str(zkey)), vkey_from_zkey(zkey)
    one, two = proof_of(prover, system), proof_of(prover, system)
    assert verify_groth16py(one, key)
    assert verify_groth16py(two, key)
    for mixed in ((one.a, two.b, two.c), (two.a, one.b, two.c), (two.a, two.b, one.c)):
        assert not verify_groth16py(Proof(*mixed, one.public), key)


def test_parts_of_a_proof_are_told(kernel: ModuleType, tmp_path: Path) -> None:
    system = random_system(6, 200)
    prover = kernel.Prover(str(make(kernel, tmp_path, system)))
    parts = prover.profile(system.witness_bytes())
    assert set(parts) == {"digits", "rows", "transforms", "a", "b", "c", "h", "blinding"}
    assert all(seconds > 0 for seconds in parts.values())
    with pytest.raises(ValueError, match="bytes"):
        prover.profile(b"")


def test_concurrent_proofs(kernel: ModuleType, tmp_path: Path) -> None:
    first = random_system(1, 400)
    zkey = make(kernel, tmp_path, first)
    prover, key = kernel.Prover(str(zkey)), vkey_from_zkey(zkey)
    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(lambda _: verify_groth16py(proof_of(prover, first), key), range(6)))


def test_wrong_witness_gives_no_valid_proof(best_kernel: ModuleType, tmp_path: Path) -> None:
    system = random_system(6, 60)
    zkey = make(best_kernel, tmp_path, system)
    prover, key = best_kernel.Prover(str(zkey)), vkey_from_zkey(zkey)
    for wire in (
        3,
        len(system.witness) // 2,
        len(system.witness) - 4,
    ):  # the last three stand in no constraint
        changed = list(system.witness)
        changed[wire] = (changed[wire] + 1) % MODULUS
        other = System(system.public, system.constraints, changed)
        if not other.holds():
            assert not verify_groth16py(proof_of(prover, other), key)


def test_malformed_witnesses_are_refused(best_kernel: ModuleType, tmp_path: Path) -> None:
    system = random_system(6, 20)
    prover = best_kernel.Prover(str(make(best_kernel, tmp_path, system)))
    good = system.witness_bytes()
    for data, what in (
        (good[:-1], "bytes"),
        (good + bytes(32), "bytes"),
        (b"", "bytes"),
        (good[:32] + to_words([MODULUS]) + good[64:], "witness word 1 is not below"),
        (bytes(32) + good[32:], "first word"),
    ):
        with pytest.raises(ValueError, match=what):
            prover.prove(data)
    assert len(prover.prove(memoryview(bytearray(good)))) == 256


def test_points_off_the_curve_are_refused(best_kernel: ModuleType, tmp_path: Path) -> None:
    zkey = make(best_kernel, tmp_path, random_system(3, 12))
    good = zkey.read_bytes()
    zkey.write_bytes(good[:-200] + bytes([good[-200] ^ 1]) + good[-199:])  # within the last point section
    with pytest.raises(ValueError, match="section 9, holds a point that is not on the curve"):
        best_kernel.Prover(str(zkey))


def test_missing_key_is_named(best_kernel: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.zkey"):
        best_kernel.Prover(str(tmp_path / "absent.zkey"))


def test_key_of_a_real_ceremony(best_kernel: ModuleType, tmp_path: Path) -> None:
    """snarkjs makes the key from the Hermez ceremony's powers of tau; the native prover uses it."""
    data = os.environ.get("ZKMARGIN_DATA")
    ptau = Path(data or "") / "zk/ptau/powersOfTau28_hez_final_10.ptau"
    if not data or not ptau.exists():
        pytest.skip("set ZKMARGIN_DATA to the folder with zk/ptau/powersOfTau28_hez_final_10.ptau")
    system = random_system(8, 300)
    path = system.write(tmp_path)
    run = [node(), snarkjs()]
    first, final = tmp_path / "first.zkey", tmp_path / "final.zkey"
    subprocess.run([*run, "groth16", "setup", path, ptau, first], check=True, capture_output=True)
    subprocess.run(
        [*run, "zkey", "contribute", first, final, "-e=not secret: a test"], check=True, capture_output=True
    )
    proof = proof_of(best_kernel.Prover(str(final)), system)
    assert verify_groth16py(proof, vkey_from_zkey(final))
    assert verify_snarkjs(proof, vkey_from_zkey(final))
