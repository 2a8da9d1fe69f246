# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations that break one rule each, by the code of the refusal.

case = broken(world)              # some operation that must be refused now
case = broken(world, "expired")   # one with this code, or None if the ledger offers no occasion
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from support.random_ops import Case, RandomWorld
from support.world import LONG, SHORT
from zkmargin.engine.due import unhealthy
from zkmargin.engine.liquidation import close, lowest_holding, minimal_close, penalty_share
from zkmargin.engine.margin import is_limited, kind_of, risk
from zkmargin.protocol.constants import COLLATERAL, FINE, PERPETUAL, RATE_ONE, EntryKind, Op
from zkmargin.protocol.model import Account, Holding, Touch

Made = Sequence[Touch] | None
MAKERS: dict[str, list[Callable[[RandomWorld], Made]]] = {}


def _breaks(code: str) -> Callable[[Callable[[RandomWorld], Made]], Callable[[RandomWorld], Made]]:
    def note(maker: Callable[[RandomWorld], Made]) -> Callable[[RandomWorld], Made]:
        MAKERS.setdefault(code, []).append(maker)
        return maker

    return note


def broken(world: RandomWorld, code: str | None = None) -> Case | None:
    """An operation that must be refused (with `code`, if given); None when there is no occasion for one."""
    order = [code] if code else world.rng.sample(codes := sorted(MAKERS), len(codes))
    for wanted in order:
        for maker in world.rng.sample(MAKERS[wanted], len(MAKERS[wanted])):
            touches = maker(world)
            if not touches:
                continue
            case = Case(f"{wanted}: {maker.__name__.strip('_')}", tuple(touches), wanted)
            refusal = world.code(case.touches)
            assert refusal, f"allowed, though it should be refused: {case}"
            if refusal == wanted:  # else it breaks another rule as well: not the occasion that was meant
                return case
    return None


# ------------------------------------------------------------------- occasions


def _trader(world: RandomWorld) -> Account | None:
    traders = world.traders()
    return world.rng.choice(traders) if traders else None


def _two(world: RandomWorld) -> tuple[Account, Account] | None:
    traders = world.traders()
    return tuple(world.rng.sample(traders, 2)) if len(traders) > 1 else None  # type: ignore[return-value]


def _rich(world: RandomWorld, *without: int) -> Account | None:
    """The trader with most free initial margin."""
    found = [account for account in world.traders() if account.id not in without]
    return max(found, key=world.free_initial, default=None)


def _small_trade(world: RandomWorld) -> list[Touch] | None:
    """One step of an instrument that is not limited, between the two richest: allowed."""
    buyer = _rich(world)
    seller = _rich(world, buyer.id) if buyer else None
    for instrument in world.perpetuals:
        if buyer and seller and not is_limited(world.row(instrument)):
            legs = world.trade(buyer.id, seller.id, instrument, 1)
            return None if world.code(legs) else legs
    return None


@dataclass(frozen=True)
class _Victim:
    account: Account
    held: Holding
    wanted: int  # the minimal size at the mark


def _victims(world: RandomWorld, kind: int = PERPETUAL) -> list[_Victim]:
    """Traders below maintenance whose first holding is of a kind."""
    found = []
    for identity in unhealthy(world.ledger, world.tick):
        account = world.account(identity)
        held = lowest_holding(account)
        if held and identity >= world.profile.instruments and kind_of(world.row(held.instrument)) == kind:
            wanted = minimal_close(world.tick, account, held, world.mark(held.instrument)).size
            found.append(_Victim(account, held, wanted))
    world.rng.shuffle(found)
    return found


def _victim(world: RandomWorld) -> _Victim | None:
    return next(iter(_victims(world)), None)


def _taken_by_bid(world: RandomWorld, victim: _Victim, size: int, **first: int) -> list[Touch] | None:
    """Liquidate `size` steps to a bid of the richest that wants exactly that."""
    bidder = _rich(world, victim.account.id)
    if bidder is None:
        return None
    leg = world.first_leg(Op.LIQUIDATE, victim.account.id, size, **first)
    return [leg, world.bid_leg(bidder.id, leg, size)]


