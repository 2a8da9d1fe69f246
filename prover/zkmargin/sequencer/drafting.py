# SPDX-License-Identifier: GPL-3.0-or-later
"""A settle batch while it is being put together: operations are applied one by one, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from zkmargin.circuits.settle_inputs import Before, Posting, Step, settle_inputs
from zkmargin.engine.coverage import keeps
from zkmargin.engine.transition import CLEAR, Effect, apply
from zkmargin.errors import Refused
from zkmargin.protocol.constants import PAGE_SIZE, Op, Profile
from zkmargin.protocol.hashes import tick_hash
from zkmargin.protocol.model import Tick, Touch
from zkmargin.protocol.packing import unpack
from zkmargin.protocol.words import challenge, commitment, evaluate, settle_words
from zkmargin.state.ledger import Ledger

Operation = Sequence[Touch]


def write_effect(ledger: Ledger, effect: Effect) -> None:
    """Apply an effect to the ledger it was computed on."""
    touch = effect.touch
    ledger.write(touch.leaf_index, effect.after, keep_header=touch.op == Op.NOOP or bool(touch.kept))
    ledger.reserve, ledger.next_id, ledger.consumed = effect.reserve, effect.next_id, effect.consumed


@dataclass(frozen=True)
class SettleBatch:
    """A finished settle batch: all that is posted, and the witness inputs."""

    tick: Tick
    touches: tuple[Touch, ...]
    effects: tuple[Effect, ...]
    root: int
    new_root: int
    posting: Posting
    inputs: dict[str, object]


class Draft:
    """Collects operations for one proof of `profile.touches` touches on `ledger`, which changes as it goes.

    Pages anchored at `anchor` keep their headers through touches of accounts as safe as these say.
    `finish` leaves the ledger changed; `abandon` undoes everything since the draft was begun. The ledger must
    not be given a checkpoint in between.
    """

    def __init__(self, ledger: Ledger, tick: Tick, domain: int, anchor: Tick | None = None) -> None:
        self.ledger, self.tick, self.domain = ledger, tick, domain
        self.anchor = anchor or tick
        self._anchor_hash = tick_hash(self.anchor)
        self.profile: Profile = ledger.profile
        self.begun = ledger.savepoint()
        self.root = ledger.root()
        self.before = Before(ledger.pages_root, *ledger.scalars())
        self.steps: list[Step] = []
        self.effects: list[Effect] = []

    @property
    def room(self) -> int:
        """Touches that still fit."""
        return self.profile.touches - len(self.steps)

    def add(self, operation: Operation) -> list[Effect]:
        """Apply the touches of an operation; raises `Refused` and changes nothing if a rule forbids one."""
        assert len(operation) <= self.room
        savepoint, pending = self.ledger.savepoint(), CLEAR
        steps, effects = [], []
        try:
            for touch in operation:
                opening = self.ledger.opening(touch.leaf_index)
                plain = replace(touch, kept=0)
                effect = apply(self.ledger, pending, plain, self.tick, self.domain)
                effect = replace(effect, touch=replace(plain, kept=self._kept(effect)))
                write_effect(self.ledger, effect)
                steps.append(Step(effect.touch, opening))
                effects.append(effect)
                pending = effect.pending
            if pending.expect:
                raise Refused("the operation's second leg is missing", code="legs")
        except BaseException:  # an interrupt, too, must not leave half an operation behind
            self.ledger.rollback(savepoint)
            raise
        self.steps += steps
        self.effects += effects
        return effects

    def _kept(self, effect: Effect) -> int:
        """1 if the page's header stays true of the account written."""
        anchor, radius = self.ledger.header(effect.touch.leaf_index // PAGE_SIZE)
        if effect.touch.op == Op.NOOP or anchor != self._anchor_hash:
            return 0
        return int(keeps(effect.after, self.anchor, radius))

    def abandon(self) -> None:
        """Put the ledger back to where the draft was begun."""
        self.ledger.rollback(self.begun)
        self.steps, self.effects = [], []

    def finish(self, chain_id: int) -> SettleBatch:
        """Pad with no-ops and bind the batch to its chain and ledger."""
        while self.room:
            self.add([Touch(Op.NOOP, 0, self.ledger.account_at(0).id)])
        touches = [step.touch for step in self.steps]
        new_root = self.ledger.root()
        words = settle_words(
            self.domain,
            self.root,
            tick_hash(self.tick),
            new_root,
            touches,
            [effect.paid for effect in self.effects],
            self.profile,
        )
        posting = bind(words, chain_id, self.domain)
        inputs = settle_inputs(
            self.profile,
            self.tick,
            self.domain,
            self.root,
            new_root,
            self.before,
            self.steps,
            posting,
            self.anchor,
        )
        return SettleBatch(
            self.tick, tuple(touches), tuple(self.effects), self.root, new_root, posting, inputs
        )


def bind(words: list[int], chain_id: int, domain: int) -> Posting:
    """C, r and y of a batch's words."""
    c = commitment(words)
    r = challenge(chain_id, unpack("domain", domain)["ledger"], c, words)
    return Posting(words, c, r, evaluate(words, r))
