# SPDX-License-Identifier: GPL-3.0-or-later
"""What a posted unit is worth, told and untold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_abi.abi import decode, encode

from auditor.answers import Answers, Kept
from contracts.ledger import ETHER

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("audit")]
_GENESIS = ("uint256", "uint256", "uint256", "bytes")


@pytest.fixture
def answers(kept: Kept) -> Answers:
    return Answers(kept.folder)


def _with_step(answers: Answers, step: str) -> dict[str, str]:
    """The vault's failures with another step in the parameters, as event and configuration have them."""
    log = answers.named("Genesis")[0]
    values: list[Any] = list(decode(_GENESIS, bytes.fromhex(log["data"][2:])))
    text = json.loads(values[3])
    text["instruments"][str(ETHER)]["step"] = step
    values[3] = json.dumps(text).encode()
    log["data"] = "0x" + encode(_GENESIS, values).hex()
    failed = answers.audit().findings.failed()
    assert {check.name for check in failed} <= {"binding", "vault"}  # it was deployed with another text
    return {check.detail: check.status for check in failed if check.name == "vault"}


def test_steps_and_units_agree(kept: Kept) -> None:
    assert any("perpetuals" in note for note in kept.first.findings.notes)
    assert not any("asset" in note for note in kept.first.findings.notes)


@pytest.mark.parametrize("step", ["1", "0.000002", "0.0000010000000000001"])
def test_another_step(answers: Answers, step: str) -> None:
    (detail,) = _with_step(answers, step)
    assert f"are not {step} coins" in detail


@pytest.mark.parametrize("step", ["1e999999999", "-1", "1/3", "nan", "x", " 1", "٣", "9" * 1_000])
def test_a_step_that_is_no_number(answers: Answers, step: str) -> None:
    (detail,) = _with_step(answers, step)
    assert "no number" in detail


def test_no_step(answers: Answers) -> None:
    assert _with_step(answers, "") == {}


def test_decimals_of_the_token(answers: Answers) -> None:
    row = answers.view("decimals()")
    row["answer"] = f"0x{17:064x}"
    assert {check.name for check in answers.audit().findings.failed()} == {"vault"}
    row["answer"] = f"0x{1_000:064x}"
    assert {check.name for check in answers.audit().findings.failed()} == {"vault"}


def test_a_token_that_does_not_tell(answers: Answers) -> None:
    row = answers.view("decimals()")
    for untold in ({"answer": "0x"}, {"refused": "execution reverted"}):
        row.pop("answer", None)
        row.update(untold)
        result = answers.audit()
        assert result.ok
        assert any("not proved" in note for note in result.findings.notes)