def _able_bid(world: RandomWorld, most: int = 0, min_reward: int = 0, less: int = 0, flag: int = 0) -> Made:
    """A liquidation to a bid that would be taken but for the bid's own terms."""
    for victim in _victims(world):
        size = victim.wanted - less
        legs = _taken_by_bid(world, victim, size, flag=flag) if size > 0 else None
        bidder = _rich(world, victim.account.id)
        plain = _taken_by_bid(world, victim, victim.wanted)
        if legs and bidder and plain and not world.code(plain):
            return [legs[0], world.bid_leg(bidder.id, legs[0], most + size, min_reward)]
    return None


# ------------------------------------------------------------------------ form


@_breaks("malformed")
def _noop_with_size(world: RandomWorld) -> Made:
    return [Touch(Op.NOOP, 0, 0, size=1)]


@_breaks("malformed")
def _deposit_with_price(world: RandomWorld) -> Made:
    return [replace(world.fund(5), price=1)]


@_breaks("malformed")
def _trade_with_flag(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    return [replace(legs[0], flag=1), legs[1]] if legs else None


@_breaks("malformed")
def _absorb_with_instrument(world: RandomWorld) -> Made:
    return [Touch(Op.ABSORB, 1, 1, instrument=1)]


@_breaks("range")
def _instrument_beyond_the_table(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    return [replace(leg, instrument=world.profile.instruments) for leg in legs] if legs else None


@_breaks("account")
def _another_account_posted(world: RandomWorld) -> Made:
    return [Touch(Op.NOOP, 1, 2)]


@_breaks("legs")
def _first_leg_alone(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    return legs[:1] if legs else None


@_breaks("legs")
def _second_leg_alone(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    return legs[1:] if legs else None


@_breaks("legs")
def _noop_between(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    return [legs[0], Touch(Op.NOOP, 0, 0), legs[1]] if legs else None


@_breaks("legs")
def _refusal_alone(world: RandomWorld) -> Made:
    for instrument in world.perpetuals:
        for side in (0, 1):
            refusal = world.refusal(instrument, side)
            if world.code([refusal]) == "legs":
                return [refusal]
    return None


# -------------------------------------------------------------------- deposits


@_breaks("queue_order")
def _later_entry(world: RandomWorld) -> Made:
    touch = world.fund(5)
    assert touch.entry
    return [replace(touch, entry=replace(touch.entry, index=touch.entry.index + 1))]


@_breaks("entry")
def _larger_amount_than_queued(world: RandomWorld) -> Made:
    touch = world.fund(5)
    return [replace(touch, size=6)]


@_breaks("flag")
def _valid_entry_refused(world: RandomWorld) -> Made:
    trader = _trader(world)
    return [replace(world.credit(trader.id, 5), flag=0)] if trader else None


@_breaks("flag")
def _invalid_entry_performed(world: RandomWorld) -> Made:
    trader = _trader(world)
    if trader is None:
        return None
    asset = world.rng.choice(world.collaterals)
    entry = world.entry(EntryKind.ACCOUNT, asset, 5, target=trader.id, depositor=trader.address ^ 1)
    return [world.deposit(entry)]


@_breaks("leaf")
def _deposit_to_another_leaf(world: RandomWorld) -> Made:
    pair = _two(world)
    if pair is None:
        return None
    touch = world.credit(pair[0].id, 5)
    return [replace(touch, leaf_index=world.ledger.index_of(pair[1].id), account_id=pair[1].id)]


@_breaks("leaf")
def _open_on_an_occupied_leaf(world: RandomWorld) -> Made:
    return [replace(world.open(5), leaf_index=1)]


# ----------------------------------------------------------------- withdrawals


def _withdrawal(world: RandomWorld, **signing: Any) -> Touch | None:
    """One base unit from the richest: allowed unless signed wrongly, or there is a deficit."""
    rich = _rich(world)
    if rich is None or world.free_initial(rich) < FINE or world.ledger.reserve < 0:
        return None
    return world.withdraw(rich.id, 1, **signing)


@_breaks("signature")
def _another_key(world: RandomWorld) -> Made:
    rich, key = _rich(world), next(iter(world.keys.values()))
    if rich is None or world.keys[rich.owner] == key:
        return None
    touch = _withdrawal(world, key=key)
    return [touch] if touch else None


@_breaks("signature")
def _later_nonce(world: RandomWorld) -> Made:
    touch = _withdrawal(world, nonce_ahead=1)
    return [touch] if touch else None


@_breaks("signature")
def _another_ledger(world: RandomWorld) -> Made:
    touch = _withdrawal(world, domain=world.domain + 1)
    return [touch] if touch else None


@_breaks("signature")
def _more_than_signed(world: RandomWorld) -> Made:
    touch = _withdrawal(world)
    return [replace(touch, size=2)] if touch else None


@_breaks("signature")
def _replayed(world: RandomWorld) -> Made:
    """The same signed withdrawal twice."""
    touch = _withdrawal(world)
    return [touch, touch] if touch else None


@_breaks("signature")
def _price_changed_after_signing(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    return [replace(leg, price=leg.price - 1) for leg in legs] if legs else None


@_breaks("signature")
def _bid_enlarged_after_signing(world: RandomWorld) -> Made:
    legs = _able_bid(world)
    return [legs[0], replace(legs[1], max_size=legs[1].max_size + 1)] if legs else None


@_breaks("expired")
def _signed_for_the_last_slot(world: RandomWorld) -> Made:
    touch = _withdrawal(world, last_slot=world.tick.slot - 1)
    return [touch] if touch else None


@_breaks("backstop")
def _backstop_signs(world: RandomWorld) -> Made:
    key = next(iter(world.keys.values()), None)
    return [world.withdraw(1, 1, key=key)] if key and world.ledger.reserve >= 0 else None


@_breaks("backstop")
def _trader_refuses(world: RandomWorld) -> Made:
    trader = _trader(world)
    touch = world.refusal(world.perpetuals[0], 0)
    return (
        [replace(touch, leaf_index=world.ledger.index_of(trader.id), account_id=trader.id)]
        if trader
        else None
    )


@_breaks("backstop")
def _trader_as_backstop(world: RandomWorld) -> Made:
    victim = _victim(world)
    rich = _rich(world, victim.account.id) if victim else None
    if victim is None or rich is None:
        return None
    first = world.first_leg(Op.LIQUIDATE, victim.account.id, victim.wanted)
    return [first, world.second_leg(Op.TAKE_BACKSTOP, rich.id, first)]


@_breaks("backstop")
def _deleveraged_without_a_refusal(world: RandomWorld) -> Made:
    victim = _victim(world)
    return [world.first_leg(Op.DELEVERAGE, victim.account.id, victim.wanted)] if victim else None


@_breaks("deficit")
def _withdrawal_during_a_deficit(world: RandomWorld) -> Made:
    rich = _rich(world)
    return [world.withdraw(rich.id, 1)] if rich and world.ledger.reserve < 0 else None


@_breaks("amount")
def _withdrawal_of_nothing(world: RandomWorld) -> Made:
    trader = _trader(world)
    return [world.withdraw(trader.id, 0)] if trader and world.ledger.reserve >= 0 else None


@_breaks("withdraw_too_much")
def _one_unit_more_than_free(world: RandomWorld) -> Made:
    trader = _trader(world)
    if trader is None or world.ledger.reserve < 0:
        return None
    amount = max(world.free_initial(trader) // FINE, 0) + 1
    return [world.withdraw(trader.id, amount)] if amount < 1 << 64 else None


@_breaks("withdraw_too_much")
def _more_collateral_than_held(world: RandomWorld) -> Made:
    trader = _trader(world)
    if trader is None or world.ledger.reserve < 0:
        return None
    asset = world.rng.choice(world.collaterals)
    held = trader.holding(asset)
    return [world.withdraw(trader.id, (held.size if held else 0) + 1, asset)]


@_breaks("withdraw_too_much")
def _a_perpetual(world: RandomWorld) -> Made:
    trader = _trader(world)
    return (
        [world.withdraw(trader.id, 1, world.perpetuals[0])] if trader and world.ledger.reserve >= 0 else None
    )


# ---------------------------------------------------------------------- trades


def _pair_trade(world: RandomWorld, instrument: int, size: int) -> Made:
    pair = _two(world)
    return world.trade(pair[0].id, pair[1].id, instrument, size) if pair else None


@_breaks("not_listed")
def _unlisted_instrument(world: RandomWorld) -> Made:
    unlisted = [k for k, row in enumerate(world.params.instruments) if not row.flags]
    return _pair_trade(world, world.rng.choice(unlisted), 1)


@_breaks("size")
def _trade_of_nothing(world: RandomWorld) -> Made:
    return _pair_trade(world, world.perpetuals[0], 0)


@_breaks("size")
def _more_than_held_is_closed(world: RandomWorld) -> Made:
    victim = _victim(world)
    return _taken_by_bid(world, victim, victim.held.size + 1) if victim else None


@_breaks("size")
def _enlarged_instead_of_closed(world: RandomWorld) -> Made:
    victim = _victim(world)
    if victim is None:
        return None
    first = world.first_leg(Op.LIQUIDATE, victim.account.id, victim.wanted)
    return [replace(first, side=victim.held.side)]


@_breaks("size_range")
def _more_steps_than_a_slot_holds(world: RandomWorld) -> Made:
    pair = _two(world)
    instrument = world.perpetuals[0]
    if pair is None or pair[0].slot_for(instrument) is None:
        return None
    held = pair[0].holding(instrument)
    return world.trade(pair[0].id, pair[1].id, instrument, (1 << 48) + (held.size if held else 0))


@_breaks("collateral_short")
def _sells_collateral_it_lacks(world: RandomWorld) -> Made:
    pair = _two(world)
    asset = world.rng.choice(world.collaterals)
    if pair is None or pair[1].slot_for(asset) is None:
        return None
    held = pair[1].holding(asset)
    legs = world.trade(pair[0].id, pair[1].id, asset, (held.size if held else 0) + 1, 0)
    return legs if not held or held.size < 1 << 47 else None


@_breaks("limited")
def _new_risk_at_a_limited_mark(world: RandomWorld) -> Made:
    for instrument in world.perpetuals:
        pair = _two(world)
        if pair and is_limited(world.row(instrument)) and not any(a.holding(instrument) for a in pair):
            return _if_free(pair, instrument, world.trade(pair[0].id, pair[1].id, instrument, 1))
    return None


def _if_free(pair: tuple[Account, Account], instrument: int, legs: list[Touch]) -> Made:
    return legs if all(account.slot_for(instrument) is not None for account in pair) else None


@_breaks("below_initial_margin")
def _trade_beyond_means(world: RandomWorld) -> Made:
    pair = _two(world)
    for instrument in world.perpetuals:
        row = world.row(instrument)
        if pair and not is_limited(row) and not any(account.holding(instrument) for account in pair):
            size = max(world.free_initial(pair[0]), 0) // max(row.initial[0], 1) + 1
            if size < 1 << 48:
                return _if_free(pair, instrument, world.trade(pair[0].id, pair[1].id, instrument, size))
    return None


@_breaks("below_initial_margin")
def _equity_given_away_at_a_limited_mark(world: RandomWorld) -> Made:
    """A long below initial margin sells under a mark that the raw price is further below: a gain in W."""
    for instrument in world.perpetuals:
        row = world.row(instrument)
        if row.worst_long == row.equity:
            continue
        held = [(a, a.holding(instrument)) for a in world.traders()]
        longs, shorts = ([a for a, h in held if h and h.side == side] for side in (LONG, SHORT))
        for long in longs:
            after = world.moved(long, instrument, -1, row.mark - 1)
            if shorts and after and world.free_initial(long) < 0 and world.free_initial(after) < 0:
                return world.trade(shorts[0].id, long.id, instrument, 1, row.mark - 1)
    return None


@_breaks("below_initial_margin")
def _bidder_beyond_means(world: RandomWorld) -> Made:
    for victim in _victims(world):
        poor = min(
            (a for a in world.traders() if a.id != victim.account.id), key=world.free_initial, default=None
        )
        own = poor.holding(victim.held.instrument) if poor else None
        if (
            poor
            and world.free_initial(poor) < 0
            and not own
            and poor.slot_for(victim.held.instrument) is not None
        ):
            first = world.first_leg(Op.LIQUIDATE, victim.account.id, victim.wanted)
            reward = _reward(world, victim, victim.wanted)
            if world.free_initial(poor) + reward < 0:
                return [first, world.bid_leg(poor.id, first, victim.wanted)]
    return None


@_breaks("counterparty")
def _named_another_counterparty(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    if legs is None:
        return None
    other = next((a for a in world.traders() if a.id not in {leg.account_id for leg in legs}), None)
    return [legs[0], world.sign(replace(legs[1], counterparty=other.id))] if other else None


@_breaks("legs_differ")
def _second_leg_of_another_price(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    return [legs[0], world.sign(replace(legs[1], price=legs[1].price + 1))] if legs else None


@_breaks("legs_differ")
def _second_leg_of_another_size(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    return [legs[0], world.sign(replace(legs[1], size=2))] if legs else None


@_breaks("legs_differ")
def _both_legs_buy(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    return [legs[0], world.sign(replace(legs[1], side=0))] if legs else None


@_breaks("legs_differ")
def _deleveraged_on_the_other_side(world: RandomWorld) -> Made:
    """The backstop refuses to buy, and a short is deleveraged."""
    for victim in _victims(world):
        refusal = world.refusal(victim.held.instrument, 1 - victim.held.side)
        if world.code([refusal]) == "legs":
            return [refusal, world.first_leg(Op.DELEVERAGE, victim.account.id, victim.wanted)]
    return None


@_breaks("same_account")
def _trades_with_itself(world: RandomWorld) -> Made:
    legs = _small_trade(world)
    if legs is None:
        return None
    first = world.sign(replace(legs[0], counterparty=legs[0].account_id))
    second = replace(first, op=Op.TRADE_MATCH, side=1)
    return [first, world.sign(second, nonce_ahead=1)]


# ---------------------------------------------------------------- liquidations


def _reward(world: RandomWorld, victim: _Victim, size: int) -> int:
    before = risk(victim.account, world.tick)
    penalty = close(world.tick, before, victim.held, size, world.mark(victim.held.instrument)).penalty
    return world.tick.bidder_share * penalty // RATE_ONE


@_breaks("price")
def _liquidated_off_the_mark(world: RandomWorld) -> Made:
    victim = _victim(world)
    return (
        _taken_by_bid(world, victim, victim.wanted, price=world.mark(victim.held.instrument) - 1)
        if victim
        else None
    )


@_breaks("healthy_account")
def _liquidated_in_good_health(world: RandomWorld) -> Made:
    for account in world.traders():
        held = lowest_holding(account)
        if held and risk(account, world.tick).health >= 0:
            return _taken_by_bid(world, _Victim(account, held, 1), 1)
    return None


@_breaks("nothing_held")
def _flat_account_liquidated(world: RandomWorld) -> Made:
    for account in world.traders():
        if not any(account.slots) and account.balance < 0:
            instrument = world.perpetuals[0]
            price = world.mark(instrument)
            return [world.touch(Op.LIQUIDATE, account.id, instrument=instrument, side=1, size=1, price=price)]
    return None


@_breaks("wrong_order")
def _second_instrument_first(world: RandomWorld) -> Made:
    for victim in _victims(world):
        others = [h for h in victim.account.slots if h and h.instrument != victim.held.instrument]
        if others:
            held = world.rng.choice(others)
            price = world.mark(held.instrument)
            fields = {"instrument": held.instrument, "side": 1 - held.side, "size": 1, "price": price}
            return [world.touch(Op.LIQUIDATE, victim.account.id, flag=1, **fields)]
    return None


@_breaks("target_missed")
def _one_step_too_few(world: RandomWorld) -> Made:
    for victim in _victims(world):
        if victim.wanted > 1:
            return _taken_by_bid(world, victim, victim.wanted - 1)
    return None


@_breaks("not_minimal")
def _one_step_too_many(world: RandomWorld) -> Made:
    for victim in _victims(world):
        if victim.wanted < victim.held.size:
            return _taken_by_bid(world, victim, victim.wanted + 1)
    return None


@_breaks("bid_size")
def _more_than_the_bid_wants(world: RandomWorld) -> Made:
    return _able_bid(world, most=-1)


@_breaks("bid_price")
def _past_the_limit_of_a_bid(world: RandomWorld) -> Made:
    victim = _victim(world)
    rich = _rich(world, victim.account.id) if victim else None
    if victim is None or rich is None:
        return None
    first = world.first_leg(Op.LIQUIDATE, victim.account.id, victim.wanted)
    limit = first.price + (1 if first.side == 0 else -1)  # the taker is on the other side
    return [first, world.bid_leg(rich.id, first, victim.wanted, limit=limit)]


@_breaks("bid_reward")
def _less_than_the_bid_asks(world: RandomWorld) -> Made:
    victim = _victim(world)
    rich = _rich(world, victim.account.id) if victim else None
    if victim is None or rich is None:
        return None
    first = world.first_leg(Op.LIQUIDATE, victim.account.id, victim.wanted)
    least = _reward(world, victim, victim.wanted) // FINE + 1
    return [first, world.bid_leg(rich.id, first, victim.wanted, least)] if least < 1 << 64 else None


@_breaks("not_exhausted")
def _bid_not_used_up(world: RandomWorld) -> Made:
    return _able_bid(world, most=1, less=1, flag=1)


@_breaks("not_exhausted")
def _backstop_not_used_up(world: RandomWorld) -> Made:
    for victim in _victims(world):
        full = world.first_leg(Op.LIQUIDATE, victim.account.id, victim.wanted)
        backstop = victim.held.instrument
        if victim.wanted < 3 or world.code([full, world.second_leg(Op.TAKE_BACKSTOP, backstop, full)]):
            continue
        first = replace(full, size=1, flag=1)
        return [first, world.second_leg(Op.TAKE_BACKSTOP, backstop, first)]
    return None


@_breaks("backstop_full")
def _more_than_the_backstop_carries(world: RandomWorld) -> Made:
    for victim in _victims(world):
        first = world.first_leg(Op.LIQUIDATE, victim.account.id, victim.wanted)
        legs = [first, world.second_leg(Op.TAKE_BACKSTOP, victim.held.instrument, first)]
        if world.code(legs):
            return legs
    return None


@_breaks("backstop_able")
def _refuses_without_need(world: RandomWorld) -> Made:
    for victim in _victims(world):
        refusal = world.refusal(victim.held.instrument, victim.held.side)
        if world.code([refusal]) == "backstop_able":
            return [refusal, world.first_leg(Op.DELEVERAGE, victim.account.id, victim.wanted)]
    return None


@_breaks("not_opposite")
def _offset_by_the_same_side(world: RandomWorld) -> Made:
    for victim in _victims(world):
        held = victim.held
        refusal = world.refusal(held.instrument, held.side)
        if world.code([refusal]) != "legs":
            continue
        for other in world.traders():
            theirs = other.holding(held.instrument)
            if other.id != victim.account.id and (theirs is None or theirs.side == held.side):
                first = world.first_leg(Op.DELEVERAGE, victim.account.id, victim.wanted)
                return [refusal, first, world.second_leg(Op.OFFSET, other.id, first)]
    return None


@_breaks("solvent")
def _solvent_account_absorbed(world: RandomWorld) -> Made:
    trader = _trader(world)
    return [world.touch(Op.ABSORB, trader.id)] if trader and risk(trader, world.tick).equity >= 0 else None


@_breaks("solvent")
def _surplus_that_is_not_to_be_given(world: RandomWorld) -> Made:
    """Of a backstop without a deficit, or of one with a position."""
    for backstop in world.accounts()[: world.profile.instruments - 1]:
        now = risk(backstop, world.tick)
        if now.equity > 0 and (world.ledger.reserve >= 0 or now.maintenance):
            return [world.touch(Op.ABSORB, backstop.id)]
    return None


@_breaks("not_flat")
def _absorbed_with_holdings(world: RandomWorld) -> Made:
    for kind in (PERPETUAL, COLLATERAL):
        for victim in _victims(world, kind):
            if risk(victim.account, world.tick).equity < 0:
                return [world.touch(Op.ABSORB, victim.account.id)]
    return None


@_breaks("price")
def _penalty_dodged(world: RandomWorld) -> Made:
    """Closed a little above the mark, so that the victim keeps what the penalty would take."""
    for victim in _victims(world):
        if penalty_share(world.tick, risk(victim.account, world.tick)):
            return _taken_by_bid(world, victim, victim.wanted, price=world.mark(victim.held.instrument) + 1)
    return None
