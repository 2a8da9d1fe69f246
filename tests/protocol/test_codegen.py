# SPDX-License-Identifier: GPL-3.0-or-later
"""What is generated from the data file is current, complete and means what the data file says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from zkmargin.protocol import codegen
from zkmargin.protocol.constants import (
    BITS,
    CIRCUIT_IDS,
    PACKING,
    PROTOCOL_HASH,
    TAGS,
    EntryKind,
    Op,
    P,
    load,
    tag,
)
from zkmargin.protocol.home import home
from zkmargin.protocol.packing import pack

COMMITTED = home() / codegen.SOLIDITY


def solidity() -> dict[str, str]:
    text = COMMITTED.read_text()
    found: list[tuple[str, str]] = re.findall(r"constant (\w+) =\s+([^;]+);", text)
    assert len(dict(found)) == len(found)
    return dict(found)


def circom() -> dict[str, int]:
    rows = re.findall(r"^function (\w+)\(\) \{ return (\d+); \}$", codegen.circom_constants(), re.MULTILINE)
    assert len(dict(rows)) == len(rows) == codegen.circom_constants().count("function")
    return {name: int(value) for name, value in rows}


def test_the_committed_file_is_current() -> None:
    assert COMMITTED.read_text() == codegen.solidity_library(), "run python -m zkmargin.protocol.codegen"


def test_solidity_has_the_hash_of_the_data_file() -> None:
    assert solidity()["PROTOCOL_HASH"] == f"0x{PROTOCOL_HASH}"
    assert solidity()["FIELD_MODULUS"] == str(P)


@pytest.mark.parametrize("packing", PACKING)
def test_offsets_are_where_values_are_packed(packing: str) -> None:
    in_circom, in_solidity = circom(), solidity()
    for field, bits in PACKING[packing].items():
        name = f"{packing}_{field}".upper()
        assert 1 << in_circom[name] == pack(packing, **{field: 1})
        assert in_circom[f"{name}_BITS"] == bits
        if f"{name}_SHIFT" in in_solidity:
            assert in_solidity[f"{name}_SHIFT"] == str(in_circom[name])
            assert in_solidity[f"{name}_BITS"] == str(bits)


def test_numbers_of_circom() -> None:
    found = circom()
    assert {name: found[f"TAG_{name.upper()}"] for name in TAGS} == {name: tag(name) for name in TAGS}
    assert {op: found[f"OP_{op.name}"] for op in Op} == {op: op.value for op in Op}
    assert {kind: found[f"ENTRY_{kind.name}"] for kind in EntryKind} == {
        kind: kind.value for kind in EntryKind
    }
    assert {name: found[f"BITS_{name.upper()}"] for name in BITS} == BITS
    assert {name: found[f"CIRCUIT_{name.upper()}"] for name in CIRCUIT_IDS} == CIRCUIT_IDS
    for circuit, words in load().words.items():
        for index, name in enumerate(words.fixed):
            assert found[f"WORD_{circuit.upper()}_{name.upper()}"] == index


def test_numbers_of_solidity() -> None:
    found = solidity()
    assert {op: found[f"OP_{op.name}"] for op in Op} == {op: str(op.value) for op in Op}
    assert {kind: found[f"ENTRY_{kind.name}"] for kind in EntryKind} == {k: str(k.value) for k in EntryKind}
    circuits = {name: str(number) for name, number in CIRCUIT_IDS.items()}
    assert {name: found[f"CIRCUIT_{name.upper()}"] for name in CIRCUIT_IDS} == circuits
    assert found["CIRCUITS"] == str(len(circuits))
    assert sorted(CIRCUIT_IDS.values()) == list(range(1, len(circuits) + 1)), "the verifier counts from 1"
    for circuit, words in load().words.items():
        for index, name in enumerate(words.fixed):
            assert found[f"{circuit}_WORD_{name}".upper()] == str(index)
        for index, name in enumerate(words.repeated):
            assert found[f"{circuit}_AT_{name}".upper()] == str(index)


def test_circuits_use_only_constants_that_there_are() -> None:
    texts = {path.name: path.read_text() for path in (home() / "circuits").rglob("*.circom")}
    own = {name for text in texts.values() for name in re.findall(r"function (\w+)\(", text)}
    for name, text in texts.items():
        used = set(re.findall(r"\b([A-Z][A-Z0-9_]+)\(\)", re.sub(r"//.*", "", text)))
        assert used <= set(circom()) | own, f"{name}: {sorted(used - set(circom()) - own)}"
    assert not own & set(circom()), "a circuit defines a constant of the data file itself"


def test_a_comment_makes_no_circuit_stale() -> None:
    assert PROTOCOL_HASH[:16] not in codegen.circom_constants()


def _run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zkmargin.protocol.codegen", *arguments]
    env = {
        "ZKMARGIN_HOME": str(folder),
        "ZKMARGIN_BUILD": str(folder / "build"),
        "PYTHONPATH": str(home() / "prover"),
        "PATH": "/usr/bin:/bin",
    }
    return subprocess.run(command, env=env, text=True, capture_output=True, check=False)


def test_the_command_writes_checks_and_names_what_is_stale(tmp_path: Path) -> None:
    assert _run("--check", folder=tmp_path).returncode == 1
    written = _run(folder=tmp_path)
    assert written.returncode == 0, written.stderr
    assert (tmp_path / codegen.SOLIDITY).read_text() == COMMITTED.read_text()
    assert (tmp_path / "build" / codegen.CIRCOM).read_text() == codegen.circom_constants()
    assert _run("--check", folder=tmp_path).returncode == 0
    assert _run(folder=tmp_path).stdout == ""
    shutil.copy(COMMITTED, tmp_path / codegen.SOLIDITY)
    changed = (tmp_path / codegen.SOLIDITY).read_text().replace("OP_ABSORB = 11", "OP_ABSORB = 12")
    (tmp_path / codegen.SOLIDITY).write_text(changed)
    checked = _run("--check", folder=tmp_path)
    assert checked.returncode == 1
    assert "Protocol.sol is stale" in checked.stderr
    assert _run("--no-such-option", folder=tmp_path).returncode == 2


def test_only_named_constants_are_replaced() -> None:
    usual, changed = codegen.circom_constants(), codegen.circom_constants({"TIERS": 1})
    assert usual.replace("TIERS() { return 4; }", "TIERS() { return 1; }") == changed != usual
    with pytest.raises(AssertionError, match="LAYERS"):
        codegen.circom_constants({"LAYERS": 1})
