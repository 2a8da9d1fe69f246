# SPDX-License-Identifier: GPL-3.0-or-later
"""Circuits compiled once per hash of their sources, into `build/circuits/<name>-<profile>-<hash>/`.

That folder appears whole or not at all, and holds `main.r1cs`, `main.wasm` (witness generator), `main.sym`
(signal names), `sources.json` (what it was compiled from) and `info.json`. Two processes that want the same
circuit wait for one compiler.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from zkmargin.circuits import _circom
from zkmargin.circuits.circuit import Circuit
from zkmargin.circuits.r1cs import Header, read_header
from zkmargin.circuits.sources import MAIN, OPTIONS, Sources, gather
from zkmargin.circuits.wasm import cache_settings, without_assertions
from zkmargin.errors import CompileError
from zkmargin.toolchain import Report, cache_folder, circom_wasm, exclusively, forget_unused, mark_used

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_HASH_LENGTH = 16


@dataclass(frozen=True)
class Artifacts:
    """A compiled circuit on disk.

    `inputs` gives each input signal of the main template with its array dimensions; `source_hash` covers
    sources, compiler and options.
    """

    circuit: str
    profile: str
    units: int
    folder: Path
    source_hash: str
    constraints: int
    wires: int
    public_signals: int
    inputs: dict[str, tuple[int, ...]]

    @property
    def key(self) -> str:
        """`circuit-profile`."""
        return f"{self.circuit}-{self.profile}"

    @property
    def r1cs(self) -> Path:
        """The constraint system."""
        return self.folder / "main.r1cs"

    @property
    def wasm(self) -> Path:
        """The witness generator."""
        return self.folder / "main.wasm"

    @property
    def sym(self) -> Path:
        """The names of the wires."""
        return self.folder / "main.sym"

    def unchecked_wasm(self) -> Path:
        """A witness generator that goes on after failed assertions, for hand-built bad witnesses."""
        path = self.folder / "main.unchecked.wasm"
        if not path.exists():
            changed, _ = without_assertions(self.wasm.read_bytes())
            draft = self.folder / f"main.unchecked.wasm.{os.getpid()}"
            draft.write_bytes(changed)
            draft.replace(path)
        return path


def compile_circuit(circuit: Circuit, report: Report | None = None) -> Artifacts:
    """`circuit` compiled, from the cache if its sources are as they were; raises CompileError with the
    compiler's words.
    """
    sources = gather(circuit)
    folder = cache_folder("circuits") / f"{circuit.key}-{sources.digest[:_HASH_LENGTH]}"
    if not folder.exists():
        lock = cache_folder("circuits") / ".locks" / f"{folder.name}.lock"
        with exclusively(lock, report, f"circuit {circuit.key}"):
            if not folder.exists():
                _compile_into(folder, circuit, sources, report)
    return load_artifacts(folder)


def load_artifacts(folder: Path) -> Artifacts:
    """What stands in a folder made by `compile_circuit`."""
    info = json.loads((folder / "info.json").read_text())
    mark_used(folder / "info.json")
    inputs = {name: tuple(sizes) for name, sizes in info["inputs"].items()}
    fields = {name: info[name] for name in Artifacts.__dataclass_fields__ if name not in ("folder", "inputs")}
    return Artifacts(folder=folder, inputs=inputs, **fields)


def is_compiled(circuit: Circuit) -> bool:
    """Whether the cache has `circuit` as its sources are now."""
    name = f"{circuit.key}-{gather(circuit).digest[:_HASH_LENGTH]}"
    return (cache_folder("circuits") / name / "info.json").exists()


def is_counted(circuit: Circuit) -> bool:
    """Whether `constraint_count` has its answer already."""
    name = f"{circuit.key}-{gather(circuit).digest[:_HASH_LENGTH]}"
    folder = cache_folder("circuits")
    return (folder / name / "info.json").exists() or (folder / "counts" / f"{name}.json").exists()


def constraint_count(circuit: Circuit, report: Report | None = None) -> int:
    """Number of constraints of `circuit`, remembered; compiled without a witness generator if need be."""
    sources = gather(circuit)
    name = f"{circuit.key}-{sources.digest[:_HASH_LENGTH]}"
    if (cache_folder("circuits") / name / "info.json").exists():
        return load_artifacts(cache_folder("circuits") / name).constraints
    record = cache_folder("circuits") / "counts" / f"{name}.json"
    with exclusively(record.parent / ".locks" / f"{name}.lock", report, f"the count of {circuit.key}"):
        if not record.exists():
            with tempfile.TemporaryDirectory(dir=cache_folder("circuits"), prefix=".count-") as scratch:
                _run(circuit, sources, Path(scratch), ("--O1", "--r1cs"), report)
                header = read_header(Path(scratch) / "main.r1cs")
            draft = record.with_suffix(f".{os.getpid()}")
            draft.write_text(json.dumps({"constraints": header.constraints}))
            draft.replace(record)
    return int(json.loads(record.read_text())["constraints"])


def _run(
    circuit: Circuit, sources: Sources, folder: Path, options: tuple[str, ...], report: Report | None
) -> tuple[float, str]:
    """Runs the compiler with its output to `folder`; seconds taken and what it said."""
    generated = folder / "generated"
    generated.mkdir()
    (folder / MAIN).write_text(sources.texts[MAIN])
    for name, text in circuit.generated.items():
        (generated / name).write_text(text)
    search = [part for place in (generated, *circuit.search) for part in ("-l", str(place))]
    if report is not None:
        report(
            f"compiling circuit {circuit.key} ({circuit.units} {circuit.unit} units)"
            if circuit.unit
            else f"compiling circuit {circuit.key}"
        )
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, _circom.__file__, str(circom_wasm()), str(cache_settings()),
         str(folder / MAIN), *options, *search, "-o", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = _COLOUR.sub("", done.stdout + done.stderr).strip()
    if done.returncode == _circom.OUT_OF_MEMORY:
        raise CompileError(
            f"the compiler gave up on circuit {circuit.key}: {said[-600:]}",
            hint="a circuit near a million constraints exceeds its 4 GB; make it smaller",
        )
    if done.returncode != 0:
        raise CompileError(f"circuit {circuit.key} does not compile:\n{said[-4000:]}", hint="")
    return time.monotonic() - start, said


def _compile_into(folder: Path, circuit: Circuit, sources: Sources, report: Report | None) -> None:
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        seconds, said = _run(circuit, sources, scratch, OPTIONS, report)
        (scratch / "main_js" / "main.wasm").rename(scratch / "main.wasm")
        shutil.rmtree(scratch / "main_js")
        (scratch / "sources.json").write_text(json.dumps(sources.texts))
        (scratch / "compiler.log").write_text(said + "\n")
        header = read_header(scratch / "main.r1cs")
        artifacts = Artifacts(
            circuit=circuit.name,
            profile=circuit.profile,
            units=circuit.units,
            folder=folder,
            source_hash=sources.digest,
            constraints=header.constraints,
            wires=header.wires,
            public_signals=header.public_outputs + header.public_inputs,
            inputs=_input_dimensions(scratch / "main.sym", header),
        )
        info = asdict(artifacts) | {"seconds": round(seconds, 2), "sources": sorted(sources.texts)}
        del info["folder"]
        (scratch / "info.json").write_text(json.dumps(info, indent=1) + "\n")
        scratch.chmod(0o755)
        scratch.replace(folder)
        forget_unused(folder.parent, "info.json")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if report is not None:
        report(f"compiled circuit {circuit.key}: {header.constraints:,} constraints in {seconds:.1f} s")


def _input_dimensions(sym: Path, header: Header) -> dict[str, tuple[int, ...]]:
    """Input signals and their dimensions; their labels stand right after those of the public outputs."""
    count = header.public_inputs + header.private_inputs
    sizes: dict[str, tuple[int, ...]] = {}
    with sym.open() as lines:
        for number, line in enumerate(lines):
            if number >= header.public_outputs + count:
                break
            if number < header.public_outputs:
                continue
            name, *indices = (
                line.rstrip("\n").split(",", 3)[3].removeprefix("main.").replace("]", "").split("[")
            )
            last = tuple(int(index) + 1 for index in indices)
            sizes[name] = max(sizes.get(name, last), last)
    return sizes
