# SPDX-License-Identifier: GPL-3.0-or-later
"""Hashes of fixed inputs, as Python computes them. Prints tests/vectors/hashes.json.

PYTHONPATH=prover:tests python -m protocol.hash_vectors > tests/vectors/hashes.json
"""

from __future__ import annotations

import json
import sys
from typing import Any

from protocol.samples import ACCOUNTS, SMALL, params, tick
from zkmargin.protocol import eddsa, hashes
from zkmargin.protocol.constants import TAGS, P, load, tag
from zkmargin.protocol.packing import pack
from zkmargin.state.ledger import Ledger


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values]


def vectors() -> dict[str, Any]:
    """All cases; integers are decimal strings, signed ones with their sign."""
    terms = params()
    price_tick = tick()
    key = eddsa.keypair(b"vectors")
    domain = pack("domain", ledger=0x5FBDB2315678AFECB367F032D93F642F64180AA3, chain_id=31337)
    auth = pack("auth", account_id=20, nonce=1, last_slot=440_001)
    deal = pack("terms", instrument=1, side=1, size=7, price=123 << 40, counterparty=21, min_reward=3)
    prices = [(k + 1) << 30 for k in range(SMALL.instruments)]
    rates = [(-1) ** k * k * 1000 for k in range(SMALL.instruments)]
    report = hashes.report_message(domain, hashes.params_hash(terms), 440_000, 439_999, prices, rates)
    signature = eddsa.sign(key, report)
    return {
        "about": "Hashes of SPEC section 3 and one signature. Integers are decimal strings. Read by pytest.",
        "tags": {name: str(tag(name)) for name in TAGS},
        "sponges": [
            {"tag": "data", "items": _texts(items), "hash": str(hashes.sponge("data", items))}
            for items in ([], [0], [0] * 15, [0] * 16, list(range(31)), [-1, P - 1, (1 << 248) - 1])
        ],
        "leaves": [
            {"name": name, "fields": _texts(hashes.leaf_fields(account)),
             "hash": str(hashes.leaf_hash(account))}
            for name, account in ACCOUNTS.items()
        ],
        "owner": {"ax": str(key.ax), "ay": str(key.ay), "hash": str(hashes.owner_hash(key.ax, key.ay))},
        "header": {"page_root": "5", "anchor": "6", "radius": "7", "hash": str(hashes.header_hash(5, 6, 7))},
        "block": {"block_root": "5", "anchor": "6", "radius": "7", "hash": str(hashes.block_hash(5, 6, 7))},
        "empty": {
            "page": str(hashes.EMPTY_PAGE), "blocks": _texts(hashes.EMPTY_BLOCKS),
        },
        "ledger": {
            "pages_root": "5", "reserve": "-6", "next_id": "16", "consumed": "2",
            "hash": str(hashes.ledger_root(5, -6, 16, 2)),
        },
        "genesis": {name: str(Ledger.genesis(profile).root()) for name, profile in load().profiles.items()},
        "params": {"value": terms.to_json(), "hash": str(hashes.params_hash(terms))},
        "tick": {
            "sections": {name: str(value) for name, value in hashes.tick_sections(price_tick).items()},
            "risk": str(hashes.risk_hash(price_tick)),
            "hash": str(hashes.tick_hash(price_tick)),
        },
        "operations": [
            {"kind": kind, "domain": str(domain), "auth": str(auth), "terms": str(deal),
             "hash": str(hashes.operation_message(kind, domain, auth, deal))}
            for kind in ("withdraw", "trade", "bid")
        ],
        "report": {
            "domain": str(domain), "params": str(hashes.params_hash(terms)), "slot": "440000",
            "previous_slot": "439999", "prices": _texts(prices), "rates": _texts(rates), "hash": str(report),
        },
        "signature": {
            "seed": "vectors", "ax": str(key.ax), "ay": str(key.ay), "message": str(report),
            "r8x": str(signature.r8x), "r8y": str(signature.r8y), "s": str(signature.s),
        },
    }  # fmt: skip


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    print()
