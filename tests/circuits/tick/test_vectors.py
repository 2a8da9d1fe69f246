# SPDX-License-Identifier: GPL-3.0-or-later
"""The circuit and the vectors of ticks.json: the tick in each follows, by the constraints too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.tick.bench import DOMAIN, PROFILE, Forgery, accepted, broken
from support import vectors
from support.market import oracle_key
from zkmargin.oracle.reports import make_report
from zkmargin.protocol.hashes import tick_hash

FILE = vectors.read("ticks")
KEYS = [oracle_key(position) for position in range(PROFILE.oracles)]
PARAMS = replace(vectors.decode_params(FILE["params"]), oracle_keys=tuple((key.ax, key.ay) for key in KEYS))


def batch_of(case: vectors.Json) -> Forgery:
    """All of it from the JSON; reports of fewer than a quorum are signed by several oracles each."""
    before, tick = vectors.decode_tick(FILE["ticks"][case["before"]]), vectors.decode_tick(case["tick"])
    told = case["reports"]
    if len(told) < PROFILE.quorum:
        assert len(told) == 1
        told = told * PROFILE.quorum
    reports = {}
    for signer, row in enumerate(told):
        prices, rates = ([int(value) for value in row[name]] for name in ("prices", "rates"))
        reports[signer] = make_report(
            KEYS[signer], signer, DOMAIN, PARAMS, tick.slot, before.slot, prices, rates
        )
    return Forgery(before, tick.slot, reports, params=PARAMS, raw=[int(v) for v in case["raw"]], tick=tick)


@pytest.mark.parametrize("case", FILE["cases"], ids=lambda case: case["name"])
def test_tick(case: vectors.Json) -> None:
    made = batch_of(case)
    assert made.tick is not None
    assert str(tick_hash(made.tick)) == case["hash"]
    accepted(made.inputs())


def test_the_tick_of_another_vector_does_not_follow() -> None:
    """So that the test above can fail: same reports, the numbers of another case."""
    first, second = (next(c for c in FILE["cases"] if c["name"] == name) for name in (
        "at the upper limit", "one above the upper limit",
    ))  # fmt: skip
    made, other = batch_of(first), batch_of(second)
    assert made.tick is not None
    assert other.tick is not None
    made.tick = replace(other.tick, slot=made.tick.slot, time=made.tick.time)
    assert broken(made.inputs())
