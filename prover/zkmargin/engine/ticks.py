# SPDX-License-Identifier: GPL-3.0-or-later
"""From signed reports to the next tick: median, jump limit, funding, unit values (SPEC section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import BITS, LIMITED, MIN_PRICE, RATE_ONE
from zkmargin.protocol.model import InstrumentParams, InstrumentTick, Params, Tick

MAX_FUNDING = (1 << 64) - 1
MAX_GAP = (1 << 16) - 1  # slots that count: a longer silence moves marks and funding no further


@dataclass(frozen=True)
class NextTick:
    """A tick with what it was made from: raw medians and clamped funding rates by instrument."""

    tick: Tick
    raw: tuple[int, ...]
    rates: tuple[int, ...]


def lower_median(values: Sequence[int]) -> int:
    """The element of rank floor((n-1)/2)."""
    return sorted(values)[(len(values) - 1) // 2]


def _ceil_rate(value: int, rate: int) -> int:
    return -(-value * rate // RATE_ONE)


def limited_mark(mark: int, raw: int, jump: int, gap: int) -> int:
    """The raw price held within the jump limit of the last mark; never below the least price."""
    if mark == 0:
        return raw if raw >= MIN_PRICE else 0
    move = mark * jump * gap // RATE_ONE
    return min(max(raw, mark - move, MIN_PRICE), mark + move)


def unit_values(params: InstrumentParams, mark: int, raw: int, funding: int) -> InstrumentTick:
    """The row of an instrument; every rounding against the account. All zeros while unpriced."""
    if mark == 0:
        return InstrumentTick(raw=raw)
    low, high = min(mark, raw), max(mark, raw)
    keep = RATE_ONE - params.haircut
    return InstrumentTick(
        flags=params.flags + (LIMITED if mark != raw else 0),
        mark=mark,
        funding=funding,
        bounds=params.bounds,
        equity=mark * keep // RATE_ONE - funding,
        worst_long=low * keep // RATE_ONE - funding,
        worst_short=-(high - funding),
        maintenance=tuple(_ceil_rate(mark, rate) for rate in params.mmr),
        initial=tuple(_ceil_rate(high, rate) for rate in params.imr),
        move=_ceil_rate(mark, params.jump),
        raw=raw,
    )


def genesis_tick(params: Params, slot: int) -> Tick:
    """The tick before the first: nothing is priced."""
    return Tick(
        slot,
        slot * params.slot_seconds,
        params.tau,
        params.penalty_rate,
        params.bidder_share,
        (InstrumentTick(),) * len(params.instruments),
    )


def _row(params: InstrumentParams, before: InstrumentTick, raw: int, rate: int, gap: int) -> InstrumentTick:
    if params.flags == 0:
        return InstrumentTick(raw=raw)
    mark = limited_mark(before.mark, raw, params.jump, gap)
    funding = before.funding + mark * rate * gap // RATE_ONE if mark else 0
    return unit_values(params, mark, raw, max(-MAX_FUNDING, min(MAX_FUNDING, funding)))


def next_tick(
    params: Params, before: Tick, slot: int, reports: Sequence[tuple[Sequence[int], Sequence[int]]]
) -> NextTick:
    """The tick of `slot` from the present reports' (prices, funding rates), each over the whole table.

    Raises `BadInput` for a slot that is not after the last or out of range, or for no reports.
    """
    if not before.slot < slot < 1 << BITS["slot"]:
        raise BadInput(
            f"slot {slot} can't follow slot {before.slot}",
            hint="give a later slot",
            code="bad_slot",
        )
    gap = min(slot - before.slot, MAX_GAP)
    if not reports:
        raise BadInput("no oracle reported", code="no_reports")
    size = len(params.instruments)
    raw = tuple(lower_median([prices[k] for prices, _ in reports]) for k in range(size))
    medians = [lower_median([rates[k] for _, rates in reports]) for k in range(size)]
    rates = tuple(
        max(-row.funding_cap, min(row.funding_cap, rate))
        for row, rate in zip(params.instruments, medians, strict=True)
    )
    listed = zip(params.instruments, before.instruments, raw, rates, strict=True)
    rows = tuple(_row(*args, gap) for args in listed)
    tick = Tick(slot, slot * params.slot_seconds, params.tau, params.penalty_rate, params.bidder_share, rows)
    return NextTick(tick, raw, rates)
