# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what stands on the chain are this package's contracts, deployed as the ledger's events say.

The ledger's own code alone would not do: code that made it could have left anything in its storage, credits
say. So the transaction that made it is compared too. The verifier has no storage but the keys, the code of a
contract of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eth_abi.abi import encode

from zkmargin.auditor.chain import KEYS_TYPE, Chain
from zkmargin.auditor.compiled import Compiled
from zkmargin.auditor.findings import WHOLE, Findings
from zkmargin.auditor.opening import Opening
from zkmargin.errors import MissingData
from zkmargin.protocol.constants import CIRCUIT_IDS, LOCAL_CHAIN_IDS, load
from zkmargin.protocol.vkeys import is_dev_key, load_vkey

_CONFIG = (
    "(address,uint256,uint256,uint256,bytes,uint32,uint32,uint64,uint16,uint16,uint16,uint16,uint16,"
    "(uint16,address,uint256)[])"
)


def check_contracts(
    chain: Chain, found: Findings, opening: Opening, folder: Path | None = None
) -> dict[str, dict[str, Any]]:
    """vk, binding, coverage: code, keys and immutables; returns the verifying keys to judge by, by circuit.

    `folder`: where to find them, in place of the package's own.
    """
    theirs = chain.view("protocolHash", ["bytes32"])
    found.require(
        "vk", WHOLE, bytes(theirs).hex() == load().hash, "it follows another version of the protocol"
    )
    verifier = chain.view("verifier", ["address"])
    keys = chain.view("verifyingKeys", [KEYS_TYPE], verifier)
    _check_sizes(chain, found, opening)
    _check_ledger(chain, found, opening, verifier)
    _check_verifier(chain, found, verifier, keys)
    return _check_keys(chain, found, opening.profile.name, keys, folder)


def max_tick_age(chain: Chain) -> int:
    """Most seconds by which a block may be later than the tick it accepts."""
    return int(chain.view("maxTickAge", ["uint64"]))


def _check_sizes(chain: Chain, found: Findings, opening: Opening) -> None:
    profile = opening.profile
    rows = (
        ("binding", "paramsHash", "uint256", opening.params_hash),
        ("binding", "slotSeconds", "uint32", opening.params.slot_seconds),
        ("binding", "instruments", "uint16", profile.instruments),
        ("binding", "touches", "uint16", profile.touches),
        ("coverage", "sweepPages", "uint16", profile.sweep_pages),
        ("coverage", "regroupPages", "uint16", profile.regroup_pages),
        ("coverage", "carryBlocks", "uint16", profile.carry_blocks),
    )
    for check, name, kind, ours in rows:
        value = chain.view(name, [kind])
        found.require(check, WHOLE, value == ours, f"the contract's {name} is {value}, not {ours}")


def _check_ledger(chain: Chain, found: Findings, opening: Opening, verifier: str) -> None:
    try:
        compiled = Compiled.load("Ledger")
    except MissingData as error:
        found.missing("vk", WHOLE, f"the ledger's code is not compared: {error}")
        return
    what = compiled.difference(chain.code(chain.ledger))
    found.add("vk", WHOLE, what and f"the ledger's code is not the package's: {what}")
    to, sent = chain.sent(opening.genesis)
    if to:
        found.missing(
            "vk",
            WHOLE,
            "the ledger was made by another contract: what its storage held at first is not shown",
        )
        return
    given = compiled.arguments(sent)
    if given is None:
        found.add("vk", WHOLE, "the code that made the ledger is not the package's")
        return
    profile = opening.profile
    config = (
        verifier,
        opening.root,
        opening.tick_hash,
        opening.params_hash,
        opening.text,
        opening.tick.slot,
        opening.params.slot_seconds,
        max_tick_age(chain),
        profile.instruments,
        profile.touches,
        profile.sweep_pages,
        profile.regroup_pages,
        profile.carry_blocks,
        [(asset, *custody) for asset, custody in sorted(opening.assets.items())],
    )
    found.require(
        "binding",
        WHOLE,
        given == encode([_CONFIG], [config]),
        "the ledger was made with another configuration than its events and views have",
    )


def _check_verifier(chain: Chain, found: Findings, verifier: str, keys: tuple[Any, ...]) -> None:
    try:
        compiled = Compiled.load("Groth16Verifier")
    except MissingData as error:
        found.missing("vk", WHOLE, f"the verifier's code is not compared: {error}")
        return
    code = chain.code(verifier)
    what = compiled.difference(code)
    if not found.add("vk", WHOLE, what and f"the verifier's code is not the package's: {what}"):
        return
    alpha, beta, gamma, circuits = keys
    words = [*alpha, *beta, *gamma]
    for delta, ic in circuits:
        words += [*delta, *(coordinate for point in ic for coordinate in point)]
    flat = b"".join(word.to_bytes(32, "big") for word in words)
    holder = "0x" + compiled.immutable(0, code)[12:].hex()
    found.require(
        "vk",
        WHOLE,
        chain.code(holder) == b"\0" + flat,  # it begins with STOP: nothing can make it end itself
        "the contract that holds the verifier's keys is not one of keys alone",
    )


def _check_keys(
    chain: Chain, found: Findings, profile: str, keys: tuple[Any, ...], folder: Path | None
) -> dict[str, dict[str, Any]]:
    alpha, beta, gamma, circuits = keys
    found.require(
        "vk", WHOLE, len(circuits) == len(CIRCUIT_IDS), "the verifier is of another number of circuits"
    )
    held: dict[str, dict[str, Any]] = {}
    for circuit, number in CIRCUIT_IDS.items():
        try:
            key = held[circuit] = load_vkey(circuit, profile, folder)
        except MissingData as error:
            found.missing("vk", WHOLE, f"{circuit}: {error}")
            continue
        ours = [
            _g1(key["vk_alpha_1"]),
            *(_g2(key[f"vk_{name}_2"]) for name in ("beta", "gamma", "delta")),
            [_g1(point) for point in key["IC"]],
        ]
        delta, ic = circuits[number - 1] if number <= len(circuits) else ((), ())
        theirs = [list(alpha), list(beta), list(gamma), list(delta), [list(point) for point in ic]]
        found.require("vk", WHOLE, ours == theirs, f"the verifier's key of {circuit} is not the package's")
    if held and is_dev_key(profile, folder):
        words = "the keys are development keys: whoever made them can forge proofs"
        if chain.chain_id in LOCAL_CHAIN_IDS:
            found.notes.append(words)
        else:
            found.add("vk", WHOLE, f"{words}, and chain {chain.chain_id} is not a local one")
    return held


def _g1(point: list[str]) -> list[int]:
    return [int(point[0]), int(point[1])]


def _g2(point: list[list[str]]) -> list[int]:
    return [int(point[0][1]), int(point[0][0]), int(point[1][1]), int(point[1][0])]
