# SPDX-License-Identifier: GPL-3.0-or-later
"""A tick batch from the reports of a slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zkmargin.circuits.settle_inputs import Posting
from zkmargin.circuits.tick_inputs import SignedReport, tick_inputs
from zkmargin.engine.ticks import lower_median, next_tick
from zkmargin.oracle.reports import Report
from zkmargin.protocol.constants import Profile
from zkmargin.protocol.hashes import params_hash, tick_hash
from zkmargin.protocol.model import Params, Tick
from zkmargin.protocol.words import tick_words
from zkmargin.sequencer.drafting import bind


@dataclass(frozen=True)
class TickBatch:
    """A finished tick batch: all that is posted, and the witness inputs."""

    previous: Tick
    tick: Tick
    posting: Posting
    inputs: dict[str, object]


def make_tick_batch(
    chain_id: int,
    domain: int,
    params: Params,
    profile: Profile,
    previous: Tick,
    reports: Mapping[int, Report],
) -> TickBatch:
    """The batch that moves `previous` to the slot of the reports (checked and quorate, by signer)."""
    rows = [(report.prices, report.rates) for report in reports.values()]
    slot = next(iter(reports.values())).slot
    made = next_tick(params, previous, slot, rows)
    rates = [
        lower_median([report.rates[k] for report in reports.values()]) for k in range(len(params.instruments))
    ]
    present = sum(1 << signer for signer in reports)
    words = tick_words(
        domain,
        tick_hash(previous),
        params_hash(params),
        tick_hash(made.tick),
        made.tick,
        previous.slot,
        present,
        profile,
    )
    posting = bind(words, chain_id, domain)
    signed = {
        signer: SignedReport(report.prices, report.rates, report.signature)
        for signer, report in reports.items()
    }
    inputs = tick_inputs(params, previous, made.tick, domain, signed, made.raw, rates, posting)
    return TickBatch(previous, made.tick, posting, inputs)
