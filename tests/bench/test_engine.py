# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's figures, of a small book."""

from __future__ import annotations

import pytest

from zkmargin.bench import engine
from zkmargin.engine.book import Book
from zkmargin.protocol.model import Tick


def test_both_percentiles_stand_in_rows_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[list[int]] = []
    decide = Book.unhealthy

    def noting(book: Book, tick: Tick) -> list[int]:
        found.append(decide(book, tick))
        return found[-1]

    monkeypatch.setattr(Book, "unhealthy", noting)
    half, most = engine.rows(accounts=1000, samples=20)
    assert (half.name, most.name) == ("engine_ms", "engine_ms_p99")
    assert 0 < half.value <= most.value
    assert half.runs == most.runs == len(found) == 20
    assert half.ratio is not None
    assert most.ratio is not None
    assert half.value == 1000 * (half.wall_s or 0)
    assert any(found)  # some accounts fall below maintenance, most don't
    assert all(len(ids) < 20 for ids in found)
