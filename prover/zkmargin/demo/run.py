# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin demo`: replay the episode on a chain of its own, prove and post every batch, audit it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zkmargin.auditor import audit_chain
from zkmargin.chain.anvil import Anvil, anvil, development_key
from zkmargin.chain.deployment import Deployment
from zkmargin.demo.episode import load_episode
from zkmargin.demo.evidence import write_keys, write_people, write_proofs, write_samples
from zkmargin.demo.gas import marginal_gas
from zkmargin.demo.market import Market, open_market
from zkmargin.demo.place import check_place, take_place
from zkmargin.demo.population import TRADERS
from zkmargin.demo.replay import Replay
from zkmargin.demo.report import Progress, show_table
from zkmargin.demo.serving import serve
from zkmargin.demo.summary import summary_of
from zkmargin.demo.venue import Venue, deploy_venue
from zkmargin.errors import BadInput, Invalid
from zkmargin.protocol.model import Params
from zkmargin.proving.backends import best_backend, get_backend
from zkmargin.proving.backends.native import THREADS
from zkmargin.proving.cluster import open_pool
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.pool import Pool
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.journal import BatchRow
from zkmargin.sequencer.posting import Poster
from zkmargin.sequencer.service import Sequencer, Setup

_CLAIMS = 3  # withdrawals that are also paid out on the chain
_FEWEST = 4  # traders


@dataclass(frozen=True)
class Options:
    """What a demo may be told: see `zkmargin demo --help`."""

    prices: Path | None = None
    backend: str | None = None
    ticks: int | None = None
    traders: int = TRADERS
    cluster: str | None = None
    keep_running: bool = False


def run_demo(folder: Path, options: Options = Options()) -> dict[str, Any]:
    """Run the demo into `folder`; returns the summary.

    Writes what `place.NAMES` lists, in place of what a demo left there before: not until everything it was
    given has been looked at, and node and provers are up. Raises `UsageError` for a folder that is not a
    demo's, `BadInput` or `MissingData` for prices that won't do, `Invalid` when the audit fails.
    """
    began = time.monotonic()
    check_place(folder)
    if options.traders < _FEWEST:
        raise BadInput(f"{options.traders} traders are too few to trade", hint=f"at least {_FEWEST}")
    backend = options.backend or best_backend()
    get_backend(backend)
    market = open_market(load_episode(), options.prices, options.ticks)
    episode = market.episode
    os.environ.setdefault(THREADS, "1")  # one proof a core, side by side
    genesis_time = episode.genesis_slot * episode.slot_seconds
    with Progress() as progress:
        keys = profile_keys(episode.profile, progress.line)
        with anvil(timestamp=genesis_time) as node, open_pool(backend, options.cluster) as pool:
            progress.line(
                f"node at {node.url}, proving with {backend} in {pool.workers} processes", "deploying"
            )
            take_place(folder)
            demo = _Demo(folder, market, node, pool, keys, progress)
            try:
                summary = demo.play(options.traders, backend, began)
                if options.keep_running:
                    serve(demo.sequencer, demo.poster, folder, progress)
            finally:
                demo.sequencer.close()
    return summary


class _Demo:
    """The deployed venue of a demo, its sequencer and poster."""

    def __init__(
        self,
        folder: Path,
        market: Market,
        node: Anvil,
        pool: Pool,
        keys: dict[str, CircuitKeys],
        progress: Progress,
    ) -> None:
        self.folder, self.market, self.keys, self.progress = folder, market, keys, progress
        episode = self.episode = market.episode
        params: Params = episode.params(market.keys())
        deployment = self.deployment = deploy_venue(node, episode, params, keys)
        deployment.write(folder / "deployment.json")
        write_keys(folder / "keys", episode.profile, keys)
        venue = self.venue = Venue(node, deployment, episode)
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
        self.sequencer = Sequencer(setup, venue.client)

        def before_send(row: BatchRow) -> None:
            if row.circuit == "tick":
                venue.reach_time(row.slot * episode.slot_seconds)

        self.poster = Poster(self.sequencer, keys, pool, before_send, progress.batch)

    def play(self, traders: int, backend: str, began: float) -> dict[str, Any]:
        """The whole episode, the audit, and everything written; `began` by `time.monotonic`."""
        progress, count = self.progress, self.episode.ticks
        replay = Replay(
            self.episode,
            self.market,
            self.sequencer.params,
            self.venue,
            self.sequencer,
            self.poster,
            traders,
            progress.step,
        )
        progress.line(f"{len(replay.holders)} people request their deposits")
        replay.open_accounts()
        for number in range(1, count + 1):
            replay.tick(
                number, lambda figures: progress.tick(figures, count, self.sequencer.journal.last_batch())
            )
        self.poster.run()
        events = self.venue.client.events(self.deployment.from_block, names=("Covered",))
        covered = {event.args["slot"] for event in events}
        for row in replay.ticks:
            row["covered"] = row["slot"] in covered
        _pay_claims(replay, self.venue)
        journal = self.sequencer.journal
        write_proofs(self.folder / "proofs", self.episode.profile, self.keys, journal)
        write_people(self.folder / "people.json", replay.by_account)
        write_samples(self.folder / "operations", replay)
        progress.line("auditing from the chain alone")
        audit = _audit(self.deployment, self.folder / "bundle", progress)
        marginal = marginal_gas(self.venue, self.sequencer)
        wall = time.monotonic() - began
        summary = summary_of(replay, self.sequencer, audit, backend, marginal, wall)
        path = self.folder / "summary.json"
        path.write_text(json.dumps(summary, indent=1) + "\n")
        with progress.silent():
            show_table(summary, replay.refusals)
        if not audit["ok"]:
            raise Invalid("the audit of the demo failed", hint=f"see {path}", code="audit_failed")
        return summary


def _pay_claims(replay: Replay, venue: Venue) -> None:
    paid = 0
    for holder in replay.holders:
        if paid < _CLAIMS and venue.client.claim(holder.address, 0):
            venue.claim(holder, 0)
            paid += 1
    venue.settled()


def _audit(deployment: Deployment, bundle: Path, progress: Progress) -> dict[str, Any]:
    return audit_chain(
        deployment.rpc, deployment.ledger, bundle, progress=progress.step, from_block=deployment.from_block
    )
