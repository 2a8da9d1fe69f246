# SPDX-License-Identifier: GPL-3.0-or-later
"""A demo of few people and few ticks over a price file of two coins, really run, and kept running.

Everything it leaves is used as its reader would: audited where other keys are installed, verified proof by
proof, operations signed, submitted and paid out on its chain.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.place import Said
from demo.schema import DeploymentRecord, Summary
from zkmargin.chain.client import LedgerClient
from zkmargin.demo.market import PRICES
from zkmargin.demo.place import NAMES
from zkmargin.protocol.constants import CIRCUIT_IDS, load
from zkmargin.protocol.home import build_folder
from zkmargin.sequencer.journal import Journal

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("demo"), pytest.mark.timeout(3000)]

PROGRAM = Path(sys.executable).with_name("zkmargin")
TICKS, TRADERS, MAKERS = 3, 6, 12
COINS = ("BTC", "ETH")
BARS = 7  # before the crash: where marks are limited nobody may open a position
INSTRUMENTS = 4  # a perpetual and a collateral of each


def zkmargin(*arguments: object, **environment: str) -> Said:
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@dataclass
class Demo:
    """A demo that keeps running, and what it printed."""

    process: subprocess.Popen[bytes]
    folder: Path
    log: Path

    @property
    def home(self) -> Path:
        return self.folder / "sequencer"

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def wait_for(self, words: str) -> None:
        self.wait_until(lambda: words in self.log.read_text(), words)

    def wait_until(self, held: Callable[[], bool], what: str) -> None:
        """For as long as the test's own time limit: a busy machine is no failure."""
        while not held():
            assert self.process.poll() is None, f"ended before {what}: {self.log.read_text()}"
            time.sleep(0.2)

    def operations(self) -> list[tuple[str, str]]:
        journal = Journal(self.home / "journal.sqlite")
        try:
            rows = [row for state in ("waiting", "planned", "refused") for row in journal.operations(state)]
            return [(row.state, row.reason or "") for row in sorted(rows, key=lambda row: row.id)]
        finally:
            journal.close()

    def read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    place = tmp_path_factory.mktemp("demo")
    prices = place / "two.csv"
    rows = (PRICES / "perpetual.csv").read_text().splitlines()
    calm = [row for coin in COINS for row in [row for row in rows if row.startswith(coin)][:BARS]]
    prices.write_text("\n".join([rows[0], *calm]) + "\n")
    log = place / "log"
    arguments = ["--out", place / "out", "--prices", prices, "--ticks", str(TICKS)]
    arguments += ["--traders", str(TRADERS), "--keep-running"]
    with log.open("wb") as output:
        process = subprocess.Popen([PROGRAM, "demo", *arguments], stdout=output, stderr=subprocess.STDOUT)
    made = Demo(process, place / "out", log)
    try:
        made.wait_for("keep running")
        yield made
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, log.read_text()
        assert made.lines()[-1].endswith("node and sequencer end")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def summary(demo: Demo) -> Summary:
    return Summary.model_validate_json((demo.folder / "summary.json").read_text())


# ------------------------------------------------------------------- what it leaves


def test_its_files(demo: Demo) -> None:
    assert sorted(path.name for path in demo.folder.iterdir()) == sorted(NAMES)


def test_deployment(demo: Demo) -> None:
    record = DeploymentRecord.model_validate_json((demo.folder / "deployment.json").read_text())
    assert [asset.symbol for asset in record.assets] == ["USDC", "WETH", "WBTC"]
    assert LedgerClient.at(record.rpc, record.ledger).verifier() == record.verifier


def test_ticks(summary: Summary) -> None:
    assert [row.n for row in summary.ticks] == list(range(1, TICKS + 1))
    assert all(row.covered and row.unhealthy_after == 0 for row in summary.ticks)
    assert all(len(row.marks) == INSTRUMENTS for row in summary.ticks)
    assert len({row.marks["BTC-PERP"] for row in summary.ticks}) == TICKS
    assert all(row.oracles_differ_on == INSTRUMENTS for row in summary.ticks)
    assert all(int(row.insurance_fund) == 0 or int(row.deficit) == 0 for row in summary.ticks)
    assert summary.episode == "two"
    assert (summary.accounts, summary.instruments) == (TRADERS + MAKERS, INSTRUMENTS)


