# SPDX-License-Identifier: GPL-3.0-or-later
"""What a demo leaves beside its figures: keys and proofs to check it with, operations to sign and submit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from zkmargin.demo.replay import Replay
from zkmargin.demo.venue import Holder
from zkmargin.engine.margin import is_limited
from zkmargin.protocol.constants import PERPETUAL
from zkmargin.protocol.model import Touch
from zkmargin.protocol.vkeys import save_vkeys
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.proof import Proof
from zkmargin.sequencer.journal import BatchState, Journal
from zkmargin.sequencer.requests import bid_touch, trade_legs, unsigned_json, withdrawal

_WITHDRAWN = 1_000_000  # quote base units: 1 USDC


def write_keys(folder: Path, profile: str, keys: Mapping[str, CircuitKeys]) -> None:
    """The verifying keys, each with its hash, and whether they are development keys."""
    verifying = {name: key.verification_key for name, key in keys.items()}
    save_vkeys(folder, profile, verifying, any(key.dev_key for key in keys.values()))


def write_proofs(folder: Path, profile: str, keys: Mapping[str, CircuitKeys], journal: Journal) -> list[str]:
    """The first accepted proof of each circuit, as snarkjs takes it; returns the circuits.

    `<circuit>/proof.json` says beside the proof which circuit, profile, batch and verifying key it is of;
    `public.json` and `verification_key.json` stand with it.
    """
    written: list[str] = []
    for head in journal.heads(BatchState.CONFIRMED):
        if head.circuit in written:
            continue
        row = journal.batch(head.number)
        if row.proof is None:  # somebody else posted it
            continue
        key, place = keys[row.circuit], folder / row.circuit
        place.mkdir(parents=True)
        proof = Proof.from_json(row.proof).as_json(row.circuit, profile)
        named = {"vk_hash": key.vk_hash, "batch": row.chain_number}
        for name, content in (
            ("proof", proof | named),
            ("public", proof["publicSignals"]),
            ("verification_key", key.verification_key),
        ):
            (place / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
        written.append(row.circuit)
    return written


def write_people(path: Path, by_account: Mapping[int, Holder]) -> None:
    """Who holds which account, and the seed of their signing key, for `zkmargin sign`: nobody's secret."""
    rows = {
        str(number): {
            "name": holder.person.name, "seed": holder.person.seed.decode(), "address": holder.address
        }
        for number, holder in sorted(by_account.items())
    }  # fmt: skip
    path.write_text(json.dumps(rows, indent=1) + "\n")


def write_samples(folder: Path, replay: Replay) -> None:
    """An operation of each kind that people can submit, to be signed: makers', who have enough margin."""
    folder.mkdir()
    tick = replay.sequencer.tick
    perpetuals = [row.id for row in replay.episode.listings if row.params.flags == PERPETUAL]
    instrument = min(perpetuals, key=lambda number: is_limited(tick.instruments[number]))
    mark = tick.instruments[instrument].mark
    first, second = [holder.account_id for holder in replay.holders if holder.person.maker][:2]
    samples: dict[str, Sequence[Touch]] = {
        "withdraw": [withdrawal(first, 0, _WITHDRAWN)],
        "trade": trade_legs(first, second, instrument, 1, mark),
        "bid": [bid_touch(first, instrument, 0, 1, mark)],
    }
    for kind, touches in samples.items():
        content = unsigned_json(kind, touches)
        (folder / f"{kind}.json").write_text(json.dumps(content, indent=1) + "\n")
