# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger of any size on a node of its own, with a sequencer that has it: real proofs, real transactions.

The accounts stand there from the start: the ledger is deployed with their root as its genesis root, which
saves the benchmark thousands of deposits. An audit would refuse such a ledger; what is measured after it is
the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from zkmargin.bench.measure import prover_threads
from zkmargin.chain.anvil import Anvil, anvil, development_key
from zkmargin.chain.client import LedgerClient
from zkmargin.chain.deploy import AssetPlan, Genesis, deploy
from zkmargin.engine.coverage import exposure
from zkmargin.engine.margin import holding_of, risk
from zkmargin.engine.ticks import genesis_tick, next_tick
from zkmargin.errors import InternalError
from zkmargin.oracle.reports import Report, make_report
from zkmargin.protocol.constants import COLLATERAL, HOLDINGS, PERPETUAL, RADIUS_ONE, RATE_ONE, Profile, load
from zkmargin.protocol.eddsa import KeyPair, keypair
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Account, InstrumentParams, Params, Tick
from zkmargin.proving.pool import ProvingPool
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.journal import BatchRow, Journal
from zkmargin.sequencer.loop import run_tick
from zkmargin.sequencer.posting import Poster
from zkmargin.sequencer.service import Coverage, Sequencer, Setup
from zkmargin.state.ledger import Ledger
from zkmargin.state.store import Store
from zkmargin.toolchain import Report as Say

SLOT, SECONDS = 1000, 60
COLLATERALS = 3


def make_params(profile: Profile, keys: list[KeyPair]) -> Params:
    """Perpetuals with four tiers, and three collaterals."""
    rates = tuple(percent * RATE_ONE // 100 for percent in (1, 2, 3, 4))
    twice = tuple(2 * rate for rate in rates)
    rows = [InstrumentParams.unlisted()]
    for k in range(1, profile.instruments):
        if k < profile.instruments - COLLATERALS:
            made = InstrumentParams(
                f"P{k}", PERPETUAL, 0, RATE_ONE // 100, RATE_ONE // 100, rates, twice, (10**3, 10**5, 10**7)
            )
        else:
            made = InstrumentParams(f"C{k}", COLLATERAL, RATE_ONE // 10, RATE_ONE // 100, 0)
        rows.append(made)
    signers = tuple((key.ax, key.ay) for key in keys)
    return Params(RATE_ONE * 11 // 10, RATE_ONE // 50, RATE_ONE // 2, SECONDS, signers, tuple(rows))


def account(profile: Profile, tick: Tick, leaf: int, moves: float) -> Account:
    """An account of twelve holdings, so many moves away from its maintenance margin."""
    identity = profile.instruments + leaf
    made = Account(id=identity, address=identity, owner=identity)
    perpetuals = profile.instruments - 1 - COLLATERALS
    for slot in range(HOLDINGS):
        instrument = 1 + (leaf + slot) % perpetuals
        size = (1000 + 37 * (leaf % 1000) + slot) * (-1 if slot % 2 else 1)
        made = made.with_slot(slot, holding_of(tick.instruments[instrument], instrument, size))
    spare = int(moves * RADIUS_ONE) * exposure(made, tick) // RADIUS_ONE
    return made.with_(balance=spare - risk(made, tick).health)


@dataclass
class BenchVenue:
    """The running venue; `tick` plans one from prices that walk at random."""

    node: Anvil
    client: LedgerClient
    sequencer: Sequencer
    poster: Poster
    keys: list[KeyPair]
    prices: list[int]
    walk: random.Random = field(default_factory=lambda: random.Random(1))

    def reports(self, step: float) -> list[Report]:
        """All oracles' reports, prices moved by up to `step` of themselves, of the slot that begins next.

        That is after the last tick's and after all blocks that there are.
        """
        now = self.sequencer
        slot = max(now.tick.slot, self.client.latest().time // SECONDS) + 1
        self.prices = [int(price * (1 + self.walk.uniform(-step, step))) for price in self.prices]
        rates = [0] * len(self.prices)
        return [
            make_report(key, number, now.domain, now.params, slot, now.tick.slot, self.prices, rates)
            for number, key in enumerate(self.keys)
        ]

    def cover(self, reports: list[Report]) -> Coverage:
        """From reports to accepted coverage."""
        run = run_tick(self.sequencer, self.poster, reports, reports[0].slot)
        if run.coverage is None:
            raise InternalError(f"the benchmark's tick can't be covered: {run.uncovered}")
        return run.coverage


@contextmanager
def bench_venue(
    profile_name: str, moves: list[float], backend: str = "native", say: Say | None = None
) -> Iterator[BenchVenue]:
    """A venue with an account for each of `moves`, so far from the edge, page after page.

    It proves as the demo does: side by side, a process a core and a thread each.
    """
    profile = load().profile(profile_name)
    keys = [keypair(b"oracle%d" % number) for number in range(profile.oracles)]
    params = make_params(profile, keys)
    circuit_keys = profile_keys(profile_name, say)
    opening = genesis_tick(params, SLOT)
    prices = [0, *((k + 1) << 40 for k in range(1, profile.instruments))]
    priced = next_tick(params, opening, SLOT + 1, [(prices, [0] * profile.instruments)]).tick
    first = profile.instruments  # leaves below hold the backstops
    accounts = {number: Account(id=number) for number in range(1, profile.instruments)}
    accounts |= {first + n: account(profile, priced, n, far) for n, far in enumerate(moves)}
    ledger = Ledger.of(profile, accounts, {}, {}, (0, 2 * profile.instruments + len(moves), 0))
    with (
        prover_threads(1),
        anvil(timestamp=SLOT * SECONDS) as node,
        ProvingPool(backend) as pool,
        TemporaryDirectory() as folder,
    ):
        deployment = deploy(
            node.url,
            development_key(0),
            profile=profile_name,
            params=params,
            genesis=Genesis(ledger.root(), tick_hash(opening), SLOT),
            assets=[AssetPlan(0, "USDC", 1)],
            verifying_keys={name: key.verification_key for name, key in circuit_keys.items()},
            max_tick_age=1 << 20,
        )
        home = Path(folder)
        Journal(home / "journal.sqlite").close()
        with Store(home / "state.sqlite", profile) as store:
            store.save(ledger, 0)
        client = LedgerClient(node.web3, deployment.ledger)
        setup = Setup(
            home, deployment.chain_id, deployment.ledger, deployment.from_block, profile_name, params, SLOT,
            development_key(0), deployment.rpc,
        )  # fmt: skip
        sequencer = Sequencer(setup, client)

        def before_send(row: BatchRow) -> None:
            if row.circuit == "tick":
                node.advance_to(row.slot * SECONDS + 1)

        proofs = 0

        def told(event: str, _: BatchRow, reason: str) -> None:
            nonlocal proofs
            proofs += event == "proved"
            if say and event == "proved" and proofs % 10 == 0:
                say(f"{proofs} proofs of {sequencer.journal.last_batch()}")

        poster = Poster(sequencer, circuit_keys, pool, before_send, told)
        yield BenchVenue(node, client, sequencer, poster, keys, prices)
        sequencer.close()
