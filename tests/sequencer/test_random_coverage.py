# SPDX-License-Identifier: GPL-3.0-or-later
"""No tick is called covered while an account is below maintenance margin: random books, paths and choices.

Each case has its own parameters, book and path of ticks. Headers come from the sequencer's own choices and
from any others that the circuits accept; health is told by exact integers from the tick alone. That the same
cases find each of a dozen small mistakes in the bound shows that they can.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any

import pytest

from support.header_model import Case, Uncovered
from support.market import oracle_key
from support.random_paths import parameters
from zkmargin.engine import coverage as bound
from zkmargin.protocol.constants import RADIUS_ONE
from zkmargin.protocol.model import Account, Tick
from zkmargin.sequencer import covering

CHUNK = 5_000
LONG = 25_000


def _run(numbers: Iterable[int]) -> Counter[str]:
    seen: Counter[str] = Counter()
    for number in numbers:
        case = Case(number).run()
        seen.update(asdict(case))
        seen["cases"] += case.covered > 0
    return seen


def _meets(seen: Counter[str], cases: int) -> None:
    """The cases were about something: most had ticks covered, by old headers too, with people at the edge."""
    assert seen["cases"] > cases // 2
    assert seen["covered"] > 2 * cases
    assert seen["older"] > cases // 2
    assert seen["kept"] > cases // 4
    assert seen["edge"] > cases


@pytest.mark.parametrize("part", range(4))
def test_no_tick_is_covered_with_an_account_below_maintenance(part: int) -> None:
    """20,000 cases."""
    _meets(_run(range(part * CHUNK, (part + 1) * CHUNK)), CHUNK)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(40))
def test_in_a_million_cases(part: int) -> None:
    """1,000,000 cases, none of them among the first."""
    first = 1_000_000 + part * LONG
    _meets(_run(range(first, first + LONG)), LONG)


def test_the_parameters_are_such_as_a_ledger_may_have() -> None:
    """Apart from oracle keys: nobody signs here."""
    key = oracle_key(0)
    for number in range(300):
        replace(parameters(random.Random(number)), oracle_keys=((key.ax, key.ay),)).validate()


# ---------------------------------------------------------------- mistakes that these cases find


def _displaced(
    losses: Callable[[Any, Any], Iterable[int]], up: bool = True
) -> Callable[[Tick, Tick], int | None]:
    """A displacement made of other losses by instrument, or rounded down."""

    def displacement(then: Tick, now: Tick) -> int | None:
        most = 0
        for before, after in zip(then.instruments, now.instruments, strict=True):
            for loss in losses(before, after):
                if loss > 0:
                    if before.move == 0:
                        return None
                    most = max(most, (RADIUS_ONE * loss + (before.move - 1) * up) // before.move)
        return most if most <= bound.MAX_RADIUS else None

    return displacement


def _long(before: Any, after: Any) -> int:
    return int(before.equity - after.equity + bound.rise(before, after))


def _short(before: Any, after: Any) -> int:
    return int(after.equity - before.equity + bound.rise(before, after)) if before.maintenance[0] else 0


def _one_tier(before: Any, after: Any) -> Iterable[int]:
    grown = after.maintenance[0] - before.maintenance[0]
    fall = before.equity - after.equity
    return (fall + grown, grown - fall if before.maintenance[0] else 0)


def _one_less(then: Tick, now: Tick) -> int | None:
    d = bound.displacement(then, now)
    return d - 1 if d else d


def _largest_ratio(then: Tick, now: Tick) -> int:
    rows = zip(then.instruments, now.instruments, strict=True)
    return max((RADIUS_ONE * a.move // b.move for a, b in rows if b.move), default=RADIUS_ONE)


def _radius_past_the_first(accounts: Iterable[Account], tick: Tick) -> int | None:
    return bound.page_radius(list(accounts)[1:], tick)


def _one_more(accounts: Iterable[Account], tick: Tick) -> int | None:
    radius = bound.page_radius(accounts, tick)
    return None if radius is None else radius + 1


def _always(account: Account, anchor: Tick, radius: int) -> bool:
    return True


def _by_health(account: Account, anchor: Tick, radius: int) -> bool:
    return bound.safe_radius(account, anchor) is not None


def _shorts_too(account: Account, anchor: Tick, radius: int) -> bool:
    """Also shorts of what has no charge."""
    least = bound.safe_radius(account, anchor)
    return least is not None and least >= radius


MISTAKES = {
    "a displacement one too small": (covering, "displacement", _one_less),
    "a displacement rounded down": (
        covering, "displacement", _displaced(lambda a, b: (_long(a, b), _short(a, b)), up=False)),
    "no displacement of shorts": (covering, "displacement", _displaced(lambda a, b: (_long(a, b),))),
    "no displacement of longs": (covering, "displacement", _displaced(lambda a, b: (_short(a, b),))),
    "charges that don't grow": (
        covering, "displacement",
        _displaced(lambda a, b: (a.equity - b.equity, b.equity - a.equity if a.maintenance[0] else 0))),
    "the charge of the first tier alone": (covering, "displacement", _displaced(_one_tier)),
    "a charge that may vanish": (
        covering, "displacement", _displaced(lambda a, b: (_long(a, b), _short(a, b)))),
    "a carried radius without the ratio of moves": (
        covering, "radius_at", lambda then, now, radius, d: radius - d),
    "a carried radius by another instrument's ratio": (
        covering, "radius_at", lambda then, now, radius, d: _largest_ratio(then, now) * (radius - d) >> 16),
    "a carried radius rounded up": (
        covering, "radius_at",
        lambda then, now, radius, d: -(-bound.move_ratio(then, now) * (radius - d) // RADIUS_ONE)),
    "a carried radius that has not shrunk": (
        covering, "radius_at", lambda then, now, radius, d: bound.move_ratio(then, now) * radius >> 16),
    "pages kept whatever is written": (bound, "keeps", _always),
    "pages kept by health alone": (bound, "keeps", _by_health),
    "pages kept with shorts that displacements don't see": (bound, "keeps", _shorts_too),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, function, mistaken = MISTAKES[name]
    monkeypatch.setattr(module, function, mistaken)
    with pytest.raises(Uncovered):
        _run(range(100_000))
