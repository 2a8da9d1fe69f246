# SPDX-License-Identifier: GPL-3.0-or-later
"""The state on disk: restart, kill, damage, and rows people can read."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import samples
from protocol.samples import SMALL
from state.machine import Change, Plain, agree, apply, changes
from zkmargin.errors import InternalError, MissingData, ZkMarginError
from zkmargin.protocol.constants import load
from zkmargin.protocol.model import Account, Holding
from zkmargin.state.ledger import Ledger
from zkmargin.state.store import Store

ALICE = Account(16, 3, 0xA11CE, 99, -5, (Holding(2, 1, 1, 40), *(None,) * 11))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.sqlite"


def restarted(path: Path) -> tuple[Ledger, int | None]:
    with Store(path, SMALL) as store:
        return store.load(), store.batch


@settings(max_examples=20)
@given(st.lists(changes, min_size=1, max_size=3), st.booleans())
def test_a_restart_finds_exactly_the_same_state(batches: list[list[Change]], reload: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, plain = Path(folder) / "s", Plain()
        store = Store(path, SMALL)
        ledger = store.load()
        for number, batch in enumerate(batches, 1):
            for step in batch:
                apply(step, ledger, plain)
            root = ledger.root()
            store.save(ledger, number)
            if reload:
                store.close()
                store = Store(path, SMALL)
                ledger = store.load()
            assert ledger.root() == root
            assert store.batch == number
        store.close()
        found, last = restarted(path)
        agree(found, plain)
        assert (found.root(), last) == (plain.root(), len(batches))


def test_every_kind_of_account_is_found_again(path: Path) -> None:
    everyone = {
        leaf: account for leaf, account in enumerate(samples.ACCOUNTS.values()) if not account.is_empty
    }
    ledger = Ledger.of(SMALL, everyone, {3: (5, (1 << 24) - 1)}, {1: (6, 7)}, (-(1 << 119), 99, 1 << 63))
    with Store(path, SMALL) as store:
        store.save(ledger, 7)
    found, batch = restarted(path)
    assert dict(found.accounts()) == everyone
    assert (found.headers(), found.scalars(), batch) == ({3: (5, (1 << 24) - 1)}, ledger.scalars(), 7)
    assert found.block_headers() == {1: (6, 7)}


def test_nothing_stored_is_genesis(path: Path) -> None:
    found, batch = restarted(path)
    assert batch is None
    assert found.root() == Ledger.genesis(SMALL).root()


def test_swapped_accounts(path: Path) -> None:
    with Store(path, SMALL) as store:
        ledger = store.load()
        ledger.write(16, ALICE)
        ledger.write(17, ALICE.with_(id=17))
        store.save(ledger, 1)
        ledger.write(16, Account.empty())
        ledger.write(17, ALICE)
        ledger.write(16, ALICE.with_(id=17))
        store.save(ledger, 2)
    assert restarted(path)[0].root() == ledger.root()
    assert restarted(path)[0].index_of(17) == 16


def test_only_what_changed_is_written(path: Path) -> None:
    with Store(path, SMALL) as store:
        ledger = store.load()
        store.save(ledger, 1)
        ledger.write(16, ALICE)
        ledger.checkpoint()
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE seen (leaf)")
        database.execute(
            "CREATE TRIGGER t AFTER INSERT ON accounts BEGIN INSERT INTO seen VALUES (new.leaf); END"
        )
        database.commit()
        store.save(ledger, 2)
        assert database.execute("SELECT leaf FROM seen").fetchall() == [(16,)]
        database.close()


def test_a_ledger_from_elsewhere_is_written_whole(path: Path) -> None:
    with Store(path, SMALL) as store:
        first = store.load()
        first.write(16, ALICE)
        first.set_header(1, 1, 1)
        store.save(first, 1)
        other = Ledger.genesis(SMALL)
        other.write(20, ALICE.with_(id=20))
        store.save(other, 2)
    assert restarted(path)[0].root() == other.root()


def test_saving_twice_is_harmless_and_going_back_is_refused(path: Path) -> None:
    with Store(path, SMALL) as store:
        ledger = store.load()
        ledger.write(16, ALICE)
        store.save(ledger, 3)
        store.save(ledger, 3)
        with pytest.raises(InternalError, match="batch 3 is stored, 2 comes before"):
            store.save(ledger, 2)
    assert restarted(path)[1] == 3


def test_people_can_read_the_rows(path: Path) -> None:
    with Store(path, SMALL) as store:
        ledger = store.load()
        ledger.write(16, ALICE.with_(balance=-(10**30)))
        store.save(ledger, 1)
    row = sqlite3.connect(path).execute("SELECT * FROM accounts WHERE id = 16").fetchone()
    assert row == (
        16,
        16,
        3,
        f"0x{0xA11CE:040x}",
        "99",
        "-1000000000000000000000000000000",
        '{"0": [2, 1, 1, 40]}',
    )


def test_a_failed_save_keeps_the_last_batch_and_can_be_repeated(path: Path) -> None:
    with Store(path, SMALL) as store:
        ledger = store.load()
        store.save(ledger, 1)
        before = ledger.root()
        ledger.write(16, ALICE)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("CREATE TRIGGER t BEFORE INSERT ON accounts BEGIN SELECT RAISE(ABORT, 'no room'); END")
        with pytest.raises(InternalError, match="no room"):
            store.save(ledger, 2)
        assert restarted(path)[0].root() == before
        other.execute("DROP TRIGGER t")
        other.close()
        store.save(ledger, 2)
    assert restarted(path)[0].root() == ledger.root()


def _damage(path: Path, statement: str) -> None:
    database = sqlite3.connect(path)
    database.execute(statement)
    database.commit()
    database.close()


DAMAGE = {
    "a balance": "UPDATE accounts SET balance = '7' WHERE id = 16",
    "a size": """UPDATE accounts SET holdings = '{"0": [2, 1, 1, 41]}' WHERE id = 16""",
    "a slot moved": """UPDATE accounts SET holdings = '{"1": [2, 1, 1, 40]}' WHERE id = 16""",
    "an account lost": "DELETE FROM accounts WHERE id = 16",
    "a header": "INSERT INTO headers VALUES (0, '1', '1')",
    "a block's header": "INSERT INTO blocks VALUES (0, '1', '1')",
    "the reserve": "UPDATE meta SET value = '1' WHERE key = 'reserve'",
    "the root": "UPDATE meta SET value = '1' WHERE key = 'root'",
    "a scalar lost": "DELETE FROM meta WHERE key = 'consumed'",
    "no number": "UPDATE accounts SET balance = 'x' WHERE id = 16",
    "no JSON": "UPDATE accounts SET holdings = '{' WHERE id = 16",
    "JSON of another shape": "UPDATE accounts SET holdings = '[1]' WHERE id = 16",
    "a size as text": """UPDATE accounts SET holdings = '{"0": [2, 1, 1, "40"]}' WHERE id = 16""",
    "a slot too many": """UPDATE accounts SET holdings = '{"12": [2, 1, 1, 40]}' WHERE id = 16""",
    "a leaf too many": "UPDATE accounts SET leaf = 4096 WHERE id = 16",
}


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_found(path: Path, statement: str) -> None:
    with Store(path, SMALL) as store:
        ledger = store.load()
        ledger.write(16, ALICE)
        store.save(ledger, 1)
    _damage(path, statement)
    with Store(path, SMALL) as store, pytest.raises(InternalError) as caught:
        store.load()
    assert caught.value.code == "state_damaged"
    assert str(path) in caught.value.message


def test_other_files_are_refused(path: Path) -> None:
    with Store(path, SMALL) as store:
        store.save(store.load(), 1)
    with pytest.raises(MissingData, match="profile small, not main"):
        Store(path, load().profile("main"))
    _damage(path, "UPDATE meta SET value = '3' WHERE key = 'schema'")
    with pytest.raises(InternalError, match="schema 3"):
        Store(path, SMALL)
    text = path.parent / "text"
    text.write_text("not a database, but long enough to have a header of some kind" * 100)
    with pytest.raises(InternalError, match="not a database"):
        Store(text, SMALL)
    with pytest.raises(ZkMarginError, match="can't be opened"):
        Store(path.parent, SMALL)


CHILD = """
import os, signal, sqlite3, sys
from pathlib import Path
from state.test_store import ALICE
from protocol.samples import SMALL
from zkmargin.state.store import Store

