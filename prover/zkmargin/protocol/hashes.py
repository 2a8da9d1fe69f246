# SPDX-License-Identifier: GPL-3.0-or-later
"""Every hash of the protocol (SPEC section 3). Signed integers are reduced modulo p."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zkmargin.protocol.constants import ARITY, HOLDINGS, P, tag
from zkmargin.protocol.model import Account, Params, Tick
from zkmargin.protocol.packing import pack
from zkmargin.protocol.poseidon import poseidon

_RATE = 15


def sponge(name: str, items: Sequence[int]) -> int:
    """Poseidon16 chain over `items`, opened by the tag of `name` and the number of items."""
    state, rest = (tag(name) << 32) + len(items), [item % P for item in items]
    while True:
        block, rest = rest[:_RATE], rest[_RATE:]
        state = poseidon([state, *block, *[0] * (_RATE - len(block))])
        if not rest:
            return state


def leaf_fields(account: Account) -> list[int]:
    """The 16 field elements of an account leaf."""
    sizes = [held.size if held else 0 for held in account.slots]
    return [account.owner, account.meta, account.balance % P, account.packed_slots, *sizes]


def leaf_hash(account: Account) -> int:
    return poseidon(leaf_fields(account))


EMPTY_LEAF = poseidon([0] * (4 + HOLDINGS))


def node_hash(children: Sequence[int]) -> int:
    """An inner node over its 8 children."""
    assert len(children) == ARITY
    return poseidon(list(children))


def header_hash(page_root: int, anchor: int, radius: int) -> int:
    return poseidon([tag("page"), page_root, anchor, radius])


def owner_hash(ax: int, ay: int) -> int:
    return poseidon([tag("owner"), ax, ay])


def ledger_root(pages_root: int, reserve: int, next_id: int, consumed: int) -> int:
    return poseidon([tag("ledger"), pages_root, reserve % P, next_id, consumed, 0, 0, 0])


def risk_hash(tick: Tick) -> int:
    return poseidon([tag("risk"), tick.tau, tick.penalty_rate, tick.bidder_share])


def _flat(rows: Iterable[Iterable[int]]) -> list[int]:
    return [item for row in rows for item in row]


def tick_sections(tick: Tick) -> dict[str, int]:
    """Digests of the four sections of a tick, so that a circuit opens only what it needs."""
    table = tick.instruments
    return {
        "prices": sponge("prices", [row.equity for row in table]),
        "maintenance": sponge("maintenance", _flat(row.maintenance for row in table)),
        "initial": sponge("initial", _flat((row.worst_long, row.worst_short, *row.initial) for row in table)),
        "trading": sponge("trading", _flat((row.flags, row.mark, row.funding, *row.bounds) for row in table)),
    }


def tick_hash(tick: Tick) -> int:
    parts = tick_sections(tick)
    return poseidon([tag("tick"), tick.slot + (tick.time << 32), risk_hash(tick), parts["prices"],
                     parts["maintenance"], parts["initial"], parts["trading"], 0])


def params_hash(params: Params) -> int:
    rows = ((row.flags, row.haircut, row.jump, row.funding_cap, *row.mmr, *row.imr, *row.bounds)
            for row in params.instruments)
    return sponge("params", [params.tau, params.penalty_rate, params.bidder_share, params.slot_seconds,
                             *_flat(params.oracle_keys), *_flat(rows)])


def report_message(domain: int, params: int, slot: int, previous_slot: int,
                   prices: Sequence[int], rates: Sequence[int]) -> int:
    """What an oracle signs: prices in fine units per step, funding rates signed times 2^32, for all instruments."""
    offset = 1 << 39
    pairs = [
        pack("report_pair", price_a=prices[k], rate_a=rates[k] + offset, price_b=prices[k + 1], rate_b=rates[k + 1] + offset)
        for k in range(0, len(prices), 2)
    ]
    return sponge("report", [domain, params, slot + (previous_slot << 32), *pairs])


def operation_message(kind: str, domain: int, auth: int, terms: int) -> int:
    """What a trader signs; `kind` is withdraw, trade or bid; `auth` and `terms` packed."""
    return poseidon([tag(kind), domain, auth, terms])
