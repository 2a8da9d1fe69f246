# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on coverage, each proved as well as it can be and posted to a node: nothing is covered by them.

The witness of a forged statement breaks a constraint, which stops no prover; what comes out has the form of
a proof. The same way, with the same keys, the honest batches are proved that are then accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chain.stages import ALICE, BOB, OPERATOR, STAGES, Story, told
from circuits.coverage import scenes
from circuits.coverage.scenes import changed, forged_carry, forged_coverage, forged_regroup, forged_sweep
from circuits.settle.world import BTC, CHAIN, LONG, SHORT, World
from contracts.ledger import SLOT_SECONDS
from zkmargin.circuits.coverage_inputs import safety_claim, sweep_weights
from zkmargin.engine.coverage import displacement, page_radius
from zkmargin.errors import ChainRejected
from zkmargin.protocol.constants import P
from zkmargin.protocol.hashes import sponge, tick_hash
from zkmargin.protocol.model import Account, Tick
from zkmargin.protocol.packing import split
from zkmargin.protocol.words import carry_words, sweep_words

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]
Inputs = dict[str, Any]
FOREVER = 1 << 40  # seconds
SAME = list(range(128))
RANGE = "template Num2Bits"
BEFORE = "rootBefore === pagesRoot"
HEADERS = "pagesRoot === headers.root"
VALUES, HOLDINGS = "horner[pages*A] === sum", "fractions[pages*A] === total"
PERMUTATION = "was[pages*A] === is[pages*A]"
TABLES = ("clock", "risk", "initial", "trading", "equity", "maintenance", "moves")


@dataclass(frozen=True)
class Attack:
    """Forged inputs of a circuit, made of the ledger at a stage and the older tick that it is anchored at.

    `breaks`: the constraints that their witness breaks, and no others, as parts of source lines.
    """

    stage: str
    circuit: str
    make: Callable[[World, Tick], Inputs]
    breaks: tuple[str, ...]


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with told() as made:
        yield made


def _place(world: World, account: int) -> int:
    return world.ledger.index_of(account) % 64


def _claims(world: World, accounts: list[Account], radius: int) -> list[int]:
    return [safety_claim(account, world.tick, radius) for account in accounts]


def _posed(circuit: str, world: World, inputs: Inputs) -> Inputs:
    """Inputs about another ledger, posted as if it were this one: all fits but its root."""
    root, (hi, lo) = world.ledger.root(), inputs["newRootHalves"]
    place = (world.domain, root, tick_hash(world.tick), hi << 128 | lo)
    if circuit == "sweep":
        words = sweep_words(*place, 0, [0], world.profile)
    else:
        words = carry_words(*place, [(0, 0, True)], world.profile)
    before = {"rootHalves": split(root), "pagesRoot": world.ledger.pages_root}
    return {**inputs, **before, **scenes.bind(words, CHAIN, world.domain).signals()}


def _read_as(world: World, account: Account) -> Inputs:
    """A sweep that reads Alice's leaf as another account."""
    other, accounts = deepcopy(world), list(world.ledger.page(0).accounts)
    accounts[_place(world, ALICE)] = account
    other.ledger.rearrange(0, accounts, world.ledger.header(0))
    other.ledger.checkpoint()
    return _posed("sweep", world, forged_sweep(other, 0, 0))


def _anchored_now(world: World, *pages: int) -> Inputs:
    """A carry that reads these pages as if they had been swept just now."""
    other = deepcopy(world)
    for page in pages:
        other.ledger.set_header(page, tick_hash(world.tick), 7)
    other.ledger.checkpoint()
    return _posed("carry", world, forged_carry(other, (world.tick, 0)))


def _left_out(world: World, _: Tick) -> Inputs:
    return _read_as(world, Account.empty())


def _a_copy(world: World, _: Tick) -> Inputs:
    return _read_as(world, world.ledger.account(BOB))


def _another_class(world: World, _: Tick) -> Inputs:
    """Her short read as a long, which the rise made rich."""
    account = world.ledger.account(ALICE)
    (slot,) = [slot for slot, held in enumerate(account.slots) if held]
    held = account.slots[slot]
    assert held is not None
    assert held.side == SHORT
    return _read_as(world, account.with_slot(slot, replace(held, side=LONG)))


def _a_wrapped_balance(world: World, _: Tick) -> Inputs:
    """Her balance and a power of two that a sum in fewer bits would lose."""
    account = world.ledger.account(ALICE)
    return _read_as(world, account.with_(balance=account.balance + (1 << 120)))


def _a_loss_told_as_nothing(world: World, _: Tick) -> Inputs:
    page = world.ledger.page(0)
    claims = [max(0, claim) for claim in _claims(world, page.accounts, 0)]
    weights = sweep_weights(tick_hash(world.tick), 0, [page], [claims], world.profile.classes)
    return {**forged_sweep(world, 0, 0), "claim": [claims], "weights": weights}


