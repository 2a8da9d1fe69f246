# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin account ID`: one account as the sequencer has it, with every number behind its margin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from zkmargin.engine.margin import initial_of, maintenance_of, risk, worst_of
from zkmargin.engine.prices import bankruptcy_price, liquidation_price
from zkmargin.protocol.constants import FINE
from zkmargin.sequencer.home import open_home

DEFAULT_HOME = Path("build/demo/sequencer")


def account_record(home: Path, account_id: int) -> dict[str, Any]:
    """Equity, margins, health and the holdings they come from; integers in fine units, as strings.

    Raises `MissingData` when there is no sequencer in `home`, `BadInput` for an unknown account.
    """
    ledger, tick, params = open_home(home)
    account = ledger.account(account_id)
    now = risk(account, tick)
    holdings = []
    for held in account.slots:
        if held is None:
            continue
        row = tick.instruments[held.instrument]
        holdings.append(
            {
                "instrument": held.instrument,
                "symbol": params.instruments[held.instrument].symbol,
                "step": params.instruments[held.instrument].step,
                "side": "short" if held.side else "long",
                "size": str(held.size),
                "tier": held.tier,
                "mark": str(row.mark),
                "funding": str(row.funding),
                "equity": str(held.signed * row.equity),
                "worst": str(worst_of(row, held.signed)),
                "maintenance": str(maintenance_of(row, held)),
                "initial": str(initial_of(row, held)),
                "liquidation_price": _text(liquidation_price(account, tick, params, held.instrument)),
                "bankruptcy_price": _text(bankruptcy_price(account, tick, params, held.instrument)),
            }
        )
    return {
        "id": account.id,
        "leaf": ledger.index_of(account_id),
        "nonce": account.nonce,
        "address": f"0x{account.address:040x}",
        "slot": tick.slot,
        "balance": str(account.balance),
        "equity": str(now.equity),
        "maintenance": str(now.maintenance),
        "worst": str(now.worst),
        "initial": str(now.initial),
        "health": str(now.health),
        "free_initial": str(now.free_initial),
        "holdings": holdings,
    }


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _quote(fine: str | int) -> str:
    return f"{int(fine) / FINE / 1e6:,.6f}"


def account_command(
    account_id: Annotated[int, typer.Argument(metavar="ID", help="Account id.")],
    home: Annotated[Path, typer.Option(help="The sequencer's folder.")] = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Show an account: equity, margins, health, liquidation prices, and every number behind them."""
    record = account_record(home, account_id)
    if as_json:
        print(json.dumps(record, indent=1))
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"account {record['id']} at slot {record['slot']}, leaf {record['leaf']}, nonce {record['nonce']}, "
        f"owned by {record['address']}; quote units"
    )
    for name in ("balance", "equity", "maintenance", "health", "worst", "initial", "free_initial"):
        console.print(f"  {name.replace('_', ' '):26} {_quote(record[name]):>24}")
    for row in record["holdings"]:
        console.print(
            f"{row['side']} {row['size']} steps of {row['step']} {row['symbol']}, tier {row['tier']}"
        )
        for name in ("mark", "liquidation_price", "bankruptcy_price"):
            text = _quote(row[name]) if row[name] is not None else "never"
            console.print(f"  {name.replace('_', ' ') + ', a step':26} {text:>24}")
        for name in ("equity", "worst", "maintenance", "initial"):
            console.print(f"  {name:26} {_quote(row[name]):>24}")
