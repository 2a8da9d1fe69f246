# SPDX-License-Identifier: GPL-3.0-or-later
"""What is due at a tick: the operations that bring every account back to maintenance margin.

`settle_account` closes one unhealthy account step by step. Takers are asked in order: standing bids, best
(least asked reward) first; the instrument's backstop, for as much as it can take; then the other side of the
market by deleveraging, the most leveraged holder first; and the reserve absorbs what a flat account owes.
Where that leaves a deficit, for which all withdrawals wait, backstops that need no margin make it up as far
as they are worth it.

Why it ends. (1) There is always a next round: a perpetual that is held has holders on the other side, since
open interest balances, and where the backstop can't take one step it may refuse: deleveraging is allowed; a
collateral's backstop always takes collateral at its haircut value; an account below maintenance with nothing
to sell has equity below 0 and is absorbed. (2) No round makes a healthy account unhealthy: bidders pass the
initial check and backstops the maintenance check; an opposite holder closed at the mark keeps its equity and
needs less margin; a collateral's backstop paying haircut value keeps its health. (3) So the unhealthy
accounts only get fewer, and what they hold (collateral in its own backstop aside, which is absorbed in one
round) falls by a step or more each round: a bidder or backstop whose holding grows is healthy afterwards.
(4) A deficit is made up in one pass: a backstop gives no more than its worst-of equity, and stays healthy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

from zkmargin.engine.liquidation import close, health_with, lowest_holding, minimal_close
from zkmargin.engine.margin import kind_of, risk
from zkmargin.errors import BadInput, InternalError
from zkmargin.protocol.constants import COLLATERAL, RATE_ONE, Op
from zkmargin.protocol.model import Account, Auth, Holding, Tick, Touch

Operation = list[Touch]
Attempt = Callable[[Operation], bool]  # applies the touches if every rule allows it; says whether it did


@dataclass(frozen=True)
class Bid:
    """A signed offer to take liquidated positions: at most `max_size` steps on `side`.

    It wants at least `min_reward` quote base units, whatever part of it is used, and a mark no worse than
    `limit_price` (at most that to buy, at least that to sell); one fill consumes it.
    """

    account_id: int
    nonce: int
    instrument: int
    side: int
    max_size: int
    min_reward: int
    limit_price: int
    auth: Auth


class Book(Interface):
    """What the search reads of the ledger; `reserve` in signed fine units."""

    reserve: int

    def account(self, account_id: int) -> Account:
        """The account of an id; raises `BadInput` for an unknown one."""

    def index_of(self, account_id: int) -> int:
        """The leaf index of an account."""

    def accounts(self) -> Iterable[tuple[int, Account]]:
        """(leaf index, account) of every occupied leaf."""


def unhealthy(book: Book, tick: Tick) -> list[int]:
    """Ids of the accounts below maintenance margin, backstops last, so that they first serve the others."""
    found = [account.id for _, account in book.accounts() if risk(account, tick).health < 0]
    size = len(tick.instruments)
    return sorted(found, key=lambda identity: (identity < size, identity))


class Settling:
    """The search for one tick. `attempt` applies an operation to the book or leaves it as it was.

    An operation has one to three touches and must stay inside one proof: `attempt` sees to that. `below`
    finds who is below maintenance; by default every account is looked at.
    """

    def __init__(
        self,
        book: Book,
        tick: Tick,
        bids: Iterable[Bid],
        attempt: Attempt,
        below: Callable[[], Sequence[int]] | None = None,
    ) -> None:
        self.book, self.tick, self.attempt = book, tick, attempt
        self.below = below or (lambda: unhealthy(book, tick))
        self.bids = sorted(bids, key=lambda bid: (bid.min_reward, -bid.max_size, bid.account_id))
        self._holders: dict[int, set[int]] = {}  # ids that hold, or held, an instrument

    def settle_all(self) -> Iterator[int]:
        """Settle every unhealthy account, then make up a deficit; yields each id when it is done."""
        while due := self.below():
            for identity in due:
                self.settle_account(identity)
                yield identity
        yield from self._repay()

    def _repay(self) -> Iterator[int]:
        """While there is a deficit, absorb what backstops without maintenance are worth; yields their ids.

        Those of collaterals first: they take in collateral whatever they are worth, where that of a perpetual
        takes a position only with equity behind it.
        """
        rows = self.tick.instruments
        for identity in sorted(range(1, len(rows)), key=lambda k: (kind_of(rows[k]) != COLLATERAL, k)):
            backstop = self.book.account(identity)
            now = risk(backstop, self.tick)
            if self.book.reserve < 0 < now.worst and now.maintenance == 0:
                self._absorb(backstop)
                yield identity

    def settle_account(self, identity: int) -> None:
        """Bring one account to health 0 or above."""
        while risk(account := self.book.account(identity), self.tick).health < 0:
            before = account
            self._round(account)
            if self.book.account(identity) == before:
                raise InternalError(
                    f"no rule moves account {identity} at slot {self.tick.slot}",
                    hint="report this with the ledger's state: it should be impossible",
                )

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

    # --------------------------------------------------------------- touches

    def _close(self, op: Op, account: Account, held: Holding, size: int, price: int, flag: int) -> Touch:
        leaf = self.book.index_of(account.id)
        return Touch(op, leaf, account.id, held.instrument, 1 - held.side, size, price, flag)

    def _take(self, op: Op, taker: int, held: Holding, size: int, price: int) -> Touch:
        return Touch(op, self.book.index_of(taker), taker, held.instrument, held.side, size, price)

    def _take_bid(self, bid: Bid, size: int, price: int) -> Touch:
        return Touch(
            Op.TAKE_BID,
            self.book.index_of(bid.account_id),
            bid.account_id,
            bid.instrument,
            bid.side,
            size,
            price,
            max_size=bid.max_size,
            min_reward=bid.min_reward,
            limit_price=bid.limit_price,
            auth=bid.auth,
        )

    def _absorb(self, account: Account) -> None:
        self.attempt([Touch(Op.ABSORB, self.book.index_of(account.id), account.id)])

    def _taken(self, taker: int, held: Holding, operation: Operation) -> bool:
        done = self.attempt(operation)
        if done and held.instrument in self._holders:
            self._holders[held.instrument].add(taker)
        return done

    # ---------------------------------------------------------------- takers

    def _bid(self, account: Account, held: Holding) -> bool:
        price = self.tick.instruments[held.instrument].mark
        wanted = minimal_close(self.tick, account, held, price).size
        for bid in self.bids:
            if (bid.instrument, bid.side) != (held.instrument, held.side) or not self._stands(bid, account):
                continue
            if (bid.limit_price < price) if bid.side == 0 else (bid.limit_price > price):
                continue
            size = min(wanted, bid.max_size)
            first = self._close(Op.LIQUIDATE, account, held, size, price, int(size < wanted))
            if self._taken(bid.account_id, held, [first, self._take_bid(bid, size, price)]):
                return True
        return False

    def _stands(self, bid: Bid, victim: Account) -> bool:
        if bid.account_id == victim.id:
            return False
        try:
            return self.book.account(bid.account_id).nonce == bid.nonce
        except BadInput:
            return False

    def _backstop(self, account: Account, held: Holding) -> bool:
        price = self.tick.instruments[held.instrument].mark
        wanted = minimal_close(self.tick, account, held, price).size
        size = self._backstop_takes(account, held, wanted)
        if size == 0:
            return False
        first = self._close(Op.LIQUIDATE, account, held, size, price, int(size < wanted))
        taker = held.instrument
        return self._taken(taker, held, [first, self._take(Op.TAKE_BACKSTOP, taker, held, size, price)])

    def _backstop_takes(self, account: Account, held: Holding, wanted: int) -> int:
        """A size the backstop can take: all that is wanted, or one where a step more would break its health.

        With f(n) its health after n steps and their reward: f(wanted) >= 0 is all; f(1) < 0 is none (it may
        refuse: without a reward one step is no better). Else bisection keeps f(low) >= 0 > f(high) down to
        neighbours, whatever f does between; one step more than low, without more reward, is below 0 too.
        """
        row = self.tick.instruments[held.instrument]
        before = risk(account, self.tick)
        backstop = self.book.account(held.instrument)
        now, own = risk(backstop, self.tick), backstop.holding(held.instrument)

        def health(size: int) -> int:
            penalty = close(self.tick, before, held, size, row.mark).penalty
            reward = self.tick.bidder_share * penalty // RATE_ONE
            return health_with(now, row, own, -size if held.side else size) + reward

        if health(wanted) >= 0:
            return wanted
        if health(1) < 0:
            return 0
        low, high = 1, wanted
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if health(middle) >= 0 else (low, middle)
        return low

    def _deleverage(self, account: Account, held: Holding, own_backstop: bool) -> None:
        row = self.tick.instruments[held.instrument]
        collateral = kind_of(row) == COLLATERAL
        price = row.equity if collateral else row.mark
        wanted = minimal_close(self.tick, account, held, price).size
        refusal = [] if own_backstop else [self._take(Op.REFUSE, held.instrument, held, 0, row.mark)]
        others = [(held.instrument, wanted)] if collateral else self._other_side(account, held)
        for other, available in others:
            size = min(wanted, available)
            first = self._close(Op.DELEVERAGE, account, held, size, price, int(size < wanted))
            if self._taken(other, held, [*refusal, first, self._take(Op.OFFSET, other, held, size, price)]):
                return

    def _other_side(self, account: Account, held: Holding) -> list[tuple[int, int]]:
        """(account id, steps held) of the opposite holders, most leveraged first."""
        if held.instrument not in self._holders:
            self._holders[held.instrument] = {
                other.id for _, other in self.book.accounts() if other.holding(held.instrument)
            }
        found = []
        for identity in self._holders[held.instrument]:
            other = self.book.account(identity)
            theirs = other.holding(held.instrument)
            if theirs and theirs.side != held.side and identity != account.id:
                now = risk(other, self.tick)
                leverage = now.maintenance / max(now.equity, 1)
                found.append((-leverage, identity, theirs.size))
        return [(identity, size) for _, identity, size in sorted(found)]
