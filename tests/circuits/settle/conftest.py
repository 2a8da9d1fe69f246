# SPDX-License-Identifier: GPL-3.0-or-later
"""The settle circuit with room for three touches, and ways to ask it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from circuits.settle.forge import Forgery
from circuits.settle.world import World
from zkmargin.circuits.compile import Artifacts, compile_circuit
from zkmargin.circuits.r1cs import ConstraintSystem, SignalNames
from zkmargin.circuits.registry import circuit
from zkmargin.protocol.model import Touch
from zkmargin.proving.witness import WitnessGenerator

TOUCHES = 3


@dataclass
class Judge:
    """The constraint system's verdict on inputs, honest or not."""

    artifacts: Artifacts
    system: ConstraintSystem
    names: SignalNames
    strict: WitnessGenerator
    lenient: WitnessGenerator

    def accepts(self, inputs: dict[str, Any]) -> list[int]:
        """The witness as ints; fails unless generator and constraint system accept it."""
        witness = self.system.elements(self.strict.compute(inputs))
        assert self.system.check(witness) == []
        return witness

    def refuses(self, inputs: dict[str, Any], *because: str) -> None:
        """Fails unless the constraint system refuses the inputs, also at places that contain `because`.

        A place is told as template, file, line number and text of the line.
        """
        witness = self.lenient.compute(inputs)
        assert self.system.check(witness), "the constraint system accepts it"
        lines = [str(failure) for failure in self.lenient.failures]
        for text in because:
            assert any(part in line for line in lines for part in text.split("|")), (
                f"expected {text!r} among {lines}"
            )


@pytest.fixture(scope="session")
def judge() -> Judge:
    artifacts = compile_circuit(circuit("settle", "small", TOUCHES))
    return Judge(
        artifacts,
        ConstraintSystem(artifacts.r1cs),
        SignalNames(artifacts.sym),
        WitnessGenerator(artifacts),
        WitnessGenerator(artifacts, checked=False),
    )


@pytest.fixture
def world() -> World:
    return World()


Accept = Callable[..., list[int]]
Refuse = Callable[..., None]


@pytest.fixture
def accept(judge: Judge, world: World) -> Accept:
    """Ask whether an honest batch is accepted; forging it from its touches must give the same inputs."""

    def ask(*operations: list[Touch]) -> list[int]:
        batch = world.batch(*operations, touches=TOUCHES)
        forged = Forgery(world, TOUCHES)
        for operation in operations:
            for touch in operation:
                forged.add(touch)
        assert forged.inputs() == batch.inputs
        return judge.accepts(batch.inputs)

    return ask


@pytest.fixture
def refuse(judge: Judge, world: World) -> Refuse:
    """Ask whether forged touches are refused, at lines that contain the given texts."""

    def ask(touches: list[Touch], *because: str, **after: Any) -> None:
        forged = Forgery(world, TOUCHES)
        for touch in touches:
            forged.add(touch, **(after if touch is touches[0] else {}))
        judge.refuses(forged.inputs(), *because)

    return ask
