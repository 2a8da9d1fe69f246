# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployment: the verifier from its keys, tokens where none are given, the ledger at its genesis."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web3 import Web3

from zkmargin.chain.artifacts import artifact
from zkmargin.chain.deployment import DeployedAsset, Deployment
from zkmargin.chain.node import chain_errors, connect
from zkmargin.chain.transactions import Call, send
from zkmargin.errors import BadInput, InternalError, Refused
from zkmargin.protocol.constants import CIRCUIT_IDS, LOCAL_CHAIN_IDS, load
from zkmargin.protocol.hashes import params_hash
from zkmargin.protocol.model import Params
from zkmargin.protocol.vkeys import from_ceremony


@dataclass(frozen=True)
class AssetPlan:
    """An asset to keep in custody. Without a `token` a development token with `decimals` is made."""

    id: int
    symbol: str
    unit: int
    token: str | None = None
    decimals: int = 6


@dataclass(frozen=True)
class Genesis:
    """The state before batch 1: hash of the ledger, hash and slot of the tick."""

    root: int
    tick: int
    slot: int


def deploy(
    rpc: str,
    key: str,
    *,
    profile: str,
    params: Params,
    genesis: Genesis,
    assets: Sequence[AssetPlan],
    verifying_keys: Mapping[str, Mapping[str, Any]],
    max_tick_age: int,
) -> Deployment:
    """Deploy everything with the account of `key`.

    `verifying_keys`: of every circuit, in snarkjs's JSON form. `max_tick_age`: most seconds between a
    tick's time and the block that takes it. Raises Refused for development tokens or keys, or keys that
    `build/keys` has no record of, anywhere but on a local chain; ChainRejected when a contract refuses its
    arguments.
    """
    web3 = connect(rpc)
    with chain_errors(rpc):
        chain_id = web3.eth.chain_id
    dev_key = not from_ceremony(verifying_keys.values())
    _require_local(chain_id, dev_key, any(plan.token is None for plan in assets))
    verifier, _ = _create(web3, key, "Groth16Verifier", solidity_keys(verifying_keys))
    held = tuple(_asset(web3, key, plan) for plan in assets)
    sizes = load().profile(profile)
    config = (
        verifier,
        genesis.root,
        genesis.tick,
        params_hash(params),
        json.dumps(params.to_json(), sort_keys=True, separators=(",", ":")).encode(),
        genesis.slot,
        params.slot_seconds,
        max_tick_age,
        sizes.instruments,
        sizes.touches,
        sizes.sweep_pages,
        sizes.regroup_pages,
        sizes.carry_blocks,
        [(asset.id, asset.token, asset.unit) for asset in held],
    )
    ledger, block = _create(web3, key, "Ledger", config)
    return Deployment(chain_id, ledger, rpc, block, profile, dev_key, verifier, held)


def solidity_keys(keys: Mapping[str, Mapping[str, Any]]) -> tuple[Any, ...]:
    """The contract's VerifyingKeys of all circuits' keys in snarkjs's JSON form, which must share one setup.

    In G2 the imaginary part goes first.
    """
    rows = [keys[circuit] for circuit in sorted(CIRCUIT_IDS, key=lambda name: CIRCUIT_IDS[name])]
    shared = {json.dumps([row["vk_alpha_1"], row["vk_beta_2"], row["vk_gamma_2"]]) for row in rows}
    if len(shared) > 1:
        raise BadInput(
            "the verifying keys are of different setups: alpha, beta or gamma differ",
            hint="make the keys of all circuits of a profile together",
            code="setups_differ",
        )
    circuits = []
    for row in rows:
        ic = [_g1(point) for point in row["IC"]]
        if len(ic) != 4:
            raise BadInput(
                f"a verifying key is for {len(ic) - 1} public signals, the contract's are 3 (C, r, y)",
                hint=f"use the keys of the circuits: {', '.join(CIRCUIT_IDS)}",
            )
        circuits.append((_g2(row["vk_delta_2"]), ic))
    alpha, beta, gamma = (rows[0][name] for name in ("vk_alpha_1", "vk_beta_2", "vk_gamma_2"))
    return (_g1(alpha), _g2(beta), _g2(gamma), circuits)


def _g1(point: Sequence[Any]) -> list[int]:
    return [int(point[0]), int(point[1])]


def _g2(point: Sequence[Sequence[Any]]) -> list[int]:
    (x_real, x_imaginary), (y_real, y_imaginary) = point[0], point[1]
    return [int(x_imaginary), int(x_real), int(y_imaginary), int(y_real)]


def _require_local(chain_id: int, dev_key: bool, dev_token: bool) -> None:
    if chain_id in LOCAL_CHAIN_IDS or not (dev_key or dev_token):
        return
    what = (
        "development keys, whose maker can forge proofs, or keys without a record"
        if dev_key
        else "tokens that anybody can mint"
    )
    local = " or ".join(map(str, LOCAL_CHAIN_IDS))
    raise Refused(
        f"chain {chain_id} is not local, and these are {what}",
        hint=f"deploy to a local chain (id {local}), or use keys of a ceremony and real tokens",
        code="dev_key_refused" if dev_key else "dev_token_refused",
    )


def _asset(web3: Web3, key: str, plan: AssetPlan) -> DeployedAsset:
    token = plan.token
    if token is None:
        token, _ = _create(
            web3, key, "DevelopmentToken", f"Development {plan.symbol}", plan.symbol, plan.decimals
        )
    return DeployedAsset(plan.id, plan.symbol, Web3.to_checksum_address(token), plan.unit)


def _create(web3: Web3, key: str, name: str, *arguments: Any) -> tuple[str, int]:
    """Address of a new contract, and its block."""
    made = artifact(name)
    factory = web3.eth.contract(abi=made.abi, bytecode=made.bytecode)
    data = factory.constructor(*arguments).data_in_transaction
    receipt = send(web3, Call(None, bytes.fromhex(str(data).removeprefix("0x"))), key)
    if receipt.contract is None:
        raise InternalError(f"the node gave no address for the new {name}")
    return receipt.contract, receipt.block
