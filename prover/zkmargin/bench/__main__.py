# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m zkmargin.bench [SECTION ...]: constraints, coverage, proving, profile, engine, onchain; all by
default.

Section `large` proves a ledger of 65,536 accounts whole: 175 proofs, which by the CPU time of those of a
smaller one take two idle cores some ten minutes.
"""

from __future__ import annotations

import sys
import time
from functools import partial

from zkmargin.bench import constraints, coverage, engine, onchain, profile, proving
from zkmargin.bench.rows import Row, keep, show
from zkmargin.protocol.home import build_folder

USUAL = {
    "constraints": constraints.rows,
    "coverage": coverage.rows,
    "proving": proving.rows,
    "profile": profile.rows,
    "engine": engine.rows,
    "onchain": onchain.rows,
}
SECTIONS = USUAL | {"large": partial(onchain.timed, 65_536, 5, "large_")}


def main(arguments: list[str]) -> int:
    """Measure the sections named, keep their rows in build/bench.json, print them; 2 for an unknown one."""
    wrong = [name for name in arguments if name not in SECTIONS]
    if wrong:
        print(f"error: there is no section {wrong[0]}\nhint: {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    began, rows = time.monotonic(), list[Row]()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {line}", file=sys.stderr, flush=True)

    for name in arguments or USUAL:
        report(name)
        for row in SECTIONS[name](report):
            keep([row], build_folder() / "bench.json")
            rows.append(row)
    show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
