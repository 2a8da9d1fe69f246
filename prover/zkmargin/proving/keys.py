# SPDX-License-Identifier: GPL-3.0-or-later
"""Development keys: made on this machine, for this machine, and marked so that no public chain takes them.

Whoever makes such keys can forge proofs; `dev_key` says so in every record. The keys of a profile are made in
one call, since its circuits share the setup's secret, and kept in `build/keys/<profile>-<hash>/` under the
hash of all their constraint systems: `<circuit>.zkey`, `<circuit>.vkey.json` and `keys.json`.
`build/keys/index.json` names the folder in use for each profile.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from zkmargin.circuits.compile import Artifacts
from zkmargin.errors import MissingData, ToolMissing
from zkmargin.protocol.vkeys import vkey_hash
from zkmargin.toolchain import Report, cache_folder, exclusively, forget_unused, mark_used

_HASH_LENGTH = 16
SETUP = "development setup 1"  # part of the hash: keys of another way of making them are other keys


@dataclass(frozen=True)
class CircuitKeys:
    """A compiled circuit with its proving and verifying key."""

    artifacts: Artifacts
    zkey: Path
    zkey_hash: str
    verification_key: dict[str, Any]
    vk_hash: str
    dev_key: bool

    def check_zkey(self) -> None:
        """Raise MissingData unless the proving key is, byte for byte, the one made; once per process."""
        if not self.zkey.exists() or _hash_once(self.zkey) != self.zkey_hash:
            raise MissingData(
                f"the proving key of circuit {self.artifacts.key} is damaged or gone",
                hint=f"delete {self.zkey.parent} and run `make build`",
            )


@cache
def _hash_once(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def development_keys(artifacts: Sequence[Artifacts], report: Report | None = None) -> dict[str, CircuitKeys]:
    """Development keys of circuits of one profile, by circuit name; made where the cache has none."""
    profile, folder = artifacts[0].profile, _folder(artifacts)
    root = folder.parent
    with exclusively(root / f".{profile}.lock", report, f"keys of profile {profile}"):
        if not folder.exists():
            _make(folder, artifacts, report)
        _publish(root, profile, folder)
    return _load(folder, artifacts)


def find_keys(artifacts: Sequence[Artifacts]) -> dict[str, CircuitKeys] | None:
    """The keys made for exactly these circuits, or None."""
    folder = _folder(artifacts)
    return _load(folder, artifacts) if folder.exists() else None


def _folder(artifacts: Sequence[Artifacts]) -> Path:
    return cache_folder("keys") / f"{artifacts[0].profile}-{_systems_hash(artifacts)[:_HASH_LENGTH]}"


def _systems_hash(artifacts: Sequence[Artifacts]) -> str:
    hasher = hashlib.sha256(SETUP.encode())
    for item in artifacts:
        hasher.update(f"\0{item.circuit}\0".encode() + bytes.fromhex(_hash_once(item.r1cs)))
    return hasher.hexdigest()


def _make(folder: Path, artifacts: Sequence[Artifacts], report: Report | None) -> None:
    """Keys into `folder`, which appears whole or not at all."""
    try:
        from zkmargin._kernel import dev_setup
        from zkmargin.proving.zkey import vkey_from_zkey
    except ImportError as error:
        raise ToolMissing(f"development keys need the native kernel, which is not built: {error}") from None
    total = sum(item.constraints for item in artifacts)
    if report is not None:
        report(f"making development keys of profile {artifacts[0].profile} ({total:,} constraints)")
    start = time.monotonic()
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        pairs = [(str(item.r1cs), str(scratch / f"{item.circuit}.zkey")) for item in artifacts]

        def step(number: int, what: str) -> None:
            if report is not None:
                report(f"development keys of {artifacts[number].key}: {what}")

        dev_setup(pairs, os.cpu_count() or 1, step)
        record: dict[str, Any] = {"dev_key": True, "circuits": {}}
        for item, (_, zkey) in zip(artifacts, pairs, strict=True):
            key = vkey_from_zkey(Path(zkey))
            (scratch / f"{item.circuit}.vkey.json").write_text(json.dumps(key, indent=1) + "\n")
            with Path(zkey).open("rb") as file:
                zkey_hash = hashlib.file_digest(file, "sha256").hexdigest()
            record["circuits"][item.circuit] = {
                "source_hash": item.source_hash, "zkey_hash": zkey_hash, "vk_hash": vkey_hash(key)
            }  # fmt: skip
        (scratch / "keys.json").write_text(json.dumps(record, indent=1) + "\n")
        scratch.chmod(0o755)
        scratch.replace(folder)
        forget_unused(folder.parent, "keys.json")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if report is not None:
        report(f"made development keys of profile {artifacts[0].profile} in {time.monotonic() - start:.1f} s")


def _publish(root: Path, profile: str, folder: Path) -> None:
    """Name `folder` in the index; the caller holds the profile's lock, the index has its own."""
    index = root / "index.json"
    with exclusively(root / ".index.lock"):
        known: dict[str, str] = json.loads(index.read_text()) if index.exists() else {}
        if known.get(profile) == folder.name:
            return
        known[profile] = folder.name
        draft = root / f".index.{os.getpid()}"
        draft.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        draft.replace(index)


def _load(folder: Path, artifacts: Sequence[Artifacts]) -> dict[str, CircuitKeys]:
    record = json.loads((folder / "keys.json").read_text())
    mark_used(folder / "keys.json")
    return {
        item.circuit: CircuitKeys(
            artifacts=item,
            zkey=folder / f"{item.circuit}.zkey",
            zkey_hash=record["circuits"][item.circuit]["zkey_hash"],
            verification_key=json.loads((folder / f"{item.circuit}.vkey.json").read_text()),
            vk_hash=record["circuits"][item.circuit]["vk_hash"],
            dev_key=record["dev_key"],
        )
        for item in artifacts
    }