path, moment = Path(sys.argv[1]), sys.argv[2]
store = Store(path, SMALL)
ledger = store.load()
for number in range(2, 200):
    for leaf in range(16, 60):
        ledger.write(leaf, ALICE.with_(id=leaf, balance=number))
    print(number, ledger.root(), flush=True)
    if moment == "any":
        store.save(ledger, number)
        continue
    def trace(statement):
        if statement.startswith(moment):
            os.kill(os.getpid(), signal.SIGKILL)
    store._db.set_trace_callback(trace)
    store.save(ledger, number)
"""


def _child(path: Path, moment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), moment],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "moment", ["BEGIN", "DELETE FROM accounts", "INSERT INTO accounts", "INSERT OR REPLACE", "COMMIT"]
)
def test_a_kill_inside_a_transaction_leaves_the_batch_before(path: Path, moment: str) -> None:
    with Store(path, SMALL) as store:
        ledger = store.load()
        store.save(ledger, 1)
    child = _child(path, moment)
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    found, batch = restarted(path)
    assert (batch, found.root()) == (1, ledger.root())
    with Store(path, SMALL) as store:
        found = store.load()
        found.write(16, ALICE)
        store.save(found, 2)
    assert restarted(path)[0].root() == found.root()


@pytest.mark.parametrize("wait", [0.0, 0.11, 0.27])
def test_a_kill_at_any_time_leaves_a_whole_batch(path: Path, wait: float) -> None:
    with Store(path, SMALL) as store:
        first = store.load()
        store.save(first, 1)
    child = _child(path, "any")
    assert child.stdout is not None
    printed = child.stdout.readline()
    time.sleep(wait)
    child.kill()
    printed += child.stdout.read()
    child.communicate(timeout=60)
    roots = {1: first.root()} | {int(n): int(root) for n, root in map(str.split, printed.splitlines())}
    found, batch = restarted(path)
    assert batch is not None
    assert found.root() == roots[batch]
    assert batch >= max(roots) - 1, "a batch that was stored is lost"
