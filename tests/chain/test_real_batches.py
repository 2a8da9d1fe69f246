# SPDX-License-Identifier: GPL-3.0-or-later
"""Proofs of the real circuits before the real contract: one tick, one settle, and what is tried with them.

The ledger stands on two chains with the same address, so that a replay differs in the chain id alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from contracts.ledger import (
    ALICE,
    BOB,
    ETHER,
    GENESIS,
    OPERATOR,
    QUOTE,
    SLOT_SECONDS,
    Bench,
    address_of,
    ledger_bench,
    oracles,
    params,
)
from support.covering import cover
from zkmargin.chain.artifacts import artifact
from zkmargin.chain.client import Batch, LedgerClient
from zkmargin.chain.deploy import Genesis, solidity_keys
from zkmargin.circuits.settle_inputs import Posting
from zkmargin.engine.ticks import genesis_tick
from zkmargin.engine.transition import CLEAR, apply
from zkmargin.errors import ChainRejected
from zkmargin.oracle.reports import Board, make_report
from zkmargin.protocol.constants import CIRCUIT_IDS, COLLATERAL, P, load
from zkmargin.protocol.eddsa import keypair
from zkmargin.protocol.hashes import owner_hash, tick_hash
from zkmargin.protocol.model import QueueEntry
from zkmargin.protocol.words import domain_word
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.profile import profile_keys
from zkmargin.proving.proof import Proof
from zkmargin.proving.prove import prove
from zkmargin.sequencer.covering import (
    Displacements,
)
from zkmargin.sequencer.drafting import Draft, SettleBatch, write_effect
from zkmargin.sequencer.requests import deposit_touches, placed, sign_touch, withdrawal
from zkmargin.sequencer.ticking import TickBatch, make_tick_batch
from zkmargin.state.ledger import Ledger

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]

PROFILE = load().profile("small")
SLOT = GENESIS.slot + 1
PRICES = {1: 60_000 << 32, ETHER: 3_000 << 32}


@dataclass
class Story:
    """Two chains with the same ledger, and the two proved batches that follow on the same deposits."""

    here: Bench
    elsewhere: Bench
    keys: dict[str, CircuitKeys]
    tick: TickBatch
    tick_proof: Proof
    entries: list[QueueEntry]
    settle: SettleBatch
    settle_proof: Proof

    def post_tick(self, client: LedgerClient, posting: Posting | None = None) -> None:
        posting = posting or self.tick.posting
        client.post(OPERATOR, Batch("tick", posting.words, posting.commitment, self.tick_proof))

    def post_settle(self, client: LedgerClient, posting: Posting | None = None) -> None:
        posting = posting or self.settle.posting
        made = Batch("settle", posting.words, posting.commitment, self.settle_proof, self.entries)
        client.post(OPERATOR, made)


def _deposits(bench: Bench, owner: int) -> list[QueueEntry]:
    client = bench.client
    return [
        client.deposit(ALICE, 1, QUOTE, 5_000_000, owner=owner)[0],
        client.deposit(ALICE, 2, ETHER, 700, target=PROFILE.instruments)[0],
        client.deposit(BOB, 2, ETHER, 9, target=PROFILE.instruments)[0],  # not his account: refused
    ]


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    keys = profile_keys(PROFILE.name)
    terms, trader = params(PROFILE), keypair(b"alice")
    ledger, first = Ledger.genesis(PROFILE), genesis_tick(terms, GENESIS.slot)
    genesis = Genesis(ledger.root(), tick_hash(first), GENESIS.slot)
    verifying = {name: key.verification_key for name, key in keys.items()}
    with (
        ledger_bench(genesis=genesis, verifying_keys=verifying) as here,
        ledger_bench(genesis=genesis, verifying_keys=verifying, chain_id=1337) as elsewhere,
    ):
        assert here.client.address == elsewhere.client.address
        chain_id, domain = here.node.chain_id, domain_word(here.node.chain_id, here.client.address)

        board = Board(domain, terms, PROFILE.quorum, SLOT, GENESIS.slot)
        for signer, key in enumerate(oracles(PROFILE)[:-1]):
            prices = [PRICES.get(k, 0) * (1000 + signer) // 1000 for k in range(PROFILE.instruments)]
            rates = [0] * PROFILE.instruments
            board.add(make_report(key, signer, domain, terms, SLOT, GENESIS.slot, prices, rates))
        tick = make_tick_batch(chain_id, domain, terms, PROFILE, first, board.quorate())
        tick_proof = prove(keys["tick"], tick.inputs, "native").proof

        owner = owner_hash(trader.ax, trader.ay)
        entries = _deposits(here, owner)
        assert _deposits(elsewhere, owner) == entries
        draft = Draft(ledger, tick.tick, domain)
        draft.add([deposit_touches(ledger, entries[0])[0]])
        draft.add([deposit_touches(ledger, entries[1])[0]])
        draft.add([deposit_touches(ledger, entries[2])[1]])
        account = ledger.account(PROFILE.instruments)
        pay = sign_touch(withdrawal(account.id, QUOTE, 2_000_000), account, trader, SLOT + 10, domain)
        draft.add([placed(pay, ledger)])
        settle = draft.finish(chain_id)
        settle_proof = prove(keys["settle"], settle.inputs, "native").proof

        for bench in (here, elsewhere):
            bench.node.advance_to(SLOT * SLOT_SECONDS + 1)
        yield Story(here, elsewhere, keys, tick, tick_proof, entries, settle, settle_proof)


@pytest.fixture
def at_start(story: Story) -> Iterator[Story]:
    """Before any batch."""
    saved = [(bench, bench.node.snapshot()) for bench in (story.here, story.elsewhere)]
    yield story
    for bench, snapshot in saved:
        bench.node.revert(snapshot)


@pytest.fixture
def at_tick(at_start: Story) -> Story:
    """After the tick."""
    at_start.post_tick(at_start.here.client)
    return at_start


def _refused(code: str) -> pytest.RaisesExc[ChainRejected]:
    return pytest.raises(ChainRejected, check=lambda error: error.code == code)


def test_terms_have_collateral() -> None:
    assert params(PROFILE).instruments[ETHER].flags == COLLATERAL


def test_accepted(at_tick: Story) -> None:
    client = at_tick.here.client
    assert client.state().tick == tick_hash(at_tick.tick.tick)
    at_tick.post_settle(client)
    state = client.state()
    assert (state.root, state.consumed, state.batch) == (at_tick.settle.new_root, 3, 2)
    alice, bob = (f"0x{address_of(key):040x}" for key in (ALICE, BOB))
    assert (client.pending(alice, QUOTE), client.pending(alice, ETHER)) == (2_000_000, 0)
    assert (client.pending(bob, QUOTE), client.pending(bob, ETHER)) == (0, 9)


def test_keys_on_chain_are_the_circuits(at_start: Story) -> None:
    client = at_start.here.client
    abi = artifact("Groth16Verifier").abi
    verifier = client.web3.eth.contract(address=client.web3.to_checksum_address(client.verifier()), abi=abi)
    alpha, beta, gamma, circuits = verifier.functions.verifyingKeys().call()
    verifying = {name: key.verification_key for name, key in at_start.keys.items()}
    assert (alpha, beta, gamma) == tuple(solidity_keys(verifying)[:3])
    assert [tuple(row) for row in circuits] == solidity_keys(verifying)[3]
    assert len(circuits) == len(CIRCUIT_IDS)


def test_replay_on_another_chain(at_start: Story) -> None:
    with _refused("proof_invalid"):
        at_start.post_tick(at_start.elsewhere.client)


def test_replay_in_another_batch(at_tick: Story) -> None:
    client = at_tick.here.client
    at_tick.post_settle(client)
    with _refused("entry_mismatch"):
        at_tick.post_settle(client)
    with _refused("last_tick_uncovered"):
        at_tick.post_tick(client)


def test_settle_before_its_tick(at_start: Story) -> None:
    with _refused("proof_invalid"):
        at_start.post_settle(at_start.here.client)


@dataclass
class Covering:
    """The real sweep, carry and coverage that follow on the story's settle, for the ledger it leaves."""

    story: Story
    ledger: Ledger

    def batches(self) -> list[Batch]:
        tick, client = self.story.tick.tick, self.story.here.client
        place = (domain_word(self.story.here.node.chain_id, client.address), self.story.here.node.chain_id)
        keys = self.story.keys
        return [
            Batch(
                name,
                batch.posting.words,
                batch.posting.commitment,
                prove(keys[name], batch.inputs, "native").proof,
            )
            for name, batch in cover(self.ledger, Displacements({}, tick), *place)
        ]


