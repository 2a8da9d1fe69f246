# SPDX-License-Identifier: GPL-3.0-or-later
"""Vector cases as JSON and back: integers as strings, what is 0 left out.

The shapes stand in tests/vectors/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from zkmargin.engine.transition import CLEAR, Effect, apply
from zkmargin.errors import Refused
from zkmargin.protocol.constants import HOLDINGS, Op, Profile, load
from zkmargin.protocol.model import (
    Account,
    Auth,
    Holding,
    InstrumentParams,
    InstrumentTick,
    Params,
    QueueEntry,
    Signature,
    Tick,
    Touch,
)
from zkmargin.state.ledger import Ledger

FOLDER = Path(__file__).parent.parent / "vectors"
Json = dict[str, Any]


def write(name: str, content: Json) -> None:
    """Write a vector file, one case or tick a line."""
    parts = []
    for key, value in content.items():
        if isinstance(value, list):
            lines = ",\n".join("  " + json.dumps(row) for row in value)
            parts.append(f" {json.dumps(key)}: [\n{lines}\n ]")
        elif key == "ticks":
            lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in value.items())
            parts.append(f" {json.dumps(key)}: {{\n{lines}\n }}")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    (FOLDER / f"{name}.json").write_text("{\n" + ",\n".join(parts) + "\n}\n")


def read(name: str) -> Json:
    """The vector file of a name."""
    found: Json = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def _plain(record: Any, leave_out: Iterable[str] = ()) -> Json:
    """The nonzero fields of a flat record."""
    found = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name in leave_out or not value or not any(value if isinstance(value, tuple) else [value]):
            continue
        found[field.name] = [str(v) for v in value] if isinstance(value, tuple) else str(value)
    return found


def _record(kind: type[Any], raw: Json, **more: Any) -> Any:
    values = {
        k: tuple(int(v) for v in value) if isinstance(value, list) else int(value) for k, value in raw.items()
    }
    return kind(**values, **more)


# ---------------------------------------------------------------------- ticks


def encode_tick(tick: Tick) -> Json:
    rows = {str(k): _plain(row) for k, row in enumerate(tick.instruments) if _plain(row)}
    return {**_plain(tick, ["instruments"]), "table": str(len(tick.instruments)), "instruments": rows}


def decode_tick(raw: Json) -> Tick:
    rows = tuple(
        _record(InstrumentTick, raw["instruments"].get(str(k), {})) for k in range(int(raw["table"]))
    )
    flat = {"slot": "0", "time": "0", "tau": "0", "penalty_rate": "0", "bidder_share": "0"}
    flat |= {k: value for k, value in raw.items() if k not in {"table", "instruments"}}
    tick: Tick = _record(Tick, flat, instruments=rows)
    return tick


def encode_params(params: Params) -> Json:
    rows = {
        str(k): {**_plain(row, ["symbol", "step"])} for k, row in enumerate(params.instruments) if row.flags
    }
    return {
        **{
            name: str(getattr(params, name))
            for name in ("tau", "penalty_rate", "bidder_share", "slot_seconds")
        },
        "table": str(len(params.instruments)),
        "instruments": rows,
    }


def decode_params(raw: Json) -> Params:
    """Parameters without oracle keys, which no tick depends on."""
    rows = tuple(
        _record(InstrumentParams, raw["instruments"].get(str(k), {})) for k in range(int(raw["table"]))
    )
    flat = {k: raw[k] for k in ("tau", "penalty_rate", "bidder_share", "slot_seconds")}
    params: Params = _record(Params, flat, oracle_keys=(), instruments=rows)
    return params


# ------------------------------------------------------------------- accounts


def encode_account(account: Account) -> Json:
    slots = {str(j): _plain(held) for j, held in enumerate(account.slots) if held}
    return {**_plain(account, ["slots"]), "slots": slots}


def decode_account(raw: Json) -> Account:
    slots: list[Holding | None] = [None] * HOLDINGS
    for j, held in raw["slots"].items():
        slots[int(j)] = _record(Holding, {"tier": "0", "side": "0", **held})
    account: Account = _record(Account, {k: v for k, v in raw.items() if k != "slots"}, slots=tuple(slots))
    return account


def encode_ledger(ledger: Ledger, leaves: Iterable[int]) -> Json:
    """The ledger as far as `leaves` go: all others are empty in a vector."""
    named = ("reserve", "next_id", "consumed")
    return {
        **dict(zip(named, map(str, ledger.scalars()), strict=True)),
        "accounts": {str(leaf): encode_account(ledger.account_at(leaf)) for leaf in sorted(set(leaves))},
    }


def decode_ledger(raw: Json, profile: Profile) -> Ledger:
    accounts = {int(leaf): decode_account(account) for leaf, account in raw["accounts"].items()}
    scalars = (int(raw["reserve"]), int(raw["next_id"]), int(raw["consumed"]))
    return Ledger.of(profile, accounts, {}, {}, scalars)


# -------------------------------------------------------------------- touches


def encode_touch(touch: Touch) -> Json:
    found = {**_plain(touch, ["op", "entry", "auth"]), "op": Op(touch.op).name.lower()}
    if touch.entry:
        found["entry"] = _plain(touch.entry)
    if touch.auth:
        found["auth"] = {**_plain(touch.auth, ["signature"]), "signature": _plain(touch.auth.signature)}
    return found


def decode_touch(raw: Json) -> Touch:
    flat = {"leaf_index": "0", "account_id": "0"} | {
        k: v for k, v in raw.items() if k not in {"op", "entry", "auth"}
    }
    entry = {name.name: "0" for name in fields(QueueEntry)} | raw["entry"] if "entry" in raw else None
    auth = raw.get("auth")
    signature = _record(Signature, {"r8x": "0", "r8y": "0", "s": "0", **auth["signature"]}) if auth else None
    signed = (
        _record(
            Auth,
            {"last_slot": "0"} | {k: v for k, v in auth.items() if k != "signature"},
            signature=signature,
        )
        if auth
        else None
    )
    touch: Touch = _record(
        Touch,
        flat,
        op=Op[raw["op"].upper()],
        entry=_record(QueueEntry, entry) if entry else None,
        auth=signed,
    )
    return touch


# ----------------------------------------------------------------- operations


def play(ledger: Ledger, touches: Sequence[Touch], tick: Tick, domain: int) -> list[Effect]:
    """Apply an operation to the ledger; raises `Refused` part way, the ledger then half changed."""
    pending, effects = CLEAR, []
    for touch in touches:
        effect = apply(ledger, pending, touch, tick, domain)
        ledger.write(touch.leaf_index, effect.after, keep_header=touch.op == Op.NOOP)
        ledger.reserve, ledger.next_id, ledger.consumed = effect.reserve, effect.next_id, effect.consumed
        effects.append(effect)
        pending = effect.pending
    if pending.expect:
        raise Refused("the second leg is missing", code="legs")
    return effects


def _effect(effect: Effect) -> Json:
    """What an auditor or a witness builder sees of a touch."""
    risks = {"before": effect.risk_before, "after": effect.risk_after}
    return {
        **{name: _plain(now) for name, now in risks.items()},
        **{
            name: str(value)
            for name in ("rho", "penalty", "reward", "paid")
            if (value := getattr(effect, name))
        },
        **({"slot": str(effect.slot)} if effect.slot is not None else {}),
        **({"pending": _plain(effect.pending)} if effect.pending.expect else {}),
    }


def outcome(before: Json, profile: str, touches: Sequence[Touch], tick: Tick, domain: int) -> Json:
    """What becomes of the ledger `before`: roots, accounts and effects, or the code of the refusal."""
    ledger = decode_ledger(before, load().profile(profile))
    root = str(ledger.root())
    try:
        effects = play(ledger, touches, tick, domain)
    except Refused as refusal:
        return {"root": root, "refused": refusal.code}
    leaves = {touch.leaf_index for touch in touches}
    after = {**encode_ledger(ledger, leaves), "root": str(ledger.root())}
    return {"root": root, "after": after, "effects": [_effect(effect) for effect in effects]}
