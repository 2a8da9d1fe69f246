# SPDX-License-Identifier: GPL-3.0-or-later
"""Going on from the chain's state where batches of others overtook those of the journal.

The state is taken from an audit of the whole ledger, so nothing is believed that was not proved. It enters
the journal in one transaction: before it nothing has changed, after it the sequencer goes on as if it had
made the chain's batches itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zkmargin.auditor.audit import Audit, audit
from zkmargin.auditor.replay import Replay
from zkmargin.auditor.source import Node
from zkmargin.chain.client import LedgerClient
from zkmargin.engine.ticks import genesis_tick
from zkmargin.errors import BadInput, ExitStatus, Invalid, MissingData, Refused
from zkmargin.protocol.hashes import params_hash, tick_hash
from zkmargin.sequencer.failpoints import reach
from zkmargin.sequencer.following import OPEN, accepted, accepted_by, follow, is_of
from zkmargin.sequencer.home import check_chain, check_files
from zkmargin.sequencer.journal import Accepted, Journal
from zkmargin.sequencer.service import Setup
from zkmargin.sequencer.snapshot import Snapshot, encode_snapshot
from zkmargin.state.ledger import Ledger

_UNCHANGED = "nothing has been changed"


@dataclass(frozen=True)
class Adopted:
    """What was adopted: the chain's last batch, the block it was read at, the tick's slot and the root.

    `dropped`: open batches that can't be posted any more; `confirmed`: those that the chain has; `waiting`:
    submitted operations of dropped batches, that wait again.
    """

    batch: int
    block: int
    slot: int
    root: int
    dropped: int
    confirmed: int
    waiting: int


def adopt(setup: Setup, client: LedgerClient, progress: Callable[[str, int, int], None]) -> Adopted:
    """Enter the chain's state in the journal of `setup.home`, of which no sequencer may be at work.

    Raises an error, and changes nothing, where nobody overtook the journal's batches (`Refused`, code
    `nothing_to_adopt`), the ledger is another than the sequencer's or its audit does not pass.
    """
    check_files(setup.home)
    check_chain(setup, client)
    journal = Journal(setup.home / "journal.sqlite")
    try:
        _check_overtaken(journal, client, setup, client.last_batch())
        result = audit(Node(setup.rpc), setup.ledger, progress, from_block=setup.from_block)
        replay, block = _judged(setup, result)
        _check_overtaken(journal, client, setup, replay.batch)
        made = _snapshot(replay)
        return _enter(journal, client, setup, replay.batch, block, made)
    finally:
        journal.close()


def _check_overtaken(journal: Journal, client: LedgerClient, setup: Setup, last: int) -> None:
    events = accepted(journal, client, setup.from_block, last)
    if follow(journal, client, events).foreign is None:
        raise Refused(
            f"no batch of others changed the ledger since the last one in the journal of {setup.home}",
            hint="there is nothing to adopt: start the sequencer",
            code="nothing_to_adopt",
        )


def _judged(setup: Setup, result: Audit) -> tuple[Replay, int]:
    """The audited ledger and the block it was read at; raises where it is not good, or not this one."""
    for check in result.findings.failed()[:1]:
        missing = result.exit is ExitStatus.MISSING
        where = f"batch {check.batch}" if check.batch else "the ledger as a whole"
        raise (MissingData if missing else Invalid)(
            f"the audit of ledger {setup.ledger} does not pass: {check.name}, {where}: {check.detail}",
            hint=f"{_UNCHANGED}; `zkmargin audit --rpc {setup.rpc} --ledger {setup.ledger}` tells all of it",
            code="not_judged" if missing else "audit_failed",
        )
    chain, replay = result.chain, result.replay
    assert chain is not None
    assert replay is not None
    opening, first = replay.opening, genesis_tick(setup.params, setup.genesis_slot)
    theirs = opening.profile.name, opening.params_hash, opening.tick_hash
    if theirs != (setup.profile, params_hash(setup.params), tick_hash(first)):
        raise BadInput(
            f"ledger {setup.ledger} has another profile, genesis or parameters than {setup.home} says",
            hint=f"{_UNCHANGED}; name the folder of the sequencer of that ledger",
            code="other_ledger",
        )
    return replay, chain.block


def _snapshot(replay: Replay) -> Snapshot:
    books, profile = replay.books, replay.opening.profile
    scalars = books.reserve, books.next_id, books.consumed
    ledger = Ledger.of(profile, books.leaves, books.headers, books.blocks, scalars)
    if ledger.root() != replay.root:
        raise Invalid(f"the audited ledger has root {ledger.root()} here, not {replay.root}", hint=_UNCHANGED)
    anchors = {anchor for anchor, _ in (*books.headers.values(), *books.blocks.values()) if anchor}
    _, tick, root, _ = replay.covered[-1] if replay.covered else (0, replay.opening.tick_hash, None, 0)
    covered = tick == replay.tick_hash
    return Snapshot(
        ledger,
        replay.tick,
        tuple(replay.ticks[anchor] for anchor in sorted(anchors)),
        covered,
        covered and root == replay.root,
    )


def _enter(
    journal: Journal, client: LedgerClient, setup: Setup, last: int, block: int, made: Snapshot
) -> Adopted:
    """Confirm open batches that the chain has, wherever they stand in it, and put the state after them."""
    events = accepted(journal, client, setup.from_block, last)
    rows = list(journal.batches(*OPEN))
    found = [(row, next((event for event in events if is_of(row, event)), None)) for row in rows]
    taken = [accepted_by(client, row, event) for row, event in found if event is not None]
    state = Accepted(journal.last_batch() + 1, last, {"block": block})
    reach("before_adopted")
    waiting = journal.adopt(made.tick.slot, encode_snapshot(made), state, taken)
    reach("adopted")
    dropped = len(rows) - len(taken)
    return Adopted(last, block, made.tick.slot, made.ledger.root(), dropped, len(taken), waiting)
