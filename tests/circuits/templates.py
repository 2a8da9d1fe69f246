# SPDX-License-Identifier: GPL-3.0-or-later
"""Every template of circuits/ with the parameters at which it is compiled by itself, as data.

Parameters are the smallest at which every loop and branch of the template runs. The checks of what is in
`LARGE` take minutes and are left to the slow run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

from zkmargin.circuits.compile import Artifacts, compile_circuit
from zkmargin.circuits.determinism import Propagation
from zkmargin.circuits.r1cs import ConstraintSystem, SignalNames
from zkmargin.circuits.registry import circuit
from zkmargin.proving.witness import WitnessGenerator

SMALL: dict[str, tuple[str, tuple[int, ...]]] = {
    # name: source, parameters
    "OneHot": ("lib/onehot.circom", (4,)),
    "Position8": ("lib/merkle.circom", ()),
    "Node": ("lib/merkle.circom", ()),
    "Level": ("lib/merkle.circom", ()),
    "Climb": ("lib/merkle.circom", (2,)),
    "HeaderPath": ("lib/header_path.circom", (1, 1)),
    "Posted": ("lib/posted.circom", (3,)),
    "ShiftDown": ("lib/shift.circom", (40,)),
    "MulShift": ("lib/shift.circom", (117,)),
    "MulShiftUp": ("lib/shift.circom", (65,)),
    "AtMost": ("lib/atmost.circom", (8, 0b10110100, 0)),
    "BaseMul": ("lib/base_mul.circom", ()),
    "OnCurve": ("lib/curve.circom", ()),
    "EdwardsAdd": ("lib/curve.circom", ()),
    "EdwardsDouble": ("lib/curve.circom", ()),
    "ToMontgomery": ("lib/curve.circom", ()),
    "ToEdwards": ("lib/curve.circom", ()),
    "MontgomeryTwice": ("lib/curve.circom", ()),
    "ChallengeMul": ("lib/challenge_mul.circom", ()),
    "EdDSAVerify": ("lib/eddsa.circom", ()),
    "FloorDivide": ("lib/quotient.circom", (8, 16)),
    "Sponge": ("lib/sponge.circom", (1, 16)),
    "NonNegative": ("lib/sign.circom", (16,)),
    "PoseidonV": ("lib/poseidon.circom", (2,)),
    "LeafHash": ("lib/ledger.circom", ()),
    "PageHeader": ("lib/ledger.circom", ()),
    "BlockHeader": ("lib/ledger.circom", ()),
    "LedgerRoot": ("lib/ledger.circom", ()),
    "TickHash": ("lib/tick.circom", (2,)),
    "TickTop": ("lib/tick.circom", ()),
    "TickRoot": ("lib/tick.circom", ()),
    "MarginTable": ("lib/tick.circom", (2,)),
    "Tier": ("settle/tier.circom", ()),
    "TierNext": ("settle/tier.circom", ()),
    "Charge": ("settle/tier.circom", ()),
    "StoredCharge": ("settle/tier.circom", ()),
    "Position": ("settle/position.circom", ()),
    "OneStep": ("settle/position.circom", ()),
    "Row": ("settle/row.circom", (4,)),
    "Legs": ("settle/legs.circom", ()),
    "OpenAccount": ("settle/account.circom", (4,)),
    "Authority": ("settle/authority.circom", ()),
    "Deposit": ("settle/deposit.circom", (512,)),
    "Keep": ("settle/keep.circom", (4,)),
    "Penalty": ("settle/penalty.circom", ()),
    "Place": ("settle/place.circom", ()),
    "Path": ("settle/path.circom", (1, 1)),
    "TableCheck": ("settle/table.circom", (2, 4)),
    "Displacement": ("coverage/displacement.circom", (4,)),
    "Anchors": ("coverage/anchors.circom", (1, 2)),
    "Headers": ("coverage/headers.circom", (1, 2, 7, 9)),
    "MoveRatio": ("carry/ratio.circom", (4,)),
    "CarriedBlock": ("carry/block.circom", (1, 1, 2)),
    "PageTree": ("sweep/page.circom", (64,)),
    "Page": ("sweep/page.circom", (8,)),
    "SweepCheck": ("sweep/check.circom", (1, 2, 4)),
    "Permutation": ("regroup/permutation.circom", (1, 16)),
    "NextInstrument": ("tick/instrument.circom", ()),
    "LowerMedian": ("tick/median.circom", (4, 64)),
    "Report": ("tick/report.circom", (2,)),
}
LARGE: dict[str, tuple[str, tuple[int, ...]]] = {
    "Touch": ("settle/touch.circom", (4, 1, 1)),
    "Settle": ("settle/settle.circom", (1, 4, 1, 1)),
    "Sweep": ("sweep/sweep.circom", (1, 4, 1, 1)),
    "Coverage": ("coverage/coverage.circom", (1, 1, 4, 1)),
    "Regroup": ("regroup/regroup.circom", (2, 1, 1)),
    "Carry": ("carry/carry.circom", (1, 1, 1, 4, 2)),
    "Tick": ("tick/tick.circom", (2, 4, 1)),
}
# Template -> outputs that are inputs passed on: the compiler keeps the output's name for both.
PASSED: dict[str, tuple[str, ...]] = {"Touch": ("opens[0]", "opens[1]", "opens[2]", "opens[3]", "words[3]")}
# Inputs that one constraint says to be what the others make: what is searched for are the others.
SETTLED = ("C", "y", "pagesRoot", "rootHalves[1]", "newRootHalves[1]", "tickHalves[1]")
# Template -> checks of its own, at most, for which the search finds no witness that fails them alone. Of
# Touch's eight are lines that alone refuse an attack of tests/circuits/settle, and six another template's;
# Tick's are the bits of who reported: only keys that are no points could make others of them.
UNNOTICED = {"ChallengeMul": 1, "Touch": 25, "Tick": 2}


@dataclass(frozen=True)
class Template:
    """A template compiled by itself."""

    name: str
    artifacts: Artifacts

    @cached_property
    def system(self) -> ConstraintSystem:
        return ConstraintSystem(self.artifacts.r1cs)

    @cached_property
    def names(self) -> SignalNames:
        return SignalNames(self.artifacts.sym)

    @cached_property
    def generator(self) -> WitnessGenerator:
        """Goes on after failed assertions."""
        return WitnessGenerator(self.artifacts, checked=False)

    def parts(self, number: int) -> list[dict[int, int]]:
        """A, B and C of a constraint: wire -> coefficient."""
        return [self.system.combination(number, part) for part in range(3)]

    def inputs(self) -> list[int]:
        """The wires of its inputs."""
        passed = [self.names.wire_of[f"main.{name}"] for name in PASSED.get(self.name, ())]
        return [*Propagation(self.system).inputs(), *passed]

    def settled(self) -> set[int]:
        """The wires of those inputs that one constraint says to be what the others make."""
        return {self.names.wire_of.get(f"main.{name}", -1) for name in SETTLED} - {-1}


@cache
def template(name: str) -> Template:
    source, parameters = (SMALL | LARGE)[name]
    made = replace(
        circuit("settle", "small", 1),
        name=name.lower(),
        source=source,
        template=name,
        arguments=parameters,
        public_signals=(),
    )
    return Template(name, compile_circuit(made))
