# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger with people in it, and everything a test needs to touch it: keys, queue entries, signed legs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from support.market import Market, market_params
from zkmargin.engine.margin import holding_of, kind_of, risk
from zkmargin.engine.transition import CLEAR, Effect, apply, signed_message
from zkmargin.errors import Refused
from zkmargin.protocol.constants import COLLATERAL, PERPETUAL, EntryKind, Op, Profile
from zkmargin.protocol.eddsa import KeyPair, keypair, sign
from zkmargin.protocol.hashes import owner_hash
from zkmargin.protocol.model import Account, Auth, InstrumentTick, QueueEntry, Signature, Tick, Touch
from zkmargin.state.ledger import Ledger

DOMAIN = (31337 << 160) + 0xC0FFEE
LONG, SHORT = 0, 1
_UNSIGNED = Signature(0, 1, 0)


@cache
def person(number: int) -> KeyPair:
    """The signing key of the person of this number."""
    return keypair(b"person %d" % number)


@cache
def owner(number: int) -> int:
    """The owner hash of a person's key."""
    return owner_hash(person(number).ax, person(number).ay)


def address(number: int) -> int:
    """The L1 address of a person."""
    return (0xA11CE << 100) + number


class World:
    """A ledger at genesis in a market that has its first prices. Everything follows from the seed."""

    def __init__(self, profile: Profile, seed: int = 0, domain: int = DOMAIN) -> None:
        self.profile, self.domain = profile, domain
        self.rng = random.Random(seed)
        self.params = market_params(profile)
        self.market = Market(self.params, self.rng)
        self.ledger = Ledger.genesis(profile)
        self.people = 0
        self.keys: dict[int, KeyPair] = {}  # by owner hash

    # ------------------------------------------------------------------ reading

    @property
    def tick(self) -> Tick:
        return self.market.tick

    def row(self, instrument: int) -> InstrumentTick:
        return self.tick.instruments[instrument]

    def mark(self, instrument: int) -> int:
        return self.row(instrument).mark

    def account(self, identity: int) -> Account:
        return self.ledger.account(identity)

    def accounts(self) -> list[Account]:
        return [account for _, account in self.ledger.accounts()]

    def traders(self) -> list[Account]:
        return [account for account in self.accounts() if account.id >= self.profile.instruments]

    def listed(self, kind: int) -> list[int]:
        return [k for k, row in enumerate(self.tick.instruments) if row.mark and kind_of(row) == kind]

    @property
    def perpetuals(self) -> list[int]:
        return self.listed(PERPETUAL)

    @property
    def collaterals(self) -> list[int]:
        return self.listed(COLLATERAL)

    def free_initial(self, account: Account) -> int:
        return risk(account, self.tick).free_initial

    def moved(self, account: Account, instrument: int, delta: int, price: int) -> Account | None:
        """The account after taking `delta` signed steps at `price`; None where no slot is left."""
        slot = account.slot_for(instrument)
        if slot is None:
            return None
        row, held = self.row(instrument), account.holding(instrument)
        after = holding_of(row, instrument, (held.signed if held else 0) + delta)
        return account.with_slot(slot, after).with_(balance=account.balance - delta * (price - row.funding))

    # ------------------------------------------------------------------ doing

    def run(self, touches: Sequence[Touch]) -> list[Effect]:
        """Apply an operation whole, or raise `Refused` and change nothing."""
        savepoint, pending, effects = self.ledger.savepoint(), CLEAR, []
        try:
            for touch in touches:
                effect = apply(self.ledger, pending, touch, self.tick, self.domain)
                self.ledger.write(touch.leaf_index, effect.after, keep_header=touch.op == Op.NOOP)
                self.ledger.reserve, self.ledger.next_id = effect.reserve, effect.next_id
                self.ledger.consumed = effect.consumed
                effects.append(effect)
                pending = effect.pending
            if pending.expect:
                raise Refused("the second leg is missing", code="legs")
        except Refused:
            self.ledger.rollback(savepoint)
            raise
        return effects

    def code(self, touches: Sequence[Touch]) -> str:
        """The code with which an operation is refused, or "" when it is allowed; nothing is changed."""
        savepoint = self.ledger.savepoint()
        try:
            self.run(touches)
        except Refused as error:
            return error.code
        self.ledger.rollback(savepoint)
        return ""

    # ------------------------------------------------------------------ touches

    def touch(self, op: Op, identity: int, **fields: Any) -> Touch:
        return Touch(op, self.ledger.index_of(identity), identity, **fields)

    def sign(
        self,
        touch: Touch,
        *,
        key: KeyPair | None = None,
        last_slot: int | None = None,
        nonce_ahead: int = 0,
        domain: int | None = None,
    ) -> Touch:
        """The touch with its account's signature; by default valid now and for a few slots."""
        account = self.account(touch.account_id)
        account = account.with_(nonce=account.nonce + nonce_ahead)
        used = key or self.keys[account.owner]
        last = self.tick.slot + self.rng.randrange(4) if last_slot is None else last_slot
        bare = replace(touch, auth=Auth(last, used.ax, used.ay, _UNSIGNED))
        message = signed_message(bare, account, self.domain if domain is None else domain)
        return replace(touch, auth=Auth(last, used.ax, used.ay, sign(used, message)))

    def entry(
        self, kind: EntryKind, asset: int, amount: int, *, target: int = 0, owner: int = 0, depositor: int = 1
    ) -> QueueEntry:
        return QueueEntry(self.ledger.consumed, depositor, int(kind), asset, amount, target, owner)

    def deposit(self, entry: QueueEntry, ok: bool = True, leaf: int | None = None) -> Touch:
        """The touch that performs an entry, or refuses it."""
        opens = entry.kind == EntryKind.OPEN and ok
        if leaf is None:
            known = entry.kind == EntryKind.ACCOUNT and 0 < entry.target < self.ledger.next_id
            leaf = self.ledger.index_of(entry.target) if known else self.ledger.free_index() if opens else 0
        identity = self.ledger.next_id if opens else self.ledger.account_at(leaf).id
        return Touch(Op.DEPOSIT, leaf, identity, entry.asset, 0, entry.amount, 0, int(ok), entry)

    def open(self, amount: int, asset: int = 0) -> Touch:
        """A new person opens an account with a deposit. The touch is to be run before anybody else's."""
        number, self.people = self.people, self.people + 1
        self.keys[owner(number)] = person(number)
        entry = self.entry(EntryKind.OPEN, asset, amount, owner=owner(number), depositor=address(number))
        return self.deposit(entry)

    def new_account(self, amount: int, asset: int = 0) -> int:
        """Open an account; its id."""
        return self.run([self.open(amount, asset)])[0].after.id

    def credit(self, identity: int, amount: int, asset: int = 0) -> Touch:
        """A deposit to an account, by its own address."""
        depositor = self.account(identity).address or 1
        return self.deposit(
            self.entry(EntryKind.ACCOUNT, asset, amount, target=identity, depositor=depositor)
        )

    def fund(self, amount: int) -> Touch:
        return self.deposit(self.entry(EntryKind.FUND, 0, amount))

    def withdraw(self, identity: int, amount: int, asset: int = 0, **signing: Any) -> Touch:
        return self.sign(self.touch(Op.WITHDRAW, identity, instrument=asset, side=1, size=amount), **signing)

    def trade(
        self, buyer: int, seller: int, instrument: int, size: int, price: int | None = None
    ) -> list[Touch]:
        """Both signed legs of a trade, the buyer's first; at the mark unless a price is given."""
        terms = {
            "instrument": instrument,
            "size": size,
            "price": self.mark(instrument) if price is None else price,
        }
        return [
            self.sign(self.touch(Op.TRADE, buyer, side=LONG, counterparty=seller, **terms)),
            self.sign(self.touch(Op.TRADE_MATCH, seller, side=SHORT, counterparty=buyer, **terms)),
        ]

    def first_leg(self, op: Op, identity: int, size: int, price: int | None = None, flag: int = 0) -> Touch:
        """`liquidate` or `deleverage`: closes part of the lowest-numbered holding."""
        account = self.account(identity)
        held = min((h for h in account.slots if h), key=lambda h: h.instrument)
        at = self.mark(held.instrument) if price is None else price
        return self.touch(
            op, identity, instrument=held.instrument, side=1 - held.side, size=size, price=at, flag=flag
        )

    def second_leg(self, op: Op, identity: int, first: Touch, **fields: Any) -> Touch:
        """The unsigned other leg of `first` on an account."""
        terms = {
            "instrument": first.instrument,
            "side": 1 - first.side,
            "size": first.size,
            "price": first.price,
        }
        return self.touch(op, identity, **{**terms, **fields})

    def bid_leg(
        self,
        identity: int,
        first: Touch,
        most: int,
        min_reward: int = 0,
        limit: int | None = None,
        **signing: Any,
    ) -> Touch:
        """A bid of `most` steps that takes what `first` closes, at no worse than its price or `limit`."""
        limit = first.price if limit is None else limit
        terms = {"max_size": most, "min_reward": min_reward, "limit_price": limit}
        leg = self.second_leg(Op.TAKE_BID, identity, first, **terms)
        return self.sign(leg, **signing)

    def refusal(self, instrument: int, side: int) -> Touch:
        """The backstop refuses to take one step on `side`."""
        return self.touch(
            Op.REFUSE, instrument, instrument=instrument, side=side, price=self.mark(instrument)
        )
