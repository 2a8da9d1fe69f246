# SPDX-License-Identifier: GPL-3.0-or-later
"""Proofs: every backend proves, every verifier accepts, and nothing false gets through."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import subprocess
from dataclasses import replace

import pytest

from proving.example import example_inputs
from zkmargin.circuits.r1cs import MODULUS
from zkmargin.errors import BadInput, MissingData, ProofInvalid, ProvingError, UsageError, WitnessError
from zkmargin.protocol.vkeys import vkey_hash
from zkmargin.proving.backends import backend_names, get_backend
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.pool import Job, ProvingPool
from zkmargin.proving.proof import BASE_MODULUS, Proof
from zkmargin.proving.prove import prove, prove_witness
from zkmargin.proving.verify import VERIFIERS, verify
from zkmargin.proving.witness import WitnessGenerator
from zkmargin.toolchain import node, snarkjs

BACKENDS = backend_names()


@pytest.fixture(scope="module")
def proofs(keys):
    return {name: prove(keys, example_inputs(), name).proof for name in BACKENDS}


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_verifier_accepts_every_backend(keys, proofs, backend, verifier):
    assert proofs[backend].public == (170, 100, 7)
    verify(proofs[backend], keys.verification_key, verifier)


TAMPERED = {
    "signal": lambda p: replace(p, public=(p.public[0], p.public[1], p.public[2] + 1)),
    "signal plus modulus": lambda p: replace(p, public=(p.public[0], p.public[1], p.public[2] + MODULUS)),
    "negative signal": lambda p: replace(p, public=(p.public[0], p.public[1], p.public[2] - MODULUS)),
    "signal left out": lambda p: replace(p, public=p.public[:2]),
    "A negated": lambda p: replace(p, a=(p.a[0], BASE_MODULUS - p.a[1])),
    "A off the curve": lambda p: replace(p, a=(p.a[0], p.a[1] ^ 1)),
    "A and C swapped": lambda p: replace(p, a=p.c, c=p.a),
    "B's parts swapped": lambda p: replace(p, b=(p.b[0][::-1], p.b[1][::-1])),
    "C at infinity": lambda p: replace(p, c=(0, 0)),
}


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("change", TAMPERED)
def test_every_verifier_refuses_what_is_tampered_with(keys, proofs, change, verifier):
    with pytest.raises(ProofInvalid):
        verify(TAMPERED[change](proofs["groth16py"]), keys.verification_key, verifier)


def test_proofs_are_salted(keys, proofs):
    assert prove(keys, example_inputs(), "groth16py").proof.a != proofs["groth16py"].a


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_witness_gives_an_error_not_a_proof(keys, backend):
    witness = WitnessGenerator(keys.artifacts, checked=False).compute(example_inputs(root=11))
    with pytest.raises(ProvingError) as caught:
        prove_witness(keys, witness, backend)
    if backend == "groth16py":
        assert "breaks 1 constraints" in str(caught.value)
        assert "main.root" in str(caught.value)


def test_a_short_witness_is_refused(keys):
    with pytest.raises(BadInput, match="wires of 32"):
        prove_witness(keys, bytes(64), "groth16py")


def test_unknown_names(keys, proofs):
    with pytest.raises(UsageError, match="no proving backend 'plonk'"):
        get_backend("plonk")
    with pytest.raises(BadInput, match="no verifier 'oracle'"):
        verify(proofs["groth16py"], keys.verification_key, "oracle")


def test_a_damaged_proving_key_is_not_used(keys, tmp_path):
    data = bytearray(keys.zkey.read_bytes())
    data[len(data) // 2] ^= 1
    path = tmp_path / "damaged.zkey"
    path.write_bytes(data)
    for backend in BACKENDS:
        with pytest.raises(MissingData, match="damaged"):
            prove(replace(keys, zkey=path), example_inputs(), backend)


def test_written_forms(keys, proofs, tmp_path):
    proof = proofs["groth16py"]
    assert Proof.from_json(json.loads(json.dumps(proof.as_json()))) == proof
    assert Proof.from_calldata(proof.calldata(), proof.public) == proof
    assert Proof.from_bytes(proof.to_bytes(), proof.public) == proof
    (tmp_path / "proof.json").write_text(json.dumps(proof.as_json()))
    (tmp_path / "public.json").write_text(json.dumps([str(signal) for signal in proof.public]))
    files = (tmp_path / "public.json", tmp_path / "proof.json")
    command = [node(), snarkjs(), "zkey", "export", "soliditycalldata", *files]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    a, b, c, public = json.loads(f"[{done.stdout.strip()}]")
    theirs = [int(word, 16) for word in (*a, *b[0], *b[1], *c)]
    assert list(proof.calldata()) == theirs
    assert [int(word, 16) for word in public] == list(proof.public)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("pi_a"), "no point 'pi_a'"),
        (lambda d: d.update(pi_c=["1", "x", "1"]), "pi_c holds 'x'"),
        (lambda d: d.update(pi_c=["1", str(BASE_MODULUS), "1"]), "pi_c has a coordinate outside"),
        (lambda d: d.update(pi_c=["1", "2", "0"]), "pi_c of the proof is not an affine point"),
        (lambda d: d.update(pi_b=[["1", "2"], ["3", "4"], ["0", "0"]]), "pi_b of the proof"),
        (lambda d: d.update(publicSignals="7"), "publicSignals is a list"),
        (lambda d: d.update(publicSignals=["-7"]), "publicSignals holds '-7'"),
        (lambda d: d.update(publicSignals=[True]), "publicSignals holds integers"),
        (lambda d: d.update(protocol="plonk"), "not a Groth16 proof"),
        (lambda d: d.update(curve="bls12381"), "not a Groth16 proof"),
    ],
)
def test_malformed_json(proofs, change, message):
    data = proofs["groth16py"].as_json()
    change(data)
    with pytest.raises(BadInput, match=message):
        Proof.from_json(data)


def test_pool_proves_side_by_side_and_reports(keys):
    seen: list[tuple[int, int]] = []
    with ProvingPool("groth16py", workers=2) as pool:
        jobs = [Job(keys, example_inputs(label=label)) for label in range(4)]
        results = pool.prove_all(jobs, lambda done, total: seen.append((done, total)))
        with pytest.raises(WitnessError, match="sum === total"):
            pool.prove_all([Job(keys, example_inputs(factors=[[0, 0]] * 3))])
    assert [result.proof.public[2] for result in results] == [0, 1, 2, 3]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_keys_of_a_public_ceremony(artifacts, data_folder, tmp_path):
    """The real path: phase 1 from a ceremony, a contribution and a beacon in phase 2, checked by snarkjs."""
    ptau = data_folder / "zk" / "ptau" / "powersOfTau28_hez_final_10.ptau"
    if not ptau.exists():
        pytest.skip("the ceremony's file is not among the recorded data")

    def run(*arguments):
        done = subprocess.run([node(), snarkjs(), *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    first, second, final = (tmp_path / f"{name}.zkey" for name in ("first", "second", "final"))
    run("groth16", "setup", artifacts.r1cs, ptau, first)
    run("zkey", "contribute", first, second, "-n=test", "-e=entropy of a test")
    run("zkey", "beacon", second, final, "0102030405060708090a0b0c0d0e0f10", "10")
    assert "ZKey Ok!" in run("zkey", "verify", artifacts.r1cs, ptau, final)
    run("zkey", "export", "verificationkey", final, tmp_path / "vkey.json")
    vkey = json.loads((tmp_path / "vkey.json").read_text())
    digest = hashlib.sha256(final.read_bytes()).hexdigest()
    keys = CircuitKeys(artifacts, final, digest, vkey, vkey_hash(vkey), dev_key=False)
    proof = prove(keys, example_inputs(), "groth16py").proof
    for verifier in VERIFIERS:
        verify(proof, vkey, verifier)


def test_a_killed_worker_is_an_error_that_a_retry_may_mend(keys):
    def kill_all(done, total):
        for child in multiprocessing.active_children():
            child.kill()

    with ProvingPool("groth16py", workers=1) as pool:
        jobs = [Job(keys, example_inputs(label=label)) for label in range(50)]
        with pytest.raises(ProvingError, match="was killed") as caught:
            pool.prove_all(jobs, kill_all)
    assert caught.value.retryable
