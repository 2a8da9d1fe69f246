# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployed ledger with a sequencer beside it: two people deposit, oracles report, operations are signed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from web3.types import RPCEndpoint

from contracts import trapdoor
from contracts.ledger import (
    ALICE,
    BOB,
    GENESIS,
    OPERATOR,
    QUOTE,
    SLOT_SECONDS,
    Bench,
    ledger_bench,
    oracles,
    params,
)
from zkmargin.chain.anvil import development_key
from zkmargin.chain.client import Batch, LedgerClient
from zkmargin.chain.deploy import Genesis
from zkmargin.chain.deployment import Deployment
from zkmargin.chain.node import request
from zkmargin.chain.transactions import Call, Receipt, send
from zkmargin.engine.ticks import genesis_tick
from zkmargin.oracle.reports import Board, Report, make_report
from zkmargin.protocol.constants import EntryKind, load
from zkmargin.protocol.eddsa import KeyPair, keypair
from zkmargin.protocol.hashes import owner_hash, tick_hash
from zkmargin.protocol.model import Tick, Touch
from zkmargin.protocol.words import domain_word
from zkmargin.proving.profile import profile_keys
from zkmargin.proving.prove import prove
from zkmargin.sequencer.drafting import Draft
from zkmargin.sequencer.failpoints import ENVIRONMENT
from zkmargin.sequencer.journal import BatchRow
from zkmargin.sequencer.requests import request_json, sign_touch, withdrawal
from zkmargin.sequencer.service import Sequencer, Setup
from zkmargin.sequencer.ticking import make_tick_batch
from zkmargin.state.ledger import Ledger

PROFILE = load().profile("small")
FIRST = GENESIS.slot + 1
BTC, PRICE = 1, 60_000 << 32
ANNE, BERT = PROFILE.instruments, PROFILE.instruments + 1  # account ids
KEYS: dict[int, KeyPair] = {ANNE: keypair(b"anne"), BERT: keypair(b"bert")}
DEPOSIT = 500_000
STRANGER = development_key(3)


@contextmanager
def ledger_with_deposits(verifying_keys: Mapping[str, Mapping[str, Any]] = trapdoor.KEYS) -> Iterator[Bench]:
    """A ledger in whose queue Anne's and Bert's deposits stand."""
    first = genesis_tick(params(PROFILE), GENESIS.slot)
    genesis = Genesis(Ledger.genesis(PROFILE).root(), tick_hash(first), GENESIS.slot)
    with ledger_bench(genesis=genesis, verifying_keys=verifying_keys) as bench:
        for key, account in ((ALICE, ANNE), (BOB, BERT)):
            owner = owner_hash(KEYS[account].ax, KEYS[account].ay)
            bench.client.deposit(key, EntryKind.OPEN, QUOTE, DEPOSIT, owner=owner)
        yield bench


def start(deployment: Deployment, home: Path, key: str = OPERATOR) -> Sequencer:
    """A sequencer with its files in `home`; the second time it goes on from there."""
    setup = Setup(
        home,
        deployment.chain_id,
        deployment.ledger,
        deployment.from_block,
        PROFILE.name,
        params(PROFILE),
        GENESIS.slot,
        key,
        deployment.rpc,
    )
    return Sequencer(setup, LedgerClient.at(deployment.rpc, deployment.ledger))


def reports(
    sequencer: Sequencer,
    slot: int,
    count: int = PROFILE.quorum,
    previous: int | None = None,
    price: int = PRICE,
) -> list[Report]:
    """What the oracles say of a slot; `previous` is the sequencer's last slot if not given."""
    after = sequencer.tick.slot if previous is None else previous
    row = [price if number == BTC else 0 for number in range(PROFILE.instruments)]
    rates = [0] * PROFILE.instruments
    return [
        make_report(key, signer, sequencer.domain, sequencer.params, slot, after, row, rates)
        for signer, key in enumerate(oracles(PROFILE)[:count])
    ]


def opened(sequencer: Sequencer) -> Sequencer:
    """Decide the first tick and the deposits, unless that is done."""
    if sequencer.tick.slot < FIRST:
        sequencer.decide_tick(reports(sequencer, FIRST), FIRST)
    sequencer.decide_queue()
    sequencer.close_draft()
    return sequencer


def withdraws(sequencer: Sequencer, person: int, amount: int, nonce: int | None = None) -> dict[str, Any]:
    """A signed request to withdraw quote."""
    account = sequencer.ledger.account(person)
    touch = withdrawal(person, QUOTE, amount)
    signed = sign_touch(touch, account, KEYS[person], FIRST + 9, sequencer.domain, nonce)
    return request_json("withdraw", [signed])


def slot_comes(client: LedgerClient) -> Callable[[BatchRow], None]:
    """For a poster: let the chain's clock reach the slot of a tick before it is sent."""

    def before_send(row: BatchRow) -> None:
        seconds = row.slot * SLOT_SECONDS + 1
        if row.circuit == "tick" and client.web3.eth.get_block("latest")["timestamp"] < seconds:
            for method, parameters in (("evm_setNextBlockTimestamp", [seconds]), ("anvil_mine", ["0x1"])):
                request(client.web3, cast(RPCEndpoint, method), parameters)

    return before_send


def foreign_call(bench: Bench, tick: Tick, *operations: Sequence[Touch]) -> Call:
    """A stranger's real batch on the first ledger at `tick`, proved; no-ops by default."""
    ledger, client = Ledger.genesis(PROFILE), bench.client
    draft = Draft(ledger, tick, domain_word(bench.node.chain_id, client.address))
    for operation in operations:
        draft.add(operation)
    made = draft.finish(bench.node.chain_id)
    proof = prove(profile_keys(PROFILE.name)["settle"], made.inputs, "native").proof
    entries = [touch.entry for operation in operations for touch in operation if touch.entry is not None]
    made_batch = Batch("settle", made.posting.words, made.posting.commitment, proof, entries)
    return client.post_call([made_batch])


def foreign_tick_call(bench: Bench, sequencer: Sequencer, previous: Tick) -> Call:
    """A stranger's real tick of the first slot, made of one more report than the sequencer took."""
    board = Board(sequencer.domain, sequencer.params, PROFILE.quorum, FIRST, previous.slot)
    for report in reports(sequencer, FIRST, PROFILE.quorum + 1, previous.slot):
        board.add(report)
    chain_id = bench.node.chain_id
    made = make_tick_batch(chain_id, sequencer.domain, sequencer.params, PROFILE, previous, board.quorate())
    proof = prove(profile_keys(PROFILE.name)["tick"], made.inputs, "native").proof
    return bench.client.post_call([Batch("tick", made.posting.words, made.posting.commitment, proof)])


def post_foreign(bench: Bench, tick: Tick, *operations: Sequence[Touch]) -> Receipt:
    """Post such a batch and wait for it."""
    return send(bench.node.web3, foreign_call(bench, tick, *operations), STRANGER)


def run_script(name: str, arguments: list[str], failpoint: str | None, said: Path) -> bool:
    """Run a script of this folder in a process of its own; says whether it was killed at the failpoint."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "ZKMARGIN_PROVER_THREADS": "2"}
    environment.pop(ENVIRONMENT, None)
    if failpoint:
        environment[ENVIRONMENT] = failpoint
    command = [sys.executable, str(Path(__file__).with_name(name)), *arguments]
    with said.open("w") as output:  # a file, not a pipe: children of a killed process would hold a pipe open
        done = subprocess.run(
            command, env=environment, timeout=300, stdout=output, stderr=output, check=False
        )
    assert done.returncode in (0, -signal.SIGKILL), said.read_text()
    return done.returncode != 0
