# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of SPEC sections 2 and 4, written again from the specification for the auditor alone.

A rule that is broken raises `Broken`. Signatures, counterparties and the terms of bids are not posted: that
they were right is what the proof says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from zkmargin.protocol.constants import (
    COLLATERAL,
    LIMITED,
    MIN_PRICE,
    PAGE_SIZE,
    PERPETUAL,
    EntryKind,
    Op,
    Profile,
)
from zkmargin.protocol.model import Account, Holding, InstrumentTick, Params, Tick, Touch
from zkmargin.protocol.posted import InstrumentWord, TickWords

Header = tuple[int, int]  # anchor, radius
CLEARED: Header = (0, 0)
ONE = 1 << 32
CAP = 1 << 119


class Broken(Exception):
    """A posted batch does not follow the rules."""


def require(held: bool, what: str) -> None:
    """Raise `Broken` unless `held`."""
    if not held:
        raise Broken(what)


# -------------------------------------------------------------------- ticks


def replay_instrument(
    params: Params, k: int, last: InstrumentTick, word: InstrumentWord, gap: int
) -> InstrumentTick:
    """The row of instrument k from its posted raw median and funding; checks mark, limit and funding."""
    terms = params.instruments[k]
    name = f"instrument {k}"
    if terms.flags == 0:
        require(word.mark == word.funding == word.limited == 0, f"{name} is unlisted but has a mark")
        return InstrumentTick(raw=word.raw)
    if last.mark == 0:
        mark = word.raw if word.raw >= MIN_PRICE else 0
        limited = False
    else:
        reach = last.mark * terms.jump * gap // ONE
        floor = max(last.mark - reach, MIN_PRICE)
        mark = floor if word.raw < floor else min(word.raw, last.mark + reach)
        limited = mark != word.raw
    require(word.mark == mark, f"{name}: mark {word.mark} should be {mark}")
    require(bool(word.limited) == limited, f"{name}: limited flag is wrong")
    if mark == 0:
        require(word.funding == 0, f"{name}: unpriced but has funding")
        return InstrumentTick(raw=word.raw)
    step = mark * terms.funding_cap * gap // ONE + 1
    require(abs(word.funding - last.funding) <= step, f"{name}: funding moved by more than its cap")
    require(abs(word.funding) < 1 << 64, f"{name}: funding out of range")
    worse, better = max(mark, word.raw), min(mark, word.raw)
    charge = [-(-mark * rate // ONE) for rate in terms.mmr]
    opening = [-(-worse * rate // ONE) for rate in terms.imr]
    kept = ONE - terms.haircut
    return InstrumentTick(
        flags=terms.flags | (LIMITED if limited else 0),
        mark=mark,
        funding=word.funding,
        bounds=terms.bounds,
        equity=mark * kept // ONE - word.funding,
        worst_long=better * kept // ONE - word.funding,
        worst_short=word.funding - worse,
        maintenance=tuple(charge),
        initial=tuple(opening),
        move=-(-mark * terms.jump // ONE),
        raw=word.raw,
    )


def replay_tick(params: Params, last: Tick, posted: TickWords, profile: Profile) -> Tick:
    """The tick that posted words claim, recomputed from the last one."""
    gap = posted.slot - last.slot
    require(
        posted.previous_slot == last.slot, f"it follows slot {posted.previous_slot}, the last was {last.slot}"
    )
    require(gap > 0, f"slot {posted.slot} can't follow slot {last.slot}")
    gap = min(gap, 65535)
    require(posted.time == posted.slot * params.slot_seconds, "its time is not that of its slot")
    require(posted.present >> len(params.oracle_keys) == 0, "it counts oracles that don't exist")
    require(posted.present.bit_count() >= profile.quorum, "fewer oracles than a quorum reported")
    rows = tuple(
        replay_instrument(params, k, last.instruments[k], word, gap)
        for k, word in enumerate(posted.instruments)
    )
    return Tick(posted.slot, posted.time, params.tau, params.penalty_rate, params.bidder_share, rows)


# -------------------------------------------------------------------- margin


@dataclass
class Sums:
    """E, M, W, I of an account."""

    E: int
    M: int
    W: int
    I: int  # noqa: E741 - the specification's name


def sums(account: Account, tick: Tick) -> Sums:
    """E, M, W, I by their definitions."""
    total = Sums(account.balance, 0, account.balance, 0)
    for held in account.slots:
        if held is None:
            continue
        row = tick.instruments[held.instrument]
        total.E += -held.size * row.equity if held.side else held.size * row.equity
        total.W += held.size * (row.worst_short if held.side else row.worst_long)
        total.M += held.size * row.maintenance[held.tier]
        total.I += held.size * row.initial[held.tier]
    return total


def position(account: Account, k: int) -> int:
    """Signed size of instrument k."""
    for held in account.slots:
        if held is not None and held.instrument == k:
            return -held.size if held.side else held.size
    return 0


def with_position(account: Account, k: int, size: int, row: InstrumentTick) -> Account:
    """The account with signed size `size` of k: in its slot, or in the first free one."""
    slots = list(account.slots)
    places = [j for j, held in enumerate(slots) if held is not None and held.instrument == k]
    free = [j for j, held in enumerate(slots) if held is None]
    require(bool(places or free), "no slot is free")
    tier = len([bound for bound in row.bounds if abs(size) > bound])
    require(abs(size) < 1 << 48, "the size is out of range")
    slots[(places or free)[0]] = Holding(k, tier, int(size < 0), abs(size)) if size else None
    return replace(account, slots=tuple(slots))


def shrinks(before: int, after: int) -> bool:
    """Whether a signed size falls: smaller, and on the same side or gone."""
    return abs(after) < abs(before) and before * after >= 0


# -------------------------------------------------------------------- the ledger


# The operations that post a field; in all others it is 0.
_USERS = {
    "instrument": set(Op) - {Op.NOOP, Op.ABSORB},
    "size": set(Op) - {Op.NOOP, Op.REFUSE, Op.ABSORB},
    "price": set(Op) - {Op.NOOP, Op.DEPOSIT, Op.WITHDRAW, Op.ABSORB},
    "side": set(Op) - {Op.NOOP, Op.DEPOSIT, Op.ABSORB},
    "flag": {Op.DEPOSIT, Op.LIQUIDATE, Op.DELEVERAGE},
    "kept": set(Op) - {Op.NOOP},
}


@dataclass
class Leg:
    """What the last touch left open."""

    op: Op
    touch: Touch
    reward: int


@dataclass
class Books:
    """The ledger as the auditor rebuilds it: accounts by leaf, and the scalars of the root."""

    profile: Profile
    leaves: dict[int, Account] = field(default_factory=dict)
    headers: dict[int, Header] = field(default_factory=dict)  # by page, cleared ones left out
    blocks: dict[int, Header] = field(default_factory=dict)  # by block, cleared ones left out
    reserve: int = 0
    next_id: int = 0
    consumed: int = 0
    leg: Leg | None = None

    @staticmethod
    def genesis(profile: Profile) -> Books:
        """The ledger before batch 1: the backstops alone."""
        ids = range(1, profile.instruments)
        return Books(profile, {i: Account(id=i) for i in ids}, next_id=profile.instruments)

    def put_header(self, page: int, header: Header) -> None:
        """Set the header of a page, and clear that of its block."""
        self.headers[page] = header
        if header == CLEARED:
            del self.headers[page]
        self.blocks.pop(page // self.profile.block_pages, None)

    def touch(self, touch: Touch, tick: Tick) -> Account:
        """Apply one posted touch; returns the account written. Raises `Broken`."""
        before = self.leaves.get(touch.leaf_index, Account())
        require(touch.leaf_index < self.profile.capacity, "the leaf is outside the ledger")
        leg, self.leg = self.leg, None
        seconds = {
            Op.TRADE_MATCH: (Op.TRADE,),
            Op.TAKE_BID: (Op.LIQUIDATE,),
            Op.TAKE_BACKSTOP: (Op.LIQUIDATE,),
            Op.OFFSET: (Op.DELEVERAGE,),
        }
        op = Op(touch.op)
        if op in seconds:
            require(leg is not None and leg.op in seconds[op], f"{op.name.lower()} finishes nothing")
            assert leg is not None
            first = leg.touch
            require(
                (touch.instrument, touch.size, touch.price) == (first.instrument, first.size, first.price),
                "the two legs differ",
            )
            require(touch.side != first.side, "both legs are on one side")
            require(before.id != first.account_id, "both legs are on one account")
        elif leg is not None:
            require(leg.op == Op.REFUSE and op == Op.DELEVERAGE, f"{leg.op.name.lower()} is left open")
        for name, users in _USERS.items():
            require(op in users or getattr(touch, name) == 0, f"{op.name.lower()} posts a {name}")
        after: Account = getattr(self, f"_{op.name.lower()}")(touch, before, tick, leg)
        require(after.id == touch.account_id, f"the account is {after.id}, posted is {touch.account_id}")
        require(
            -(1 << 120) <= after.balance < 1 << 120 and -(1 << 120) <= self.reserve < 1 << 120,
            "a balance is out of range",
        )
        if op != Op.NOOP and not touch.kept:
            self.put_header(touch.leaf_index // PAGE_SIZE, CLEARED)
        if after == Account():
            self.leaves.pop(touch.leaf_index, None)
        else:
            self.leaves[touch.leaf_index] = after
        return after

    # Each rule takes the touch, the account before, the tick and the open leg; it returns the account after.

    def _noop(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        return account

    def _deposit(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        entry = touch.entry
        assert entry is not None
        require(entry.index == self.consumed, "the queue is out of order")
        self.consumed += 1
        quote = entry.asset == 0
        listed = quote or tick.instruments[entry.asset].flags & COLLATERAL
        ok, result, credit = False, account, entry.amount * ONE
        if entry.kind == EntryKind.FUND:
            ok = quote and self.reserve + credit < CAP
            self.reserve += credit if ok else 0
        elif entry.kind == EntryKind.OPEN:
            ok = bool(entry.owner and self.next_id < self.profile.capacity and listed)
            if ok:
                require(account == Account(), "a new account is written over another")
                result = Account(id=self.next_id, address=entry.depositor, owner=entry.owner)
                self.next_id += 1
        elif 0 < entry.target < self.next_id:
            require(account.id == entry.target, "another account than the target is opened")
            if quote:
                ok = account.balance + credit < CAP
            else:
                held = position(account, entry.asset)
                room = held or None in account.slots
                ok = bool(
                    listed
                    and account.id >= self.profile.instruments
                    and entry.depositor == account.address
                    and room
                    and held + entry.amount < 1 << 48
                )
        require(
            touch.flag == int(ok), f"queue entry {entry.index} is {'refused' if ok else 'performed'} wrongly"
        )
        if ok and entry.kind != EntryKind.FUND:
            if quote:
                result = replace(result, balance=result.balance + credit)
            else:
                row = tick.instruments[entry.asset]
                result = with_position(result, entry.asset, position(result, entry.asset) + entry.amount, row)
        return result

    def _signing(self, account: Account) -> Account:
        require(account.id >= self.profile.instruments, "a backstop or an empty leaf signs nothing")
        return replace(account, nonce=account.nonce + 1)

    def _withdraw(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        require(self.reserve >= 0, "a withdrawal while there is a deficit")
        require(touch.size > 0 and touch.side == 1 and touch.price == 0, "a malformed withdrawal")
        after = self._signing(account)
        if touch.instrument == 0:
            after = replace(after, balance=after.balance - touch.size * ONE)
        else:
            row = tick.instruments[touch.instrument]
            left = position(after, touch.instrument) - touch.size
            require(bool(row.flags & COLLATERAL) and left >= 0, "it withdraws what is not held")
            after = with_position(after, touch.instrument, left, row)
        now = sums(after, tick)
        require(now.W >= now.I, "a withdrawal leaves less than initial margin")
        return after

    def _exchange(self, touch: Touch, account: Account, tick: Tick, extra: int = 0) -> Account:
        """Buy or sell at the posted price, with `extra` cash."""
        row = tick.instruments[touch.instrument]
        require(row.mark > 0, "the instrument has no price")
        d = -touch.size if touch.side else touch.size
        size = position(account, touch.instrument) + d
        require(size >= 0 or bool(row.flags & PERPETUAL), "collateral is sold short")
        after = with_position(account, touch.instrument, size, row)
        return replace(after, balance=after.balance - d * touch.price + d * row.funding + extra)

    def _trade(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        require(touch.size > 0, "an empty trade")
        after = self._exchange(touch, self._signing(account), tick)
        was, now = sums(account, tick), sums(after, tick)
        smaller = shrinks(position(account, touch.instrument), position(after, touch.instrument))
        limited = bool(tick.instruments[touch.instrument].flags & LIMITED)
        require(smaller or not limited, "new risk at a limited mark")
        eased = (
            was.W < was.I
            and was.M > 0
            and smaller
            and now.W * was.M >= was.W * now.M
            and (now.E >= was.E or (was.W > 0 and not limited))
        )
        require(now.W >= now.I or eased, "a trade leaves less than initial margin")
        if touch.op == Op.TRADE:
            self.leg = Leg(Op.TRADE, touch, 0)
        return after

    _trade_match = _trade

    def _close(self, touch: Touch, account: Account, tick: Tick, price: int) -> tuple[Account, int]:
        """Liquidation or deleveraging of an unhealthy account; returns it with its penalty."""
        was = sums(account, tick)
        require(was.E < was.M, "a healthy account is closed")
        held = sorted((h for h in account.slots if h is not None), key=lambda h: h.instrument)
        require(bool(held) and held[0].instrument == touch.instrument, "another instrument comes first")
        require(touch.price == price, "it is closed at another price")
        require(touch.side != held[0].side and 0 < touch.size <= held[0].size, "a wrong size or side")
        share = min(tick.penalty_rate, max(was.E, 0) * ONE // was.M) if was.M else 0

        def outcome(size: int) -> tuple[Account, int, bool]:
            part = self._exchange(replace(touch, size=size), account, tick)
            penalty = share * (was.M - sums(part, tick).M) // ONE
            part = replace(part, balance=part.balance - penalty)
            now = sums(part, tick)
            return part, penalty, tick.tau * now.M <= now.E * ONE

        after, penalty, reached = outcome(touch.size)
        require(reached or touch.size == held[0].size or bool(touch.flag), "too little is closed")
        if touch.size > 1:
            require(not outcome(touch.size - 1)[2], "more is closed than is needed")
        return after, penalty

    def _liquidate(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        after, penalty = self._close(touch, account, tick, tick.instruments[touch.instrument].mark)
        reward = tick.bidder_share * penalty // ONE
        self.reserve += penalty - reward
        self.leg = Leg(Op.LIQUIDATE, touch, reward)
        return after

    def _take_bid(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        assert leg is not None
        after = self._exchange(touch, self._signing(account), tick, leg.reward)
        now = sums(after, tick)
        require(now.W >= now.I, "the bidder is left with less than initial margin")
        return after

    def _one_more(self, touch: Touch, account: Account, tick: Tick) -> int:
        """Health after one step more at the mark; below 0 where no larger size exists."""
        row = tick.instruments[touch.instrument]
        if abs(position(account, touch.instrument) + (-1 if touch.side else 1)) >= 1 << 48:
            return -1
        more = self._exchange(replace(touch, size=1, price=row.mark), account, tick)
        now = sums(more, tick)
        return now.E - now.M

    def _take_backstop(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        assert leg is not None
        require(account.id == touch.instrument, "it is not the instrument's backstop")
        after = self._exchange(touch, account, tick, leg.reward)
        now = sums(after, tick)
        require(now.E >= now.M, "the backstop falls below maintenance margin")
        require(not leg.touch.flag or self._one_more(touch, after, tick) < 0, "the backstop could take more")
        return after

    def _refuse(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        require(account.id == touch.instrument != 0, "it is not the instrument's backstop")
        require(
            touch.price == tick.instruments[touch.instrument].mark and touch.size == 0, "a malformed refusal"
        )
        require(self._one_more(touch, account, tick) < 0, "the backstop could take more")
        self.leg = Leg(Op.REFUSE, touch, 0)
        return account

    def _deleverage(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        row = tick.instruments[touch.instrument]
        collateral = bool(row.flags & COLLATERAL)
        if leg is None:
            require(account.id == touch.instrument and not collateral, "no backstop refused before")
        else:
            require(
                leg.touch.instrument == touch.instrument and leg.touch.side != touch.side,
                "the backstop refused another",
            )
            require(account.id != leg.touch.account_id, "the backstop refused itself")
        after, penalty = self._close(touch, account, tick, row.equity if collateral else row.mark)
        self.reserve += penalty
        self.leg = Leg(Op.DELEVERAGE, touch, 0)
        return after

    def _offset(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        assert leg is not None
        after = self._exchange(touch, account, tick)
        if tick.instruments[touch.instrument].flags & PERPETUAL:
            was, now = position(account, touch.instrument), position(after, touch.instrument)
            require(shrinks(was, now), "the other side does not fall")
            require(not leg.touch.flag or now == 0, "the other side could take more")
        else:
            require(
                account.id == touch.instrument and not leg.touch.flag,
                "collateral goes to its backstop, whole",
            )
        return after

    def _absorb(self, touch: Touch, account: Account, tick: Tick, leg: Leg | None) -> Account:
        now = sums(account, tick)
        flat = all(held is None for held in account.slots)
        idle = account.id < self.profile.instruments and now.M == 0
        if now.E < 0:
            require(flat or idle, "it still holds something")
            paid = now.E
        else:
            require(idle and now.W > 0 and self.reserve < 0, "a solvent account is absorbed")
            paid = min(now.W, -self.reserve)
        self.reserve += paid
        return replace(account, balance=account.balance - paid)
