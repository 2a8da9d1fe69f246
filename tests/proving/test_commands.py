# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin circuits` and `zkmargin verify`, run as commands on the example circuit."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from proving.example import example_circuit, example_inputs
from zkmargin.cli.circuits import describe, table
from zkmargin.cli.verify import verify_command, verify_file
from zkmargin.errors import BadInput, ExitStatus, MissingData, ProofInvalid
from zkmargin.proving.prove import prove


@pytest.fixture(scope="module")
def proof(keys):
    return prove(keys, example_inputs(), "groth16py").proof


@pytest.fixture
def proof_file(proof, tmp_path):
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof.as_json("example", "test")))
    return path


def test_records_of_circuits(keys):
    def sized(units):
        return replace(example_circuit(n=units), unit="product", units=units)

    (record,) = describe([sized(3)], sizes=lambda item: (sized(2), sized(3)))
    assert record == {
        "circuit": "example",
        "profile": "test",
        "constraints": str(keys.artifacts.constraints),
        "fixed": str(keys.artifacts.constraints - 3),
        "per_unit": "1",
        "unit": "product",
        "units": "3",
        "public_signals": "3",
        "source_hash": keys.artifacts.source_hash,
        "vk_hash": keys.vk_hash,
        "dev_key": True,
    }
    assert table([record]).row_count == 1


def test_the_table_fits_a_terminal_whole():
    console = Console(width=80, file=io.StringIO())
    largest = {
        "circuit": "coverage", "profile": "main", "constraints": "999999", "fixed": "999999",
        "per_unit": "999999", "unit": "account", "units": "65536",
        "vk_hash": "12345678" * 8, "dev_key": False,
    }  # fmt: skip
    console.print(table([largest]))
    said = console.file.getvalue()
    assert "…" not in said
    for words in ("coverage main", "999,999", "65536 accounts", "12345678", "ceremony"):
        assert words in said


def test_compiling_is_announced(fresh_build):
    said = []
    describe([example_circuit()], said.append)
    assert said[0].startswith("1 circuit is to be compiled first")
    said.clear()
    describe([example_circuit()], said.append)
    assert said == []


def test_circuits_without_keys_have_none(fresh_build):
    (record,) = describe([example_circuit()])
    assert record["vk_hash"] is None
    assert record["dev_key"] is None


def test_a_proof_file_names_its_circuit(keys, proof_file):
    record = verify_file(proof_file, verifiers=("groth16py", "py-ecc", "snarkjs"))
    assert record["ok"] is True
    assert record["dev_key"] is True
    assert record["vk_hash"] == keys.vk_hash
    assert record["public_signals"] == ["170", "100", "7"]


def test_plain_snarkjs_files(keys, proof, tmp_path):
    data = proof.as_json()
    public = data.pop("publicSignals")
    for name, content in (("proof", data), ("public", public), ("vkey", keys.verification_key)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    record = verify_file(
        tmp_path / "proof.json", public=tmp_path / "public.json", vkey=tmp_path / "vkey.json"
    )
    assert record["ok"] is True
    with pytest.raises(BadInput, match="does not say which circuit"):
        verify_file(tmp_path / "proof.json", public=tmp_path / "public.json")


def test_what_is_wrong_decides_the_exit_status(proof_file, tmp_path):
    data = json.loads(proof_file.read_text())
    data["publicSignals"][0] = "171"
    proof_file.write_text(json.dumps(data))
    with pytest.raises(ProofInvalid) as invalid:
        verify_file(proof_file)
    with pytest.raises(MissingData) as missing:
        verify_file(tmp_path / "none.json")
    proof_file.write_text("{")
    with pytest.raises(BadInput, match="is no JSON") as malformed:
        verify_file(proof_file)
    proof_file.write_text(json.dumps(data | {"circuit": "unknown"}))
    with pytest.raises(MissingData, match="no verifying key of circuit 'unknown'") as unknown:
        verify_file(proof_file)
    statuses = [caught.value.exit_status for caught in (invalid, missing, malformed, unknown)]
    assert statuses == [ExitStatus.INVALID, ExitStatus.MISSING, ExitStatus.USAGE, ExitStatus.MISSING]


def test_the_command_prints_json(proof_file):
    app = typer.Typer()
    app.command()(verify_command)
    done = CliRunner().invoke(app, [str(proof_file), "--json", "--verifier", "groth16py"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["verifiers"] == ["groth16py"]
