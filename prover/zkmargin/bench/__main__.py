# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m zkmargin.bench [SECTION ...]: sections constraints, proving, engine; all without arguments."""

from __future__ import annotations

import sys
import time

from zkmargin.bench import constraints, engine, proving
from zkmargin.bench.rows import Row, keep, show
from zkmargin.protocol.home import build_folder

SECTIONS = {"constraints": constraints.rows, "proving": proving.rows, "engine": engine.rows}


def main(arguments: list[str]) -> int:
    """Measure the sections named, write build/bench.json, print the table; 2 for an unknown section."""
    wrong = [name for name in arguments if name not in SECTIONS]
    if wrong:
        print(f"error: there is no section {wrong[0]}\nhint: {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    began, rows = time.monotonic(), list[Row]()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {line}", file=sys.stderr, flush=True)

    for name in arguments or SECTIONS:
        report(name)
        rows += SECTIONS[name](report)
    keep(rows, build_folder() / "bench.json")
    show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
