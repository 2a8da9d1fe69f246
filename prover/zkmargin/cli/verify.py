# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin verify`: one proof file against the verifying key of its circuit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from zkmargin.cli.files import read_json
from zkmargin.errors import BadInput, MissingData
from zkmargin.protocol.vkeys import is_dev_key, load_vkey, vkey_hash
from zkmargin.proving.proof import Proof
from zkmargin.proving.verify import VerifyingKey, verify

_LARGEST = 1 << 20
DEFAULT_VERIFIERS = ("groth16py", "py-ecc")


def _read(path: Path, what: str) -> Any:
    return read_json(path, what, _LARGEST)


def _require_named(data: Any, key: VerifyingKey, what: str) -> None:
    """Raise `MissingData` where the proof file names another verifying key than the installed one."""
    named, held = data.get("vk_hash"), vkey_hash(dict(key))
    if named not in (None, held):
        raise MissingData(
            f"the proof is for a verifying key of {what} with hash {str(named)[:16]}, "
            f"the installed one has {held[:16]}",
            hint="name the key by --vkey: development keys are other ones on every machine",
            code="other_key",
        )


def verify_file(
    path: Path,
    *,
    circuit: str | None = None,
    profile: str | None = None,
    public: Path | None = None,
    vkey: Path | None = None,
    verifiers: tuple[str, ...] = DEFAULT_VERIFIERS,
) -> dict[str, Any]:
    """Verify a proof file with each of `verifiers`; a record of what was checked.

    Circuit and profile are those the file names unless given; the verifying key is the installed one unless
    `vkey` names a snarkjs file. Raises ProofInvalid when the proof does not hold, BadInput when the file is
    malformed, MissingData when the file or the key is not there, or the file names another key (`vk_hash`).
    """
    data = _read(path, "proof file")
    proof = Proof.from_json(data, None if public is None else _read(public, "file of public signals"))
    circuit = circuit or data.get("circuit") or None
    profile = profile or data.get("profile") or "small"
    dev_key = None
    if vkey is not None:
        key: VerifyingKey = _read(vkey, "verifying key")
        if not isinstance(key, dict):
            raise BadInput(f"the verifying key {vkey} is not a JSON object")
    elif not isinstance(circuit, str) or not isinstance(profile, str):
        raise BadInput(
            "the proof file does not say which circuit it is of", hint="give --circuit and --profile"
        )
    else:
        key = load_vkey(circuit, profile)
        _require_named(data, key, f"{circuit} {profile}")
        dev_key = is_dev_key(profile)
    for verifier in verifiers:
        verify(proof, key, verifier)
    return {
        "ok": True,
        "circuit": circuit,
        "profile": profile,
        "public_signals": [str(signal) for signal in proof.public],
        "vk_hash": vkey_hash(dict(key)),
        "dev_key": dev_key,
        "verifiers": list(verifiers),
    }


def verify_command(
    proof: Annotated[Path, typer.Argument(help="Proof file: snarkjs JSON, with publicSignals or --public.")],
    circuit: Annotated[str | None, typer.Option(help="Circuit, if the file does not say.")] = None,
    profile: Annotated[str | None, typer.Option(help="Profile, if the file does not say.")] = None,
    public: Annotated[Path | None, typer.Option(help="File of public signals, as snarkjs writes it.")] = None,
    vkey: Annotated[Path | None, typer.Option(help="Verifying key to use in place of the installed.")] = None,
    verifier: Annotated[list[str] | None, typer.Option(help="groth16py, py-ecc or snarkjs.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Verify one proof file; exit status 0 if it holds, 1 if not."""
    chosen = tuple(verifier) if verifier else DEFAULT_VERIFIERS
    record = verify_file(proof, circuit=circuit, profile=profile, public=public, vkey=vkey, verifiers=chosen)
    if as_json:
        print(json.dumps(record, indent=1))
    else:
        print(f"valid: {proof} holds for circuit {record['circuit']} ({', '.join(chosen)})")
        if record["dev_key"]:
            print("note: its key is a development key, whose maker could forge proofs")
