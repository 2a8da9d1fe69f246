# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the CPU time of a sweep proof goes: the native prover's parts, and the witness before them."""

from __future__ import annotations

import resource
from collections.abc import Iterator

from zkmargin.bench.proving import PROFILE, sweep_witness
from zkmargin.bench.rows import Row, median
from zkmargin.proving.profile import profile_keys
from zkmargin.toolchain import Report

RUNS = 5


def rows(report: Report | None = None) -> Iterator[Row]:
    """A row a part, its share of the proof; nothing where the kernel is not built."""
    try:
        from zkmargin import _kernel
    except ImportError:
        return
    keys = profile_keys(PROFILE, report)["sweep"]
    witness = sweep_witness(keys)
    before = resource.getrusage(resource.RUSAGE_SELF)
    sweep_witness(keys)  # the generator is loaded by now
    after = resource.getrusage(resource.RUSAGE_SELF)
    prover = _kernel.Prover(str(keys.zkey))
    prover.profile(witness)
    runs = [prover.profile(witness) for _ in range(RUNS)]
    parts = {part: median([run[part] for run in runs]) for part in runs[0]}
    total = sum(parts.values())
    for part, seconds in parts.items():
        yield Row(f"proof_share_{part}", seconds / total, "of a sweep proof", cpu_s=seconds, runs=RUNS)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    yield Row("proof_share_witness", spent / total, "of the proof, before it", cpu_s=spent)
