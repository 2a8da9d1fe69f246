# SPDX-License-Identifier: GPL-3.0-or-later
"""Forged ticks in which everything fits but one rule: that rule alone refuses them.

Hashes, words, C, r and y, medians, marks and unit values of each are recomputed from the forged part on, so
that a missing constraint would let the forgery through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from circuits.tick.bench import (
    DOMAIN,
    PROFILE,
    Forgery,
    accepted,
    broken,
    crash,
    flat,
    genesis,
    market,
    signed,
)
from zkmargin.circuits.tick_inputs import SignedReport
from zkmargin.engine.ticks import lower_median
from zkmargin.oracle.reports import Report, make_report
from zkmargin.protocol.constants import LIMITED, RATE_ONE
from zkmargin.protocol.hashes import params_hash, tick_hash
from zkmargin.protocol.model import InstrumentTick, Params, Tick
from zkmargin.protocol.words import domain_word

SIGNATURE = ("eddsa.circom", "curve.circom", "base_mul.circom", "challenge_mul.circom", "atmost.circom")


@cache
def moment() -> tuple[Tick, int]:
    """The tick before the first limited one, and the slot of that."""
    previous, limited = crash()
    return previous, limited.tick.slot


def refused_only(forgery: dict[str, object], *places: str) -> None:
    """Fails unless the constraint system refuses the inputs, at such places and at no others."""
    found = broken(forgery)
    assert found, "the constraint system accepts it"
    strange = [place for place in found if not any(part in place for part in places)]
    assert not strange, f"also refused at {strange}"


def test_a_forgery_without_a_lie_is_an_honest_tick() -> None:
    previous, slot = moment()
    reports = signed(slot, previous.slot, sorted(_all()))
    made = Forgery(previous, slot, reports)
    assert made.tick == crash()[1].tick
    assert made.inputs() == crash()[1].inputs
    accepted(made.inputs())


@cache
def _all() -> dict[int, Report]:
    previous, slot = moment()
    seen, params = market()
    return {report.signer: report for report in seen.reports(params, DOMAIN, slot, previous.slot)}


# ---------------------------------------------------------------- quorum and signers


def test_a_quorum_minus_one() -> None:
    previous, slot = moment()
    few = dict(list(_all().items())[: PROFILE.quorum - 1])
    refused_only(Forgery(previous, slot, few).inputs(), "enough.out === 1")


def test_one_oracle_in_anothers_place() -> None:
    previous, slot = moment()
    first, second, *others = _all().items()
    twice = dict([first, (second[0], first[1]), *others])
    refused_only(Forgery(previous, slot, twice).inputs(), *SIGNATURE)


def test_one_oracle_counted_twice() -> None:
    """present = 2 for one of two reporters makes n = 3; the bitmap then reads as two other oracles."""
    previous, slot = moment()
    two = dict(list(_all().items())[:2])
    made = Forgery(previous, slot, two)
    bits = [2 * (signer == min(two)) + (signer in two and signer != min(two)) for signer in range(4)]
    found = broken(made.inputs(present=bits, half=1))
    assert any("present[o] * (present[o] - 1) === 0" in place for place in found), found


def test_a_reporter_posted_as_absent_and_an_absent_one_as_reporter() -> None:
    previous, slot = moment()
    three = dict(list(_all().items())[:3])
    bitmap = sum(1 << signer for signer in three)
    for bit in range(4):
        posted = bitmap ^ 1 << bit
        refused_only(Forgery(previous, slot, three, posted_present=posted).inputs(), "posted.circom")


STALE: dict[str, Callable[[Tick, int], dict[int, Report]]] = {
    "of the slot before": lambda previous, slot: _resigned(previous, slot, slot - 1, previous.slot),
    "of the slot after": lambda previous, slot: _resigned(previous, slot, slot + 1, previous.slot),
    "after an earlier tick": lambda previous, slot: _resigned(previous, slot, slot, previous.slot - 1),
    "of another ledger": lambda previous, slot: _resigned(
        previous, slot, slot, previous.slot, domain=domain_word(31337, 0x1235)
    ),
    "of another chain": lambda previous, slot: _resigned(
        previous, slot, slot, previous.slot, domain=domain_word(1, 0x1234)
    ),
    "under other parameters": lambda previous, slot: _resigned(
        previous, slot, slot, previous.slot, tau=market()[1].tau + 1
    ),
}


def _resigned(
    previous: Tick, slot: int, signed_slot: int, signed_previous: int, **other: int
) -> dict[int, Report]:
    """The reports of the slot, one of them in truth signed for something else."""
    reports = _all()
    victim = min(reports)
    seen, params = market()
    domain = other.pop("domain", DOMAIN)
    oracle = seen.oracles[victim]
    shown = reports[victim]
    lie = make_report(
        oracle.key,
        victim,
        domain,
        replace(params, **other),
        signed_slot,
        signed_previous,
        shown.prices,
        shown.rates,
    )
    return reports | {victim: lie}


@pytest.mark.parametrize("make", STALE.values(), ids=STALE)
def test_a_report(make: Callable[[Tick, int], dict[int, Report]]) -> None:
    previous, slot = moment()
    refused_only(Forgery(previous, slot, make(previous, slot)).inputs(), *SIGNATURE)


# ---------------------------------------------------------------- median


def _columns(k: int) -> tuple[list[int], list[int]]:
    rows = list(_all().values())
    return [row.prices[k] for row in rows], [row.rates[k] for row in rows]


@pytest.mark.parametrize("instrument", [1, 14])
def test_other_medians(instrument: int) -> None:
    """Each other report's price, neighbours of the median, and values between; the tick follows the lie."""
    previous, slot = moment()
    prices, _ = _columns(instrument)
    right = lower_median(prices)
    assert len(set(prices)) == len(prices)
    others = sorted({*prices, right - 1, right + 1, min(prices) - 1, max(prices) + 1, 0} - {right})
    for lie in others:
        raw = [lower_median(_columns(k)[0]) for k in range(16)]
        raw[instrument] = lie
        refused_only(Forgery(previous, slot, _all(), raw=raw).inputs(), "median.circom")


