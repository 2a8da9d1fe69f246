# SPDX-License-Identifier: GPL-3.0-or-later
"""One node and ledger for a module; each test starts from the state after deployment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contracts.ledger import Bench, ledger_bench


@pytest.fixture(scope="module")
def shared_bench() -> Iterator[Bench]:
    with ledger_bench() as made:
        yield made


@pytest.fixture
def bench(shared_bench: Bench) -> Iterator[Bench]:
    before = shared_bench.node.snapshot()
    yield shared_bench
    shared_bench.node.revert(before)
