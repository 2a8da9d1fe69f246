# SPDX-License-Identifier: GPL-3.0-or-later
"""Price files: read exactly, and refused with the line that is wrong."""

from __future__ import annotations

import gzip
from fractions import Fraction
from pathlib import Path

import pytest

from zkmargin.errors import BadInput, MissingData
from zkmargin.oracle.series import READINGS, Series, read_series

HEAD = "symbol,ts,open,high,low,close\n"
HOUR = 3600


def rows(*closes: str, symbol: str = "BTC_USDT", start: int = 0, seconds: int = HOUR) -> str:
    """Bars in a row, each with open, high, low and close alike."""
    return "".join(
        f"{symbol},{(start + i * seconds) * 1000},{close},{close},{close},{close}\n"
        for i, close in enumerate(closes)
    )


def written(folder: Path, text: str, name: str = "table.csv") -> Series:
    path = folder / name
    path.write_text(text)
    return read_series(path)


def test_bars_are_read_exactly(tmp_path: Path) -> None:
    text = "symbol,ts,open,high,low,close,volume\nBTC_USDT,3600000,7715.4,7756.4,7.5e3,7643.3,12.5\n"
    series = written(tmp_path, text + "BTC_USDT,7200000,1,1,1,1,0\n")
    bar = series.bars["BTC"][HOUR]
    assert (bar.open, bar.high, bar.low, bar.close) == (
        Fraction("7715.4"), Fraction("7756.4"), 7500, Fraction("7643.3"),
    )  # fmt: skip
    assert READINGS["close"](bar) == Fraction("7643.3")
    assert READINGS["middle"](bar) == Fraction("7628.2")
    assert READINGS["typical"](bar) == (Fraction("7756.4") + 7500 + Fraction("7643.3")) / 3
    assert (
        READINGS["average"](bar) == Fraction("7715.4") / 4 + (Fraction("7756.4") + 7500) / 4 + bar.close / 4
    )
    assert series.name == "table"


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    series = written(tmp_path, "close,low,ts,high,symbol,open\n2,1,0,3,ETH,2\n2,1,60000,3,ETH,2\n")
    assert series.bars["ETH"][0].high == 3
    assert series.seconds == 60


@pytest.mark.parametrize("name", ["table.csv.gz", "table.csv"])
def test_packed_files_are_known_by_their_content(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress((HEAD + rows("5", "6")).encode()))
    assert read_series(path).price("BTC", 2 * HOUR, READINGS["close"]) == 6


def test_the_price_at_a_time_is_of_the_last_bar_that_closed(tmp_path: Path) -> None:
    hourly = written(tmp_path, HEAD + rows("5", "6", "7"))
    for time, price in ((HOUR, 5), (2 * HOUR - 1, 5), (2 * HOUR, 6), (3 * HOUR, 7), (4 * HOUR - 1, 7)):
        assert hourly.price("BTC", time, READINGS["close"]) == price
    for time in (0, HOUR - 1, 4 * HOUR):
        with pytest.raises(MissingData, match=f"no BTC bar that closes at {time}"):
            hourly.price("BTC", time, READINGS["close"])
    with pytest.raises(MissingData, match="no ETH bar"):
        hourly.price("ETH", HOUR, READINGS["close"])
    fine = written(tmp_path, HEAD + rows(*(str(i + 1) for i in range(30)), seconds=300), "fine.csv")
    assert fine.seconds == 300
    assert fine.price("BTC", 2 * HOUR, READINGS["close"]) == 24


def test_a_missing_bar_is_missed_and_does_not_change_the_length(tmp_path: Path) -> None:
    text = HEAD + rows("5", "6", "7") + rows("8", start=5 * HOUR)
    series = written(tmp_path, text)
    assert series.seconds == HOUR
    with pytest.raises(MissingData, match="give a price file that covers"):
        series.price("BTC", 5 * HOUR, READINGS["close"])


def test_the_deepest_fall(tmp_path: Path) -> None:
    closes = ["100", "110", "104", "100", "60", "90", "40", "70", "80"]
    series = written(tmp_path, HEAD + rows(*closes) + rows(*["10"] * 9, symbol="ETH"))
    # Bars close an hour after they open: 110 at hour 2, 90 at hour 6, 40 at hour 7.
    assert series.deepest_fall(["BTC", "ETH"], HOUR, 2) == 6 * HOUR
    assert series.deepest_fall(["BTC"], HOUR, 5) == 2 * HOUR
    assert series.deepest_fall(["BTC"], 2 * HOUR, 1) == 6 * HOUR
    with pytest.raises(MissingData, match="no 9 steps of 3600 s in a row of BTC, ETH"):
        series.deepest_fall(["BTC", "ETH"], HOUR, 9)
    with pytest.raises(MissingData, match="has no LTC, XRP"):
        series.deepest_fall(["XRP", "BTC", "LTC"], HOUR, 2)


