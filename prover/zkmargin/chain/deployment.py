# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a deployment, `deployment.json`: where a ledger is and what it was deployed with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from zkmargin.errors import BadInput, MissingData


@dataclass(frozen=True)
class DeployedAsset:
    """An asset in custody; `unit` token base units make one posted unit."""

    id: int
    symbol: str
    token: str
    unit: int


@dataclass(frozen=True)
class Deployment:
    """A ledger on a chain. `from_block` is the block it was created in: its events start there."""

    chain_id: int
    ledger: str
    rpc: str
    from_block: int
    profile: str
    dev_key: bool
    verifier: str
    assets: tuple[DeployedAsset, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Units as strings; the rest as it is."""
        record = asdict(self)
        record["assets"] = [dict(asdict(asset), unit=str(asset.unit)) for asset in self.assets]
        return record

    def write(self, path: Path) -> None:
        """Write the record, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(self.as_json(), indent=1) + "\n")
        draft.replace(path)

    @staticmethod
    def read(path: Path) -> Deployment:
        """Read a record; MissingData when there is none, BadInput when it is malformed."""
        if not path.exists():
            raise MissingData(
                f"there is no deployment record {path}", hint="deploy a ledger, or name the right file"
            )
        try:
            raw = json.loads(path.read_text())
            assets = tuple(
                DeployedAsset(int(row["id"]), str(row["symbol"]), str(row["token"]), int(row["unit"]))
                for row in raw["assets"]
            )
            return Deployment(
                chain_id=int(raw["chain_id"]),
                ledger=str(raw["ledger"]),
                rpc=str(raw["rpc"]),
                from_block=int(raw["from_block"]),
                profile=str(raw["profile"]),
                dev_key=bool(raw["dev_key"]),
                verifier=str(raw["verifier"]),
                assets=assets,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(
                f"the deployment record {path} is malformed: {error!r}", hint="it is what the deployer wrote"
            ) from error
