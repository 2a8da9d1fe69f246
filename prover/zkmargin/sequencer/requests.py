# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations as people submit them: JSON in, touches out; and how to sign one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from zkmargin.engine.due import Bid
from zkmargin.engine.form import check_form
from zkmargin.engine.touching import refuse, signed_message
from zkmargin.errors import BadInput
from zkmargin.protocol.constants import EntryKind, Op
from zkmargin.protocol.eddsa import KeyPair, sign, verify
from zkmargin.protocol.hashes import owner_hash
from zkmargin.protocol.model import Account, Auth, QueueEntry, Signature, Tick, Touch
from zkmargin.sequencer.codec import decode_touch, encode, known_fields, show
from zkmargin.state.ledger import Ledger

_UNSIGNED = Signature(0, 1, 0)
KINDS = {"withdraw": (Op.WITHDRAW,), "trade": (Op.TRADE, Op.TRADE_MATCH), "bid": (Op.TAKE_BID,)}
BID_NONCES = 16


def sign_touch(
    touch: Touch, account: Account, key: KeyPair, last_slot: int, domain: int, nonce: int | None = None
) -> Touch:
    """The touch with its owner's signature, at the account's nonce or a later one."""
    bare = replace(touch, auth=Auth(last_slot, key.ax, key.ay, _UNSIGNED))
    at = account if nonce is None else account.with_(nonce=nonce)
    return replace(touch, auth=Auth(last_slot, key.ax, key.ay, sign(key, signed_message(bare, at, domain))))


def withdrawal(account_id: int, asset: int, amount: int) -> Touch:
    """An unsigned withdrawal of `amount` quote base units or steps."""
    return Touch(Op.WITHDRAW, 0, account_id, asset, 1, amount)


def trade_legs(buyer: int, seller: int, instrument: int, size: int, price: int) -> tuple[Touch, Touch]:
    """The two unsigned legs of a trade."""
    return (
        Touch(Op.TRADE, 0, buyer, instrument, 0, size, price, counterparty=seller),
        Touch(Op.TRADE_MATCH, 0, seller, instrument, 1, size, price, counterparty=buyer),
    )


def bid_touch(
    account_id: int, instrument: int, side: int, max_size: int, limit_price: int, min_reward: int = 0
) -> Touch:
    """An unsigned bid: to take at most `max_size` steps on `side` at a mark no worse than `limit_price` (fine
    units per step), for at least `min_reward` quote base units."""
    return Touch(
        Op.TAKE_BID,
        0,
        account_id,
        instrument,
        side,
        max_size=max_size,
        min_reward=min_reward,
        limit_price=limit_price,
    )


def standing_bid(touch: Touch, nonce: int) -> Bid:
    """A signed bid touch as the search for takers sees it."""
    assert touch.auth is not None
    return Bid(
        touch.account_id,
        nonce,
        touch.instrument,
        touch.side,
        touch.max_size,
        touch.min_reward,
        touch.limit_price,
        touch.auth,
    )


def request_json(kind: str, touches: Sequence[Touch]) -> dict[str, Any]:
    """What `zkmargin submit` reads."""
    return {"kind": kind, "touches": [encode(touch) for touch in touches]}


def unsigned_json(kind: str, touches: Sequence[Touch]) -> dict[str, Any]:
    """The same before it is signed, without what a touch leaves 0: what `zkmargin sign` reads."""
    rows = [
        {name: value for name, value in encode(touch).items() if value not in (None, "0")}
        for touch in touches
    ]
    return {"kind": kind, "touches": [{"leaf_index": "0", **row} for row in rows]}


