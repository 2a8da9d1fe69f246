# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin audit`: re-check a ledger from the chain alone, or from a bundle."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from zkmargin.auditor.audit import Audit, audit
from zkmargin.auditor.findings import NAMES
from zkmargin.auditor.source import Bundle, Node, Recorder, Source
from zkmargin.cli.progress import Progress
from zkmargin.errors import ExitStatus, MissingData, UsageError

_VERDICTS = {
    ExitStatus.VALID: "valid",
    ExitStatus.INVALID: "NOT valid",
    ExitStatus.MISSING: "could not be judged",
}


def _show(result: Audit) -> None:
    console = Console()
    counts = Counter((check.name, check.status) for check in result.findings.checks)
    chain = result.chain
    where = f" at block {chain.block} of chain {chain.chain_id}" if chain else ""
    table = Table(title=f"ledger {result.ledger}{where}, {result.last_batch} batches")
    for name in ("check", "pass", "fail", "missing"):
        table.add_column(name, justify="left" if name == "check" else "right")
    for name in NAMES:
        table.add_row(name, *(str(counts[name, status]) for status in ("pass", "fail", "missing")))
    console.print(table)
    for check in result.findings.failed()[:20]:
        console.print(f"{check.status}: {check.name}, batch {check.batch}: {check.detail}")
    console.print(f"a tick is taken until {result.max_tick_age} seconds after its time")
    for note in result.findings.notes:
        console.print(f"note: {note}")
    console.print(f"{_VERDICTS[result.exit]}: root {result.root}")


def audit_command(
    rpc: Annotated[str | None, typer.Option(help="Address of a node, http://HOST:PORT.")] = None,
    ledger: Annotated[str | None, typer.Option(help="Address of the ledger contract.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Folder of a saved bundle, in place of a node.")] = None,
    save_bundle: Annotated[Path | None, typer.Option(help="Keep the node's answers in this folder.")] = None,
    from_block: Annotated[
        int, typer.Option(min=0, help="Block of the ledger's creation, or one before, to read events from.")
    ] = 0,
    keys: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the verifying keys to judge by, in place of the installed: "
            "<circuit>.vkey.json as snarkjs writes them, and keys.json."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Re-check every batch of a ledger: proofs, words, rules, roots, queue, vault, coverage; 1 if invalid.

    Proofs are judged by the verifying keys of this installation; development keys are other ones on every
    machine, so a ledger of another machine is judged by the keys that came with it (--keys). Where those come
    from is for you to know: whoever made development keys can forge proofs. 3 where a key is missing.
    """
    source: Source
    if bundle is not None and rpc is None:
        kept = Bundle(bundle)
        source, address, from_block = kept, ledger or kept.ledger, kept.from_block
    elif rpc is not None and ledger is not None and bundle is None:
        source, address = Recorder(Node(rpc)), ledger
    else:
        raise UsageError("give --rpc and --ledger, or --bundle")
    if save_bundle is not None and save_bundle.exists() and not save_bundle.is_dir():
        raise UsageError(f"{save_bundle} is no folder", hint="name a folder for --save-bundle")
    if keys is not None and not any(keys.glob("*.vkey.json")):
        raise MissingData(
            f"there are no verifying keys in {keys}", hint="name a folder with <circuit>.vkey.json files"
        )
    result = audit(source, address, Progress(), from_block=from_block, keys=keys)
    if save_bundle is not None and isinstance(source, Recorder):
        source.save(save_bundle, address, from_block)
    if as_json:
        print(json.dumps(result.as_json(), indent=1))
    else:
        _show(result)
    raise typer.Exit(int(result.exit))
