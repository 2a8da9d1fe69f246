# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a snarkjs .zkey (Groth16 over BN254) and derives the verifying key from it.

The result equals `snarkjs zkey export verificationkey`, with numbers as decimal strings:

    protocol, curve, nPublic, vk_alpha_1, vk_beta_2, vk_gamma_2, vk_delta_2, vk_alphabeta_12, IC

A G2 coordinate is (real, imaginary). `vk_alphabeta_12` is the pairing of alpha and beta as snarkjs writes
it; no verifier reads it, and it costs a second, so it is left out unless asked for.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from py_ecc import optimized_bn128 as curve

from zkmargin.errors import BadInput, MissingData
from zkmargin.protocol.poseidon_constants import MODULUS as SCALAR_MODULUS

BASE_MODULUS = int(curve.field_modulus)
_UNMONTGOMERY = pow(2**256, -1, BASE_MODULUS)
_GROTH16 = 1
_G1_BYTES, _G2_BYTES = 64, 128
_HEADER = struct.Struct("<I32sI32sIII")

G1 = tuple[int, int]
G2 = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class ZkeyHeader:
    """What stands in a .zkey besides the proving points; points are affine, (0, 0) is infinity."""

    wires: int
    public_signals: int
    domain_size: int
    alpha1: G1
    beta1: G1
    beta2: G2
    gamma2: G2
    delta1: G1
    delta2: G2
    ic: tuple[G1, ...]


def read_header(path: Path) -> ZkeyHeader:
    """Header and public signals' points; MissingData if there is no file, BadInput if it is malformed."""
    with _mapped(path) as data:
        sections = _sections(path, data)
        if struct.unpack("<I", _part(path, data, sections, 1, 4))[0] != _GROTH16:
            raise BadInput(f"{path} is not a Groth16 key")
        header = _part(path, data, sections, 2, _HEADER.size + 3 * _G1_BYTES + 3 * _G2_BYTES)
        n8q, q, n8r, r, wires, public, domain = _HEADER.unpack_from(header)
        if (n8q, n8r) != (32, 32) or (_number(q), _number(r)) != (BASE_MODULUS, SCALAR_MODULUS):
            raise BadInput(f"{path} is not a key over BN254")
        at = _HEADER.size
        points: list[Any] = []
        for size in (_G1_BYTES, _G1_BYTES, _G2_BYTES, _G2_BYTES, _G1_BYTES, _G2_BYTES):
            points.append(_point(path, header[at : at + size]))
            at += size
        row = _part(path, data, sections, 3, (public + 1) * _G1_BYTES)
        ic = tuple(_point(path, row[i : i + _G1_BYTES]) for i in range(0, len(row), _G1_BYTES))
        alpha1, beta1, beta2, gamma2, delta1, delta2 = points
        return ZkeyHeader(wires, public, domain, alpha1, beta1, beta2, gamma2, delta1, delta2, ic)


def vkey_from_zkey(path: Path, *, alphabeta: bool = False) -> dict[str, Any]:
    """The verifying key as snarkjs's JSON object; with `alphabeta` also the unused `vk_alphabeta_12`."""
    header = read_header(Path(path))
    key: dict[str, Any] = {
        "protocol": "groth16",
        "curve": "bn128",
        "nPublic": header.public_signals,
        "vk_alpha_1": _g1_json(header.alpha1),
        "vk_beta_2": _g2_json(header.beta2),
        "vk_gamma_2": _g2_json(header.gamma2),
        "vk_delta_2": _g2_json(header.delta2),
    }
    if alphabeta:
        key["vk_alphabeta_12"] = _alphabeta(header.alpha1, header.beta2)
    key["IC"] = [_g1_json(point) for point in header.ic]
    return key


def _g1_json(point: G1) -> list[str]:
    return ["0", "1", "0"] if point == (0, 0) else [str(point[0]), str(point[1]), "1"]


def _g2_json(point: G2) -> list[list[str]]:
    if point == ((0, 0), (0, 0)):
        return [["0", "0"], ["1", "0"], ["0", "0"]]
    return [[str(part) for part in coordinate] for coordinate in (*point, (1, 0))]


def _alphabeta(alpha: G1, beta: G2) -> list[list[list[str]]]:
    """e(alpha, beta) in snarkjs's tower: two sixth-degree parts of three quadratic elements each.

    py-ecc's pairing is the exact power (p^12 - 1)/r of the Miller loop; the fast last step snarkjs has from
    libff raises to a multiple of it, 2 z (6 z^2 + 3 z + 1), with z the curve's parameter. py-ecc writes the
    field as polynomials in w with w^6 = 9 + u.
    """
    z = 4965661367192848881
    one = curve.FQ.one()
    g1 = (curve.FQ(alpha[0]), curve.FQ(alpha[1]), one)
    g2 = (curve.FQ2(beta[0]), curve.FQ2(beta[1]), curve.FQ2.one())
    value = curve.pairing(g2, g1) ** (2 * z * (6 * z * z + 3 * z + 1))
    c = [int(coefficient) for coefficient in value.coeffs]

    def quadratic(power: int) -> list[str]:  # (a + b u) w^power is spread over w^power and w^(power + 6)
        imaginary = c[power + 6]
        return [str((c[power] + 9 * imaginary) % BASE_MODULUS), str(imaginary)]

    return [[quadratic(half + 2 * i) for i in range(3)] for half in range(2)]


@contextmanager
def _mapped(path: Path) -> Iterator[memoryview]:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            view = memoryview(data)
            try:
                yield view
            finally:
                view.release()
    except FileNotFoundError:
        raise MissingData(f"there is no key {path}", hint="run `make build`") from None
    except ValueError as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{path} is not a .zkey file: {error}") from None


def _sections(path: Path, data: memoryview) -> dict[int, tuple[int, int]]:
    if len(data) < 12 or bytes(data[:4]) != b"zkey" or struct.unpack_from("<I", data, 4)[0] != 1:
        raise BadInput(f"{path} is not a .zkey file of version 1")
    found: dict[int, tuple[int, int]] = {}
    at = 12
    for _ in range(struct.unpack_from("<I", data, 8)[0]):
        if at + 12 > len(data):
            raise BadInput(f"{path} ends in the middle of a section")
        kind, size = struct.unpack_from("<IQ", data, at)
        at += 12
        if kind in found or at + size > len(data):
            raise BadInput(f"section {kind} of {path} stands twice or is cut short")
        found[kind] = (at, size)
        at += size
    return found


def _part(path: Path, data: memoryview, sections: dict[int, tuple[int, int]], kind: int, size: int) -> bytes:
    at, actual = sections.get(kind, (0, -1))
    if actual != size:
        raise BadInput(f"section {kind} of {path} has {actual} bytes instead of {size}")
    return bytes(data[at : at + size])


def _number(word: bytes) -> int:
    return int.from_bytes(word, "little")


def _point(path: Path, raw: bytes) -> Any:
    words = [_number(raw[i : i + 32]) for i in range(0, len(raw), 32)]
    if any(word >= BASE_MODULUS for word in words):
        raise BadInput(f"{path} holds a coordinate outside the base field")
    values = [word * _UNMONTGOMERY % BASE_MODULUS for word in words]
    return tuple(values) if len(values) == 2 else ((values[0], values[1]), (values[2], values[3]))
