# SPDX-License-Identifier: GPL-3.0-or-later
"""A small ledger to prove things about: two perpetuals, one collateral, a few accounts with keys."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from zkmargin.engine.ticks import genesis_tick, next_tick
from zkmargin.engine.transition import CLEAR, apply, signed_message
from zkmargin.protocol.constants import COLLATERAL, FINE, PERPETUAL, RATE_ONE, EntryKind, Op, Profile, load
from zkmargin.protocol.eddsa import KeyPair, keypair, sign
from zkmargin.protocol.hashes import owner_hash
from zkmargin.protocol.model import Auth, InstrumentParams, Params, QueueEntry, Signature, Tick, Touch
from zkmargin.protocol.words import domain_word
from zkmargin.sequencer.drafting import Draft, SettleBatch, write_effect
from zkmargin.state.ledger import Ledger

CHAIN, LEDGER = 31337, 0x1234567890ABCDEF1234567890ABCDEF12345678
BTC, ETH, GOLD = 1, 2, 3
LONG, SHORT = 0, 1
NO_SIGNATURE = Signature(0, 1, 0)


def rate(percent: float) -> int:
    return int(percent * RATE_ONE / 100)


def parameters(size: int) -> Params:
    """Margin 1 to 4 percent, initial twice that; gold counts for 90 percent."""
    mmr, imr = tuple(rate(p) for p in (1, 2, 3, 4)), tuple(rate(p) for p in (2, 4, 6, 8))
    perpetual = InstrumentParams("BTC", PERPETUAL, 0, rate(10), rate(1), mmr, imr, (1000, 10_000, 100_000))
    gold = InstrumentParams("GOLD", COLLATERAL, rate(10), rate(10), 0)
    rows = [InstrumentParams.unlisted()] * size
    rows[BTC], rows[ETH], rows[GOLD] = perpetual, replace(perpetual, symbol="ETH"), gold
    oracle = keypair(b"oracle")
    params = Params(rate(105), rate(2), rate(50), 60, ((oracle.ax, oracle.ay),), tuple(rows))
    params.validate()
    return params


@dataclass
class World:
    """A ledger, its tick and who signs for whom. Prices in quote base units per step."""

    profile: Profile = field(default_factory=lambda: load().profile("small"))
    domain: int = field(default_factory=lambda: domain_word(CHAIN, LEDGER))

    def __post_init__(self) -> None:
        self.params = parameters(self.profile.instruments)
        self.ledger = Ledger.genesis(self.profile)
        self.tick: Tick = genesis_tick(self.params, 100)
        self.keys: dict[int, KeyPair] = {}
        self.prices({BTC: 60_000_000, ETH: 30_000_000, GOLD: 2_000_000})

    def prices(self, quotes: dict[int, int], rates: dict[int, int] | None = None, slots: int = 1) -> None:
        """The next tick, with one report."""
        size = self.profile.instruments
        now = [quotes.get(k, 0) * FINE or self.tick.instruments[k].mark for k in range(size)]
        funding = [(rates or {}).get(k, 0) for k in range(size)]
        self.tick = next_tick(self.params, self.tick, self.tick.slot + slots, [(now, funding)]).tick

    def mark(self, instrument: int) -> int:
        return self.tick.instruments[instrument].mark

    # ------------------------------------------------------------- the state, without proofs

    def run(self, *touches: Touch) -> None:
        """Apply one operation."""
        pending = CLEAR
        for touch in touches:
            effect = apply(self.ledger, pending, touch, self.tick, self.domain)
            write_effect(self.ledger, effect)
            pending = effect.pending
        assert pending == CLEAR
        self.ledger.checkpoint()

    def batch(self, *operations: list[Touch], touches: int) -> SettleBatch:
        """A batch of the operations; the ledger stays as it was."""
        self.ledger.checkpoint()
        before, self.ledger.profile = self.ledger.profile, replace(self.profile, touches=touches)
        draft = Draft(self.ledger, self.tick, self.domain)
        try:
            for operation in operations:
                draft.add(operation)
            return draft.finish(CHAIN)
        finally:
            self.ledger.rollback()
            self.ledger.profile = before

    # ------------------------------------------------------------- operations

    def entry(
        self, kind: EntryKind, asset: int, amount: int, target: int = 0, owner: int = 0, depositor: int = 0xD0
    ) -> QueueEntry:
        return QueueEntry(self.ledger.consumed, depositor, int(kind), asset, amount, target, owner)

    def deposit(
        self, entry: QueueEntry, ok: bool = True, leaf: int | None = None, account: int | None = None
    ) -> Touch:
        """The touch for a queue entry."""
        opens = entry.kind == EntryKind.OPEN
        if leaf is None:
            known = 0 < entry.target < self.ledger.next_id
            leaf = self.ledger.free_index() if opens else self.ledger.index_of(entry.target) if known else 0
        there = self.ledger.account_at(leaf).id
        identity = self.ledger.next_id if opens and ok else there
        return Touch(
            Op.DEPOSIT,
            leaf,
            identity if account is None else account,
            entry.asset,
            0,
            entry.amount,
            0,
            int(ok),
            entry,
        )

    def open(self, seed: bytes, amount: int, asset: int = 0, depositor: int = 0xD0) -> int:
        """Open an account with a deposit; its id."""
        key = keypair(seed)
        identity = self.ledger.next_id
        self.run(
            self.deposit(self.entry(EntryKind.OPEN, asset, amount, 0, owner_hash(key.ax, key.ay), depositor))
        )
        self.keys[identity] = key
        return identity

    def credit(self, account: int, amount: int, asset: int = 0, depositor: int = 0xD0) -> None:
        self.run(self.deposit(self.entry(EntryKind.ACCOUNT, asset, amount, account, 0, depositor)))

    def touch(self, op: Op, account: int, **fields: int) -> Touch:
        return Touch(op, self.ledger.index_of(account), account, **fields)  # type: ignore[arg-type]

    def signed(self, touch: Touch, nonce_ahead: int = 0, last_slot: int | None = None) -> Touch:
        """The touch with its owner's signature at the account's nonce."""
        account = self.ledger.account_at(touch.leaf_index)
        account = account.with_(nonce=account.nonce + nonce_ahead)
        key = self.keys[touch.account_id]
        auth = Auth(self.tick.slot + 5 if last_slot is None else last_slot, key.ax, key.ay, NO_SIGNATURE)
        touch = replace(touch, auth=auth)
        message = signed_message(touch, account, self.domain)
        return replace(touch, auth=replace(auth, signature=sign(key, message)))

    def withdraw(self, account: int, amount: int, asset: int = 0) -> Touch:
        return self.signed(self.touch(Op.WITHDRAW, account, instrument=asset, side=SHORT, size=amount))

    def trade(self, buyer: int, seller: int, instrument: int, size: int, price: int) -> list[Touch]:
        """Both legs, the buyer first; price in fine units."""
        terms = {"instrument": instrument, "size": size, "price": price}
        return [
            self.signed(self.touch(Op.TRADE, buyer, side=LONG, counterparty=seller, **terms)),
            self.signed(self.touch(Op.TRADE_MATCH, seller, side=SHORT, counterparty=buyer, **terms)),
        ]

    def bid(
        self,
        account: int,
        instrument: int,
        side: int,
        most: int,
        size: int,
        min_reward: int = 0,
        limit: int | None = None,
    ) -> Touch:
        """A signed bid filled with `size`; its limit is the mark itself unless given."""
        return self.signed(
            self.touch(
                Op.TAKE_BID,
                account,
                instrument=instrument,
                side=side,
                size=size,
                price=self.mark(instrument),
                max_size=most,
                min_reward=min_reward,
                limit_price=self.mark(instrument) if limit is None else limit,
            )
        )
