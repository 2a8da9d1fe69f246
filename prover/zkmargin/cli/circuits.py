# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin circuits`: what each circuit costs and which keys stand for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from zkmargin.circuits.circuit import Circuit
from zkmargin.circuits.compile import compile_circuit, constraint_count
from zkmargin.circuits.registry import circuit, circuits
from zkmargin.proving.keys import find_keys
from zkmargin.toolchain import Report

Resize = Callable[[Circuit, int], Circuit]


def _resize(item: Circuit, units: int) -> Circuit:
    return circuit(item.name, item.profile, units)


def describe(
    items: Sequence[Circuit], report: Report | None = None, resize: Resize = _resize
) -> list[dict[str, Any]]:
    """One record a circuit, integers as strings; compiles what is not in the cache.

    `constraints` = `fixed` + `per_unit` * units, where `per_unit` is what the last unit adds. `vk_hash` and
    `dev_key` are null when no keys were made for the circuits as they are now.
    """
    artifacts = [compile_circuit(item, report) for item in items]
    records = []
    for item, compiled in zip(items, artifacts, strict=True):
        per_unit = 0
        if item.units > 1:
            per_unit = compiled.constraints - constraint_count(resize(item, item.units - 1), report)
        same_profile = [other for other in artifacts if other.profile == item.profile]
        keys = (find_keys(same_profile) or {}).get(item.name)
        records.append(
            {
                "circuit": item.name,
                "profile": item.profile,
                "constraints": str(compiled.constraints),
                "fixed": str(compiled.constraints - per_unit * item.units),
                "per_unit": str(per_unit),
                "unit": item.unit,
                "units": str(item.units),
                "public_signals": str(compiled.public_signals),
                "source_hash": compiled.source_hash,
                "vk_hash": keys.vk_hash if keys else None,
                "dev_key": keys.dev_key if keys else None,
            }
        )
    return records


def table(records: Sequence[dict[str, Any]]) -> Table:
    """The records as a table for people."""
    made = Table(title="Circuits")
    for heading in (
        "circuit",
        "profile",
        "constraints",
        "fixed",
        "per unit",
        "units",
        "public",
        "vk",
        "keys",
    ):
        numeric = heading in ("constraints", "fixed", "per unit", "public")
        made.add_column(heading, justify="right" if numeric else "left")
    for record in records:
        keys = {True: "development", False: "ceremony", None: "none"}[record["dev_key"]]
        made.add_row(
            record["circuit"],
            record["profile"],
            *(f"{int(record[name]):,}" for name in ("constraints", "fixed", "per_unit")),
            f"{record['units']} x {record['unit']}",
            record["public_signals"],
            (record["vk_hash"] or "-")[:16],
            keys,
        )
    return made


def circuits_command(
    profile: Annotated[list[str] | None, typer.Option(help="Profile to list; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """List circuits: constraints, what a touch or signer adds, public signals, hashes of sources and keys."""
    chosen = [item for name in profile or ["small"] for item in circuits(name)]
    records = describe(chosen, lambda line: print(line, file=sys.stderr, flush=True))
    if as_json:
        print(json.dumps(records, indent=1))
    else:
        Console().print(table(records))
