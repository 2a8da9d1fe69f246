# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a measured row: its bar, its place in bench.json, its line in the table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zkmargin.bench import __main__ as command
from zkmargin.bench import rows as module
from zkmargin.bench.rows import Row, keep, show
from zkmargin.toolchain import Report

FIELDS = {"name", "value", "unit", "baseline", "ratio", "cpu_s", "wall_s", "runs", "bar", "met"}


def kept(path: Path) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(path.read_text())["rows"]}


@pytest.mark.parametrize(
    ("bar", "value", "ratio", "met"),
    [
        ("", 1.0, 9.0, None),
        ("at least 2", 2.0, None, True),
        ("at least 2", 1.9, None, False),
        ("at most 1.03", 1.03, None, True),
        ("at most 1.03", 1.031, None, False),
        ("at least 1.7", 0.1, 1.7, True),  # a ratio goes before the value
        ("at least 1.7", 99.0, 1.69, False),
        ("at most 0.62", 500_000.0, 0.5, True),
    ],
)
def test_a_bar_is_met_or_not(bar: str, value: float, ratio: float | None, met: bool | None) -> None:
    assert Row("x", value, "s", ratio=ratio, bar=bar).met is met


def test_the_newest_of_a_name_stays_and_so_do_the_others(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    keep([Row("a", 1, "s"), Row("b", 2, "s", "c", 3.0, 0.1, 0.2, 4, "at least 3")], path)
    keep([Row("c", 3, "s"), Row("a", 9, "ms")], path)
    assert list(kept(path)) == ["a", "b", "c"]
    assert (kept(path)["a"]["value"], kept(path)["a"]["unit"]) == (9, "ms")
    assert kept(path)["b"]["met"] is True
    assert all(set(row) == FIELDS | {"at", "load"} for row in kept(path).values())
    assert set(json.loads(path.read_text())["machine"]) == {"cpu", "cores", "system", "python"}
    assert [file.name for file in path.parent.iterdir()] == ["bench.json"]


def test_rows_of_another_machine_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bench.json"
    keep([Row("a", 1, "s")], path)
    monkeypatch.setattr(module, "machine", lambda: {"cpu": "another"})
    keep([Row("b", 2, "s")], path)
    assert list(kept(path)) == ["b"]


@pytest.mark.parametrize("text", ["", "[]", '{"rows": 1}', '{"machine": {}, "rows": [3]}'])
def test_a_file_that_is_none_of_ours_is_made_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text)
    keep([Row("a", 1, "s")], path)
    assert list(kept(path)) == ["a"]


def test_rows_before_a_failure_are_kept(fresh_build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(report: Report | None) -> Iterator[Row]:
        yield Row("before", 1, "s")
        raise OSError("no more room")

    monkeypatch.setitem(command.SECTIONS, "failing", failing)
    with pytest.raises(OSError, match="no more room"):
        command.main(["failing"])
    assert list(kept(fresh_build / "bench.json")) == ["before"]


def test_an_unknown_section_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["speed"]) == 2
    assert "no section speed" in capsys.readouterr().err


def test_the_table_says_which_bars_are_missed(capsys: pytest.CaptureFixture[str]) -> None:
    bar = "at least 5"
    show([Row("good", 5, "s", bar=bar), Row("bad", 4.25, "s", bar=bar), Row("free", 11177712.0, "s")])
    lines = {line.split("│")[1].strip(): line for line in capsys.readouterr().out.splitlines() if "│" in line}
    assert "yes" in lines["good"]
    assert "NO" in lines["bad"]
    assert "4.25 s" in lines["bad"]
    assert "11,177,712 s" in lines["free"]
    assert "yes" not in lines["free"]
    assert "NO" not in lines["free"]
