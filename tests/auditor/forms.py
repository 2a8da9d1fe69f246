# SPDX-License-Identifier: GPL-3.0-or-later
"""Calldata of `post` in forms that the contract takes as well."""

from __future__ import annotations


def trailing(data: bytes) -> bytes:
    """One byte too many."""
    return data + b"\0"


def displaced(data: bytes) -> bytes:
    """The list of batches a word later, with its offset."""
    return data[:4] + (64).to_bytes(32, "big") + bytes(32) + data[36:]
