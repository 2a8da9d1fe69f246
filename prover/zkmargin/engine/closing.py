# SPDX-License-Identifier: GPL-3.0-or-later
"""Closing what an unhealthy account holds, and who takes it: bidders, backstops, the other side."""

from __future__ import annotations

from dataclasses import replace

from zkmargin.engine.liquidation import close, health_with, lowest_holding, penalty_share
from zkmargin.engine.margin import kind_of, risk
from zkmargin.engine.touching import MAX_MAGNITUDE, Touching, falls, quote_text, refuse
from zkmargin.protocol.constants import COLLATERAL, FINE, PERPETUAL, RATE_ONE, Op
from zkmargin.protocol.model import Account, Holding


class Victims(Touching):
    """First legs: `liquidate`, `refuse`, `deleverage` of SPEC section 4."""

    def liquidate(self) -> None:
        """Close at the mark, to a bid or the backstop; the penalty is shared between taker and reserve."""
        self._closed(self.row.mark)
        penalty = self.effect.penalty
        reward = self.tick.bidder_share * penalty // RATE_ONE
        self.to_reserve(penalty - reward)
        self.open_leg(Op.TAKE_BID, reward)
        self.effect = replace(self.effect, reward=reward)

    def refuse(self) -> None:
        """The backstop shows that it can't take one step more."""
        self.listed()
        self.own_backstop()
        self.at_price(self.row.mark)
        if self.one_more(self.account) >= 0:
            raise refuse("backstop_able", f"backstop {self.account.id} can take another step")
        self.open_leg(Op.DELEVERAGE)

    def deleverage(self) -> None:
        """Close against the other side, which did not ask for it; the penalty goes to the reserve."""
        touch, pending = self.touch, self.pending
        collateral = kind_of(self.row) == COLLATERAL
        if pending.expect:
            if (touch.instrument, touch.side) != (pending.instrument, pending.side):
                raise refuse("legs_differ", "the backstop refused another instrument or side")
            self.another_account()
        else:
            self.own_backstop()
            if collateral:
                raise refuse("backstop", "a collateral backstop is not deleveraged but absorbed")
        self._closed(self.row.equity if collateral else self.row.mark)
        self.to_reserve(self.effect.penalty)
        self.open_leg(Op.OFFSET)

    def one_more(self, account: Account) -> int:
        """Health of the backstop after one step more on the touch's side at the mark, without a reward.

        -1 where it holds the largest size there is, so that it can refuse what it has no room for.
        """
        step = -1 if self.touch.side else 1
        held = account.holding(self.touch.instrument)
        if abs((held.signed if held else 0) + step) >= MAX_MAGNITUDE:
            return -1
        return health_with(risk(account, self.tick), self.row, held, step)

    def _unhealthy(self) -> Holding:
        """The holding that must be closed first; refuses a healthy account or another instrument."""
        if self.risk.health >= 0:
            raise refuse("healthy_account", f"account {self.account.id} covers its maintenance margin")
        first = lowest_holding(self.account)
        if first is None:
            raise refuse("nothing_held", f"account {self.account.id} holds nothing to close")
        if first.instrument != self.touch.instrument:
            raise refuse("wrong_order", f"instrument {first.instrument} comes before {self.touch.instrument}")
        return first

    def _closed(self, price: int) -> None:
        """Close the touch's size of an unhealthy account at `price`: the size rule, penalty, cash."""
        held, touch = self._unhealthy(), self.touch
        self.at_price(price)
        if touch.side == held.side or not 1 <= touch.size <= held.size:
            raise refuse("size", f"1 to {held.size} steps can be closed, on the other side")
        now = close(self.tick, self.risk, held, touch.size, price)
        if not (now.reached or touch.size == held.size or touch.flag):
            raise refuse("target_missed", "the size does not restore the account, nor is the taker exhausted")
        if touch.size > 1 and close(self.tick, self.risk, held, touch.size - 1, price).reached:
            raise refuse("not_minimal", "one step less restores the account too")
        self.moved(self.delta, now.cash)
        self.effect = replace(self.effect, penalty=now.penalty, rho=penalty_share(self.tick, self.risk))


class Takers(Victims):
    """Second legs: `take_bid`, `take_backstop`, `offset` of SPEC section 4."""

    def take_bid(self) -> None:
        """A signed bid takes the position."""
        touch, pending = self.touch, self.pending
        self.signed_by_owner()
        self.second_leg()
        if touch.size > touch.max_size:
            raise refuse("bid_size", f"the bid takes at most {touch.max_size} steps")
        if (touch.price - touch.limit_price) * (-1 if touch.side else 1) > 0:
            raise refuse(
                "bid_price",
                f"the bid's limit is a price of {touch.limit_price}, not {touch.price}",
                f"fine units a step: {quote_text(touch.limit_price)} of quote, not {quote_text(touch.price)}",
            )
        if pending.exhausted and touch.size != touch.max_size:
            raise refuse("not_exhausted", "the bid could take more")
        if pending.reward < touch.min_reward * FINE:
            raise refuse("bid_reward", "the bid asks for more reward")
        self.moved(self.delta, self.trade_cash() + pending.reward)
        if self.after_risk().free_initial < 0:
            raise refuse("below_initial_margin", f"bidder {self.account.id} would fall below initial margin")

    def take_backstop(self) -> None:
        """The instrument's backstop takes the position, as long as it stays healthy."""
        self.own_backstop()
        self.second_leg()
        self.moved(self.delta, self.trade_cash() + self.pending.reward)
        if self.after_risk().health < 0:
            raise refuse("backstop_full", f"backstop {self.account.id} would fall below maintenance margin")
        if self.pending.exhausted and self.one_more(self.effect.after) >= 0:
            raise refuse("not_exhausted", "the backstop could take one step more")

    def offset(self) -> None:
        """The other side of a deleveraging."""
        self.second_leg()
        before = self.signed_size()
        after = before + self.delta
        if kind_of(self.row) == PERPETUAL:
            if not falls(before, after):
                raise refuse("not_opposite", f"account {self.account.id} holds too little of the other side")
            if self.pending.exhausted and after:
                raise refuse("not_exhausted", "the other side could take more")
        else:
            self.own_backstop()
            if self.pending.exhausted:
                raise refuse("not_exhausted", "the backstop takes all of the collateral")
        self.moved(self.delta, self.trade_cash())
