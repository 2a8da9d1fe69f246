# SPDX-License-Identifier: GPL-3.0-or-later
"""The independent auditor: everything re-checked from what the chain holds.

It shares with the prover's side nothing but the protocol's constants, records and hashes
(`zkmargin.protocol`), and takes its verifying keys from the installed package.
"""

from zkmargin.auditor.audit import Audit, audit, audit_chain

__all__ = ["Audit", "audit", "audit_chain"]
