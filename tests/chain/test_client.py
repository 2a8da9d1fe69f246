# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a real node: deposit, settle, tick, withdraw, events, and every way to be refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.ledger import (
    ALICE,
    BOB,
    ETHER,
    ETHER_UNIT,
    GENESIS,
    MAX_TICK_AGE,
    OPERATOR,
    QUOTE,
    SLOT_SECONDS,
    Bench,
    address_of,
    performed,
    withdrawal,
)
from zkmargin.chain.client import LedgerClient
from zkmargin.chain.token import balance
from zkmargin.chain.transactions import account_of, broadcast, receipt, sign, wait
from zkmargin.errors import BadInput, ChainRejected, ChainUnreachable, ExitStatus, MissingData
from zkmargin.protocol.constants import P
from zkmargin.protocol.words import queue_hash
from zkmargin.proving.proof import Proof
from zkmargin.proving.verify import verify_groth16py

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]
SLOT = GENESIS.slot + 1
TIME = SLOT * SLOT_SECONDS


def _rejected(code: str) -> pytest.RaisesExc[ChainRejected]:
    return pytest.raises(ChainRejected, check=lambda error: error.code == code)


def test_genesis(bench: Bench) -> None:
    state = bench.client.state()
    assert (state.root, state.tick, state.batch, state.slot) == (GENESIS.root, GENESIS.tick, 0, GENESIS.slot)
    names = [event.name for event in bench.client.events(bench.deployment.from_block)]
    assert names == ["Genesis", "AssetRegistered", "AssetRegistered"]
    assert bench.client.token(ETHER).unit == ETHER_UNIT


def test_deposit_settle_withdraw(bench: Bench) -> None:
    client = bench.client
    served = bench.deposit(ALICE, QUOTE, 5_000)
    refused = bench.deposit(BOB, ETHER, 7)
    assert client.queue_hash(0) == queue_hash(served)
    assert client.queued(bench.deployment.from_block) == [served, refused]

    touches = [performed(served), performed(refused, flag=0), withdrawal(QUOTE, 2_000)]
    made = bench.settle(touches, [0, 0, address_of(BOB)], new_root=P - 1)
    assert isinstance(made.proof, Proof)
    done = client.post(OPERATOR, made)

    credited, paid, settled = client.decode_logs(done.logs)
    assert (credited.name, credited.args["amount"], credited.args["touch"]) == ("Credited", 7, 1)
    assert (paid.name, paid.args["amount"], paid.args["touch"]) == ("Credited", 2_000, 2)
    # The words in the event are Python's to the last: r and y agreed, or the proof would have been refused.
    assert settled.args["words"] == made.words
    assert settled.args["proof"] == list(made.proof.calldata())
    assert (settled.args["batch"], settled.args["newRoot"], settled.args["consumed"]) == (1, P - 1, 2)
    assert client.state().root == P - 1

    account = account_of(BOB).address
    assert (client.claim(account, QUOTE), client.claim(account, ETHER)) == (0, 0)
    assert (client.pending(account, QUOTE), client.pending(account, ETHER)) == (2_000, 7)
    with _rejected("nothing_to_withdraw"):
        client.withdraw(BOB, ETHER)
    client.post(OPERATOR, bench.cover(solvent=False))
    assert (client.claim(account, QUOTE), client.claim(account, ETHER)) == (0, 0)
    client.post(OPERATOR, bench.cover())
    assert (client.claim(account, QUOTE), client.claim(account, ETHER)) == (2_000, 7)
    assert (client.pending(account, QUOTE), client.pending(account, ETHER)) == (0, 0)
    token = client.token(ETHER).address
    before = balance(client.web3, token, account)
    client.withdraw(BOB, ETHER)
    assert balance(client.web3, token, account) - before == 7 * ETHER_UNIT
    assert balance(client.web3, token, client.address) == 0
    client.withdraw(BOB, QUOTE)
    assert balance(client.web3, client.token(QUOTE).address, client.address) == 3_000


def test_tick(bench: Bench) -> None:
    bench.node.advance_to(TIME + 5)
    made = bench.tick(SLOT)
    done = bench.client.post(OPERATOR, made)
    (event,) = bench.client.decode_logs(done.logs)
    assert event.name == "Ticked"
    assert event.args["words"] == made.words
    assert bench.client.state().slot == SLOT
    assert bench.client.state().tick == 77


