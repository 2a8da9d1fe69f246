# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying keys, for whoever checks proofs without having a part in making them.

They are those of this installation, in `build/keys`, or those of a folder that somebody hands over:
`<circuit>.vkey.json` in snarkjs's form, and beside them `keys.json`, which says of each what hash it has and
of all whether they are development keys. Whoever made the keys can forge proofs unless a ceremony did: where
a folder comes from is for its user to know.
"""

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


def load_vkey(circuit: str, profile: str, folder: Path | None = None) -> dict[str, Any]:
    """The verifying key of a circuit in snarkjs's JSON form, checked against the hash recorded with it.

    `folder`: where to find it, in place of the installed keys of `profile`; a record of hashes may be absent
    there. Raises `MissingData` for a key that is not there, is damaged or is of another profile.
    """
    place = keys_folder(profile) if folder is None else folder
    path = place / f"{circuit}.vkey.json"
    record = _record(place, required=folder is None)
    known = record.get("circuits", {})
    if not path.is_file() or (record and circuit not in known):
        raise MissingData(
            f"there is no verifying key of circuit '{circuit}', profile '{profile}' in {place}",
            hint="run `make build`" if folder is None else "name the folder of all its keys",
        )
    if record.get("profile", profile) != profile:
        raise MissingData(
            f"the keys in {place} are of profile '{record['profile']}', not '{profile}'",
            hint="name the folder of the ledger's own keys",
        )
    try:
        key: dict[str, Any] = json.loads(path.read_text())
        digest = vkey_hash(key)
        expected = known[circuit]["vk_hash"] if record else digest
    except (ValueError, KeyError, TypeError, OSError):
        digest, expected = "", "another"
    if digest != expected:
        hint = f"delete {place} and run `make build`" if folder is None else "get another copy of it"
        raise MissingData(f"the verifying key in {path} is damaged", hint=hint)
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


def is_dev_key(profile: str, folder: Path | None = None) -> bool:
    """Whether the keys are development keys, which must not guard value on a public chain.

    Those that nobody says anything of count as such. `folder` as of `load_vkey`.
    """
    place = keys_folder(profile) if folder is None else folder
    return bool(_record(place, required=folder is None).get("dev_key", True))


def save_vkeys(folder: Path, profile: str, keys: Mapping[str, Mapping[str, Any]], dev_key: bool) -> None:
    """Write the verifying keys of a profile's circuits for others, as `load_vkey` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "profile": profile,
        "dev_key": dev_key,
        "circuits": {name: {"vk_hash": vkey_hash(key)} for name, key in keys.items()},
    }
    for name, key in keys.items():
        (folder / f"{name}.vkey.json").write_text(json.dumps(key, indent=1) + "\n")
    (folder / "keys.json").write_text(json.dumps(record, indent=1) + "\n")


def _record(folder: Path, required: bool) -> dict[str, Any]:
    """What `keys.json` says of the keys beside it, nothing where there is none."""
    path = folder / "keys.json"
    if not required and not path.exists():
        if not folder.is_dir():
            raise MissingData(f"there is no folder {folder}", hint="name one with <circuit>.vkey.json files")
        return {}
    try:
        raw = json.loads(path.read_text())
        if not isinstance(raw, dict) or not isinstance(raw["circuits"], dict):
            raise ValueError("it names no circuits")
        return raw
    except (ValueError, KeyError, OSError) as error:
        raise MissingData(f"{path} is damaged: {error}", hint="get another copy of it") from error
