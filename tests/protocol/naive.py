# SPDX-License-Identifier: GPL-3.0-or-later
"""The hashes once more, written straight from SPEC section 3, to compare the package's with."""

from __future__ import annotations

from functools import lru_cache

from zkmargin.protocol.constants import ARITY, PAGE_SIZE, TAGS, P, Profile
from zkmargin.protocol.model import Account, Params, Tick
from zkmargin.protocol.poseidon import python_hash


@lru_cache(100_000)
def poseidon(*inputs: int) -> int:
    return python_hash(len(inputs))([value % P for value in inputs])


def tag(name: str) -> int:
    value = 0
    for letter in TAGS[name]:
        value = value * 256 + ord(letter)
    return value


def sponge(name: str, items: list[int]) -> int:
    padded = items + [0] * (-len(items) % 15 if items else 15)
    state = tag(name) * 2**32 + len(items)
    for start in range(0, len(padded), 15):
        state = poseidon(state, *padded[start : start + 15])
    return state


def leaf(account: Account) -> int:
    meta = account.id + account.nonce * 2**32 + account.address * 2**64
    classes = [h.instrument * 8 + h.tier * 2 + h.side if h else 0 for h in account.slots]
    packed = sum(number * 2 ** (12 * j) for j, number in enumerate(classes))
    return poseidon(
        account.owner, meta, account.balance, packed, *(h.size if h else 0 for h in account.slots)
    )


def tree(values: list[int]) -> int:
    while len(values) > 1:
        values = [poseidon(*values[i : i + ARITY]) for i in range(0, len(values), ARITY)]
    return values[0]


def root(
    profile: Profile,
    accounts: dict[int, Account],
    headers: dict[int, tuple[int, int]],
    block_headers: dict[int, tuple[int, int]],
    scalars: tuple[int, int, int],
) -> int:
    """The ledger root with every leaf written out; only for profiles with few leaves."""
    leaves = [leaf(accounts.get(i, Account.empty())) for i in range(profile.capacity)]
    pages = [tree(leaves[i : i + PAGE_SIZE]) for i in range(0, len(leaves), PAGE_SIZE)]
    tops = [poseidon(tag("page"), page, *headers.get(k, (0, 0))) for k, page in enumerate(pages)]
    size = ARITY**profile.block_levels
    roots = [tree(tops[i : i + size]) for i in range(0, len(tops), size)]
    blocks = [poseidon(tag("block"), block, *block_headers.get(k, (0, 0))) for k, block in enumerate(roots)]
    return poseidon(tag("ledger"), tree(blocks), *scalars, 0, 0, 0)


def tick(value: Tick) -> int:
    rows = value.instruments
    equity = sponge("prices", [row.equity for row in rows])
    maintenance = sponge("maintenance", [m for row in rows for m in row.maintenance])
    initial = sponge("initial", [v for row in rows for v in (row.worst_long, row.worst_short, *row.initial)])
    trading = sponge("trading", [v for row in rows for v in (row.flags, row.mark, row.funding, *row.bounds)])
    moves = sponge("moves", [row.move for row in rows])
    risk = poseidon(tag("risk"), value.tau, value.penalty_rate, value.bidder_share)
    when = value.slot + value.time * 2**32
    return poseidon(tag("tick"), when, risk, equity, maintenance, initial, trading, moves)


def params(value: Params) -> int:
    items = [value.tau, value.penalty_rate, value.bidder_share, value.slot_seconds]
    for x, y in value.oracle_keys:
        items += [x, y]
    for row in value.instruments:
        items += [row.flags, row.haircut, row.jump, row.funding_cap, *row.mmr, *row.imr, *row.bounds]
    return sponge("params", items)
