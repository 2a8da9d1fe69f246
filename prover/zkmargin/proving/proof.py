# SPDX-License-Identifier: GPL-3.0-or-later
"""Groth16 proofs over BN254 and their written forms: snarkjs JSON, eight words of calldata, 256 bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zkmargin.circuits.r1cs import MODULUS
from zkmargin.errors import BadInput

BASE_MODULUS = 21888242871839275222246405745257275088696311157297823662689037894645226208583

G1 = tuple[int, int]
G2 = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Proof:
    """Points A and C of G1 and B of G2, affine, with the public signals they were made for.

    A coordinate of B is (real, imaginary), as in snarkjs's JSON; calldata has the imaginary part first.
    """

    a: G1
    b: G2
    c: G1
    public: tuple[int, ...] = ()

    def as_json(self, circuit: str = "", profile: str = "") -> dict[str, Any]:
        """snarkjs's `proof.json` with `publicSignals`, and with circuit and profile if these are given."""
        named = {"circuit": circuit, "profile": profile} if circuit else {}
        return named | {
            "pi_a": [*map(str, self.a), "1"],
            "pi_b": [*(list(map(str, coordinate)) for coordinate in self.b), ["1", "0"]],
            "pi_c": [*map(str, self.c), "1"],
            "protocol": "groth16",
            "curve": "bn128",
            "publicSignals": [str(signal) for signal in self.public],
        }

    @classmethod
    def from_json(cls, data: Any, public: Sequence[Any] | None = None) -> Proof:
        """Read `as_json` or plain snarkjs JSON; `public` (snarkjs's `public.json`) overrides `publicSignals`.

        Raises BadInput naming the field for what is malformed or out of range; whether the proof holds is
        another question.
        """
        if not isinstance(data, Mapping):
            raise BadInput("a proof is a JSON object")
        if data.get("protocol", "groth16") != "groth16" or data.get("curve", "bn128") not in (
            "bn128",
            "bn254",
        ):
            raise BadInput("the proof is not a Groth16 proof over bn128")
        signals = data.get("publicSignals", []) if public is None else public
        if not isinstance(signals, (list, tuple)):
            raise BadInput("publicSignals is a list of integers")
        a, b, c = (_field(data, name) for name in ("pi_a", "pi_b", "pi_c"))
        _one(a, "pi_a", ("1",))
        _one(c, "pi_c", ("1",))
        if len(b) != 3 or [str(part) for part in b[2]] != ["1", "0"]:
            raise BadInput("pi_b of the proof is not an affine point")
        return cls(
            (_coordinate(a[0], "pi_a"), _coordinate(a[1], "pi_a")),
            (_pair(b[0]), _pair(b[1])),
            (_coordinate(c[0], "pi_c"), _coordinate(c[1], "pi_c")),
            tuple(_integer(signal, "publicSignals") for signal in signals),
        )

    def calldata(self) -> tuple[int, int, int, int, int, int, int, int]:
        """The contracts' `uint256[8] proof`: A, B with the imaginary part of each coordinate first, C."""
        (x, y), (bx, by), (cx, cy) = self.a, self.b, self.c
        return (x, y, bx[1], bx[0], by[1], by[0], cx, cy)

    @classmethod
    def from_calldata(cls, words: Sequence[int], public: Sequence[int] = ()) -> Proof:
        """The proof in eight calldata words."""
        if len(words) != 8:
            raise BadInput(f"a proof is eight words, given: {len(words)}")
        x, y, bx1, bx0, by1, by0, cx, cy = (_coordinate(word, "proof") for word in words)
        return cls((x, y), ((bx0, bx1), (by0, by1)), (cx, cy), tuple(public))

    def to_bytes(self) -> bytes:
        """The calldata words as 32-byte big-endian numbers."""
        return b"".join(word.to_bytes(32, "big") for word in self.calldata())

    @classmethod
    def from_bytes(cls, data: bytes, public: Sequence[int] = ()) -> Proof:
        """The proof in 256 bytes."""
        words = [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]
        return cls.from_calldata(words, public)


def signals_in_field(public: Sequence[int]) -> bool:
    """Whether every public signal is below the scalar field's modulus; others would alias one that is."""
    return all(0 <= signal < MODULUS for signal in public)


def _field(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    if not isinstance(value, list) or len(value) not in (2, 3):
        raise BadInput(f"the proof has no point '{name}'")
    return value


def _one(point: list[Any], name: str, expected: tuple[str, ...]) -> None:
    if len(point) == 3 and str(point[2]) not in expected:
        raise BadInput(f"{name} of the proof is not an affine point")


def _pair(value: Any) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise BadInput("pi_b of the proof is not a point of G2")
    return _coordinate(value[0], "pi_b"), _coordinate(value[1], "pi_b")


def _integer(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise BadInput(f"{name} holds integers, as numbers or strings")
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= 100):
        raise BadInput(f"{name} holds '{value[:100]}', which is not a decimal integer")
    return int(value)


def _coordinate(value: Any, name: str) -> int:
    number = _integer(value, name)
    if not 0 <= number < BASE_MODULUS:
        raise BadInput(f"{name} has a coordinate outside the base field")
    return number
