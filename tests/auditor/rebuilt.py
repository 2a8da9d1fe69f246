# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger as the auditor keeps it."""

from __future__ import annotations

from zkmargin.auditor.rules import Books
from zkmargin.state.ledger import Ledger


def books_of(ledger: Ledger) -> Books:
    """Books that stand as the ledger does."""
    headers, blocks = ledger.headers(), ledger.block_headers()
    return Books(ledger.profile, dict(ledger.accounts()), headers, blocks, *ledger.scalars())
