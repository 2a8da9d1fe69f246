# SPDX-License-Identifier: GPL-3.0-or-later
"""Random operations through the circuit: what the rules allow satisfies it, what they refuse does not.

1,300 allowed operations in batches, each batch with the root that the engine computes; 700 refused ones, each
as the witness of whoever skipped the rule (`Forgery`): the constraint system must be unsatisfied.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from circuits.judge import Judge, judge_of
from circuits.settle.forge import Forgery
from circuits.settle.world import CHAIN
from support.broken_ops import MAKERS, broken
from support.random_ops import Case, RandomWorld
from zkmargin.engine.transition import REFUSALS
from zkmargin.errors import BadInput, InternalError
from zkmargin.protocol.constants import Op, load
from zkmargin.sequencer.drafting import Draft

SMALL = load().profile("small")
ALLOWED, REFUSED = 1300, 700
SEEDS = range(10)
TOUCHES, FORGED = 12, 3
# Refusals that no witness can even be written down for, by their code.
ELSEWHERE = {
    "queue_order": "the contract takes its queue's entries in order and writes their words itself",
    "malformed": "a field that does not fit its place in a word has no posting",
    "range": "a leaf or instrument outside the tables has no opening",
    "no_free_slot": "there is no slot to write it to (test_attacks_signed tries a slot in use)",
    "size_range": "a leaf holds no such magnitude",
    "nonce": "a leaf holds no nonce of 33 bits; the last one is tested in test_attacks_signed",
}
_CHUNK = 2000


def _batches(world: RandomWorld, operations: int) -> Counter[int]:
    """Prove-ready batches of random operations until so many are done; how often each opcode occurred."""
    judge, seen, done = judge_of("settle", "small", TOUCHES), Counter[int](), 0
    while done < operations:
        draft = Draft(world.ledger, world.tick, world.domain)
        while done < operations:
            case = world.valid()
            if len(case.touches) > draft.room:
                break
            seen.update(int(effect.touch.op) for effect in draft.add(case.touches))
            done += 1
        batch = draft.finish(CHAIN)
        judge.accepts(batch.inputs)
        world.ledger.checkpoint()
        world.advance()
    return seen


@pytest.mark.parametrize("seed", SEEDS)
def test_allowed_operations(seed: int) -> None:
    world = RandomWorld(replace(SMALL, touches=TOUCHES), 100 + seed)
    seen = _batches(world, ALLOWED // len(SEEDS))
    assert seen.keys() >= {Op.DEPOSIT, Op.WITHDRAW, Op.TRADE, Op.TRADE_MATCH, Op.LIQUIDATE}


def forged(world: Any, case: Case, maker: Any = Forgery) -> dict[str, Any] | None:
    """The witness inputs of a refused operation, None where there can be none."""
    made = maker(world, FORGED)
    try:
        for touch in case.touches:
            made.add(touch)
        return made.inputs()
    except (AssertionError, BadInput, InternalError, IndexError, OverflowError, ValueError):
        world.ledger.rollback()
        return None


def violated(judge: Judge, inputs: dict[str, Any]) -> bool:
    """Whether the constraint system is unsatisfied: looks until the first broken constraint."""
    witness = judge.system.elements(judge.lenient.compute(inputs))
    count = len(judge.system)
    return any(
        judge.system.check(witness, range(start, min(start + _CHUNK, count)))
        for start in range(0, count, _CHUNK)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_refused_operations(seed: int) -> None:
    """Each code of refusal in turn, as often as the ledger offers an occasion."""
    world = RandomWorld(replace(SMALL, touches=FORGED), 200 + seed)
    judge = judge_of("settle", "small", FORGED)
    wanted, found, accepted = REFUSED // len(SEEDS), Counter[str](), list[Case]()
    codes = sorted(set(MAKERS) - ELSEWHERE.keys())
    while sum(found.values()) < wanted:
        for _ in range(6):
            world.run(world.valid().touches)
        world.ledger.checkpoint()
        for code in sorted(world.rng.sample(codes, 6), key=lambda code: found[code]):
            case = broken(world, code)
            inputs = forged(world, case) if case and len(case.touches) <= FORGED else None
            if case and inputs is not None:
                found[case.code] += 1
                if not violated(judge, inputs):
                    accepted.append(case)
        world.advance()
    assert accepted == []
    assert len(found) > len(codes) // 3


def test_every_refusal_has_its_place() -> None:
    """Refusals are the circuit's, but for those that stand above with the reason."""
    assert ELSEWHERE.keys() <= REFUSALS.keys()
    assert all(reason for reason in ELSEWHERE.values())
