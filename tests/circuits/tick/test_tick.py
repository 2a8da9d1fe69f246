# SPDX-License-Identifier: GPL-3.0-or-later
"""The tick circuit on the real episode, and attacks on it: each leaves the constraint system unsatisfied."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from circuits.tick.bench import accepted, batch, bench, broken, crash, flat, genesis, honest, market
from zkmargin.protocol.constants import FINE, MIN_PRICE, P


def test_the_episode_ticks() -> None:
    tick = genesis()
    for number in range(1, 25, 3):
        made = honest(tick, tick.slot + (2 if number == 7 else 1))
        bench().checked.compute(made.inputs)
        tick = made.tick
    accepted(crash()[1].inputs)


@pytest.mark.parametrize(
    ("prices", "rate"),
    [
        ((0, 0, 0), 0),
        ((MIN_PRICE - 1,) * 3, -(1 << 39)),
        ((MIN_PRICE,) * 3, (1 << 39) - 1),
        (((1 << 64) - 1,) * 3, 1 << 38),
        ((1, MIN_PRICE, (1 << 64) - 1), -1),
    ],
)
@pytest.mark.parametrize("mark", [0, MIN_PRICE, FINE * 1000, (1 << 64) - 1])
@pytest.mark.parametrize("gap", [1, (1 << 16) - 1, 1 << 20])
def test_no_signed_report_stalls_it(prices: tuple[int, ...], rate: int, mark: int, gap: int) -> None:
    """Whatever a quorum signs in range, whatever the last mark and funding were, there is a next tick."""
    _, params = market()
    start = genesis()
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
    slot = previous.slot + gap
    reports = [flat(price, rate, slot, previous.slot, signer) for signer, price in enumerate(prices)]
    bench().checked.compute(batch(previous, slot, reports).inputs)


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


# Free where the input of an IsZero is 0, and where an AtMost sees or misses nothing: multiplied by 0 there.
FREE = (".inv", ".ratio[")


def test_no_wire_can_be_changed_alone() -> None:
    """One wire in 97, all kinds of them: added to, negated, moved by a multiple of 2^32."""
    witness, system, names = accepted(crash()[1].inputs), bench().system, bench().names
    for wire in range(1, system.header.wires, 97):
        value = witness[wire]
        others = {(value + 1) % P, -value % P, (value + (1 << 32)) % P} - {value}
        held = all(system.check_changed(witness, {wire: other}) for other in others)
        assert held or any(part in names.name(wire) for part in FREE), names.name(wire)
