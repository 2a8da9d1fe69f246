# SPDX-License-Identifier: GPL-3.0-or-later
"""What every operation on an account is made of: the state of one touch, and the steps operations share.

Operations are methods of classes built on `Touching`; `transition.apply` picks the one a touch names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol as Interface

from zkmargin.engine.margin import Risk, holding_of, kind_of, risk
from zkmargin.errors import Refused
from zkmargin.protocol.constants import BITS, COLLATERAL, FINE, Op, Profile
from zkmargin.protocol.eddsa import verify
from zkmargin.protocol.hashes import operation_message, owner_hash
from zkmargin.protocol.model import Account, Holding, InstrumentTick, Pending, Tick, Touch
from zkmargin.protocol.packing import pack

MAX_MAGNITUDE = 1 << BITS["magnitude"]
MAX_BALANCE = 1 << BITS["balance"]
QUOTE_BASE_UNITS = 10**6  # in one of the quote asset
_KIND = {Op.WITHDRAW: "withdraw", Op.TRADE: "trade", Op.TRADE_MATCH: "trade", Op.TAKE_BID: "bid"}
CLEAR = Pending()


class View(Interface):
    """What a transition reads of the ledger; `reserve` in signed fine units."""

    reserve: int
    next_id: int
    consumed: int

    @property
    def profile(self) -> Profile:
        """The sizes the ledger is made for."""

    @property
    def capacity(self) -> int:
        """Number of leaves."""

    def account_at(self, leaf_index: int) -> Account:
        """The account at a leaf; the empty account where there is none."""


@dataclass(frozen=True)
class Effect:
    """What a touch does, with what a witness builder or a reader wants to see of it.

    `slot` is the slot used, None for none; `paid` the L1 address of a withdrawal, else 0. `risk_before` and
    `risk_after` are E, M, W, I of the leaf's account; `rho` (times 2^32) the penalty as a share of released
    maintenance; `penalty` and `reward` in fine units; `reserve`, `next_id`, `consumed` and `pending` the new
    values.
    """

    touch: Touch
    before: Account
    after: Account
    slot: int | None
    reserve: int
    next_id: int
    consumed: int
    pending: Pending
    risk_before: Risk
    risk_after: Risk
    rho: int = 0
    penalty: int = 0
    reward: int = 0
    paid: int = 0


def refuse(code: str, message: str, hint: str = "") -> Refused:
    """The error for a touch that breaks the rule `code`."""
    return Refused(message, code=code, hint=hint)


def quote_text(fine: int) -> str:
    """An amount in fine units as people read it: in units of the quote asset, rounded."""
    return f"{fine / (FINE * QUOTE_BASE_UNITS):,.6f}"


def signed_message(touch: Touch, account: Account, domain: int) -> int:
    """What the owner of `account` (at its present nonce) signs for a touch."""
    assert touch.auth is not None
    auth = pack("auth", account_id=account.id, nonce=account.nonce, last_slot=touch.auth.last_slot)
    bid = touch.op == Op.TAKE_BID
    terms = pack(
        "terms",
        instrument=touch.instrument,
        side=touch.side,
        size=touch.max_size if bid else touch.size,
        price=touch.limit_price if bid else touch.price,
        counterparty=touch.counterparty,
        min_reward=touch.min_reward,
    )
    return operation_message(_KIND[Op(touch.op)], domain, auth, terms)


class Touching:
    """The state of one transition. `effect` grows step by step; nothing outside is changed."""

    def __init__(self, view: View, pending: Pending, touch: Touch, tick: Tick, domain: int) -> None:
        self.view, self.pending, self.touch, self.tick, self.domain = view, pending, touch, tick, domain
        self.account = view.account_at(touch.leaf_index)
        self.risk = risk(self.account, tick)
        self.effect = Effect(
            touch,
            self.account,
            self.account,
            None,
            view.reserve,
            view.next_id,
            view.consumed,
            CLEAR,
            self.risk,
            self.risk,
        )

    @property
    def row(self) -> InstrumentTick:
        """The tick's row of the touch's instrument."""
        return self.tick.instruments[self.touch.instrument]

    @property
    def delta(self) -> int:
        """d: the signed steps the touch's side takes on."""
        return -self.touch.size if self.touch.side else self.touch.size

    @property
    def is_backstop(self) -> bool:
        """Whether the account belongs to the protocol and not to a trader."""
        return self.account.id < self.view.profile.instruments

    def held(self) -> Holding | None:
        """What the account holds of the touch's instrument."""
        return self.account.holding(self.touch.instrument)

    def signed_size(self) -> int:
        """s: the signed size held of the touch's instrument, in steps."""
        held = self.held()
        return held.signed if held else 0

    def moved(self, delta: int, cash: int) -> None:
        """Change the slot of the touch's instrument by `delta` steps and the balance by `cash` fine units."""
        slot = self.account.slot_for(self.touch.instrument)
        if slot is None:
            count = len(self.account.slots)
            raise refuse(
                "no_free_slot",
                f"account {self.account.id} holds {count} instruments",
                "close a position first",
            )
        signed = self.signed_size() + delta
        if abs(signed) >= MAX_MAGNITUDE:
            raise refuse("size_range", f"a holding of {abs(signed)} steps is out of range")
        if signed < 0 and kind_of(self.row) == COLLATERAL:
            raise refuse("collateral_short", f"instrument {self.touch.instrument} is long only")
        after = self.account.with_slot(slot, holding_of(self.row, self.touch.instrument, signed))
        self.effect = replace(self.effect, slot=slot, after=after)
        self.credited(cash)

    def credited(self, cash: int) -> None:
        """Change the balance by `cash` fine units."""
        balance = self.effect.after.balance + cash
        if not -MAX_BALANCE <= balance < MAX_BALANCE:
            raise refuse("balance_range", "the balance would leave its range")
        self.effect = replace(self.effect, after=self.effect.after.with_(balance=balance))

    def to_reserve(self, income: int) -> None:
        """Change the reserve by `income` fine units."""
        reserve = self.view.reserve + income
        if not -MAX_BALANCE <= reserve < MAX_BALANCE:
            raise refuse("balance_range", "the reserve would leave its range")
        self.effect = replace(self.effect, reserve=reserve)

    def open_leg(self, expect: Op, reward: int = 0, counterparty: int = 0) -> None:
        """Set the pending register: `expect` must follow on the other side."""
        touch = self.touch
        pending = Pending(
            expect,
            touch.instrument,
            touch.size,
            touch.price,
            1 - touch.side,
            reward,
            self.account.id,
            counterparty,
            touch.flag,
        )
        self.effect = replace(self.effect, pending=pending)

    def trade_cash(self) -> int:
        """What taking `delta` steps at the posted price does to the balance, in fine units."""
        return -self.delta * (self.touch.price - self.row.funding)

    def listed(self) -> None:
        """Refuse an instrument without a mark."""
        if self.row.mark == 0:
            raise refuse("not_listed", f"instrument {self.touch.instrument} has no price")

    def at_price(self, price: int) -> None:
        """Refuse another posted price than the rule's."""
        if self.touch.price != price:
            raise refuse(
                "price",
                f"the price must be {price}, not {self.touch.price}",
                f"fine units a step: {quote_text(price)} of quote, not {quote_text(self.touch.price)}",
            )

    def own_backstop(self) -> None:
        """Refuse any account but the backstop of the touch's instrument."""
        if self.account.id != self.touch.instrument or self.account.id == 0:
            wanted = self.touch.instrument
            raise refuse("backstop", f"account {self.account.id} is not the backstop of instrument {wanted}")

    def signed_by_owner(self) -> None:
        """Check key, signature, nonce and expiry; add 1 to the nonce."""
        touch, account = self.touch, self.account
        if touch.auth is None:
            raise refuse("signature", "the operation is not signed")
        if self.is_backstop:
            raise refuse("backstop", f"account {account.id} is a backstop and signs nothing")
        last, now = touch.auth.last_slot, self.tick.slot
        if last < now:
            raise refuse("expired", f"signed until slot {last}, it is slot {now}", "sign again")
        if owner_hash(touch.auth.ax, touch.auth.ay) != account.owner:
            raise refuse("signature", f"the key is not that of account {account.id}")
        message = signed_message(touch, account, self.domain)
        if not verify(touch.auth.ax, touch.auth.ay, message, touch.auth.signature):
            raise refuse(
                "signature",
                f"not what account {account.id} signs at nonce {account.nonce}",
                "sign the account's present nonce, this chain and this ledger",
            )
        if account.nonce + 1 >= 1 << BITS["nonce"]:
            raise refuse("nonce", "the account's nonces are used up")
        self.account = account.with_(nonce=account.nonce + 1)
        self.effect = replace(self.effect, after=self.account)

    def second_leg(self) -> None:
        """The touch finishes what `pending` opened: same terms, another account."""
        touch, pending = self.touch, self.pending
        theirs = (pending.instrument, pending.size, pending.price, pending.side)
        if (touch.instrument, touch.size, touch.price, touch.side) != theirs:
            raise refuse("legs_differ", "the legs differ in instrument, side, size or price")
        self.another_account()

    def another_account(self) -> None:
        """Refuse the account of the first leg."""
        if self.account.id == self.pending.first_id:
            raise refuse("same_account", f"both legs are on account {self.account.id}")

    def after_risk(self) -> Risk:
        """E, M, W, I with what the effect holds so far."""
        return risk(self.effect.after, self.tick)


def falls(before: int, after: int) -> bool:
    """Whether a signed size falls: a smaller magnitude on the same side, or none."""
    return abs(after) < abs(before) and (after == 0 or (after < 0) == (before < 0))
