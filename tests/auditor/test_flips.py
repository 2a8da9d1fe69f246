# SPDX-License-Identifier: GPL-3.0-or-later
"""One byte changed anywhere: the audit is invalid, names a check, and never breaks."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from auditor.answers import Answers, Kept, verify_once
from auditor.flips import Flip, all_flips
from zkmargin.auditor import audit
from zkmargin.auditor.findings import NAMES
from zkmargin.auditor.source import Bundle
from zkmargin.errors import ExitStatus, MissingData

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("audit")]

# By event, how many words of its data stand before the proof.
_BATCHES = {"Settled": 6, "Ticked": 5, "Swept": 5, "Regrouped": 5, "Carried": 5, "CoverageProved": 4}
_NAMES = tuple(_BATCHES)
_BALANCE = "view 0x70a08231"
_VERIFIER = f"view 0x{keccak(b'verifier()')[:4].hex()}"


def _outcome(answers: Answers, what: str) -> str:
    """'' if the audit is invalid and says why, else what it did.

    Calldata in another than its canonical form is valid too, but said not to be compared.
    """
    try:
        result = answers.audit()
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    failed = [check for check in result.findings.checks if check.status == "fail"]
    if what.startswith("calldata") and result.ok and "not compared" in str(result.findings.notes):
        return ""
    if result.ok or result.exit != ExitStatus.INVALID or not failed:
        return f"exit {result.exit}"
    return "" if all(check.name in NAMES and check.detail for check in failed) else "names no check"


def _judge(answers: Answers, flips: list[Flip]) -> None:
    wrong = [(flip, outcome) for flip in flips if (outcome := _outcome(flip.apply(answers), flip.what))]
    assert wrong == []


def _judged(answers: Answers) -> list[Flip]:
    """All but those that change where to look, or add tokens."""
    return [flip for flip in all_flips(answers) if not flip.what.startswith((_BALANCE, _VERIFIER))]


def test_everything_but_batches(kept: Kept) -> None:
    answers = Answers(kept.folder)
    flips = [flip for flip in _judged(answers) if not flip.what.startswith(_NAMES)]
    assert len(flips) > 300
    _judge(answers, flips)


def test_events_of_batches(kept: Kept) -> None:
    """A sample: each changed word has other public signals, which costs a verification."""
    answers = Answers(kept.folder)
    flips = [flip for flip in _judged(answers) if flip.what.startswith(_NAMES)]
    _judge(answers, random.Random(1).sample(flips, 24))


@pytest.mark.slow
def test_events_of_batches_all(kept: Kept) -> None:
    answers = Answers(kept.folder)
    _judge(answers, [flip for flip in _judged(answers) if flip.what.startswith(_NAMES)])


@pytest.mark.parametrize("batch", _NAMES)
def test_proof_words_that_agree_with_calldata(kept: Kept, batch: str) -> None:
    """The same wrong proof in event and calldata: only the proof itself is left to say so."""
    answers = Answers(kept.folder)
    log = answers.named(batch)[0]
    sent = answers.sent(log)
    proof = log["data"][2 + 64 * _BATCHES[batch] :][:512]
    assert proof in sent["input"]
    changed = proof[:100] + ("0" if proof[100] != "0" else "1") + proof[101:]
    log["data"] = log["data"].replace(proof, changed)
    sent["input"] = sent["input"].replace(proof, changed)
    result = answers.audit()
    assert {check.name for check in result.findings.failed()} == {"proof"}
    assert result.exit == ExitStatus.INVALID


def test_fewer_tokens_than_are_owed(kept: Kept) -> None:
    answers = Answers(kept.folder)
    row = answers.view("balanceOf(address)")
    row["answer"] = f"0x{int(row['answer'], 16) - 1:064x}"
    assert {check.name for check in answers.audit().findings.failed()} == {"vault"}


def test_more_tokens_than_are_owed_are_a_gift(kept: Kept) -> None:
    answers = Answers(kept.folder)
    row = answers.view("balanceOf(address)")
    row["answer"] = f"0x{int(row['answer'], 16) + 1:064x}"
    assert answers.audit().ok


def test_another_verifier_is_missing_not_wrong(kept: Kept) -> None:
    answers = Answers(kept.folder)
    row = answers.view("verifier()")
    row["answer"] = row["answer"][:-1] + ("0" if row["answer"][-1] != "0" else "1")
    with pytest.raises(MissingData):
        answers.audit()


def test_any_byte_of_the_file(kept: Kept, tmp_path: Path) -> None:
    """Bytes of `answers.json` itself, also those that leave no JSON or no text."""
    shutil.copytree(kept.folder, folder := tmp_path / "bundle")
    path = folder / "answers.json"
    whole, rng = path.read_bytes(), random.Random(2)
    wrong = []
    for _ in range(150):
        at, mask = rng.randrange(len(whole)), rng.choice([1, 2, 8, 16, 32, 128, 255])
        path.write_bytes(whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :])
        # The file's hash says so; proofs are the other tests' concern.
        result = audit(Bundle(folder), kept.ledger, verify=lambda jobs, progress: [""] * len(jobs))
        if result.exit != ExitStatus.INVALID:
            wrong.append((at, mask, result.exit))
    assert wrong == []


def test_file_cut_off_is_missing(kept: Kept, tmp_path: Path) -> None:
    shutil.copytree(kept.folder, folder := tmp_path / "bundle")
    path = folder / "answers.json"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(MissingData, match="damaged"):
        Bundle(folder)


def test_answers_left_out_are_missing(kept: Kept) -> None:
    """Every answer but one: never judged, never broken."""
    answers = Answers(kept.folder)
    for number, row in enumerate(answers.rows):
        less = answers.copy()
        del less.rows[number]
        with pytest.raises(MissingData):
            audit(less, less.ledger, verify=verify_once)
        assert row["question"]