def test_other_medians_of_rates() -> None:
    previous, slot = moment()
    _, rates = _columns(1)
    right = lower_median(rates)
    for lie in sorted({*rates, right - 1, right + 1} - {right}):
        given = [lower_median(_columns(k)[1]) for k in range(16)]
        given[1] = lie
        refused_only(Forgery(previous, slot, _all(), rates=given).inputs(), "median.circom")


def test_medians_of_another_rank() -> None:
    """For each rank a prover may name, with the values of that rank: only the middle one is accepted."""
    previous, slot = moment()
    for count in (3, 4):
        rows = dict(list(_all().items())[:count])
        assert len(rows) == count
        for rank in range(count):
            raw = [sorted(row.prices[k] for row in rows.values())[rank] for k in range(16)]
            rates = [sorted(row.rates[k] for row in rows.values())[rank] for k in range(16)]
            inputs = Forgery(previous, slot, rows, raw=raw, rates=rates).inputs(half=rank)
            if rank == (count - 1) // 2:
                accepted(inputs)
            else:
                refused_only(inputs, "odd * (odd - 1) === 0")


def test_a_signed_pair_read_in_another_way() -> None:
    """price + 2^64 with rate - 1 is the same signed element; so is each field with a carry from below."""
    previous, slot = moment()
    for instrument, field in ((1, "price"), (0, "price"), (0, "rate")):
        reports: dict[int, Report | SignedReport] = dict(_all())
        signer = min(reports)
        prices, rates = list(reports[signer].prices), list(reports[signer].rates)
        if field == "price":
            prices[instrument] += 1 << 64
            rates[instrument] -= 1
        else:
            rates[instrument] += 1 << 40
            prices[instrument + 1] -= 1
        reports[signer] = SignedReport(prices, rates, reports[signer].signature)
        forged = Forgery(previous, slot, reports, raw=list(_raw()), rates=list(_rates()))
        refused_only(forged.inputs(), "bitify.circom", "median.circom")


