# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads `episode.toml`: what the demo's venue lists, as protocol parameters."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from importlib import resources

from zkmargin.protocol.constants import COLLATERAL, FINE, PERPETUAL, QUOTE_DECIMALS, RATE_ONE, load
from zkmargin.protocol.model import InstrumentParams, Params


@dataclass(frozen=True)
class Listing:
    """One listed instrument as people see it. `step` is the size of a step in coins."""

    id: int
    symbol: str
    series: str
    step: Fraction
    token_decimals: int | None
    params: InstrumentParams

    def fine_price(self, quote_per_coin: Fraction) -> int:
        """Price of a step in fine units, rounded to the nearest: quote per coin -> fine units per step."""
        exact: Fraction = quote_per_coin * self.step * 10**QUOTE_DECIMALS * FINE
        return round(exact)

    def quote_price(self, fine_per_step: int) -> Fraction:
        """The reverse of `fine_price`."""
        return Fraction(fine_per_step, FINE * 10**QUOTE_DECIMALS) / self.step

    def steps(self, coins: Fraction) -> int:
        """Whole steps in an amount of coins, rounded down."""
        return int(coins / self.step)

    @property
    def token_unit(self) -> int:
        """Token base units in one step."""
        assert self.token_decimals is not None
        unit = self.step * 10**self.token_decimals
        assert unit.denominator == 1, self.symbol
        return int(unit)


@dataclass(frozen=True)
class Episode:
    """The listings and the clock of the demo."""

    name: str
    profile: str
    genesis_slot: int
    slot_seconds: int
    ticks: int
    tau: int
    penalty_rate: int
    bidder_share: int
    listings: tuple[Listing, ...]

    def params(self, oracle_keys: tuple[tuple[int, int], ...]) -> Params:
        """Protocol parameters with these oracle keys (x, y), one a position."""
        size = load().profile(self.profile).instruments
        table = [InstrumentParams.unlisted()] * size
        for listing in self.listings:
            table[listing.id] = listing.params
        params = Params(
            tau=self.tau,
            penalty_rate=self.penalty_rate,
            bidder_share=self.bidder_share,
            slot_seconds=self.slot_seconds,
            oracle_keys=oracle_keys,
            instruments=tuple(table),
        )
        params.validate()
        return params


def _rate(text: str, up: bool = True) -> int:
    value = Fraction(text) * RATE_ONE
    return math.ceil(value) if up else math.floor(value)


def _listing(row: dict[str, object]) -> Listing:
    kind = str(row["kind"])
    step = Fraction(str(row["step"]))
    none = ["0"] * 4
    params = InstrumentParams(
        symbol=str(row["symbol"]),
        flags=PERPETUAL if kind == "perpetual" else COLLATERAL,
        haircut=_rate(str(row.get("haircut", "0"))),
        jump=_rate(str(row["jump"]), up=False),
        funding_cap=_rate(str(row.get("funding_cap", "0")), up=False),
        mmr=tuple(_rate(r) for r in row.get("maintenance", none)),  # type: ignore[attr-defined]
        imr=tuple(_rate(r) for r in row.get("initial", none)),  # type: ignore[attr-defined]
        bounds=tuple(row.get("bounds", [0, 0, 0])),  # type: ignore[arg-type]
        step=str(row["step"]),
    )
    decimals = row.get("token_decimals")
    return Listing(
        int(str(row["id"])),
        str(row["symbol"]),
        str(row["series"]),
        step,
        int(str(decimals)) if decimals is not None else None,
        params,
    )


def load_episode() -> Episode:
    """The episode the package ships."""
    raw = tomllib.loads(resources.files(__package__).joinpath("episode.toml").read_text())
    start = int(datetime.fromisoformat(raw["genesis_time"]).timestamp())
    return Episode(
        name=raw["name"],
        profile=raw["profile"],
        genesis_slot=start // raw["slot_seconds"],
        slot_seconds=raw["slot_seconds"],
        ticks=raw["ticks"],
        tau=_rate(raw["tau"]),
        penalty_rate=_rate(raw["penalty_rate"]),
        bidder_share=_rate(raw["bidder_share"], up=False),
        listings=tuple(_listing(row) for row in raw["instruments"]),
    )
