# SPDX-License-Identifier: GPL-3.0-or-later
"""The compiled tick circuit, the episode's market, and ticks both honest and forged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from zkmargin.circuits.compile import compile_circuit
from zkmargin.circuits.r1cs import ConstraintSystem, SignalNames
from zkmargin.circuits.registry import circuit
from zkmargin.circuits.tick_inputs import SignedReport, tick_inputs
from zkmargin.demo.episode import load_episode
from zkmargin.demo.market import Market, open_market
from zkmargin.engine.ticks import MAX_FUNDING, MAX_GAP, genesis_tick, limited_mark, lower_median, unit_values
from zkmargin.oracle.reports import Board, Report, make_report
from zkmargin.protocol.constants import LIMITED, RATE_ONE, load
from zkmargin.protocol.hashes import params_hash, tick_hash
from zkmargin.protocol.model import InstrumentParams, InstrumentTick, Params, Tick
from zkmargin.protocol.packing import split
from zkmargin.protocol.words import domain_word, tick_words
from zkmargin.proving.witness import Inputs, WitnessGenerator
from zkmargin.sequencer.drafting import bind
from zkmargin.sequencer.ticking import TickBatch, make_tick_batch

CHAIN = 31337
DOMAIN = domain_word(CHAIN, 0x1234)
PROFILE = load().profile("small")


@dataclass(frozen=True)
class Bench:
    """A checked witness generator, one whose assertions are off, the constraints and the wires' names."""

    checked: WitnessGenerator
    unchecked: WitnessGenerator
    system: ConstraintSystem
    names: SignalNames


@cache
def bench() -> Bench:
    artifacts = compile_circuit(circuit("tick", "small"))
    lenient = WitnessGenerator(artifacts, checked=False)
    return Bench(
        WitnessGenerator(artifacts), lenient, ConstraintSystem(artifacts.r1cs), SignalNames(artifacts.sym)
    )


def accepted(inputs: Inputs) -> list[int]:
    """The witness of honest inputs; fails unless generator and constraint system accept it."""
    witness = bench().system.elements(bench().checked.compute(inputs))
    assert bench().system.check(witness) == []
    return witness


def broken(inputs: Inputs) -> list[str]:
    """Places (file, line, text) of the constraints that a full witness of these inputs breaks."""
    generator = bench().unchecked
    if not bench().system.check(generator.compute(inputs)):
        return []
    return [str(failure) for failure in generator.failures]


@cache
def market() -> tuple[Market, Params]:
    episode = load_episode()
    made = open_market(episode)
    return made, episode.params(made.keys())


def genesis() -> Tick:
    return genesis_tick(market()[1], load_episode().genesis_slot)


def batch(previous: Tick, slot: int, reports: Sequence[Report]) -> TickBatch:
    """What a sequencer makes of reports, all checked."""
    _, params = market()
    board = Board(DOMAIN, params, PROFILE.quorum, slot, previous.slot)
    for report in reports:
        board.add(report)
    return make_tick_batch(CHAIN, DOMAIN, params, PROFILE, previous, board.quorate())


def honest(previous: Tick, slot: int) -> TickBatch:
    seen, params = market()
    return batch(previous, slot, seen.reports(params, DOMAIN, slot, previous.slot))


@cache
def crash() -> tuple[Tick, TickBatch]:
    """The tick before the first limited one, and that one."""
    tick = genesis()
    while True:
        made = honest(tick, tick.slot + 1)
        if any(row.flags & LIMITED for row in made.tick.instruments):
            return tick, made
        tick = made.tick


def signed(
    slot: int, previous: int, signers: Sequence[int] = range(4), domain: int = DOMAIN, **changed: Any
) -> dict[int, Report]:
    """Reports of the episode's oracles, signed as of `slot` and `previous`; `changed`: parameters."""
    seen, params = market()
    made = seen.reports(replace(params, **changed), domain, slot, previous)
    found = {report.signer: report for report in made}
    assert set(signers) <= set(found), "one of them is silent in this slot"
    return {signer: found[signer] for signer in signers}


def flat(price: int, rate: int, slot: int, previous: int, signer: int) -> Report:
    """A report that gives every instrument the same price and rate."""
    seen, params = market()
    size = len(params.instruments)
    key = seen.oracles[signer].key
    return make_report(key, signer, DOMAIN, params, slot, previous, [price] * size, [rate] * size)


def next_row(
    params: InstrumentParams, before: InstrumentTick, raw: int, rate: int, gap: int
) -> InstrumentTick:
    """The next state of an instrument by the words of the specification, for any gap."""
    if params.flags == 0:
        return InstrumentTick(raw=raw)
    mark = limited_mark(before.mark, raw, params.jump, gap)
    clamped = max(-params.funding_cap, min(params.funding_cap, rate))
    funding = before.funding + mark * clamped * gap // RATE_ONE if mark else 0
    return unit_values(params, mark, raw, max(-MAX_FUNDING, min(MAX_FUNDING, funding)))


@dataclass
class Forgery:
    """A tick batch in which all fits together, but for the one thing a test changes.

    `reports` need not fit their signatures, `raw` and `rates` need not be the medians, `tick` need not
    follow; left out, they are computed by the rules. `contract_tick` and `contract_params` are the hashes the
    contract would write; `posted_present` the bitmap it would read.
    """

    previous: Tick
    slot: int
    reports: Mapping[int, Report | SignedReport]
    params: Params | None = None
    raw: list[int] | None = None
    rates: list[int] | None = None
    tick: Tick | None = None
    contract_tick: int | None = None
    contract_params: int | None = None
    posted_present: int | None = None

    def __post_init__(self) -> None:
        self.params = self.params or market()[1]
        table = range(len(self.params.instruments))
        rows = list(self.reports.values())
        self.raw = self.raw or [lower_median([row.prices[k] for row in rows]) for k in table]
        self.rates = self.rates or [lower_median([row.rates[k] for row in rows]) for k in table]
        if self.tick is None:
            gap, given = min(self.slot - self.previous.slot, MAX_GAP), self.params
            columns = zip(given.instruments, self.previous.instruments, self.raw, self.rates, strict=True)
            after = tuple(next_row(*column, gap) for column in columns)
            risk = given.tau, given.penalty_rate, given.bidder_share
            self.tick = Tick(self.slot, self.slot * given.slot_seconds, *risk, after)

    def inputs(self, **changed: Any) -> dict[str, Any]:
        """Witness inputs; `changed` replaces some of them at the end."""
        assert self.params is not None
        assert self.tick is not None
        assert self.raw is not None
        assert self.rates is not None
        last = tick_hash(self.previous) if self.contract_tick is None else self.contract_tick
        terms = params_hash(self.params) if self.contract_params is None else self.contract_params
        present = sum(1 << signer for signer in self.reports)
        if self.posted_present is not None:
            present = self.posted_present
        words = tick_words(
            DOMAIN, last, terms, tick_hash(self.tick), self.tick, self.previous.slot, present, PROFILE
        )
        reports = {
            signer: SignedReport(report.prices, report.rates, report.signature)
            for signer, report in self.reports.items()
        }
        posting = bind(words, CHAIN, DOMAIN)
        made = tick_inputs(
            self.params, self.previous, self.tick, DOMAIN, reports, self.raw, self.rates, posting
        )
        contract = {"previousHalves": list(split(last)), "paramsHalves": list(split(terms))}
        return made | contract | changed
