# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger's whole state in a row of the journal: where it was adopted from the chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zkmargin.errors import InternalError
from zkmargin.protocol.constants import Profile
from zkmargin.protocol.model import Account, Tick
from zkmargin.sequencer.codec import decode, decode_tick, encode, encode_tick
from zkmargin.sequencer.journal import ADOPTED, BatchRow, Journal
from zkmargin.state.ledger import Header, Ledger
from zkmargin.state.store import Store


@dataclass(frozen=True)
class Snapshot:
    """A ledger and its present tick. `anchors`: the ticks that its headers are anchored at.

    `tick_covered`: whether the chain has covered the tick, at any root; `covered`: at this one.
    """

    ledger: Ledger
    tick: Tick
    anchors: tuple[Tick, ...]
    tick_covered: bool
    covered: bool


def encode_snapshot(made: Snapshot) -> dict[str, Any]:
    """A snapshot as the body of a row."""
    ledger = made.ledger
    return {
        "tick": encode_tick(made.tick),
        "anchors": [encode_tick(tick) for tick in made.anchors],
        "accounts": {leaf: encode(account) for leaf, account in ledger.accounts()},
        "headers": _encode_headers(ledger.headers()),
        "blocks": _encode_headers(ledger.block_headers()),
        "scalars": [str(value) for value in ledger.scalars()],
        "new_root": str(ledger.root()),
        "tick_covered": made.tick_covered,
        "covered": made.covered,
    }


def decode_snapshot(row: BatchRow, profile: Profile) -> Snapshot:
    """The snapshot in a row; raises `InternalError` if its accounts and headers don't make its root."""
    body = row.body
    accounts: dict[int, Account] = {int(leaf): decode(Account, raw) for leaf, raw in body["accounts"].items()}
    headers, blocks = (_decode_headers(body[name]) for name in ("headers", "blocks"))
    reserve, next_id, consumed = map(int, body["scalars"])
    ledger = Ledger.of(profile, accounts, headers, blocks, (reserve, next_id, consumed))
    if str(ledger.root()) != body["new_root"]:
        raise InternalError(f"the state in batch {row.number} has another root", code="journal_replay")
    return Snapshot(
        ledger,
        decode_tick(body["tick"]),
        tuple(decode_tick(raw) for raw in body["anchors"]),
        body["tick_covered"],
        body["covered"],
    )


def _encode_headers(headers: Mapping[int, Header]) -> list[list[Any]]:
    return [[number, str(anchor), radius] for number, (anchor, radius) in sorted(headers.items())]


def _decode_headers(rows: list[list[Any]]) -> dict[int, Header]:
    return {number: (int(anchor), radius) for number, anchor, radius in rows}


def ticks_in(row: BatchRow) -> list[Tick]:
    """The ticks that a row of a tick, or of an adopted state, brings."""
    return [decode_tick(raw) for raw in (row.body["tick"], *row.body.get("anchors", ()))]


def last_state(journal: Journal, store: Store, profile: Profile, genesis: Tick) -> tuple[Ledger, Tick, int]:
    """Ledger and tick to go on from, and the batch they are after: what is stored, or was adopted later."""
    stored, adopted = store.batch or 0, journal.last_of(ADOPTED)
    if adopted is not None and adopted.number > stored:
        made = decode_snapshot(journal.batch(adopted.number), profile)
        return made.ledger, made.tick, adopted.number
    last = journal.last_of("tick", ADOPTED, until=stored)
    return store.load(), genesis if last is None else ticks_in(journal.batch(last.number))[0], stored
