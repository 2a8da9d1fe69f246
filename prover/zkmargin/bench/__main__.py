# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m zkmargin.bench [SECTION ...]: constraints, proving, profile, engine, onchain; all these if none
is named.

Section `large` proves a ledger of 65,536 accounts whole, which takes a quarter of an hour.
"""

from __future__ import annotations

import sys
import time
from functools import partial

from zkmargin.bench import constraints, engine, onchain, profile, proving
from zkmargin.bench.rows import Row, keep, show
from zkmargin.protocol.home import build_folder

USUAL = {
    "constraints": constraints.rows,
    "proving": proving.rows,
    "profile": profile.rows,
    "engine": engine.rows,
    "onchain": onchain.rows,
}
SECTIONS = USUAL | {"large": partial(onchain.timed, 65_536, 5, "large_tick_to_covered_s")}


def main(arguments: list[str]) -> int:
    """Measure the sections named, write build/bench.json, print the table; 2 for an unknown section."""
    wrong = [name for name in arguments if name not in SECTIONS]
    if wrong:
        print(f"error: there is no section {wrong[0]}\nhint: {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    began, rows = time.monotonic(), list[Row]()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {line}", file=sys.stderr, flush=True)

    for name in arguments or USUAL:
        report(name)
        rows += SECTIONS[name](report)
    keep(rows, build_folder() / "bench.json")
    show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
