# SPDX-License-Identifier: GPL-3.0-or-later
"""The next state of one instrument: the engine's for all inputs in range, and no other whatever the hints."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from circuits.tick.bench import next_row
from circuits.tick.parts import Part, instrument, part
from support.market import collateral, perpetual, rates
from zkmargin.protocol.constants import LIMITED, MIN_PRICE, RATE_ONE, P
from zkmargin.protocol.model import InstrumentParams, InstrumentTick
from zkmargin.toolchain import home

TOP = (1 << 64) - 1
RATE_TOP = (1 << 39) - 1
CASES = 700
PERP = perpetual("P", (5, 50, 500), rates("0.02", "0.03", "0.05", "1"), rates("0.04", "0.06", "0.1", "1"))
GOLD = collateral("G", "0.15")
Case = tuple[InstrumentParams, InstrumentTick, int, int, int]


def inputs(params: InstrumentParams, before: InstrumentTick, raw: int, rate: int, gap: int) -> dict[str, Any]:
    return {
        "flags": params.flags, "haircut": params.haircut, "jump": params.jump, "cap": params.funding_cap,
        "mmr": list(params.mmr), "imr": list(params.imr), "bounds": list(params.bounds),
        "mark0": before.mark, "funding0": before.funding, "raw": raw, "rate": rate + (1 << 39), "gap": gap,
    }  # fmt: skip


def outputs(row: InstrumentTick) -> list[int]:
    fields = [row.flags, row.mark, row.funding, *row.bounds, row.equity, row.worst_long, row.worst_short]
    return [value % P for value in (*fields, *row.maintenance, *row.initial, row.move)]


def agrees(made: Part, case: Case) -> list[int]:
    """The witness, satisfied and with the engine's outputs."""
    witness = made.witness(inputs(*case))
    assert made.system.check(witness) == [], case
    expected = next_row(*case)
    assert [made.value(witness, f"row[{k}]") for k in range(18)] == outputs(expected), case
    assert made.value(witness, "limited") == bool(expected.flags & LIMITED)
    return witness


