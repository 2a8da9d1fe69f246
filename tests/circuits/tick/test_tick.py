# SPDX-License-Identifier: GPL-3.0-or-later
"""The tick circuit on the real episode, and attacks on it: each leaves the constraint system unsatisfied."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from zkmargin.circuits.compile import compile_circuit
from zkmargin.circuits.r1cs import ConstraintSystem
from zkmargin.circuits.registry import circuit
from zkmargin.demo.episode import load_episode
from zkmargin.demo.market import Market, open_market
from zkmargin.engine.ticks import genesis_tick
from zkmargin.oracle.reports import Board, Report, make_report
from zkmargin.protocol.constants import FINE, MIN_PRICE, P, load
from zkmargin.protocol.model import Params, Tick
from zkmargin.protocol.words import domain_word
from zkmargin.proving.witness import WitnessGenerator
from zkmargin.sequencer.ticking import TickBatch, make_tick_batch

DOMAIN = domain_word(31337, 0x1234)
PROFILE = load().profile("small")


@dataclass(frozen=True)
class Bench:
    """The compiled circuit: a checked witness generator, one whose assertions are off, and the constraints."""

    checked: WitnessGenerator
    unchecked: WitnessGenerator
    system: ConstraintSystem


@cache
def bench() -> Bench:
    artifacts = compile_circuit(circuit("tick", "small"))
    return Bench(
        WitnessGenerator(artifacts),
        WitnessGenerator(artifacts, checked=False),
        ConstraintSystem(artifacts.r1cs),
    )


@cache
def market() -> tuple[Market, Params]:
    episode = load_episode()
    made = open_market(episode)
    return made, episode.params(made.keys())


def batch(previous: Tick, slot: int, reports: list[Report]) -> TickBatch:
    _, params = market()
    board = Board(DOMAIN, params, PROFILE.quorum, slot, previous.slot)
    for report in reports:
        board.add(report)
    return make_tick_batch(1, 31337, DOMAIN, params, PROFILE, previous, board.quorate())


def honest(previous: Tick, slot: int) -> TickBatch:
    seen, params = market()
    return batch(previous, slot, seen.reports(params, DOMAIN, slot, previous.slot))


@cache
def crash() -> tuple[Tick, TickBatch]:
    """The tick before the first limited one, and that one."""
    _, params = market()
    tick = genesis_tick(params, load_episode().genesis_slot)
    while True:
        made = honest(tick, tick.slot + 1)
        if any(row.flags & 4 for row in made.tick.instruments):
            return tick, made
        tick = made.tick


def broken(inputs: dict[str, Any]) -> list[str]:
    """Places (file, line, text) of the constraints that a full witness for these inputs breaks; [] if it satisfies all."""
    generator = bench().unchecked
    if not bench().system.check(generator.compute(inputs)):
        return []
    return [str(failure) for failure in generator.failures]


def test_the_episode_ticks() -> None:
    _, params = market()
    tick = genesis_tick(params, load_episode().genesis_slot)
    for number in range(1, 25, 3):
        made = honest(tick, tick.slot + (2 if number == 7 else 1))
        bench().checked.compute(made.inputs)
        tick = made.tick
    assert not bench().system.check(bench().checked.compute(crash()[1].inputs))


@pytest.mark.parametrize(
    "prices, rate",
    [
        ((0, 0, 0), 0),
        ((MIN_PRICE - 1,) * 3, -(1 << 39)),
        ((MIN_PRICE,) * 3, (1 << 39) - 1),
        (((1 << 64) - 1,) * 3, 1 << 38),
        ((1, MIN_PRICE, (1 << 64) - 1), -1),
    ],
)
@pytest.mark.parametrize("mark", [0, MIN_PRICE, FINE * 1000, (1 << 64) - 1])
@pytest.mark.parametrize("gap", [1, (1 << 16) - 1])
def test_no_signed_report_stalls_it(prices: tuple[int, ...], rate: int, mark: int, gap: int) -> None:
    """Whatever a quorum signs in range, whatever the last mark and funding were, there is a next tick."""
    seen, params = market()
    start = genesis_tick(params, load_episode().genesis_slot)
    rows = tuple(
        replace(
            row,
            flags=terms.flags if mark else 0,
            mark=mark if terms.flags else 0,
            funding=((1 << 64) - 1 if k % 2 else 1 - (1 << 64)) if mark and terms.flags else 0,
        )
        for k, (row, terms) in enumerate(zip(start.instruments, params.instruments, strict=True))
    )
    previous = replace(start, instruments=rows)
    size = len(params.instruments)
    reports = [
        make_report(
            oracle.key,
            oracle.position,
            DOMAIN,
            params,
            previous.slot + gap,
            previous.slot,
            [price] * size,
            [rate] * size,
        )
        for oracle, price in zip(seen.oracles, prices, strict=False)
    ]
    bench().checked.compute(batch(previous, previous.slot + gap, reports).inputs)


def _swap_signature(inputs: dict[str, Any]) -> None:
    for name in ("r8x", "r8y", "s", "prices", "rates"):
        inputs[name][1] = inputs[name][0]  # one oracle's report in another's place: the same signer twice


def _drop_to_two(inputs: dict[str, Any]) -> None:
    kept = 0
    for position, there in enumerate(inputs["present"]):
        kept += there
        if there and kept > 2:
            inputs["present"][position] = 0
    inputs["half"] = 0


def _change(name: str, *path: int, by: int = 1) -> Callable[[dict[str, Any]], None]:
    def change(inputs: dict[str, Any]) -> None:
        if not path:
            inputs[name] = (inputs[name] + by) % P
            return
        row = inputs[name]
        for index in path[:-1]:
            row = row[index]
        row[path[-1]] = (row[path[-1]] + by) % P

    return change


ATTACKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "the same signer twice": _swap_signature,
    "two of four oracles": _drop_to_two,
    "a price that was not signed": _change("prices", 0, 1),
    "a rate that was not signed": _change("rates", 0, 1),
    "a report of another slot": _change("slot"),
    "a report that follows another slot": _change("previousSlot", by=-1),
    "a median one above": _change("raw", 1),
    "a median one below": _change("raw", 1, by=-1),
    "a median of minus one": _change("raw", 0, by=-1),
    "a rate median one above": _change("rate", 1),
    "a higher rank": _change("half"),
    "another last mark": _change("previousTrading", 1, 1),
    "another last funding": _change("previousTrading", 1, 2),
    "another last section": _change("previousSections", 0),
    "softer maintenance": _change("terms", 1, 4, by=-1),
    "a wider jump limit": _change("terms", 1, 2),
    "an oracle's key replaced": _change("keys", 0, 0),
    "another tick posted": _change("tickHalves", 1),
    "another ledger": _change("domain"),
    "another evaluation": _change("y"),
    "another challenge": _change("r"),
    "another commitment": _change("C"),
    "present twice over": _change("present", 0),
}


BINDING = ("another evaluation", "another challenge", "another commitment")


@pytest.mark.parametrize("name", list(ATTACKS))
def test_attack_leaves_it_unsatisfied(name: str) -> None:
    inputs = copy.deepcopy(crash()[1].inputs)
    ATTACKS[name](inputs)
    places = broken(inputs)
    assert places
    # What is posted binds to a statement that is refused for its own sake, too.
    if name not in BINDING:
        assert any("posted.circom" not in place for place in places), places


def test_every_posted_state_wire_is_held() -> None:
    """Shift quotients and remainders, negate, add: any single wire changed breaks a constraint, but free inverses."""
    witness = bench().system.elements(bench().checked.compute(crash()[1].inputs))
    free = 0
    wires = range(1, bench().system.header.wires, 211)
    for wire in wires:
        value = witness[wire]
        for other in {(value + 1) % P, -value % P, (value + (1 << 32)) % P} - {value}:
            if not bench().system.check_changed(witness, {wire: other}):
                free += 1
                break
    assert free <= len(wires) // 20
