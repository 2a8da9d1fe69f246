# SPDX-License-Identifier: GPL-3.0-or-later
"""Price files: `symbol,ts,open,high,low,close[,volume]`, plain or gzipped; ts in milliseconds UTC, bar open.

A bar opens at a multiple of its length; prices are quote per coin.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from zkmargin.errors import BadInput, MissingData

COLUMNS = ("symbol", "ts", "open", "high", "low", "close")
_SHAPE = f"columns: {', '.join(COLUMNS)}[, volume]; ts in milliseconds"
_DECIMAL = re.compile(r"[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_TIME = re.compile(r"[0-9]{1,15}", re.ASCII)
_GZIP_MAGIC = b"\x1f\x8b"


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
    """Bars by symbol (text before the first `_`) and opening time in seconds."""

    name: str
    bars: dict[str, dict[int, Bar]]

    @cached_property
    def seconds(self) -> int:
        """Length of a bar: the most usual distance of two bars in a row; `BadInput` for single bars."""
        gaps: Counter[int] = Counter()
        for row in self.bars.values():
            times = sorted(row)
            gaps.update(later - earlier for earlier, later in pairwise(times))
        if not gaps:
            raise BadInput(f"series {self.name} has one bar a symbol, so that nobody knows how long a bar is")
        return gaps.most_common(1)[0][0]

    def price(self, symbol: str, time: int, reading: Reading) -> Fraction:
        """The reading of the last bar that closed at or before `time`, but less than a bar's length before.

        Raises `MissingData` naming symbol and time when there is none.
        """
        bar = self.bars.get(symbol, {}).get((time // self.seconds - 1) * self.seconds)
        if bar is None:
            raise MissingData(
                f"series {self.name} has no {symbol} bar that closes at {time}",
                hint="give a price file that covers the episode",
            )
        return reading(bar)

    def deepest_fall(self, symbols: Iterable[str], seconds: int, count: int) -> int:
        """Start of the `count` steps of `seconds` in which the sum of relative closing prices falls deepest.

        All `symbols` have a price at the start and at each of the steps' ends. Raises `MissingData` where the
        series holds no such stretch.
        """
        wanted = sorted(set(symbols))
        absent = [symbol for symbol in wanted if symbol not in self.bars]
        if absent:
            raise MissingData(
                f"series {self.name} has no {', '.join(absent)}",
                hint="give a price file that covers the episode",
            )
        closes = [{t + self.seconds for t in self.bars.get(symbol, {})} for symbol in wanted]
        times = sorted(t for t in set.intersection(*closes) if t % seconds == 0) if closes else []
        best: tuple[Fraction, int] | None = None
        for first, start in enumerate(times[: len(times) - count]):
            if times[first + count] != start + count * seconds:
                continue
            worst = min(
                sum(self._close(symbol, t) / self._close(symbol, start) for symbol in wanted)
                for t in times[first : first + count + 1]
            )
            if best is None or worst < best[0]:
                best = (Fraction(worst), start)
        if best is None:
            raise MissingData(
                f"series {self.name} has no {count} steps of {seconds} s in a row of {', '.join(wanted)}",
                hint="give a price file that covers more time, or replay fewer ticks",
            )
        return best[1]

    def _close(self, symbol: str, time: int) -> Fraction:
        return self.bars[symbol][time - self.seconds].close


def _number(text: str, where: str) -> Fraction:
    if not _DECIMAL.fullmatch(text):
        raise BadInput(f"{where}: {text[:40]!r} is not a price", hint="prices are decimal numbers above 0")
    value = Fraction(text)
    if value == 0:
        raise BadInput(f"{where}: price {text} is not above 0")
    return value


def _bar(row: dict[str | None, str], where: str) -> Bar:
    bar = Bar(*(_number(row[name], where) for name in COLUMNS[2:]))
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        raise BadInput(f"{where}: open and close do not lie between low and high")
    return bar


def _rows(lines: Iterable[str], name: str) -> dict[str, dict[int, Bar]]:
    table = csv.DictReader(lines, strict=True)
    missing = [column for column in COLUMNS if column not in (table.fieldnames or ())]
    if missing:
        raise BadInput(f"{name} lacks the column {', '.join(missing)}", hint=_SHAPE)
    bars: dict[str, dict[int, Bar]] = {}
    for row in table:
        where = f"{name} line {table.line_num}"
        if None in row or None in row.values() or not row["symbol"] or not _TIME.fullmatch(row["ts"]):
            raise BadInput(f"{where} is malformed", hint=_SHAPE)
        symbol, time = row["symbol"].split("_")[0], int(row["ts"]) // 1000
        of_symbol = bars.setdefault(symbol, {})
        if time in of_symbol:
            raise BadInput(f"{where}: a second {symbol} bar that opens at {time}")
        of_symbol[time] = _bar(row, where)
    if not bars:
        raise BadInput(f"{name} has no rows")
    return bars


def read_series(path: Path) -> Series:
    """Read a price file; raises `BadInput` with the line of the first malformed row."""
    if not path.is_file():
        raise MissingData(f"there is no price file {path}", hint="name an existing file")
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP_MAGIC
        with gzip.open(path, "rt", newline="") if packed else path.open(newline="") as lines:
            return Series(path.name.split(".")[0], _rows(lines, path.name))
    except (UnicodeDecodeError, csv.Error, OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path.name} can't be read as a price file: {error}", hint=_SHAPE) from error
