# SPDX-License-Identifier: GPL-3.0-or-later
"""One touch of the ledger: the rules of SPEC section 4, each refusal named.

    apply(view, pending, touch, tick, domain) -> Effect

Nothing is changed here: the caller writes the effect. `view` is any ledger with `account_at`, `reserve`,
`next_id`, `consumed`, `capacity` and `profile`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol as Interface

from zkmargin.engine.liquidation import close, lowest_holding
from zkmargin.engine.margin import (
    Risk,
    equity_of,
    holding_of,
    is_limited,
    kind_of,
    risk,
)
from zkmargin.errors import Refused
from zkmargin.protocol.constants import BITS, COLLATERAL, FINE, PERPETUAL, RATE_ONE, EntryKind, Op, P, Profile
from zkmargin.protocol.eddsa import verify
from zkmargin.protocol.hashes import operation_message, owner_hash
from zkmargin.protocol.model import Account, Holding, InstrumentTick, Pending, Tick, Touch
from zkmargin.protocol.packing import pack

MAX_MAGNITUDE = 1 << BITS["magnitude"]
MAX_BALANCE = 1 << BITS["balance"]
DEPOSIT_LIMIT = MAX_BALANCE >> 1  # a deposit that would lift a balance to this is refused
_KIND = {Op.WITHDRAW: "withdraw", Op.TRADE: "trade", Op.TRADE_MATCH: "trade", Op.TAKE_BID: "bid"}
CLEAR = Pending()


class View(Interface):
    """What a transition reads of the ledger."""

    reserve: int
    next_id: int
    consumed: int

    @property
    def profile(self) -> Profile: ...

    @property
    def capacity(self) -> int: ...

    def account_at(self, leaf_index: int) -> Account: ...


@dataclass(frozen=True)
class Effect:
    """What a touch does. `slot` is the slot used, None for none; `paid` the L1 address of a withdrawal, else 0."""

    touch: Touch
    before: Account
    after: Account
    slot: int | None
    reserve: int
    next_id: int
    consumed: int
    pending: Pending
    risk_before: Risk
    penalty: int = 0
    reward: int = 0
    paid: int = 0


def refuse(code: str, message: str, hint: str = "") -> Refused:
    return Refused(message, code=code, hint=hint)


class _Touching:
    """The state of one transition; a method an operation."""

    def __init__(self, view: View, pending: Pending, touch: Touch, tick: Tick, domain: int) -> None:
        self.view, self.pending, self.touch, self.tick, self.domain = view, pending, touch, tick, domain
        self.account = view.account_at(touch.leaf_index)
        self.risk = risk(self.account, tick)
        self.effect = Effect(touch, self.account, self.account, None, view.reserve, view.next_id, view.consumed,
                             CLEAR, self.risk)

    # ------------------------------------------------------------- parts

    @property
    def row(self) -> InstrumentTick:
        return self.tick.instruments[self.touch.instrument]

    @property
    def delta(self) -> int:
        return -self.touch.size if self.touch.side else self.touch.size

    @property
    def is_backstop(self) -> bool:
        return self.account.id < self.view.profile.instruments

    def held(self) -> Holding | None:
        return self.account.holding(self.touch.instrument)

    def signed_size(self) -> int:
        held = self.held()
        return held.signed if held else 0

    def moved(self, delta: int, cash: int) -> None:
        """Change the slot of the touch's instrument by `delta` steps and the balance by `cash` fine units."""
        slot = self.account.slot_for(self.touch.instrument)
        if slot is None:
            raise refuse("no_free_slot", f"account {self.account.id} holds {len(self.account.slots)} instruments",
                         "close a position first")
        signed = self.signed_size() + delta
        if abs(signed) >= MAX_MAGNITUDE:
            raise refuse("size_range", f"a holding of {abs(signed)} steps is out of range", "trade less")
        if signed < 0 and kind_of(self.row) == COLLATERAL:
            raise refuse("collateral_short", f"instrument {self.touch.instrument} is collateral and can't be short")
        after = self.account.with_slot(slot, holding_of(self.row, self.touch.instrument, signed))
        self.effect = replace(self.effect, slot=slot, after=after)
        self.credited(cash)

    def credited(self, cash: int) -> None:
        balance = self.effect.after.balance + cash
        if abs(balance) >= MAX_BALANCE:
            raise refuse("balance_range", "the balance would leave its range")
        self.effect = replace(self.effect, after=self.effect.after.with_(balance=balance))

    def trade_cash(self) -> int:
        return -self.delta * (self.touch.price - self.row.funding)

    def listed(self) -> None:
        if not 0 < self.touch.instrument < len(self.tick.instruments) or self.row.mark == 0:
            raise refuse("not_listed", f"instrument {self.touch.instrument} is not listed or has no price yet")

    def at_mark(self, price: int) -> None:
        if self.touch.price != price:
            raise refuse("price", f"the price must be {price}, not {self.touch.price}")

    def signed_by_owner(self) -> None:
        """Check nonce, expiry and signature; add 1 to the nonce."""
        touch, account = self.touch, self.account
        if touch.auth is None:
            raise refuse("signature", "the operation is not signed")
        if self.is_backstop:
            raise refuse("backstop", f"account {account.id} is a backstop and signs nothing")
        if touch.auth.last_slot < self.tick.slot:
            raise refuse("expired", f"signed until slot {touch.auth.last_slot}, it is slot {self.tick.slot}", "sign again")
        if owner_hash(touch.auth.ax, touch.auth.ay) != account.owner:
            raise refuse("signature", f"the key is not that of account {account.id}")
        if not verify(touch.auth.ax, touch.auth.ay, signed_message(touch, account, self.domain), touch.auth.signature):
            raise refuse("signature", f"the signature does not fit account {account.id} at nonce {account.nonce}",
                         "sign the account's present nonce, this chain and this ledger")
        if account.nonce + 1 >= 1 << BITS["nonce"]:
            raise refuse("nonce", "the account's nonces are used up")
        self.account = account.with_(nonce=account.nonce + 1)
        self.effect = replace(self.effect, after=self.account)

    def second_leg(self) -> None:
        """The touch finishes what `pending` opened: same terms, another account."""
        touch, pending = self.touch, self.pending
        if (touch.instrument, touch.size, touch.price, touch.side) != (
            pending.instrument, pending.size, pending.price, pending.side
        ):
            raise refuse("legs_differ", "the second leg's instrument, side, size or price differ from the first's")
        if self.account.id == pending.first_id:
            raise refuse("same_account", f"both legs are on account {self.account.id}")

    def after_risk(self) -> Risk:
        return risk(self.effect.after, self.tick)

    def unhealthy(self) -> Holding:
        """The holding that must be closed first; refuses a healthy account or another instrument."""
        if self.risk.health >= 0:
            raise refuse("healthy_account", f"account {self.account.id} covers its maintenance margin")
        first = lowest_holding(self.account)
        if first is None:
            raise refuse("nothing_held", f"account {self.account.id} holds nothing to close")
        if first.instrument != self.touch.instrument:
            raise refuse("wrong_order", f"instrument {first.instrument} comes before {self.touch.instrument}")
        return first

    def closed(self, price: int) -> None:
        """Close the touch's size of an unhealthy account at `price`: the size rule, penalty, cash."""
        held, touch = self.unhealthy(), self.touch
        self.at_mark(price)
        if touch.side == held.side or not 1 <= touch.size <= held.size:
            raise refuse("size", f"1 to {held.size} steps can be closed, on the other side")
        now = close(self.tick, self.risk, held, touch.size, price)
        if not (now.reached or touch.size == held.size or touch.flag):
            raise refuse("target_missed", "the size does not restore the account, and the taker is not exhausted")
        if touch.size > 1 and close(self.tick, self.risk, held, touch.size - 1, price).reached:
            raise refuse("not_minimal", "one step less restores the account too")
        self.moved(self.delta, now.cash)
        self.effect = replace(self.effect, penalty=now.penalty)

    def falls(self, before: int, after: int) -> bool:
        return abs(after) < abs(before) and (after == 0 or (after < 0) == (before < 0))

    # ------------------------------------------------------- operations

    def noop(self) -> None:
        pass

    def deposit(self) -> None:
        entry, view, touch = self.touch.entry, self.view, self.touch
        if entry is None or entry.index != view.consumed:
            raise refuse("queue_order", f"the next queue entry is number {view.consumed}")
        if (touch.instrument, touch.size, touch.side, touch.price) != (entry.asset, entry.amount, 0, 0):
            raise refuse("entry", "the touch does not repeat the entry's asset and amount")
        ok = self.deposit_ok()
        if touch.flag != ok:
            raise refuse("flag", f"the entry is {'valid' if ok else 'to be refused'}")
        self.effect = replace(self.effect, consumed=view.consumed + 1)
        if not ok:
            return
        if entry.kind == EntryKind.FUND:
            self.effect = replace(self.effect, reserve=view.reserve + entry.amount * FINE)
            return
        if entry.kind == EntryKind.OPEN:
            self.account = Account(id=view.next_id, address=entry.depositor, owner=entry.owner)
            self.effect = replace(self.effect, after=self.account, next_id=view.next_id + 1)
        if entry.asset == 0:
            self.credited(entry.amount * FINE)
        else:
            self.moved(entry.amount, 0)

    def deposit_ok(self) -> bool:
        """Whether the contract's next entry is valid; also that the right leaf is opened for it."""
        entry, view, account = self.touch.entry, self.view, self.account
        assert entry is not None
        if entry.kind == EntryKind.FUND:
            return entry.asset == 0 and view.reserve + entry.amount * FINE < DEPOSIT_LIMIT
        if entry.kind == EntryKind.OPEN:
            if entry.owner == 0 or view.next_id >= view.capacity or not self.asset_listed(entry.asset):
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
        held = account.holding(entry.asset)
        return (self.asset_listed(entry.asset) and not self.is_backstop and entry.depositor == account.address
                and account.slot_for(entry.asset) is not None
                and (held.size if held else 0) + entry.amount < MAX_MAGNITUDE)

    def asset_listed(self, asset: int) -> bool:
        return asset == 0 or kind_of(self.tick.instruments[asset]) == COLLATERAL

    def withdraw(self) -> None:
        touch = self.touch
        self.signed_by_owner()
        if self.view.reserve < 0:
            raise refuse("deficit", "withdrawals wait while the insurance fund owes a deficit", "try after it is repaid")
        if touch.size < 1 or touch.side != 1 or touch.price:
            raise refuse("amount", "a withdrawal takes at least 1")
        if touch.instrument == 0:
            self.credited(-touch.size * FINE)
        else:
            self.listed()
            if kind_of(self.row) != COLLATERAL or self.signed_size() < touch.size:
                raise refuse("withdraw_too_much", f"account {self.account.id} does not hold that much",
                             f"it holds {max(self.signed_size(), 0)} steps")
            self.moved(-touch.size, 0)
        if self.after_risk().free_initial < 0:
            raise refuse("withdraw_too_much", "initial margin would not be covered",
                         f"free initial margin is {self.risk.free_initial // FINE} quote base units")
        self.effect = replace(self.effect, paid=self.account.address)

    def trade_leg(self) -> None:
        touch = self.touch
        self.signed_by_owner()
        self.listed()
        if touch.size < 1:
            raise refuse("size", "a trade takes at least one step")
        before = self.signed_size()
        self.moved(self.delta, self.trade_cash())
        after, now = before + self.delta, self.after_risk()
        falls = self.falls(before, after)
        if is_limited(self.row) and not falls:
            raise refuse("limited", f"the mark of instrument {touch.instrument} is limited: positions may only fall")
        if now.free_initial >= 0:
            return
        was = self.risk
        eased = (was.free_initial < 0 < was.maintenance and falls
                 and now.worst * was.maintenance >= was.worst * now.maintenance
                 and (was.worst > 0 or now.worst >= was.worst))
        if not eased:
            raise refuse("below_initial_margin", f"account {self.account.id} would not cover its initial margin",
                         "trade less, or add collateral")

    def trade(self) -> None:
        self.trade_leg()
        touch = self.touch
        self.effect = replace(self.effect, pending=Pending(
            Op.TRADE_MATCH, touch.instrument, touch.size, touch.price, 1 - touch.side, 0, self.account.id,
            touch.counterparty))

    def trade_match(self) -> None:
        self.second_leg()
        if self.pending.counterparty != self.account.id or self.touch.counterparty != self.pending.first_id:
            raise refuse("counterparty", "the two legs do not name each other")
        self.trade_leg()

    def liquidate(self) -> None:
        self.closed(self.row.mark)
        touch, penalty = self.touch, self.effect.penalty
        reward = self.tick.bidder_share * penalty // RATE_ONE
        self.effect = replace(
            self.effect, reward=reward, reserve=self.view.reserve + penalty - reward,
            pending=Pending(Op.TAKE_BID, touch.instrument, touch.size, touch.price, 1 - touch.side, reward,
                            self.account.id, 0, touch.flag))

    def take_bid(self) -> None:
        touch, pending = self.touch, self.pending
        self.signed_by_owner()
        self.second_leg()
        if touch.size > touch.max_size:
            raise refuse("bid_size", f"the bid takes at most {touch.max_size} steps")
        if pending.exhausted and touch.size != touch.max_size:
            raise refuse("not_exhausted", "the bid could take more")
        if pending.reward < touch.min_reward * FINE:
            raise refuse("bid_reward", "the bid asks for more reward")
        self.moved(self.delta, self.trade_cash() + pending.reward)
        if self.after_risk().free_initial < 0:
            raise refuse("below_initial_margin", f"bidder {self.account.id} would not cover its initial margin")

    def take_backstop(self) -> None:
        self.own_backstop()
        self.second_leg()
        self.moved(self.delta, self.trade_cash() + self.pending.reward)
        if self.after_risk().health < 0:
            raise refuse("backstop_full", f"backstop {self.account.id} would fall below maintenance margin")
        if self.pending.exhausted and self.one_more(self.effect.after) >= 0:
            raise refuse("not_exhausted", "the backstop could take one step more")

    def own_backstop(self) -> None:
        if self.account.id != self.touch.instrument or self.account.id == 0:
            raise refuse("backstop", f"account {self.account.id} is not the backstop of instrument {self.touch.instrument}")

    def one_more(self, account: Account) -> int:
        """Health of the backstop after one step more on the touch's side at the mark."""
        row, step = self.row, -1 if self.touch.side else 1
        held = account.holding(self.touch.instrument)
        signed = (held.signed if held else 0) + step
        trial = holding_of(row, self.touch.instrument, signed)
        now = risk(account, self.tick)
        equity = now.equity - step * (row.mark - row.funding) + equity_of(row, step)
        kept = now.maintenance - (held.size * row.maintenance[held.tier] if held else 0)
        return equity - kept - (trial.size * row.maintenance[trial.tier] if trial else 0)

    def refuse_(self) -> None:
        self.listed()
        self.own_backstop()
        self.at_mark(self.row.mark)
        if self.touch.size:
            raise refuse("size", "a refusal has size 0")
        if self.one_more(self.account) >= 0:
            raise refuse("backstop_able", f"backstop {self.account.id} can take another step")
        self.effect = replace(self.effect, pending=Pending(
            Op.DELEVERAGE, self.touch.instrument, 0, self.touch.price, 1 - self.touch.side, 0, self.account.id))

    def deleverage(self) -> None:
        touch, pending = self.touch, self.pending
        if pending.expect:
            if (touch.instrument, touch.side) != (pending.instrument, pending.side):
                raise refuse("legs_differ", "the backstop refused another instrument or side")
            if self.account.id == pending.first_id:
                raise refuse("same_account", f"both legs are on account {self.account.id}")
        else:
            self.own_backstop()
        collateral = kind_of(self.row) == COLLATERAL
        if collateral and self.is_backstop:
            raise refuse("backstop", "a collateral backstop is not deleveraged but absorbed")
        self.closed(self.row.equity if collateral else self.row.mark)
        self.effect = replace(
            self.effect, reserve=self.view.reserve + self.effect.penalty,
            pending=Pending(Op.OFFSET, touch.instrument, touch.size, touch.price, 1 - touch.side, 0, self.account.id, 0,
                            touch.flag))

    def offset(self) -> None:
        self.second_leg()
        before = self.signed_size()
        if kind_of(self.row) == PERPETUAL:
            if not self.falls(before, before + self.delta):
                raise refuse("not_opposite", f"account {self.account.id} does not hold enough of the other side")
            if self.pending.exhausted and before + self.delta:
                raise refuse("not_exhausted", "the other side could take more")
        else:
            self.own_backstop()
            if self.pending.exhausted:
                raise refuse("not_exhausted", "the backstop takes all of the collateral")
        self.moved(self.delta, self.trade_cash())

    def absorb(self) -> None:
        if self.risk.equity >= 0:
            raise refuse("solvent", f"account {self.account.id} owes nothing")
        flat = all(held is None for held in self.account.slots)
        if not flat and not (self.is_backstop and self.risk.maintenance == 0):
            raise refuse("not_flat", f"account {self.account.id} still holds something to sell")
        self.credited(-self.risk.equity)
        reserve = self.view.reserve + self.risk.equity
        if reserve <= -MAX_BALANCE:
            raise refuse("balance_range", "the reserve would leave its range")
        self.effect = replace(self.effect, reserve=reserve)


