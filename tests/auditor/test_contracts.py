# SPDX-License-Identifier: GPL-3.0-or-later
"""Ledgers that are not this package's contracts, or were not made as its own are."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from auditor.answers import Answers, Kept, verify_once
from auditor.conftest import new_story
from zkmargin.auditor import Audit, audit
from zkmargin.auditor.compiled import Compiled
from zkmargin.auditor.source import Node
from zkmargin.chain import deploy
from zkmargin.chain.artifacts import artifact
from zkmargin.errors import ExitStatus, MissingData
from zkmargin.protocol.home import build_folder

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("audit")]


@pytest.fixture
def answers(kept: Kept) -> Answers:
    return Answers(kept.folder)


def _failed(result: Audit) -> set[tuple[str, str]]:
    return {(check.name, check.status) for check in result.findings.failed()}


def _flip(text: str, at: int) -> str:
    data = bytearray.fromhex(text[2:])
    data[at] ^= 1
    return "0x" + data.hex()


def _addresses(answers: Answers) -> tuple[str, str, str]:
    """Ledger, verifier, and the contract that holds the verifier's keys."""
    verifier = "0x" + answers.view("verifier()")["answer"][-40:]
    code = bytes.fromhex(answers.code(verifier)["answer"][2:])
    holder = Compiled.load("Groth16Verifier").immutable(0, code)[12:]
    return answers.ledger.lower(), verifier, "0x" + holder.hex()


@pytest.mark.parametrize("contract", ["Ledger", "Groth16Verifier"])
def test_any_byte_of_the_code(answers: Answers, contract: str) -> None:
    """The address of the keys apart, of which the audit asks for the code."""
    compiled = Compiled.load(contract)
    row = answers.code(_addresses(answers)[contract != "Ledger"])
    free = {at for places in compiled.immutables for start in places for at in range(start, start + 32)}
    code, rng = row["answer"], random.Random(contract)
    places = [at for at in range(len(compiled.runtime) - compiled.metadata) if at not in free]
    for at in [0, places[-1], *rng.sample(places, 10)]:
        row["answer"] = _flip(code, at)
        assert _failed(answers.audit()) == {("vk", "fail")}, at
    for changed in (code[:-2], code + "00", "0x"):
        row["answer"] = changed
        if changed == "0x" and contract == "Ledger":
            with pytest.raises(MissingData, match="no contract"):
                answers.audit()
        else:
            assert _failed(answers.audit()) == {("vk", "fail")}
    row["answer"] = _flip(code, len(compiled.runtime) - 10)  # the hash of sources and comments
    assert answers.audit().ok


def test_an_immutable_of_two_values(answers: Answers) -> None:
    """The clock's view tells one age, the check of a tick keeps another."""
    row, compiled = answers.code(answers.ledger), Compiled.load("Ledger")
    code = row["answer"]
    for places in compiled.immutables:
        assert len(places) > 1
        row["answer"] = _flip(code, places[-1] + 31)
        result = answers.audit()
        assert _failed(result) == {("vk", "fail")}
        assert "several values" in result.findings.failed()[0].detail


def test_keys_in_a_contract_that_could_change(answers: Answers) -> None:
    row = answers.code(_addresses(answers)[2])
    code = row["answer"]
    for changed in ("0xff" + code[4:], _flip(code, 100), "0x"):
        row["answer"] = changed
        assert _failed(answers.audit()) == {("vk", "fail")}


def test_other_code_that_made_the_ledger(answers: Answers) -> None:
    """It could have left credits in the storage."""
    sent = answers.sent(answers.named("Genesis")[0])
    sent["input"] = _flip(sent["input"], 1_000)
    assert _failed(answers.audit()) == {("vk", "fail")}


