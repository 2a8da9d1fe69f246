# SPDX-License-Identifier: GPL-3.0-or-later
"""A trade between two signers, leg by leg."""

from __future__ import annotations

from zkmargin.engine.margin import is_limited
from zkmargin.engine.touching import Touching, falls, refuse
from zkmargin.protocol.constants import Op


class Trading(Touching):
    """`trade` and `trade_match` of SPEC section 4."""

    def trade(self) -> None:
        """The first leg."""
        self._leg()
        self.open_leg(Op.TRADE_MATCH, counterparty=self.touch.counterparty)

    def trade_match(self) -> None:
        """The second leg, on the account the first one names."""
        self.second_leg()
        if self.pending.counterparty != self.account.id or self.touch.counterparty != self.pending.first_id:
            raise refuse("counterparty", "the two legs do not name each other")
        self._leg()

    def _leg(self) -> None:
        touch = self.touch
        self.signed_by_owner()
        self.listed()
        if touch.size < 1:
            raise refuse("size", "a trade takes at least one step")
        before = self.signed_size()
        self.moved(self.delta, self.trade_cash())
        reduces = falls(before, before + self.delta)
        if is_limited(self.row) and not reduces:
            raise refuse(
                "limited",
                f"the mark of instrument {touch.instrument} is limited: positions may only fall",
                "trade again when a later mark is not held back",
            )
        if self.after_risk().free_initial < 0 and not (reduces and self._eased()):
            raise refuse(
                "below_initial_margin",
                f"account {self.account.id} would fall below initial margin",
                "trade less, or add collateral",
            )

    def _eased(self) -> bool:
        """The exception for an account below initial margin: a smaller position at no worse a ratio.

        Equity may only fall where worst-of equity falls with it and stays at 0 or above: not at a limited
        mark, where a price between mark and raw price costs equity and is a gain by worst-of values.
        """
        was, now = self.risk, self.after_risk()
        return (
            was.free_initial < 0 < was.maintenance
            and now.worst * was.maintenance >= was.worst * now.maintenance
            and (now.equity >= was.equity or (was.worst > 0 and not is_limited(self.row)))
        )
