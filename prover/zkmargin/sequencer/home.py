# SPDX-License-Identifier: GPL-3.0-or-later
"""A sequencer's folder: what it was set up with, and its state for whoever only reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zkmargin.engine.ticks import genesis_tick
from zkmargin.errors import BadInput, ChainUnreachable, MissingData
from zkmargin.protocol.constants import load
from zkmargin.protocol.model import Params, Tick
from zkmargin.sequencer.journal import Journal
from zkmargin.sequencer.snapshot import last_state
from zkmargin.state.ledger import Ledger
from zkmargin.state.store import Store

if TYPE_CHECKING:
    from zkmargin.chain.client import LedgerClient
    from zkmargin.sequencer.service import Setup

_FILE = "setup.json"


def write_setup(setup: Setup) -> None:
    """Write what a restart needs; the poster's key is not among it."""
    record: dict[str, Any] = {
        **{name: getattr(setup, name) for name in ("chain_id", "ledger", "rpc", "from_block", "profile")},
        "genesis_slot": setup.genesis_slot,
        "params": setup.params.to_json(),
    }
    setup.home.mkdir(parents=True, exist_ok=True)
    draft = setup.home / (_FILE + ".new")
    draft.write_text(json.dumps(record, indent=1) + "\n")
    draft.replace(setup.home / _FILE)


def read_setup(home: Path, poster_key: str = "") -> Setup:
    """The setup of an existing folder; raises `MissingData` when there is none."""
    from zkmargin.sequencer.service import Setup

    path = home / _FILE
    if not path.is_file():
        raise MissingData(
            f"there is no sequencer in {home}", hint="run `make demo` first, or name its folder by --home"
        )
    try:
        raw = json.loads(path.read_text())
        return Setup(
            home,
            _number(raw, "chain_id"),
            str(raw["ledger"]),
            _number(raw, "from_block"),
            str(raw["profile"]),
            Params.from_json(raw["params"]),
            _number(raw, "genesis_slot"),
            poster_key,
            str(raw["rpc"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise BadInput(f"{path} is malformed: {error!r}", hint="it is what the sequencer wrote") from error


def _number(raw: Any, name: str) -> int:
    value = raw[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} {value!r} is no whole number")
    return int(value)


def check_files(home: Path) -> None:
    """Raise `MissingData` where one of journal and state is gone that the other one needs."""
    if (home / "state.sqlite").exists() and not (home / "journal.sqlite").exists():
        raise MissingData(
            f"the journal {home / 'journal.sqlite'} is gone, but there is a state",
            hint="bring it back from a copy: without it a sequencer would begin at batch 1 again",
            code="no_journal",
        )


def connect(setup: Setup) -> LedgerClient:
    """The sequencer's ledger on its node; `ChainUnreachable` where that does not answer."""
    from zkmargin.chain.client import LedgerClient

    try:
        return LedgerClient.at(setup.rpc, setup.ledger)
    except ChainUnreachable as error:
        raise ChainUnreachable(
            error.message,
            hint=f"start the node named in {setup.home / _FILE}; `zkmargin demo --keep-running` keeps one",
        ) from error


def check_chain(setup: Setup, client: LedgerClient) -> None:
    """Raise `BadInput` where a node is on another chain than the sequencer's ledger."""
    if client.chain_id != setup.chain_id:
        raise BadInput(
            f"the node is on chain {client.chain_id}, the sequencer's ledger on chain {setup.chain_id}",
            hint="connect to a node of that chain",
            code="other_chain",
        )


def open_home(home: Path) -> tuple[Ledger, Tick, Params]:
    """Ledger, tick and parameters as last decided, read only."""
    setup = read_setup(home)
    check_files(home)
    if not (home / "state.sqlite").exists():
        raise MissingData(
            f"there is no state {home / 'state.sqlite'}",
            hint="start the sequencer: it makes it from the journal",
        )
    profile = load().profile(setup.profile)
    store = Store(home / "state.sqlite", profile)
    journal = Journal(home / "journal.sqlite")
    try:
        genesis = genesis_tick(setup.params, setup.genesis_slot)
        ledger, tick, _ = last_state(journal, store, profile, genesis)
        return ledger, tick, setup.params
    finally:
        store.close()
        journal.close()
