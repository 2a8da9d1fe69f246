# SPDX-License-Identifier: GPL-3.0-or-later
"""`summary.json`: the figures of a demo.

Amounts, prices, roots and hashes are strings, so that no reader rounds them: amounts are quote base units,
marks are quote per coin. Counts, slots, times, gas, batch numbers and seconds are JSON numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zkmargin.demo.replay import Replay
from zkmargin.protocol.constants import CIRCUIT_IDS
from zkmargin.sequencer.journal import BatchState, Journal
from zkmargin.sequencer.service import Sequencer


def proof_rows(journal: Journal) -> list[dict[str, Any]]:
    """One row a proof: what it took to make and verify, and its part of its transaction's gas."""
    rows = []
    for row in journal.batches(BatchState.CONFIRMED):
        assert row.receipt is not None
        if row.proof is None:  # somebody else posted it before it was proved here
            continue
        rows.append(
            {
                "circuit": row.circuit,
                "batch": row.chain_number,
                "prove_s": round(row.proof["prove_s"] + row.proof["witness_s"], 3),
                "verify_s": round(row.proof["verify_s"], 4),
                "gas": row.receipt["gas"],
                "tx": row.receipt["tx"],
            }
        )
    return rows


def gas_per_op(proofs: list[dict[str, Any]], marginal: Mapping[str, int]) -> dict[str, int]:
    """Mean gas of a transaction, of a batch of each circuit, and what one more operation of each kind adds.

    A transaction's gas counts in equal parts for its batches; what operations add is measured (see `gas.py`).
    """
    sent: dict[str, int] = {}
    for row in proofs:
        sent[row["tx"]] = sent.get(row["tx"], 0) + row["gas"]
    found = {"transaction": sum(sent.values()) // max(len(sent), 1)}
    for circuit in CIRCUIT_IDS:
        gas = [row["gas"] for row in proofs if row["circuit"] == circuit]
        if gas:
            found[f"{circuit}_batch"] = sum(gas) // len(gas)
    return found | dict(marginal)


def summary_of(
    replay: Replay,
    sequencer: Sequencer,
    audit: Mapping[str, Any],
    backend: str,
    marginal: Mapping[str, int],
    wall: float,
) -> dict[str, Any]:
    """The whole summary; `wall` in seconds."""
    proofs = proof_rows(sequencer.journal)
    return {
        "episode": replay.episode.name,
        "profile": sequencer.profile.name,
        "accounts": sum(bool(account.owner) for _, account in sequencer.ledger.accounts()),
        "instruments": len(replay.episode.listings),
        "backend": backend,
        "wall_s": round(wall, 1),
        "ticks": replay.ticks,
        "operations": dict(replay.operations),
        "refused": replay.refusals,
        "proofs": proofs,
        "gas_per_op": gas_per_op(proofs, marginal),
        "audit": dict(audit),
    }
