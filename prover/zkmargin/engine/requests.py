# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on one account alone: nothing, a queued deposit, a withdrawal, a debt or surplus absorbed."""

from __future__ import annotations

from dataclasses import replace

from zkmargin.engine.margin import kind_of
from zkmargin.engine.touching import MAX_BALANCE, MAX_MAGNITUDE, Touching, quote_text, refuse
from zkmargin.protocol.constants import COLLATERAL, FINE, EntryKind
from zkmargin.protocol.model import Account

DEPOSIT_LIMIT = MAX_BALANCE >> 1  # a deposit that would lift a balance to this is refused


class Requests(Touching):
    """`noop`, `deposit`, `withdraw`, `absorb` of SPEC section 4."""

    def noop(self) -> None:
        """Nothing changes."""

    def deposit(self) -> None:
        """Perform the next queue entry, or refuse it: which of the two is computed, never chosen."""
        entry, view, touch = self.touch.entry, self.view, self.touch
        if entry is None or entry.index != view.consumed:
            raise refuse("queue_order", f"the next queue entry is number {view.consumed}")
        if (touch.instrument, touch.size) != (entry.asset, entry.amount):
            raise refuse("entry", "the touch does not repeat the entry's asset and amount")
        ok = self._deposit_ok()
        if bool(touch.flag) != ok:
            raise refuse("flag", f"the entry is {'valid' if ok else 'to be refused'}")
        self.effect = replace(self.effect, consumed=view.consumed + 1)
        if not ok:
            return
        if entry.kind == EntryKind.FUND:
            self.to_reserve(entry.amount * FINE)
            return
        if entry.kind == EntryKind.OPEN:
            self.account = Account(id=view.next_id, address=entry.depositor, owner=entry.owner)
            self.effect = replace(self.effect, after=self.account, next_id=view.next_id + 1)
        if entry.asset == 0:
            self.credited(entry.amount * FINE)
        else:
            self.moved(entry.amount, 0)

    def _deposit_ok(self) -> bool:
        """Whether the contract's next entry is valid; also that the right leaf is opened for it."""
        entry, view, account = self.touch.entry, self.view, self.account
        assert entry is not None
        if entry.kind == EntryKind.FUND:
            return entry.asset == 0 and view.reserve + entry.amount * FINE < DEPOSIT_LIMIT
        if entry.kind == EntryKind.OPEN:
            if entry.owner == 0 or view.next_id >= view.capacity or not self._asset_listed():
                return False
            if not account.is_empty:
                raise refuse("leaf", "a new account needs an empty leaf")
            return True
        if not 0 < entry.target < view.next_id:
            return False
        if account.id != entry.target:
            raise refuse("leaf", f"leaf {self.touch.leaf_index} is account {account.id}, not {entry.target}")
        if entry.asset == 0:
            return account.balance + entry.amount * FINE < DEPOSIT_LIMIT
        return (
            self._asset_listed()
            and not self.is_backstop
            and entry.depositor == account.address
            and account.slot_for(entry.asset) is not None
            and self.signed_size() + entry.amount < MAX_MAGNITUDE
        )

    def _asset_listed(self) -> bool:
        return self.touch.instrument == 0 or kind_of(self.row) == COLLATERAL

    def withdraw(self) -> None:
        """Pay quote or collateral to the account's L1 address, initial margin covered afterwards."""
        touch = self.touch
        self.signed_by_owner()
        if self.view.reserve < 0:
            raise refuse(
                "deficit",
                "withdrawals wait while the insurance fund owes a deficit",
                "try after it is repaid",
            )
        if touch.size < 1 or touch.side != 1:
            raise refuse("amount", "a withdrawal takes at least 1")
        if touch.instrument == 0:
            self.credited(-touch.size * FINE)
        else:
            if kind_of(self.row) != COLLATERAL or self.signed_size() < touch.size:
                raise refuse(
                    "withdraw_too_much",
                    f"account {self.account.id} does not hold that much",
                    f"it holds {max(self.signed_size(), 0)} steps",
                )
            self.moved(-touch.size, 0)
        if self.after_risk().free_initial < 0:
            free = self.risk.free_initial // FINE
            raise refuse(
                "withdraw_too_much",
                "initial margin would not be covered",
                f"free initial margin is {free} quote base units, {quote_text(free * FINE)} of quote",
            )
        self.effect = replace(self.effect, paid=self.account.address)

    def absorb(self) -> None:
        """The reserve pays what an account with nothing to sell owes, or a backstop makes up a deficit.

        A backstop without maintenance margin gives what it is worth at worst-of prices, at most the deficit.
        """
        free = self.is_backstop and self.risk.maintenance == 0
        income = self.risk.equity
        if income >= 0:
            if not (free and self.risk.worst > 0 > self.view.reserve):
                raise refuse("solvent", f"account {self.account.id} owes nothing, nor does a backstop repay")
            income = min(self.risk.worst, -self.view.reserve)
        elif not free and any(self.account.slots):
            raise refuse("not_flat", f"account {self.account.id} still holds something to sell")
        self.credited(-income)
        self.to_reserve(income)