def _claims_after_the_challenge(world: World, _: Tick) -> Inputs:
    """Two claims that solve the equation of the old challenge."""
    page, at, other = world.ledger.page(0), _place(world, ALICE), _place(world, BOB)
    claims = _claims(world, page.accounts, 0)
    items = [tick_hash(world.tick), 0, page.page_root, *(claim % P for claim in claims)]
    raised = -claims[at]
    claims[at] = 0
    claims[other] -= raised * pow(sponge("lambda", items), other - at, P)
    return {**forged_sweep(world, 0, 0), "claim": [[claim % P for claim in claims]]}


def _weights_after_the_challenge(world: World, _: Tick) -> Inputs:
    """The weight of her class raised until it bears a claim of 0: values add up then, holdings don't."""
    page, at, digest = world.ledger.page(0), _place(world, ALICE), tick_hash(world.tick)
    claims = _claims(world, page.accounts, 0)
    debt, claims[at] = -claims[at], 0
    weights = sweep_weights(digest, 0, [page], [claims], world.profile.classes)
    challenge = sponge("lambda", [digest, 0, page.page_root, *claims])
    (held,) = [held for held in world.ledger.account(ALICE).slots if held]
    row = world.tick.instruments[BTC]
    value = -(row.equity + row.maintenance[held.tier]) << 16
    weights[held.class_id] += debt * pow(challenge, len(claims) - 1 - at, P) * pow(value, -1, P)
    return {**forged_sweep(world, 0, 0), "claim": [claims], "weights": [weight % P for weight in weights]}


def _a_radius_one_too_large(world: World, _: Tick) -> Inputs:
    radius = page_radius(world.ledger.page(0).accounts, world.tick)
    assert radius is not None
    return forged_sweep(world, 0, radius + 1)


def _own_tables(inputs: Inputs) -> Inputs:
    """The older anchor opened as the present tick, since which nothing has moved."""
    for name in TABLES:
        inputs = changed(inputs, name, inputs[name][0], 1)
    return changed(changed(inputs, "displacement", 0, 0), "rise", [0] * len(inputs["rise"][0]), 0)


def _an_outgrown_page(world: World, anchor: Tick) -> Inputs:
    return forged_carry(world, (world.tick, 0), [(anchor, 0)])


def _a_page_said_to_be_anchored_now(world: World, _: Tick) -> Inputs:
    return _anchored_now(world, 0, 1)


def _an_outgrown_block(world: World, anchor: Tick) -> Inputs:
    return forged_coverage(world, [(anchor, displacement(anchor, world.tick) or 0)])


def _a_block_that_nothing_moved(world: World, anchor: Tick) -> Inputs:
    return forged_coverage(world, [(anchor, 0)])


def _a_blocks_anchor_of_ones_own(world: World, anchor: Tick) -> Inputs:
    return _own_tables(forged_coverage(world, [(anchor, 0)]))


def _a_block_said_to_be_empty(world: World, anchor: Tick) -> Inputs:
    moved = displacement(anchor, world.tick)
    assert moved is not None
    return forged_coverage(world, [(anchor, moved)], at=[[0, 0, 0]] * world.profile.blocks)


def _an_unswept_page(world: World, anchor: Tick) -> Inputs:
    moved = displacement(anchor, world.tick)
    assert moved is not None
    assert world.ledger.header(0) == (0, 0)
    return forged_carry(world, (world.tick, 0), [(anchor, moved)])


def _an_unswept_page_said_to_be_swept(world: World, _: Tick) -> Inputs:
    return _anchored_now(world, 0, 1)


def _an_account_lost(world: World, _: Tick) -> Inputs:
    """An empty leaf stands where Alice did."""
    assert world.ledger.account_at(127).is_empty
    at = world.ledger.index_of(ALICE)
    return forged_regroup(world, SAME, stands=[127 if place == at else place for place in SAME])


def _an_account_doubled(world: World, _: Tick) -> Inputs:
    at = world.ledger.index_of(BOB)
    return forged_regroup(world, SAME, stands=[at if place == 127 else place for place in SAME])


def _a_radius_above_a_pages(world: World, anchor: Tick) -> Inputs:
    moved = displacement(anchor, world.tick)
    assert moved is not None
    radius = world.ledger.header(0)[1]
    return forged_carry(world, (world.tick, radius + 1), [(anchor, moved)])


def _a_block_that_was_not_carried(world: World, _: Tick) -> Inputs:
    assert world.ledger.block_headers().get(0, (0, 0)) == (0, 0)
    return changed(forged_coverage(world), "at", [1, 0, 0], 0)


