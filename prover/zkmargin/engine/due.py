# SPDX-License-Identifier: GPL-3.0-or-later
"""What is due at a tick: the operations that bring every account back to maintenance margin.

`settle_account` closes one unhealthy account step by step. Takers are asked in order: standing bids, best
(least asked reward) first; the instrument's backstop, for as much as it can take; then the other side of the
market by deleveraging, the most leveraged holder first; and the reserve absorbs what a flat account owes.

It ends: every round either restores the account, or closes a holding, or uses up a bid, or fills the
backstop, or closes the whole position of one opposite holder, and each of these is finite; open interest
balances, so there is an opposite holder as long as a perpetual is held, and a collateral's backstop always
takes collateral at its haircut value. No step makes another account unhealthy: bidders pass the initial check,
backstops the maintenance check, and closing at the mark leaves an opposite holder's equity as it is and lowers
its maintenance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol as Interface

from zkmargin.engine.liquidation import lowest_holding, minimal_close
from zkmargin.engine.margin import kind_of, risk
from zkmargin.errors import InternalError
from zkmargin.protocol.constants import COLLATERAL, Op
from zkmargin.protocol.model import Account, Auth, Holding, Tick, Touch

Operation = list[Touch]
Attempt = Callable[[Operation], bool]  # applies the touches if every rule allows it; says whether it did


@dataclass(frozen=True)
class Bid:
    """A signed offer to take liquidated positions: at most `max_size` steps on `side`, for at least `min_reward`."""

    account_id: int
    nonce: int
    instrument: int
    side: int
    max_size: int
    min_reward: int
    auth: Auth


class Book(Interface):
    """What the search reads of the ledger."""

    def account(self, account_id: int) -> Account: ...

    def index_of(self, account_id: int) -> int: ...

    def accounts(self) -> Iterable[tuple[int, Account]]: ...


def unhealthy(book: Book, tick: Tick) -> list[int]:
    """Ids of the accounts below maintenance margin, backstops last, so that they first serve the others."""
    found = [account.id for _, account in book.accounts() if risk(account, tick).health < 0]
    size = len(tick.instruments)
    return sorted(found, key=lambda identity: (identity < size, identity))


class Settling:
    """The search for one tick. `attempt` applies an operation to the book or leaves it as it was."""

    def __init__(self, book: Book, tick: Tick, bids: Iterable[Bid], attempt: Attempt) -> None:
        self.book, self.tick, self.attempt = book, tick, attempt
        self.bids = sorted(bids, key=lambda bid: (bid.min_reward, -bid.max_size, bid.account_id))

    def settle_all(self) -> Iterator[int]:
        """Settle every unhealthy account; yields each id when it is done."""
        while due := unhealthy(self.book, self.tick):
            for identity in due:
                self.settle_account(identity)
                yield identity

    def settle_account(self, identity: int) -> None:
        """Bring one account to health 0 or above."""
        while risk(account := self.book.account(identity), self.tick).health < 0:
            before = account
            self._round(account)
            if self.book.account(identity) == before:
                raise InternalError(f"no rule moves account {identity} at slot {self.tick.slot}",
                                    hint="report this with the ledger's state: it should be impossible")

    def _round(self, account: Account) -> None:
        held = lowest_holding(account)
        own_backstop = account.id < len(self.tick.instruments)
        if held is None:
            self._absorb(account)
            return
        if own_backstop and kind_of(self.tick.instruments[held.instrument]) == COLLATERAL:
            if not self._bid(account, held):
                self._absorb(account)
            return
        if not (self._bid(account, held) or (not own_backstop and self._backstop(account, held))):
            self._deleverage(account, held, own_backstop)

    def _close(self, op: Op, account: Account, held: Holding, size: int, price: int, flag: int) -> Touch:
        return Touch(op, self.book.index_of(account.id), account.id, held.instrument, 1 - held.side, size, price, flag)

    def _take(self, op: Op, taker: int, held: Holding, size: int, price: int, bid: Bid | None = None) -> Touch:
        return Touch(op, self.book.index_of(taker), taker, held.instrument, held.side, size, price,
                     max_size=bid.max_size if bid else 0, min_reward=bid.min_reward if bid else 0,
                     auth=bid.auth if bid else None)

    def _absorb(self, account: Account) -> None:
        self.attempt([Touch(Op.ABSORB, self.book.index_of(account.id), account.id)])

    def _bid(self, account: Account, held: Holding) -> bool:
        price = self.tick.instruments[held.instrument].mark
        wanted = minimal_close(self.tick, account, held, price).size
        for bid in self.bids:
            if (bid.instrument, bid.side) != (held.instrument, held.side) or bid.account_id == account.id:
                continue
            if self.book.account(bid.account_id).nonce != bid.nonce:
                continue
            size = min(wanted, bid.max_size)
            if self.attempt([self._close(Op.LIQUIDATE, account, held, size, price, int(size < wanted)),
                             self._take(Op.TAKE_BID, bid.account_id, held, size, price, bid)]):
                return True
        return False

    def _backstop(self, account: Account, held: Holding) -> bool:
        price = self.tick.instruments[held.instrument].mark
        wanted = minimal_close(self.tick, account, held, price).size

        def operation(size: int) -> Operation:
            return [self._close(Op.LIQUIDATE, account, held, size, price, int(size < wanted)),
                    self._take(Op.TAKE_BACKSTOP, held.instrument, held, size, price)]

        if self.attempt(operation(wanted)):
            return True
        low, high = 1, wanted - 1  # the largest size the backstop can take is where taking one more is refused
        while low <= high:
            middle = (low + high) // 2
            if self.attempt(operation(middle)):
                return True
            if self._fits(account, held, middle, price):
                low = middle + 1
            else:
                high = middle - 1
        return False

    def _fits(self, account: Account, held: Holding, size: int, price: int) -> bool:
        """Whether the backstop stays healthy with `size` more; the reward, which only helps, is left out."""
        backstop = self.book.account(held.instrument)
        row = self.tick.instruments[held.instrument]
        own = backstop.holding(held.instrument)
        signed = (own.signed if own else 0) + (-size if held.side else size)
        now = risk(backstop, self.tick)
        tier = sum(abs(signed) > bound for bound in row.bounds)
        maintenance = abs(signed) * row.maintenance[tier]
        equity = now.equity + (signed - (own.signed if own else 0)) * (row.equity - (price - row.funding))
        return equity >= maintenance

    def _deleverage(self, account: Account, held: Holding, own_backstop: bool) -> None:
        row = self.tick.instruments[held.instrument]
        collateral = kind_of(row) == COLLATERAL
        price = row.equity if collateral else row.mark
        wanted = minimal_close(self.tick, account, held, price).size
        first = [] if own_backstop else [
            Touch(Op.REFUSE, self.book.index_of(held.instrument), held.instrument, held.instrument, held.side, 0, row.mark)
        ]
        for other, available in self._others(account, held, collateral, wanted):
            size = min(wanted, available)
            if self.attempt([*first, self._close(Op.DELEVERAGE, account, held, size, price, int(size < wanted)),
                             self._take(Op.OFFSET, other, held, size, price)]):
                return

    def _others(self, account: Account, held: Holding, collateral: bool, wanted: int) -> list[tuple[int, int]]:
        """(account id, size it can offset): the collateral's backstop, or opposite holders, most leveraged first."""
        if collateral:
            return [(held.instrument, wanted)]
        found = []
        for _, other in self.book.accounts():
            theirs = other.holding(held.instrument)
            if theirs and theirs.side != held.side and other.id != account.id:
                now = risk(other, self.tick)
                leverage = now.maintenance / max(now.equity, 1)
                found.append((leverage, other.id, theirs.size))
        return [(identity, size) for _, identity, size in sorted(found, key=lambda item: (-item[0], item[1]))]
