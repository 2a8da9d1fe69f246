# SPDX-License-Identifier: GPL-3.0-or-later
"""The sweep, regroup and coverage circuits of profile small, and a ledger to ask them about."""

from __future__ import annotations

import pytest

from circuits.judge import Judge, judge_of
from circuits.settle.world import World


@pytest.fixture(scope="session")
def sweep_judge() -> Judge:
    return judge_of("sweep", "small")


@pytest.fixture(scope="session")
def coverage_judge() -> Judge:
    return judge_of("coverage", "small")


@pytest.fixture(scope="session")
def regroup_judge() -> Judge:
    return judge_of("regroup", "small")


@pytest.fixture
def world() -> World:
    return World()
