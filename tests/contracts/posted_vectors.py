# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases on which Python and Solidity must agree: words, r, y, queue hashes. Prints tests/vectors/posted.json.

PYTHONPATH=prover python tests/contracts/posted_vectors.py > tests/vectors/posted.json
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

from zkmargin.protocol.constants import CIRCUIT_IDS, PAGE_SIZE, P, load
from zkmargin.protocol.model import InstrumentTick, QueueEntry, Tick, Touch
from zkmargin.protocol.words import (
    carry_words,
    challenge,
    commitment,
    coverage_words,
    domain_word,
    entry_words,
    evaluate,
    header_word,
    queue_hash,
    regroup_words,
    settle_words,
    sweep_words,
    tick_words,
    touch_words,
)

LEDGER = 0x5FBDB2315678AFECB367F032D93F642F64180AA3
ALICE = 0xF39FD6E51AAD88F6F4CE6AB8827279CFFFB92266
LARGEST = (1 << 160) - 1
ENTRIES = {
    "fund with the least amount": QueueEntry(0, ALICE, 0, 0, 1, 0, 0),
    "open with an owner": QueueEntry(7, ALICE, 1, 0, 2_500_000_000, 0, 123456789**8 % P),
    "collateral for an account": QueueEntry(8, LEDGER, 2, 9, (1 << 48) - 1, 77, 0),
    "every field at its largest": QueueEntry(
        (1 << 64) - 1, LARGEST, 2, 4095, (1 << 64) - 1, (1 << 32) - 1, P - 1
    ),
}


def _address(value: int) -> str:
    return f"0x{value:040x}"


def entry_cases() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "index": str(entry.index),
            "depositor": _address(entry.depositor),
            "kind": str(entry.kind),
            "asset": str(entry.asset),
            "amount": str(entry.amount),
            "target": str(entry.target),
            "owner": str(entry.owner),
            "hash": str(int.from_bytes(queue_hash(entry), "big")),
            "words": [str(word) for word in entry_words(entry)],
        }
        for name, entry in ENTRIES.items()
    ]


def _touches() -> dict[str, tuple[Touch, int]]:
    entry = ENTRIES["open with an owner"]
    deposit = Touch(1, 3, 5, instrument=entry.asset, size=entry.amount, flag=1, entry=entry)
    refused = Touch(1, 3, 0, instrument=9, size=entry.amount, entry=ENTRIES["collateral for an account"])
    return {
        "deposit performed": (deposit, 0),
        "deposit refused": (refused, 0),
        "withdrawal of quote": (Touch(2, 4, 20, side=1, size=(1 << 64) - 1), ALICE),
        "withdrawal of collateral": (Touch(2, 4, 20, instrument=9, side=1, size=5), LARGEST),
        "no-op": (Touch(0, 4, 20), 0),
    }


def touch_cases() -> list[dict[str, Any]]:
    cases = []
    for name, (touch, recipient) in _touches().items():
        paid = touch.op == 2
        account = recipient if paid else touch.entry.depositor if touch.entry else 0
        amount = touch.size if paid else touch.entry.amount if touch.entry else 0
        asset = touch.instrument if paid else touch.entry.asset if touch.entry else 0
        cases.append(
            {
                "name": name,
                "words": [str(word) for word in touch_words(touch, recipient)],
                "op": str(int(touch.op)),
                "flag": str(touch.flag),
                "recipient": _address(account),
                "asset": str(asset),
                "amount": str(amount),
            }
        )
    return cases


def _batch(name: str, circuit: str, chain_id: int, ledger: int, words: list[int]) -> dict[str, Any]:
    bound = commitment(words)
    point = challenge(chain_id, ledger, bound, words)
    return {
        "name": name,
        "circuit": str(CIRCUIT_IDS[circuit]),
        "chain_id": str(chain_id),
        "ledger": _address(ledger),
        "words": [str(word) for word in words],
        "commitment": str(bound),
        "r": str(point),
        "y": str(evaluate(words, point)),
    }


def batch_cases() -> list[dict[str, Any]]:
    small = load().profile("small")
    source = random.Random(5)
    cases = []

    touches = [touch for touch, _ in _touches().values()]
    recipients = [recipient for _, recipient in _touches().values()]
    padding = small.touches - len(touches)
    words = settle_words(
        domain_word(31337, LEDGER),
        P - 1,
        P - 2,
        source.randrange(P),
        touches + [Touch(0, 0, 0)] * padding,
        recipients + [0] * padding,
        small,
    )
    cases.append(_batch("settle, profile small", "settle", 31337, LEDGER, words))

    rows = tuple(
        InstrumentTick(
            flags=1 + 4 * (k % 2), mark=source.getrandbits(64), raw=source.getrandbits(64),
            funding=source.randrange(-(1 << 64) + 1, 1 << 64),
        )
        for k in range(small.instruments)
    )  # fmt: skip
    tick = Tick(slot=9, time=540, tau=1, penalty_rate=1, bidder_share=1, instruments=rows)
    hashes = [source.randrange(P) for _ in range(3)]
    words = tick_words(domain_word(1, ALICE), *hashes, tick, 8, 0b1011, small)
    cases.append(_batch("tick, profile small", "tick", 1, ALICE, words))

    domain, (root, tick_, new_root) = domain_word(1, LEDGER), (source.randrange(P) for _ in range(3))
    after = (domain, root, tick_, new_root)
    origins = list(range(small.regroup_pages * PAGE_SIZE))
    source.shuffle(origins)
    for circuit, words in {
        "sweep": sweep_words(*after, 1 << 16, [63] * small.sweep_pages, small),
        "regroup": regroup_words(*after, (1 << 24) - 1, range(small.regroup_pages), origins, small),
        "carry": carry_words(*after, [(7, (1 << 24) - 1, True)] * small.carry_blocks, small),
        "coverage": coverage_words(domain, root, tick_, True, small),
    }.items():
        cases.append(_batch(f"{circuit}, profile small", circuit, 1, LEDGER, words))

    chain_id = (1 << 64) - 1
    words = [header_word("settle", 40), domain_word(chain_id, LARGEST), *[(1 << 248) - 1] * 38]
    cases.append(_batch("largest words", "settle", chain_id, LARGEST, words))
    words = [header_word("tick", 40), domain_word(5, 1), *[0] * 38]
    cases.append(_batch("zero words", "tick", 5, 1, words))
    return cases


def vectors() -> dict[str, Any]:
    """All cases; integers are decimal strings, addresses hexadecimal."""
    return {
        "about": "Words, r, y and queue hashes as Python computes them; read by pytest and forge.",
        "batches": batch_cases(),
        "entries": entry_cases(),
        "touches": touch_cases(),
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    print()
