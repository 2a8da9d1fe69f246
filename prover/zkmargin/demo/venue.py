# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's chain side: a node, the deployed ledger, and what people do on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from eth_account import Account as EthAccount
from web3 import Web3

from zkmargin.chain import token as tokens
from zkmargin.chain.anvil import Anvil, development_key
from zkmargin.chain.client import LedgerClient
from zkmargin.chain.deploy import AssetPlan, Genesis, deploy
from zkmargin.chain.deployment import Deployment
from zkmargin.chain.transactions import Call, broadcast, sign, wait
from zkmargin.demo.episode import Episode
from zkmargin.demo.population import Person
from zkmargin.engine.ticks import genesis_tick
from zkmargin.protocol.constants import QUOTE_DECIMALS, EntryKind, load
from zkmargin.protocol.eddsa import KeyPair, keypair
from zkmargin.protocol.hashes import owner_hash, tick_hash
from zkmargin.protocol.model import Params
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.zkey import vkey_from_zkey
from zkmargin.state.ledger import Ledger

MAX_TICK_AGE = 2 * 3600
_GAS = 400_000


@dataclass
class Holder:
    """A person on the chain: key and address on L1, signing key, and the account id once it is open."""

    person: Person
    key: KeyPair
    l1_key: str
    address: str
    account_id: int = 0
    nonce: int = 0
    approved: set[int] = field(default_factory=set)


def holder_of(person: Person) -> Holder:
    """The person with keys of its own, drawn from its seed."""
    l1_key = "0x" + bytes(Web3.keccak(b"zkmargin.demo." + person.seed)).hex()
    return Holder(person, keypair(person.seed), l1_key, EthAccount.from_key(l1_key).address)


def deploy_venue(node: Anvil, episode: Episode, params: Params, keys: dict[str, CircuitKeys]) -> Deployment:
    """Deploy tokens, verifiers and the ledger of the episode's listings."""
    genesis = genesis_tick(params, episode.genesis_slot)
    root = Ledger.genesis(load().profile(episode.profile)).root()
    plans = [AssetPlan(0, "USDC", 1, decimals=QUOTE_DECIMALS)]
    plans += [
        AssetPlan(row.id, row.symbol, row.token_unit, decimals=row.token_decimals)
        for row in episode.listings
        if row.token_decimals is not None
    ]
    return deploy(
        node.url,
        development_key(0),
        profile=episode.profile,
        params=params,
        genesis=Genesis(root, tick_hash(genesis), genesis.slot),
        assets=plans,
        verifying_keys={name: vkey_from_zkey(key.zkey) for name, key in keys.items()},
        max_tick_age=MAX_TICK_AGE,
    )


class Venue:
    """Sends people's transactions without waiting for each; `settled` waits for the last."""

    def __init__(self, node: Anvil, deployment: Deployment, episode: Episode) -> None:
        self.node, self.deployment, self.episode = node, deployment, episode
        self.client = LedgerClient(node.web3, deployment.ledger)
        self.assets = {asset.id: asset for asset in deployment.assets}
        self._minter = development_key(1)
        self._minter_nonce = 0
        self._last = ""
        self.requests = 0

    def _send(self, call: Call, key: str, nonce: int) -> None:
        self._last = broadcast(self.node.web3, sign(self.node.web3, call, key, nonce=nonce, gas=_GAS).raw)

    def settled(self) -> None:
        """Wait for the last transaction that was sent."""
        if self._last:
            wait(self.node.web3, self._last)

    def amount(self, asset: int, coins: Fraction) -> int:
        """Posted units in an amount of quote or coins."""
        if asset == 0:
            return int(coins * 10**QUOTE_DECIMALS)
        return next(row for row in self.episode.listings if row.id == asset).steps(coins)

    def deposit(self, holder: Holder, asset: int, amount: int, kind: EntryKind, target: int = 0) -> None:
        """Mint what is needed and request a deposit of `amount` posted units."""
        held = self.assets[asset]
        if holder.nonce == 0:
            self.node.fund(holder.address, 10**18)
        mint = tokens.mint_call(self.node.web3, held.token, holder.address, amount * held.unit)
        self._send(mint, self._minter, self._minter_nonce)
        self._minter_nonce += 1
        if asset not in holder.approved:
            self._send(
                tokens.approve_call(self.node.web3, held.token, self.deployment.ledger),
                holder.l1_key,
                holder.nonce,
            )
            holder.nonce += 1
            holder.approved.add(asset)
        owner = owner_hash(holder.key.ax, holder.key.ay) if kind == EntryKind.OPEN else 0
        self._send(self.client.deposit_call(kind, asset, amount, target, owner), holder.l1_key, holder.nonce)
        holder.nonce += 1
        self.requests += 1

    def claim(self, holder: Holder, asset: int) -> None:
        """Have a credited withdrawal paid."""
        self._send(self.client.withdraw_call(asset), holder.l1_key, holder.nonce)
        holder.nonce += 1

    def reach_time(self, seconds: int) -> None:
        """Let the chain's clock reach a time, if it hasn't."""
        if self.node.web3.eth.get_block("latest")["timestamp"] < seconds:
            self.node.next_block_at(seconds)
            self.node.mine()