@pytest.fixture
def covering(at_tick: Story) -> Covering:
    """After tick and settle, before what covers them."""
    at_tick.post_settle(at_tick.here.client)
    return Covering(at_tick, replay_story(at_tick))


def replay_story(story: Story) -> Ledger:
    """The ledger after the story's settle."""
    ledger, domain = Ledger.genesis(PROFILE), domain_word(story.here.node.chain_id, story.here.client.address)
    for effect in story.settle.effects:
        pending = CLEAR
        applied = apply(ledger, pending, effect.touch, story.tick.tick, domain)
        write_effect(ledger, applied)
    ledger.checkpoint()
    assert ledger.root() == story.settle.new_root
    return ledger


def test_covered_by_real_proofs(covering: Covering) -> None:
    client = covering.story.here.client
    batches = covering.batches()
    assert [batch.circuit for batch in batches] == ["sweep", "carry", "coverage"]
    assert not client.is_covered(1 << 30)
    for late in (1, 2):  # each is of the root after the one before it
        with _refused("proof_invalid"):
            client.post(OPERATOR, batches[late])
    with _refused("proof_invalid"):
        client.post(OPERATOR, batches[0], batches[2])
    client.post(OPERATOR, *batches)
    assert client.is_covered(SLOT_SECONDS)
    state = client.state()
    assert (state.covered_root, state.covered_tick) == (covering.ledger.root(), state.tick)
    alice = f"0x{address_of(ALICE):040x}"
    assert client.claim(alice, QUOTE) == 2_000_000