def test_trapdoor_proofs_verify_off_chain_too(bench: Bench) -> None:
    from contracts import trapdoor

    proof = bench.settle([]).proof
    assert isinstance(proof, Proof)
    assert verify_groth16py(proof, trapdoor.KEYS["settle"])
    assert not verify_groth16py(proof, trapdoor.KEYS["tick"])


def test_a_tick_at_once(bench: Bench) -> None:
    """Tick, settle, sweep, carry and coverage in one transaction: all of them or none."""
    client, snapshot = bench.client, bench.node.snapshot()
    bench.node.advance_to(TIME + 5)
    batches = [bench.tick(SLOT)]
    makers = (
        lambda: bench.settle([], new_root=5),
        lambda: bench.sweep(6),
        lambda: bench.carry(7),
        bench.cover,
    )
    for make in makers:
        client.post(OPERATOR, batches[-1])
        batches.append(make())
    bench.node.revert(snapshot)
    bench.node.advance_to(TIME + 5)
    for wrong in range(5):
        changed = list(batches)
        changed[wrong] = replace(batches[wrong], proof=batches[wrong - 1].proof)
        with _rejected("proof_invalid"):
            client.post(OPERATOR, *changed)
    done = client.post(OPERATOR, *batches)
    names = [event.name for event in client.decode_logs(done.logs)]
    assert names == ["Ticked", "Settled", "Swept", "Carried", "CoverageProved", "Covered"]
    assert client.is_covered(SLOT_SECONDS)
    with _rejected("nothing_to_verify"):
        client.post(OPERATOR)


def test_a_coverage_is_of_its_root_and_tick(bench: Bench) -> None:
    """Neither one of another root nor an old one, once accepted, covers what stands now."""
    client, old = bench.client, bench.cover()
    client.post(OPERATOR, bench.carry(new_root=8))
    with _rejected("proof_invalid"):
        client.post(OPERATOR, old)
    assert not client.is_covered(1 << 30)
    current = bench.cover()
    client.post(OPERATOR, current)
    client.post(OPERATOR, current)  # a second time is as right as the first
    assert client.state().covered_batch == client.state().batch == 3
    bench.node.advance_to(TIME + 5)
    client.post(OPERATOR, bench.tick(SLOT))
    with _rejected("proof_invalid"):
        client.post(OPERATOR, current)
    assert not client.is_covered(1 << 30)
    client.post(OPERATOR, bench.cover())
    assert client.is_covered(SLOT_SECONDS)


def test_no_tick_before_the_last_is_covered(bench: Bench) -> None:
    bench.node.advance_to(TIME + SLOT_SECONDS)
    bench.client.post(OPERATOR, bench.tick(SLOT))
    with _rejected("last_tick_uncovered"):
        bench.client.post(OPERATOR, bench.tick(SLOT + 1, new_tick=78))
    bench.client.post(OPERATOR, bench.cover(solvent=False))
    bench.client.post(OPERATOR, bench.tick(SLOT + 1, new_tick=78))
    assert bench.client.state().slot == SLOT + 1


# --- refusals of the contract, by name


def test_wrong_proof(bench: Bench) -> None:
    made = bench.settle([])
    words = [word + (index == 7) for index, word in enumerate(made.words)]
    with _rejected("proof_invalid") as caught:
        bench.client.post(OPERATOR, replace(made, words=words))
    assert caught.value.exit_status == ExitStatus.INVALID
    assert "ProofInvalid" in str(caught.value)
    assert bench.client.state().batch == 0


def test_signal_aliases(bench: Bench) -> None:
    made = bench.settle([])
    with _rejected("not_in_field"):
        bench.client.post(OPERATOR, replace(made, commitment=made.commitment + P))


def test_stale_and_future_tick(bench: Bench) -> None:
    made = bench.tick(SLOT)
    with _rejected("tick_from_future") as caught:
        bench.client.post(OPERATOR, made)
    assert caught.value.retryable
    bench.node.advance_to(TIME + MAX_TICK_AGE + 60)
    with _rejected("tick_stale") as caught:
        bench.client.post(OPERATOR, made)
    assert not caught.value.retryable
    assert f"time {TIME}" in str(caught.value)


