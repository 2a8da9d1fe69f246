# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights chosen after the challenge: two can be solved for so that both lines of the table check hold at the
beta of the honest weights; but beta is a hash of the weights, so theirs is another."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from circuits.settle.world import BTC, ETH, LONG, World
from circuits.table import Lines, solved
from zkmargin.circuits.settle_inputs import challenge_weights
from zkmargin.circuits.settle_inputs import claims as claims_of
from zkmargin.engine.margin import risk
from zkmargin.protocol.constants import FINE, P, tag
from zkmargin.protocol.hashes import leaf_hash, sponge, tick_hash
from zkmargin.protocol.model import Account, class_id
from zkmargin.protocol.poseidon import poseidon

MILLION = 10**6


def lines_of(world: World, accounts: list[Account], claims: list[list[int]]) -> Lines:
    """Settle's lines over these rows; the tick is its own anchor here."""
    digest = tick_hash(world.tick)
    items = [world.ledger.root(), digest, digest]
    for account, row in zip(accounts, claims, strict=True):
        items += [leaf_hash(account), *row]
    challenge = sponge("lambda", items)
    mu = poseidon([challenge, tag("mu")])

    def combined(values: Sequence[int]) -> int:
        return sum(value * pow(mu, power, P) for power, value in enumerate(values)) % P

    def unit(number: int) -> int:
        tier, side = number // 2 % 4, number % 2
        row, sign = world.tick.instruments[number // 8], -1 if side else 1
        worst = row.worst_short if side else row.worst_long
        health = sign * row.equity - row.maintenance[tier]
        return combined(
            (sign * row.equity, row.maintenance[tier], worst, row.initial[tier], health, row.move)
        )

    return Lines(challenge, accounts, [combined(row) for row in claims], unit)


@pytest.mark.parametrize("claim", range(6))
def test_weights_solved_under_the_old_challenge(world, judge, claim):
    """A claim that suits a thief, weights to match it: refused, and only where fractions meet poles."""
    alice, bob = world.open(b"alice", 3000 * MILLION), world.open(b"bob", 3000 * MILLION)
    world.run(*world.trade(alice, bob, BTC, 400, world.mark(BTC)))
    free = risk(world.ledger.account(alice), world.tick).free_initial // FINE
    batch = world.batch([world.withdraw(alice, free)], touches=3)
    inputs, accounts = dict(batch.inputs), [world.ledger.account(alice), *[world.ledger.account_at(0)] * 2]
    claims = [[value % P for value in claims_of(account, world.tick, world.tick)] for account in accounts]
    assert claims == inputs["claim"]
    claims[0][claim] = (claims[0][claim] + (-1 if claim in (1, 3, 5) else 1)) % P
    lines = lines_of(world, accounts, claims)
    digest = tick_hash(world.tick)
    pairs = list(zip(accounts, claims, strict=True))
    weights = challenge_weights(world.ledger.root(), digest, digest, pairs, world.profile.classes)
    assert lines.second(weights, lines.beta(weights)) == 0 != lines.first(weights)
    judge.refuses({**inputs, "claim": claims, "weights": weights}, "horner[T] === sum[0]")
    moved = solved(lines, weights, class_id(BTC, 0, LONG), class_id(ETH, 0, LONG))
    judge.refuses({**inputs, "claim": claims, "weights": moved}, "fractions[T] === total")
    assert all("fractions[T] === total" in str(failure) for failure in judge.lenient.failures)
