# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers and files made to break the auditor: a verdict or a named error, never a trace."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode

from auditor.answers import Answers, Kept
from zkmargin.auditor.source import Bundle
from zkmargin.auditor.untrusted import DEEPEST, nesting, parse
from zkmargin.errors import ExitStatus, MissingData

_GENESIS = ("uint256", "uint256", "uint256", "bytes")


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("1", 0),
        ("[]", 1),
        ('{"a": [[1], [2]]}', 3),
        ('["[[[["]', 1),
        (r'["\"[[[", "\\", [1]]', 2),
        ("[" * 100_000, 100_000),
        ('"' + '\\"' * 100_000 + "[", 0),
        ('"' + "\\" * 100_001, 0),
    ],
)
def test_nesting(text: str, depth: int) -> None:
    assert nesting(text) == depth


@pytest.mark.parametrize(
    "text", ["", "[" * 200_000, "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "Infinity", "[NaN]", "1" * 10_000]
)
def test_texts_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"deep|Expecting|no number|digits"):
        parse(text)


def test_the_deepest_that_is_read() -> None:
    value = parse("[" * DEEPEST + "]" * DEEPEST)
    for _ in range(DEEPEST - 1):
        (value,) = value
    assert value == []


# ------------------------------------------------------------------- answers


def _params(answers: Answers, change: Callable[[bytes], bytes]) -> None:
    log = answers.named("Genesis")[0]
    values = list(decode(_GENESIS, bytes.fromhex(log["data"][2:])))
    values[3] = change(values[3])
    log["data"] = "0x" + encode(_GENESIS, values).hex()


def _table_size(text: bytes) -> bytes:
    return json.dumps(json.loads(text) | {"table_size": 10**80}).encode()


@pytest.mark.chain
@pytest.mark.xdist_group("audit")
@pytest.mark.parametrize(
    "change", [lambda _: b"[" * 100_000, lambda _: b'"\xff', lambda _: b"null", _table_size, lambda _: b"NaN"]
)
def test_parameters(kept: Kept, change: Callable[[bytes], bytes]) -> None:
    answers = Answers(kept.folder)
    _params(answers, change)
    result = answers.audit()
    assert result.exit == ExitStatus.INVALID
    assert [check.name for check in result.findings.failed()] == ["binding"]


@pytest.mark.chain
@pytest.mark.xdist_group("audit")
@pytest.mark.parametrize("field", ["topics", "data", "transactionHash", "blockNumber", "logIndex", "address"])
@pytest.mark.parametrize("value", [None, 5, "", "0x", "x", [], {}, ["0x"], True, "0x" + "00" * 40])
def test_fields_of_a_log(kept: Kept, field: str, value: Any) -> None:
    answers = Answers(kept.folder)
    answers.named("Settled")[0][field] = value
    assert answers.audit().exit == ExitStatus.INVALID


@pytest.mark.chain
@pytest.mark.xdist_group("audit")
@pytest.mark.parametrize("value", [None, 5, "x", [], {}, [1], {"to": None}, {"to": 5, "input": None}])
@pytest.mark.parametrize("method", ["eth_getTransactionByHash", "eth_getLogs", "eth_call", "eth_chainId"])
def test_answers_of_another_kind(kept: Kept, method: str, value: Any) -> None:
    answers = Answers(kept.folder)
    next(row for row in answers.rows if row["question"][0] == method)["answer"] = value
    with suppress(MissingData):  # an answer that is none
        assert not answers.audit().ok


# ------------------------------------------------------------------- files


def _write(folder: Path, manifest: str) -> Path:
    (folder / "answers.json").write_text("[]\n")
    (folder / "manifest.json").write_text(manifest)
    return folder


_MANIFEST = {
    "format": 2,
    "ledger": "0x" + "11" * 20,
    "from_block": 0,
    "answers": 0,
    "bytes": 3,
    "sha256": "",
}


@pytest.mark.parametrize("name", _MANIFEST)
@pytest.mark.parametrize("value", ["Infinity", "1e400", "-Infinity", "NaN", "null", "[]", "1.5", "true"])
def test_fields_of_a_manifest(tmp_path: Path, name: str, value: str) -> None:
    text = json.dumps(_MANIFEST | {name: "@"}).replace('"@"', value)
    with pytest.raises(MissingData, match="damaged"):
        Bundle(_write(tmp_path, text))


@pytest.mark.chain
@pytest.mark.xdist_group("audit")
@pytest.mark.parametrize(("name", "value"), [("chain_id", "0x1"), ("block", "0x1"), ("block_hash", None)])
def test_a_manifest_of_another_place(kept: Kept, tmp_path: Path, name: str, value: object) -> None:
    shutil.copy(kept.folder / "answers.json", tmp_path)
    manifest = json.loads((kept.folder / "manifest.json").read_text())
    assert manifest[name] != value
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {name: value}))
    assert "another chain or block" in Bundle(tmp_path).altered


def test_a_bundle_of_another_format(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="format 1"):
        Bundle(_write(tmp_path, json.dumps(_MANIFEST | {"format": 1})))


@pytest.mark.parametrize("name", ["answers", "manifest"])
def test_a_file_too_large(tmp_path: Path, name: str) -> None:
    _write(tmp_path, json.dumps(_MANIFEST))
    os.truncate(tmp_path / f"{name}.json", (1 << 29) + 1)  # sparse: takes no space
    with pytest.raises(MissingData, match="larger than"):
        Bundle(tmp_path)