def read_request(raw: Any, signed: bool = True) -> tuple[str, list[Touch]]:
    """Kind and touches of a submitted operation, or of one still to be signed.

    Raises `BadInput` naming what is malformed.
    """
    known_fields(raw, "the operation", {"kind": True, "touches": True})
    kind, rows = raw["kind"], raw["touches"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadInput(f"there is no operation of kind {show(kind)}", hint=f"kinds: {', '.join(KINDS)}")
    legs = ", ".join(op.name.lower() for op in KINDS[kind])
    if not isinstance(rows, list):
        raise BadInput(f"touches is {show(rows)}, not a list", hint=f"a {kind} is made of {legs}")
    if len(rows) != len(KINDS[kind]):
        raise BadInput(
            f"a {kind} has {len(KINDS[kind])} touches, given: {len(rows)}", hint=f"it is made of {legs}"
        )
    touches = [decode_touch(row, f"touches[{index}]") for index, row in enumerate(rows)]
    for index, (touch, op) in enumerate(zip(touches, KINDS[kind], strict=True)):
        if touch.op != op:
            raise BadInput(
                f"touches[{index}].op is {touch.op}, {op.name.lower()} is {int(op)}",
                hint=f"a {kind} is made of {legs}",
            )
        if signed and touch.auth is None:
            raise BadInput(f"touches[{index}] is not signed", hint="add auth: last_slot, ax, ay, signature")
    return kind, touches


def check_bid(touch: Touch, ledger: Ledger, tick: Tick, domain: int) -> Account:
    """The bidder's account at the nonce a bid is signed for; `Refused` for a bid that nobody can ever take.

    A bid may be signed ahead, for one of the account's next `BID_NONCES` nonces.
    """
    touch = placed(touch, ledger)
    check_form(ledger, touch)
    account, auth = ledger.account_at(touch.leaf_index), touch.auth
    assert auth is not None
    if touch.size or touch.price:
        raise refuse("malformed", "a bid leaves size and price 0", "its terms are max_size and limit_price")
    if touch.max_size < 1:
        raise refuse("size", "the bid takes nothing", "max_size is at least 1 step")
    if tick.instruments[touch.instrument].mark == 0:
        raise refuse("not_listed", f"instrument {touch.instrument} has no price", "bid on a listed one")
    if auth.last_slot < tick.slot:
        raise refuse("expired", f"signed until slot {auth.last_slot}, it is slot {tick.slot}", "sign again")
    if owner_hash(auth.ax, auth.ay) != account.owner:
        raise refuse("signature", f"the key is not that of account {account.id}", "sign with its owner's")
    for ahead in range(BID_NONCES):
        signer = account.with_(nonce=account.nonce + ahead)
        if verify(auth.ax, auth.ay, signed_message(touch, signer, domain), auth.signature):
            return signer
    raise refuse(
        "signature",
        f"not what account {account.id} signs at nonce {account.nonce} or soon after",
        f"sign one of the next {BID_NONCES} nonces, this chain and this ledger",
    )


def signed_digest(touches: Sequence[Touch], signers: Sequence[Account], domain: int) -> str:
    """What makes an operation the same one, however it is written: accounts and the messages they signed."""
    signed = sorted(
        (account.id, signed_message(touch, account, domain))
        for touch, account in zip(touches, signers, strict=True)
    )
    return hashlib.sha256(repr(signed).encode()).hexdigest()


def placed(touch: Touch, ledger: Ledger) -> Touch:
    """The touch with the leaf its account stands at."""
    return replace(touch, leaf_index=ledger.index_of(touch.account_id))


def deposit_touches(ledger: Ledger, entry: QueueEntry) -> tuple[Touch, Touch]:
    """The touch that performs a queue entry, and the one that refuses it; the engine accepts exactly one."""

    def touch(leaf: int, flag: int, identity: int) -> Touch:
        return Touch(Op.DEPOSIT, leaf, identity, entry.asset, 0, entry.amount, 0, flag, entry)

    if entry.kind == EntryKind.OPEN and ledger.next_id < ledger.capacity:
        return touch(ledger.free_index(), 1, ledger.next_id), touch(0, 0, ledger.account_at(0).id)
    if entry.kind == EntryKind.ACCOUNT and 0 < entry.target < ledger.next_id:
        leaf = ledger.index_of(entry.target)
        return touch(leaf, 1, entry.target), touch(leaf, 0, entry.target)
    return touch(0, 1, ledger.account_at(0).id), touch(0, 0, ledger.account_at(0).id)