def _raw() -> list[int]:
    return [lower_median(_columns(k)[0]) for k in range(16)]


def _rates() -> list[int]:
    return [lower_median(_columns(k)[1]) for k in range(16)]


# ---------------------------------------------------------------- clock


@pytest.mark.parametrize(
    ("gap", "place"),
    [
        (0, "still.out === 0"),
        (-1, "bitify.circom"),
        (-(1 << 16), "bitify.circom"),
    ],
)
def test_gaps(gap: int, place: str) -> None:
    """From a tick with nothing priced and with no funding the arithmetic would take any gap."""
    start = replace(genesis(), slot=1 << 20, time=(1 << 20) * 3600)
    slot = start.slot + gap
    reports = {signer: flat(1 << 40, 0, slot, start.slot, signer) for signer in range(3)}
    refused_only(Forgery(start, slot, reports).inputs(), place)


@pytest.mark.parametrize("gap", [1, (1 << 16) - 1, 1 << 16, 1 << 31])
def test_gaps_at_the_ends_are_accepted(gap: int) -> None:
    start = genesis()
    reports = {signer: flat(1 << 40, 5, start.slot + gap, start.slot, signer) for signer in range(3)}
    accepted(Forgery(start, start.slot + gap, reports).inputs())


def test_another_time() -> None:
    previous, slot = moment()
    honest = Forgery(previous, slot, _all()).tick
    assert honest is not None
    lie = replace(honest, time=honest.time + 1)
    refused_only(Forgery(previous, slot, _all(), tick=lie).inputs(), "tickHalves", "posted.circom")


# ---------------------------------------------------------------- the last tick, the terms


def test_a_last_tick_of_ones_own() -> None:
    """A last mark that makes a smaller jump of it, a softer funding index: not what the contract has."""
    previous, slot = moment()
    table = previous.instruments
    for changed in (
        replace(previous, instruments=(*table[:1], replace(table[1], mark=table[1].mark + 1), *table[2:])),
        replace(
            previous, instruments=(*table[:1], replace(table[1], funding=table[1].funding - 1), *table[2:])
        ),
        replace(
            previous, instruments=(*table[:1], replace(table[1], equity=table[1].equity + 1), *table[2:])
        ),
        replace(previous, time=previous.time + 1),
        replace(previous, tau=previous.tau + 1),
    ):
        forged = Forgery(changed, slot, _all(), contract_tick=tick_hash(previous))
        refused_only(forged.inputs(), "previousHalves[0]")


def _terms(**changed: object) -> Params:
    params = market()[1]
    table = list(params.instruments)
    table[1] = replace(table[1], **changed)  # type: ignore[arg-type]
    return replace(params, instruments=tuple(table))


OTHER_TERMS: dict[str, Callable[[], Params]] = {
    "a wider jump limit": lambda: _terms(jump=RATE_ONE),
    "softer maintenance": lambda: _terms(mmr=(1, 2, 3, 4)),
    "a lower target": lambda: replace(market()[1], tau=RATE_ONE + 1),
    "a longer slot": lambda: replace(market()[1], slot_seconds=3601),
    "another funding cap": lambda: _terms(funding_cap=1),
    "unlisted": lambda: _terms(flags=0),
}


@pytest.mark.parametrize("make", OTHER_TERMS.values(), ids=OTHER_TERMS)
def test_terms_of_ones_own(make: Callable[[], Params]) -> None:
    """Even when the oracles sign them: the contract's parameters count."""
    previous, slot = moment()
    params = make()
    seen, true = market()
    reports = {report.signer: report for report in seen.reports(params, DOMAIN, slot, previous.slot)}
    forged = Forgery(previous, slot, reports, params=params, contract_params=params_hash(true))
    refused_only(forged.inputs(), "paramsHalves[0]")


# ---------------------------------------------------------------- what follows


def _limited(tick: Tick) -> int:
    return next(k for k, row in enumerate(tick.instruments) if row.flags & LIMITED)


