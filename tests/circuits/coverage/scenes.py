# SPDX-License-Identifier: GPL-3.0-or-later
"""Ledgers to sweep, carry and cover, and batches made without asking whether they are true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from circuits.settle.world import BTC, CHAIN, ETH, GOLD, World
from zkmargin.circuits.coverage_inputs import carry_inputs, coverage_inputs, regroup_inputs, sweep_inputs
from zkmargin.circuits.settle_inputs import Before
from zkmargin.protocol.hashes import leaf_hash, tick_hash
from zkmargin.protocol.model import Tick
from zkmargin.protocol.words import carry_words, coverage_words, regroup_words, sweep_words
from zkmargin.sequencer.covering import (
    Displacements,
    carries,
    make_carry,
    make_coverage,
    make_sweep,
    survey,
    sweeps,
)
from zkmargin.sequencer.drafting import bind

MILLION = 1_000_000


def traded(world: World, others: int = 0) -> tuple[int, int, int]:
    """Alice long BTC against Bob, Carol with gold and a short of ETH; `others` more accounts with quote."""
    alice = world.open(b"alice", 3000 * MILLION)
    bob = world.open(b"bob", 90_000 * MILLION)
    carol = world.open(b"carol", 5000 * MILLION)
    world.credit(carol, 2_000, GOLD)
    world.run(*world.trade(alice, bob, BTC, 400, world.mark(BTC)))
    world.run(*world.trade(bob, carol, ETH, 300, world.mark(ETH)))
    for number in range(others):
        world.open(b"other%d" % number, (number + 1) * MILLION)
    return alice, bob, carol


def sweep(world: World, page: int = 0, radius: int | None = None) -> Any:
    """An honest sweep of a page, written into the world's ledger."""
    if radius is None:
        ((radius, _),) = sweeps(world.ledger, world.tick, [page])
    return make_sweep(world.ledger, world.tick, world.domain, CHAIN, radius, [page])


def swept(world: World, *pages: int) -> Tick:
    """Sweep pages; the tick they are anchored at."""
    for page in pages:
        sweep(world, page)
    world.ledger.checkpoint()
    return world.tick


def moved_since(world: World, *anchors: Tick) -> Displacements:
    """How far these ticks are from the present one."""
    return Displacements({tick_hash(tick): tick for tick in anchors}, world.tick)


def carry(world: World, *anchors: Tick) -> list[Any]:
    """Honest carries of all blocks that no header covers, written into the world's ledger."""
    moved = moved_since(world, *anchors)
    found = list(carries(world.ledger, moved, survey(world.ledger, moved)))
    return [make_carry(world.ledger, moved, world.domain, CHAIN, blocks) for blocks in found]


def coverage(world: World, *anchors: Tick) -> Any:
    """An honest coverage, once the blocks that need it are carried."""
    carry(world, *anchors)
    return make_coverage(world.ledger, moved_since(world, *anchors), world.domain, CHAIN)


def forged_sweep(world: World, page: int, radius: int, **claimed: Any) -> dict[str, Any]:
    """A sweep of a page, safe or not; the ledger is rolled back. `claimed`: other inputs."""
    ledger, tick = world.ledger, world.tick
    ledger.checkpoint()
    root, before, digest = ledger.root(), Before(ledger.pages_root, *ledger.scalars()), tick_hash(tick)
    opening = ledger.page(page)
    ledger.set_header(page, digest, radius)
    new_root = ledger.root()
    words = sweep_words(world.domain, root, digest, new_root, radius, [page], ledger.profile)
    posting = bind(words, CHAIN, world.domain)
    inputs = sweep_inputs(
        ledger.profile, tick, world.domain, root, new_root, before, radius, [opening], posting
    )
    ledger.rollback()
    return inputs | claimed


