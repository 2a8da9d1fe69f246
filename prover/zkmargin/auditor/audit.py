# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit: nine kinds of checks over a ledger at one block and every batch it has taken.

vk       the contracts' code, the code that made the ledger and its verifying keys are the package's;
             development keys are of a local chain
proof    every proof verifies for the public signals recomputed here
binding  words, C, r, y: calldata, event and contract-written words agree; genesis, parameters, sizes and
             clock are what is claimed
order    the ledger begins with its genesis; batches are numbered without gap, roots and ticks chain, slots
             rise
reexec   every touch and tick follows from the rules
root     every new root and tick hash is the one recomputed
queue    deposits are known before they are consumed, in order, each once; those that wait are as requested;
             refunds and withdrawals are credited with the batch that proves them, and paid once covered
vault    tokens held are what is owed; balances, open interest and collateral add up to the unit; a unit of
             custody is the step it is said to be
coverage every account is healthy at a covered tick, and the headers of blocks say so; Covered is said just
             then; no tick follows one that is not covered
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zkmargin.auditor.chain import Chain, Undecodable
from zkmargin.auditor.closing import check_closing
from zkmargin.auditor.contracts import check_contracts, max_tick_age
from zkmargin.auditor.findings import WHOLE, Findings
from zkmargin.auditor.groth16 import Job, check_all
from zkmargin.auditor.opening import check_opening, read_opening
from zkmargin.auditor.replay import Replay
from zkmargin.auditor.source import Node, Recorder, Source
from zkmargin.auditor.units import check_units
from zkmargin.errors import ExitStatus, MissingData

Progress = Callable[[str, int, int], None]
Verify = Callable[[Sequence[Job], Callable[[int, int], None]], list[str]]


@dataclass
class Audit:
    """The result: all checks, where the ledger was read, and the ledger as rebuilt.

    `chain` and `replay` are None where the audit ended before them; `max_tick_age` in seconds.
    """

    ledger: str
    findings: Findings
    chain: Chain | None = None
    replay: Replay | None = None
    max_tick_age: int = 0

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return self.findings.ok

    @property
    def exit(self) -> ExitStatus:
        """The exit status that tells the verdict."""
        if self.ok:
            return ExitStatus.VALID
        statuses = {check.status for check in self.findings.checks}
        return ExitStatus.INVALID if "fail" in statuses or not statuses else ExitStatus.MISSING

    @property
    def last_batch(self) -> int:
        """Number of the last batch, 0 before the first."""
        return self.replay.batch if self.replay else 0

    @property
    def root(self) -> int:
        """Root after that batch."""
        return self.replay.root if self.replay else 0

    def as_json(self) -> dict[str, Any]:
        """The report."""
        return {
            "ok": self.ok,
            "exit": int(self.exit),
            "ledger": self.chain.ledger if self.chain else self.ledger,
            "chain_id": self.chain.chain_id if self.chain else None,
            "block": self.chain.block if self.chain else None,
            "block_hash": self.chain.block_hash if self.chain else None,
            "last_batch": self.last_batch,
            "root": str(self.root),
            "max_tick_age": self.max_tick_age,
            "notes": self.findings.notes,
            "checks": self.findings.as_json(),
        }


def _silent(stage: str, done: int, of: int) -> None:
    pass


def audit(
    source: Source,
    ledger: str,
    progress: Progress = _silent,
    verify: Verify = check_all,
    from_block: int = 0,
    keys: Path | None = None,
) -> Audit:
    """Audit a ledger. `verify` decides a list of (key, proof, public signals): '' or what is wrong, for each.

    `from_block`: where to look for events from; no later than the ledger's creation. `keys`: folder of the
    verifying keys to judge by, in place of the installed ones (see `vkeys.load_vkey`). Raises `MissingData`
    or `ChainUnreachable` where there is nothing to judge, `StaleData` if the chain changed meanwhile.
    """
    result = Audit(ledger, found := Findings())
    if source.altered:
        found.add("binding", WHOLE, source.altered)
    try:
        result.chain = Chain(source, ledger, from_block)
        _judge(result, result.chain, progress, verify, keys)
    except Undecodable as error:
        found.add("binding", WHOLE, f"data of the ledger can't be decoded: {error}")
    except MissingData as error:
        if not any(check.status == "fail" for check in found.checks):
            raise
        found.missing("binding", WHOLE, str(error))
    return result


def _judge(result: Audit, chain: Chain, progress: Progress, verify: Verify, folder: Path | None) -> None:
    found = result.findings
    events = chain.events()
    opening = read_opening(chain, events)
    replay = result.replay = Replay(chain, found, opening)
    result.max_tick_age = max_tick_age(chain)
    check_opening(found, opening, events)
    keys = check_contracts(chain, found, opening, folder)
    replay.run(events, progress)
    known = [(batch, public) for batch, public in replay.batches if batch.circuit in keys]
    problems = verify(
        [(keys[batch.circuit], batch.proof, public) for batch, public in known],
        lambda done, of: progress("verifying proofs", done, of),
    )
    for (batch, _), problem in zip(known, problems, strict=True):
        found.add("proof", batch.number, problem)
    check_closing(chain, found, opening, replay)
    check_units(chain, found, opening)
    chain.check_settled()


def audit_chain(
    rpc: str,
    ledger: str,
    bundle: Path | None = None,
    progress: Progress = _silent,
    from_block: int = 0,
) -> dict[str, Any]:
    """Audit a ledger on a node and save the bundle if a folder is given; returns the report."""
    recorder = Recorder(Node(rpc))
    result = audit(recorder, ledger, progress, from_block=from_block)
    if bundle is not None:
        recorder.save(bundle, ledger, from_block)
    return result.as_json()
