# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations as people submit them: JSON in, touches out; and how to sign one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from zkmargin.engine.due import Bid
from zkmargin.engine.transition import signed_message
from zkmargin.errors import BadInput
from zkmargin.protocol.constants import EntryKind, Op
from zkmargin.protocol.eddsa import KeyPair, sign
from zkmargin.protocol.model import Account, Auth, QueueEntry, Signature, Touch
from zkmargin.sequencer.codec import decode_touch, encode
from zkmargin.state.ledger import Ledger

_UNSIGNED = Signature(0, 1, 0)
KINDS = {"withdraw": (Op.WITHDRAW,), "trade": (Op.TRADE, Op.TRADE_MATCH), "bid": (Op.TAKE_BID,)}


def sign_touch(touch: Touch, account: Account, key: KeyPair, last_slot: int, domain: int, nonce: int | None = None) -> Touch:
    """The touch with its owner's signature, at the account's nonce or a later one."""
    bare = replace(touch, auth=Auth(last_slot, key.ax, key.ay, _UNSIGNED))
    at = account if nonce is None else account.with_(nonce=nonce)
    return replace(touch, auth=Auth(last_slot, key.ax, key.ay, sign(key, signed_message(bare, at, domain))))


def withdrawal(account_id: int, asset: int, amount: int) -> Touch:
    """An unsigned withdrawal of `amount` quote base units or steps."""
    return Touch(Op.WITHDRAW, 0, account_id, asset, 1, amount)


def trade_legs(buyer: int, seller: int, instrument: int, size: int, price: int) -> tuple[Touch, Touch]:
    """The two unsigned legs of a trade."""
    return (Touch(Op.TRADE, 0, buyer, instrument, 0, size, price, counterparty=seller),
            Touch(Op.TRADE_MATCH, 0, seller, instrument, 1, size, price, counterparty=buyer))


def bid_touch(account_id: int, instrument: int, side: int, max_size: int, min_reward: int = 0) -> Touch:
    """An unsigned bid: to take at most `max_size` steps on `side` for at least `min_reward` quote base units."""
    return Touch(Op.TAKE_BID, 0, account_id, instrument, side, 0, 0, max_size=max_size, min_reward=min_reward)


def standing_bid(touch: Touch, nonce: int) -> Bid:
    """A signed bid touch as the search for takers sees it."""
    assert touch.auth is not None
    return Bid(touch.account_id, nonce, touch.instrument, touch.side, touch.max_size, touch.min_reward, touch.auth)


def request_json(kind: str, touches: Sequence[Touch]) -> dict[str, Any]:
    """What `zkmargin submit` reads."""
    return {"kind": kind, "touches": [encode(touch) for touch in touches]}


def read_request(raw: Any) -> tuple[str, list[Touch]]:
    """Kind and touches of a submitted operation; raises `BadInput` naming what is malformed."""
    if not isinstance(raw, dict) or raw.get("kind") not in KINDS or not isinstance(raw.get("touches"), list):
        raise BadInput("an operation needs a kind and a list of touches", hint=f"kinds: {', '.join(KINDS)}")
    if len(raw["touches"]) > 2 or not all(isinstance(row, dict) for row in raw["touches"]):
        raise BadInput("an operation has one or two touches, each an object")
    touches = [decode_touch(row) for row in raw["touches"]]
    kinds = tuple(Op(touch.op) if touch.op in set(Op) else touch.op for touch in touches)
    if kinds != KINDS[raw["kind"]]:
        raise BadInput(f"a {raw['kind']} is made of {', '.join(op.name.lower() for op in KINDS[raw['kind']])}")
    for touch in touches:
        for name in ("account_id", "instrument", "side", "size", "price", "counterparty", "max_size", "min_reward"):
            if not 0 <= getattr(touch, name) < 1 << (1 if name == "side" else 64):
                raise BadInput(f"{name} {getattr(touch, name)} is out of range")
        if touch.auth is None:
            raise BadInput("a touch is not signed")
    return raw["kind"], touches


def placed(touch: Touch, ledger: Ledger) -> Touch:
    """The touch with the leaf its account stands at."""
    return replace(touch, leaf_index=ledger.index_of(touch.account_id))


def deposit_touches(ledger: Ledger, entry: QueueEntry) -> tuple[Touch, Touch]:
    """The touch that performs a queue entry, and the one that refuses it; the engine accepts exactly one of them."""
    def touch(leaf: int, flag: int, identity: int) -> Touch:
        return Touch(Op.DEPOSIT, leaf, identity, entry.asset, 0, entry.amount, 0, flag, entry)

    if entry.kind == EntryKind.OPEN and ledger.next_id < ledger.capacity:
        return touch(ledger.free_index(), 1, ledger.next_id), touch(0, 0, ledger.account_at(0).id)
    if entry.kind == EntryKind.ACCOUNT and 0 < entry.target < ledger.next_id:
        leaf = ledger.index_of(entry.target)
        return touch(leaf, 1, entry.target), touch(leaf, 0, entry.target)
    return touch(0, 1, ledger.account_at(0).id), touch(0, 0, ledger.account_at(0).id)
