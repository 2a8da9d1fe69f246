# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that make no tick: refused by name, nothing journalled; the same call with good ones succeeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.place import BTC, PRICE, PROFILE, SLOT, dump, ledger_with_deposits, make_place, reports, start
from contracts.ledger import Bench, oracles
from zkmargin.errors import ZkMarginError
from zkmargin.oracle.reports import Report, make_report
from zkmargin.protocol.constants import P
from zkmargin.protocol.eddsa import keypair
from zkmargin.protocol.words import domain_word
from zkmargin.sequencer.service import Sequencer

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("cli")]

DUE = SLOT + 1
QUORUM = range(PROFILE.quorum)
Make = Callable[[Sequencer], list[Report]]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with ledger_with_deposits() as made:
        yield made


@pytest.fixture
def sequencer(bench: Bench, tmp_path: Path) -> Iterator[Sequencer]:
    made = start(bench, make_place(bench, tmp_path / "home").home)
    yield made
    made.close()


def _signed(sequencer: Sequencer, signer: int, **changed: int) -> Report:
    """A report that is well signed, over something else than what is due."""
    values = {"slot": DUE, "previous": SLOT, "domain": sequencer.domain, "seed": signer, "price": PRICE}
    values |= changed
    row = [values["price"] if number == BTC else 0 for number in range(PROFILE.instruments)]
    return make_report(
        keypair(bytes([values["seed"]])),
        signer,
        values["domain"],
        sequencer.params,
        values["slot"],
        values["previous"],
        row,
        [0] * PROFILE.instruments,
    )


def _good(sequencer: Sequencer) -> list[Report]:
    return reports(sequencer, DUE, QUORUM)


def _with(change: Callable[[Sequencer, Report], Report]) -> Make:
    """A quorum, with the last report changed."""

    def make(sequencer: Sequencer) -> list[Report]:
        *others, last = _good(sequencer)
        return [*others, change(sequencer, last)]

    return make


def _longer(row: tuple[int, ...]) -> tuple[int, ...]:
    return (*row, 1)


REFUSED: list[tuple[str, Make]] = [
    ("no_quorum", lambda s: []),
    ("no_quorum", lambda s: _good(s)[:-1]),
    ("signed_twice", lambda s: [*_good(s)[:-1], _good(s)[0]]),
    ("signed_twice", lambda s: [*_good(s), _signed(s, 0, price=PRICE + 1)]),
    ("stale_price", _with(lambda s, r: _signed(s, r.signer, slot=SLOT, previous=SLOT - 1))),
    ("stale_price", _with(lambda s, r: replace(r, slot=SLOT))),
    ("future_price", _with(lambda s, r: _signed(s, r.signer, slot=DUE + 1))),
    ("wrong_previous_slot", _with(lambda s, r: _signed(s, r.signer, previous=SLOT - 1))),
    ("unknown_signer", _with(lambda s, r: replace(r, signer=len(oracles(PROFILE))))),
    ("unknown_signer", _with(lambda s, r: replace(r, signer=-1))),
    ("signature", _with(lambda s, r: replace(r, signer=r.signer + 1))),
    ("signature", _with(lambda s, r: _signed(s, r.signer, seed=99))),
    ("signature", _with(lambda s, r: _signed(s, r.signer, domain=domain_word(1, s.setup.ledger)))),
    ("signature", _with(lambda s, r: replace(r, prices=tuple(price + 1 for price in r.prices)))),
    ("signature", _with(lambda s, r: replace(r, rates=tuple(rate + 1 for rate in r.rates)))),
    ("signature", _with(lambda s, r: replace(r, signature=replace(r.signature, s=r.signature.s ^ 1)))),
    ("signature", _with(lambda s, r: replace(r, signature=replace(r.signature, r8x=P)))),
    ("wrong_table", _with(lambda s, r: replace(r, prices=r.prices[:-1]))),
    ("wrong_table", _with(lambda s, r: replace(r, rates=_longer(r.rates)))),
]


@pytest.mark.parametrize(
    ("code", "make"), REFUSED, ids=[f"{i}-{code}" for i, (code, _) in enumerate(REFUSED)]
)
def test_bad_reports(sequencer: Sequencer, code: str, make: Make) -> None:
    home = sequencer.setup.home
    before, tick, root = dump(home), sequencer.tick, sequencer.ledger.root()
    for _ in range(2):  # and the second time again
        with pytest.raises(ZkMarginError) as refused:
            sequencer.decide_tick(make(sequencer), DUE)
        assert (refused.value.code, refused.value.exit_status) == (code, 2)
        assert refused.value.retryable is (code == "no_quorum")
    assert (sequencer.tick, sequencer.ledger.root()) == (tick, root)
    assert dump(home) == before
    assert sequencer.decide_tick(_good(sequencer), DUE).slot == DUE
    assert dump(home) != before


@pytest.mark.parametrize("slot", [SLOT, SLOT - 1, 0, -1, 1 << 32, 1 << 64])
def test_slots_there_can_not_be(sequencer: Sequencer, slot: int) -> None:
    home = sequencer.setup.home
    before, tick = dump(home), sequencer.tick
    made = [_signed(sequencer, signer, slot=slot) for signer in QUORUM]
    with pytest.raises(ZkMarginError) as refused:
        sequencer.decide_tick(made, slot)
    assert refused.value.exit_status == 2
    assert sequencer.tick == tick
    assert dump(home) == before
    assert sequencer.decide_tick(_good(sequencer), DUE).slot == DUE


def test_a_restart_after_a_refusal_finds_the_last_tick(sequencer: Sequencer, bench: Bench) -> None:
    with pytest.raises(ZkMarginError):
        sequencer.decide_tick(_good(sequencer)[:-1], DUE)
    again = start(bench, sequencer.setup.home)
    try:
        assert (again.tick, again.ledger.root()) == (sequencer.tick, sequencer.ledger.root())
        assert again.decide_tick(_good(again), DUE).slot == DUE
    finally:
        again.close()


def test_more_than_a_quorum_and_a_skipped_slot_are_fine(sequencer: Sequencer) -> None:
    later = DUE + 3
    everybody = reports(sequencer, later, range(PROFILE.oracles))
    assert sequencer.decide_tick(everybody, later).slot == later