def test_health_is_of_accounts_that_owe_margin(summary: Summary) -> None:
    assert summary.ticks[0].health.accounts == 0  # nobody had traded yet
    for row in summary.ticks[1:]:
        assert 0 < row.health.accounts < summary.accounts  # not every market maker has


def test_every_batch_is_there_once(summary: Summary) -> None:
    assert [row.batch for row in summary.proofs] == list(range(1, summary.audit.last_batch + 1))
    assert {"tick", "settle", "sweep", "carry", "coverage"} <= {row.circuit for row in summary.proofs}
    assert sum(row.circuit == "tick" for row in summary.proofs) == TICKS


def test_refusals_are_told(summary: Summary) -> None:
    reasons = " ".join(row.reason for row in summary.refused)
    assert "is refused and refunded" in reasons  # a deposit to an account nobody has
    assert "initial margin" in reasons  # one who asked too much


def test_gas(summary: Summary) -> None:
    """What operations add, against the figures of the contracts' own test, which has other words."""
    gas = summary.gas_per_op
    known = json.loads((Path(__file__).parents[1] / "contracts" / "gas.json").read_text())["small"]
    for kind, name in (
        ("deposit", "1 deposit performed"),
        ("deposit_refused", "1 deposit refused"),
        ("withdraw", "1 withdrawal, new claim"),
        ("withdraw_again", "1 withdrawal, claim there"),
        ("trade", "1 trade"),
    ):
        assert gas[kind] == pytest.approx(known[f"settle, {name}"] - known["settle, no-ops only"], abs=500)
    assert gas["trade"] < gas["deposit"] < gas["withdraw_again"] < gas["withdraw"]
    assert gas["withdraw"] < gas["settle_batch"] < gas["transaction"]


def test_progress_in_plain_lines(demo: Demo) -> None:
    text = demo.log.read_text()
    assert "\r" not in text
    assert "\x1b" not in text
    for number in range(1, TICKS + 1):
        assert f"tick {number:2}/{TICKS} " in text
    for step in ("deposits requested", "batches proved", "re-executing events", "verifying proofs"):
        assert re.search(rf"{step}: (\d+)/\1\n", text), step
    assert "audit: valid" in text


# ------------------------------------------------------------------- checking it


def test_audit_of_the_summary(summary: Summary) -> None:
    assert (summary.audit.ok, summary.audit.exit) == (True, 0)
    assert {check.status for check in summary.audit.checks} == {"pass"}


def test_audit_with_the_keys_that_came_with_it(demo: Demo, tmp_path: Path) -> None:
    """On a machine with no keys of its own, or after the node is gone."""
    (tmp_path / "forge").symlink_to(build_folder() / "forge")
    elsewhere = {"ZKMARGIN_BUILD": str(tmp_path)}
    bundle, keys = demo.folder / "bundle", demo.folder / "keys"
    said = zkmargin("audit", "--bundle", bundle, **elsewhere)
    assert said.status == 3
    assert "could not be judged" in said.out
    assert "valid" not in said.out
    said = zkmargin("audit", "--bundle", bundle, "--keys", keys, "--json", **elsewhere)
    assert (said.status, json.loads(said.out)["ok"]) == (0, True)


def test_audit_with_other_keys(demo: Demo, tmp_path: Path) -> None:
    """Keys that are not the contract's: two circuits' are swapped, and nothing is said of their hashes."""
    keys = shutil.copytree(demo.folder / "keys", tmp_path / "keys")
    (keys / "keys.json").unlink()
    (keys / "tick.vkey.json").rename(keys / "x")
    (keys / "settle.vkey.json").rename(keys / "tick.vkey.json")
    (keys / "x").rename(keys / "settle.vkey.json")
    said = zkmargin("audit", "--bundle", demo.folder / "bundle", "--keys", keys, "--json")
    report = json.loads(said.out)
    assert (said.status, report["ok"]) == (1, False)
    assert {"vk", "proof"} <= {row["name"] for row in report["checks"] if row["status"] == "fail"}


