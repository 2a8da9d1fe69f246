# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's folder: nothing that a demo did not write is lost, whatever the command is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from zkmargin.cli.main import run
from zkmargin.demo.place import MARK, NAMES, check_place, take_place
from zkmargin.errors import UsageError


def _held(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder as a demo leaves it."""
    folder = tmp_path / "demo"
    take_place(folder)
    for name in NAMES:
        if name.endswith(".json"):
            (folder / name).write_text("{}")
        elif name != MARK:
            (folder / name / "deep").mkdir(parents=True)
            (folder / name / "deep" / "file").write_text("old")
    return folder


@pytest.mark.parametrize("name", ["new", "new/deeper", "empty"])
def test_a_new_or_empty_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    take_place(tmp_path / name)
    assert [path.name for path in (tmp_path / name).iterdir()] == [MARK]


def test_the_last_demo_goes(own: Path) -> None:
    take_place(own)
    assert [path.name for path in own.iterdir()] == [MARK]


def test_another_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"is not empty.*thesis\.tex"):
        take_place(tmp_path)
    assert _held(tmp_path) == {"thesis.tex": "years of work"}


def test_a_sequencers_own_folder_stays(tmp_path: Path) -> None:
    """Names alone make no demo."""
    (tmp_path / "sequencer").mkdir()
    (tmp_path / "deployment.json").write_text("{}")
    with pytest.raises(UsageError, match="no demo made it"):
        take_place(tmp_path)
    assert (tmp_path / "sequencer").is_dir()


def test_what_somebody_kept_in_a_demos_folder_stays(own: Path) -> None:
    (own / "notes.txt").write_text("mine")
    before = _held(own)
    with pytest.raises(UsageError, match=r"notes\.txt, which no demo wrote"):
        take_place(own)
    assert _held(own) == before


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError):
            check_place(path)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is no folder"):
        check_place(tmp_path / "link")
    assert (tmp_path / "file").read_text() == "mine"


PRICES = "symbol,ts,open,high,low,close\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--backend", "foo"], 2, "no proving backend 'foo'"),
        (["--ticks", "0"], 2, "ticks"),
        (["--ticks", "9999"], 2, "has 24 ticks"),
        (["--prices", "none.csv"], 3, "no price file"),
        (["--prices", "empty.csv"], 2, "has no rows"),
        (["--prices", "other.csv"], 3, "DOGE"),
        (["--cluster", "nonsense", "--ticks", "9999"], 2, "has 24 ticks"),
        (["extra"], 2, "extra"),
    ],
)
def test_a_wrong_argument_costs_nothing(
    own: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    monkeypatch.chdir(own.parent)
    Path("empty.csv").write_text(PRICES)
    Path("other.csv").write_text(PRICES + "DOGE,0,1,1,1,1\nDOGE,3600000,1,1,1,1\n")
    before = _held(own)
    assert run(["demo", "--out", str(own), *arguments]) == status
    captured = capfd.readouterr()
    assert words in captured.err
    assert captured.out == ""  # nothing was begun
    assert _held(own) == before


def test_another_folder_stays_for_the_command_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("x")
    assert run(["demo", "--out", str(tmp_path)]) == 2
    assert "no demo made it" in capfd.readouterr().err
    assert _held(tmp_path) == {"mine": "x"}
