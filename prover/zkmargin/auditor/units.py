# SPDX-License-Identifier: GPL-3.0-or-later
"""What a posted unit is worth: the parameters' steps against the tokens in custody.

A price is of one step, and a step is `step` coins by the parameters' text alone: no hash binds it, so it is
compared with the unit of custody, which the contract enforces.
"""

from __future__ import annotations

import re
from fractions import Fraction

from zkmargin.auditor.chain import Chain, Undecodable
from zkmargin.auditor.findings import WHOLE, Findings
from zkmargin.auditor.opening import Opening
from zkmargin.auditor.source import NoAnswer
from zkmargin.protocol.constants import PERPETUAL, QUOTE_DECIMALS

_STEP = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?")


def check_units(chain: Chain, found: Findings, opening: Opening) -> None:
    """vault: unit == coins in a posted unit * 10^decimals, for each asset; a note where it can't be told."""
    for asset, (token, unit) in sorted(opening.assets.items()):
        text = opening.params.instruments[asset].step if asset else f"0.{1:0{QUOTE_DECIMALS}}"
        if not text:
            found.notes.append(f"asset {asset}: the parameters do not say how many coins a step is")
            continue
        if not _STEP.fullmatch(text):
            found.add("vault", WHOLE, f"asset {asset}: its step is no number: {text[:40]!r}")
            continue
        try:
            decimals = chain.view("decimals", ["uint8"], token)
        except NoAnswer:
            found.notes.append(
                f"asset {asset}: its token does not tell its decimals, so that it is not proved that "
                f"{unit} base units are {text} coins"
            )
            continue
        except Undecodable as error:
            found.add("vault", WHOLE, f"asset {asset}: the decimals of its token: {error}")
            continue
        found.require(
            "vault",
            WHOLE,
            unit == Fraction(text) * 10**decimals,
            f"asset {asset}: {unit} base units of a token of {decimals} decimals are not {text} coins",
        )
    if any(row.flags == PERPETUAL for row in opening.params.instruments):
        found.notes.append(
            "symbols, and the steps of perpetuals, are the word of whoever deployed the ledger: nothing "
            "proves them"
        )
