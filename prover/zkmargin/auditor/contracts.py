# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the contracts on the chain have the package's keys and sizes."""

from __future__ import annotations

from typing import Any

from zkmargin.auditor.chain import KEYS_TYPE, Chain
from zkmargin.auditor.findings import WHOLE, Findings
from zkmargin.auditor.opening import Opening
from zkmargin.errors import MissingData
from zkmargin.protocol.constants import CIRCUIT_IDS, load
from zkmargin.protocol.vkeys import load_vkey


def check_contracts(chain: Chain, found: Findings, opening: Opening) -> dict[str, dict[str, Any]]:
    """vk, binding, coverage: keys and sizes; returns the package's verifying keys by circuit."""
    theirs = chain.view("protocolHash", ["bytes32"])
    found.require(
        "vk", WHOLE, bytes(theirs).hex() == load().hash, "it follows another version of the protocol"
    )
    verifier = chain.view("verifier", ["address"])
    keys = chain.view("verifyingKeys", [KEYS_TYPE], verifier)
    _check_sizes(chain, found, opening)
    return _check_keys(chain, found, opening.profile.name, keys)


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
        ("coverage", "pages", "uint32", profile.pages),
    )
    for check, name, kind, ours in rows:
        value = chain.view(name, [kind])
        found.require(check, WHOLE, value == ours, f"the contract's {name} is {value}, not {ours}")


def _check_keys(
    chain: Chain, found: Findings, profile: str, keys: tuple[Any, ...]
) -> dict[str, dict[str, Any]]:
    alpha, beta, gamma, circuits = keys
    found.require(
        "vk", WHOLE, len(circuits) == len(CIRCUIT_IDS), "the verifier is of another number of circuits"
    )
    held: dict[str, dict[str, Any]] = {}
    for circuit, number in CIRCUIT_IDS.items():
        try:
            key = held[circuit] = load_vkey(circuit, profile)
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
    return held


def _g1(point: list[str]) -> list[int]:
    return [int(point[0]), int(point[1])]


def _g2(point: list[list[str]]) -> list[int]:
    return [int(point[0][1]), int(point[0][0]), int(point[1][1]), int(point[1][0])]
