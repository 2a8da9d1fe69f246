# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin adopt`: have a sequencer go on from the chain's state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from zkmargin.cli.account import DEFAULT_HOME
from zkmargin.cli.progress import Progress
from zkmargin.sequencer.adopting import adopt
from zkmargin.sequencer.home import connect, read_setup


def adopt_command(
    home: Annotated[Path, typer.Option(help="The sequencer's folder.")] = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Adopt the chain's state after batches of others overtook those of a sequencer.

    A sequencer ends with `foreign_batch` where a batch that is not its own changed the ledger: what it
    planned after that can't be posted any more. This audits the whole ledger from the chain and enters its
    state in the sequencer's journal; started again, the sequencer goes on from there. Operations that were
    submitted and stood in batches which are void now wait again. End the sequencer first.

    Nothing is changed where the audit does not pass (1; 3 if it can't be judged), or nobody overtook (2).
    """
    setup = read_setup(home)
    done = adopt(setup, connect(setup), (lambda *_: None) if as_json else Progress())
    if as_json:
        print(json.dumps({**vars(done), "root": str(done.root)}))
        return
    print(
        f"adopted the state after batch {done.batch} of the chain, at slot {done.slot}: root {done.root}\n"
        f"of the sequencer's open batches {done.confirmed} are on the chain, {done.dropped} are dropped; "
        f"{done.waiting} of its submitted operations wait again"
    )
