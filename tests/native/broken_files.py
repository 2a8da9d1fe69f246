# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged keys, constraint systems and witnesses, and what the kernel must make of each.

A case is good or bad by a rule of its own, not by what the kernel says:

* a file that `strict_reader` refuses must raise ValueError, one that it reads must not;
* a key that was read must prove: validly if nothing the proof depends on has changed, else not;
* a system that was read gives a key under which a witness has a valid proof if and only if it meets it;
* a witness is refused by its length, its first word and its range, else as for the system.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from native.mutations import WORDS, Mutator
from native.strict_reader import SCALARS, Refused, read_key, read_system
from native.systems import System, random_system
from zkmargin.protocol.poseidon import to_integers, to_words
from zkmargin.proving.proof import Proof
from zkmargin.proving.verify import verify_groth16py
from zkmargin.proving.zkey import vkey_from_zkey

SHAPES = [(1, 1, 1), (5, 2, 2), (12, 3, 3), (70, 2, 3)]
"""Constraints, public signals, terms: domains of 4 to 128, below and above the least that is vectorised."""


@dataclass
class Good:
    """A system, its key and the key's verifying key."""

    system: System
    zkey: bytes
    vkey: dict[str, Any]


def good_files(kernel: ModuleType, folder: Path) -> list[Good]:
    found = []
    for number, (constraints, public, terms) in enumerate(SHAPES):
        system = random_system(number, constraints, public, terms)
        assert system.holds()
        path = system.write(folder, f"good{number}")
        zkey = path.with_suffix(".zkey")
        kernel.dev_setup([(str(path), str(zkey))])
        found.append(Good(system, zkey.read_bytes(), vkey_from_zkey(zkey)))
    return found


class Fuzzer:
    """Runs cases by number, most with the fastest kernel build, some with each other."""

    def __init__(self, kernel: ModuleType, folder: Path) -> None:
        self.kernel, self.folder = kernel, folder
        self.good = good_files(kernel, folder)
        self.path, self.made = folder / "broken", folder / "made.zkey"
        self.effects = [read_key(good.zkey).effect(good.system.witness) for good in self.good]

    def run(self, kind: str, cases: range) -> Counter[str]:
        """What became of the cases; AssertionError naming the case that went wrong."""
        case: Callable[[random.Random], str] = getattr(self, kind)
        outcomes: Counter[str] = Counter()
        archs = self.kernel.archs()
        for number in cases:
            self.kernel.select(archs[0 if number % 4 else number // 4 % len(archs)])
            try:
                outcomes[case(random.Random(f"{kind} {number}"))] += 1
            except Exception as error:
                raise AssertionError(f"{kind} case {number}: {error!r}") from error
            finally:
                self.kernel.select("auto")
        return outcomes

    def key(self, source: random.Random) -> str:
        number = source.randrange(len(self.good))
        good = self.good[number]
        data = Mutator(source).mutate(good.zkey)
        self.path.write_bytes(data)
        try:
            expected = read_key(data)
        except Refused:
            return self._refused(lambda: self.kernel.Prover(str(self.path), source.choice([1, 2])))
        prover = self.kernel.Prover(str(self.path), source.choice([1, 2]))
        assert (prover.wires, prover.public_signals) == (expected.wires, expected.public)
        witness = good.system.witness
        if expected.wires != len(witness):
            outcome = self._refused(lambda: prover.prove(good.system.witness_bytes()))
            prover.prove(to_words([*witness, *witness][: expected.wires]))
            return f"witness {outcome}"
        data = prover.prove(good.system.witness_bytes(), source.choice([1, 2]))
        valid = self._verifies(data, good.system, good.vkey)
        same = expected.effect(witness) == self.effects[number]
        assert valid == same, f"the proof is valid: {valid}; the key means the same: {same}"
        return "same" if same else "other"

    def constraints(self, source: random.Random) -> str:
        good = source.choice(self.good)
        data = Mutator(source).mutate(good.system.r1cs())
        self.path.write_bytes(data)
        pairs = [(str(self.path), str(self.made))]
        try:
            system = read_system(data, good.system.witness)
        except Refused:
            return self._refused(lambda: self.kernel.dev_setup(pairs))
        self.kernel.dev_setup(pairs, source.choice([1, 2]))
        data = self.kernel.Prover(str(self.made)).prove(system.witness_bytes())
        valid = self._verifies(data, system, vkey_from_zkey(self.made))
        assert valid == system.holds(), f"the proof is valid: {valid}"
        return "holds" if valid else "other"

    def witness(self, source: random.Random) -> str:
        number = source.randrange(len(self.good))
        good = self.good[number]
        data = self._changed_witness(source, good.system.witness_bytes())
        prover = self._prover(number)
        words = to_integers(data) if len(data) == 32 * prover.wires else []
        if not words or words[0] != 1 or max(words) >= SCALARS:
            return self._refused(lambda: prover.prove(data))
        system = System(good.system.public, good.system.constraints, words)
        valid = self._verifies(prover.prove(data, source.choice([1, 2])), system, good.vkey)
        assert valid == system.holds(), f"the proof is valid: {valid}"
        return "holds" if valid else "other"

    @staticmethod
    def _changed_witness(source: random.Random, data: bytes) -> bytes:
        at = source.randrange(len(data) // 32)
        match source.randrange(6):
            case 0:
                return data[: source.randrange(len(data))]
            case 1:
                return data + source.randbytes(source.choice([1, 31, 32, 64]))
            case 2:
                at = source.randrange(len(data))
                return data[:at] + bytes([data[at] ^ (1 << source.randrange(8))]) + data[at + 1 :]
            case 3:
                word = source.choice(WORDS)
            case 4:
                word = (to_integers(data)[at] + source.choice([SCALARS, 1, 0])) % 2**256
            case _:
                word = source.randrange(SCALARS)
        return data[: 32 * at] + word.to_bytes(32, "little") + data[32 * at + 32 :]

    def _prover(self, number: int) -> Any:
        return self.kernel.Prover(str(self.folder / f"good{number}.zkey"))

    @staticmethod
    def _refused(call: Callable[[], object]) -> str:
        try:
            call()
        except ValueError:
            return "refused"
        raise AssertionError("accepted what is malformed")

    @staticmethod
    def _verifies(data: bytes, system: System, vkey: dict[str, Any]) -> bool:
        return verify_groth16py(Proof.from_bytes(data, system.signals()), vkey)
