# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger's state: a Poseidon tree over accounts, kept in memory and in SQLite."""