_ALLOWED = {
    0: {Op.NOOP, Op.DEPOSIT, Op.WITHDRAW, Op.TRADE, Op.LIQUIDATE, Op.REFUSE, Op.DELEVERAGE, Op.ABSORB},
    Op.TRADE_MATCH: {Op.TRADE_MATCH},
    Op.TAKE_BID: {Op.TAKE_BID, Op.TAKE_BACKSTOP},
    Op.DELEVERAGE: {Op.DELEVERAGE},
    Op.OFFSET: {Op.OFFSET},
}


def signed_message(touch: Touch, account: Account, domain: int) -> int:
    """What the owner of `account` (at its present nonce) signs for a touch."""
    assert touch.auth is not None
    auth = pack("auth", account_id=account.id, nonce=account.nonce, last_slot=touch.auth.last_slot)
    bid = touch.op == Op.TAKE_BID
    terms = pack("terms", instrument=touch.instrument, side=touch.side, size=touch.max_size if bid else touch.size,
                 price=0 if bid else touch.price, counterparty=touch.counterparty, min_reward=touch.min_reward)
    return operation_message(_KIND[Op(touch.op)], domain, auth, terms)


def apply(view: View, pending: Pending, touch: Touch, tick: Tick, domain: int) -> Effect:
    """The effect of a touch at a tick, or `Refused` naming the rule it breaks."""
    if touch.op not in _ALLOWED[pending.expect]:
        wanted = " or ".join(op.name.lower() for op in sorted(_ALLOWED[pending.expect]))
        raise refuse("legs", f"{Op(touch.op).name.lower()} can't come here", f"expected {wanted}")
    if not 0 <= touch.leaf_index < view.capacity or not 0 <= touch.instrument < len(tick.instruments):
        raise refuse("range", "leaf or instrument out of range")
    work = _Touching(view, pending, touch, tick, domain)
    name = Op(touch.op).name.lower()
    getattr(work, "refuse_" if name == "refuse" else name)()
    if work.effect.after.id != touch.account_id:
        raise refuse("account", f"leaf {touch.leaf_index} is account {work.effect.after.id}, not {touch.account_id}")
    assert work.effect.after.owner < P
    return work.effect