ATTACKS = {
    "an unhealthy account as it is": Attack(
        "squeezed", "sweep", lambda world, _: forged_sweep(world, 0, 0), (RANGE,)
    ),
    "an unhealthy account left out": Attack("squeezed", "sweep", _left_out, (BEFORE,)),
    "swapped for a copy of another": Attack("squeezed", "sweep", _a_copy, (BEFORE,)),
    "hidden by a wrong class id": Attack("squeezed", "sweep", _another_class, (BEFORE,)),
    "hidden by a wrapped balance": Attack("squeezed", "sweep", _a_wrapped_balance, (BEFORE,)),
    "a loss told as nothing": Attack("squeezed", "sweep", _a_loss_told_as_nothing, (VALUES,)),
    "claims changed after the challenge": Attack(
        "squeezed", "sweep", _claims_after_the_challenge, (RANGE, VALUES, HOLDINGS)
    ),
    "W changed after the challenge": Attack("squeezed", "sweep", _weights_after_the_challenge, (HOLDINGS,)),
    "a page that prices outgrew": Attack("squeezed", "carry", _an_outgrown_page, (RANGE,)),
    "a page said to be anchored now": Attack("squeezed", "carry", _a_page_said_to_be_anchored_now, (BEFORE,)),
    "a block that prices outgrew": Attack("squeezed", "coverage", _an_outgrown_block, (RANGE,)),
    "a block since which nothing moved": Attack(
        "squeezed", "coverage", _a_block_that_nothing_moved, (RANGE,)
    ),
    "a block's anchor with tables of one's own": Attack(
        "squeezed", "coverage", _a_blocks_anchor_of_ones_own, (HEADERS,)
    ),
    "a block said to be empty": Attack("squeezed", "coverage", _a_block_said_to_be_empty, (HEADERS,)),
    "a radius one too large": Attack("mended", "sweep", _a_radius_one_too_large, (RANGE,)),
    "a block with an unswept page": Attack(
        "mended", "carry", _an_unswept_page, ("found === child", "=== newRoot")
    ),
    "an unswept page said to be swept": Attack(
        "mended", "carry", _an_unswept_page_said_to_be_swept, (BEFORE,)
    ),
    "a permutation that loses an account": Attack("mended", "regroup", _an_account_lost, (PERMUTATION,)),
    "a permutation that doubles an account": Attack("mended", "regroup", _an_account_doubled, (PERMUTATION,)),
    "a block's radius above a page's": Attack("swept", "carry", _a_radius_above_a_pages, (RANGE,)),
    "a block that was not carried": Attack("swept", "coverage", _a_block_that_was_not_carried, (HEADERS,)),
}


def _refused(story: Story, *batches: Any) -> None:
    client = story.bench.client
    before = client.state()
    with pytest.raises(ChainRejected) as caught:
        client.post(OPERATOR, *batches)
    assert caught.value.code == "proof_invalid"
    after = client.state()
    assert replace(after, block=before.block) == before
    assert not client.is_covered(FOREVER)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_covers_nothing(story: Story, attack: Attack) -> None:
    with story.at(attack.stage) as world:
        forged = story.forged(attack.circuit, lambda: attack.make(world, story.anchor), attack.breaks)
        _refused(story, forged)
        if attack.circuit == "coverage":  # nor among honest ones
            rest = STAGES[STAGES.index(attack.stage) + 1 : -1]
            _refused(story, *(story.batches[stage] for stage in rest), forged)


@pytest.mark.parametrize("stage", STAGES[:-2])
def test_a_coverage_of_another_root(story: Story, stage: str) -> None:
    """It is of the root after the carry, and no other."""
    with story.at(stage):
        _refused(story, story.batches["covered"])


def test_a_coverage_of_another_tick(story: Story) -> None:
    """One that was accepted says nothing a tick later, at the same root."""
    client = story.bench.client
    with story.at("covered"):
        assert client.is_covered(FOREVER)
        covered = client.state()
        client.post(OPERATOR, story.next_tick())
        state = client.state()
        assert state.root == covered.root
        assert state.tick != covered.tick
        _refused(story, story.batches["covered"])
        assert client.state().covered_tick == covered.tick


def test_the_honest_batches_are_accepted(story: Story) -> None:
    """Proved the same way as the attacks, one by one and all at once."""
    client = story.bench.client
    with story.at("carried"):
        assert not client.is_covered(FOREVER)
        client.post(OPERATOR, story.batches["covered"])
        assert client.is_covered(FOREVER)
    with story.at("squeezed"):
        client.post(OPERATOR, *(story.batches[stage] for stage in STAGES[1:]))
        assert client.is_covered(SLOT_SECONDS * 10)
        assert client.state().covered_root == story.worlds["covered"].ledger.root()
