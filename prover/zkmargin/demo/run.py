# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin demo`: replay the episode on a chain of its own, prove and post every batch, audit it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from zkmargin.chain.anvil import anvil, development_key
from zkmargin.chain.deployment import Deployment
from zkmargin.demo.episode import load_episode
from zkmargin.demo.market import open_market
from zkmargin.demo.place import check_place, take_place
from zkmargin.demo.replay import Replay
from zkmargin.demo.report import Progress, show_table
from zkmargin.demo.venue import Venue, deploy_venue
from zkmargin.errors import Invalid
from zkmargin.protocol.constants import CIRCUIT_IDS
from zkmargin.proving.backends import best_backend, get_backend
from zkmargin.proving.backends.native import THREADS
from zkmargin.proving.cluster import open_pool
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.journal import BatchRow, BatchState
from zkmargin.sequencer.posting import Poster
from zkmargin.sequencer.service import Sequencer, Setup

_CLAIMS = 3  # withdrawals that are also paid out on the chain


def run_demo(
    folder: Path,
    prices: Path | None = None,
    backend: str | None = None,
    ticks: int | None = None,
    cluster: str | None = None,
) -> dict[str, Any]:
    """Run the demo into `folder`, proving on a Ray cluster if one is named; returns the summary.

    Writes summary.json, deployment.json, bundle/ and the sequencer's files, in place of what a demo left
    there before: not until everything it was given has been looked at, and node and provers are up. Raises
    `UsageError` for a folder that is not a demo's, `BadInput` or `MissingData` for prices that won't do,
    `Invalid` when the audit fails.
    """
    began = time.monotonic()
    check_place(folder)
    chosen = backend or best_backend()
    get_backend(chosen)
    market = open_market(load_episode(), prices, ticks)
    episode = market.episode
    params = episode.params(market.keys())
    progress = Progress()
    os.environ.setdefault(THREADS, "1")  # one proof a core, side by side
    keys = profile_keys(episode.profile, progress.line)
    genesis_time = episode.genesis_slot * episode.slot_seconds
    with anvil(timestamp=genesis_time) as node, open_pool(chosen, cluster) as pool:
        progress.line(f"node at {node.url}, proving with {chosen} in {pool.workers} processes")
        take_place(folder)
        deployment = deploy_venue(node, episode, params, keys)
        deployment.write(folder / "deployment.json")
        venue = Venue(node, deployment, episode)
        setup = Setup(
            folder / "sequencer",
            deployment.chain_id,
            deployment.ledger,
            deployment.from_block,
            episode.profile,
            params,
            episode.genesis_slot,
            development_key(0),
            deployment.rpc,
        )
        sequencer = Sequencer(setup, venue.client)

        def before_send(row: BatchRow) -> None:
            if row.circuit == "tick":
                venue.reach_time(row.slot * episode.slot_seconds)

        poster = Poster(sequencer, keys, pool, before_send, progress.batch)
        replay = Replay(episode, market, params, venue, sequencer, poster)
        count = episode.ticks
        progress.line(f"{len(replay.holders)} people request their deposits")
        replay.open_accounts()
        for number in range(1, count + 1):
            replay.tick(number, lambda figures: progress.tick(figures, count, sequencer.journal.last_batch()))
        poster.run()
        events = venue.client.events(deployment.from_block, names=("Covered",))
        covered = {event.args["slot"] for event in events}
        for row in replay.ticks:
            row["covered"] = row["slot"] in covered
        _pay_claims(replay, venue)
        progress.line("auditing from the chain alone")
        audit = _audit(deployment, folder / "bundle")
        summary = _summary(replay, sequencer, audit, chosen, time.monotonic() - began)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    show_table(summary, replay.refusals)
    if not audit["ok"]:
        raise Invalid(
            "the audit of the demo failed", hint=f"see {folder / 'summary.json'}", code="audit_failed"
        )
    return summary


def _pay_claims(replay: Replay, venue: Venue) -> None:
    paid = 0
    for holder in replay.holders:
        if paid < _CLAIMS and venue.client.claim(holder.address, 0):
            venue.claim(holder, 0)
            paid += 1
    venue.settled()


def _audit(deployment: Deployment, bundle: Path) -> dict[str, Any]:
    from zkmargin.auditor import audit_chain

    return audit_chain(deployment.rpc, deployment.ledger, bundle, from_block=deployment.from_block)


def _summary(
    replay: Replay, sequencer: Sequencer, audit: dict[str, Any], backend: str, wall: float
) -> dict[str, Any]:
    rows = list(sequencer.journal.batches(BatchState.CONFIRMED))
    proofs: list[dict[str, Any]] = []
    gas = {circuit: [0, 0] for circuit in CIRCUIT_IDS}
    for row in rows:
        assert row.receipt is not None
        if row.proof is None:  # somebody else posted it before it was proved here
            continue
        proofs.append(
            {
                "circuit": row.circuit,
                "batch": row.chain_number,
                "prove_s": round(row.proof["prove_s"] + row.proof["witness_s"], 3),
                "verify_s": round(row.proof["verify_s"], 4),
                "gas": row.receipt["gas"],
                "tx": row.receipt["tx"],
            }
        )
        gas[row.circuit][0] += row.receipt["gas"]
        gas[row.circuit][1] += 1
    touches = sequencer.profile.touches
    sent = {row["tx"] for row in proofs}
    settle = gas["settle"][0] // max(gas["settle"][1], 1)
    legs = {"deposit": 1, "withdraw": 1, "trade": 2, "liquidation": 2, "deleverage": 3, "absorb": 1}
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
        "gas_per_op": {  # a transaction's gas in equal parts to its batches, a settle's to its touches
            "transaction": sum(row["gas"] for row in proofs) // max(len(sent), 1),
            "tick_batch": gas["tick"][0] // max(gas["tick"][1], 1),
            "settle_batch": settle,
            "sweep_batch": gas["sweep"][0] // max(gas["sweep"][1], 1),
            "coverage_batch": gas["coverage"][0] // max(gas["coverage"][1], 1),
            "touch": settle // touches,
            **{kind: settle * count // touches for kind, count in legs.items()},
        },
        "audit": audit,
    }
