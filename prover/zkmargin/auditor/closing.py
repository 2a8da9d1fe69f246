# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract's state and tokens against the ledger rebuilt from all its events."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from zkmargin.auditor.chain import Chain
from zkmargin.auditor.findings import WHOLE, Findings
from zkmargin.auditor.opening import Opening
from zkmargin.auditor.replay import Replay
from zkmargin.auditor.rules import ONE, position
from zkmargin.protocol.constants import PERPETUAL
from zkmargin.protocol.model import QueueEntry


def check_closing(chain: Chain, found: Findings, opening: Opening, replay: Replay) -> None:
    """order, queue, coverage, vault: what the contract holds at the end."""
    _check_state(chain, found, replay)
    _check_coverage(chain, found, opening, replay)
    _check_queue(chain, found, replay)
    _check_claims(chain, found, replay)
    for asset, (token, unit) in sorted(opening.assets.items()):
        held = chain.view("assetOf", ["address", "uint256"], None, ["uint16"], [asset]) == (token, unit)
        if found.require(
            "vault", WHOLE, held, f"asset {asset} is not the token and unit that were registered"
        ):
            _check_vault(chain, found, replay, asset, token, unit)
    for k, row in enumerate(opening.params.instruments):
        if row.flags == PERPETUAL:
            total = _held(replay, k)
            found.require("vault", WHOLE, total == 0, f"positions in instrument {k} add up to {total}, not 0")


def _check_state(chain: Chain, found: Findings, replay: Replay) -> None:
    views = (("root", "uint256"), ("tickHash", "uint256"), ("batch", "uint64"), ("slot", "uint32"))
    state = [chain.view(name, [kind]) for name, kind in views]
    found.require(
        "order",
        WHOLE,
        state == [replay.root, replay.tick_hash, replay.batch, replay.tick.slot],
        "the contract's root, tick, batch or slot is not that of the last event",
    )


def _check_coverage(chain: Chain, found: Findings, opening: Opening, replay: Replay) -> None:
    last = replay.covered[-1] if replay.covered else (opening.tick.slot, opening.tick_hash, opening.root, 0)
    views = (
        ("coveredSlot", "uint32"),
        ("coveredTick", "uint256"),
        ("coveredRoot", "uint256"),
        ("coveredBatch", "uint64"),
        ("solventBatch", "uint64"),
    )
    found.require(
        "coverage",
        WHOLE,
        tuple(chain.view(name, [kind]) for name, kind in views) == (*last, replay.solvent),
        "the contract's last coverage is another",
    )


def _check_queue(chain: Chain, found: Findings, replay: Replay) -> None:
    """Deposits by their number, and those that wait by the contract's hashes: no proof speaks of them yet."""
    found.require(
        "queue",
        WHOLE,
        chain.view("requested", ["uint64"]) == len(replay.entries),
        "the contract was asked for another number of deposits than its events say",
    )
    found.require(
        "queue",
        WHOLE,
        chain.view("consumed", ["uint64"]) == replay.books.consumed,
        "the contract has consumed another number of deposits than the batches",
    )
    for entry in replay.entries[replay.books.consumed :]:
        stored = chain.view("queue", ["bytes32"], None, ["uint64"], [entry.index])
        found.require(
            "queue",
            WHOLE,
            stored == _queue_hash(entry),
            f"deposit {entry.index} waits as another than was requested",
        )


def _queue_hash(entry: QueueEntry) -> bytes:
    """What the contract stores of a deposit."""
    kinds = ["uint64", "address", "uint8", "uint16", "uint64", "uint32", "bytes32"]
    depositor, owner = entry.depositor.to_bytes(20, "big"), entry.owner.to_bytes(32, "big")
    row = [entry.index, depositor, entry.kind, entry.asset, entry.amount, entry.target, owner]
    return keccak(encode(kinds, row))


def _check_claims(chain: Chain, found: Findings, replay: Replay) -> None:
    """What was credited and not yet withdrawn is what the contract still owes."""
    for address, asset in sorted(replay.payable.keys() | replay.pending.keys()):
        text = f"0x{address:040x}"
        held = all(
            chain.view(name, ["uint256"], None, ["address", "uint16"], [text, asset]) == due
            for name, due in (
                ("claim", replay.payable[address, asset]),
                ("pending", replay.pending[address, asset]),
            )
        )
        found.require(
            "queue", WHOLE, held, f"{text} can withdraw other than it was credited of asset {asset}"
        )


def _check_vault(chain: Chain, found: Findings, replay: Replay, asset: int, token: str, unit: int) -> None:
    entries = [entry for entry in replay.entries if entry.asset == asset]
    owed = (sum(entry.amount for entry in entries) - replay.paid[asset]) * unit
    tokens = chain.view("balanceOf", ["uint256"], token, ["address"], [chain.ledger])
    found.require("vault", WHOLE, tokens >= owed, f"asset {asset}: {tokens} tokens held, {owed} are owed")
    consumed = sum(entry.amount for entry in entries if entry.index < replay.books.consumed)
    inside = consumed - replay.credited[asset]
    if asset == 0:
        held = sum(account.balance for account in replay.books.leaves.values()) + replay.books.reserve
        inside *= ONE
    else:
        held = _held(replay, asset)
    found.require(
        "vault",
        WHOLE,
        held == inside,
        f"asset {asset}: accounts hold {held}, deposits less withdrawals are {inside}",
    )


def _held(replay: Replay, k: int) -> int:
    """Signed steps of an instrument, all accounts together."""
    return sum(position(account, k) for account in replay.books.leaves.values())
