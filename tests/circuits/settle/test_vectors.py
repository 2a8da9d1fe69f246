# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared vectors of tests/vectors through the settle circuit: every operation, every refusal."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from circuits.judge import judge_of
from circuits.settle.test_random_operations import ELSEWHERE, FORGED, forged, violated
from circuits.settle.world import CHAIN
from support import vectors
from support.random_ops import Case
from zkmargin.protocol.constants import load
from zkmargin.sequencer.drafting import Draft

FILES = [vectors.read(name) for name in ("operations", "refusals")]
ALLOWED = [(file, case) for file in FILES for case in file["cases"] if "refused" not in case]
REFUSED = [(file, case) for file in FILES for case in file["cases"] if "refused" in case]


def world_of(file: vectors.Json, case: vectors.Json) -> Any:
    """The ledger and tick of a vector, as a forgery needs them."""
    profile = replace(load().profile(file["profile"]), touches=FORGED)
    return SimpleNamespace(
        ledger=vectors.decode_ledger(case["before"], profile),
        tick=vectors.decode_tick(file["ticks"][case["tick"]]),
        profile=profile,
        domain=int(case["domain"]),
    )


def by_name(rows: list[tuple[vectors.Json, vectors.Json]]) -> Any:
    return pytest.mark.parametrize(("file", "case"), rows, ids=[case["name"] for _, case in rows])


@by_name(ALLOWED)
def test_allowed_operations_are_accepted(file: vectors.Json, case: vectors.Json) -> None:
    world = world_of(file, case)
    draft = Draft(world.ledger, world.tick, world.domain)
    draft.add([vectors.decode_touch(raw) for raw in case["touches"]])
    batch = draft.finish(CHAIN)
    judge_of("settle", "small", FORGED).accepts(batch.inputs)
    assert (str(batch.root), str(batch.new_root)) == (case["root"], case["after"]["root"])


@by_name(REFUSED)
def test_refused_operations_are_refused(file: vectors.Json, case: vectors.Json) -> None:
    """A witness that skips the rule breaks a constraint; where none can be written, the code says why."""
    world = world_of(file, case)
    touches = tuple(vectors.decode_touch(raw) for raw in case["touches"])
    inputs = forged(world, Case(case["name"], touches, case["refused"]))
    if inputs is None:
        assert case["refused"] in ELSEWHERE, "no witness could be forged"
    elif not violated(judge_of("settle", "small", FORGED), inputs):
        assert case["refused"] == "queue_order"  # the contract's to see to
