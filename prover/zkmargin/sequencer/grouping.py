# SPDX-License-Identifier: GPL-3.0-or-later
"""Which open batches the next transaction takes: those of one tick, as far as their gas fits.

A transaction can ask for no more gas than a block has, nor than EIP-7825 allows any; what is too dear for one
goes out in several, in order. A batch counts with the most it can take alone, so that no transaction is ever
made that doesn't fit (`tests/sequencer/test_grouping.py` compares with the measured gas). Together they take
less, since they share one pairing check. Nodes pass on no transaction above 128 KiB; full ones stay below.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkmargin.chain.transactions import GAS_MARGIN_PERCENT
from zkmargin.protocol.constants import Profile
from zkmargin.sequencer.journal import BatchHead, BatchState

TRANSACTION_GAS = 1 << 24  # the most a transaction may ask for, whatever the block's limit (EIP-7825)
BATCH_GAS = 400_000  # most that a batch takes in a transaction of its own
TOUCH_GAS = 40_000  # besides, for each touch that pays: a withdrawal, or a deposit that is refunded


def most_gas(circuit: str, profile: Profile) -> int:
    """The most gas that a batch can take, every touch of it one that pays."""
    return BATCH_GAS + (TOUCH_GAS * profile.touches if circuit == "settle" else 0)


def transaction_room(block_gas_limit: int) -> int:
    """Gas for the batches of a transaction, such that it is taken with the margin that `sign` adds."""
    return min(block_gas_limit, TRANSACTION_GAS) * 100 // (100 + GAS_MARGIN_PERCENT)


def next_group(heads: Sequence[BatchHead], until_idle: bool, room: int, profile: Profile) -> list[BatchHead]:
    """The open batches of the next transaction, none while they are not ready.

    What is signed stays as it is. Else it is proved batches up to the next tick, of at most `room` gas; a
    tick whose coverage is not planned yet is left for later, unless all is to go out.
    """
    state = heads[0].state if heads else BatchState.PLANNED
    if state in (BatchState.SIGNED, BatchState.SENT):
        return [head for head in heads if head.state is state]
    group, gas = list[BatchHead](), 0
    for head in heads:
        gas += most_gas(head.circuit, profile)
        if group and (gas > room or head.circuit == "tick"):
            return group
        if head.state is not BatchState.PROVED:
            return []
        group.append(head)
    return group if until_idle or (group and group[-1].circuit == "coverage") else []
