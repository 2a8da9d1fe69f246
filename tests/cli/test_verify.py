# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin verify`: what is no proof, what is one and does not hold, what is not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.place import Said, command, program
from contracts import trapdoor
from zkmargin.protocol.constants import P
from zkmargin.proving.proof import BASE_MODULUS

Capture = pytest.CaptureFixture[str]
SIGNALS = (101, 202, 303)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a proof that holds, and its verifying key."""
    proof = trapdoor.prove("settle", SIGNALS).as_json("settle", "small")
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    (tmp_path / "vkey.json").write_text(json.dumps(trapdoor.KEYS["settle"]))
    return tmp_path


def _verify(folder: Path, capfd: Capture, *more: object, verifier: str = "groth16py") -> Said:
    key = folder / "vkey.json"
    return command(capfd, "verify", folder / "proof.json", "--vkey", key, "--verifier", verifier, *more)


def _rewrite(folder: Path, change: Callable[[dict[str, Any]], object], name: str = "proof") -> None:
    path = folder / f"{name}.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def _set(**fields: object) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.update(fields)


@pytest.mark.parametrize("verifier", ["groth16py", "py-ecc", "snarkjs"])
def test_a_proof_that_holds(folder: Path, capfd: Capture, verifier: str) -> None:
    said = _verify(folder, capfd, verifier=verifier)
    assert (said.status, said.err) == (0, "")
    assert json.loads(said.out)["public_signals"] == [str(signal) for signal in SIGNALS]


# ------------------------------------------------------------------- does not hold


def _flip(name: str, *at: int) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        where = data[name]
        for index in at[:-1]:
            where = where[index]
        where[at[-1]] = str(int(where[at[-1]]) ^ 1)

    return change


def _swap(data: dict[str, Any]) -> None:
    data["pi_a"], data["pi_c"] = data["pi_c"], data["pi_a"]


def _negate(data: dict[str, Any]) -> None:
    data["pi_a"][1] = str(BASE_MODULUS - int(data["pi_a"][1]))


INVALID = [
    _flip("pi_a", 0),
    _flip("pi_a", 1),
    _flip("pi_b", 0, 0),
    _flip("pi_b", 1, 1),
    _flip("pi_c", 0),
    _flip("publicSignals", 0),
    _flip("publicSignals", 2),
    _swap,
    _negate,
    _set(pi_a=["0", "0", "1"]),
    _set(pi_a=["1", "2", "1"]),
    _set(publicSignals=[]),
    _set(publicSignals=["101", "202"]),
    _set(publicSignals=["101", "202", "303", "404"]),
    _set(publicSignals=[str(SIGNALS[0] + P), "202", "303"]),
    _set(publicSignals=[10**90, "202", "303"]),
]


@pytest.mark.parametrize("change", INVALID)
@pytest.mark.parametrize("verifier", ["groth16py", "py-ecc"])
def test_does_not_hold(
    folder: Path, capfd: Capture, change: Callable[[dict[str, Any]], None], verifier: str
) -> None:
    _rewrite(folder, change)
    said = _verify(folder, capfd, verifier=verifier)
    assert said.status == 1
    assert (said.error["code"], said.error["retryable"]) == ("proof_invalid", False)


@pytest.mark.parametrize("change", [_flip("pi_a", 0), _flip("publicSignals", 0)])
def test_does_not_hold_by_snarkjs(
    folder: Path, capfd: Capture, change: Callable[[dict[str, Any]], None]
) -> None:
    _rewrite(folder, change)
    assert _verify(folder, capfd, verifier="snarkjs").error["code"] == "proof_invalid"


def test_under_another_key(folder: Path, capfd: Capture) -> None:
    (folder / "vkey.json").write_text(json.dumps(trapdoor.KEYS["tick"]))
    said = _verify(folder, capfd)
    assert (said.status, said.error["code"]) == (1, "proof_invalid")


# ------------------------------------------------------------------- is no proof


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"1", b'"proof"', b"{}", b"\xff\xfe", b"\0"])
def test_no_proof(folder: Path, capfd: Capture, text: bytes) -> None:
    (folder / "proof.json").write_bytes(text)
    said = _verify(folder, capfd)
    assert (said.status, said.error["code"]) == (2, "bad_input")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.pop("pi_a"), "pi_a"),
        (_set(pi_b=None), "pi_b"),
        (_set(pi_b=[["1", "2"], ["3"], ["1", "0"]]), "pi_b"),
        (_set(pi_b=[["1", "2"], ["3", "4"], ["0", "0"]]), "pi_b"),
        (_set(pi_c={}), "pi_c"),
        (_set(pi_c=["1"]), "pi_c"),
        (_set(pi_c=["1", "2", "0"]), "pi_c"),
        (_set(pi_a=[1.0, "2", "1"]), "pi_a"),
        (_set(pi_a=[True, "2", "1"]), "pi_a"),
        (_set(pi_a=["0x1", "2", "1"]), "pi_a"),
        (_set(pi_a=["-1", "2", "1"]), "pi_a"),
        (_set(pi_a=[str(BASE_MODULUS), "2", "1"]), "pi_a"),
        (_set(publicSignals="101"), "publicSignals"),
        (_set(publicSignals=[1.5, "202", "303"]), "publicSignals"),
        (_set(publicSignals=["-1", "202", "303"]), "publicSignals"),
        (_set(publicSignals=[None, "202", "303"]), "publicSignals"),
        (_set(protocol="plonk"), "Groth16"),
        (_set(curve="bls12381"), "bn128"),
    ],
)
def test_malformed_proof(
    folder: Path, capfd: Capture, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    _rewrite(folder, change)
    said = _verify(folder, capfd)
    assert (said.status, said.error["code"]) == (2, "bad_input")
    assert words in said.error["message"]


def test_deep_json(folder: Path) -> None:
    path = folder / "proof.json"
    path.write_text("[" * 200_000)
    done = program("verify", path, "--json")
    assert done.status == 2
    assert done.error["code"] == "bad_input"


def test_long_integer(folder: Path, capfd: Capture) -> None:
    for text in ("9" * 5_000, '{"pi_a": ' + "9" * 5_000 + "}"):
        (folder / "proof.json").write_text(text)
        said = _verify(folder, capfd)
        assert (said.status, said.error["code"]) == (2, "bad_input")


# ------------------------------------------------------------------- keys and public signals


def test_public_signals_of_another_file(folder: Path, capfd: Capture) -> None:
    public = folder / "public.json"
    cases: list[tuple[str, int]] = [
        (json.dumps([str(signal) for signal in SIGNALS]), 0),
        (json.dumps([str(signal + 1) for signal in SIGNALS]), 1),
        ("[]", 1),
        ("{}", 2),
        ("{", 2),
        ("[1.5]", 2),
    ]
    for text, status in cases:
        public.write_text(text)
        assert _verify(folder, capfd, "--public", public).status == status, text


@pytest.mark.parametrize("name", ["proof", "vkey", "public"])
def test_missing_file(folder: Path, capfd: Capture, name: str) -> None:
    (folder / f"{name}.json").unlink(missing_ok=True)
    said = (
        _verify(folder, capfd, "--public", folder / "public.json")
        if name == "public"
        else _verify(folder, capfd)
    )
    assert (said.status, said.error["code"]) == (3, "missing_data")
    assert f"{name}.json" in said.error["message"]
    (folder / f"{name}.json").mkdir()
    said = (
        _verify(folder, capfd, "--public", folder / "public.json")
        if name == "public"
        else _verify(folder, capfd)
    )
    assert (said.status, said.error["code"]) == (3, "missing_data")


NO_KEYS: list[Callable[[dict[str, Any]], object]] = [
    lambda key: key.clear(),
    lambda key: key.pop("IC"),
    lambda key: key["IC"].pop(),
    _set(nPublic="x"),
    _set(protocol="plonk"),
]
WRONG_POINTS: list[Callable[[dict[str, Any]], object]] = [
    lambda key: key.pop("vk_alpha_1"),
    _set(vk_beta_2=None),
    _set(vk_delta_2=[["1", "2"], ["3", "4"], ["1", "0"]]),
    _set(vk_alpha_1=["1", "3", "1"]),
    _set(vk_alpha_1=["x", "2", "1"]),
]


@pytest.mark.parametrize("verifier", ["groth16py", "py-ecc", "snarkjs"])
@pytest.mark.parametrize("change", NO_KEYS, ids=range(len(NO_KEYS)))
def test_malformed_key(
    folder: Path, capfd: Capture, change: Callable[[dict[str, Any]], object], verifier: str
) -> None:
    _rewrite(folder, change, "vkey")
    said = _verify(folder, capfd, verifier=verifier)
    assert (said.status, said.error["code"]) == (2, "bad_input")


@pytest.mark.parametrize("verifier", ["groth16py", "py-ecc"])
@pytest.mark.parametrize("change", WRONG_POINTS, ids=range(len(WRONG_POINTS)))
def test_key_of_wrong_points(
    folder: Path, capfd: Capture, change: Callable[[dict[str, Any]], object], verifier: str
) -> None:
    _rewrite(folder, change, "vkey")
    said = _verify(folder, capfd, verifier=verifier)
    assert (said.status, said.error["code"]) == (2, "bad_input")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"{}"])
def test_no_key(folder: Path, capfd: Capture, text: bytes) -> None:
    (folder / "vkey.json").write_bytes(text)
    said = _verify(folder, capfd)
    assert (said.status, said.error["code"]) == (2, "bad_input")


@pytest.mark.parametrize(
    ("fields", "more", "status"),
    [
        ({"circuit": "unknown"}, [], 3),
        ({"profile": "unknown"}, [], 3),
        ({"circuit": 5}, [], 2),
        ({"circuit": ""}, [], 2),
        ({"vk_hash": "another"}, [], 3),
        ({"circuit": None}, [], 2),
        ({"circuit": "../settle"}, [], 3),
        ({"profile": "../small"}, [], 3),
        ({"profile": ["small"]}, [], 2),
        ({}, ["--circuit", "unknown"], 3),
        ({}, ["--profile", "unknown"], 3),
    ],
)
def test_installed_keys(
    folder: Path, capfd: Capture, fields: dict[str, object], more: list[str], status: int
) -> None:
    _rewrite(folder, _set(**fields))
    said = command(capfd, "verify", folder / "proof.json", *more)
    assert said.status == status
    assert said.error["hint"]


def test_an_empty_profile_is_none(folder: Path, capfd: Capture) -> None:
    """The proof is of other keys than the installed ones: those of small were found, and refused it."""
    _rewrite(folder, _set(profile=""))
    said = command(capfd, "verify", folder / "proof.json")
    assert (said.status, said.error["code"]) == (1, "proof_invalid")


@pytest.mark.parametrize("arguments", [[], ["--circuit"], ["a.json", "b.json"], ["a.json", "--fast"]])
def test_usage(capfd: Capture, arguments: list[str]) -> None:
    said = command(capfd, "verify", *arguments)
    assert (said.status, said.error["code"]) == (2, "usage")


def test_no_such_verifier(folder: Path, capfd: Capture) -> None:
    said = _verify(folder, capfd, verifier="magic")
    assert (said.status, said.error["code"]) == (2, "bad_input")
    assert "py-ecc" in said.error["hint"]
