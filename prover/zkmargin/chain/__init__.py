# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain side: a local node, deployment, and a client of the ledger contract."""
