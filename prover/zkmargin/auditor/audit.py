# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit: nine kinds of checks over every batch of a ledger.

vk       the contract's verifying keys are the package's
proof    every proof verifies for the public signals recomputed here
binding  words, C, r, y: calldata, event and contract-written words agree; genesis and parameters hash to
             what is claimed
order    batches are numbered without gap, roots and ticks chain, slots rise
reexec   every touch and tick follows from the rules
root     every new root and tick hash is the one recomputed
queue    deposits are consumed in order, each once; refunds and withdrawals are credited as proved, and
             payable once covered
vault    tokens held are what is owed; balances, open interest and collateral add up to the unit
coverage every account is healthy at a covered tick, and the headers of blocks say so; Covered is said just
             then; no tick follows one that is not covered
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zkmargin.auditor.chain import KEYS_TYPE, Chain, Event, Posted, Undecodable, entry_of
from zkmargin.auditor.covering import check_coverage, check_kept, replay_carry, replay_regroup, replay_sweep
from zkmargin.auditor.findings import Findings
from zkmargin.auditor.groth16 import Job, check_all
from zkmargin.auditor.rules import ONE, Books, Broken, replay_tick, require
from zkmargin.auditor.source import Node, Recorder, Source
from zkmargin.auditor.tree import Roots
from zkmargin.errors import BadInput, ExitStatus, MissingData
from zkmargin.protocol.constants import CIRCUIT_IDS, PERPETUAL, Op, Profile, load
from zkmargin.protocol.hashes import params_hash, tick_hash
from zkmargin.protocol.model import InstrumentTick, Params, QueueEntry, Tick
from zkmargin.protocol.posted import (
    CarryWords,
    RegroupWords,
    SweepWords,
    read_carry,
    read_coverage,
    read_regroup,
    read_settle,
    read_sweep,
    read_tick,
)
from zkmargin.protocol.vkeys import load_vkey
from zkmargin.protocol.words import challenge, commitment, domain_word, evaluate, header_word

Progress = Callable[[str, int, int], None]
Verify = Callable[[Sequence[Job], Callable[[int, int], None]], list[str]]
_CIRCUITS = {
    "Settled": "settle",
    "Ticked": "tick",
    "Swept": "sweep",
    "Regrouped": "regroup",
    "Carried": "carry",
    "CoverageProved": "coverage",
}  # by event
_HeaderWords = SweepWords | RegroupWords | CarryWords
_GLOBAL = 0  # the batch number of checks of the ledger as a whole


@dataclass(frozen=True)
class Audit:
    """The result: all checks, and the ledger as rebuilt."""

    ledger: str
    last_batch: int
    root: int
    findings: Findings
    books: Books
    tick: Tick
    params: Params

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

    def as_json(self) -> dict[str, Any]:
        """The report."""
        return {
            "ok": self.ok,
            "exit": int(self.exit),
            "ledger": self.ledger,
            "last_batch": self.last_batch,
            "root": str(self.root),
            "checks": self.findings.as_json(),
        }


