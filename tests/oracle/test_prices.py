# SPDX-License-Identifier: GPL-3.0-or-later
"""The episode's own table: whole, rounded, of venues that really differ, and true to what was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from zkmargin.demo.episode import load_episode
from zkmargin.demo.market import PRICES, open_market
from zkmargin.engine.ticks import genesis_tick, next_tick
from zkmargin.errors import BadInput, MissingData
from zkmargin.oracle.series import READINGS, Series, read_series
from zkmargin.protocol.constants import LIMITED

NAMES = {"perpetual": "perp", "spot": "spot", "mark": "mark"}
SYMBOLS = {"BTC", "ETH", "LTC", "XRP"}
START, END = 1583978400, 1584097200  # openings of the first and the last bar
DIGITS = 5


@pytest.fixture(scope="module")
def tables() -> dict[str, Series]:
    return {name: read_series(PRICES / f"{name}.csv") for name in NAMES}


def significant(text: str) -> int:
    return len(text.replace(".", "").strip("0"))


def test_whole_and_hourly(tables: dict[str, Series]) -> None:
    for series in tables.values():
        assert set(series.bars) == SYMBOLS
        assert series.seconds == 3600
        for row in series.bars.values():
            assert sorted(row) == list(range(START, END + 1, 3600))


def test_rounded_and_small() -> None:
    for name in NAMES:
        lines = (PRICES / f"{name}.csv").read_text().splitlines()[1:]
        assert all(significant(price) <= DIGITS for line in lines for price in line.split(",")[2:])
        assert (PRICES / f"{name}.csv").stat().st_size < 8192
    assert "Binance" in (PRICES / "README.md").read_text()


def test_venues_differ(tables: dict[str, Series]) -> None:
    """No two of them agree on most hours, of any symbol."""
    names = sorted(NAMES)
    for symbol in SYMBOLS:
        for i, one in enumerate(names):
            for other in names[i + 1 :]:
                pairs = [
                    (tables[one].bars[symbol][t], tables[other].bars[symbol][t])
                    for t in tables[one].bars[symbol]
                ]
                assert sum(a.close != b.close for a, b in pairs) > len(pairs) * 3 // 4


def test_oracles_of_the_episode_disagree_on_every_tick() -> None:
    episode = load_episode()
    market = open_market(episode)
    assert len(market.oracles) >= 3
    for number in range(1, episode.ticks + 1):
        assert market.spread(episode.genesis_slot + number) == len(episode.listings)


def test_true_to_the_recorded_figures(tables: dict[str, Series], data_folder: Path) -> None:
    for name, recorded in NAMES.items():
        source = read_series(data_folder / "prices" / f"2020-03-12_binance_{recorded}_1h.csv.gz")
        for symbol, row in tables[name].bars.items():
            for time, bar in row.items():
                for reading in READINGS.values():
                    exact = reading(source.bars[symbol][time])
                    assert abs(reading(bar) - exact) <= exact / 10 ** (DIGITS - 1) / 2, (name, symbol, time)


OTHER = [
    "2020-03-12_binance_spot_1h",
    "2021-05-19_binance_perp_1h",
    "2022-05-09_binance_mark_1h",
    "2025-04-07_hyperliquid_perp_5m",
]


@pytest.mark.parametrize("name", OTHER)
def test_other_episodes_tick_through_their_own_crash(name: str, data_folder: Path) -> None:
    market = open_market(load_episode(), data_folder / "prices" / f"{name}.csv.gz")
    episode = market.episode
    params = episode.params(market.keys())
    tick, limited, first = genesis_tick(params, episode.genesis_slot), 0, 0
    for number in range(1, episode.ticks + 2):
        slot = episode.genesis_slot + number
        reports = market.reports(params, 7, slot, tick.slot)
        assert len(reports) >= 3
        tick = next_tick(params, tick, slot, [(report.prices, report.rates) for report in reports]).tick
        limited += sum(bool(row.flags & LIMITED) for row in tick.instruments)
        first = first or tick.instruments[1].mark
        assert all(tick.instruments[row.id].mark for row in episode.listings)
    assert tick.instruments[1].mark < first
    if "1h" in name and "mark" not in name:
        assert limited


def _prices(folder: Path, coins: tuple[str, ...], bars: int = 30) -> Path:
    path = folder / "some.csv"
    rows = (PRICES / "perpetual.csv").read_text().splitlines()
    kept = [row for coin in coins for row in [line for line in rows if line.startswith(coin)][:bars]]
    path.write_text("\n".join([rows[0], *kept]) + "\n")
    return path


@pytest.mark.parametrize(("coins", "listed"), [(("BTC", "LTC"), 3), (("ETH", "XRP"), 3), (("BTC", "ETH"), 4)])
def test_a_file_of_two_coins(tmp_path: Path, coins: tuple[str, ...], listed: int) -> None:
    market = open_market(load_episode(), _prices(tmp_path, coins))
    assert {row.series for row in market.episode.listings} == set(coins)
    assert len(market.episode.listings) == listed
    params = market.episode.params(market.keys())
    assert sum(bool(row.flags) for row in params.instruments) == listed


@pytest.mark.parametrize("coins", [("BTC",), ("LTC", "XRP"), ("XRP",)])
def test_a_file_of_too_few_coins(tmp_path: Path, coins: tuple[str, ...]) -> None:
    with pytest.raises(MissingData, match="too few that are listed"):
        open_market(load_episode(), _prices(tmp_path, coins))


def test_a_short_file_is_enough_for_fewer_ticks(tmp_path: Path) -> None:
    path = _prices(tmp_path, ("BTC", "ETH"), bars=6)
    with pytest.raises(MissingData, match="25 steps"):
        open_market(load_episode(), path)
    assert open_market(load_episode(), path, ticks=4).episode.ticks == 4


def test_more_ticks_than_there_are() -> None:
    with pytest.raises(BadInput, match="24 ticks, not 25"):
        open_market(load_episode(), None, 25)


def test_a_file_with_some_of_the_listed_coins(data_folder: Path) -> None:
    market = open_market(load_episode(), data_folder / "prices" / "calm_2025-05_binance_perp_1m.csv.gz")
    assert {row.series for row in market.episode.listings} == {"BTC", "ETH", "XRP"}
