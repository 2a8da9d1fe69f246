# SPDX-License-Identifier: GPL-3.0-or-later
"""One touch of the ledger: the rules of SPEC section 4, each refusal named.

    apply(view, pending, touch, tick, domain) -> Effect

Nothing is changed here: the caller writes the effect. `view` is any ledger with `account_at`, `reserve`,
`next_id`, `consumed`, `capacity` and `profile`. `REFUSALS` lists every code a refusal can carry.
"""

from __future__ import annotations

from dataclasses import replace

from zkmargin.engine.closing import Takers
from zkmargin.engine.form import check_form
from zkmargin.engine.requests import Requests
from zkmargin.engine.touching import CLEAR, Effect, View, refuse, signed_message
from zkmargin.engine.trading import Trading
from zkmargin.protocol.constants import Op
from zkmargin.protocol.model import Pending, Tick, Touch

__all__ = ["CLEAR", "REFUSALS", "Effect", "View", "apply", "signed_message"]

REFUSALS = {
    "malformed": "a field out of range, or not 0 where the operation does not use it",
    "range": "a leaf or instrument that the ledger does not have",
    "legs": "a first leg without its second, or a second without its first",
    "account": "the touch names another account than the leaf holds",
    "queue_order": "not the next entry of the deposit queue",
    "entry": "the touch does not repeat its queue entry",
    "flag": "a valid entry refused, or an invalid one performed",
    "leaf": "the wrong leaf for a deposit",
    "signature": "not signed, by another key, or over other terms, nonce, chain or ledger",
    "expired": "signed for an earlier slot",
    "nonce": "no nonce is left",
    "backstop": "an operation that this backstop account, or one that is none, may not do",
    "deficit": "withdrawals wait for the insurance fund's deficit",
    "amount": "a withdrawal of nothing",
    "withdraw_too_much": "more than is held, or than initial margin leaves free",
    "not_listed": "an instrument without a price",
    "no_free_slot": "twelve other instruments are held",
    "size_range": "a holding of 2^48 steps or more",
    "balance_range": "a balance or reserve of 2^120 or more",
    "collateral_short": "a short holding of collateral",
    "size": "a size of 0, or more than there is to close",
    "limited": "new risk while the mark is limited",
    "below_initial_margin": "initial margin would not be covered",
    "counterparty": "two legs of a trade that do not name each other",
    "legs_differ": "a second leg with other terms than the first",
    "same_account": "both legs on one account",
    "price": "not the price the rule fixes",
    "healthy_account": "nothing to liquidate: maintenance margin is covered",
    "nothing_held": "nothing to liquidate: the account is flat",
    "wrong_order": "an instrument with a lower number is held",
    "target_missed": "a size too small to restore the account",
    "not_minimal": "a size larger than needed",
    "bid_size": "more than the bid takes",
    "bid_price": "past the limit price of the bid",
    "bid_reward": "less than the bid asks",
    "not_exhausted": "the taker could take more",
    "backstop_full": "the backstop would fall below maintenance margin",
    "backstop_able": "the backstop could take a step",
    "not_opposite": "an offset on an account without the other side",
    "solvent": "nothing to absorb, and no surplus of a backstop that a deficit wants",
    "not_flat": "something is left to sell before a debt is absorbed",
}

_ALLOWED = {
    0: {Op.NOOP, Op.DEPOSIT, Op.WITHDRAW, Op.TRADE, Op.LIQUIDATE, Op.REFUSE, Op.DELEVERAGE, Op.ABSORB},
    Op.TRADE_MATCH: {Op.TRADE_MATCH},
    Op.TAKE_BID: {Op.TAKE_BID, Op.TAKE_BACKSTOP},
    Op.DELEVERAGE: {Op.DELEVERAGE},
    Op.OFFSET: {Op.OFFSET},
}


class _Operations(Requests, Trading, Takers):
    """A method for every opcode, named as in the data file."""


def apply(view: View, pending: Pending, touch: Touch, tick: Tick, domain: int) -> Effect:
    """The effect of a touch at a tick, or `Refused` with one of the codes of `REFUSALS`."""
    check_form(view, touch)
    name = Op(touch.op).name.lower()
    if touch.op not in _ALLOWED[pending.expect]:
        wanted = " or ".join(op.name.lower() for op in sorted(_ALLOWED[pending.expect]))
        raise refuse("legs", f"{name} can't come here", f"expected {wanted}")
    work = _Operations(view, pending, touch, tick, domain)
    getattr(work, name)()
    after = work.effect.after
    if after.id != touch.account_id:
        raise refuse("account", f"leaf {touch.leaf_index} is account {after.id}, not {touch.account_id}")
    return replace(work.effect, risk_after=work.after_risk())
