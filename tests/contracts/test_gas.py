# SPDX-License-Identifier: GPL-3.0-or-later
"""Gas of every kind of operation, as transactions of a node cost it, against tests/contracts/gas.json.

Everything measured is the same each time: addresses, words, proofs (keys of known secrets) and the order of
transactions. So the comparison is exact, and a difference is a change of the contracts or of what is posted.
To accept one, write the new figures with

    PYTHONPATH=prover:tests python -m contracts.test_gas > tests/contracts/gas.json

and say in the commit why they changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.ledger import (
    ALICE,
    BOB,
    ETHER,
    GENESIS,
    OPERATOR,
    QUOTE,
    SLOT_SECONDS,
    Bench,
    address_of,
    ledger_bench,
    performed,
    withdrawal,
)
from zkmargin.chain.client import Batch
from zkmargin.chain.transactions import Receipt
from zkmargin.protocol.constants import Op, load
from zkmargin.protocol.model import Touch

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]
PATH = Path(__file__).with_name("gas.json")
DEPLOY_LEDGER, DEPLOY_VERIFIER = "deploy ledger", "deploy verifier"


def _settle(bench: Bench, touches: list[Touch], recipients: list[int] | None = None) -> int:
    # Roots of full width, as hashes are: zero bytes are cheaper.
    root = (1 << 253) - 1 - bench.client.state().batch
    receipt: Receipt = bench.client.post(OPERATOR, bench.settle(touches, recipients or [], new_root=root))
    return receipt.gas_used


def _trade(leaf: int, side: int) -> Touch:
    op = Op.TRADE_MATCH if side else Op.TRADE
    return Touch(op, leaf, leaf, instrument=1, side=side, size=123_456, price=0x1234_5678_9ABC_DEF0)


def tick_batches(bench: Bench, slot: int) -> list[Batch]:
    """A tick, a settle, two sweeps, a carry and a coverage, each on the last; posted and undone."""
    batches, node, root = list[Batch](), bench.node, (1 << 253) - 1000
    made: list[Callable[[], Batch]] = [
        lambda: bench.tick(slot, new_tick=(1 << 253) - slot),
        lambda: bench.settle([_trade(3, 0), _trade(4, 1)], new_root=root),
        lambda: bench.sweep(root - 1),
        lambda: bench.sweep(root - 2),
        lambda: bench.carry(root - 3),
        bench.cover,
    ]
    snapshot = node.snapshot()
    for make in made:
        batches.append(make())
        bench.client.post(OPERATOR, batches[-1])
    node.revert(snapshot)
    return batches


def _tick_at_once(bench: Bench, slot: int) -> int:
    bench.node.advance_to(slot * SLOT_SECONDS)
    return int(bench.client.post(OPERATOR, *tick_batches(bench, slot)).gas_used)


def measure(profile: str) -> dict[str, int]:
    """Gas used by transactions of each kind, in one run of a ledger of `profile`."""
    gas = {}
    with ledger_bench(profile) as bench:
        client, deployed = bench.client, bench.node.web3.eth.get_block(bench.deployment.from_block)
        gas[DEPLOY_LEDGER] = deployed["gasUsed"]
        gas[DEPLOY_VERIFIER] = bench.node.web3.eth.get_block(1)["gasUsed"]
        gas["deposit, first of the queue"] = client.deposit(ALICE, 1, QUOTE, 10**9, owner=1 << 252)[
            1
        ].gas_used
        entry, receipt = client.deposit(ALICE, 1, QUOTE, 10**9, owner=1 << 252)
        gas["deposit"] = receipt.gas_used
        gas["settle, no-ops only"] = _settle(bench, [])
        first = client.queued(bench.deployment.from_block)[0]
        gas["settle, 1 deposit performed"] = _settle(bench, [performed(first)])
        gas["settle, 1 deposit refused"] = _settle(bench, [performed(entry, flag=0)])
        gas["settle, 1 trade"] = _settle(bench, [_trade(3, 0), _trade(4, 1)])
        full = [_trade(leaf, leaf % 2) for leaf in range(bench.profile.touches)]
        gas["settle, all touches trades"] = _settle(bench, full)
        pay, bob = [withdrawal(QUOTE, 1_000_000)], [address_of(BOB)]
        gas["settle, 1 withdrawal, new claim"] = _settle(bench, pay, bob)
        gas["settle, 1 withdrawal, claim there"] = _settle(bench, pay, bob)
        gas["coverage, first time"] = client.post(OPERATOR, bench.cover()).gas_used
        gas["withdraw"] = client.withdraw(BOB, QUOTE).gas_used
        client.deposit(BOB, 2, ETHER, 5, target=3)
        entry, receipt = client.deposit(BOB, 2, ETHER, 5, target=3)
        gas["deposit of collateral"] = receipt.gas_used
        refused = client.queued(bench.deployment.from_block)[-2:]
        gas["settle, 2 deposits refused, claims there"] = _settle(
            bench, [performed(e, flag=0) for e in refused]
        )
        slot = GENESIS.slot + 10  # the node's clock runs on meanwhile
        bench.node.advance_to(slot * SLOT_SECONDS)
        gas["tick"] = client.post(OPERATOR, bench.tick(slot, new_tick=(1 << 253) - slot)).gas_used
        gas["sweep"] = client.post(OPERATOR, bench.sweep((1 << 253) - 5)).gas_used
        gas["regroup"] = client.post(OPERATOR, bench.regroup((1 << 253) - 6)).gas_used
        gas["carry"] = client.post(OPERATOR, bench.carry((1 << 253) - 7)).gas_used
        gas["coverage"] = client.post(OPERATOR, bench.cover()).gas_used
        gas["withdraw collateral"] = client.withdraw(BOB, ETHER).gas_used
        gas["a tick at once: tick, settle, 2 sweeps, carry, coverage"] = _tick_at_once(bench, slot + 10)
    return gas


def measure_all() -> dict[str, dict[str, int]]:
    return {profile: measure(profile) for profile in load().profiles}


@pytest.mark.parametrize("profile", list(load().profiles))
def test_gas_is_as_recorded(profile: str) -> None:
    stored, measured = json.loads(PATH.read_text())[profile], measure(profile)
    for name in (DEPLOY_LEDGER, DEPLOY_VERIFIER):
        # The code ends in a hash of its sources, comments included, so its cost is not exact.
        assert measured.pop(name) == pytest.approx(stored.pop(name), rel=0.01)
    assert measured == stored, "write the new figures and say why: see the top of this file"


if __name__ == "__main__":
    json.dump(measure_all(), sys.stdout, indent=1)
    print()
