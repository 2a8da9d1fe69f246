# SPDX-License-Identifier: GPL-3.0-or-later
"""Events that are all there, but not where they can have happened."""

from __future__ import annotations

from copy import deepcopy

import pytest

from auditor.answers import Answers, Kept

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("audit")]


@pytest.fixture
def answers(kept: Kept) -> Answers:
    return Answers(kept.folder)


def _failed(answers: Answers) -> set[str]:
    return {check.name for check in answers.audit().findings.failed()}


def _first(answers: Answers) -> str:
    return str(answers.named("Genesis")[0]["blockNumber"])


def _last(answers: Answers) -> str:
    return str(max((log["blockNumber"] for log in answers.logs), key=lambda text: int(text, 16)))


def test_withdrawn_before_it_was_credited(answers: Answers) -> None:
    for log in answers.named("Withdrawn"):
        answers.move(log, _first(answers), 90)
    assert _failed(answers) == {"queue"}


def test_withdrawn_before_it_was_covered(answers: Answers) -> None:
    """Just after the batch that credits it."""
    (paid,) = answers.named("Withdrawn")
    credit = next(log for log in answers.named("Credited") if log["topics"][1:3] == paid["topics"][1:3])
    settled = next(
        log for log in answers.named("Settled") if log["transactionHash"] == credit["transactionHash"]
    )
    answers.move(paid, settled["blockNumber"], int(settled["logIndex"], 16) + 1)
    assert _failed(answers) == {"queue"}


def test_requested_after_it_was_consumed(answers: Answers) -> None:
    for number, log in enumerate(answers.named("Requested")):
        answers.move(log, _last(answers), 90 + number)
    assert {"reexec", "queue"} <= _failed(answers)


def test_requested_in_another_order(answers: Answers) -> None:
    first, second = answers.named("Requested")[:2]
    place = second["blockNumber"], second["logIndex"]
    second["blockNumber"], second["logIndex"] = first["blockNumber"], first["logIndex"]
    first["blockNumber"], first["logIndex"] = place
    assert "queue" in _failed(answers)


def test_credited_in_another_transaction(answers: Answers) -> None:
    answers.named("Credited")[0]["transactionHash"] = "0x" + "11" * 32
    assert _failed(answers) == {"queue"}


@pytest.mark.parametrize("where", ["first", "last"])
def test_credited_elsewhere(answers: Answers, where: str) -> None:
    log = answers.named("Credited")[0]
    answers.move(log, _first(answers) if where == "first" else _last(answers), 90)
    assert _failed(answers) == {"queue"}


def test_credited_in_another_order(answers: Answers) -> None:
    first, second = answers.named("Credited")[-3:-1]
    assert first["transactionHash"] == second["transactionHash"]
    first["logIndex"], second["logIndex"] = second["logIndex"], first["logIndex"]
    assert _failed(answers) == {"queue"}


def test_covered_at_the_end(answers: Answers) -> None:
    for number, log in enumerate(answers.named("Covered")):
        answers.move(log, _last(answers), 90 + number)
    assert _failed(answers) == {"coverage"}


def test_covered_in_another_transaction(answers: Answers) -> None:
    answers.named("Covered")[-1]["transactionHash"] = "0x" + "11" * 32
    assert _failed(answers) == {"coverage"}


def test_covered_once_more(answers: Answers) -> None:
    log = deepcopy(answers.named("Covered")[-1])
    answers.move(log, _last(answers), 90)
    answers.replace_logs([*answers.logs, log])
    assert _failed(answers) == {"coverage"}


def test_genesis_at_the_end(answers: Answers) -> None:
    logs = [*answers.named("Genesis"), *answers.named("AssetRegistered")]
    for number, log in enumerate(logs):
        answers.move(log, _last(answers), 90 + number)
    assert "order" in _failed(answers)


def test_an_asset_registered_later(answers: Answers) -> None:
    answers.move(answers.named("AssetRegistered")[1], _last(answers), 90)
    assert _failed(answers) == {"order"}


# ------------------------------------------------------------------- no place at all


@pytest.mark.parametrize(
    "change", [{"removed": True}, {"removed": 1}, {"blockNumber": None}, {"logIndex": None}]
)
def test_a_log_of_no_block(answers: Answers, change: dict[str, object]) -> None:
    answers.named("Withdrawn")[0].update(change)
    assert _failed(answers) == {"binding"}


def test_a_log_of_a_later_block(answers: Answers) -> None:
    answers.move(answers.named("Withdrawn")[0], hex(10**6), 0)
    assert _failed(answers) == {"binding"}


@pytest.mark.parametrize(
    "change", [{"blockNumber": None}, {"blockNumber": "0x1"}, {"hash": "0x" + "11" * 32}, {"hash": None}]
)
def test_a_transaction_of_another_place(answers: Answers, change: dict[str, object]) -> None:
    answers.sent(answers.named("Settled")[0]).update(change)
    assert _failed(answers) == {"binding"}
