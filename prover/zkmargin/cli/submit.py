# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin submit FILE`: hand a signed operation to a sequencer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from zkmargin.chain.client import LedgerClient
from zkmargin.cli.account import DEFAULT_HOME
from zkmargin.cli.files import read_json
from zkmargin.sequencer.home import read_setup
from zkmargin.sequencer.service import Sequencer

_LARGEST = 64 * 1024


def submit_file(path: Path, home: Path) -> dict[str, Any]:
    """Check an operation against the sequencer's present state and journal it; returns its number."""
    request = read_json(path, "operation file", _LARGEST)
    setup = read_setup(home)
    sequencer = Sequencer(setup, LedgerClient.at(setup.rpc, setup.ledger))
    try:
        return {"operation": sequencer.submit(request), "state": "waiting"}
    finally:
        sequencer.close()


def submit_command(
    operation: Annotated[Path, typer.Argument(help="File with a signed withdraw, trade or bid.")],
    home: Annotated[Path, typer.Option(help="The sequencer's folder.")] = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Submit a signed operation; it is refused at once if it can't stand, else it waits for a batch."""
    record = submit_file(operation, home)
    print(json.dumps(record) if as_json else f"operation {record['operation']} waits for the next batch")
