# SPDX-License-Identifier: GPL-3.0-or-later
"""Books out of thin air: any accounts, healthy or not, whose open interest balances."""

from __future__ import annotations

import random

from support.world import World, address, owner, person
from zkmargin.engine.margin import holding_of, kind_of, risk
from zkmargin.protocol.constants import COLLATERAL
from zkmargin.protocol.model import Account


def _sizes(world: World, rng: random.Random, instrument: int, count: int) -> list[int]:
    """Signed sizes of one instrument, by account; those of a perpetual sum to 0."""
    scale = 1 << rng.randrange(1, 20)
    if kind_of(world.row(instrument)) == COLLATERAL:
        return [rng.randrange(scale) if rng.random() < 0.4 else 0 for _ in range(count)]
    sizes = [rng.randrange(-scale, scale + 1) if rng.random() < 0.5 else 0 for _ in range(count)]
    sizes[rng.randrange(count)] -= sum(sizes)
    return sizes


def thrown_book(world: World, rng: random.Random, traders: int) -> None:
    """Fill the world's ledger with traders and backstops in any state, as no operations would leave it.

    Each balance puts health anywhere between good and hopeless. Sizes of a perpetual are shared between
    traders and its backstop; backstops of collateral may hold some.
    """
    instruments = [*world.perpetuals, *world.collaterals]
    ids = [world.ledger.next_id + k for k in range(traders)]
    books = {identity: Account(identity, 0, address(k), owner(k)) for k, identity in enumerate(ids)}
    for k in range(traders):
        world.keys[owner(k)] = person(k)
    world.people = traders
    for instrument in rng.sample(instruments, rng.randrange(1, 6)):
        held = [*ids, instrument] if rng.random() < 0.5 else ids
        books.setdefault(instrument, world.account(instrument))
        for identity, signed in zip(held, _sizes(world, rng, instrument, len(held)), strict=True):
            slot = books[identity].slot_for(instrument)
            if slot is not None:
                holding = holding_of(world.row(instrument), instrument, signed)
                books[identity] = books[identity].with_slot(slot, holding)
    for identity, account in books.items():
        now = risk(account, world.tick)
        spread = now.maintenance + abs(now.equity) // 8 + 1
        wanted = rng.choice(
            [-spread // 4, 0, now.maintenance - 1, now.maintenance, rng.randrange(-spread, 4 * spread)]
        )
        books[identity] = account.with_(balance=wanted - now.equity)
    for account in books.values():
        known = account.id < world.ledger.next_id
        leaf = world.ledger.index_of(account.id) if known else world.ledger.free_index()
        world.ledger.write(leaf, account)
    world.ledger.next_id += traders
    world.ledger.reserve = rng.choice([0, rng.randrange(1 << 60), -rng.randrange(1 << 60)])
    world.ledger.checkpoint()
