# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixed records that tests and vectors share."""

from __future__ import annotations

import random

from zkmargin.protocol.constants import COLLATERAL, PERPETUAL, RATE_ONE, P, load
from zkmargin.protocol.eddsa import keypair
from zkmargin.protocol.model import Account, Holding, InstrumentParams, InstrumentTick, Params, Tick

SMALL = load().profile("small")


def oracle_keys(count: int = SMALL.oracles) -> tuple[tuple[int, int], ...]:
    keys = [keypair(f"oracle {number}".encode()) for number in range(count)]
    return tuple((key.ax, key.ay) for key in keys)


def params() -> Params:
    """Two perpetuals at 1 and 2, one collateral at 9."""
    perpetual = InstrumentParams(
        symbol="BTC-PERP",
        flags=PERPETUAL,
        jump=RATE_ONE // 10,
        funding_cap=RATE_ONE // 1000,
        mmr=(RATE_ONE // 200, RATE_ONE // 100, RATE_ONE // 50, RATE_ONE // 20),
        imr=(RATE_ONE // 100, RATE_ONE // 50, RATE_ONE // 25, RATE_ONE // 10),
        bounds=(1000, 10_000, (1 << 48) - 1),
        step="0.0001",
    )
    collateral = InstrumentParams(
        symbol="ETH", flags=COLLATERAL, haircut=RATE_ONE // 10, jump=RATE_ONE, step="0.001"
    )
    table = [InstrumentParams.unlisted()] * SMALL.instruments
    table[1], table[2], table[9] = (
        perpetual,
        InstrumentParams(**{**_fields(perpetual), "symbol": "ETH-PERP"}),
        collateral,
    )
    return Params(
        tau=RATE_ONE + RATE_ONE // 10,
        penalty_rate=RATE_ONE // 50,
        bidder_share=RATE_ONE // 2,
        slot_seconds=3600,
        oracle_keys=oracle_keys(),
        instruments=tuple(table),
    )


def _fields(row: InstrumentParams) -> dict[str, object]:
    return {name: getattr(row, name) for name in InstrumentParams.__dataclass_fields__}


def tick() -> Tick:
    """Random numbers over the whole ranges, signed ones negative as well."""
    source = random.Random(11)

    def row() -> InstrumentTick:
        def price() -> int:
            return source.getrandbits(64)

        return InstrumentTick(
            flags=source.choice([0, 1, 2, 5, 6]), mark=price(), raw=price(),
            funding=source.randrange(-(1 << 64) + 1, 1 << 64),
            bounds=tuple(sorted(source.getrandbits(48) for _ in range(3))), equity=price() - price(),
            worst_long=price() - price(), worst_short=price() - price(),
            maintenance=tuple(price() for _ in range(4)), initial=tuple(price() for _ in range(4)),
            move=price(),
        )  # fmt: skip

    rows = tuple(row() for _ in range(SMALL.instruments))
    return Tick(440_000, 1_584_000_000, RATE_ONE * 11 // 10, RATE_ONE // 50, RATE_ONE // 2, rows)


ACCOUNTS = {
    "empty": Account.empty(),
    "backstop of instrument 3": Account(id=3),
    "one long": Account(20, 1, 0xF39F, 12345, 10**15, (Holding(1, 0, 0, 7), *(None,) * 11)),
    "negative balance, short in the last slot": Account(
        21, 0, (1 << 160) - 1, P - 1, -(10**20), (*(None,) * 11, Holding(2, 3, 1, 1))
    ),
    "every field at its largest": Account(
        (1 << 32) - 1,
        (1 << 32) - 1,
        (1 << 160) - 1,
        P - 1,
        (1 << 120) - 1,
        tuple(Holding(k, 3, 1, (1 << 48) - 1) for k in range(4, 16)),
    ),
    "balance at its lowest": Account(22, balance=1 - (1 << 120)),
}
