# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiling circuits: cache, errors, include resolution, the generator without assertions."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from proving.example import FOLDER, example_circuit
from zkmargin.circuits.compile import compile_circuit, constraint_count
from zkmargin.circuits.sources import gather, includes
from zkmargin.circuits.wasm import without_assertions
from zkmargin.errors import CompileError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "circuits"))


def test_info_of_the_example(artifacts):
    assert artifacts.inputs == {"total": (), "label": (), "root": (), "factors": (3, 2)}
    assert artifacts.public_signals == 3
    assert artifacts.constraints > 0
    assert artifacts.wires > artifacts.public_signals


def test_compiled_once_until_a_source_changes(fresh_build, copy):
    lines: list[str] = []
    first = compile_circuit(example_circuit(copy), lines.append)
    made = first.wasm.stat().st_mtime_ns
    assert any("compiling" in line for line in lines)
    lines.clear()
    assert compile_circuit(example_circuit(copy), lines.append) == first
    assert lines == []
    assert first.wasm.stat().st_mtime_ns == made

    part = copy / "part.circom"  # reached only through an include
    part.write_text(part.read_text().replace("in * in", "in * in + 1"))
    second = compile_circuit(example_circuit(copy), lines.append)
    assert second.source_hash != first.source_hash
    assert second.folder != first.folder
    assert lines


def test_hash_does_not_depend_on_where_the_sources_are(copy):
    assert gather(example_circuit(copy)).digest == gather(example_circuit()).digest
    assert gather(example_circuit(copy, n=4)).digest != gather(example_circuit(copy)).digest


def test_two_processes_compile_once(fresh_build, copy):
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        results = pool.map(compile_circuit, [example_circuit(copy)] * 2)
    assert results[0] == results[1]
    kept = [path.name for path in (fresh_build / "circuits").iterdir() if not path.name.startswith(".")]
    assert kept == [results[0].folder.name]


def test_an_interrupted_compilation_leaves_nothing_that_counts(fresh_build, copy, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("zkmargin.circuits.compile.read_header", interrupt)
        with pytest.raises(KeyboardInterrupt):
            compile_circuit(example_circuit(copy))
    assert [path.name for path in (fresh_build / "circuits").iterdir()] == [".locks"]
    assert compile_circuit(example_circuit(copy)).wasm.exists()


def test_generated_files_come_before_the_search_path(fresh_build, copy):
    generated = {"part.circom": (copy / "part.circom").read_text().replace("in * in", "in * in + in")}
    main = replace(example_circuit(copy), generated=generated)
    (copy / "part.circom").rename(copy / "part.txt")
    assert "generated/part.circom" in gather(main).texts
    assert compile_circuit(main).constraints == compile_circuit(main).constraints


def test_a_missing_include_is_named(copy):
    (copy / "part.circom").unlink()
    with pytest.raises(CompileError, match=r"0/example\.circom includes 'part\.circom', which is not found"):
        compile_circuit(example_circuit(copy))


def test_a_wrong_circuit_gives_the_compilers_words(fresh_build, copy):
    source = copy / "part.circom"
    source.write_text(source.read_text().replace("out <== in * in;", "out <== in * in * in;"))
    with pytest.raises(CompileError, match="Non quadratic constraints") as caught:
        compile_circuit(example_circuit(copy))
    assert "\x1b" not in str(caught.value)
    assert not any(path.name.startswith("example") for path in (fresh_build / "circuits").iterdir())


def test_includes_skip_comments():
    text = (
        '// include "no.circom";\n/* include "no.circom"; */\ninclude "yes.circom";\n  include "a/b.circom" ;'
    )
    assert includes(text) == ["yes.circom", "a/b.circom"]


def test_count_without_a_witness_generator(fresh_build, copy):
    count = constraint_count(example_circuit(copy, n=5))
    assert not any(path.name.startswith("example") for path in (fresh_build / "circuits").iterdir())
    assert count == compile_circuit(example_circuit(copy, n=5)).constraints
    assert count - constraint_count(example_circuit(copy, n=4)) == 1
    lines: list[str] = []
    assert constraint_count(example_circuit(copy, n=5), lines.append) == count
    assert lines == []


def test_every_assertion_is_taken_out(artifacts):
    wasm = artifacts.wasm.read_bytes()
    changed, stops = without_assertions(wasm)
    assert stops == 4  # assert(in != 3), square.out === total, sum === total, inverse * root === 1
    assert len(changed) == len(wasm)
    assert without_assertions(changed)[1] == 0


def test_versions_long_unused_are_forgotten(fresh_build, copy):
    old = compile_circuit(example_circuit(copy)).folder
    used = compile_circuit(example_circuit(copy, n=4)).folder
    for folder in (old, used):
        os.utime(folder / "info.json", (0, 0))
    compile_circuit(example_circuit(copy, n=4))
    new = compile_circuit(example_circuit(copy, n=5)).folder
    assert [folder.exists() for folder in (old, used, new)] == [False, True, True]
