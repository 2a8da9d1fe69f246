# SPDX-License-Identifier: GPL-3.0-or-later
"""Every hash of the protocol (SPEC section 3). Signed integers are reduced modulo p."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import ARITY, HOLDINGS, PAGE_LEVELS, RATE_OFFSET, P, tag
from zkmargin.protocol.model import Account, Params, Tick
from zkmargin.protocol.packing import pack
from zkmargin.protocol.poseidon import poseidon, poseidon_many

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
    """The 16 field elements of an account leaf: owner, meta, balance, slots, then the 12 magnitudes."""
    sizes = [held.size if held else 0 for held in account.slots]
    return [account.owner, account.meta, account.balance % P, account.packed_slots, *sizes]


def leaf_hash(account: Account) -> int:
    """The leaf of an account; `EMPTY_LEAF` for the empty one."""
    return poseidon(leaf_fields(account))


def leaf_hashes(accounts: Iterable[Account]) -> list[int]:
    """`leaf_hash` of many accounts in one batch."""
    return poseidon_many(4 + HOLDINGS, _flat(leaf_fields(account) for account in accounts))


EMPTY_LEAF = poseidon([0] * (4 + HOLDINGS))


def node_hash(children: Sequence[int]) -> int:
    """An inner node over its 8 children."""
    assert len(children) == ARITY
    return poseidon(children)


def node_hashes(children: Sequence[int]) -> list[int]:
    """Inner nodes over consecutive groups of 8 children, in one batch."""
    return poseidon_many(ARITY, children)


def header_hash(page_root: int, anchor: int, radius: int) -> int:
    """A page header; `anchor` is the hash of a tick or 0, `radius` times 2^16."""
    return poseidon([tag("page"), page_root, anchor, radius])


def header_hashes(headers: Iterable[tuple[int, int, int]]) -> list[int]:
    """`header_hash` of many (page root, anchor, radius) in one batch."""
    return poseidon_many(4, _flat((tag("page"), *header) for header in headers))


def block_hash(block_root: int, anchor: int, radius: int) -> int:
    """A block header over the root of the tree of its pages' headers; anchor and radius as in a page's."""
    return poseidon([tag("block"), block_root, anchor, radius])


def block_hashes(headers: Iterable[tuple[int, int, int]]) -> list[int]:
    """`block_hash` of many (block root, anchor, radius) in one batch."""
    return poseidon_many(4, _flat((tag("block"), *header) for header in headers))


def _above(node: int, levels: int) -> int:
    for _ in range(levels):
        node = node_hash([node] * ARITY)
    return node


EMPTY_PAGE = header_hash(_above(EMPTY_LEAF, PAGE_LEVELS), 0, 0)  # an empty page with a cleared header
EMPTY_BLOCKS = tuple(block_hash(_above(EMPTY_PAGE, levels), 0, 0) for levels in range(5))  # by block levels


def owner_hash(ax: int, ay: int) -> int:
    """What stands for the signing key (ax, ay) in a leaf."""
    return poseidon([tag("owner"), ax, ay])


def ledger_root(pages_root: int, reserve: int, next_id: int, consumed: int) -> int:
    """The root the contract stores; `reserve` in fine units, signed."""
    return poseidon([tag("ledger"), pages_root, reserve % P, next_id, consumed, 0, 0, 0])


def risk_hash(tick: Tick) -> int:
    """Digest of the risk rates of a tick."""
    return poseidon([tag("risk"), tick.tau, tick.penalty_rate, tick.bidder_share])


def _flat(rows: Iterable[Iterable[int]]) -> list[int]:
    return [item for row in rows for item in row]


def tick_sections(tick: Tick) -> dict[str, int]:
    """Digests of the five sections of a tick, so that a circuit opens only what it needs."""
    table = tick.instruments
    return {
        "prices": sponge("prices", [row.equity for row in table]),
        "maintenance": sponge("maintenance", _flat(row.maintenance for row in table)),
        "initial": sponge("initial", _flat((row.worst_long, row.worst_short, *row.initial) for row in table)),
        "trading": sponge("trading", _flat((row.flags, row.mark, row.funding, *row.bounds) for row in table)),
        "moves": sponge("moves", [row.move for row in table]),
    }


def tick_hash(tick: Tick) -> int:
    """The hash of a tick; the raw medians are not part of it."""
    parts = tick_sections(tick)
    return poseidon(
        [
            tag("tick"),
            tick.slot + (tick.time << 32),
            risk_hash(tick),
            parts["prices"],
            parts["maintenance"],
            parts["initial"],
            parts["trading"],
            parts["moves"],
        ]
    )


def params_hash(params: Params) -> int:
    """The hash of the parameters that the contract stores; symbols and step texts are not part of it."""
    rows = (
        (row.flags, row.haircut, row.jump, row.funding_cap, *row.mmr, *row.imr, *row.bounds)
        for row in params.instruments
    )
    return sponge(
        "params",
        [
            params.tau,
            params.penalty_rate,
            params.bidder_share,
            params.slot_seconds,
            *_flat(params.oracle_keys),
            *_flat(rows),
        ],
    )


def report_message(
    domain: int, params: int, slot: int, previous_slot: int, prices: Sequence[int], rates: Sequence[int]
) -> int:
    """What an oracle signs about a slot.

    `prices` in fine units per step and `rates`, signed, times 2^32, of all instruments of the profile, which
    are an even number. Raises `BadInput` for other counts and for values out of range.
    """
    if len(prices) != len(rates) or len(prices) % 2:
        raise BadInput(f"{len(prices)} prices and {len(rates)} rates", hint="give one of each per instrument")
    shifted = [rate + RATE_OFFSET for rate in rates]
    pairs = [
        pack(
            "report_pair", price_a=prices[k], rate_a=shifted[k], price_b=prices[k + 1], rate_b=shifted[k + 1]
        )
        for k in range(0, len(prices), 2)
    ]
    return sponge("report", [domain, params, slot + (previous_slot << 32), *pairs])


def operation_message(kind: str, domain: int, auth: int, terms: int) -> int:
    """What a trader signs; `kind` is withdraw, trade or bid; `auth` and `terms` packed."""
    return poseidon([tag(kind), domain, auth, terms])
