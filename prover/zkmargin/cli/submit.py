# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin submit FILE`: hand a signed operation to a sequencer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from zkmargin.cli.account import DEFAULT_HOME
from zkmargin.cli.files import read_json
from zkmargin.sequencer.home import connect, read_setup
from zkmargin.sequencer.requests import read_request
from zkmargin.sequencer.service import Sequencer

LARGEST = 64 * 1024


def submit_file(path: Path, home: Path) -> dict[str, Any]:
    """Check an operation against the sequencer's present state and journal it; returns its number.

    What is malformed is refused before anything else is looked at.
    """
    request = read_json(path, "operation file", LARGEST)
    read_request(request)
    setup = read_setup(home)
    sequencer = Sequencer(setup, connect(setup))
    try:
        return {"operation": sequencer.submit(request), "state": "waiting"}
    finally:
        sequencer.close()


def submit_command(
    operation: Annotated[Path, typer.Argument(help="File with a signed withdraw, trade or bid.")],
    home: Annotated[Path, typer.Option(help="The sequencer's folder.")] = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Submit a signed operation; it is refused at once if it can't stand, else it waits for a batch.

    The file is JSON: {"kind": "withdraw", "touches": [{...}]}. A withdraw (op 2) and a bid (op 6) are one
    touch, a trade is the buyer's (op 3, side 0) and the seller's (op 4, side 1). A touch names op, leaf_index
    (0: it is found), account_id, instrument, side (of a withdraw 1), size in steps or quote base units; of a
    trade price (fine units a step) and counterparty; of a bid max_size, limit_price, min_reward. Integers are
    decimal strings. `auth` is the owner's signature: last_slot, ax, ay, signature (r8x, r8y, s). A demo
    leaves one of each kind in operations/, and `zkmargin sign` signs them.
    """
    record = submit_file(operation, home)
    print(json.dumps(record) if as_json else f"operation {record['operation']} waits for the next batch")
