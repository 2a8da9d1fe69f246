# SPDX-License-Identifier: GPL-3.0-or-later
"""A compiled circuit as a judge: what its constraint system says of inputs, honest or not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from zkmargin.circuits.compile import Artifacts, compile_circuit
from zkmargin.circuits.r1cs import ConstraintSystem, SignalNames
from zkmargin.circuits.registry import circuit
from zkmargin.proving.witness import WitnessGenerator


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


@cache
def judge_of(name: str, profile: str, units: int | None = None) -> Judge:
    """The judge of a circuit, compiled once."""
    artifacts = compile_circuit(circuit(name, profile, units))
    return Judge(
        artifacts,
        ConstraintSystem(artifacts.r1cs),
        SignalNames(artifacts.sym),
        WitnessGenerator(artifacts),
        WitnessGenerator(artifacts, checked=False),
    )