def test_coverage_that_claims_otherwise(covering: Covering) -> None:
    """Words of a real sweep, carry and coverage, each changed: no proof says that."""
    client = covering.story.here.client
    sweep_, carry, cover = covering.batches()
    for batch in (sweep_, carry):
        for index in range(6, len(batch.words)):
            words = [word + (number == index) for number, word in enumerate(batch.words)]
            with _refused("proof_invalid"):
                client.post(OPERATOR, replace(batch, words=words))
        client.post(OPERATOR, batch)
    for bit in (0, 1, 200):  # a deficit, and bits that mean nothing
        with _refused("proof_invalid"):
            client.post(OPERATOR, replace(cover, words=[*cover.words[:6], cover.words[6] ^ 1 << bit]))
    for other in (sweep_, carry):
        with _refused("proof_invalid"):
            client.post(OPERATOR, replace(cover, proof=other.proof))
    assert not client.is_covered(1 << 30)
    client.post(OPERATOR, cover)
    assert client.is_covered(SLOT_SECONDS)


def test_every_word_is_bound(at_tick: Story) -> None:
    """One more in any word of the settle, where the contract lets it through to the proof."""
    client, posting = at_tick.here.client, at_tick.settle.posting
    blanked = {0, 1, 2, 3, 4, 5, *(8 + 4 * touch + word for touch in range(3) for word in (1, 2, 3))}
    for index in range(len(posting.words)):
        if index in blanked:
            continue  # the contract writes these
        words = list(posting.words)
        words[index] += 1 << 9 if index >= 8 and index % 4 == 0 else 1  # the opcode and flag of a touch stay
        with pytest.raises(ChainRejected) as caught:
            at_tick.post_settle(client, replace(posting, words=words))
        assert caught.value.code == "proof_invalid", f"word {index}"


def test_every_word_of_the_tick_is_bound(at_start: Story) -> None:
    client, posting = at_start.here.client, at_start.tick.posting
    for index in range(6, len(posting.words)):
        words = list(posting.words)
        words[index] += (
            1 << 128 if index == 8 else 1
        )  # another oracle present; slot and time have checks of their own
        with pytest.raises(ChainRejected) as caught:
            at_start.post_tick(client, replace(posting, words=words))
        assert caught.value.code == "proof_invalid", f"word {index}"


def test_performed_deposit_cannot_be_refunded(at_tick: Story) -> None:
    posting = at_tick.settle.posting
    words = list(posting.words)
    words[8] ^= 1 << 8
    with _refused("proof_invalid"):
        at_tick.post_settle(at_tick.here.client, replace(posting, words=words))


def test_aliases_of_public_values(at_tick: Story) -> None:
    client, posting = at_tick.here.client, at_tick.settle.posting
    with _refused("not_in_field"):
        at_tick.post_settle(client, replace(posting, commitment=posting.commitment + P))
    words = list(posting.words)
    root = at_tick.settle.new_root + P
    words[6], words[7] = root >> 128, root % (1 << 128)
    with _refused("not_in_field"):
        at_tick.post_settle(client, replace(posting, words=words))


def test_proof_of_the_other_circuit(at_tick: Story) -> None:
    posting = at_tick.settle.posting
    with _refused("proof_invalid"):
        made = Batch("settle", posting.words, posting.commitment, at_tick.tick_proof, at_tick.entries)
        at_tick.here.client.post(OPERATOR, made)
