# SPDX-License-Identifier: GPL-3.0-or-later
"""Gas of one more operation in a batch, by kind: measured on the demo's own ledger, then undone.

The operations are those the episode really had, with their words. Each is posted at the front of a settle
batch whose other touches do nothing, and compared with a batch of no operation; the roots are made up, and so
the node lets every proof pass meanwhile, which is the same cost left out on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zkmargin.chain import token as tokens
from zkmargin.chain.anvil import development_key
from zkmargin.chain.client import Batch
from zkmargin.chain.transactions import account_of, send
from zkmargin.demo.venue import Venue
from zkmargin.protocol.constants import EntryKind, Op
from zkmargin.protocol.model import QueueEntry, Touch
from zkmargin.protocol.words import commitment, settle_words
from zkmargin.sequencer.codec import decode_touch
from zkmargin.sequencer.journal import BatchState
from zkmargin.sequencer.service import Sequencer

_POSTER, _PATRON = development_key(0), development_key(1)
_QUOTE, _AMOUNT = 0, 1_000_000
_FULL_WIDTH = (1 << 253) - 1  # made-up roots and proofs: zero bytes would be cheaper than what they stand for
_PASSES = "0x00"  # code that takes any call
_FIRST = {Op.TRADE: "trade", Op.LIQUIDATE: "liquidation", Op.DELEVERAGE: "deleverage", Op.ABSORB: "absorb"}
_LATER = (Op.TRADE_MATCH, Op.TAKE_BID, Op.TAKE_BACKSTOP, Op.REFUSE, Op.OFFSET)


def operations(touches: Sequence[Touch]) -> Iterator[tuple[str, list[Touch]]]:
    """The operations of a batch that move nothing on the chain, by kind: (kind, legs)."""
    kind, legs = "", list[Touch]()
    for touch in [*touches, Touch(Op.NOOP, 0, 0)]:
        if touch.op in _LATER and legs:
            legs.append(touch)
            continue
        if legs:
            yield kind, legs
        kind = _FIRST.get(Op(touch.op), "")
        legs = [touch] if kind else []


class GasMeter:
    """Posts made-up batches to a ledger. To be used within `undone`."""

    def __init__(self, venue: Venue, sequencer: Sequencer) -> None:
        self._venue, self._sequencer, self._posted = venue, sequencer, 0
        venue.node.call("anvil_setCode", venue.client.verifier(), _PASSES)

    def settle(
        self, touches: Sequence[Touch] = (), paid: Sequence[int] = (), entries: Sequence[QueueEntry] = ()
    ) -> int:
        """Gas of a settle batch of these touches."""
        client, profile, state = self._venue.client, self._sequencer.profile, self._venue.client.state()
        self._posted += 1
        idle = [Touch(Op.NOOP, 0, 0)] * (profile.touches - len(touches))
        nobody = [0] * (profile.touches - len(paid))
        root = _FULL_WIDTH - self._posted
        words = settle_words(
            self._sequencer.domain, state.root, state.tick, root, [*touches, *idle], [*paid, *nobody], profile
        )
        proof = [_FULL_WIDTH] * 8
        return client.post(_POSTER, Batch("settle", words, commitment(words), proof, entries)).gas_used

    def waiting(self) -> QueueEntry:
        """The next deposit of the queue, requested if need be."""
        client = self._venue.client
        client.deposit(_PATRON, EntryKind.FUND, _QUOTE, _AMOUNT)
        return client.queued(self._venue.deployment.from_block)[client.state().consumed]


def marginal_gas(venue: Venue, sequencer: Sequencer) -> dict[str, int]:
    """Gas that one more operation adds to a batch: of each kind the episode had, deposits and withdrawals.

    `deposit` is performed, `deposit_refused` becomes a claim, `withdraw` gives its account a first claim,
    `withdraw_again` adds to one.
    """
    node = venue.node
    before = node.snapshot()
    try:
        return _measured(venue, sequencer)
    finally:
        node.revert(before)


def _measured(venue: Venue, sequencer: Sequencer) -> dict[str, int]:
    client, web3 = venue.client, venue.client.web3
    meter, patron = GasMeter(venue, sequencer), account_of(_PATRON)
    token = client.token(_QUOTE)
    send(web3, tokens.mint_call(web3, token.address, patron.address, 10 * _AMOUNT * token.unit), _PATRON)
    send(web3, tokens.approve_call(web3, token.address, client.address), _PATRON)
    meter.settle()  # the first of its kind, in a block of its own
    idle = meter.settle()
    found = {}
    for kind, flag in (("deposit", 1), ("deposit_refused", 0)):
        entry = meter.waiting()
        touch = Touch(Op.DEPOSIT, 0, 0, entry.asset, size=entry.amount, flag=flag, entry=entry)
        found[kind] = meter.settle([touch], entries=[entry]) - idle
    account = next(account for _, account in sequencer.ledger.accounts() if account.owner)
    payee = int.from_bytes(web3.keccak(b"zkmargin.demo.payee")[:20], "big")
    leaf = sequencer.ledger.index_of(account.id)
    touch = Touch(Op.WITHDRAW, leaf, account.id, _QUOTE, side=1, size=_AMOUNT)
    for kind in ("withdraw", "withdraw_again"):
        found[kind] = meter.settle([touch], [payee]) - idle
    for row in sequencer.journal.batches(BatchState.CONFIRMED):
        if row.circuit == "settle":
            touches = [decode_touch(raw) for raw in row.body["touches"]]
            for kind, legs in operations(touches):
                if kind not in found:
                    found[kind] = meter.settle(legs) - idle
    return found
