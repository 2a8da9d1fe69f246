# SPDX-License-Identifier: GPL-3.0-or-later
"""Price files: `symbol,ts,open,high,low,close[,volume]`, plain or gzipped; ts in milliseconds UTC, bar open."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from zkmargin.errors import BadInput, MissingData

COLUMNS = ("symbol", "ts", "open", "high", "low", "close")


@dataclass(frozen=True)
class Bar:
    """One bar; prices in quote per coin."""

    open: Fraction
    high: Fraction
    low: Fraction
    close: Fraction


Reading = Callable[[Bar], Fraction]
READINGS: dict[str, Reading] = {
    "close": lambda bar: bar.close,
    "typical": lambda bar: (bar.high + bar.low + bar.close) / 3,
    "middle": lambda bar: (bar.high + bar.low) / 2,
    "average": lambda bar: (bar.open + bar.high + bar.low + bar.close) / 4,
}


@dataclass(frozen=True)
class Series:
    """Bars by symbol (text before the first `_`) and bar time in seconds."""

    name: str
    bars: dict[str, dict[int, Bar]]

    def price(self, symbol: str, time: int, seconds: int, reading: Reading) -> Fraction:
        """The reading of the last bar that closed at or before `time`, of bars `seconds` long.

        Raises `MissingData` naming symbol and time when there is none within one bar's length.
        """
        bar = self.bars.get(symbol, {}).get((time // seconds - 1) * seconds)
        if bar is None:
            raise MissingData(
                f"series {self.name} has no {symbol} bar that closes at {time}",
                hint="give a price file that covers the episode",
            )
        return reading(bar)


def _number(text: str, where: str) -> Fraction:
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise BadInput(f"{where}: {text!r} is not a number", hint="prices are decimal numbers") from None
    if value <= 0:
        raise BadInput(f"{where}: price {text} is not above 0")
    return value


def read_series(path: Path) -> Series:
    """Read a price file; raises `BadInput` with the line of the first malformed row."""
    if not path.is_file():
        raise MissingData(f"there is no price file {path}", hint="name an existing file")
    opened = gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="")
    bars: dict[str, dict[int, Bar]] = {}
    with opened as lines:
        try:
            rows = csv.DictReader(lines)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise BadInput(
                    f"{path.name} lacks the column {', '.join(missing)}",
                    hint=f"columns: {', '.join(COLUMNS)}",
                )
            for row in rows:
                where = f"{path.name} line {rows.line_num}"
                if any(row[name] is None for name in COLUMNS) or not row["ts"].isdigit():
                    raise BadInput(
                        f"{where} is malformed", hint=f"columns: {', '.join(COLUMNS)}; ts in milliseconds"
                    )
                bar = Bar(*(_number(row[name], where) for name in COLUMNS[2:]))
                bars.setdefault(row["symbol"].split("_")[0], {})[int(row["ts"]) // 1000] = bar
        except (UnicodeDecodeError, csv.Error, OSError, EOFError) as error:
            raise BadInput(f"{path.name} can't be read as a price file: {error}") from error
    if not bars:
        raise BadInput(f"{path.name} has no rows")
    return Series(path.name.split(".")[0], bars)
