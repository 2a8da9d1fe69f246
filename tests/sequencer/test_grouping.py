# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes out in one transaction: no more than one tick, nor than a transaction and a block can take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zkmargin.protocol.constants import load
from zkmargin.sequencer.grouping import (
    BATCH_GAS,
    TOUCH_GAS,
    TRANSACTION_GAS,
    most_gas,
    next_group,
    transaction_room,
)
from zkmargin.sequencer.journal import BatchHead, BatchState

SMALL, MAIN = load().profile("small"), load().profile("main")
MEASURED = json.loads(Path(__file__).parents[1].joinpath("contracts/gas.json").read_text())
BLOCK = 36_000_000
SHIPPED_BYTES = 128 * 1024


def heads(circuits: str, state: BatchState = BatchState.PROVED) -> list[BatchHead]:
    """Open batches of one slot by the first letters of their circuits."""
    names = {"t": "tick", "s": "settle", "w": "sweep", "r": "regroup", "c": "coverage"}
    return [BatchHead(number, names[letter], state, 7, 0) for number, letter in enumerate(circuits, 1)]


def sizes(open_batches: list[BatchHead], room: int, profile=SMALL) -> list[int]:
    """Batches of each transaction till all are out."""
    found = []
    while group := next_group(open_batches, True, room, profile):
        assert group == open_batches[: len(group)]
        assert len(group) == 1 or sum(most_gas(head.circuit, profile) for head in group) <= room
        found.append(len(group))
        open_batches = open_batches[len(group) :]
    return found


@pytest.mark.parametrize("profile", [SMALL, MAIN])
def test_no_batch_takes_more_than_it_counts_with(profile) -> None:
    """By the gas measured on a node, of every kind of batch and of everything a touch may pay."""
    measured = MEASURED[profile.name]
    for name, gas in measured.items():
        kind = name.split(",")[0]
        if kind in ("tick", "sweep", "regroup", "coverage"):
            assert gas <= BATCH_GAS, name
    idle = measured["settle, no-ops only"]
    assert max(idle, measured["settle, all touches trades"]) <= BATCH_GAS
    for one in ("1 deposit performed", "1 deposit refused", "1 withdrawal, new claim"):
        assert measured[f"settle, {one}"] - idle <= TOUCH_GAS


@pytest.mark.parametrize("profile", [SMALL, MAIN])
@pytest.mark.parametrize("circuit", ["settle", "sweep", "regroup"])
def test_a_full_transaction_is_passed_on(profile, circuit: str) -> None:
    """Its calldata: 32 bytes a word, the proof's eight words, six a deposit, and the ABI's own."""
    layout = load().words[circuit]
    units = {"settle": profile.touches, "sweep": profile.sweep_pages, "regroup": profile.regroup_pages}
    words = len(layout.fixed) + len(layout.repeated) * units[circuit]
    entries = 6 * profile.touches if circuit == "settle" else 0
    count = transaction_room(BLOCK) // most_gas(circuit, profile)
    assert count * 32 * (words + 8 + entries + 10) < SHIPPED_BYTES


def test_what_a_transaction_holds() -> None:
    room = transaction_room(BLOCK)
    assert transaction_room(3 * TRANSACTION_GAS) == room < TRANSACTION_GAS
    assert sizes(heads("tsswwc"), room) == [6]
    assert sizes(heads("t" + "w" * 11 + "c"), room, MAIN) == [13]  # 4,096 accounts, all swept
    assert sizes(heads("t" + "s" * 40 + "wc"), room) == [13, 12, 12, 6]
    assert sizes(heads("tsctsc"), room) == [3, 3]
    assert sizes(heads("ts"), 1) == [1, 1]  # one goes out whatever it takes


def test_a_smaller_block_takes_less() -> None:
    for limit in (1_000_000, 5_000_000, 12_000_000):
        assert sum(sizes(heads("t" + "s" * 20 + "c"), transaction_room(limit))) == 22


def test_only_what_is_ready_goes() -> None:
    room = transaction_room(BLOCK)
    ready, planned = heads("tswc"), heads("tswc", BatchState.PLANNED)
    assert next_group([*ready[:3], planned[3]], True, room, SMALL) == []
    assert next_group(ready[:3], False, room, SMALL) == []  # its coverage is still to come
    assert next_group(ready, False, room, SMALL) == ready
    assert next_group([*ready, *planned], False, room, SMALL) == ready
    sent = heads("ts", BatchState.SENT)
    assert next_group([*sent, *ready[2:]], False, room, SMALL) == sent
