# SPDX-License-Identifier: GPL-3.0-or-later
"""Who trades in the demo: accounts, what they deposit, and the positions they take before the crash.

Drawn once from a seed, so that two runs replay the same book. Traders come in temperaments (how often their
deposit they hold as notional) and are paired with one another; market makers hold large deposits, take the
other side where one is left over, and stand ready with bids for liquidated positions.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction

from zkmargin.demo.episode import Episode, Listing

SEED = 20200312
TRADERS = 192
MAKERS = 12
_DEPOSIT_RANGE = (800, 24_000)  # USDC
_MAKER_DEPOSIT = 1_500_000
_BACKSTOP_DEPOSIT = 30_000
_FUND_DEPOSIT = 120_000
# (share of traders, least leverage, most leverage)
_TEMPERAMENTS = ((0.45, 0.6, 1.8), (0.30, 2.2, 4.5), (0.25, 5.0, 7.5))


@dataclass
class Person:
    """One account holder. `deposits` are (instrument id or 0, coins or quote)."""

    name: str
    seed: bytes
    maker: bool
    deposits: list[tuple[int, Fraction]] = field(default_factory=list)


@dataclass(frozen=True)
class Deal:
    """A trade at the mark between two people: `buyer` takes `size` steps of `instrument` from `seller`."""

    buyer: int
    seller: int
    instrument: int
    size: int


@dataclass(frozen=True)
class Population:
    """Who takes part, who trades with whom, and what the backstops are given."""

    people: tuple[Person, ...]
    deals: tuple[Deal, ...]
    backstops: dict[int, int]  # instrument -> quote
    fund: int


def _leverage(rng: random.Random) -> float:
    draw = rng.random()
    for share, low, high in _TEMPERAMENTS:
        if draw < share:
            return rng.uniform(low, high)
        draw -= share
    return 1.0


@dataclass(frozen=True)
class _Wish:
    person: int
    steps: int
    leverage: float


def _pairs(wishes: list[_Wish], makers: list[int], rng: random.Random) -> list[tuple[int, int, int]]:
    """Pair neighbours by size into (buyer, seller, steps); the bolder is long three times out of four."""
    ordered = sorted(wishes, key=lambda wish: wish.steps)
    matched = []
    for first, second in zip(ordered[0::2], ordered[1::2], strict=False):
        bold, calm = sorted((first, second), key=lambda wish: -wish.leverage)
        buyer, seller = (bold, calm) if rng.random() < 0.75 else (calm, bold)
        matched.append((buyer.person, seller.person, first.steps))
    if len(ordered) % 2:
        matched.append((ordered[-1].person, rng.choice(makers), ordered[-1].steps))
    return matched


def draw_population(
    episode: Episode, prices: dict[int, Fraction], traders: int = TRADERS, seed: int = SEED
) -> Population:
    """Draw the book. `prices`: quote per coin of each listed instrument at the first tick."""
    rng = random.Random(seed)
    perpetuals: list[Listing] = [row for row in episode.listings if row.token_decimals is None]
    collaterals = [row for row in episode.listings if row.token_decimals is not None]
    people: list[Person] = []
    wishes: dict[int, list[_Wish]] = {row.id: [] for row in perpetuals}
    for index in range(traders):
        person = Person(f"trader-{index:03d}", b"trader-%d" % index, maker=False)
        worth = Fraction(rng.randrange(_DEPOSIT_RANGE[0], _DEPOSIT_RANGE[1]))
        if rng.random() < 0.2:
            asset = rng.choice(collaterals)
            person.deposits.append((asset.id, worth / prices[asset.id]))
            worth *= Fraction(4, 5)  # what the haircut leaves to trade with
        else:
            person.deposits.append((0, worth))
        people.append(person)
        leverage = _leverage(rng)
        held = rng.choices((1, 2), (0.85, 0.15))[0]
        for row in rng.sample(perpetuals, held):
            notional = worth * Fraction(leverage) / held
            wishes[row.id].append(_Wish(index, max(1, row.steps(notional / prices[row.id])), leverage))
    makers = list(range(traders, traders + MAKERS))
    for index in makers:
        people.append(
            Person(
                f"maker-{index - traders:02d}",
                b"maker-%d" % index,
                maker=True,
                deposits=[(0, Fraction(_MAKER_DEPOSIT))],
            )
        )
    deals = [
        Deal(buyer, seller, instrument, size)
        for instrument, wanted in wishes.items()
        for buyer, seller, size in _pairs(wanted, makers, rng)
    ]
    return Population(
        tuple(people), tuple(deals), {row.id: _BACKSTOP_DEPOSIT for row in episode.listings}, _FUND_DEPOSIT
    )
