# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger's life in Ape's terms: deploy, deposit, settle, tick, withdraw, and what it refuses."""

from __future__ import annotations

import ape
import pytest

from zkmargin.protocol.constants import Op
from zkmargin.protocol.model import QueueEntry, Touch

SLOT_SECONDS = 60
MAX_TICK_AGE = 300


def entry_of(index, depositor, amount):
    return QueueEntry(index, int(depositor.address, 16), 1, 0, amount, 0, 99)


def deposited(ledger, depositor, amount):
    receipt = ledger.deposit(1, 0, amount, 0, (99).to_bytes(32, "big"), sender=depositor)
    (event,) = receipt.events.filter(ledger.Requested)
    return entry_of(event.index, depositor, amount)


def serve(entry, flag=1):
    return Touch(Op.DEPOSIT, 5, 5, instrument=0, size=entry.amount, flag=flag, entry=entry)


def test_genesis(ledger, verifier, token):
    assert ledger.root() == 1 << 200
    assert ledger.batch() == 0
    assert ledger.verifier() == verifier.address
    assert ledger.assetOf(0).token == token.address


def test_deposit_settle_withdraw(ledger, batches, token, alice, bob, operator):
    entry = deposited(ledger, alice, 5_000)
    assert token.balanceOf(ledger) == 5_000

    pay = Touch(Op.WITHDRAW, 5, 5, instrument=0, side=1, size=2_000)
    receipt = ledger.post([batches.settle([serve(entry), pay], [0, int(bob.address, 16)])], sender=operator)
    (settled,) = receipt.events.filter(ledger.Settled)
    assert (settled.batch, settled.newRoot, settled.consumed) == (1, 12345, 1)
    (credited,) = receipt.events.filter(ledger.Credited)
    assert (credited.account, credited.amount, credited.touch) == (bob.address, 2_000, 1)

    assert (ledger.claim(bob, 0), ledger.pending(bob, 0)) == (0, 2_000)
    ledger.post([batches.cover(solvent=False)], sender=operator)
    assert (ledger.claim(bob, 0), ledger.pending(bob, 0)) == (0, 2_000)
    ledger.post([batches.cover()], sender=operator)
    assert ledger.claim(bob, 0) == 2_000
    ledger.withdraw(0, sender=bob)
    assert token.balanceOf(bob) == 2_000
    with ape.reverts(ledger.NothingToWithdraw):
        ledger.withdraw(0, sender=bob)


def test_refused_deposit_is_refunded(ledger, batches, token, alice, operator):
    before = token.balanceOf(alice)
    entry = deposited(ledger, alice, 5_000)
    ledger.post([batches.settle([serve(entry, flag=0)])], sender=operator)
    ledger.post([batches.cover()], sender=operator)
    ledger.withdraw(0, sender=alice)
    assert token.balanceOf(alice) == before


def test_proof_serves_once(ledger, verifier, batches, operator):
    made = batches.settle([], new_root=5)
    ledger.post([made], sender=operator)
    with ape.reverts(verifier.ProofInvalid):
        ledger.post([made], sender=operator)


def test_changed_word_is_refused(ledger, verifier, batches, operator):
    made = batches.settle([])
    made[1][7] += 1
    with ape.reverts(verifier.ProofInvalid):
        ledger.post([made], sender=operator)


def test_coverage_gates_the_next_tick(chain, ledger, verifier, batches, operator, genesis_slot):
    for slot in (genesis_slot + 1, genesis_slot + 2):
        chain.pending_timestamp = slot * SLOT_SECONDS + 1
        ledger.post([batches.tick(slot, new_tick=slot)], sender=operator)
        with ape.reverts(ledger.LastTickUncovered):
            ledger.post([batches.tick(slot + 1)], sender=operator)
        of_another_root = batches.cover()
        receipt = ledger.post([batches.carry(slot)], sender=operator)
        (carried,) = receipt.events.filter(ledger.Carried)
        assert carried.newRoot == ledger.root() == slot
        with ape.reverts(verifier.ProofInvalid):
            ledger.post([of_another_root], sender=operator)
        receipt = ledger.post([batches.cover()], sender=operator)
        (event,) = receipt.events.filter(ledger.Covered)
        assert (event.slot, event.tick) == (slot, slot)
        assert ledger.isCovered(SLOT_SECONDS)


def test_deposits_keep_their_order(ledger, batches, alice, operator):
    first, second = deposited(ledger, alice, 1), deposited(ledger, alice, 2)
    with ape.reverts(ledger.EntryMismatch, index=0):
        ledger.post([batches.settle([serve(second), serve(first)])], sender=operator)


@pytest.mark.parametrize("late", [0, MAX_TICK_AGE])
def test_tick(chain, ledger, batches, operator, genesis_slot, late):
    slot = genesis_slot + 1
    chain.pending_timestamp = slot * SLOT_SECONDS + late
    receipt = ledger.post([batches.tick(slot)], sender=operator)
    (event,) = receipt.events.filter(ledger.Ticked)
    assert (event.slot, event.newTick) == (slot, 777)


def test_stale_tick_is_refused(chain, ledger, batches, operator, genesis_slot):
    slot = genesis_slot + 1
    chain.mine(timestamp=slot * SLOT_SECONDS + MAX_TICK_AGE + 60)
    with ape.reverts(ledger.TickStale):
        ledger.post([batches.tick(slot)], sender=operator)
