# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying keys handed over in a folder: as they were saved, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts import trapdoor
from zkmargin.errors import MissingData
from zkmargin.protocol.vkeys import is_dev_key, load_vkey, save_vkeys


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of keys, on a machine that has none of its own."""
    monkeypatch.setenv("ZKMARGIN_BUILD", str(tmp_path / "build"))
    save_vkeys(tmp_path / "keys", "small", trapdoor.KEYS, dev_key=False)
    return tmp_path / "keys"


def test_as_saved(keys: Path) -> None:
    for circuit, key in trapdoor.KEYS.items():
        assert load_vkey(circuit, "small", keys) == key
    assert not is_dev_key("small", keys)


def test_none_installed(keys: Path) -> None:
    assert keys.exists()
    with pytest.raises(MissingData, match="no keys of profile 'small'"):
        load_vkey("tick", "small")


def test_without_a_record(keys: Path) -> None:
    """Keys as snarkjs writes them; that they are no development keys nobody says."""
    (keys / "keys.json").unlink()
    assert load_vkey("tick", "small", keys) == trapdoor.KEYS["tick"]
    assert is_dev_key("small", keys)


def test_of_another_profile(keys: Path) -> None:
    with pytest.raises(MissingData, match="are of profile 'small', not 'main'"):
        load_vkey("tick", "main", keys)


def _swap(keys: Path) -> None:
    (keys / "tick.vkey.json").write_text((keys / "settle.vkey.json").read_text())


def _record(text: str) -> Callable[[Path], object]:
    return lambda keys: (keys / "keys.json").write_text(text)


@pytest.mark.parametrize(
    "damage",
    [
        _swap,
        lambda keys: (keys / "tick.vkey.json").unlink(),
        lambda keys: (keys / "tick.vkey.json").write_text("{"),
        lambda keys: (keys / "tick.vkey.json").write_text("[]"),
        lambda keys: (keys / "tick.vkey.json").write_text("{}"),
        _record("{"),
        _record("[]"),
        _record("{}"),
        _record(json.dumps({"circuits": {}})),
        _record(json.dumps({"circuits": {"tick": 1}})),
        _record(json.dumps({"circuits": {"tick": {"vk_hash": "00"}}})),
    ],
)
def test_damaged(keys: Path, damage: Callable[[Path], object]) -> None:
    damage(keys)
    with pytest.raises(MissingData):
        load_vkey("tick", "small", keys)


def test_no_folder(keys: Path) -> None:
    with pytest.raises(MissingData, match="no folder"):
        load_vkey("tick", "small", keys / "none")
