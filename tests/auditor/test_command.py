# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin audit`: its JSON, its exit statuses, its errors."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest

from auditor.answers import Kept
from contracts.ledger import MAX_TICK_AGE
from zkmargin.auditor.findings import NAMES
from zkmargin.cli.main import run

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("audit")]


def _error(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    captured = capsys.readouterr()
    assert captured.out == ""
    error = json.loads(captured.err)["error"]
    assert set(error) == {"code", "message", "hint", "retryable"}
    return dict(error)


def test_valid_bundle(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--bundle", str(kept.folder), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {"ok", "exit", "ledger", "last_batch", "root", "checks"} <= report.keys()
    assert (report["chain_id"], report["max_tick_age"]) == (31337, MAX_TICK_AGE)
    assert (report["block"], report["block_hash"]) == (kept.first.chain.block, kept.first.chain.block_hash)
    assert any("development keys" in note for note in report["notes"])
    assert (report["ok"], report["exit"], report["last_batch"]) == (True, 0, 11)
    assert report["ledger"].lower() == kept.ledger.lower()
    assert isinstance(report["root"], str)
    assert int(report["root"]) == kept.first.root
    for check in report["checks"]:
        assert list(check) == ["name", "batch", "status", "detail"]
        assert check["name"] in NAMES
        assert check["status"] == "pass"


def test_changed_bundle(kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(kept.folder, folder := tmp_path / "bundle")
    path = folder / "answers.json"
    root = f"{kept.first.root:064x}"
    text = path.read_text()
    assert root in text
    path.write_text(text.replace(root, root[:-1] + ("0" if root[-1] != "0" else "1"), 1))
    assert run(["audit", "--bundle", str(folder), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["exit"]) == (False, 1)
    assert {"binding"} <= {check["name"] for check in report["checks"] if check["status"] == "fail"}
    assert run(["audit", "--bundle", str(folder)]) == 1
    assert "NOT valid" in capsys.readouterr().out


def test_no_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--bundle", str(tmp_path / "none"), "--json"]) == 3
    assert _error(capsys)["code"] == "missing_data"


def test_node_down(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:  # bound and not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert run(["audit", "--rpc", url, "--ledger", "0x" + "11" * 20, "--json"]) == 4
    error = _error(capsys)
    assert (error["code"], error["retryable"]) == ("chain_unreachable", True)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--rpc", "http://127.0.0.1:1"],
        ["--rpc", "127.0.0.1:1", "--ledger", "0x" + "11" * 20],
        ["--ledger", "0x" + "11" * 20],
        ["--bundle", "here", "--rpc", "http://127.0.0.1:1"],
        ["--unknown"],
    ],
)
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", *arguments, "--json"]) == 2
    assert _error(capsys)["code"] in {"usage", "bad_input"}


@pytest.mark.parametrize("address", ["0x12", "0x" + "zz" * 20])
def test_no_address(kept: Kept, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--bundle", str(kept.folder), "--ledger", address, "--json"]) == 2
    assert _error(capsys)["code"] == "bad_input"


def test_another_ledger(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--bundle", str(kept.folder), "--ledger", "0x" + "11" * 20, "--json"]) == 3
    assert _error(capsys)["code"] == "missing_data"
