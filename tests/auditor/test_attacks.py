# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dishonest node or operator might tell: each is named by the check that is there for it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest

from auditor.answers import Answers, Kept, topic
from auditor.forms import displaced, trailing
from zkmargin.errors import ExitStatus, MissingData

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("audit")]


@pytest.fixture
def answers(kept: Kept) -> Answers:
    return Answers(kept.folder)


def _failed(answers: Answers) -> set[str]:
    result = answers.audit()
    assert not result.ok
    assert result.exit == ExitStatus.INVALID
    return {check.name for check in result.findings.failed()}


def test_last_settle_dropped(answers: Answers) -> None:
    last = answers.named("Settled")[-1]
    answers.replace_logs([log for log in answers.logs if log != last])
    assert {"order", "queue"} <= _failed(answers)


def test_first_settle_dropped(answers: Answers) -> None:
    first = answers.named("Settled")[0]
    answers.replace_logs([log for log in answers.logs if log != first])
    assert {"order", "reexec", "root", "queue"} <= _failed(answers)


def test_batches_swapped(answers: Answers) -> None:
    first, second = answers.named("Settled")[:2]
    for name in ("blockNumber", "logIndex"):
        first[name], second[name] = second[name], first[name]
    assert {"order", "root"} <= _failed(answers)


def test_batch_twice(answers: Answers) -> None:
    last = deepcopy(answers.named("Settled")[-1])
    answers.move(last, last["blockNumber"], int(last["logIndex"], 16) + 1)
    answers.replace_logs([*answers.logs, last])
    assert {"order", "root"} <= _failed(answers)


def test_calldata_of_another_batch(answers: Answers) -> None:
    first, second = answers.named("Settled")[:2]
    answers.sent(first)["input"] = answers.sent(second)["input"]
    assert _failed(answers) == {"binding"}


def test_calldata_of_another_function(answers: Answers) -> None:
    settled, ticked = answers.named("Settled")[0], answers.named("Ticked")[0]
    answers.sent(settled)["input"] = answers.sent(ticked)["input"]
    assert _failed(answers) == {"binding"}


@pytest.mark.parametrize("form", [trailing, displaced])
def test_calldata_in_another_form(answers: Answers, form: Callable[[bytes], bytes]) -> None:
    """The contract takes it, so that anybody can post it: it is not compared, and nothing fails."""
    for name in ("Settled", "Ticked", "Swept", "CoverageProved"):
        sent = answers.sent(answers.named(name)[0])
        sent["input"] = "0x" + form(bytes.fromhex(sent["input"][2:])).hex()
    result = answers.audit()
    assert result.findings.failed() == []
    assert any("not compared" in note for note in result.findings.notes)


def test_second_genesis(answers: Answers) -> None:
    answers.replace_logs([*answers.logs, deepcopy(answers.named("Genesis")[0])])
    assert _failed(answers) == {"binding"}


def test_no_genesis(answers: Answers) -> None:
    genesis = answers.named("Genesis")[0]
    answers.replace_logs([log for log in answers.logs if log != genesis])
    with pytest.raises(MissingData, match="Genesis"):
        answers.audit()


def test_withdrawn_twice(answers: Answers) -> None:
    answers.replace_logs([*answers.logs, deepcopy(answers.named("Withdrawn")[0])])
    assert "queue" in _failed(answers)


def test_withdrawn_too_much(answers: Answers) -> None:
    log = answers.named("Withdrawn")[0]
    log["data"] = f"0x{int(log['data'], 16) + 1:064x}"
    assert _failed(answers) == {"queue"}


def test_credited_twice(answers: Answers) -> None:
    answers.replace_logs([*answers.logs, deepcopy(answers.named("Credited")[0])])
    assert _failed(answers) == {"queue"}


def test_credit_left_out(answers: Answers) -> None:
    credit = answers.named("Credited")[-1]
    answers.replace_logs([log for log in answers.logs if log != credit])
    assert _failed(answers) == {"queue"}


def test_request_left_out(answers: Answers) -> None:
    request = answers.named("Requested")[1]
    answers.replace_logs([log for log in answers.logs if log != request])
    assert {"binding", "reexec", "queue"} <= _failed(answers)


def test_unit_of_an_asset(answers: Answers) -> None:
    """Custody that counts a token for more than it is."""
    log = answers.named("AssetRegistered")[1]
    log["data"] = log["data"][:-64] + f"{1:064x}"
    assert _failed(answers) == {"binding", "vault"}


def test_key_of_the_other_circuit(answers: Answers) -> None:
    row = answers.view("verifyingKeys()")
    words = [row["answer"][2:][start : start + 64] for start in range(0, len(row["answer"]) - 2, 64)]
    head, tick, settle, others = words[:13], words[13:25], words[25:37], words[37:]
    row["answer"] = "0x" + "".join([*head, *settle, *tick, *others])
    assert _failed(answers) == {"vk"}


def test_events_of_another_contract(answers: Answers) -> None:
    answers.named("Settled")[0]["address"] = "0x" + "11" * 20
    assert _failed(answers) == {"binding"}


@pytest.mark.parametrize("view", ["root()", "tickHash()", "batch()"])
def test_contract_state(answers: Answers, view: str) -> None:
    row = answers.view(view)
    row["answer"] = f"0x{int(row['answer'], 16) ^ 1:064x}"
    assert _failed(answers) == {"order"}


def test_payable_before_it_is_covered(answers: Answers) -> None:
    """The contract would pay the last withdrawal, whose root is not covered."""
    claim, pending = answers.view("claim(address,uint16)"), answers.view("pending(address,uint16)")
    for row in answers.rows:
        question = row["question"]
        if question[0] == "eth_call" and int(row["answer"][:66], 16) == 5:
            pending = row
            data = question[1][0]["data"].replace(
                topic("pending(address,uint16)")[:10], topic("claim(address,uint16)")[:10]
            )
            claim = next(
                r
                for r in answers.rows
                if r["question"][0] == "eth_call" and r["question"][1][0]["data"] == data
            )
    total = int(claim["answer"], 16) + int(pending["answer"], 16)
    claim["answer"], pending["answer"] = f"0x{total:064x}", f"0x{0:064x}"
    assert _failed(answers) == {"queue"}


def test_coverage_left_out(answers: Answers) -> None:
    """A tick after one that nobody was shown to be healthy at."""
    gone = answers.named("CoverageProved")[0], answers.named("Covered")[0]
    answers.replace_logs([log for log in answers.logs if log not in gone])
    assert {"order", "coverage"} <= _failed(answers)
