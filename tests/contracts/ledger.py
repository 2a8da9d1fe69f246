# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger on a local node with keys of known secrets, and batches for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from contracts import trapdoor
from zkmargin.chain.anvil import LOCAL_CHAIN_ID, Anvil, anvil, development_key
from zkmargin.chain.client import Batch, LedgerClient
from zkmargin.chain.deploy import AssetPlan, Genesis, deploy
from zkmargin.chain.deployment import Deployment
from zkmargin.chain.token import approve_call, mint_call
from zkmargin.chain.transactions import account_of, send
from zkmargin.protocol.constants import COLLATERAL, PAGE_SIZE, PERPETUAL, Op, Profile, load
from zkmargin.protocol.eddsa import KeyPair, keypair
from zkmargin.protocol.model import InstrumentParams, InstrumentTick, Params, QueueEntry, Tick, Touch
from zkmargin.protocol.words import (
    carry_words,
    challenge,
    commitment,
    coverage_words,
    domain_word,
    evaluate,
    regroup_words,
    settle_words,
    sweep_words,
    tick_words,
)

OPERATOR, ALICE, BOB = (development_key(index) for index in range(3))
GENESIS = Genesis(root=1 << 200, tick=1 << 201, slot=100)
SLOT_SECONDS = 60
MAX_TICK_AGE = 300
QUOTE, ETHER = 0, 9
ETHER_UNIT = 10**12
RICH = 10**24


def oracles(profile: Profile) -> list[KeyPair]:
    """The oracles' signing keys."""
    return [keypair(bytes([index])) for index in range(profile.oracles)]


def params(profile: Profile) -> Params:
    """Some parameters: one perpetual, one collateral."""
    table = [InstrumentParams.unlisted()] * profile.instruments
    table[1] = InstrumentParams("BTC", PERPETUAL, jump=1 << 28, mmr=(1 << 27,) * 4, imr=(1 << 28,) * 4)
    table[ETHER] = InstrumentParams("WETH", COLLATERAL, jump=1 << 28, haircut=1 << 28)
    keys = tuple((pair.ax, pair.ay) for pair in oracles(profile))
    return Params(5 << 30, 1 << 24, 1 << 31, SLOT_SECONDS, keys, tuple(table))


