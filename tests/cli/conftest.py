# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger on a node with a sequencer's folder, made once; each test has a copy of the folder."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.place import Place, ledger_with_deposits, make_place
from contracts.ledger import Bench


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    with ledger_with_deposits() as made:
        yield made


@pytest.fixture(scope="session")
def kept(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return make_place(bench, tmp_path_factory.mktemp("sequencer") / "home")


@pytest.fixture
def place(kept: Place, tmp_path: Path) -> Place:
    return kept.copied(tmp_path / "home")


@pytest.fixture
def closed_port() -> Iterator[str]:
    """The address of a port that refuses connections as long as the test runs."""
    with socket.socket() as taken:  # bound, not listening
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
