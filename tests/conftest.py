# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("zkmargin", deadline=None)  # a busy machine is no failure
settings.load_profile("zkmargin")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Recorded data outside the project, named by $ZKMARGIN_DATA; without it tests that want it skip."""
    named = os.environ.get("ZKMARGIN_DATA")
    if not named:
        pytest.skip("ZKMARGIN_DATA is not set: no recorded data to test with")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"ZKMARGIN_DATA names {named}, which is not a folder")
    return folder


@pytest.fixture
def fresh_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty build folder, sharing with the real one only the machine code of WebAssembly modules."""
    from zkmargin.toolchain import cache_folder

    code = cache_folder("cache")
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "cache").symlink_to(code)
    monkeypatch.setenv("ZKMARGIN_BUILD", str(folder))
    return folder
