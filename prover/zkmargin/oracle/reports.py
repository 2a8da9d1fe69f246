# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed reports, and the board that collects a slot's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.errors import BadInput, Refused
from zkmargin.protocol.constants import BITS, PACKING
from zkmargin.protocol.eddsa import KeyPair, sign, verify
from zkmargin.protocol.hashes import params_hash, report_message
from zkmargin.protocol.model import Params, Signature

RATE_LIMIT = 1 << (BITS["report_rate"] - 1)


@dataclass(frozen=True)
class Report:
    """What one oracle says of a slot: prices (fine units per step) and funding rates, of the whole table."""

    signer: int
    slot: int
    previous_slot: int
    prices: tuple[int, ...]
    rates: tuple[int, ...]
    signature: Signature


def make_report(
    key: KeyPair,
    signer: int,
    domain: int,
    params: Params,
    slot: int,
    previous_slot: int,
    prices: Sequence[int],
    rates: Sequence[int],
) -> Report:
    """Sign a report; raises `BadInput` for a price or rate that no report can carry."""
    for value in prices:
        if not 0 <= value < 1 << PACKING["report_pair"]["price_a"]:
            raise BadInput(
                f"price {value} does not fit a report", hint="choose a smaller step for the instrument"
            )
    for rate in rates:
        if not -RATE_LIMIT <= rate < RATE_LIMIT:
            raise BadInput(f"funding rate {rate} does not fit a report")
    message = report_message(domain, params_hash(params), slot, previous_slot, prices, rates)
    return Report(signer, slot, previous_slot, tuple(prices), tuple(rates), sign(key, message))


class Board:
    """Collects the reports of one slot, refusing what no proof could use."""

    def __init__(self, domain: int, params: Params, quorum: int, slot: int, previous_slot: int) -> None:
        self.domain, self.params, self.quorum = domain, params, quorum
        self.slot, self.previous_slot = slot, previous_slot
        self.reports: dict[int, Report] = {}
        self._params_hash = params_hash(params)

    def add(self, report: Report) -> None:
        """Take a report, or raise `Refused` saying what is wrong with it."""
        if not 0 <= report.signer < len(self.params.oracle_keys):
            raise Refused(f"there is no oracle {report.signer}", code="unknown_signer")
        if report.signer in self.reports:
            raise Refused(
                f"oracle {report.signer} has reported slot {self.slot} already", code="signed_twice"
            )
        if report.slot < self.slot:
            raise Refused(
                f"report of slot {report.slot} is stale: slot {self.slot} is due", code="stale_price"
            )
        if report.slot > self.slot:
            raise Refused(
                f"report of slot {report.slot} is of the future: slot {self.slot} is due", code="future_price"
            )
        if report.previous_slot != self.previous_slot:
            raise Refused(
                f"report follows slot {report.previous_slot}, the last tick is slot {self.previous_slot}",
                code="wrong_previous_slot",
            )
        size = len(self.params.instruments)
        if len(report.prices) != size or len(report.rates) != size:
            raise Refused(
                f"oracle {report.signer} reports {len(report.prices)} prices and {len(report.rates)} rates "
                f"of a table of {size}",
                code="wrong_table",
            )
        message = report_message(
            self.domain, self._params_hash, report.slot, report.previous_slot, report.prices, report.rates
        )
        if not verify(*self.params.oracle_keys[report.signer], message, report.signature):
            raise Refused(
                f"the signature of oracle {report.signer} does not fit its report", code="signature"
            )
        self.reports[report.signer] = report

    def quorate(self) -> dict[int, Report]:
        """All reports by signer; raises `Refused` when a quorum has not reported."""
        if len(self.reports) < self.quorum:
            raise Refused(
                f"{len(self.reports)} oracles reported slot {self.slot}, {self.quorum} are needed",
                code="no_quorum",
                hint="wait for more reports",
                retryable=True,
            )
        return dict(sorted(self.reports.items()))