def _free(tick: Tick) -> int:
    return next(k for k, row in enumerate(tick.instruments) if row.mark and not row.flags & LIMITED)


def _bumped(row: InstrumentTick, field: str, by: int) -> InstrumentTick:
    value = getattr(row, field)
    if isinstance(value, tuple):
        return replace(row, **{field: (value[0] + by, *value[1:])})
    return replace(row, **{field: value + by})


FIELDS = ("mark", "funding", "equity", "worst_long", "worst_short", "maintenance", "initial", "bounds")


@pytest.mark.parametrize("field", FIELDS)
def test_a_number_of_the_tick_one_up_or_down(field: str) -> None:
    """As a quotient and remainder shifted by one would have it, and each rounding the other way."""
    previous, slot = moment()
    honest = crash()[1].tick
    for k, by in ((_limited(honest), -1), (14, 1)):
        table = list(honest.instruments)
        table[k] = _bumped(table[k], field, by)
        forged = Forgery(previous, slot, _all(), tick=replace(honest, instruments=tuple(table)))
        refused_only(forged.inputs(), "tickHalves", "posted.circom")


def _lie_about(tick: Tick, kind: str) -> Tick:
    k = _limited(tick)
    row, terms = tick.instruments[k], market()[1].instruments[k]
    other: dict[str, object] = {}
    if kind == "the raw price as mark":
        other = {"mark": row.raw, "flags": terms.flags}
    elif kind == "a limited mark said to be free":
        other = {"flags": terms.flags}
    elif kind == "worst-of values of the mark alone":
        other = {"worst_long": row.equity, "worst_short": row.funding - row.mark}
    elif kind == "worst-of values swapped":
        other = {"worst_long": row.worst_short, "worst_short": row.worst_long}
    elif kind == "a free mark said to be limited":
        k = 0 if all(r.flags & LIMITED for r in tick.instruments if r.mark) else _free(tick)
        row = tick.instruments[k]
        other = {"flags": row.flags + LIMITED}
    table = list(tick.instruments)
    table[k] = replace(row, **other)  # type: ignore[arg-type]
    assert table[k] != tick.instruments[k]
    return replace(tick, instruments=tuple(table))


KINDS = (
    "the raw price as mark",
    "a limited mark said to be free",
    "worst-of values of the mark alone",
    "worst-of values swapped",
    "a free mark said to be limited",
)


@pytest.mark.parametrize("kind", KINDS)
def test_lies_about_a_limited_mark(kind: str) -> None:
    previous, slot = moment()
    forged = Forgery(previous, slot, _all(), tick=_lie_about(crash()[1].tick, kind))
    refused_only(forged.inputs(), "tickHalves", "posted.circom")


def test_lies_about_a_mark_held_down() -> None:
    """Prices three times the marks: shorts and initial charges go by the raw price, whatever the mark."""
    previous, slot = moment()
    seen, params = market()
    prices = [3 * row.mark for row in previous.instruments]
    rows = [(oracle.position, oracle.key) for oracle in seen.oracles]
    reports = {
        signer: make_report(key, signer, DOMAIN, params, slot, previous.slot, prices, [0] * len(prices))
        for signer, key in rows
    }
    honest = Forgery(previous, slot, reports).tick
    assert honest is not None
    accepted(Forgery(previous, slot, reports).inputs())
    row, terms = honest.instruments[1], params.instruments[1]
    assert row.flags & LIMITED
    assert row.mark < row.raw
    soft = tuple(-(-row.mark * rate // RATE_ONE) for rate in terms.imr)
    for lie in (
        replace(row, initial=soft),
        replace(row, worst_short=row.funding - row.mark),
        replace(row, mark=row.raw, flags=terms.flags),
        replace(row, flags=terms.flags),
    ):
        table = (honest.instruments[0], lie, *honest.instruments[2:])
        forged = Forgery(previous, slot, reports, tick=replace(honest, instruments=table))
        refused_only(forged.inputs(), "tickHalves", "posted.circom")
