# SPDX-License-Identifier: GPL-3.0-or-later
"""A sequencer whose batches were overtaken goes on from the chain's state: real proofs, a real node."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hexbytes import HexBytes

from contracts.ledger import ALICE, GENESIS, OPERATOR, QUOTE, SLOT_SECONDS, Bench, params
from sequencer.world import (
    ANNE,
    BERT,
    BTC,
    DEPOSIT,
    FIRST,
    KEYS,
    PRICE,
    PROFILE,
    STRANGER,
    foreign_tick_call,
    ledger_with_deposits,
    opened,
    post_foreign,
    reports,
    run_script,
    slot_comes,
    start,
    withdraws,
)
from zkmargin.auditor.audit import audit
from zkmargin.auditor.replay import Replay
from zkmargin.auditor.source import Node
from zkmargin.chain.client import Batch
from zkmargin.chain.transactions import account_of, broadcast, send
from zkmargin.cli.main import run
from zkmargin.engine.ticks import genesis_tick
from zkmargin.errors import RootMismatch, StaleData
from zkmargin.protocol.constants import FINE
from zkmargin.protocol.home import build_folder
from zkmargin.proving.pool import ProvingPool
from zkmargin.proving.profile import profile_keys
from zkmargin.proving.prove import prove
from zkmargin.sequencer.covering import Carried, Displacements, make_carry, make_sweep
from zkmargin.sequencer.home import open_home
from zkmargin.sequencer.journal import BatchRow, BatchState, Journal
from zkmargin.sequencer.posting import Poster, posted_batch
from zkmargin.sequencer.requests import deposit_touches, request_json, sign_touch, trade_legs
from zkmargin.sequencer.service import Sequencer
from zkmargin.state.ledger import Ledger
from zkmargin.state.store import Store

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]
Capture = pytest.CaptureFixture[str]
START = genesis_tick(params(PROFILE), GENESIS.slot)
AT_ANY_AGE = 1 << 30  # seconds
LEVERED = 110  # steps that five percent of the price bring below maintenance margin


@pytest.fixture
def bench() -> Iterator[Bench]:
    keys = {name: key.verification_key for name, key in profile_keys(PROFILE.name).items()}
    with ledger_with_deposits(keys) as made:
        made.node.advance_to(FIRST * SLOT_SECONDS + 1)  # before any proof: its clock goes on meanwhile
        yield made


def _dump(home: Path) -> dict[str, list[str]]:
    """Every row of journal and state."""
    rows = {}
    for name in ("journal.sqlite", "state.sqlite"):
        with closing(sqlite3.connect(home / name)) as base:
            rows[name] = list(base.iterdump())
    return rows


def _rows(home: Path) -> list[tuple[int, str, int, str]]:
    """(place, circuit, the contract's number, state) of every batch."""
    with closing(Journal(home / "journal.sqlite")) as journal:
        return [(head.number, head.circuit, head.chain_number, str(head.state)) for head in journal.heads()]


def _operations(home: Path) -> dict[str, list[int]]:
    with closing(Journal(home / "journal.sqlite")) as journal:
        found = {state: [row.id for row in journal.operations(state)] for state in ("waiting", "planned")}
    return {state: rows for state, rows in found.items() if rows}


def _command(capfd: Capture, home: Path) -> tuple[int, dict[str, Any]]:
    """Exit status of the command, and what it says: of the state adopted, or the error."""
    capfd.readouterr()
    status = run(["adopt", "--json", "--home", str(home)])
    said = capfd.readouterr()
    assert bool(said.out) != bool(said.err)
    return status, json.loads(said.out) if said.out else json.loads(said.err)["error"]


def _adopted(capfd: Capture, home: Path) -> dict[str, Any]:
    status, said = _command(capfd, home)
    assert status == 0, said
    return said


def _refused(capfd: Capture, home: Path) -> tuple[int, str]:
    """Exit status and code of a refusal that changes nothing."""
    before = _dump(home)
    status, said = _command(capfd, home)
    assert _dump(home) == before
    assert said["hint"]
    return status, said["code"]


def _post(sequencer: Sequencer) -> None:
    with ProvingPool("native", 1) as pool:
        Poster(sequencer, profile_keys(PROFILE.name), pool, slot_comes(sequencer.client)).run()


def _overtaken(sequencer: Sequencer) -> None:
    """The sequencer finds out, and says what to do."""
    with pytest.raises(RootMismatch) as caught:
        _post(sequencer)
    assert caught.value.code == "foreign_batch"
    assert f"`zkmargin adopt --home {sequencer.setup.home}`" in caught.value.hint


def _on_the_chain(bench: Bench) -> Replay:
    result = audit(Node(bench.deployment.rpc), bench.deployment.ledger)
    assert result.ok, result.findings.failed()
    assert result.replay is not None
    return result.replay


def _trades(sequencer: Sequencer, size: int) -> int:
    """Submit a trade of Anne and Bert."""
    ledger, domain = sequencer.ledger, sequencer.domain
    signed = [
        sign_touch(leg, ledger.account(leg.account_id), KEYS[leg.account_id], FIRST + 9, domain)
        for leg in trade_legs(ANNE, BERT, BTC, size, PRICE)
    ]
    return sequencer.submit(request_json("trade", signed))


def _decided(bench: Bench, home: Path, slot: int = FIRST, refused: Sequence[int] = ()) -> Sequencer:
    """The sequencer started again: the tick of a slot, the queue, what waits, coverage."""
    sequencer = start(bench.deployment, home)
    if sequencer.tick.slot < slot:
        sequencer.decide_tick(reports(sequencer, slot), slot)
    sequencer.decide_queue()
    assert [operation for operation, _ in sequencer.decide_submitted().refused] == list(refused)
    sequencer.decide_coverage()
    return sequencer


def _goes_on(bench: Bench, home: Path, slot: int = FIRST, refused: Sequence[int] = ()) -> Sequencer:
    """The same, proved, posted and audited."""
    sequencer = _decided(bench, home, slot, refused)
    _post(sequencer)
    _agrees(bench, sequencer)
    return sequencer


def _agrees(bench: Bench, sequencer: Sequencer) -> None:
    """The chain is covered, and has what the sequencer and its files have."""
    state, root = bench.client.state(), sequencer.ledger.root()
    assert (state.root, state.consumed, state.slot) == (root, sequencer.ledger.consumed, sequencer.tick.slot)
    assert bench.client.is_covered(AT_ANY_AGE)
    assert state.covered_root == root
    assert _on_the_chain(bench).root == root
    again = start(bench.deployment, sequencer.setup.home)
    assert (again.ledger.root(), again.tick) == (root, sequencer.tick)
    again.close()


def _planned(bench: Bench, home: Path) -> Sequencer:
    """The first tick, both deposits and a withdrawal of Anne's, planned and on no chain."""
    sequencer = opened(start(bench.deployment, home))
    sequencer.submit(withdraws(sequencer, ANNE, 1000))
    sequencer.decide_submitted()
    sequencer.close_draft()
    assert _operations(home) == {"planned": [1]}
    assert [head.circuit for head in sequencer.journal.heads()] == ["tick", "settle", "settle"]
    return sequencer


def _foreign_deposit(bench: Bench) -> None:
    """A stranger's settle of the first deposit, at the first tick of all."""
    entry = bench.client.queued(0)[0]
    post_foreign(bench, START, [deposit_touches(Ledger.genesis(PROFILE), entry)[0]])


@pytest.mark.parametrize(("circuit", "state_file"), [("settle", "behind"), ("tick", "gone")])
def test_overtaken_before_anything_is_posted(
    bench: Bench, tmp_path: Path, capfd: Capture, circuit: str, state_file: str
) -> None:
    """By the stranger's first deposit, which is not consumed again; or by a tick of one more report."""
    home = tmp_path / "home"
    sequencer = _planned(bench, home)
    if circuit == "settle":
        _foreign_deposit(bench)
    else:
        send(bench.node.web3, foreign_tick_call(bench, sequencer, START), STRANGER)
    _overtaken(sequencer)
    sequencer.close()
    said = _adopted(capfd, home)
    chain, slot = bench.client.state(), {"settle": GENESIS.slot, "tick": FIRST}[circuit]
    assert said == {
        "batch": 1,
        "block": chain.block,
        "slot": slot,
        "root": str(chain.root),
        "dropped": 3,
        "confirmed": 0,
        "waiting": 1,
    }
    assert _rows(home) == [(4, "adopted", 1, "confirmed")]
    assert _operations(home) == {"waiting": [1]}
    with Store(home / "state.sqlite", PROFILE) as store:
        assert store.batch == 3  # of a batch that was dropped
    ledger, tick, _ = open_home(home)
    assert (ledger.root(), tick.slot) == (chain.root, slot)
    if state_file == "gone":
        (home / "state.sqlite").unlink()

    sequencer = start(bench.deployment, home)
    assert (sequencer.ledger.root(), sequencer.tick.slot) == (chain.root, slot)
    assert sequencer.ledger.consumed == {"settle": 1, "tick": 0}[circuit]
    sequencer.close()
    sequencer = _goes_on(bench, home)
    assert _operations(home) == {"planned": [1]}
    people = {number: sequencer.ledger.account(number).balance for number in KEYS}
    assert people == {ANNE: (DEPOSIT - 1000) * FINE, BERT: DEPOSIT * FINE}
    assert bench.client.claim(account_of(ALICE).address, QUOTE) == 1000
    _trades(sequencer, 2)
    sequencer.close()
    sequencer = _goes_on(bench, home, FIRST + 1)
    assert _operations(home) == {"planned": [1, 2]}
    assert all(sequencer.ledger.account(number).holding(BTC) for number in KEYS)
    sequencer.close()
    assert _refused(capfd, home) == (2, "nothing_to_adopt")


def _foreign_headers(bench: Bench, radius: int) -> None:
    """A stranger leaves the first page a small radius, and carries that up to its block."""
    found, client = _on_the_chain(bench), bench.client
    books, tick, chain_id = found.books, found.tick, bench.node.chain_id
    scalars = books.reserve, books.next_id, books.consumed
    ledger = Ledger.of(PROFILE, books.leaves, books.headers, books.blocks, scalars)
    swept = make_sweep(ledger, tick, found.opening.domain, chain_id, radius, (0,) * PROFILE.sweep_pages)
    moved = Displacements(found.ticks, tick)
    blocks = (Carried(0, moved.now_hash, radius),) * PROFILE.carry_blocks
    carried = make_carry(ledger, moved, found.opening.domain, chain_id, blocks)
    for circuit, made in (("sweep", swept), ("carry", carried)):
        proof = prove(profile_keys(PROFILE.name)[circuit], made.inputs, "native").proof
        client.post(STRANGER, Batch(circuit, made.posting.words, made.posting.commitment, proof))


def test_overtaken_by_headers(bench: Bench, tmp_path: Path, capfd: Capture) -> None:
    """While nothing is open, and once more while a trade is under way."""
    home = tmp_path / "home"
    _goes_on(bench, home).close()
    own = _rows(home)
    _foreign_headers(bench, 0)
    said = _adopted(capfd, home)
    assert [said[name] for name in ("dropped", "confirmed", "waiting")] == [0, 0, 0]
    number = len(own) + 1
    assert _rows(home) == [*own, (number, "adopted", said["batch"], "confirmed")]
    sequencer = start(bench.deployment, home)
    assert sequencer.ledger.header(0)[1] == sequencer.ledger.block_header(0)[1] == 0
    assert sequencer._tick_covered()  # at another root
    _trades(sequencer, 1)
    sequencer.decide_submitted()
    sequencer.decide_coverage()
    open_rows = [row for row in _rows(home) if row[3] == "planned"]
    assert [row[1] for row in open_rows][-1] == "coverage"
    _foreign_headers(bench, 1)
    _overtaken(sequencer)
    sequencer.close()
    said = _adopted(capfd, home)
    assert (said["dropped"], said["waiting"]) == (len(open_rows), 1)
    _goes_on(bench, home, FIRST + 1).close()
    assert _operations(home) == {"planned": [1]}


def test_a_stranger_who_runs_a_whole_sequencer(bench: Bench, tmp_path: Path, capfd: Capture) -> None:
    """Its coverage is as good as one's own; what its last tick makes due is decided here."""
    home = tmp_path / "home"
    _planned(bench, home).close()
    stranger = start(bench.deployment, tmp_path / "theirs", STRANGER)
    stranger.decide_tick(reports(stranger, FIRST, PROFILE.quorum + 1), FIRST)
    stranger.decide_queue()
    _trades(stranger, LEVERED)
    stranger.decide_coverage()
    stranger.decide_submitted()
    stranger.decide_coverage()
    _post(stranger)
    said = _adopted(capfd, home)
    assert (said["dropped"], said["confirmed"], said["waiting"]) == (2, 1, 1)  # the deposits are the same
    last = bench.client.last_batch()
    assert _rows(home) == [(2, "settle", 2, "confirmed"), (4, "adopted", last, "confirmed")]
    sequencer = start(bench.deployment, home)
    assert sequencer.ledger.root() == stranger.ledger.root()
    assert stranger._ticks.items() <= sequencer._ticks.items()
    sequencer.decide_queue()
    assert sequencer.decide_coverage().proofs == 0
    assert len(_rows(home)) == 2
    sequencer.decide_tick(reports(sequencer, FIRST + 1), FIRST + 1)
    sequencer.decide_coverage()

    price = PRICE * 95 // 100
    stranger.decide_tick(reports(stranger, FIRST + 1, price=price), FIRST + 1)
    _post(stranger)
    stranger.close()
    _overtaken(sequencer)
    sequencer.close()
    assert _adopted(capfd, home)["slot"] == FIRST + 1
    assert [row[1] for row in _rows(home)] == ["settle", "adopted", "adopted"]
    sequencer = start(bench.deployment, home)
    assert (sequencer.unhealthy(), sequencer._tick_covered()) == ([ANNE], False)
    with ProvingPool("native", 1) as pool:  # whoever looks when the time is up hears of the tick
        heard: list[tuple[str, int]] = []
        told = lambda event, row, _: heard.append((event, row.slot))  # noqa: E731
        bench.node.advance_to((FIRST + 2) * SLOT_SECONDS + 1)
        Poster(sequencer, profile_keys(PROFILE.name), pool, told=told).look(at_once=True)
    assert heard == [("late", FIRST + 1)]
    anchored, setup = sequencer._ticks, (home / "setup.json").read_text()
    sequencer.close()

    lost = tmp_path / "lost"  # of the same sequencer, without its journal
    lost.mkdir()
    (lost / "setup.json").write_text(setup)
    assert _adopted(capfd, lost)["slot"] == FIRST + 1
    sequencer = start(bench.deployment, lost)
    assert (sequencer._ticks, sequencer.unhealthy()) == (anchored, [ANNE])
    assert {tick.slot for tick in anchored.values()} == {GENESIS.slot, FIRST}
    sequencer.close()
    _goes_on(bench, home, FIRST + 1, refused=[1]).close()  # Anne's nonce has passed
    _goes_on(bench, home, FIRST + 2).close()
    assert _operations(home) == {}


def test_batches_of_its_own_on_the_chain_are_confirmed(bench: Bench, tmp_path: Path, capfd: Capture) -> None:
    """Our tick, posted by a stranger after a settle of theirs, is on the chain: our settles are void."""
    home = tmp_path / "home"
    sequencer = _planned(bench, home)
    tick = sequencer.journal.batch(1)
    assert tick.inputs is not None
    proof = prove(profile_keys(PROFILE.name)["tick"], tick.inputs, "native").proof
    _foreign_deposit(bench)
    words = [int(word) for word in tick.body["words"]]
    bench.client.post(STRANGER, Batch("tick", words, int(tick.body["commitment"]), proof))
    sequencer.close()
    said = _adopted(capfd, home)
    assert (said["batch"], said["slot"], said["dropped"], said["confirmed"]) == (2, FIRST, 2, 1)
    assert _rows(home) == [(1, "tick", 2, "confirmed"), (4, "adopted", 2, "confirmed")]
    with closing(Journal(home / "journal.sqlite")) as journal:
        row = journal.batch(1)
        assert row.inputs is None
        assert row.receipt is not None
        assert row.receipt["foreign"]
    _goes_on(bench, home).close()
    assert _operations(home) == {"planned": [1]}


class _Stop(Exception):
    pass


def test_a_dropped_transaction_in_the_mempool(bench: Bench, tmp_path: Path, capfd: Capture) -> None:
    """It reverts; what comes after it has the next nonce."""
    home, web3 = tmp_path / "home", bench.node.web3
    poster = account_of(OPERATOR).address
    before = web3.eth.get_transaction_count(poster)
    sequencer = _planned(bench, home)
    sent: list[str] = []

    def before_send(row: BatchRow) -> None:
        if row.state is BatchState.SIGNED:
            _foreign_deposit(bench)
            bench.node.automine(False)
            assert row.raw_tx is not None
            sent.append(broadcast(web3, row.raw_tx))
            raise _Stop

    with ProvingPool("native", 1) as pool, pytest.raises(_Stop):
        Poster(sequencer, profile_keys(PROFILE.name), pool, before_send).run()
    sequencer.close()
    _adopted(capfd, home)
    assert web3.eth.get_transaction_count(poster) == before
    sequencer = _decided(bench, home)

    def mined(row: BatchRow) -> None:
        if row.state is BatchState.SIGNED:
            bench.node.call("evm_setIntervalMining", 1)

    with ProvingPool("native", 1) as pool:
        Poster(sequencer, profile_keys(PROFILE.name), pool, mined).run()
    _agrees(bench, sequencer)
    sequencer.close()
    assert web3.eth.get_transaction_receipt(HexBytes(sent[0]))["status"] == 0
    assert web3.eth.get_transaction_count(poster) == before + 2
    assert _operations(home) == {"planned": [1]}


def test_killed_while_adopting(bench: Bench, tmp_path: Path, capfd: Capture) -> None:
    home, said = tmp_path / "home", tmp_path / "said.txt"
    _planned(bench, home).close()
    _foreign_deposit(bench)
    before = _dump(home)
    assert run_script("adopt_run.py", [str(home)], "before_adopted", said)
    assert _dump(home) == before
    assert run_script("adopt_run.py", [str(home)], "adopted", said)
    assert _rows(home) == [(4, "adopted", 1, "confirmed")]
    assert _refused(capfd, home) == (2, "nothing_to_adopt")  # it is done
    _goes_on(bench, home).close()
    assert _operations(home) == {"planned": [1]}


def test_a_sequencer_that_was_not_ended_plans_nothing_more(
    bench: Bench, tmp_path: Path, capfd: Capture
) -> None:
    home = tmp_path / "home"
    sequencer = _planned(bench, home)
    _foreign_deposit(bench)
    _adopted(capfd, home)
    before = _dump(home)
    with pytest.raises(StaleData) as caught:
        sequencer.decide_tick(reports(sequencer, FIRST + 1), FIRST + 1)
    assert caught.value.code == "adopted_meanwhile"
    assert _dump(home) == before
    sequencer.close()


# ---------------------------------------------------------------- refused, and nothing changed


def test_nothing_to_adopt(bench: Bench, tmp_path: Path, capfd: Capture) -> None:
    """On an empty chain; after a batch of others that changes nothing, or is one's own word for word."""
    home = tmp_path / "home"
    sequencer = _planned(bench, home)
    assert _refused(capfd, home) == (2, "nothing_to_adopt")
    post_foreign(bench, START)
    assert _refused(capfd, home) == (2, "nothing_to_adopt")

    def before_send(row: BatchRow) -> None:
        bench.client.post(STRANGER, posted_batch(row))
        raise _Stop

    with ProvingPool("native", 1) as pool, pytest.raises(_Stop):
        Poster(sequencer, profile_keys(PROFILE.name), pool, before_send).run()
    assert bench.client.last_batch() == 2
    assert _refused(capfd, home) == (2, "nothing_to_adopt")
    sequencer.close()
    _goes_on(bench, home).close()


@pytest.mark.parametrize(
    "field", [{"genesis_slot": GENESIS.slot + 1}, {"params": {"penalty_rate": "1"}}, {"profile": "main"}]
)
def test_another_ledger_than_the_folder_says(
    bench: Bench, tmp_path: Path, capfd: Capture, field: dict[str, Any]
) -> None:
    home = tmp_path / "home"
    _planned(bench, home).close()
    _foreign_deposit(bench)
    path = home / "setup.json"
    setup = json.loads(path.read_text())
    setup |= {name: {**setup[name], **value} if name == "params" else value for name, value in field.items()}
    path.write_text(json.dumps(setup))
    assert _refused(capfd, home) == (2, "other_ledger")


def test_a_forged_batch_is_not_adopted(tmp_path: Path, capfd: Capture) -> None:
    """A ledger whose keys' secrets are known takes any root."""
    with ledger_with_deposits() as bench:
        home = tmp_path / "home"
        _planned(bench, home).close()
        bench.client.post(STRANGER, bench.settle([]))
        before = _dump(home)
        status, said = _command(capfd, home)
        assert (status, said["code"]) == (1, "audit_failed")
        assert said["message"].startswith(f"the audit of ledger {bench.deployment.ledger} does not pass: ")
        assert "nothing has been changed" in said["hint"]
        assert _dump(home) == before


def test_a_ledger_that_cannot_be_judged(
    bench: Bench, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verifying keys are not there."""
    home = tmp_path / "home"
    _planned(bench, home).close()
    _foreign_deposit(bench)
    build = tmp_path / "build"
    build.mkdir()
    for path in build_folder().iterdir():
        if path.name != "keys":
            (build / path.name).symlink_to(path)
    monkeypatch.setenv("ZKMARGIN_BUILD", str(build))
    assert _refused(capfd, home) == (3, "not_judged")
