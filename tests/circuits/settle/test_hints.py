# SPDX-License-Identifier: GPL-3.0-or-later
"""No hint is free: other values of the hints are refused; test_determinism.py shows that all else follows."""

from __future__ import annotations

import re

import pytest

from circuits.settle.scenes import crash, leg
from circuits.settle.world import BTC, LONG
from zkmargin.circuits.r1cs import MODULUS
from zkmargin.protocol.constants import Op


def liquidation(world):
    scene = crash(world)
    return [
        [
            leg(world, Op.LIQUIDATE, scene.alice, scene.least),
            world.bid(scene.carol, BTC, LONG, scene.least + 3, scene.least, 1),
        ],
        [world.withdraw(scene.bob, 5)],
    ]


class Tampered:
    """A witness with some wires changed, by name."""

    def __init__(self, judge, witness):
        self.judge, self.witness, self.changes = judge, witness, {}

    def wire(self, name):
        """The wire of a name; of signals that are the same the compiler keeps one name with a wire."""
        wire = self.judge.names.wire_of[name]
        assert wire >= 0, f"{name} is another name's wire"
        return wire

    def one_of(self, *names):
        """The one of these names of a signal that has the wire."""
        return next(name for name in names if self.judge.names.wire_of[name] >= 0)

    def __getitem__(self, name):
        return self.witness[self.wire(name)]

    def __setitem__(self, name, value):
        self.changes[self.wire(name)] = value % MODULUS

    def bits(self, name, count, value):
        """The bits of a Num2Bits as far as it has them."""
        for bit in range(count):
            self[f"{name}.out[{bit}]"] = value % MODULUS >> bit & 1

    def refused(self):
        self.judge.system.elements(self.witness)
        return bool(self.judge.system.check_changed(self.witness, self.changes))


@pytest.fixture
def tampered(world, judge, accept):
    witness = accept(*liquidation(world))
    return lambda: Tampered(judge, witness)


@pytest.mark.parametrize("shift", [-1, 1])
def test_the_penalty_share_is_one_quotient(tampered, shift):
    wires, base = tampered(), "main.touch[0].penalty.quotient"
    quotient, divisor, part = (
        wires[f"{base}.out"],
        wires["main.touch[0].penalty.divisor"],
        wires[f"{base}.part"],
    )
    remainder = wires[f"{base}.remainder.in"] - shift * divisor
    wires[f"{base}.out"] = quotient + shift
    wires[f"{base}.part"] = part + shift * divisor
    wires[f"{base}.remainder.in"] = remainder
    wires[f"{base}.slack.in"] = divisor - 1 - remainder
    wires.bits(f"{base}.quotient", 32, quotient + shift)
    wires.bits(f"{base}.remainder", 117, remainder)
    wires.bits(f"{base}.slack", 117, divisor - 1 - remainder)
    assert quotient > 0
    assert wires.refused()


def shifts(judge):
    found = (
        re.match(r"main\.touch\[0\]\.penalty\.MulShift_\d+_\d+\.shift", name) for name in judge.names.wire_of
    )
    bases = sorted({match.group() for match in found if match}, key=lambda base: int(base.split("_")[1]))
    return list(zip(bases, ("penalty.penalty", "penalty.penaltyTrial", "reward"), strict=True))


@pytest.mark.parametrize("kind", ["down", "up", "wrapped"])
def test_penalties_and_rewards_are_one_quotient(judge, tampered, kind):
    for base, output in shifts(judge):
        wires = tampered()
        product = wires[f"{base}.in"]
        total = product + MODULUS if kind == "wrapped" else product
        quotient = (total >> 32) + {"down": -1, "up": 1, "wrapped": 0}[kind]
        wires[f"main.touch[0].{output}"], wires[f"{base}.r"] = quotient, total - (quotient << 32)
        wires.bits(f"{base}.outBits", 117, quotient)
        wires.bits(f"{base}.rBits", 32, total - (quotient << 32))
        # Some constraint within the quotient refuses it, whatever becomes of the rest.
        inner = {w for name, w in judge.names.wire_of.items() if name.startswith(base)}
        inner |= {0, wires.wire(f"main.touch[0].{output}")}
        failed = judge.system.check_changed(wires.witness, wires.changes)
        assert any(set().union(*(judge.system.combination(i, k) for k in range(3))) <= inner for i in failed)


def test_the_side_of_a_position(tampered):
    for touch in (0, 1, 2):
        wires, base = tampered(), f"main.touch[{touch}].position"
        side, size = (
            wires.one_of(f"{base}.{name}", f"main.touch[{touch}].keeps.{name}")
            for name in ("newSide", "newX")
        )
        wires[side], wires[size], value = 1 - wires[side], -wires[size], wires[size]
        wires.bits(f"{base}.range", 48, -value)
        assert wires.refused()


def test_the_chosen_instrument(tampered):
    for index in range(1, 16):
        wires = tampered()
        for k in range(1, 16):
            wires[f"main.touch[0].hot.hot[{k}]"] = int(k == index)
        assert wires.refused() == (index != BTC)


CLAIMS = (
    "claim",
    "weights",
    "rows",
    "reserve",
    "nextId",
    "consumed",
    "pagesRoot",
    "slot",
    "time",
    "tau",
    "penaltyRate",
    "bidderShare",
    "domain",
    "rootHalves",
    "tickHalves",
    "newRootHalves",
    "C",
    "r",
    "y",
)


@pytest.mark.parametrize("name", CLAIMS)
def test_shared_inputs_are_bound(world, judge, accept, name):
    """Each input changed alone, as one wire: some constraint fails."""
    witness = accept(*liquidation(world))
    # Weights of instrument 0 are 0 and no wires.
    wires = [
        w for n, w in judge.names.wire_of.items() if w >= 0 and re.fullmatch(rf"main\.{name}(\[\d+\])*", n)
    ]
    assert wires
    for wire in wires:
        for value in (witness[wire] + 1, -witness[wire] if witness[wire] else 2):
            assert judge.system.check_changed(witness, {wire: value}), judge.names.name(wire)


@pytest.mark.parametrize(
    "name", ["claim", "weights", "balance", "x", "classBits", "nonce", "id", "addr", "owner"]
)
def test_other_accounts_are_refused_as_a_whole(world, judge, name):
    """The whole witness of inputs with one number changed."""
    inputs = world.batch(*liquidation(world), touches=3).inputs

    def bump(item, path):
        return (
            [bump(v, path[1:]) if i == path[0] else v for i, v in enumerate(item)]
            if path
            else (item + 1) % MODULUS
        )

    paths = {
        "claim": [[0, k] for k in range(4)],
        "weights": [[8], [16]],
        "x": [[0, 0], [0, 5]],
        "classBits": [[0, 0, 1], [0, 3, 4]],
    }.get(name, [[0], [1]])
    for path in paths:
        judge.refuses(inputs | {name: bump(inputs[name], path)})
