# SPDX-License-Identifier: GPL-3.0-or-later
"""Three verifiers of Groth16 proofs that share no code: groth16py (arkworks), snarkjs, py-ecc.

Each takes a verifying key in snarkjs's JSON form and refuses public signals outside the field: s + p would
otherwise pass for s.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import groth16py
from py_ecc import optimized_bn128 as curve

from zkmargin.errors import BadInput, ProofInvalid
from zkmargin.proving.proof import Proof, signals_in_field
from zkmargin.toolchain import node, snarkjs

VerifyingKey = Mapping[str, Any]


def _expected_public(key: VerifyingKey) -> int:
    try:
        count = int(key["nPublic"])
        points = len(key["IC"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"this is not a verifying key: {error}") from None
    if key.get("protocol") != "groth16" or points != count + 1:
        raise BadInput("this is not a Groth16 verifying key")
    return count


def _admissible(proof: Proof, key: VerifyingKey) -> bool:
    return len(proof.public) == _expected_public(key) and signals_in_field(proof.public)


def verify_groth16py(proof: Proof, key: VerifyingKey) -> bool:
    """Verify with arkworks; about 2 ms."""
    if not _admissible(proof, key):
        return False
    verifier = groth16py.Verifier(groth16py.VerifyingKey.from_snarkjs(json.dumps(key)))
    try:
        return bool(verifier.verify(proof.to_bytes(), list(proof.public)))
    except (groth16py.EncodingError, groth16py.VerificationError):
        return False  # a point off the curve or outside the subgroup


def verify_snarkjs(proof: Proof, key: VerifyingKey) -> bool:
    """Verify with snarkjs in a Node process; about 0.4 s, most of it starting up."""
    if not _admissible(proof, key):
        return False
    data = proof.as_json()
    with tempfile.TemporaryDirectory(prefix="zkmargin-") as folder:
        files = {"key": key, "public": data.pop("publicSignals"), "proof": data}
        paths = {name: Path(folder) / f"{name}.json" for name in files}
        for name, content in files.items():
            paths[name].write_text(json.dumps(content))
        done = subprocess.run(
            [node(), snarkjs(), "groth16", "verify", paths["key"], paths["public"], paths["proof"]],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    return done.returncode == 0 and "OK!" in done.stdout


def verify_py_ecc(proof: Proof, key: VerifyingKey) -> bool:
    """Verify with py-ecc's pairing; about 1.2 s.

    Checks e(A, B) = e(alpha, beta) e(sum of signals times IC, gamma) e(C, delta) as one product, after
    checking that the proof's points are on their curves and B in its subgroup.
    """
    if not _admissible(proof, key):
        return False
    a, c, b = _g1(proof.a), _g1(proof.c), _g2(proof.b)
    if not (
        curve.is_on_curve(a, curve.b) and curve.is_on_curve(c, curve.b) and curve.is_on_curve(b, curve.b2)
    ):
        return False
    if not curve.is_inf(curve.multiply(b, curve.curve_order)):
        return False
    inputs = _g1(_point(key["IC"][0]))
    for signal, point in zip(proof.public, key["IC"][1:], strict=True):
        inputs = curve.add(inputs, curve.multiply(_g1(_point(point)), signal))
    pairs = (
        (curve.neg(a), b),
        (_g1(_point(key["vk_alpha_1"])), _g2(_point2(key["vk_beta_2"]))),
        (inputs, _g2(_point2(key["vk_gamma_2"]))),
        (c, _g2(_point2(key["vk_delta_2"]))),
    )
    product = curve.FQ12.one()
    for left, right in pairs:
        product = product * curve.pairing(right, left, final_exponentiate=False)
    return bool(curve.final_exponentiate(product) == curve.FQ12.one())


VERIFIERS: dict[str, Callable[[Proof, VerifyingKey], bool]] = {
    "groth16py": verify_groth16py,
    "snarkjs": verify_snarkjs,
    "py-ecc": verify_py_ecc,
}


def verify(proof: Proof, key: VerifyingKey, verifier: str = "groth16py") -> None:
    """Raise ProofInvalid unless `proof` holds under `key` by the verifier; BadInput if there is none."""
    if verifier not in VERIFIERS:
        raise BadInput(f"there is no verifier '{verifier}'", hint=f"verifiers: {', '.join(VERIFIERS)}")
    if len(proof.public) != _expected_public(key):
        raise ProofInvalid(f"the proof has {len(proof.public)} public signals, the key {key['nPublic']}")
    if not signals_in_field(proof.public):
        raise ProofInvalid("a public signal is not below the field's modulus")
    _check_points(key)
    if not VERIFIERS[verifier](proof, key):
        raise ProofInvalid(f"the proof does not verify ({verifier})")


def _check_points(key: VerifyingKey) -> None:
    """Raise BadInput for a key whose points are not there, not affine or not on their curves."""
    try:
        first = [_affine(point) for point in (key["vk_alpha_1"], *key["IC"])]
        second = [_affine(key[name]) for name in ("vk_beta_2", "vk_gamma_2", "vk_delta_2")]
        held = all(curve.is_on_curve(_g1(_point(point)), curve.b) for point in first)
        held = held and all(curve.is_on_curve(_g2(_point2(point)), curve.b2) for point in second)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BadInput(
            f"the verifying key is malformed: {error!r}", hint="give one that snarkjs exported"
        ) from None
    if not held:
        raise BadInput(
            "a point of the verifying key is not on its curve", hint="give one that snarkjs exported"
        )


def _affine(point: Any) -> Any:
    if len(point) != 3 or point[2] not in ("1", 1, ["1", "0"], [1, 0]):
        raise ValueError(f"{str(point)[:60]} is no point in affine form")
    return point


def _point(value: Any) -> tuple[int, int]:
    return int(value[0]), int(value[1])


def _point2(value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    return _point(value[0]), _point(value[1])


def _g1(point: tuple[int, int]) -> Any:
    if point == (0, 0):
        return curve.Z1
    return tuple(cast(Any, curve.FQ)(value) for value in (*point, 1))


def _g2(point: tuple[tuple[int, int], tuple[int, int]]) -> Any:
    if point == ((0, 0), (0, 0)):
        return curve.Z2
    return tuple(cast(Any, curve.FQ2)(value) for value in (*point, (1, 0)))