GOOD = "BTC_USDT,0,5,6,4,5\n"
BAD: dict[str, tuple[str, str]] = {
    "an empty file": ("", "lacks the column symbol, ts, open, high, low, close"),
    "a column missing": ("symbol,ts,open,high,low\nBTC,0,1,1,1\n", "lacks the column close"),
    "a head alone": (HEAD, "has no rows"),
    "a short row": (HEAD + GOOD + "BTC_USDT,3600000,5,6,4\n", "line 3 is malformed"),
    "a long row": (HEAD + GOOD + "BTC_USDT,3600000,5,6,4,5,9,9\n", "line 3 is malformed"),
    "no symbol": (HEAD + ",0,5,6,4,5\n", "line 2 is malformed"),
    "a time with a fraction": (HEAD + "BTC,1.5,5,6,4,5\n", "line 2 is malformed"),
    "a negative time": (HEAD + "BTC,-1,5,6,4,5\n", "line 2 is malformed"),
    "a time in other digits": (HEAD + "BTC,²,5,6,4,5\n", "line 2 is malformed"),
    "a word for a price": (HEAD + GOOD + "BTC,3600000,5,6,4,five\n", "line 3: 'five' is not a price"),
    "not a number": (HEAD + "BTC,0,nan,6,4,5\n", "line 2: 'nan' is not a price"),
    "infinity": (HEAD + "BTC,0,5,inf,4,5\n", "line 2: 'inf' is not a price"),
    "a fraction": (HEAD + "BTC,0,5,6,1/3,5\n", "line 2: '1/3' is not a price"),
    "a price below 0": (HEAD + "BTC,0,5,6,-4,5\n", "line 2: '-4' is not a price"),
    "a price of 0": (HEAD + "BTC,0,5,6,0.00,5\n", "line 2: price 0.00 is not above 0"),
    "a price that would fill the memory": (HEAD + "BTC,0,5,1e999999999,4,5\n", "is not a price"),
    "high below close": (HEAD + "BTC,0,5,6,4,7\n", "line 2: open and close do not lie between low and high"),
    "low above open": (HEAD + "BTC,0,3,6,4,5\n", "line 2: open and close do not lie"),
    "one bar twice": (HEAD + GOOD + GOOD, "line 3: a second BTC bar that opens at 0"),
    "two quotes of one coin": (HEAD + GOOD + "BTC_EUR,0,5,6,4,5\n", "line 3: a second BTC bar"),
    "an open quotation": (HEAD + '"BTC,0,5,6,4,5\n', "can't be read as a price file"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_malformed_files(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        written(tmp_path, text)
    assert words in caught.value.message
    assert "table.csv" in caught.value.message


def test_files_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    packed = gzip.compress((HEAD + rows(*["5"] * 500)).encode())
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 0xFF
    for data in (b"\xff\xfe\x00", packed[: len(packed) // 2], bytes(damaged), b"\x1f\x8b"):
        path.write_bytes(data)
        with pytest.raises(BadInput, match=r"table\.csv"):
            read_series(path)


def test_no_file_and_no_length(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="there is no price file"):
        read_series(tmp_path / "nowhere.csv")
    with pytest.raises(MissingData, match="there is no price file"):
        read_series(tmp_path)
    single = written(tmp_path, HEAD + GOOD)
    with pytest.raises(BadInput, match="nobody knows how long a bar is"):
        single.price("BTC", HOUR, READINGS["close"])


PRICE_FILES = [
    ("2020-03-12_binance_perp_1h", 3600),
    ("2020-03-12_binance_spot_15m", 900),
    ("2021-05-19_binance_spot_1m_a", 60),
    ("2025-04-07_hyperliquid_perp_5m", 300),
]


@pytest.mark.parametrize(("name", "seconds"), PRICE_FILES)
def test_recorded_files_of_every_length(data_folder: Path, name: str, seconds: int) -> None:
    series = read_series(data_folder / "prices" / f"{name}.csv.gz")
    assert series.seconds == seconds
    assert len(series.bars) >= 3


def test_recorded_falls_are_the_crashes(data_folder: Path) -> None:
    """The day of 12 March 2020 and that of 19 May 2021, at the hour."""
    for name, start in (
        ("2020-03-12_binance_perp_1h", 1583978400),
        ("2021-05-19_binance_perp_1h", 1621386000),
    ):
        series = read_series(data_folder / "prices" / f"{name}.csv.gz")
        assert series.deepest_fall(["BTC", "ETH", "LTC", "XRP"], HOUR, 24) == start


def test_funding_files_are_no_price_files(data_folder: Path) -> None:
    with pytest.raises(BadInput, match="lacks the column high, low, close"):
        read_series(data_folder / "prices" / "2025-04-07_binance_perp_funding.csv.gz")