def forged_regroup(
    world: World,
    origins: Sequence[int],
    radius: int | None = None,
    pages: Sequence[int] = (0, 1),
    stands: Sequence[int] | None = None,
    header: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """A regroup of two pages, right or not; the ledger is rolled back.

    `stands`: whose leaf each place really gets, `origins` if not given; `header`: what is really written.
    """
    ledger, tick = world.ledger, world.tick
    ledger.checkpoint()
    root, before, digest = ledger.root(), Before(ledger.pages_root, *ledger.scalars()), tick_hash(tick)
    accounts = [account for page in pages for account in ledger.page(page).accounts]
    moved = [accounts[place] for place in (stands or origins)]
    written = header or ((0, 0) if radius is None else (ledger.header(pages[0])[0], radius))
    openings = []
    for number, page in enumerate(pages):
        openings.append(ledger.page(page))
        ledger.rearrange(page, moved[64 * number : 64 * number + 64], written)
    new_root = ledger.root()
    words = regroup_words(world.domain, root, digest, new_root, radius, pages, origins, ledger.profile)
    posting = bind(words, CHAIN, world.domain)
    held = stands or origins
    inputs = regroup_inputs(
        ledger.profile, digest, world.domain, root, new_root, before, radius, openings, held, posting
    )
    bits = [[origin >> bit & 1 for bit in range(12)] for origin in origins]
    leaves = [leaf_hash(account) for account in moved]
    ledger.rollback()
    return inputs | {"newLeaf": [leaves[:64], leaves[64:]], "originBits": [bits[:64], bits[64:]]}


def forged_carry(
    world: World,
    header: tuple[Tick, int],
    anchors: Sequence[tuple[Tick, int]] = (),
    block: int = 0,
    now: bool | None = None,
    **claimed: Any,
) -> dict[str, Any]:
    """A carry that writes `header` (tick, radius) to a block, right or not; the ledger is rolled back.

    `anchors`: older ticks with displacements as given; `now`: what is posted of the anchor, if not the truth.
    """
    ledger, tick, profile = world.ledger, world.tick, world.ledger.profile
    ledger.checkpoint()
    root, before, digest = ledger.root(), Before(ledger.pages_root, *ledger.scalars()), tick_hash(tick)
    opening, written = ledger.block(block), (tick_hash(header[0]), header[1])
    ledger.set_block_header(block, *written)
    new_root = ledger.root()
    row = (block, header[1], written[0] == digest if now is None else now)
    words = carry_words(world.domain, root, digest, new_root, [row], profile)
    posting = bind(words, CHAIN, world.domain)
    place = (world.domain, root, new_root, before, anchors, [(opening, written)], posting)
    inputs = carry_inputs(profile, tick, *place)
    ledger.rollback()
    return inputs | claimed


def forged_coverage(
    world: World, anchors: Sequence[tuple[Tick, int]] = (), solvent: bool | None = None, **claimed: Any
) -> dict[str, Any]:
    """A coverage with displacements as given, and the reserve's sign as told, if not the truth."""
    ledger, tick, profile = world.ledger, world.tick, world.profile
    root, before = ledger.root(), Before(ledger.pages_root, *ledger.scalars())
    sign = ledger.reserve >= 0 if solvent is None else solvent
    words = coverage_words(world.domain, root, tick_hash(tick), sign, profile)
    posting, headers = bind(words, CHAIN, world.domain), ledger.block_headers()
    rows = [headers.get(block, (0, 0)) for block in range(profile.blocks)]
    roots = ledger.block_roots()
    return coverage_inputs(profile, tick, world.domain, root, before, anchors, roots, rows, posting) | claimed


def changed(inputs: Mapping[str, Any], name: str, value: Any, *path: int) -> dict[str, Any]:
    """The inputs with one number, at `path` in nested lists, replaced."""

    def put(old: Any, rest: tuple[int, ...]) -> Any:
        if not rest:
            return value
        return [put(item, rest[1:]) if index == rest[0] else item for index, item in enumerate(old)]

    return {**inputs, name: put(inputs[name], path)}
