# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin account ID`: one account as the sequencer has it, with every number behind its margin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from zkmargin.engine.margin import initial_of, is_limited, maintenance_of, risk, worst_of
from zkmargin.engine.prices import bankruptcy_price, liquidation_price
from zkmargin.engine.touching import QUOTE_BASE_UNITS, quote_text
from zkmargin.protocol.constants import FINE, PERPETUAL, RATE_ONE
from zkmargin.protocol.model import Account, Holding, Params, Tick
from zkmargin.sequencer.home import open_home

DEFAULT_HOME = Path("build/demo/sequencer")
_ACCOUNT = ("balance", "equity", "maintenance", "health", "worst", "initial", "free_initial")
_PRICES = ("mark", "liquidation_price", "bankruptcy_price")
_VALUES = ("equity", "worst", "maintenance", "initial")
_NARROW = 26


def account_record(home: Path, account_id: int) -> dict[str, Any]:
    """Equity, margins, health and the holdings they come from.

    Integers are strings: amounts and prices of a step in fine units, rates times 2^32, bounds in steps.
    `*_per_coin` are decimal numbers in quote. Raises `MissingData` when there is no sequencer in `home`,
    `BadInput` for an unknown account.
    """
    ledger, tick, params = open_home(home)
    account = ledger.account(account_id)
    now = risk(account, tick)
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
        "tau": str(tick.tau),
        "penalty_rate": str(tick.penalty_rate),
        "bidder_share": str(tick.bidder_share),
        "holdings": [_holding(account, held, tick, params) for held in account.slots if held is not None],
    }


def _holding(account: Account, held: Holding, tick: Tick, params: Params) -> dict[str, Any]:
    row, terms = tick.instruments[held.instrument], params.instruments[held.instrument]
    prices = {
        "mark": row.mark,
        "liquidation_price": liquidation_price(account, tick, params, held.instrument),
        "bankruptcy_price": bankruptcy_price(account, tick, params, held.instrument),
    }
    return {
        "instrument": held.instrument,
        "symbol": terms.symbol,
        "kind": "perpetual" if terms.flags == PERPETUAL else "collateral",
        "step": terms.step,
        "side": "short" if held.side else "long",
        "size": str(held.size),
        "tier": held.tier,
        "limited": is_limited(row),
        "funding": str(row.funding),
        **{name: _text(price) for name, price in prices.items()},
        **{f"{name}_per_coin": _per_coin(price, terms.step) for name, price in prices.items()},
        "equity": str(held.signed * row.equity),
        "worst": str(worst_of(row, held.signed)),
        "maintenance": str(maintenance_of(row, held)),
        "initial": str(initial_of(row, held)),
        "unit_values": {
            "equity": str(row.equity),
            "worst_long": str(row.worst_long),
            "worst_short": str(row.worst_short),
            "maintenance": str(row.maintenance[held.tier]),
            "initial": str(row.initial[held.tier]),
        },
        "haircut": str(terms.haircut),
        "jump": str(terms.jump),
        "funding_cap": str(terms.funding_cap),
        "maintenance_rates": [str(rate) for rate in terms.mmr],
        "initial_rates": [str(rate) for rate in terms.imr],
        "bounds": [str(bound) for bound in terms.bounds],
    }


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _per_coin(price: int | None, step: str) -> str | None:
    """Quote per coin of a price of a step in fine units, to six digits after the point."""
    if price is None or not step:
        return None
    return f"{float(Fraction(price, FINE * QUOTE_BASE_UNITS) / Fraction(step)):.6f}"


def _percent(rate: str) -> str:
    return f"{100 * int(rate) / RATE_ONE:.4g}%"


def _percents(rates: Sequence[str]) -> str:
    return ", ".join(map(_percent, rates))


def _shown(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The account's own lines: name, in quote, in fine units."""
    return [(name.replace("_", " "), quote_text(int(record[name])), record[name]) for name in _ACCOUNT]


def _shown_holding(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    """A holding's lines of the same form; prices are of a coin, beside them of a step in fine units."""
    lines = []
    for name in _PRICES:
        coin = row[f"{name}_per_coin"]
        words = (
            "never" if row[name] is None else f"{float(coin):,.6f}" if coin else quote_text(int(row[name]))
        )
        lines.append((name.replace("_", " ") + ", a coin", words, row[name] or ""))
    lines += [(name, quote_text(int(row[name])), row[name]) for name in _VALUES]
    for name, value in row["unit_values"].items():
        lines.append((name.replace("_", " ") + ", a step", quote_text(int(value)), value))
    if row["kind"] == "perpetual":
        lines.append(("funding index, a step", quote_text(int(row["funding"])), row["funding"]))
    return lines


def _terms(row: dict[str, Any]) -> str:
    limited = "; its mark is held back by the jump limit" if row["limited"] else ""
    if row["kind"] == "collateral":
        return f"  haircut {_percent(row['haircut'])}, jump limit {_percent(row['jump'])}{limited}"
    return (
        f"  rates by tier: maintenance {_percents(row['maintenance_rates'])}; "
        f"initial {_percents(row['initial_rates'])}; tiers end at {', '.join(row['bounds'])} steps\n"
        f"  jump limit {_percent(row['jump'])}, "
        f"funding at most {_percent(row['funding_cap'])} a slot{limited}"
    )


def _print(console: Console, lines: Sequence[tuple[str, str, str]]) -> None:
    for name, quote, raw in lines:
        console.print(f"  {name:{_NARROW}} {quote:>22} {raw:>28}")


def account_command(
    account_id: Annotated[int, typer.Argument(metavar="ID", help="Account id.")],
    home: Annotated[Path, typer.Option(help="The sequencer's folder.")] = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Show an account: equity, margins, health, liquidation prices, and every number behind them.

    Amounts are in quote, and beside that in the fine units that proofs count in, 2^-32 of a quote base unit.
    """
    record = account_record(home, account_id)
    if as_json:
        print(json.dumps(record, indent=1))
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"account {record['id']} at slot {record['slot']}, leaf {record['leaf']}, nonce {record['nonce']}, "
        f"owned by {record['address']}"
    )
    _print(console, [("", "in quote", "in fine units"), *_shown(record)])
    console.print(
        f"  a liquidation restores equity to {int(record['tau']) / RATE_ONE:g} times maintenance; penalty "
        f"{_percent(record['penalty_rate'])} of what is released, {_percent(record['bidder_share'])} of it "
        f"the taker's"
    )
    for row in record["holdings"]:
        console.print(
            f"{row['side']} {row['size']} steps of {row['step']} {row['symbol']}, tier {row['tier']}"
        )
        _print(console, _shown_holding(row))
        console.print(_terms(row))
