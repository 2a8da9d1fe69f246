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
from zkmargin.circuits.compile import compile_circuit, constraint_count, is_compiled, is_counted
from zkmargin.circuits.registry import circuits, profiles, two_sizes
from zkmargin.circuits.sources import gather
from zkmargin.proving.keys import CircuitKeys, find_keys
from zkmargin.toolchain import Report

_PLURAL = {"touch": "touches", "account": "accounts", "page": "pages", "signer": "signers"}
Sizes = Callable[[Circuit], tuple[Circuit, Circuit]]


def describe(
    items: Sequence[Circuit], report: Report | None = None, sizes: Sizes = two_sizes
) -> list[dict[str, Any]]:
    """One record a circuit, integers as strings; counts what is not in the cache.

    `per_unit` is what a unit adds, on average between the two `sizes` of the circuit and rounded; `fixed` is
    the rest of `constraints`. `vk_hash` and `dev_key` are null when no keys were made for the profile's
    circuits as they are now.
    """
    keys = {name: _keys([item for item in items if item.profile == name]) for name in _profiles(items)}
    sized = [sizes(item) if item.units else () for item in items]
    unknown = {
        gather(made).digest
        for item, pair in zip(items, sized, strict=True)
        for made in (item, *pair)
        if not is_counted(made)
    }
    if report is not None and unknown:
        one = len(unknown) == 1
        report(
            f"{len(unknown)} circuit{' is' if one else 's are'} to be compiled first, once; "
            "those of profile main take minutes"
        )
    records = []
    for item, pair in zip(items, sized, strict=True):
        count, per_unit = constraint_count(item, report), 0
        if pair:
            few, more = pair
            added = constraint_count(more, report) - constraint_count(few, report)
            per_unit = round(added / (more.units - few.units))
        made = keys[item.profile].get(item.name)
        records.append(
            {
                "circuit": item.name,
                "profile": item.profile,
                "constraints": str(count),
                "fixed": str(count - per_unit * item.units),
                "per_unit": str(per_unit),
                "unit": item.unit,
                "units": str(item.units),
                "public_signals": str(_public(item)),
                "source_hash": gather(item).digest,
                "vk_hash": made.vk_hash if made else None,
                "dev_key": made.dev_key if made else None,
            }
        )
    return records


def _public(item: Circuit) -> int:
    """Number of public signals; a circuit of the protocol has no outputs, so its public inputs are all."""
    return compile_circuit(item).public_signals if is_compiled(item) else len(item.public_signals)


def _profiles(items: Sequence[Circuit]) -> list[str]:
    return list(dict.fromkeys(item.profile for item in items))


def _keys(items: Sequence[Circuit]) -> dict[str, CircuitKeys]:
    """The keys made for all circuits of a profile; none unless each is compiled."""
    if not all(is_compiled(item) for item in items):
        return {}
    return find_keys([compile_circuit(item) for item in items]) or {}


def table(records: Sequence[dict[str, Any]]) -> Table:
    """The records as a table for people, of at most 80 columns."""
    made = Table(title="Circuits", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("circuit", "constraints", "fixed", "per unit", "units", "vk", "keys"):
        numeric = heading in ("constraints", "fixed", "per unit")
        made.add_column(heading, justify="right" if numeric else "left", no_wrap=True)
    for record in records:
        keys = {True: "dev", False: "ceremony", None: "none"}[record["dev_key"]]
        made.add_row(
            f"{record['circuit']} {record['profile']}",
            *(f"{int(record[name]):,}" for name in ("constraints", "fixed", "per_unit")),
            f"{record['units']} {_PLURAL.get(record['unit'], record['unit'])}",
            (record["vk_hash"] or "-")[:8],
            keys,
        )
    return made


def circuits_command(
    profile: Annotated[list[str] | None, typer.Option(help="Profile to list; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """List circuits: constraints, what a unit adds, public signals, hashes of sources and keys."""
    chosen = [item for name in profile or profiles() for item in circuits(name)]
    records = describe(chosen, lambda line: print(line, file=sys.stderr, flush=True))
    if as_json:
        print(json.dumps(records, indent=1))
    else:
        Console().print(table(records))
