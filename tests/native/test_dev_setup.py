# SPDX-License-Identifier: GPL-3.0-or-later
"""Development keys: proofs under them verify, their secrets relate as promised, bad input is named."""

import json
import subprocess
from pathlib import Path
from types import ModuleType

import groth16py
import pytest
from py_ecc import optimized_bn128 as curve

from native.systems import System, random_system
from zkmargin.errors import BadInput, MissingData
from zkmargin.proving.proof import Proof
from zkmargin.proving.verify import verify_groth16py, verify_snarkjs
from zkmargin.proving.zkey import read_header, vkey_from_zkey
from zkmargin.toolchain import node, snarkjs

SIZES = [(1, 1), (3, 1), (60, 2), (61, 3), (700, 3)]


def make(kernel: ModuleType, folder: Path, systems: list[System]) -> list[Path]:
    paths = [system.write(folder, f"c{i}") for i, system in enumerate(systems)]
    kernel.dev_setup([(str(path), str(path.with_suffix(".zkey"))) for path in paths], 2)
    return [path.with_suffix(".zkey") for path in paths]


@pytest.mark.parametrize(("constraints", "public"), SIZES)
def test_proofs_of_groth16py_verify(
    kernel: ModuleType, tmp_path: Path, constraints: int, public: int
) -> None:
    system = random_system(constraints, constraints, public)
    assert system.holds()
    (zkey,) = make(kernel, tmp_path, [system])
    key, _ = groth16py.import_zkey(str(zkey))
    data = groth16py.prove_wtns(key, str(zkey.with_suffix(".wtns")))
    proof = Proof.from_bytes(data, system.signals())
    assert verify_groth16py(proof, vkey_from_zkey(zkey))
    wrong = Proof.from_bytes(data, [(system.signals()[0] + 1), *system.signals()[1:]])
    assert not verify_groth16py(wrong, vkey_from_zkey(zkey))


def test_snarkjs_proves_verifies_and_exports_the_same_key(kernel: ModuleType, tmp_path: Path) -> None:
    system = random_system(5, 90, public=2)
    (zkey,) = make(kernel, tmp_path, [system])
    out = {name: tmp_path / f"{name}.json" for name in ("proof", "public", "vkey")}
    run = [node(), snarkjs()]
    wtns = zkey.with_suffix(".wtns")
    subprocess.run([*run, "groth16", "prove", zkey, wtns, out["proof"], out["public"]], check=True)
    subprocess.run(
        [*run, "zkey", "export", "verificationkey", zkey, out["vkey"]], check=True, capture_output=True
    )
    exported = json.loads(out["vkey"].read_text())
    assert vkey_from_zkey(zkey, alphabeta=True) == exported
    del exported["vk_alphabeta_12"]
    assert vkey_from_zkey(zkey) == exported
    proof = Proof.from_json(json.loads(out["proof"].read_text()), json.loads(out["public"].read_text()))
    assert proof.public == tuple(system.signals())
    assert verify_snarkjs(proof, exported)
    assert verify_groth16py(proof, exported)


def test_circuits_of_one_call_share_all_but_delta(best_kernel: ModuleType, tmp_path: Path) -> None:
    first, second = (
        read_header(path) for path in make(best_kernel, tmp_path, [random_system(1, 9), random_system(2, 40)])
    )
    assert (first.alpha1, first.beta1, first.beta2) == (second.alpha1, second.beta1, second.beta2)
    assert first.delta1 != second.delta1
    for header in (first, second):
        assert header.delta2 != header.gamma2
        assert [int(c) for c in curve.G2[0].coeffs] == list(header.gamma2[0])
        for one, two in (
            (header.beta1, header.beta2),
            (header.delta1, header.delta2),
        ):  # the same secret in both
            g1 = (curve.FQ(one[0]), curve.FQ(one[1]), curve.FQ.one())
            g2 = (curve.FQ2(two[0]), curve.FQ2(two[1]), curve.FQ2.one())
            assert curve.pairing(g2, curve.G1) == curve.pairing(curve.G2, g1)


def test_secrets_are_fresh_in_every_call(best_kernel: ModuleType, tmp_path: Path) -> None:
    seen = set()
    for _ in range(3):
        header = read_header(make(best_kernel, tmp_path, [random_system(1, 5)])[0])
        seen |= {header.alpha1, header.beta1, header.delta1}
    assert len(seen) == 9


def test_progress_is_told_and_may_stop(best_kernel: ModuleType, tmp_path: Path) -> None:
    path = random_system(1, 5).write(tmp_path)
    told: list[tuple[int, str]] = []
    pairs = [(str(path), str(tmp_path / "a.zkey")), (str(path), str(tmp_path / "b.zkey"))]
    best_kernel.dev_setup(pairs, 1, lambda circuit, step: told.append((circuit, step)))
    assert {circuit for circuit, _ in told} == {0, 1}

    def stop(circuit: int, step: str) -> None:
        raise KeyError("stop")

    (tmp_path / "a.zkey").unlink()
    with pytest.raises(KeyError, match="stop"):
        best_kernel.dev_setup(pairs[:1], 1, stop)
    assert not list(tmp_path.glob("a.zkey*"))


def test_unusable_paths_are_named(best_kernel: ModuleType, tmp_path: Path) -> None:
    path = random_system(1, 5).write(tmp_path)
    with pytest.raises(ValueError, match=r"absent\.r1cs"):
        best_kernel.dev_setup([(str(tmp_path / "absent.r1cs"), str(tmp_path / "a.zkey"))])
    with pytest.raises(ValueError, match="not a regular file"):
        best_kernel.dev_setup([(str(tmp_path), str(tmp_path / "a.zkey"))])
    with pytest.raises(ValueError, match="cannot write"):
        best_kernel.dev_setup([(str(path), str(tmp_path / "no" / "folder.zkey"))])
    with pytest.raises(MissingData, match="no key"):
        vkey_from_zkey(tmp_path / "absent.zkey")


def test_broken_keys_give_no_verifying_key(best_kernel: ModuleType, tmp_path: Path) -> None:
    (zkey,) = make(best_kernel, tmp_path, [random_system(3, 12)])
    good = zkey.read_bytes()
    refused = 0
    for i in [*range(0, 900, 11), len(good) - 1]:
        zkey.write_bytes(good[:i])
        with pytest.raises(BadInput):
            vkey_from_zkey(zkey)
        zkey.write_bytes(good[:i] + bytes([good[i] ^ 0xFF]) + good[i + 1 :])
        try:
            vkey_from_zkey(zkey)
        except BadInput:
            refused += 1
    assert refused > 5
