# SPDX-License-Identifier: GPL-3.0-or-later
"""How many proofs the poster has under way: as many as keep the pool busy, from the first open batch on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from contracts.ledger import Bench
from sequencer.world import FIRST, PROFILE, ledger_with_deposits, opened, reports, start
from zkmargin.proving.pool import Job, Pool
from zkmargin.proving.profile import profile_keys
from zkmargin.proving.prove import Proved
from zkmargin.sequencer.journal import BatchState
from zkmargin.sequencer.posting import Poster

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with ledger_with_deposits() as made:
        yield made


class Unhurried(Pool):
    """Takes jobs and finishes none; machines may join it."""

    def __init__(self, workers: int) -> None:
        self.backend, self.machines = "native", workers
        self.jobs: list[Job] = []

    @property
    def workers(self) -> int:
        return self.machines

    def submit(self, job: Job) -> Future[Proved]:
        self.jobs.append(job)
        return Future()

    def __exit__(self, *_: object) -> None:
        self.jobs.clear()


def test_every_worker_has_a_job_and_one_in_hand(bench: Bench, tmp_path: Path) -> None:
    sequencer = opened(start(bench.deployment, tmp_path / "home"))
    for slot in range(FIRST + 1, FIRST + 5):
        sequencer.decide_tick(reports(sequencer, slot), slot)
    begun = list[int]()
    pool = Unhurried(1)
    poster = Poster(
        sequencer, profile_keys(PROFILE.name), pool, None, lambda event, row, _: begun.append(row.number)
    )
    planned = sequencer.journal.heads(BatchState.PLANNED)
    assert len(planned) > 8
    for workers, under_way in ((1, 2), (1, 2), (4, 8), (2, 8), (50, len(planned))):
        pool.machines = workers
        poster._begin(planned)
        assert begun == [head.number for head in planned[:under_way]]
        assert len(pool.jobs) == under_way
    sequencer.close()
