# SPDX-License-Identifier: GPL-3.0-or-later
"""A tick that is not covered in time is told of once, and why: real proofs, held back, and a real node.

Were it not told of, the tests would not end: what is held back goes on when it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.ledger import SLOT_SECONDS, Bench
from sequencer.held_pool import HeldPool
from sequencer.world import FIRST, PROFILE, ledger_with_deposits, opened, slot_comes, start
from zkmargin.demo.report import Progress
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.journal import BatchHead, BatchRow, BatchState
from zkmargin.sequencer.lateness import open_work
from zkmargin.sequencer.posting import Poster
from zkmargin.sequencer.service import Sequencer

on_a_node = [pytest.mark.chain, pytest.mark.xdist_group("chain")]
DEADLINE = (FIRST + 1) * SLOT_SECONDS


@pytest.fixture
def bench() -> Iterator[Bench]:
    keys = {name: key.verification_key for name, key in profile_keys(PROFILE.name).items()}
    with ledger_with_deposits(keys) as made:
        yield made


@pytest.fixture
def sequencer(bench: Bench, tmp_path: Path) -> Iterator[Sequencer]:
    made = opened(start(bench.deployment, tmp_path / "home"))
    yield made
    made.close()


class Heard:
    """What a poster tells; `then` is done at each event, by its name and circuit."""

    def __init__(self, then: dict[tuple[str, str], Callable[[], object]]) -> None:
        self.late: list[tuple[str, int, str, str]] = []
        self._then, self.progress = then, Progress()

    def __call__(self, event: str, row: BatchRow, reason: str) -> None:
        self.progress.batch(event, row, reason)
        if event in ("late", "covered_late"):
            self.late.append((event, row.slot, row.circuit, reason))
        self._then.get((event, row.circuit), lambda: None)()


class TestTold:
    pytestmark = on_a_node

    @pytest.mark.parametrize(
        ("held", "last", "reason"),
        [
            (
                ("tick", "settle"),
                "settle",
                r"at the provers: tick 1 for \d+ s, settle 2 for \d+ s; "
                r"2 waiting for a prover, open for up to \d+ s",
            ),
            (
                ("sweep", "coverage"),
                "coverage",
                r"at the provers: sweep 3 for \d+ s, coverage 4 for \d+ s; "
                r"2 proved and not yet sent, open for up to \d+ s",
            ),
        ],
    )
    def test_slow_proofs(
        self,
        bench: Bench,
        sequencer: Sequencer,
        capsys: pytest.CaptureFixture[str],
        held: tuple[str, ...],
        last: str,
        reason: str,
    ) -> None:
        sequencer.decide_coverage()
        with HeldPool(held) as pool:
            heard = Heard(
                {
                    ("proving", last): lambda: bench.node.advance_to(DEADLINE),
                    ("late", "tick"): pool.release,
                }
            )
            keys, comes = profile_keys(PROFILE.name), slot_comes(sequencer.client)
            poster = Poster(sequencer, keys, pool, comes, heard)
            poster.run()
            poster.run()
            poster.look(at_once=True)
        (late, slot, circuit, why), (covered, *rest, took) = heard.late
        assert (late, slot, circuit) == ("late", FIRST, "tick")
        assert re.fullmatch(reason, why)
        assert (covered, *rest) == ("covered_late", FIRST, "coverage")
        work = r"slot 101 took \d+\.\d s of proving: 1 coverage, 1 settle, 1 sweep, 1 tick"
        assert re.fullmatch(work, took)
        assert bench.client.covered_slot() == FIRST
        said = capsys.readouterr().out
        assert f"slot {FIRST} is not covered, and the next slot has begun: {why}" in said
        assert f"slot {FIRST} was covered after the next slot had begun: {took}" in said

    def test_a_chain_that_takes_no_transaction(self, bench: Bench, sequencer: Sequencer) -> None:
        sequencer.decide_coverage()
        comes = slot_comes(sequencer.client)

        def before_send(row: BatchRow) -> None:
            comes(row)
            if row.circuit == "coverage" and row.state is BatchState.SIGNED:
                bench.node.advance_to(DEADLINE)
                bench.node.automine(False)

        def goes_on() -> None:
            bench.node.automine(True)
            bench.node.mine()

        heard = Heard({("late", "tick"): goes_on})
        with HeldPool(()) as pool:
            Poster(sequencer, profile_keys(PROFILE.name), pool, before_send, heard).run()
        assert [told[:2] for told in heard.late] == [("late", FIRST), ("covered_late", FIRST)]
        assert re.fullmatch(r"4 sent and in no block yet, open for up to \d+ s", heard.late[0][3])

    def test_no_coverage_planned(self, bench: Bench, sequencer: Sequencer) -> None:
        heard = Heard({})
        with HeldPool(()) as pool:
            poster = Poster(sequencer, profile_keys(PROFILE.name), pool, slot_comes(sequencer.client), heard)
            poster.run()
            bench.node.advance_to(DEADLINE - 1)
            poster.look(at_once=True)
            assert heard.late == []
            bench.node.advance_to(DEADLINE)
            poster.run()
            assert heard.late == [("late", FIRST, "tick", "its coverage is not planned")]
            sequencer.decide_coverage()
            poster.run()
        assert [told[0] for told in heard.late] == ["late", "covered_late"]


def test_the_reason_names_no_more_than_a_few_of_many() -> None:
    planned, proved = BatchState.PLANNED, BatchState.PROVED
    heads = [BatchHead(n, "sweep", proved if n < 3 else planned, 7, 0) for n in range(1, 30)]
    heads += [BatchHead(30, "coverage", planned, 7, 0), BatchHead(31, "settle", planned, 7, 0)]
    proving = dict.fromkeys(range(3, 15), 0.0)
    waits = {head.number: float(head.number) for head in heads}
    named = ", ".join(f"sweep {n} for {n} s" for n in range(3, 11))
    assert open_work(heads, 7, proving, waits) == (
        f"at the provers: {named}, 4 more; 16 waiting for a prover, open for up to 30 s; "
        "2 proved and not yet sent, open for up to 2 s"
    )
