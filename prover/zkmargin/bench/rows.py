# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure of the benchmark, and how all of them are shown and kept."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """`value` in `unit`; `ratio` of `baseline` to it (or it to the baseline) as `bar` has it.

    `bar`: "at least N" or "at most N" of the ratio where there is one, else of the value; "" where none was
    set. `cpu_s` and `wall_s` are medians of a run, `runs` how many there were.
    """

    name: str
    value: float
    unit: str
    baseline: str = ""
    ratio: float | None = None
    cpu_s: float | None = None
    wall_s: float | None = None
    runs: int = 1
    bar: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none."""
        if not self.bar:
            return None
        kind, number = self.bar.rsplit(" ", 1)
        judged = self.value if self.ratio is None else self.ratio
        return judged >= float(number) if kind == "at least" else judged <= float(number)

    def as_json(self) -> dict[str, Any]:
        """The row as it stands in bench.json."""
        return {**asdict(self), "met": self.met}


def median(values: Sequence[float]) -> float:
    """The median, to microseconds."""
    return round(statistics.median(values), 6)


def machine() -> dict[str, Any]:
    """What ran it."""
    model = "unknown"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def keep(rows: Sequence[Row], path: Path) -> None:
    """Put rows into bench.json, each in the place of the one of its name; `at` and `load` say when it was
    measured, and how busy the machine then was. Rows of another machine go: they are no figures of this one.
    """
    here = machine()
    found = _kept(path)
    kept = {row["name"]: row for row in found["rows"]} if found["machine"] == here else {}
    now = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "load": list(os.getloadavg())}
    kept |= {row.name: {**row.as_json(), **now} for row in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({"machine": here, "rows": list(kept.values())}, indent=1) + "\n")
    draft.replace(path)


def _kept(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text())
        return {"machine": record["machine"], "rows": [row for row in record["rows"] if row["name"]]}
    except (OSError, ValueError, KeyError, TypeError):
        return {"machine": None, "rows": []}  # none yet, or not one of ours: it is made anew


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.6g}"


def show(rows: Sequence[Row]) -> None:
    """Print the rows as a table."""
    table = Table(title="benchmark")
    for name in ("figure", "value", "ratio", "to", "CPU s", "wall s", "bar", "met"):
        table.add_column(name, justify="right" if name in ("value", "ratio", "CPU s", "wall s") else "left")
    for row in rows:
        table.add_row(
            row.name,
            f"{_number(row.value)} {row.unit}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.baseline,
            "" if row.cpu_s is None else f"{row.cpu_s:.3f}",
            "" if row.wall_s is None else f"{row.wall_s:.3f}",
            row.bar,
            {None: "", True: "yes", False: "NO"}[row.met],
        )
    Console(width=None if sys.stdout.isatty() else 140).print(table)
