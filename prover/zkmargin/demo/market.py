# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo's oracles see: four of them, whose readings of the market really differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from zkmargin.demo.episode import Episode
from zkmargin.errors import BadInput, MissingData
from zkmargin.oracle.reports import Report, make_report
from zkmargin.oracle.series import READINGS, Reading, Series, read_series
from zkmargin.protocol.constants import RATE_ONE
from zkmargin.protocol.eddsa import KeyPair, keypair
from zkmargin.protocol.model import Params

PRICES = Path(__file__).parent / "prices"
_OWN = (("perpetual", "close"), ("spot", "close"), ("mark", "close"), ("spot", "typical"))
_READINGS_OF_ONE = ("close", "typical", "middle", "average")
_FEWEST = 3  # instruments; below there is little cross margin to see
_FUNDING_HOURS = 8  # a premium is paid over eight slots, as venues do


@dataclass(frozen=True)
class Oracle:
    """One reporter: its key, and its reading of its series."""

    position: int
    key: KeyPair
    series: Series
    reading: Reading


@dataclass(frozen=True)
class Market:
    """The oracles of an episode; `absent` maps a slot to the position of the one that misses it."""

    episode: Episode
    oracles: tuple[Oracle, ...]

    def keys(self) -> tuple[tuple[int, int], ...]:
        """The oracles' public keys."""
        return tuple((oracle.key.ax, oracle.key.ay) for oracle in self.oracles)

    def prices(self, oracle: Oracle, slot: int) -> dict[str, Fraction]:
        """Quote per coin by series symbol, as the oracle reads it at the start of a slot."""
        seconds = self.episode.slot_seconds
        return {
            symbol: oracle.series.price(symbol, slot * seconds, oracle.reading)
            for symbol in sorted({row.series for row in self.episode.listings})
        }

    def spread(self, slot: int) -> int:
        """Instruments on which not all oracles agree."""
        seen = [self.prices(oracle, slot) for oracle in self.oracles]
        return sum(len({prices[row.series] for prices in seen}) > 1 for row in self.episode.listings)

    def reports(self, params: Params, domain: int, slot: int, previous: int) -> list[Report]:
        """The signed reports of a slot; one oracle is silent every fifth slot."""
        size = len(params.instruments)
        made = []
        base = self.prices(self.oracles[1], slot)
        for oracle in self.oracles:
            if slot % 5 == 0 and slot // 5 % len(self.oracles) == oracle.position:
                continue
            seen = self.prices(oracle, slot)
            prices, rates = [0] * size, [0] * size
            for row in self.episode.listings:
                prices[row.id] = row.fine_price(seen[row.series])
                if row.token_decimals is None:
                    premium = (seen[row.series] - base[row.series]) / base[row.series]
                    rates[row.id] = int(premium / _FUNDING_HOURS * RATE_ONE)
            made.append(
                make_report(oracle.key, oracle.position, domain, params, slot, previous, prices, rates)
            )
        return made


def _listed(episode: Episode, series: Series) -> Episode:
    """The episode with those of its listings that the series has prices of."""
    known = sorted({row.series for row in episode.listings})
    listings = tuple(row for row in episode.listings if row.series in series.bars)
    if len(listings) < _FEWEST or all(row.token_decimals is None for row in listings):
        found = ", ".join(sorted(series.bars)[:8])
        raise MissingData(
            f"series {series.name} has prices of {found}: too few that are listed",
            hint=f"give at least two of {', '.join(known)}, BTC or ETH among them",
        )
    return replace(episode, listings=listings)


def open_market(episode: Episode, prices: Path | None = None, ticks: int | None = None) -> Market:
    """Oracles over the episode's own table, or four readings of the bars of one price file.

    `ticks`: how many of the episode's to replay, all if not given. A file brings its own time:
    `Market.episode` then starts where the file's prices fall deepest. Raises `BadInput` for more ticks than
    the episode has, `MissingData` for a file that is too short, or has too few of the listed symbols;
    what it lacks is not listed.
    """
    if ticks is not None:
        if ticks > episode.ticks:
            raise BadInput(f"the episode has {episode.ticks} ticks, not {ticks}", hint="ask for fewer")
        episode = replace(episode, ticks=ticks)
    if prices is None:
        tables = {name: read_series(PRICES / f"{name}.csv") for name, _ in _OWN}
        chosen = [(tables[name], reading) for name, reading in _OWN]
    else:
        series = read_series(prices)
        episode = _listed(episode, series)
        chosen = [(series, reading) for reading in _READINGS_OF_ONE]
        symbols = {row.series for row in episode.listings}
        start = series.deepest_fall(symbols, episode.slot_seconds, episode.ticks + 1)  # one slot is skipped
        episode = replace(episode, name=series.name, genesis_slot=start // episode.slot_seconds)
    oracles = tuple(
        Oracle(i, keypair(b"oracle-%d" % i), series, READINGS[reading])
        for i, (series, reading) in enumerate(chosen)
    )
    return Market(episode, oracles)