class _Run:
    """One audit in progress."""

    def __init__(
        self, chain: Chain, found: Findings, progress: Progress, verify: Verify, keys: Path | None
    ) -> None:
        self.chain, self.found, self.progress, self.verify = chain, found, progress, verify
        self.keys_folder = keys
        self.events = chain.events()
        genesis = self._of("Genesis")
        if not genesis:
            raise MissingData(
                f"{chain.ledger} has no Genesis event", hint="is it a ledger?", code="no_ledger"
            )
        if len(genesis) > 1:
            raise Undecodable("Genesis", "there is more than one")
        self.genesis_root, self.genesis_tick, self.params_hash, raw = genesis[0].values
        try:
            self.params = Params.from_json(json.loads(raw.decode()))
        except (ValueError, BadInput) as error:
            raise Undecodable("Genesis", f"parameters: {error}") from error
        self.profile = self._profile()
        self.assets = {
            event.values[0]: (event.values[1], event.values[2]) for event in self._of("AssetRegistered")
        }
        self.books = Books.genesis(self.profile)
        self.roots = Roots(self.profile)
        try:
            self.domain = domain_word(chain.chain_id, chain.ledger)
        except BadInput as error:
            raise Undecodable("the chain id", str(error)) from error
        self.entries = [entry_of(event) for event in self._of("Requested")]
        self.credits: Counter[tuple[int, int, int, int]] = (
            Counter()
        )  # (address, asset, batch, touch) -> amount
        self.tick = Tick(0, 0, 0, 0, 0, ())
        self.ticks: dict[int, Tick] = {}  # by hash: what a page can be anchored at
        self.posted: dict[str, list[tuple[Any, ...]] | None] = {}  # calldata of the transaction under way
        self.covered: list[tuple[int, int, int, int]] = []  # slot, tick, root, batch
        self.solvent = 0  # the last batch that covered a ledger without a deficit
        self.batch = 0
        self.root = self.genesis_root
        self.tick_hash = self.genesis_tick

    def _of(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    def _profile(self) -> Profile:
        sizes = (len(self.params.instruments), self.chain.view("touches", ["uint16"]))
        for profile in load().profiles.values():
            if (profile.instruments, profile.touches) == sizes:
                return profile
        raise Undecodable("Genesis", f"no profile has {sizes[0]} instruments and {sizes[1]} touches a batch")

    # ---------------------------------------------------------------- the ledger as a whole

    def keys(self) -> None:
        """vk: the verifiers' keys, and that the ledger was built for this protocol."""
        self.vkeys: dict[str, dict[str, Any]] = {}
        theirs = self.chain.view("protocolHash", ["bytes32"])
        self.found.require(
            "vk", _GLOBAL, bytes(theirs).hex() == load().hash, "it follows another version of the protocol"
        )
        sizes = [
            self.chain.view(name, [kind])
            for name, kind in (
                ("sweepPages", "uint16"),
                ("regroupPages", "uint16"),
                ("carryBlocks", "uint16"),
            )
        ]
        self.found.require(
            "coverage",
            _GLOBAL,
            sizes == [self.profile.sweep_pages, self.profile.regroup_pages, self.profile.carry_blocks],
            "the contract counts other pages or blocks than its circuits",
        )
        verifier = self.chain.view("verifier", ["address"])
        alpha, beta, gamma, circuits = self.chain.view("verifyingKeys", [KEYS_TYPE], verifier)
        self.found.require(
            "vk", _GLOBAL, len(circuits) == len(CIRCUIT_IDS), "the verifier is of another number of circuits"
        )
        for circuit, number in CIRCUIT_IDS.items():
            try:
                key = self.vkeys[circuit] = load_vkey(circuit, self.profile.name, self.keys_folder)
            except MissingData as error:
                self.found.missing("vk", _GLOBAL, f"{circuit}: {error}")
                continue
            ours = [
                _g1(key["vk_alpha_1"]),
                *(_g2(key[f"vk_{name}_2"]) for name in ("beta", "gamma", "delta")),
                [_g1(point) for point in key["IC"]],
            ]
            delta, ic = circuits[number - 1] if number <= len(circuits) else ((), ())
            theirs = [list(alpha), list(beta), list(gamma), list(delta), [list(point) for point in ic]]
            self.found.require(
                "vk", _GLOBAL, ours == theirs, f"the verifier's key of {circuit} is not the package's"
            )

    def genesis(self) -> None:
        """binding, root: the state before the first batch."""
        slot = self.first_slot = self._first_slot()
        self.tick = Tick(
            slot,
            slot * self.params.slot_seconds,
            self.params.tau,
            self.params.penalty_rate,
            self.params.bidder_share,
            (InstrumentTick(),) * self.profile.instruments,
        )
        self.found.require(
            "binding",
            _GLOBAL,
            params_hash(self.params) == self.params_hash,
            "the posted parameters do not hash to what the contract uses",
        )
        self.found.require(
            "root",
            _GLOBAL,
            self.roots.root(self.books) == self.genesis_root,
            "the genesis root is not that of the genesis ledger",
        )
        self.found.require(
            "root", _GLOBAL, tick_hash(self.tick) == self.genesis_tick, "the genesis tick is not empty"
        )

    def _first_slot(self) -> int:
        ticked = self._of("Ticked")
        if ticked:
            try:
                return read_tick(ticked[0].values[5]).previous_slot
            except BadInput as error:
                raise Undecodable("the first tick", error.message) from error
        return int(self.chain.view("slot", ["uint32"]))

    # ---------------------------------------------------------------- batches

    def batches(self) -> None:
        posted = [event for event in self.events if event.name in _CIRCUITS]
        replay = {
            "settle": self._settle,
            "tick": self._tick,
            "sweep": self._sweep,
            "regroup": self._regroup,
            "carry": self._carry,
            "coverage": self._cover,
        }
        jobs = []
        for index, event in enumerate(posted):
            batch = self._posted(event)
            jobs.append((batch, self._public(batch)))
            replay[batch.circuit](batch)
            self.progress("re-executing batches", index + 1, len(posted))
        known = [(batch, public) for batch, public in jobs if batch.circuit in self.vkeys]
        results = self.verify(
            [(self.vkeys[batch.circuit], batch.proof, public) for batch, public in known],
            lambda done, of: self.progress("verifying proofs", done, of),
        )
        for (batch, _), problem in zip(known, results, strict=True):
            self.found.add("proof", batch.number, problem)

    def _posted(self, event: Event) -> Posted:
        """The batch of an event, with its calldata compared: binding."""
        circuit = _CIRCUITS[event.name]
        words, proof = tuple(event.values[-2]), tuple(event.values[-1])
        number, c = event.values[0], event.values[-3]
        sent: tuple[Any, ...] | None = None
        with self.found.checking("binding", number):
            if event.tx not in self.posted:
                self.posted = {event.tx: self.chain.calldata(event.tx)}
            waiting = self.posted[event.tx]  # its batches stand in the order of their events
            if waiting is not None:
                sent = waiting.pop(0) if waiting else (0, (), (), 0, ())
        if sent is not None:
            given, posted, entries, commitment_, proof_ = sent
            held = (
                given == CIRCUIT_IDS[circuit]
                and tuple(proof_) == proof
                and commitment_ == c
                and _blanked(circuit, words) == tuple(posted)
                and list(words[:2]) == [header_word(circuit, len(words)), self.domain]
            )
            first = self.books.consumed
            want = [_entry_row(entry) for entry in self.entries[first : first + len(entries)]]
            self.found.require("binding", number, held and list(entries) == want, "calldata and event differ")
        return Posted(number, circuit, event.values, c, words, proof, sent)

    def _public(self, batch: Posted) -> tuple[int, int, int]:
        """C, r, y recomputed; binding fails where C is another."""
        try:
            c = commitment(batch.words)
        except BadInput as error:  # a word that is no field element
            self.found.add("binding", batch.number, f"the posted words have no hash: {error.message}")
            return batch.commitment, 0, 0
        self.found.require(
            "binding", batch.number, c == batch.commitment, "C is not the hash of the posted words"
        )
        r = challenge(self.chain.chain_id, self.chain.ledger, c, batch.words)
        return c, r, evaluate(batch.words, r)

    def _order(self, batch: Posted, previous: int, was: int, what: str) -> None:
        self.batch += 1
        held = batch.number == self.batch and previous == was
        self.found.require(
            "order",
            batch.number,
            held,
            f"batch {batch.number} does not follow {what} of batch {self.batch - 1}",
        )

    def _settle(self, batch: Posted) -> None:
        _, previous, new, tick, consumed = batch.values[:5]
        self._order(batch, previous, self.root, "the root")
        with self.found.checking("binding", batch.number):
            posted = read_settle(batch.words, self.books.consumed)
            require(
                (posted.domain, posted.root, posted.tick, posted.new_root)
                == (self.domain, previous, tick, new),
                "the words and the event's fields differ",
            )
            require(tick == self.tick_hash, "it was settled at another tick")
        with self.found.checking("reexec", batch.number):
            posted = read_settle(batch.words, self.books.consumed)
            for number, (touch, recipient) in enumerate(zip(posted.touches, posted.recipients, strict=True)):
                entry = touch.entry
                if entry is not None and (
                    entry.index >= len(self.entries) or entry != self.entries[entry.index]
                ):
                    raise Broken(f"touch {number}: queue entry {entry.index} is not what was requested")
                account = self.books.touch(touch, self.tick)
                if touch.kept:
                    check_kept(self.books, touch.leaf_index, account, self.ticks)
                if touch.op == Op.WITHDRAW:
                    require(
                        recipient == account.address,
                        f"touch {number}: paid to another address than the account's",
                    )
                    self.credits[recipient, touch.instrument, batch.number, number] += touch.size
                if entry is not None and not touch.flag:
                    self.credits[entry.depositor, entry.asset, batch.number, number] += entry.amount
            require(self.books.leg is None, "an operation is left half done")
        self.found.require(
            "queue", batch.number, self.books.consumed == consumed, "the queue's pointer is another"
        )
        with self.found.checking("root", batch.number):
            root = self.roots.root(self.books)
            require(root == new, f"the new root should be {root}")
        self.root = new

    def _tick(self, batch: Posted) -> None:
        _, slot, previous, new = batch.values[:4]
        self._order(batch, previous, self.tick_hash, "the tick")
        with self.found.checking("binding", batch.number):
            posted = read_tick(batch.words)
            require(
                (posted.domain, posted.previous, posted.params, posted.new, posted.slot)
                == (self.domain, previous, self.params_hash, new, slot),
                "the words and the event's fields differ",
            )
        with self.found.checking("reexec", batch.number):
            self.tick = replay_tick(self.params, self.tick, read_tick(batch.words), self.profile)
        self.found.require("root", batch.number, tick_hash(self.tick) == new, "the tick's hash is another")
        self.found.require(
            "coverage",
            batch.number,
            previous == (self.covered[-1][1] if self.covered else self.genesis_tick),
            "the tick before it was never covered",
        )
        self.tick_hash = new
        self.ticks[new] = self.tick

    def _sweep(self, batch: Posted) -> None:
        self._headers(
            batch, read_sweep, lambda posted: replay_sweep(self.books, posted, self.tick, self.tick_hash)
        )

    def _regroup(self, batch: Posted) -> None:
        self._headers(batch, read_regroup, lambda posted: replay_regroup(self.books, posted))

    def _carry(self, batch: Posted) -> None:
        self._headers(
            batch,
            read_carry,
            lambda posted: replay_carry(self.books, posted, self.tick, self.tick_hash, self.ticks),
        )

    def _headers(
        self, batch: Posted, read: Callable[[Sequence[int]], _HeaderWords], replay: Callable[[Any], None]
    ) -> None:
        """A batch that changes headers, or places, and nothing an account has."""
        _, previous, new, tick = batch.values[:4]
        self._order(batch, previous, self.root, "the root")
        with self.found.checking("binding", batch.number):
            posted = read(batch.words)
            require(
                (posted.domain, posted.root, posted.tick, posted.new_root)
                == (self.domain, previous, tick, new),
                "the words and the event's fields differ",
            )
            require(tick == self.tick_hash, "it was made for another tick")
        with self.found.checking("reexec", batch.number):
            replay(read(batch.words))
        with self.found.checking("root", batch.number):
            root = self.roots.root(self.books)
            require(root == new, f"the new root should be {root}")
        self.root = new

    def _cover(self, batch: Posted) -> None:
        _, root, tick = batch.values[:3]
        self._order(batch, root, self.root, "the root")
        with self.found.checking("binding", batch.number):
            posted = read_coverage(batch.words)
            require(
                (posted.domain, posted.root, posted.tick) == (self.domain, root, tick),
                "the words and the event's fields differ",
            )
            require(tick == self.tick_hash, "it was covered at another tick")
        with self.found.checking("coverage", batch.number):
            check_coverage(self.books, read_coverage(batch.words), self.tick, self.ticks)
        self.covered.append((self.tick.slot, tick, root, batch.number))
        if self.books.reserve >= 0:
            self.solvent = batch.number

    # ---------------------------------------------------------------- at the end

    def closing(self) -> None:
        """order, queue, vault: the contract's state and tokens against the rebuilt ledger."""
        chain, books = self.chain, self.books
        state = [
            chain.view(name, [kind])
            for name, kind in (("root", "uint256"), ("tickHash", "uint256"), ("batch", "uint64"))
        ]
        self.found.require(
            "order",
            _GLOBAL,
            state == [self.root, self.tick_hash, self.batch],
            "the contract's root, tick or batch is not that of the last event",
        )
        order = [entry.index for entry in self.entries] == list(range(len(self.entries)))
        self.found.require(
            "queue",
            _GLOBAL,
            order and chain.view("requested", ["uint64"]) == len(self.entries),
            "the queue has a gap",
        )
        credited: Counter[tuple[int, int, int, int]] = Counter()
        for event in self._of("Credited"):
            address, kind, number, amount, touch = event.values
            credited[int(address, 16), kind, number, touch] += amount
        self.found.require(
            "queue", _GLOBAL, credited == self.credits, "credited amounts are not those proved"
        )
        said = [event.values for event in self._of("Covered")]
        self.found.require(
            "coverage", _GLOBAL, said == self.covered, "Covered was said of other ticks than were covered"
        )
        last = (
            self.covered[-1] if self.covered else (self.first_slot, self.genesis_tick, self.genesis_root, 0)
        )
        views = (
            ("coveredSlot", "uint32"),
            ("coveredTick", "uint256"),
            ("coveredRoot", "uint256"),
            ("coveredBatch", "uint64"),
            ("solventBatch", "uint64"),
        )
        self.found.require(
            "coverage",
            _GLOBAL,
            tuple(chain.view(name, [kind]) for name, kind in views) == (*last, self.solvent),
            "the contract's last coverage is another",
        )
        self._claims()
        for asset, custody in sorted(self.assets.items()):
            held = chain.view("assetOf", ["address", "uint256"], None, ["uint16"], [asset]) == custody
            if self.found.require(
                "vault", _GLOBAL, held, f"asset {asset} is not the token and unit that were registered"
            ):
                self._vault(asset, *custody)
        for k, row in enumerate(self.params.instruments):
            if row.flags == PERPETUAL:
                total = sum(_signed(account, k) for account in books.leaves.values())
                self.found.require(
                    "vault", _GLOBAL, total == 0, f"positions in instrument {k} add up to {total}, not 0"
                )

    def _claims(self) -> None:
        """queue: what was credited and not yet withdrawn is what the contract still owes."""
        left: Counter[tuple[int, int]] = Counter()
        waiting: Counter[tuple[int, int]] = Counter()
        for (address, asset, number, _), amount in self.credits.items():
            left[address, asset] += amount
            if number > self.solvent:
                waiting[address, asset] += amount
        for event in self._of("Withdrawn"):
            left[int(event.values[0], 16), event.values[1]] -= event.values[2]
        for (address, asset), amount in sorted(left.items()):
            text = f"0x{address:040x}"
            later = waiting[address, asset]
            held = amount >= later and all(
                self.chain.view(name, ["uint256"], None, ["address", "uint16"], [text, asset]) == due
                for name, due in (("claim", amount - later), ("pending", later))
            )
            self.found.require(
                "queue", _GLOBAL, held, f"{text} has withdrawn other than it was credited of asset {asset}"
            )

    def _vault(self, asset: int, token: str, unit: int) -> None:
        books = self.books
        paid = sum(event.values[2] for event in self._of("Withdrawn") if event.values[1] == asset)
        owed = sum(amount for (_, kind, _, _), amount in self.credits.items() if kind == asset)
        done = [entry for entry in self.entries if entry.asset == asset]
        requested = sum(entry.amount for entry in done)
        tokens = self.chain.view("balanceOf", ["uint256"], token, ["address"], [self.chain.ledger])
        self.found.require(
            "vault",
            _GLOBAL,
            tokens >= (requested - paid) * unit,
            f"asset {asset}: {tokens} tokens held, {(requested - paid) * unit} are owed",
        )
        consumed = sum(entry.amount for entry in done if entry.index < books.consumed)
        inside = consumed - owed
        if asset == 0:
            held = sum(account.balance for account in books.leaves.values()) + books.reserve
            inside *= ONE
        else:
            held = sum(_signed(account, asset) for account in books.leaves.values())
        self.found.require(
            "vault",
            _GLOBAL,
            held == inside,
            f"asset {asset}: accounts hold {held}, deposits less withdrawals are {inside}",
        )


def _signed(account: Any, k: int) -> int:
    return sum((-h.size if h.side else h.size) for h in account.slots if h is not None and h.instrument == k)


def _g1(point: list[str]) -> list[int]:
    return [int(point[0]), int(point[1])]


def _g2(point: list[list[str]]) -> list[int]:
    return [int(point[0][1]), int(point[0][0]), int(point[1][1]), int(point[1][0])]


def _entry_row(entry: QueueEntry) -> tuple[str, int, int, int, int, bytes]:
    return (
        f"0x{entry.depositor:040x}",
        entry.kind,
        entry.asset,
        entry.amount,
        entry.target,
        entry.owner.to_bytes(32, "big"),
    )


def _blanked(circuit: str, words: tuple[int, ...]) -> tuple[int, ...]:
    """The words with those the contract writes set to 0, as they stand in calldata."""
    layout = load().words[circuit]
    blank = {i for i, name in enumerate(layout.fixed) if name in layout.contract_written}
    if circuit == "settle":
        step, start = len(layout.repeated), len(layout.fixed)
        for i in range(start, len(words), step):
            if words[i] & 0xFF == Op.DEPOSIT:
                blank |= {i + 1, i + 2, i + 3}
    return tuple(0 if i in blank else word for i, word in enumerate(words))


def _silent(stage: str, done: int, of: int) -> None:
    pass


def audit(
    source: Source,
    ledger: str,
    progress: Progress = _silent,
    verify: Verify = check_all,
    keys: Path | None = None,
) -> Audit:
    """Audit a ledger. `verify` decides a list of (key, proof, public signals): '' or what is wrong, for each.

    `keys`: folder of the verifying keys to judge by, in place of the installed ones (see `vkeys.load_vkey`).
    Raises `MissingData` or `ChainUnreachable` where there is nothing to judge.
    """
    found, run = Findings(), None
    if source.altered:
        found.add("binding", _GLOBAL, source.altered)
    try:
        run = _Run(Chain(source, ledger), found, progress, verify, keys)
        run.keys()
        run.genesis()
        run.batches()
        run.closing()
    except Undecodable as error:
        found.add("binding", _GLOBAL, f"data of the ledger can't be decoded: {error}")
    except MissingData as error:
        if found.ok or not any(check.status == "fail" for check in found.checks):
            raise
        found.missing("binding", _GLOBAL, str(error))
    if run is None:
        empty = Params(0, 0, 0, 0, (), ())
        return Audit(
            ledger, 0, 0, found, Books(next(iter(load().profiles.values()))), Tick(0, 0, 0, 0, 0, ()), empty
        )
    return Audit(run.chain.ledger, run.batch, run.root, found, run.books, run.tick, run.params)


def audit_chain(
    rpc: str, ledger: str, bundle: Path | None = None, progress: Progress = _silent
) -> dict[str, Any]:
    """Audit a ledger on a node and save the bundle if a folder is given; returns the report."""
    recorder = Recorder(Node(rpc))
    result = audit(recorder, ledger, progress)
    if bundle is not None:
        recorder.save(bundle, ledger)
    return result.as_json()