def test_another_configuration_than_is_said(answers: Answers) -> None:
    sent = answers.sent(answers.named("Genesis")[0])
    whole = sent["input"]
    for changed in (_flip(whole, len(artifact("Ledger").bytecode) + 100), whole + "00"):
        sent["input"] = changed
        assert _failed(answers.audit()) == {("binding", "fail")}


def test_made_by_another_contract(answers: Answers) -> None:
    """It may be as good; what its storage held at first is not to be seen."""
    answers.sent(answers.named("Genesis")[0])["to"] = "0x" + "11" * 20
    result = answers.audit()
    assert _failed(result) == {("vk", "missing")}
    assert result.exit == ExitStatus.MISSING


@pytest.mark.parametrize(
    ("view", "check"),
    [
        ("paramsHash()", "binding"),
        ("slotSeconds()", "binding"),
        ("instruments()", "binding"),
        ("sweepPages()", "coverage"),
        ("regroupPages()", "coverage"),
        ("pages()", "coverage"),
        ("maxTickAge()", "binding"),
    ],
)
def test_views_of_immutables(answers: Answers, view: str, check: str) -> None:
    row = answers.view(view)
    row["answer"] = _flip(row["answer"], 31)
    assert _failed(answers.audit()) == {(check, "fail")}


@pytest.mark.parametrize("contract", ["Ledger", "Groth16Verifier"])
def test_without_the_compiled_contracts(
    answers: Answers, contract: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = build_folder()
    (tmp_path / "forge").mkdir()
    (tmp_path / "keys").symlink_to(whole / "keys")
    for name in {"Ledger", "Groth16Verifier"} - {contract}:
        (tmp_path / "forge" / f"{name}.sol").symlink_to(whole / "forge" / f"{name}.sol")
    monkeypatch.setenv("ZKMARGIN_BUILD", str(tmp_path))
    result = answers.audit()
    assert _failed(result) == {("vk", "missing")}
    assert "make build" in result.findings.failed()[0].detail
    (tmp_path / "forge" / f"{contract}.sol").mkdir()
    (tmp_path / "forge" / f"{contract}.sol" / f"{contract}.json").write_text('{"bytecode": []}')
    result = answers.audit()
    assert _failed(result) == {("vk", "missing")}
    assert "damaged" in result.findings.failed()[0].detail


def test_code_without_metadata() -> None:
    assert Compiled(b"", b"\x60\x00\x56", ()).metadata == 0
    assert Compiled(b"", b"\x60\xa1\x00\x00\x02", ()).metadata == 4
    assert Compiled(b"", b"\x60\xa0\x00\x00\x03", ()).metadata == 0
    assert Compiled(b"", b"\x60\xa1\x01\x02\x00\x03", ()).metadata == 5
    assert Compiled(b"", b"", ()).metadata == 0


# ------------------------------------------------------------------- deployed


def _of_a_node(rpc: str, ledger: str) -> Audit:
    return audit(Node(rpc), ledger, verify=verify_once)


def test_a_ledger_with_a_function_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of `isCovered`, which no batch needs."""
    true = artifact("Ledger")
    selector = keccak(b"isCovered(uint64)")[:4]
    assert true.bytecode.count(selector) == 1
    other = replace(true, bytecode=true.bytecode.replace(selector, b"\xde\xad\xbe\xef"))
    monkeypatch.setattr(deploy, "artifact", lambda name: other if name == "Ledger" else artifact(name))
    with new_story() as story:
        where = story.bench.deployment
        assert _failed(_of_a_node(where.rpc, where.ledger)) == {("vk", "fail")}


def test_development_keys_on_a_public_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deployed by a client that does not ask where it is."""
    monkeypatch.setattr(deploy, "_require_local", lambda *_: None)
    with new_story(chain_id=10) as story:
        where = story.bench.deployment
        result = _of_a_node(where.rpc, where.ledger)
    (check,) = result.findings.failed()
    assert (check.name, check.status) == ("vk", "fail")
    assert "development keys" in check.detail
    assert result.as_json()["chain_id"] == 10
