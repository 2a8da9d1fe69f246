# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps that hide an unhealthy account or promise a radius it has not: each is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from circuits.coverage.scenes import changed, forged_sweep, traded
from circuits.judge import Judge
from circuits.settle.world import BTC, ETH, GOLD, LONG, World
from circuits.table import Lines, solved
from zkmargin.circuits.coverage_inputs import safety_claim, sweep_weights
from zkmargin.engine.coverage import page_radius
from zkmargin.engine.margin import risk
from zkmargin.protocol.constants import RADIUS_ONE, P
from zkmargin.protocol.hashes import sponge, tick_hash
from zkmargin.protocol.model import Account, Holding, class_id

ALICE = 16
BROKE = "template Num2Bits"  # of the claim's range


def place_of(world: World, account: int) -> int:
    return world.ledger.index_of(account) % 64


# ---------------------------------------------------------------- sweep


@pytest.mark.parametrize("radius", [0, 1, 1 << 16])
def test_an_unhealthy_account(crashed: World, sweep_judge: Judge, radius: int) -> None:
    sweep_judge.refuses(forged_sweep(crashed, 0, radius), BROKE)


@pytest.mark.parametrize("radius", [-1, -(1 << 33), 1 << 24, P // 2])
def test_a_radius_out_of_range(world: World, sweep_judge: Judge, radius: int) -> None:
    """A negative radius would turn debts into safety; here all else, the words too, fits the small one."""
    traded(world)
    inputs = forged_sweep(world, 0, 5)
    sweep_judge.refuses({**inputs, "radius": radius % P}, BROKE)


def _reclaimed(
    world: World, inputs: dict[str, Any], page: Any, claims: list[int], radius: int
) -> dict[str, Any]:
    """Inputs with other claims, and the weights that follow from them."""
    weights = sweep_weights(tick_hash(world.tick), radius, [page], [claims], world.profile.classes)
    return {**inputs, "claim": [[claim % P for claim in claims]], "weights": weights}


def test_a_claim_that_is_not_the_accounts(crashed: World, sweep_judge: Judge) -> None:
    """Zero instead of a loss: the first line of the table check fails."""
    page = crashed.ledger.page(0)
    claims = [max(0, safety_claim(account, crashed.tick, 7)) for account in page.accounts]
    inputs = _reclaimed(crashed, forged_sweep(crashed, 0, 7), page, claims, 7)
    sweep_judge.refuses(inputs, "horner[pages*A] === sum - scaled")


def test_claims_shifted_to_fit_after_the_challenge(crashed: World, sweep_judge: Judge) -> None:
    """Two claims solved for under the old challenge: the challenge moves with them."""
    page, radius = crashed.ledger.page(0), 7
    claims = [safety_claim(account, crashed.tick, radius) for account in page.accounts]
    items = [tick_hash(crashed.tick), radius, page.page_root, *(claim % P for claim in claims)]
    challenge = sponge("lambda", items)
    at, other, n = place_of(crashed, ALICE), place_of(crashed, ALICE + 1), len(claims)
    raised = 1 - claims[at]
    power = pow(challenge, n - 1 - at, P) * pow(challenge, -(n - 1 - other), P)
    claims[at] += raised
    claims[other] = (claims[other] - raised * power) % P
    inputs = {**forged_sweep(crashed, 0, radius), "claim": [[claim % P for claim in claims]]}
    sweep_judge.refuses(inputs)


def _lines(world: World, inputs: dict[str, Any], page: Any) -> Lines:
    """The two lines of the sweep's table check."""
    claims, radius = inputs["claim"][0], inputs["radius"]

    def unit(number: int) -> int:
        row, sign = world.tick.instruments[number // 8], -1 if number % 2 else 1
        return RADIUS_ONE * (sign * row.equity - row.maintenance[number // 2 % 4]) - radius * row.move

    challenge = sponge("lambda", [tick_hash(world.tick), radius, page.page_root, *claims])
    pairs = zip(claims, page.accounts, strict=True)
    net = [claim - RADIUS_ONE * account.balance for claim, account in pairs]
    return Lines(challenge, page.accounts, net, unit)


def test_weights_solved_under_the_old_challenge(crashed: World, sweep_judge: Judge) -> None:
    """Zero instead of a loss, and two weights that fit both lines at the old beta: theirs is another."""
    page, radius = crashed.ledger.page(0), 7
    claims = [max(0, safety_claim(account, crashed.tick, radius)) for account in page.accounts]
    inputs = _reclaimed(crashed, forged_sweep(crashed, 0, radius), page, claims, radius)
    lines, weights = _lines(crashed, inputs, page), inputs["weights"]
    assert lines.second(weights, lines.beta(weights)) == 0 != lines.first(weights)
    moved = solved(lines, weights, class_id(BTC, 0, LONG), class_id(ETH, 0, LONG))
    sweep_judge.refuses({**inputs, "weights": moved}, "fractions[pages*A] === total")
    assert all("fractions[pages*A]" in str(failure) for failure in sweep_judge.lenient.failures)


def _stands(world: World, account: Account) -> None:
    """The account in its leaf, whether an operation could have made it or not."""
    with mock.patch("zkmargin.state.ledger.check_account"):
        world.ledger.write(world.ledger.index_of(account.id), account)


def test_two_slots_of_one_instrument(world: World, sweep_judge: Judge) -> None:
    """No operation writes such a leaf; if there were one, both slots would count."""
    alice, _, _ = traded(world)
    account = world.ledger.account(alice)
    twice = account.with_slot(4, account.slots[0])
    missing = -risk(twice.with_(balance=0), world.tick).health
    _stands(world, twice.with_(balance=missing))
    sweep_judge.accepts(forged_sweep(world, 0, 0))
    _stands(world, twice.with_(balance=missing - 1))
    sweep_judge.refuses(forged_sweep(world, 0, 0), BROKE)


@pytest.mark.parametrize("balance", [1 << 121, P // 2, -(1 << 120) - 1, -(1 << 137)])
def test_a_wrapped_balance(world: World, sweep_judge: Judge, balance: int) -> None:
    """A flat account whose balance is out of range, above or below."""
    traded(world, others=1)
    _stands(world, world.ledger.account(ALICE + 3).with_(balance=balance))
    sweep_judge.refuses(forged_sweep(world, 0, 0), BROKE)


def test_a_wrapped_balance_that_a_sweep_does_not_tell(world: World, sweep_judge: Judge) -> None:
    """5 / 2^16 in the field is no number of units, and 2^16 times that is a fine claim. That no balance is
    such a one is by settle's range of each it writes (settle/test_attacks_leaves.py)."""
    traded(world, others=1)
    balance = 5 * pow(1 << 16, -1, P) % P
    assert min(balance, P - balance) >> 120
    _stands(world, world.ledger.account(ALICE + 3).with_(balance=balance))
    sweep_judge.accepts(forged_sweep(world, 0, 0))


def test_an_account_swapped_for_a_copy_of_another(crashed: World, sweep_judge: Judge) -> None:
    """Every leaf is of the page root that the ledger root holds."""
    page = crashed.ledger.page(0)
    accounts = list(page.accounts)
    accounts[place_of(crashed, ALICE)] = accounts[place_of(crashed, ALICE + 1)]
    honest = forged_sweep(crashed, 0, 3)
    inputs = dict(honest)
    for name, of in (("owner", "owner"), ("meta", "meta"), ("balance", "balance")):
        inputs[name] = [[getattr(account, of) % P for account in accounts]]
    for name in ("classBits", "x"):
        row = list(honest[name][0])
        row[place_of(crashed, ALICE)] = row[place_of(crashed, ALICE + 1)]
        inputs[name] = [row]
    copied = replace(page, accounts=accounts)
    claims = [safety_claim(account, crashed.tick, 3) for account in accounts]
    sweep_judge.refuses(_reclaimed(crashed, inputs, copied, claims, 3), "found === child")


def test_a_wrong_class_id(crashed: World, sweep_judge: Judge) -> None:
    """Alice's long read as a short: the bits are those of `slots`, which the leaf binds."""
    inputs = forged_sweep(crashed, 0, 3)
    at = place_of(crashed, ALICE)
    slot = next(j for j, held in enumerate(crashed.ledger.account(ALICE).slots) if held)
    inputs = changed(inputs, "classBits", 1 - LONG, 0, at, slot, 0)
    sweep_judge.refuses(inputs, "found === child")


def test_a_class_id_that_is_no_number_of_bits(crashed: World, sweep_judge: Judge) -> None:
    inputs = forged_sweep(crashed, 0, 3)
    at = place_of(crashed, ALICE)
    one = inputs["classBits"][0][at][0][0]
    inputs = changed(inputs, "classBits", (one + 2) % P, 0, at, 0, 0)
    sweep_judge.refuses(inputs, "classBits[a][j][b] * (classBits[a][j][b] - 1)")


@pytest.mark.parametrize("name", ["balance", "x", "owner", "meta"])
def test_other_fields_of_a_leaf(crashed: World, sweep_judge: Judge, name: str) -> None:
    inputs, at = forged_sweep(crashed, 0, 3), place_of(crashed, ALICE)
    path = (0, at, 0) if name == "x" else (0, at)
    sweep_judge.refuses(changed(inputs, name, 1 << 100, *path), "found === child")


@pytest.mark.parametrize("name", ["equity", "maintenance", "moves", "clock", "risk", "initial", "trading"])
def test_another_table(crashed: World, sweep_judge: Judge, name: str) -> None:
    inputs = forged_sweep(crashed, 0, 3)
    path = {"equity": (BTC,), "moves": (BTC,), "maintenance": (BTC, 0)}.get(name, ())
    sweep_judge.refuses(changed(inputs, name, 5, *path), "tickHalves")


def test_a_table_of_an_older_tick(world: World, sweep_judge: Judge) -> None:
    """All of the older tick's table; the contract's tick is the new one."""
    traded(world)
    old, before = world.tick, forged_sweep(world, 0, 3)
    world.prices({BTC: 56_000_000})
    now = forged_sweep(world, 0, 3)
    names = ("clock", "risk", "initial", "trading", "equity", "maintenance", "moves", "claim", "weights")
    assert old != world.tick
    sweep_judge.refuses({**now, **{name: before[name] for name in names}}, "tickHalves")


SCALARS = ("reserve", "nextId", "consumed", "pagesRoot")
OTHERS = ("weights", *SCALARS, "anchor", "lastRadius", "blockAnchor", "blockRadius")


@pytest.mark.parametrize("name", OTHERS)
def test_other_witnesses(world: World, sweep_judge: Judge, name: str) -> None:
    traded(world)
    inputs = forged_sweep(world, 0, 3)
    path = {"weights": (8 * BTC,)}.get(name, () if name in SCALARS else (0,))
    sweep_judge.refuses(changed(inputs, name, 987, *path))


def test_weights_of_the_quote_asset(world: World, sweep_judge: Judge) -> None:
    traded(world)
    sweep_judge.refuses(changed(forged_sweep(world, 0, 3), "weights", 1, 0), "weights[t] === 0")


def test_a_short_of_what_has_no_charge(world: World, sweep_judge: Judge) -> None:
    """Displacements leave such classes out, so a sweep takes no page that holds one."""
    alice, _, _ = traded(world)
    index, account = world.ledger.index_of(alice), world.ledger.account(alice)
    with mock.patch("zkmargin.state.ledger.check_account"):
        world.ledger.write(index, account.with_slot(5, Holding(GOLD, 0, 1, 3)))
    sweep_judge.refuses(forged_sweep(world, 0, 0), "unmargined[k] * weights")


def test_another_page_than_posted(world: World, sweep_judge: Judge) -> None:
    traded(world, others=70)
    first, second = forged_sweep(world, 0, 3), forged_sweep(world, 1, 3)
    bound = {name: second[name] for name in ("C", "r", "y")}
    sweep_judge.refuses({**first, **bound}, "sponge.out === C|sum[0]")


def test_the_least_radius_is_of_the_worst_account(world: World) -> None:
    traded(world)
    radius = page_radius(world.ledger.page(0).accounts, world.tick)
    claims = [safety_claim(account, world.tick, radius) for account in world.ledger.page(0).accounts]
    assert min(claims) >= 0
    assert min(safety_claim(a, world.tick, radius + 1) for a in world.ledger.page(0).accounts) < 0
