# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of a touch: every field in its range, what an operation does not use is 0.

So that one operation has one posting (SPEC section 5), and nothing out of range reaches arithmetic.
"""

from __future__ import annotations

from zkmargin.engine.touching import View, refuse
from zkmargin.errors import Refused
from zkmargin.protocol.constants import BITS, PACKING, EntryKind, Op, P
from zkmargin.protocol.model import Auth, QueueEntry, Touch

_TERMS = PACKING["terms"]
_RANGES = {
    "account_id": BITS["account_id"],
    "side": _TERMS["side"],
    "size": _TERMS["size"],
    "price": _TERMS["price"],
    "flag": PACKING["touch"]["flag"],
    "kept": PACKING["touch"]["kept"],
    "counterparty": _TERMS["counterparty"],
    "max_size": _TERMS["size"],
    "min_reward": _TERMS["min_reward"],
    "limit_price": _TERMS["price"],
}
_TRADES = {Op.TRADE, Op.TRADE_MATCH}
_USERS = {  # who uses a field; all others leave it 0
    "instrument": set(Op) - {Op.NOOP, Op.ABSORB},
    "size": set(Op) - {Op.NOOP, Op.REFUSE, Op.ABSORB},
    "price": set(Op) - {Op.NOOP, Op.DEPOSIT, Op.WITHDRAW, Op.ABSORB},
    "side": set(Op) - {Op.NOOP, Op.DEPOSIT, Op.ABSORB},
    "flag": {Op.DEPOSIT, Op.LIQUIDATE, Op.DELEVERAGE},
    "kept": set(Op) - {Op.NOOP},
    "counterparty": _TRADES,
    "max_size": {Op.TAKE_BID},
    "min_reward": {Op.TAKE_BID},
    "limit_price": {Op.TAKE_BID},
    "entry": {Op.DEPOSIT},
    "auth": {Op.WITHDRAW, Op.TAKE_BID} | _TRADES,
}


def _malformed(message: str) -> Refused:
    return refuse("malformed", message, "build touches as SPEC section 4 says")


def _check_entry(entry: QueueEntry) -> None:
    limits = {
        "depositor": 1 << BITS["address"],
        "amount": 1 << BITS["amount"],
        "target": 1 << BITS["account_id"],
        "owner": P,
    }
    for name, limit in limits.items():
        if not 0 <= getattr(entry, name) < limit:
            raise _malformed(f"the queue entry's {name} is out of range")
    if entry.kind not in set(EntryKind) or entry.amount == 0:
        raise _malformed(f"the contract queues no entry of kind {entry.kind} and amount {entry.amount}")


def _check_auth(auth: Auth) -> None:
    if not 0 <= auth.last_slot < 1 << BITS["slot"]:
        raise _malformed(f"last slot {auth.last_slot} is out of range")
    if not all(0 <= value < P for value in (auth.ax, auth.ay, *vars(auth.signature).values())):
        raise _malformed("a key or signature is no field element")


def check_form(view: View, touch: Touch) -> None:
    """Raise `Refused` (malformed, range) naming the first field that breaks the form."""
    if touch.op not in set(Op):
        raise _malformed(f"there is no operation {touch.op}")
    name = Op(touch.op).name.lower()
    if not 0 <= touch.leaf_index < view.capacity:
        raise refuse("range", f"leaf {touch.leaf_index} is outside the ledger of {view.capacity}")
    if not 0 <= touch.instrument < view.profile.instruments:
        raise refuse("range", f"there is no instrument {touch.instrument}")
    for field, bits in _RANGES.items():
        if not 0 <= getattr(touch, field) < 1 << bits:
            raise _malformed(f"{name}: {field} = {getattr(touch, field)} does not fit {bits} bits")
    for field, users in _USERS.items():
        if touch.op not in users and getattr(touch, field):
            raise _malformed(f"{name} does not use {field}: it must be 0")
    if touch.entry:
        _check_entry(touch.entry)
    if touch.auth:
        _check_auth(touch.auth)
