# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin submit`, `account` and `adopt` on folders and nodes that are not what they should be."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cli.place import (
    ANNE,
    BTC,
    DEPOSIT,
    PRICE,
    PROFILE,
    SLOT,
    Place,
    Said,
    command,
    dump,
    ledger_with_deposits,
    start,
)
from contracts.ledger import params
from zkmargin.chain.anvil import anvil
from zkmargin.cli.main import run
from zkmargin.protocol.constants import FINE

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("cli")]

Capture = pytest.CaptureFixture[str]
GARBAGE = b"no database, and longer than the header of one: " * 100


def _submit(place: Place, capfd: Capture) -> Said:
    path = place.home.parent / "operation.json"
    path.write_text(json.dumps(place.withdraw()))
    return command(capfd, "submit", path, "--home", place.home)


def _account(place: Place, capfd: Capture) -> Said:
    return command(capfd, "account", ANNE, "--home", place.home)


def _adopt(place: Place, capfd: Capture) -> Said:
    return command(capfd, "adopt", "--home", place.home)


ALL = pytest.mark.parametrize("use", [_submit, _account, _adopt])
BOTH = pytest.mark.parametrize("use", [_submit, _account])
Use = Callable[[Place, Capture], Said]


def _set(place: Place, **fields: object) -> None:
    path = place.home / "setup.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


# ------------------------------------------------------------------- account


def test_account(place: Place, capfd: Capture) -> None:
    said = _account(place, capfd)
    assert (said.status, said.err) == (0, "")
    record = json.loads(said.out)
    assert (record["id"], record["slot"], record["balance"]) == (ANNE, SLOT, str(DEPOSIT * FINE))


def test_an_account_with_every_number_behind_it(place: Place, capfd: Capture) -> None:
    """The account's sums follow from what is shown of its holdings, and the prices are of a coin too."""
    path = place.home.parent / "trade.json"
    path.write_text(json.dumps(place.trade(10)))
    assert command(capfd, "submit", path, "--home", place.home).status == 0
    sequencer = start(place.bench, place.home)
    sequencer.decide_submitted()
    sequencer.close_draft()
    sequencer.close()
    record = json.loads(_account(place, capfd).out)
    (row,) = record["holdings"]
    for name in ("equity", "worst"):
        assert int(record[name]) == int(record["balance"]) + int(row[name])
    for name in ("maintenance", "initial"):
        assert record[name] == row[name] == str(int(row["size"]) * int(row["unit_values"][name]))
    assert int(row["equity"]) == int(row["size"]) * int(row["unit_values"]["equity"])
    assert row["unit_values"]["maintenance"] == str(PRICE * int(row["maintenance_rates"][row["tier"]]) >> 32)
    listed = params(PROFILE)
    assert row["maintenance_rates"] == [str(rate) for rate in listed.instruments[BTC].mmr]
    assert (record["tau"], record["penalty_rate"]) == (str(listed.tau), str(listed.penalty_rate))
    assert run(["account", str(ANNE), "--home", str(place.home)]) == 0
    shown = capfd.readouterr().out
    for words in (
        "funding index",
        "jump limit",
        "rates by tier",
        "penalty",
        "liquidation price",
        "worst short",
    ):
        assert words in shown
    assert row["mark"] in shown


@pytest.mark.parametrize("number", ["999", "0", str(1 << 32), str(1 << 64), str(10**60)])
def test_unknown_account(place: Place, capfd: Capture, number: str) -> None:
    before = dump(place.home)
    said = command(capfd, "account", number, "--home", place.home)
    assert said.status == 2
    assert said.error["code"] == "unknown_account"
    assert said.error["hint"].startswith("ids run from 1 to ")
    assert dump(place.home) == before


@pytest.mark.parametrize(
    "arguments", [[], ["x"], ["1.9"], ["true"], ["-1"], [""], ["1", "2"], ["1", "--fast"]]
)
def test_account_usage(place: Place, capfd: Capture, arguments: list[str]) -> None:
    said = command(capfd, "account", "--home", place.home, *arguments)
    assert said.status == 2
    assert said.error["code"] == "usage"


# ------------------------------------------------------------------- the folder


