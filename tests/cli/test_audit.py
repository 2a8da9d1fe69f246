# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin audit` and `circuits` on nodes, addresses, bundles and profiles that are none or others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.place import Said, command, program
from contracts.ledger import Bench
from zkmargin.chain.anvil import anvil

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("cli")]

Capture = pytest.CaptureFixture[str]
NOBODY = "0x" + "11" * 20


@pytest.fixture(scope="module")
def saved(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a ledger with deposits and no batch yet."""
    folder = tmp_path_factory.mktemp("audit") / "bundle"
    where = bench.deployment
    said = program("audit", "--json", "--rpc", where.rpc, "--ledger", where.ledger, "--save-bundle", folder)
    assert (said.status, json.loads(said.out)["ok"]) == (0, True), said
    return folder


@pytest.fixture
def bundle(saved: Path, tmp_path: Path) -> Path:
    shutil.copytree(saved, tmp_path / "bundle")
    return tmp_path / "bundle"


def _audit(capfd: Capture, *arguments: object) -> Said:
    return command(capfd, "audit", *arguments)


def test_a_bundle_that_holds(bundle: Path, capfd: Capture) -> None:
    said = _audit(capfd, "--bundle", bundle)
    assert (said.status, json.loads(said.out)["ok"]) == (0, True)


# ------------------------------------------------------------------- nodes


def test_node_down(capfd: Capture, closed_port: str, tmp_path: Path) -> None:
    said = _audit(capfd, "--rpc", closed_port, "--ledger", NOBODY, "--save-bundle", tmp_path / "bundle")
    assert said.status == 4
    assert (said.error["code"], said.error["retryable"]) == ("chain_unreachable", True)
    assert said.error["message"] == f"the node at {closed_port} does not answer: no connection"
    assert not (tmp_path / "bundle").exists()


def test_no_contract_there(bench: Bench, capfd: Capture) -> None:
    said = _audit(capfd, "--rpc", bench.deployment.rpc, "--ledger", NOBODY)
    assert said.status == 3
    assert NOBODY in said.error["message"]
    assert said.error["hint"]


def test_another_contract_there(bench: Bench, capfd: Capture) -> None:
    token = bench.deployment.assets[0].token
    said = _audit(capfd, "--rpc", bench.deployment.rpc, "--ledger", token)
    assert said.status == 1  # a verdict: what stands there did not follow the protocol
    assert json.loads(said.out)["ok"] is False


def test_node_of_an_empty_chain(bench: Bench, capfd: Capture) -> None:
    with anvil(chain_id=1) as node:
        said = _audit(capfd, "--rpc", node.url, "--ledger", bench.deployment.ledger)
    assert said.status == 3
    assert said.error["hint"]


@pytest.mark.parametrize("rpc", ["", "127.0.0.1:8545", "ws://127.0.0.1", "http://"])
def test_no_address_of_a_node(capfd: Capture, rpc: str) -> None:
    said = _audit(capfd, "--rpc", rpc, "--ledger", NOBODY)
    assert said.status in {2, 4}
    assert said.error["hint"]


@pytest.mark.parametrize("ledger", ["", "0x", "0x12", NOBODY + "1", "0x" + "zz" * 20])
def test_no_address_of_a_ledger(bench: Bench, capfd: Capture, ledger: str) -> None:
    said = _audit(capfd, "--rpc", bench.deployment.rpc, "--ledger", ledger)
    assert said.status == 2
    assert said.error["code"] in {"bad_input", "usage"}


@pytest.mark.parametrize(
    "arguments",
    [[], ["--rpc"], ["--rpc", "http://127.0.0.1:1"], ["--ledger", NOBODY], ["--fast"], ["file"]],
)
def test_usage(capfd: Capture, arguments: list[str]) -> None:
    said = _audit(capfd, *arguments)
    assert (said.status, said.error["code"]) == (2, "usage")


def test_a_bundle_is_saved_in_a_folder(bench: Bench, capfd: Capture, tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("mine")
    where = bench.deployment
    said = _audit(capfd, "--rpc", where.rpc, "--ledger", where.ledger, "--save-bundle", taken)
    assert taken.read_text() == "mine"
    assert said.status == 2
    assert str(taken) in said.error["message"]


# ------------------------------------------------------------------- bundles


def test_no_bundle(capfd: Capture, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "none", tmp_path / "file", tmp_path / "empty"):
        said = _audit(capfd, "--bundle", path)
        assert (said.status, said.error["code"]) == (3, "missing_data")
        assert said.error["hint"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"{}", b"1", b"\xff\xfe"])
@pytest.mark.parametrize("name", ["manifest", "answers"])
def test_malformed_bundle(bundle: Path, capfd: Capture, name: str, text: bytes) -> None:
    (bundle / f"{name}.json").write_bytes(text)
    said = _audit(capfd, "--bundle", bundle)
    assert (said.status, said.error["code"]) == (3, "missing_data")
    assert said.error["hint"]


def _rewrite(bundle: Path, change: Callable[[Any], object]) -> None:
    path = bundle / "answers.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data, indent=1) + "\n")


@pytest.mark.parametrize("index", range(8))
def test_a_bundle_that_lacks_an_answer(bundle: Path, capfd: Capture, index: int) -> None:
    _rewrite(bundle, lambda rows: rows.pop(index % len(rows)))
    said = _audit(capfd, "--bundle", bundle)
    assert said.status in {1, 3}
    if said.status == 3 and said.err:
        assert said.error["code"] == "missing_data"


@pytest.mark.parametrize("answer", [None, "", "0x", "zz", 5, [], {}, 1.5, True, "0x" + "00" * 31])
@pytest.mark.parametrize("index", range(8))
def test_a_bundle_with_another_answer(bundle: Path, capfd: Capture, index: int, answer: object) -> None:
    """Whatever a bundle says, the audit ends with a verdict or a named error, never with a trace."""
    _rewrite(bundle, lambda rows: rows[index % len(rows)].update(answer=answer))
    said = _audit(capfd, "--bundle", bundle)
    assert said.status in {1, 3}
    if not said.out:
        assert said.error["code"] != "internal"


def test_deep_bundle(bundle: Path) -> None:
    path = bundle / "answers.json"
    path.write_text("[" * 200_000)
    assert program("audit", "--json", "--bundle", bundle).status == 3


# ------------------------------------------------------------------- circuits


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (["--profile", "huge"], {"usage", "bad_input"}),
        (["--profile", ""], {"usage", "bad_input"}),
        (["--profile", "../small"], {"usage", "bad_input"}),
        (["--profile", "small", "--profile", "huge"], {"usage", "bad_input"}),
        (["--profile"], {"usage"}),
        (["--fast"], {"usage"}),
        (["small"], {"usage"}),
    ],
)
def test_circuits(capfd: Capture, arguments: list[str], codes: set[str]) -> None:
    said = command(capfd, "circuits", *arguments)
    assert said.status == 2
    assert said.error["code"] in codes
    assert said.error["hint"]


@pytest.mark.parametrize("arguments", [["steal"], ["--fast"]])
def test_no_such_command(capfd: Capture, arguments: list[str]) -> None:
    said = program(*arguments, "--json")
    assert (said.status, said.error["code"]) == (2, "usage")
