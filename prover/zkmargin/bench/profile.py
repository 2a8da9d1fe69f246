# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the CPU time of a sweep goes: the witness, then the native prover's parts."""

from __future__ import annotations

from collections.abc import Iterator

from zkmargin.bench.measure import cpu_seconds
from zkmargin.bench.proving import PROFILE, sweep_inputs
from zkmargin.bench.rows import Row, median
from zkmargin.proving.profile import profile_keys
from zkmargin.proving.prove import compute_witness
from zkmargin.toolchain import Report

RUNS = 5


def rows(report: Report | None = None) -> Iterator[Row]:
    """A row a part with its share; nothing where the kernel is not built."""
    try:
        from zkmargin import _kernel
    except ImportError:
        return
    keys, inputs = profile_keys(PROFILE, report)["sweep"], sweep_inputs()
    witness = compute_witness(keys, inputs)  # loads the generator
    before = cpu_seconds()
    for _ in range(RUNS):
        compute_witness(keys, inputs)
    computing = (cpu_seconds() - before) / RUNS
    prover = _kernel.Prover(str(keys.zkey))
    prover.profile(witness)
    runs = [prover.profile(witness) for _ in range(RUNS)]
    parts = {part: median([run[part] for run in runs]) for part in runs[0]} | {"witness": computing}
    total = sum(parts.values())
    for part, seconds in parts.items():
        yield Row(f"sweep_share_{part}", seconds / total, "of witness and proof", cpu_s=seconds, runs=RUNS)