@ALL
def test_no_folder(place: Place, capfd: Capture, use: Use) -> None:
    shutil.rmtree(place.home)
    said = use(place, capfd)
    assert said.status == 3
    assert said.error["code"] == "missing_data"
    assert "--home" in said.error["hint"]
    assert not place.home.exists()


@ALL
def test_an_empty_folder_stays_empty(place: Place, capfd: Capture, use: Use) -> None:
    shutil.rmtree(place.home)
    place.home.mkdir()
    said = use(place, capfd)
    assert said.status == 3
    assert said.error["code"] == "missing_data"
    assert list(place.home.iterdir()) == []


@ALL
def test_the_folder_is_a_file(place: Place, capfd: Capture, use: Use) -> None:
    shutil.rmtree(place.home)
    place.home.write_text("{}")
    said = use(place, capfd)
    assert said.status == 3
    assert said.error["code"] == "missing_data"


@ALL
@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"{}", b'"x"', b"\xff\xfe"])
def test_malformed_setup(place: Place, capfd: Capture, use: Use, text: bytes) -> None:
    before = dump(place.home)
    (place.home / "setup.json").write_bytes(text)
    said = use(place, capfd)
    assert said.status == 2
    assert said.error["code"] == "bad_input"
    assert "setup.json is malformed" in said.error["message"]
    assert dump(place.home) == before
    assert (place.home / "setup.json").read_bytes() == text


@BOTH
@pytest.mark.parametrize(
    "fields",
    [
        {"chain_id": "x"},
        {"from_block": None},
        {"profile": "large"},
        {"genesis_slot": []},
        {"params": None},
        {"params": {}},
        {"params": []},
    ],
)
def test_wrong_setup(place: Place, capfd: Capture, use: Use, fields: dict[str, object]) -> None:
    before = dump(place.home)
    _set(place, **fields)
    said = use(place, capfd)
    assert said.status == 2
    assert said.error["code"] in {"bad_input", "bad_params"}
    assert dump(place.home) == before


@BOTH
@pytest.mark.parametrize(
    "fields", [{"chain_id": 31337.5}, {"from_block": True}, {"genesis_slot": 100.9}, {"from_block": -1}]
)
def test_setup_with_other_numbers(place: Place, capfd: Capture, use: Use, fields: dict[str, object]) -> None:
    _set(place, **fields)
    said = use(place, capfd)
    assert said.status == 2
    assert said.error["code"] == "bad_input"


@BOTH
def test_state_of_another_profile(place: Place, capfd: Capture, use: Use) -> None:
    before = dump(place.home)
    _set(place, profile="main")
    said = use(place, capfd)
    assert said.status == 3
    assert said.error["code"] == "wrong_profile"
    assert dump(place.home) == before


def _damaged(place: Place, capfd: Capture, use: Use, name: str, content: bytes) -> None:
    path = place.home / name
    path.write_bytes(content)
    said = use(place, capfd)
    assert said.status == 5
    assert name in said.error["message"]
    assert said.error["hint"]
    assert path.read_bytes() == content


