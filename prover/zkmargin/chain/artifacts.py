# SPDX-License-Identifier: GPL-3.0-or-later
"""The compiled contracts, as forge leaves them in `build/forge`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from zkmargin.errors import MissingData
from zkmargin.toolchain import build_folder

_FILES = {
    "Ledger": "Ledger.sol",
    "Groth16Verifier": "Groth16Verifier.sol",
    "DevelopmentToken": "DevelopmentToken.sol",
    "OnChainMargin": "OnChainMargin.sol",
}


@dataclass(frozen=True)
class ContractArtifact:
    """A compiled contract: interface and creation code."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes


@cache
def artifact(name: str) -> ContractArtifact:
    """The contract `name`; MissingData when it is not built."""
    path = build_folder() / "forge" / _FILES[name] / f"{name}.json"
    if not path.exists():
        raise MissingData(f"contract {name} is not compiled", hint="run `make build`")
    try:
        raw = json.loads(path.read_text())
        code = bytes.fromhex(raw["bytecode"]["object"].removeprefix("0x"))
        return ContractArtifact(name, raw["abi"], code)
    except (KeyError, ValueError) as error:
        raise MissingData(
            f"the compiled contract in {path} is damaged",
            hint=f"delete {path.parent.parent} and run `make build`",
        ) from error
