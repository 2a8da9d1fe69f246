# SPDX-License-Identifier: GPL-3.0-or-later
"""Witnesses of statements nobody checked: the arithmetic of each operation with none of its conditions.

What a test forges differs from an honest batch in the one rule it breaks; roots, words and C, r, y all fit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest import mock

from circuits.settle.world import CHAIN, World
from zkmargin.circuits.settle_inputs import Before, Posting, Step, settle_inputs
from zkmargin.engine.liquidation import penalty_share
from zkmargin.engine.margin import holding_of, maintenance_of, risk
from zkmargin.protocol.constants import FINE, RATE_ONE, EntryKind, Op
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Account, Tick, Touch
from zkmargin.protocol.words import settle_words
from zkmargin.sequencer.drafting import bind

_SIGNED = {Op.WITHDRAW, Op.TRADE, Op.TRADE_MATCH, Op.TAKE_BID}
_AT_PRICE = {Op.TRADE, Op.TRADE_MATCH, Op.LIQUIDATE, Op.TAKE_BID, Op.TAKE_BACKSTOP, Op.DELEVERAGE, Op.OFFSET}
_CLOSES = {Op.LIQUIDATE, Op.DELEVERAGE}


class Forgery:
    """A batch of `count` touches, applied without asking; the world's ledger is rolled back by `inputs`."""

    def __init__(self, world: World, count: int, anchor: Tick | None = None) -> None:
        self.world, self.ledger, self.tick, self.count = world, world.ledger, world.tick, count
        self.anchor = anchor
        self.ledger.checkpoint()
        self.root = self.ledger.root()
        self.before = Before(self.ledger.pages_root, *self.ledger.scalars())
        self.steps: list[Step] = []
        self.paid: list[int] = []
        self.reward = 0

    def add(self, touch: Touch, **after: Any) -> None:
        """Open the leaf and write what the operation makes of it; `after` replaces fields of the account."""
        opening = self.ledger.opening(touch.leaf_index)
        account = opening.account
        self.steps.append(Step(touch, opening))
        self.paid.append(account.address if touch.op == Op.WITHDRAW else 0)
        written = replace(self._effect(account, touch), **after)
        with mock.patch(
            "zkmargin.state.ledger.check_account"
        ):  # an account no operation makes may be the point
            keep = touch.op == Op.NOOP or bool(touch.kept)
            self.ledger.write(touch.leaf_index, written, keep_header=keep)

    def _effect(self, account: Account, touch: Touch) -> Account:
        ledger, row = self.ledger, self.tick.instruments[touch.instrument]
        delta, cash, moves = (-touch.size if touch.side else touch.size), 0, touch.op in _AT_PRICE
        last_reward, self.reward = self.reward, 0
        if touch.op in _SIGNED:
            account = account.with_(nonce=account.nonce + 1)
        if touch.op == Op.DEPOSIT and touch.entry:
            ledger.consumed += 1
            delta = touch.size if touch.flag else 0
            if touch.flag and touch.entry.kind == EntryKind.FUND:
                ledger.reserve += touch.size * FINE
                delta = 0
            if touch.flag and touch.entry.kind == EntryKind.OPEN:
                account = account.with_(
                    id=ledger.next_id, address=touch.entry.depositor, owner=touch.entry.owner
                )
                ledger.next_id += 1
        if touch.op in (Op.DEPOSIT, Op.WITHDRAW):
            moves = touch.instrument != 0 and delta != 0
            cash = 0 if moves else delta * FINE
        if touch.op in _AT_PRICE:
            cash = -delta * (touch.price - row.funding)
        if touch.op in (Op.TAKE_BID, Op.TAKE_BACKSTOP):
            cash += last_reward
        if touch.op == Op.ABSORB:
            now = risk(account, self.tick)
            income = now.equity if now.equity < 0 else min(now.worst, -ledger.reserve)
            cash, ledger.reserve = -income, ledger.reserve + income
        after = account
        if moves:
            held = account.holding(touch.instrument)
            slot = account.slot_for(touch.instrument)
            assert slot is not None
            now = holding_of(row, touch.instrument, (held.signed if held else 0) + delta)
            if touch.op in _CLOSES:
                released = maintenance_of(row, held) - maintenance_of(row, now)
                penalty = penalty_share(self.tick, risk(account, self.tick)) * released // RATE_ONE
                self.reward = self.tick.bidder_share * penalty // RATE_ONE if touch.op == Op.LIQUIDATE else 0
                cash -= penalty
                ledger.reserve += penalty - self.reward
            after = account.with_slot(slot, now)
        return after.with_(balance=after.balance + cash)

    def inputs(self) -> dict[str, Any]:
        """Witness inputs, padded with no-ops and bound to words as an honest batch is."""
        while len(self.steps) < self.count:
            self.add(Touch(Op.NOOP, 0, self.ledger.account_at(0).id))
        profile = replace(self.world.profile, touches=self.count)
        touches, new_root = [step.touch for step in self.steps], self.ledger.root()
        words = settle_words(
            self.world.domain, self.root, tick_hash(self.tick), new_root, touches, self.paid, profile
        )
        posting: Posting = bind(words, CHAIN, self.world.domain)
        made = settle_inputs(
            profile,
            self.tick,
            self.world.domain,
            self.root,
            new_root,
            self.before,
            self.steps,
            posting,
            self.anchor,
        )
        self.ledger.rollback()
        return made
