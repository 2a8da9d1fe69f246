# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates of the tick circuit compiled alone, and with other hints than their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from zkmargin.circuits.compile import Artifacts, compile_circuit
from zkmargin.circuits.r1cs import ConstraintSystem, SignalNames
from zkmargin.circuits.registry import circuit
from zkmargin.proving.witness import Inputs, WitnessGenerator


@dataclass(frozen=True)
class Part:
    """A compiled template: a witness generator without assertions, the constraints, the wires' names."""

    artifacts: Artifacts
    generator: WitnessGenerator
    system: ConstraintSystem
    names: SignalNames

    def witness(self, inputs: Inputs) -> list[int]:
        """All wires for these inputs, as the template's own hints have them."""
        return self.system.elements(self.generator.compute(inputs))

    def value(self, witness: list[int], name: str) -> int:
        """The wire of `main.<name>`."""
        return witness[self.names.wire_of[f"main.{name}"]]

    def wires(self) -> range:
        """Every wire but the constant."""
        return range(1, self.system.header.wires)


def _compiled(source: str, template: str, arguments: tuple[int, ...], first: Path | None) -> Artifacts:
    base = circuit("tick", "small")
    search = base.search if first is None else (first, *base.search)
    return compile_circuit(
        replace(
            base,
            name=template.lower(),
            source=source,
            template=template,
            arguments=arguments,
            public_signals=(),
            search=search,
        )
    )


def part(source: str, template: str, *arguments: int, first: Path | None = None) -> Part:
    """The template; files below `first` stand in for those of the project."""
    artifacts = _compiled(source, template, arguments, first)
    generator = WitnessGenerator(artifacts, checked=False)
    return Part(artifacts, generator, ConstraintSystem(artifacts.r1cs), SignalNames(artifacts.sym))


@cache
def instrument() -> Part:
    return part("tick/instrument.circom", "NextInstrument")
