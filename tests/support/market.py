# SPDX-License-Identifier: GPL-3.0-or-later
"""Instrument tables for tests, and a market that moves, now and then beyond its jump limits."""

from __future__ import annotations

import random
from fractions import Fraction

from zkmargin.engine.ticks import genesis_tick, next_tick
from zkmargin.protocol.constants import COLLATERAL, MIN_PRICE, PERPETUAL, RATE_ONE, Profile
from zkmargin.protocol.eddsa import KeyPair, keypair
from zkmargin.protocol.model import InstrumentParams, Params, Tick

GENESIS_SLOT = 1000
MAX_PRICE = (1 << 64) - 1


def rate(text: str) -> int:
    """A decimal fraction as a rate times 2^32, rounded down."""
    return int(Fraction(text) * RATE_ONE)


def rates(*texts: str) -> tuple[int, ...]:
    return tuple(rate(text) for text in texts)


def perpetual(
    symbol: str, bounds: tuple[int, int, int], mmr: tuple[int, ...], imr: tuple[int, ...]
) -> InstrumentParams:
    return InstrumentParams(symbol, PERPETUAL, 0, rate("0.1"), rate("0.001"), mmr, imr, bounds, "1")


def collateral(symbol: str, haircut: str) -> InstrumentParams:
    return InstrumentParams(symbol, COLLATERAL, rate(haircut), rate("0.1"), step="1")


_GENTLE = rates("0.02", "0.03", "0.05", "0.1"), rates("0.04", "0.06", "0.1", "0.2")
_STEEP = rates("0.01", "0.05", "0.2", "1"), rates("0.01", "0.1", "0.4", "1")


def oracle_key(position: int) -> KeyPair:
    """The key of the oracle at a position."""
    return keypair(b"oracle %d" % position)


def market_params(profile: Profile) -> Params:
    """Nine perpetuals at the low numbers (one in the middle of the table), five collaterals at the top ones.

    Gentle and steep tiers, haircuts from 0 to 1/2; 14 instruments, so that an account's 12 slots can be full.
    """
    size = profile.instruments
    table = [InstrumentParams.unlisted()] * size
    table[1] = perpetual("AAA", (5_000, 50_000, 500_000), *_GENTLE)
    table[2] = perpetual("BBB", (100, 1_000, 10_000), *_STEEP)
    table[3] = perpetual("CCC", (1 << 20, 1 << 30, 1 << 40), *_GENTLE)
    for k in range(4, 9):
        table[k] = perpetual(f"AAA{k}", (1_000 * k, 10_000 * k, 100_000 * k), *_GENTLE)
    table[max(size // 2 + 1, 9)] = perpetual("DDD", (0, 0, 200), *_STEEP)
    for k, (symbol, haircut) in enumerate(
        (("XXX", "0"), ("YYY", "0.1"), ("YYY2", "0.2"), ("YYY3", "1"), ("ZZZ", "0.5"))
    ):
        table[size - 5 + k] = collateral(symbol, haircut)
    params = Params(
        tau=rate("1.25"),
        penalty_rate=rate("0.2"),
        bidder_share=rate("0.5"),
        slot_seconds=60,
        oracle_keys=tuple((key.ax, key.ay) for key in map(oracle_key, range(profile.oracles))),
        instruments=tuple(table),
    )
    params.validate()
    return params


_FIRST = {
    "AAA": 1 << 54,
    "BBB": 1 << 58,
    "CCC": 1 << 40,
    "DDD": 1 << 61,
    "XXX": 1 << 52,
    "YYY": 1 << 50,
    "ZZZ": 1 << 47,
}


def first_prices(params: Params) -> list[int]:
    """First prices in fine units a step, a fraction of a cent to hundreds of dollars; 0 where unlisted."""
    return [
        _FIRST[row.symbol[:3]] + 12_345 * k if row.flags else 0 for k, row in enumerate(params.instruments)
    ]


class Market:
    """True prices of every instrument as a random walk; `tick` moves the marks after them."""

    def __init__(self, params: Params, rng: random.Random) -> None:
        self.params, self.rng = params, rng
        self.prices = first_prices(params)
        self.tick: Tick = genesis_tick(params, GENESIS_SLOT)
        self.advance(calm=True)

    def advance(self, calm: bool = False) -> Tick:
        """One slot on, now and then several; one time in six a shock that the jump limit holds back."""
        rng = self.rng
        shock = 0.0 if calm or rng.random() > 1 / 6 else rng.choice([-0.3, -0.15, 0.12, 0.25])
        moved = []
        for price in self.prices:
            change = 1 + (0.0 if calm else rng.gauss(shock, 0.03))
            moved.append(min(max(int(price * change), MIN_PRICE), MAX_PRICE) if price else 0)
        self.prices = moved
        return self.to(
            moved, [rng.randrange(-(1 << 23), 1 << 23) for _ in moved], 1 if rng.random() < 0.9 else 3
        )

    def to(self, prices: list[int], funding: list[int] | None = None, slots: int = 1) -> Tick:
        """The tick at which all oracles report these prices and funding rates."""
        report = (prices, funding or [0] * len(prices))
        self.tick = next_tick(self.params, self.tick, self.tick.slot + slots, [report]).tick
        return self.tick
