# SPDX-License-Identifier: GPL-3.0-or-later
"""The verifying keys of this installation, for whoever checks proofs without having a part in making them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from zkmargin.errors import MissingData
from zkmargin.protocol.home import build_folder


def vkey_hash(key: Mapping[str, Any]) -> str:
    """SHA-256 of the group elements of a verifying key in snarkjs's JSON form, in a fixed order."""
    parts = {
        name: key[name] for name in ("nPublic", "vk_alpha_1", "vk_beta_2", "vk_gamma_2", "vk_delta_2", "IC")
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def keys_folder(profile: str) -> Path:
    """Folder of the keys in use for `profile`; raises MissingData when none were made."""
    root = build_folder() / "keys"
    index = root / "index.json"
    known: dict[str, str] = json.loads(index.read_text()) if index.exists() else {}
    if profile not in known or not (root / known[profile] / "keys.json").exists():
        raise MissingData(f"there are no keys of profile '{profile}'", hint="run `make build`")
    return root / known[profile]


def load_vkey(circuit: str, profile: str) -> dict[str, Any]:
    """The verifying key of a circuit in snarkjs's JSON form, checked against the hash recorded with it."""
    folder = keys_folder(profile)
    record = json.loads((folder / "keys.json").read_text())["circuits"]
    path = folder / f"{circuit}.vkey.json"
    if circuit not in record or not path.exists():
        raise MissingData(
            f"there is no verifying key of circuit '{circuit}', profile '{profile}'", hint="run `make build`"
        )
    key: dict[str, Any] = json.loads(path.read_text())
    if vkey_hash(key) != record[circuit]["vk_hash"]:
        raise MissingData(
            f"the verifying key in {path} is damaged", hint=f"delete {folder} and run `make build`"
        )
    return key


def from_ceremony(keys: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the records of `build/keys` have every one of these verifying keys as no development key.

    A damaged record says nothing of any key.
    """
    known: dict[str, bool] = {}
    for path in sorted((build_folder() / "keys").glob("*/keys.json")):
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            record = json.loads(path.read_text())
            for row in record["circuits"].values():
                known[row["vk_hash"]] = bool(record["dev_key"]) or known.get(row["vk_hash"], False)
    return all(known.get(vkey_hash(key)) is False for key in keys)


def is_dev_key(profile: str) -> bool:
    """Whether the keys of `profile` are development keys, which must not guard value on a public chain."""
    return bool(json.loads((keys_folder(profile) / "keys.json").read_text())["dev_key"])
