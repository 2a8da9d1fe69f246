# SPDX-License-Identifier: GPL-3.0-or-later
"""The sweep, regroup, carry and coverage circuits of profile small, and a ledger to ask them about."""

from __future__ import annotations

import pytest

from circuits.coverage.scenes import carry, swept, traded
from circuits.judge import Judge, judge_of
from circuits.settle.world import BTC, World
from zkmargin.engine.margin import risk


@pytest.fixture(scope="session")
def sweep_judge() -> Judge:
    return judge_of("sweep", "small")


@pytest.fixture(scope="session")
def coverage_judge() -> Judge:
    return judge_of("coverage", "small")


@pytest.fixture(scope="session")
def regroup_judge() -> Judge:
    return judge_of("regroup", "small")


@pytest.fixture(scope="session")
def carry_judge() -> Judge:
    return judge_of("carry", "small")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def crashed(world: World) -> World:
    """Alice is below maintenance; page and block were swept and carried before."""
    alice, _, _ = traded(world)
    swept(world, 0)
    carry(world)
    world.prices({BTC: 56_000_000})
    world.prices({BTC: 52_500_000})
    assert risk(world.ledger.account(alice), world.tick).health < 0
    return world
