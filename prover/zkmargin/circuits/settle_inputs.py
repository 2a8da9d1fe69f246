# SPDX-License-Identifier: GPL-3.0-or-later
"""Witness inputs of the settle circuit: signal names to field elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zkmargin.engine.coverage import exposure
from zkmargin.engine.margin import risk
from zkmargin.protocol.constants import BITS, EntryKind, Op, P, Profile
from zkmargin.protocol.eddsa import BASE8
from zkmargin.protocol.hashes import leaf_hash, risk_hash, sponge, tick_hash, tick_sections
from zkmargin.protocol.model import Account, InstrumentTick, Tick, Touch
from zkmargin.protocol.packing import split
from zkmargin.state.ledger import Opening

_OPS = len(Op)
Value = Any  # an integer or nested lists of them


@dataclass(frozen=True)
class Step:
    """A touch with the leaf it opens, as it stood before the touch."""

    touch: Touch
    opening: Opening


@dataclass(frozen=True)
class Before:
    """The ledger's scalars before a batch."""

    pages_root: int
    reserve: int
    next_id: int
    consumed: int


@dataclass(frozen=True)
class Posting:
    """What a batch is bound to: its words and the public signals."""

    words: Sequence[int]
    commitment: int
    challenge: int
    evaluation: int

    def signals(self) -> dict[str, int]:
        """The public signals by name."""
        return {"C": self.commitment, "r": self.challenge, "y": self.evaluation}


def tick_row(row: InstrumentTick) -> list[int]:
    """The 17 fields of an instrument in the order of the circuits; its move is not among them."""
    return [
        row.flags,
        row.mark,
        row.funding % P,
        *row.bounds,
        row.equity % P,
        row.worst_long % P,
        row.worst_short % P,
        *row.maintenance,
        *row.initial,
    ]


def claims(account: Account, tick: Tick, anchor: Tick) -> list[int]:
    """E - B, M, W - B, I of an account at the tick, and H - B and G at the anchor."""
    now, then = risk(account, tick), risk(account, anchor)
    values = [now.equity - account.balance, now.maintenance, now.worst - account.balance, now.initial]
    return [*values, then.health - account.balance, exposure(account, anchor)]


def margin_table(tick: Tick) -> dict[str, Value]:
    """What `MarginTable` opens of a tick."""
    sections = tick_sections(tick)
    return {
        "clock": tick.slot + (tick.time << 32),
        "risk": risk_hash(tick),
        "initial": sections["initial"],
        "trading": sections["trading"],
        "equity": [row.equity % P for row in tick.instruments],
        "maintenance": [list(row.maintenance) for row in tick.instruments],
        "moves": [row.move for row in tick.instruments],
    }


def challenge_weights(
    root: int, tick: int, anchor: int, rows: Sequence[tuple[Account, list[int]]], classes: int
) -> list[int]:
    """The weights W_t of the sparse table check for opened accounts with their claims, in order."""
    items = [root, tick, anchor]
    for account, claimed in rows:
        items += [leaf_hash(account), *claimed]
    challenge = sponge("lambda", items)
    weights, power = [0] * classes, 1
    for account, _ in reversed(rows):
        for held in account.slots:
            if held:
                weights[held.class_id] = (weights[held.class_id] + power * held.size) % P
        power = power * challenge % P
    return weights


def class_bits(account: Account) -> list[list[int]]:
    """The bits of the class ids of an account's slots."""
    ids = [held.class_id if held else 0 for held in account.slots]
    return [[number >> bit & 1 for bit in range(BITS["class_id"])] for number in ids]


def _touch(step: Step, account: Account) -> dict[str, Value]:
    """The inputs of one touch by signal name."""
    touch, entry, auth = step.touch, step.touch.entry, step.touch.auth
    path = [*step.opening.page_path, *step.opening.ledger_path]
    owner_hi, owner_lo = split(entry.owner) if entry else (0, 0)
    return {
        "op": [int(touch.op == number) for number in range(_OPS)],
        "classBits": class_bits(account),
        "x": [held.size if held else 0 for held in account.slots],
        "pathBits": [
            [touch.leaf_index >> (3 * level + bit) & 1 for bit in range(3)] for level in range(len(path))
        ],
        "children": path,
        "owner": account.owner,
        "id": account.id,
        "nonce": account.nonce,
        "addr": account.address,
        "balance": account.balance % P,
        "anchor": [step.opening.header[0], step.opening.block_header[0]],
        "radius": [step.opening.header[1], step.opening.block_header[1]],
        "open": int(bool(entry and entry.kind == EntryKind.OPEN)),
        "credit": int(bool(entry and entry.kind == EntryKind.ACCOUNT)),
        "l1Address": entry.depositor if entry else account.address if touch.op == Op.WITHDRAW else 0,
        "target": entry.target if entry else 0,
        "ownerHi": owner_hi,
        "ownerLo": owner_lo,
        "counterparty": touch.counterparty,
        "maxSize": touch.max_size,
        "minReward": touch.min_reward,
        "limitPrice": touch.limit_price,
        "lastSlot": auth.last_slot if auth else 0,
        "ax": auth.ax if auth else BASE8[0],
        "ay": auth.ay if auth else BASE8[1],
        "r8x": auth.signature.r8x if auth else 0,
        "r8y": auth.signature.r8y if auth else 1,
        "s": auth.signature.s if auth else 0,
        "instrument": touch.instrument,
        "side": touch.side,
        "size": touch.size,
        "price": touch.price,
        "flag": touch.flag,
        "kept": touch.kept,
    }


def settle_inputs(
    profile: Profile,
    tick: Tick,
    domain: int,
    root: int,
    new_root: int,
    before: Before,
    steps: Sequence[Step],
    posting: Posting,
    anchor: Tick | None = None,
) -> dict[str, Value]:
    """All inputs of a settle proof over `steps`, one per touch of the circuit.

    `anchor`: the tick that pages which keep their headers are anchored at; any will do where none does.
    """
    then = anchor or tick
    rows = [(step.opening.account, claims(step.opening.account, tick, then)) for step in steps]
    digest = tick_hash(tick)
    table = {f"anchor{name.title()}": value for name, value in margin_table(then).items()}
    claimed = [[value % P for value in values] for _, values in rows]
    touches = [_touch(step, step.opening.account) for step in steps]
    return {
        **posting.signals(),
        "domain": domain,
        "rootHalves": list(split(root)),
        "tickHalves": list(split(digest)),
        "newRootHalves": list(split(new_root)),
        "slot": tick.slot,
        "time": tick.time,
        "tau": tick.tau,
        "penaltyRate": tick.penalty_rate,
        "bidderShare": tick.bidder_share,
        **table,
        "moves": tick_sections(tick)["moves"],
        "rows": [tick_row(row) for row in tick.instruments],
        "pagesRoot": before.pages_root,
        "reserve": before.reserve % P,
        "nextId": before.next_id,
        "consumed": before.consumed,
        "claim": claimed,
        "weights": challenge_weights(
            root,
            digest,
            tick_hash(then),
            [(a, c) for (a, _), c in zip(rows, claimed, strict=True)],
            profile.classes,
        ),
        **{name: [touch[name] for touch in touches] for name in touches[0]},
    }
