# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in a demo's files, name by name and type by type.

Amounts, prices, roots, hashes and addresses are strings; counts, slots, times, gas, batch numbers and seconds
are JSON numbers. Nothing else may stand there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]
Amount = Annotated[str, Field(pattern=r"^[0-9]+$")]
Price = Annotated[str, Field(pattern=r"^[0-9.e+-]+$")]
Hash = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
Circuit = Literal["tick", "settle", "sweep", "regroup", "carry", "coverage"]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Health(_Exact):
    below_maintenance: Count
    lt_1_1: Count
    lt_1_5: Count
    ge_1_5: Count

    @property
    def accounts(self) -> int:
        return self.below_maintenance + self.lt_1_1 + self.lt_1_5 + self.ge_1_5


class Liquidations(_Exact):
    partial: Count
    full: Count
    absorbed: Count
    deleveraged: Count


class TickRow(_Exact):
    n: Count
    slot: Count
    time: Count
    marks: dict[str, Price]
    limited: list[str]
    oracles_differ_on: Count
    health: Health
    liquidations: Liquidations
    unhealthy_after: Count
    insurance_fund: Amount
    deficit: Amount
    covered: bool
    pages_swept: Count


class ProofRow(_Exact):
    circuit: Circuit
    batch: Count
    prove_s: float
    verify_s: float
    gas: Count
    tx: Hash


class Refusal(_Exact):
    slot: Count
    reason: str


class Check(_Exact):
    name: Literal["vk", "proof", "binding", "order", "reexec", "root", "queue", "vault", "coverage"]
    batch: Count
    status: Literal["pass", "fail", "missing"]
    detail: str


class AuditReport(BaseModel):
    """The auditor may say more."""

    model_config = ConfigDict(strict=True)

    ok: bool
    exit: Count
    ledger: Address
    last_batch: Count
    root: Amount
    checks: list[Check]


class Summary(_Exact):
    episode: str
    profile: Literal["small", "main"]
    accounts: Count
    instruments: Count
    backend: Literal["native", "groth16py", "snarkjs"]
    wall_s: float
    ticks: list[TickRow]
    operations: dict[str, Count]
    refused: list[Refusal]
    proofs: list[ProofRow]
    gas_per_op: dict[str, int]
    audit: AuditReport


class Asset(_Exact):
    id: Count
    symbol: str
    token: Address
    unit: Amount


class DeploymentRecord(_Exact):
    chain_id: Count
    ledger: Address
    rpc: Annotated[str, Field(pattern=r"^http://127\.0\.0\.1:[0-9]+$")]
    from_block: Count
    profile: str
    dev_key: bool
    verifier: Address
    assets: list[Asset]