def at_random(count: int, seed: int) -> Iterator[Case]:
    """Inputs of all sizes, one in three at an end of its range or beside it."""
    source = random.Random(seed)

    def below(bits: int, low: int = 0) -> int:
        top = (1 << bits) - 1
        if source.random() < 1 / 3:
            return source.choice(
                [low, low + 1, top - 1, top, max(low, min(top, MIN_PRICE + source.randrange(-1, 2)))]
            )
        return max(low, source.randrange(1 << source.randrange(1, bits + 1)))

    def rate() -> int:
        return source.choice(
            [0, 1, RATE_ONE, RATE_ONE - 1, source.randrange(RATE_ONE), source.randrange(1 << 20)]
        )

    for _ in range(count):
        kind = source.choice([PERP, PERP, GOLD, InstrumentParams()])
        if kind is PERP:
            jump, cap = max(rate(), 1 << 12), rate()
            mmr, imr = (tuple(rate() for _ in range(4)) for _ in range(2))
            kind = replace(PERP, jump=jump, funding_cap=cap, mmr=mmr, imr=imr)
        elif kind is GOLD:
            kind = replace(GOLD, haircut=rate(), jump=max(rate(), 1 << 12))
        mark = source.choice([0, below(64, MIN_PRICE), below(64, MIN_PRICE)]) if kind.flags else 0
        funding = source.choice([-1, 1]) * below(64) if mark and kind.flags == 1 else 0
        raw = below(64)
        if mark and source.random() < 0.5:  # near a limit
            gap = source.choice([1, 2, 3])
            edge = mark + source.choice([-1, 1]) * (mark * kind.jump * gap // RATE_ONE)
            raw = max(0, min(TOP, edge + source.randrange(-2, 3)))
            yield (
                kind,
                InstrumentTick(mark=mark, funding=funding),
                raw,
                source.choice([-1, 1]) * below(39),
                gap,
            )
        else:
            yield (
                kind,
                InstrumentTick(mark=mark, funding=funding),
                raw,
                source.choice([-1, 1]) * below(39),
                below(16, 1),
            )


def test_agrees_with_the_engine() -> None:
    for case in at_random(CASES, seed=1):
        agrees(instrument(), case)


@pytest.mark.slow
def test_agrees_with_the_engine_at_length() -> None:
    for case in at_random(20_000, seed=2):
        agrees(instrument(), case)


TERMS = {
    "perpetual": PERP,
    "perpetual that barely moves": replace(PERP, jump=1 << 12),
    "perpetual of widest terms": replace(PERP, jump=RATE_ONE, funding_cap=RATE_ONE),
    "collateral": GOLD,
    "worthless collateral": replace(GOLD, haircut=RATE_ONE),
    "unlisted": InstrumentParams(),
}


@pytest.mark.parametrize("params", TERMS.values(), ids=TERMS)
def test_never_stalls_at_the_ends_of_all_ranges(params: InstrumentParams) -> None:
    marks = [0, MIN_PRICE, MIN_PRICE + 1, TOP] if params.flags else [0]
    for mark in marks:
        for funding in (0, TOP, -TOP) if mark and params.flags == 1 else (0,):
            for raw in (0, 1, MIN_PRICE - 1, MIN_PRICE, TOP):
                for rate in (-RATE_TOP - 1, -1, 0, RATE_TOP):
                    for gap in (1, (1 << 16) - 1):
                        agrees(
                            instrument(), (params, InstrumentTick(mark=mark, funding=funding), raw, rate, gap)
                        )


HELD_UP: Case = (PERP, InstrumentTick(mark=3 << 50, funding=-12345), 1 << 50, -77, 2)
HELD_DOWN: Case = (PERP, InstrumentTick(mark=1 << 50, funding=1 << 45), 3 << 50, 123456, 1)
FREE: Case = (GOLD, InstrumentTick(mark=(1 << 50) + 12345), (1 << 50) + 99999, 0, 3)
SATURATED: Case = (
    replace(PERP, funding_cap=RATE_ONE),
    InstrumentTick(mark=TOP, funding=TOP - 5),
    TOP,
    RATE_ONE,
    9,
)
FIRST: Case = (PERP, InstrumentTick(), 12345 << 30, -55, 1)
EXAMPLES = {"held up": HELD_UP, "held down": HELD_DOWN, "free": FREE, "saturated": SATURATED, "first": FIRST}


@pytest.mark.parametrize("case", EXAMPLES.values(), ids=EXAMPLES)
def test_no_wire_can_be_changed_alone(case: Case) -> None:
    """Every wire, inputs and outputs too: one more, one less, negated, moved by 2^32 or by 2^64."""
    made = instrument()
    witness = agrees(made, case)
    free = set()
    for wire in made.wires():
        value = witness[wire]
        for other in {(value + step) % P for step in (1, -1, 1 << 32, 1 << 64)} | {-value % P}:
            if other != value and not made.system.check_changed(witness, {wire: other}):
                free.add(made.names.name(wire))
    # Before the first price: the inverse of 0 in an IsZero, and the jump limit (its hash binds it).
    assert free <= (set() if case[1].mark else {"main.unpriced.inv", "main.jump"})


# Wrong hints, each with all that follows from them: the quotient one less and one more, and of in + p.
Q, R = P >> 32, P % (1 << 32)
HINTS = {
    "one less": ("in \\ (1 << 32) - 1", "in % (1 << 32) + (1 << 32)"),
    "one more": ("in \\ (1 << 32) + 1", "in % (1 << 32) - (1 << 32)"),
    "of in + p": (
        f"in \\ (1 << 32) + {Q} + ((in % (1 << 32)) + {R}) \\ (1 << 32)",
        f"((in % (1 << 32)) + {R}) % (1 << 32)",
    ),
    "without a remainder": ("in / (1 << 32)", "0"),
}


@pytest.mark.parametrize("hint", HINTS)
def test_quotients_and_remainders_have_no_second_value(hint: str, tmp_path: Path) -> None:
    """Hint other pairs, with all else computed from them: the ranges of quotient and remainder break."""
    text = (home() / "circuits/lib/shift.circom").read_text()
    quotient, remainder = HINTS[hint]
    changed = text.replace("out <-- in \\ (1 << 32);", f"out <-- {quotient};")
    changed = changed.replace("r <-- in % (1 << 32);", f"r <-- {remainder};")
    assert f"out <-- {quotient};" in changed
    assert f"r <-- {remainder};" in changed
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/shift.circom").write_text(changed)
    forged, honest = part("tick/instrument.circom", "NextInstrument", first=tmp_path), instrument()
    assert forged.artifacts.r1cs.read_bytes() == honest.artifacts.r1cs.read_bytes()
    for case in EXAMPLES.values():
        witness = forged.generator.compute(inputs(*case))
        assert honest.system.check(witness), case
        places = {failure.template for failure in forged.generator.failures}
        assert "Num2Bits" in places
        if hint != "without a remainder":
            assert "ShiftDown" not in places, "quotient and remainder do add up"


def test_hash_is_of_all_outputs() -> None:
    """Another output with all else as it is breaks a constraint, each of the 18 and the flag."""
    made = instrument()
    witness = agrees(made, HELD_UP)
    for name in (*(f"row[{k}]" for k in range(18)), "limited"):
        wire = made.names.wire_of[f"main.{name}"]
        for other in (witness[wire] + 1, -witness[wire], 0, witness[wire] + (1 << 64)):
            if other % P != witness[wire]:
                assert made.system.check_changed(witness, {wire: other}), name