def test_keys_are_marked(demo: Demo) -> None:
    record = demo.read("keys/keys.json")
    assert (record["profile"], record["dev_key"]) == ("small", True)
    assert set(record["circuits"]) == set(CIRCUIT_IDS)
    listed = json.loads(zkmargin("circuits", "--profile", "small", "--json").out)
    assert {row["circuit"]: row["vk_hash"] for row in listed if row["circuit"] in CIRCUIT_IDS} == {
        name: row["vk_hash"] for name, row in record["circuits"].items()
    }


@pytest.mark.parametrize("circuit", ["tick", "settle", "sweep", "carry", "coverage"])
def test_proofs_verify(demo: Demo, tmp_path: Path, circuit: str) -> None:
    place = demo.folder / "proofs" / circuit
    said = zkmargin("verify", place / "proof.json", "--json")
    record = json.loads(said.out)
    assert (said.status, record["ok"]) == (0, True)
    assert (record["circuit"], record["profile"], record["dev_key"]) == (circuit, "small", True)
    assert record["vk_hash"] == demo.read(f"proofs/{circuit}/proof.json")["vk_hash"]
    said = zkmargin(  # by another prover's program, with what stands beside it
        "verify", place / "proof.json", "--public", place / "public.json",
        "--vkey", place / "verification_key.json", "--verifier", "snarkjs", ZKMARGIN_BUILD=str(tmp_path),
    )  # fmt: skip
    assert said.status == 0, said


# ------------------------------------------------------------------- using it


def _signed(demo: Demo, kind: str, tmp_path: Path) -> Path:
    said = zkmargin("sign", demo.folder / "operations" / f"{kind}.json", "--home", demo.home)
    assert (said.status, said.err) == (0, "")
    path = tmp_path / f"{kind}.json"
    path.write_text(said.out)
    return path


def test_a_withdrawal_is_signed_submitted_proved_and_payable(demo: Demo, tmp_path: Path) -> None:
    operation = _signed(demo, "withdraw", tmp_path)
    touch = json.loads(operation.read_text())["touches"][0]
    owner = demo.read("people.json")[touch["account_id"]]["address"]
    where = DeploymentRecord.model_validate_json((demo.folder / "deployment.json").read_text())
    client = LedgerClient.at(where.rpc, where.ledger)
    before, batches, known = client.claim(owner, 0), client.last_batch(), len(demo.operations())
    said = zkmargin("submit", operation, "--home", demo.home, "--json")
    assert (said.status, json.loads(said.out)) == (0, {"operation": known + 1, "state": "waiting"})
    demo.wait_until(lambda: client.claim(owner, 0) == before + int(touch["size"]), "the claim")
    assert demo.operations()[-1] == ("planned", "")
    assert client.last_batch() > batches
    state = client.state()
    assert state.covered_root == state.root  # the root with the withdrawal is covered
    demo.wait_for("1 withdraw posted and covered")
    said = zkmargin("submit", operation, "--home", demo.home, "--json")  # the same once more
    assert said.status == 2
    said = zkmargin("audit", "--rpc", where.rpc, "--ledger", where.ledger, "--json")
    report = json.loads(said.out)
    assert (said.status, report["ok"], report["last_batch"]) == (0, True, client.last_batch())


def test_a_trade_and_a_bid_are_taken(demo: Demo, tmp_path: Path) -> None:
    said = zkmargin("submit", _signed(demo, "trade", tmp_path), "--home", demo.home)
    assert said.status == 0, said
    demo.wait_for("1 trade, 1 trade_match posted and covered")
    assert zkmargin("submit", _signed(demo, "bid", tmp_path), "--home", demo.home).status == 0


def test_an_account_for_people(demo: Demo) -> None:
    number = next(iter(demo.read("people.json")))
    assert zkmargin("account", number, "--home", demo.home).status == 0
    assert int(number) >= load().profile("small").instruments
