# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop from reports to accepted coverage, and what it says of a tick that it can't cover."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.ledger import SLOT_SECONDS, Bench
from sequencer.world import (
    ANNE,
    BERT,
    BTC,
    FIRST,
    KEYS,
    PRICE,
    PROFILE,
    ledger_with_deposits,
    reports,
    slot_comes,
    start,
    withdraws,
)
from zkmargin.engine.due import Settling
from zkmargin.errors import Refused
from zkmargin.protocol.constants import Op
from zkmargin.protocol.model import Tick, Touch
from zkmargin.proving.pool import ProvingPool
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.journal import BatchRow, BatchState
from zkmargin.sequencer.loop import Bids, TickRun, run_tick
from zkmargin.sequencer.posting import Poster
from zkmargin.sequencer.requests import request_json, sign_touch, trade_legs

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]
LEVERED = 130  # steps: 15 times what each has
FALLEN = PRICE * 94 // 100  # the furthest that a mark may fall, nearly
UNCOVERED = "page 0 holds an account below maintenance margin"


@pytest.fixture
def bench() -> Iterator[Bench]:
    keys = {name: key.verification_key for name, key in profile_keys(PROFILE.name).items()}
    with ledger_with_deposits(keys) as made:
        yield made


class Run:
    """A sequencer whose loop runs on a real node with real proofs, and what it tells."""

    def __init__(self, bench: Bench, home: Path, pool: ProvingPool) -> None:
        self.sequencer = start(bench.deployment, home)
        self.late: list[tuple[str, int, str]] = []
        self.order: list[str] = []
        comes = slot_comes(self.sequencer.client)
        self.poster = Poster(self.sequencer, profile_keys(PROFILE.name), pool, comes, self._told)

    def _told(self, event: str, row: BatchRow, reason: str) -> None:
        if event in ("late", "covered_late"):
            self.late.append((event, row.slot, reason))

    def tick(self, slot: int, price: int = PRICE, **hooks: Any) -> TickRun:
        return run_tick(
            self.sequencer, self.poster, reports(self.sequencer, slot, price=price), slot, **hooks
        )

    def bids(self, tick: Tick) -> Bids:
        self.order.append(f"bids at {tick.slot}")
        return [], []

    def people(self, run: TickRun) -> None:
        """Anne buys and Bert sells as much as they may; Anne signs a withdrawal for the same nonce."""
        self.order.append(f"people after {len(run.queue.effects)} deposits")
        legs = trade_legs(ANNE, BERT, BTC, LEVERED, PRICE)
        signed = [self._signed(leg, person) for leg, person in zip(legs, (ANNE, BERT), strict=True)]
        self.sequencer.submit(request_json("trade", signed))
        self.sequencer.submit(withdraws(self.sequencer, ANNE, 1000))

    def _signed(self, leg: Touch, person: int) -> Touch:
        account = self.sequencer.ledger.account(person)
        return sign_touch(leg, account, KEYS[person], FIRST + 9, self.sequencer.domain)

    def decided(self, run: TickRun) -> None:
        self.order.append(f"{len(self.sequencer.journal.heads(BatchState.PLANNED))} batches planned")


@pytest.fixture
def run(bench: Bench, tmp_path: Path) -> Iterator[Run]:
    with ProvingPool("native", 1) as pool:
        made = Run(bench, tmp_path / "home", pool)
        yield made
    made.sequencer.close()


def test_the_loop(bench: Bench, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opening = run.tick(FIRST, bids=run.bids, people=run.people, decided=run.decided)
    assert run.order == ["bids at 101", "people after 2 deposits", "4 batches planned"]
    assert [effect.touch.op for effect in opening.submitted.effects] == [Op.TRADE, Op.TRADE_MATCH]
    assert [operation for operation, _ in opening.submitted.refused] == [2]
    assert opening.coverage is not None
    assert (opening.coverage.swept, opening.coverage.proofs, opening.uncovered) == (1, 2, "")
    assert bench.client.is_covered(SLOT_SECONDS)

    # The engine leaves nobody below maintenance: to have somebody there it is kept from looking.
    with monkeypatch.context() as patch:
        patch.setattr(Settling, "settle_all", lambda self: iter(()))
        fallen = run.tick(FIRST + 1, FALLEN)
        assert (fallen.coverage, fallen.uncovered) == (None, UNCOVERED)
        assert (bench.client.state().slot, bench.client.covered_slot()) == (FIRST + 1, FIRST)
        assert run.late == []
        bench.node.advance_to((FIRST + 2) * SLOT_SECONDS)
        for _ in range(2):  # no tick follows one that is not covered
            with pytest.raises(Refused, match=UNCOVERED):
                run.tick(FIRST + 2, FALLEN)
        assert run.late == [("late", FIRST + 1, UNCOVERED)]

    after = run.tick(FIRST + 2, FALLEN)
    assert run.sequencer.unhealthy() == []
    assert after.coverage is not None
    assert bench.client.is_covered(SLOT_SECONDS)
    assert [told[:2] for told in run.late] == [("late", FIRST + 1), ("covered_late", FIRST + 1)]