@BOTH
@pytest.mark.parametrize("cut", [False, True])
def test_damaged_state(place: Place, capfd: Capture, use: Use, cut: bool) -> None:
    content = (place.home / "state.sqlite").read_bytes()
    _damaged(place, capfd, use, "state.sqlite", content[: len(content) // 2] if cut else GARBAGE)


@ALL
@pytest.mark.parametrize("cut", [False, True])
def test_damaged_journal(place: Place, capfd: Capture, use: Use, cut: bool) -> None:
    content = (place.home / "journal.sqlite").read_bytes()
    _damaged(place, capfd, use, "journal.sqlite", content[: len(content) // 2] if cut else GARBAGE)


@ALL
def test_missing_journal(place: Place, capfd: Capture, use: Use) -> None:
    path = place.home / "journal.sqlite"
    path.unlink()
    said = use(place, capfd)
    assert said.status != 0
    assert "journal" in said.error["message"]
    assert not path.exists()


def test_a_missing_state_is_made_again_from_the_journal(place: Place, capfd: Capture) -> None:
    before = dump(place.home)
    (place.home / "state.sqlite").unlink()
    assert _submit(place, capfd).status == 0
    assert dump(place.home)["state.sqlite"] == before["state.sqlite"]


def test_an_account_without_a_state(place: Place, capfd: Capture) -> None:
    path = place.home / "state.sqlite"
    path.unlink()
    said = _account(place, capfd)
    assert said.status == 3
    assert said.error["code"] == "missing_data"
    assert not path.exists()


# ------------------------------------------------------------------- the node


def _unreachable(place: Place, capfd: Capture, url: str) -> None:
    before = dump(place.home)
    _set(place, rpc=url)
    for said in (_submit(place, capfd), _adopt(place, capfd)):
        assert said.status == 4
        assert (said.error["code"], said.error["retryable"]) == ("chain_unreachable", True)
        assert url in said.error["message"]
        assert "setup.json" in said.error["hint"]  # there is no --rpc to check
    assert dump(place.home) == before


def test_what_is_malformed_is_said_before_the_node_is_asked(
    place: Place, capfd: Capture, closed_port: str
) -> None:
    _set(place, rpc=closed_port)
    path = place.home.parent / "operation.json"
    path.write_text('{"kind": "steal", "touches": []}')
    said = command(capfd, "submit", path, "--home", place.home)
    assert (said.status, said.error["code"]) == (2, "bad_input")
    assert "no operation of kind 'steal'" in said.error["message"]


def test_node_down(place: Place, capfd: Capture, closed_port: str) -> None:
    _unreachable(place, capfd, closed_port)
    _set(place, rpc=place.bench.deployment.rpc)
    assert json.loads(_submit(place, capfd).out) == {"operation": 1, "state": "waiting"}


@contextmanager
def _answering(body: bytes, status: int = 200) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("body", "status"), [(b"hello", 200), (b"{}", 200), (b"[]", 200), (b"", 200), (b"down", 503)]
)
def test_no_node_answers(place: Place, capfd: Capture, body: bytes, status: int) -> None:
    with _answering(body, status) as url:
        _unreachable(place, capfd, url)


def test_an_account_needs_no_node(place: Place, capfd: Capture, closed_port: str) -> None:
    _set(place, rpc=closed_port)
    assert _account(place, capfd).status == 0


@pytest.mark.parametrize("url", ["", "localhost:8545", "ftp://127.0.0.1"])
def test_no_address_of_a_node(place: Place, capfd: Capture, url: str) -> None:
    before = dump(place.home)
    _set(place, rpc=url)
    said = _submit(place, capfd)
    assert said.status == 2
    assert said.error["code"] == "bad_input"
    assert dump(place.home) == before


def test_no_contract_there(place: Place, capfd: Capture) -> None:
    before = dump(place.home)
    _set(place, ledger="0x" + "11" * 20)
    said = _submit(place, capfd)
    assert said.status == 3
    assert said.error["code"] == "no_ledger"
    assert dump(place.home) == before


def test_another_contract_there(place: Place, capfd: Capture) -> None:
    before = dump(place.home)
    _set(place, ledger=place.bench.deployment.assets[0].token)
    said = _submit(place, capfd)
    assert said.status in {2, 3}
    assert "ledger" in said.error["message"]
    assert said.error["hint"]
    assert dump(place.home) == before


@pytest.mark.parametrize("address", ["", "0x12", "zz", "0x" + "zz" * 20])
def test_no_address_of_a_ledger(place: Place, capfd: Capture, address: str) -> None:
    before = dump(place.home)
    _set(place, ledger=address)
    said = _submit(place, capfd)
    assert said.status == 2
    assert said.error["code"] == "bad_input"
    assert dump(place.home) == before


def test_node_of_an_empty_chain(place: Place, capfd: Capture) -> None:
    before = dump(place.home)
    with anvil(chain_id=1) as node:
        _set(place, rpc=node.url)
        said = _submit(place, capfd)
    assert said.status == 3
    assert said.error["code"] == "no_ledger"
    assert dump(place.home) == before


def test_the_same_contracts_on_another_chain(place: Place, capfd: Capture, tmp_path: Path) -> None:
    before = dump(place.home)
    with ledger_with_deposits(chain_id=1337) as other:
        if other.deployment.ledger != place.bench.deployment.ledger:
            pytest.fail("the two deployments differ: this tests nothing")
        _set(place, rpc=other.deployment.rpc)
        tried = [_submit(place, capfd), _adopt(place, capfd)]
    for said in tried:
        assert (said.status, said.error["code"]) == (2, "other_chain")
    assert dump(place.home) == before