@dataclass
class Bench:
    """A deployed ledger with what tests want of it."""

    node: Anvil
    profile: Profile
    deployment: Deployment
    client: LedgerClient
    params_hash: int
    roots: Iterator[int] = field(default_factory=lambda: iter(range(10**6, 10**9)))

    @property
    def _place(self) -> tuple[int, str]:
        return self.node.chain_id, self.deployment.ledger

    def settle(
        self, touches: Sequence[Touch], recipients: Sequence[int] = (), new_root: int | None = None
    ) -> Batch:
        """A settle of these touches, padded with no-ops."""
        state = self.client.state()
        padding = [Touch(Op.NOOP, 0, 0)] * (self.profile.touches - len(touches))
        paid = [*recipients, *[0] * (self.profile.touches - len(recipients))]
        root = next(self.roots) if new_root is None else new_root
        domain = domain_word(*self._place)
        words = settle_words(domain, state.root, state.tick, root, [*touches, *padding], paid, self.profile)
        entries = [touch.entry for touch in touches if touch.entry is not None]
        return self.prove("settle", words, entries)

    def tick(self, slot: int, new_tick: int = 77) -> Batch:
        """A tick."""
        state = self.client.state()
        rows = tuple(
            InstrumentTick(mark=k << 40, raw=k << 40, funding=-k) for k in range(self.profile.instruments)
        )
        tick = Tick(slot, slot * SLOT_SECONDS, 1, 1, 1, rows)
        domain = domain_word(*self._place)
        words = tick_words(
            domain, state.tick, self.params_hash, new_tick, tick, state.slot, 0b1111, self.profile
        )
        return self.prove("tick", words)

    def sweep(self, new_root: int) -> Batch:
        """A sweep of pages 0, 1 ..."""
        state, domain = self.client.state(), domain_word(*self._place)
        pages = range(self.profile.sweep_pages)
        words = sweep_words(domain, state.root, state.tick, new_root, 123_456, pages, self.profile)
        return self.prove("sweep", words)

    def regroup(self, new_root: int) -> Batch:
        """A regroup of the first pages that leaves every account where it is."""
        state, domain = self.client.state(), domain_word(*self._place)
        pages = range(self.profile.regroup_pages)
        origins = range(len(pages) * PAGE_SIZE)
        words = regroup_words(domain, state.root, state.tick, new_root, None, pages, origins, self.profile)
        return self.prove("regroup", words)

    def carry(self, new_root: int) -> Batch:
        """A carry of the first blocks, anchored now."""
        state, domain = self.client.state(), domain_word(*self._place)
        blocks = [(block, 123_456, True) for block in range(self.profile.carry_blocks)]
        words = carry_words(domain, state.root, state.tick, new_root, blocks, self.profile)
        return self.prove("carry", words)

    def cover(self, solvent: bool = True) -> Batch:
        """A coverage; `solvent`: without a deficit."""
        state = self.client.state()
        words = coverage_words(domain_word(*self._place), state.root, state.tick, solvent, self.profile)
        return self.prove("coverage", words)

    def prove(self, circuit: str, words: Sequence[int], entries: Sequence[QueueEntry] = ()) -> Batch:
        """The batch of these words, with a proof."""
        bound = commitment(words)
        point = challenge(*self._place, bound, words)
        proof = trapdoor.prove(circuit, (bound, point, evaluate(words, point)))
        return Batch(circuit, words, bound, proof, entries)

    def deposit(self, key: str, asset: int, amount: int) -> QueueEntry:
        """A deposit that asks for a new account."""
        return self.client.deposit(key, 1, asset, amount, owner=12345)[0]


@contextmanager
def ledger_bench(
    profile_name: str = "small",
    *,
    chain_id: int = LOCAL_CHAIN_ID,
    genesis: Genesis = GENESIS,
    verifying_keys: Mapping[str, Mapping[str, Any]] = trapdoor.KEYS,
    terms: Params | None = None,
) -> Iterator[Bench]:
    """A node, contracts, and two funded accounts that approved the ledger."""
    profile = load().profile(profile_name)
    with anvil(timestamp=genesis.slot * SLOT_SECONDS + 30, chain_id=chain_id) as node:
        deployment = deploy(
            node.url,
            OPERATOR,
            profile=profile_name,
            params=terms or params(profile),
            genesis=genesis,
            assets=[AssetPlan(QUOTE, "USDC", 1), AssetPlan(ETHER, "WETH", ETHER_UNIT, decimals=18)],
            verifying_keys=verifying_keys,
            max_tick_age=MAX_TICK_AGE,
        )
        client = LedgerClient.at(node.url, deployment.ledger)
        for key in (ALICE, BOB):
            for asset in deployment.assets:
                send(
                    client.web3, mint_call(client.web3, asset.token, account_of(key).address, RICH), OPERATOR
                )
                send(client.web3, approve_call(client.web3, asset.token, deployment.ledger), key)
        yield Bench(node, profile, deployment, client, int(client.parameter("paramsHash")))


def performed(entry: QueueEntry, leaf: int = 5, flag: int = 1) -> Touch:
    """The touch that serves a deposit, or refuses it with flag 0."""
    return Touch(Op.DEPOSIT, leaf, leaf, instrument=entry.asset, size=entry.amount, flag=flag, entry=entry)


def withdrawal(asset: int, amount: int, leaf: int = 5) -> Touch:
    """The touch of a withdrawal."""
    return Touch(Op.WITHDRAW, leaf, leaf, instrument=asset, side=1, size=amount)


def address_of(key: str) -> int:
    """The account of a private key as a number."""
    return int(account_of(key).address, 16)
