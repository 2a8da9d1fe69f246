# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger with an unhealthy account on a node, the honest batches that cover it, forged ones at each stage.

The contract's genesis is the ledger as it stands after a rise of prices, so that the story begins there. Its
stages:

- squeezed: Alice, who is short, is below maintenance; all was swept and carried before.
- mended: she has bought back what she owed, which cleared her page; another page is within its radius still.
- swept: her page is swept.
- carried: its block is carried.
- covered: the tick is covered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from circuits.coverage import scenes
from circuits.judge import judge_of
from circuits.settle.world import BTC, ETH, GOLD, World
from contracts.ledger import OPERATOR, SLOT_SECONDS, Bench, ledger_bench, oracles
from zkmargin.chain.client import Batch
from zkmargin.chain.deploy import Genesis
from zkmargin.circuits.settle_inputs import Posting
from zkmargin.engine.margin import risk
from zkmargin.oracle.reports import Board, make_report
from zkmargin.protocol.constants import FINE
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Tick
from zkmargin.protocol.words import domain_word
from zkmargin.proving.backends.native import Native
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.covering import make_coverage
from zkmargin.sequencer.drafting import bind
from zkmargin.sequencer.ticking import make_tick_batch

ALICE, BOB = 16, 17
STAGES = ("squeezed", "mended", "swept", "carried", "covered")
SQUEEZE = 67_000_000
Inputs = dict[str, Any]


@dataclass
class Story:
    """A deployed ledger, its state at each stage, and the honest batch that leads to a stage."""

    bench: Bench
    keys: dict[str, CircuitKeys]
    prover: Native
    anchor: Tick
    worlds: dict[str, World]
    batches: dict[str, Batch]

    @contextmanager
    def at(self, stage: str) -> Iterator[World]:
        """The chain at a stage, undone afterwards, and the state it stands for."""
        snapshot = self.bench.node.snapshot()
        try:
            for passed in STAGES[1 : STAGES.index(stage) + 1]:
                self.bench.client.post(OPERATOR, self.batches[passed])
            assert self.bench.client.state().root == self.worlds[stage].ledger.root()
            yield self.worlds[stage]
        finally:
            self.bench.node.revert(snapshot)

    def prove(self, circuit: str, inputs: Inputs, posting: Posting, breaks: tuple[str, ...] = ()) -> Batch:
        """The batch with a proof of its witness, which breaks these constraints; nobody verifies it here."""
        judge = judge_of(circuit, "small")
        witness = judge.lenient.compute(inputs)
        failed = [str(failure) for failure in judge.lenient.failures]
        assert bool(judge.system.check(witness)) is bool(breaks)
        assert all(any(line in place for line in breaks) for place in failed), failed
        assert all(any(line in place for place in failed) for line in breaks), failed
        proof = self.prover.prove(self.keys[circuit], witness)
        assert proof.public == tuple(posting.signals().values())
        return Batch(circuit, posting.words, posting.commitment, proof)

    def forged(self, circuit: str, make: Callable[[], Inputs], breaks: tuple[str, ...]) -> Batch:
        """The batch of forged inputs, with the words they were bound to last."""
        bound: list[Posting] = []

        def noted(words: list[int], chain_id: int, domain: int) -> Posting:
            bound.append(bind(words, chain_id, domain))
            return bound[-1]

        with mock.patch.object(scenes, "bind", noted):
            inputs = make()
        return self.prove(circuit, inputs, bound[-1], breaks)

    def next_tick(self) -> Batch:
        """The tick of the next slot, with prices a little higher, reported by a quorum and proved."""
        world = self.worlds["covered"]
        slot, domain, terms = world.tick.slot + 1, world.domain, world.params
        size, quorum = world.profile.instruments, world.profile.quorum
        quotes = {BTC: SQUEEZE + 1_000, ETH: 30_000_000, GOLD: 2_000_000}
        prices = [quotes.get(k, 0) * FINE for k in range(size)]
        board = Board(domain, terms, quorum, slot, world.tick.slot)
        for signer, key in enumerate(oracles(world.profile)[:quorum]):
            board.add(make_report(key, signer, domain, terms, slot, world.tick.slot, prices, [0] * size))
        chain_id = self.bench.node.chain_id
        made = make_tick_batch(chain_id, domain, terms, world.profile, world.tick, board.quorate())
        self.bench.node.advance_to(slot * SLOT_SECONDS + 1)
        return self.prove("tick", made.inputs, made.posting)


def _squeezed() -> tuple[World, Tick]:
    """The ledger after the rise, and the tick at which all of it was swept and carried before."""
    world = World()
    keys = tuple((pair.ax, pair.ay) for pair in oracles(world.profile))
    world.params = replace(world.params, oracle_keys=keys)
    scenes.traded(world, others=80)
    world.run(*world.trade(BOB, ALICE, BTC, 800, world.mark(BTC)))
    anchor = scenes.swept(world, 0, 1)
    scenes.carry(world)
    world.prices({BTC: 64_000_000})
    world.prices({BTC: SQUEEZE})
    world.ledger.checkpoint()
    assert risk(world.ledger.account(ALICE), world.tick).health < 0
    return world, anchor


@contextmanager
def told() -> Iterator[Story]:
    """The story on a node of its own, its honest batches proved."""
    keys = profile_keys("small")
    verifying = {name: key.verification_key for name, key in keys.items()}
    world, anchor = _squeezed()
    genesis = Genesis(world.ledger.root(), tick_hash(world.tick), world.tick.slot)
    with ledger_bench(genesis=genesis, verifying_keys=verifying, terms=world.params) as bench:
        world.domain = domain_word(bench.node.chain_id, bench.client.address)
        story = Story(bench, keys, Native(), anchor, {}, {})

        def reached(stage: str, circuit: str, made: Any) -> None:
            world.ledger.checkpoint()
            story.worlds[stage] = deepcopy(world)
            story.batches[stage] = story.prove(circuit, made.inputs, made.posting)

        story.worlds["squeezed"] = deepcopy(world)
        trade = world.trade(ALICE, BOB, BTC, 400, world.mark(BTC))
        settle = world.batch(trade, touches=world.profile.touches)
        world.run(*trade)
        reached("mended", "settle", settle)
        reached("swept", "sweep", scenes.sweep(world, 0))
        (carry,) = scenes.carry(world, anchor)
        reached("carried", "carry", carry)
        moved = scenes.moved_since(world, anchor)
        reached("covered", "coverage", make_coverage(world.ledger, moved, world.domain, bench.node.chain_id))
        yield story