def test_reordered_deposits(bench: Bench) -> None:
    first, second = bench.deposit(ALICE, QUOTE, 1), bench.deposit(BOB, QUOTE, 2)
    with _rejected("entry_mismatch"):
        bench.client.post(OPERATOR, bench.settle([performed(second), performed(first)]))


def test_nothing_to_withdraw(bench: Bench) -> None:
    with _rejected("nothing_to_withdraw"):
        bench.client.withdraw(ALICE, QUOTE)


def test_deposit_without_allowance_or_in_unknown_asset(bench: Bench) -> None:
    with _rejected("erc20_insufficient_allowance"):
        bench.client.deposit(OPERATOR, 0, QUOTE, 1)
    with _rejected("asset_unknown"):
        bench.client.deposit(ALICE, 0, 3, 1)


# --- bad arguments


def test_arguments_out_of_range(bench: Bench) -> None:
    with pytest.raises(BadInput):
        bench.client.deposit(ALICE, 0, QUOTE, 1 << 64)
    made = bench.settle([])
    assert isinstance(made.proof, Proof)
    with pytest.raises(BadInput, match="eight words"):
        bench.client.post(OPERATOR, replace(made, proof=made.proof.calldata()[:7]))
    with pytest.raises(BadInput, match="not those of a batch"):
        bench.client.post(OPERATOR, replace(made, words=made.words[:-1]))
    with pytest.raises(BadInput) as caught:
        bench.client.post("0x1234", made)
    assert "1234" not in str(caught.value)


def test_address_without_ledger(bench: Bench) -> None:
    with pytest.raises(MissingData, match="no contract"):
        LedgerClient(bench.client.web3, "0x" + "11" * 20)
    with pytest.raises(BadInput, match="not an address"):
        LedgerClient(bench.client.web3, "ledger")
    token = bench.client.token(QUOTE).address
    with pytest.raises(MissingData, match="no ledger"):
        LedgerClient(bench.client.web3, token)


# --- transactions in steps


def test_sending_twice_is_once(bench: Bench) -> None:
    web3, call = bench.client.web3, bench.client.deposit_call(0, QUOTE, 5)
    signed = sign(web3, call, ALICE)
    assert broadcast(web3, signed.raw) == signed.hash
    done = wait(web3, signed.hash)
    assert broadcast(web3, signed.raw) == signed.hash
    assert receipt(web3, signed.hash) == done
    assert bench.client.state().requested == 1


def test_pending_transaction_is_waited_for(bench: Bench) -> None:
    web3, call = bench.client.web3, bench.client.deposit_call(0, QUOTE, 5)
    bench.node.automine(False)
    try:
        signed = sign(web3, call, ALICE)
        broadcast(web3, signed.raw)
        assert broadcast(web3, signed.raw) == signed.hash
        assert receipt(web3, signed.hash) is None
        with pytest.raises(ChainUnreachable) as caught:
            wait(web3, signed.hash, timeout=0.2)
        assert caught.value.code == "no_receipt"
        bench.node.mine()
        assert wait(web3, signed.hash).gas_used > 21_000
    finally:
        bench.node.automine(True)


def test_nonce_taken_by_another(bench: Bench) -> None:
    web3 = bench.client.web3
    first = sign(web3, bench.client.deposit_call(0, QUOTE, 5), ALICE)
    second = sign(web3, bench.client.deposit_call(0, QUOTE, 6), ALICE, nonce=first.nonce)
    wait(web3, broadcast(web3, first.raw))
    with _rejected("nonce_used"):
        broadcast(web3, second.raw)


def test_reason_of_a_mined_revert(bench: Bench) -> None:
    web3 = bench.client.web3
    signed = sign(web3, bench.client.withdraw_call(QUOTE), ALICE, gas=200_000)
    broadcast(web3, signed.raw)
    with _rejected("nothing_to_withdraw"):
        wait(web3, signed.hash)


def test_too_little_gas_is_said(bench: Bench) -> None:
    web3 = bench.client.web3
    signed = sign(web3, bench.client.post_call([bench.settle([])]), OPERATOR, gas=250_000)
    broadcast(web3, signed.raw)
    with _rejected("gas_too_low") as caught:
        wait(web3, signed.hash)
    assert caught.value.retryable
