# SPDX-License-Identifier: GPL-3.0-or-later
"""zkmargin: cross-margin accounts whose every update is proved by zero-knowledge proofs and accepted by a chain."""

__version__ = "0.1.0"
