# SPDX-License-Identifier: GPL-3.0-or-later
"""What the protocol speaks about, as immutable records. No arithmetic of margin stands here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from zkmargin.protocol.constants import BITS, HOLDINGS, SIDES, TIERS, P, Profile
from zkmargin.protocol.packing import pack

LONG, SHORT = 0, 1
TIER_STEP = SIDES
INSTRUMENT_STEP = SIDES * TIERS


def class_id(instrument: int, tier: int, side: int) -> int:
    """The class of a holding: instrument * 8 + tier * 2 + side."""
    return instrument * INSTRUMENT_STEP + tier * TIER_STEP + side


@dataclass(frozen=True, slots=True)
class Holding:
    """One occupied slot. `size` is the magnitude in steps, 1 .. 2^48 - 1; `side` 0 long, 1 short."""

    instrument: int
    tier: int
    side: int
    size: int

    @property
    def class_id(self) -> int:
        """The class of this holding, 12 bits."""
        return class_id(self.instrument, self.tier, self.side)

    @property
    def signed(self) -> int:
        """The signed size in steps."""
        return -self.size if self.side else self.size


Slots = tuple[Holding | None, ...]
NO_HOLDINGS: Slots = (None,) * HOLDINGS


@dataclass(frozen=True, slots=True)
class Account:
    """An account leaf. `balance`: signed fine units, funding-adjusted; `owner`: hash of the signing key.

    `zkmargin.protocol.checks.check_account` says whether the fields are in range.
    """

    id: int = 0
    nonce: int = 0
    address: int = 0
    owner: int = 0
    balance: int = 0
    slots: Slots = NO_HOLDINGS

    @staticmethod
    def empty() -> Account:
        """The leaf nobody has: all zeros."""
        return Account()

    @property
    def is_empty(self) -> bool:
        """Whether this is the leaf nobody has."""
        return self == Account()

    @property
    def meta(self) -> int:
        """Id, nonce and address in one field element."""
        return pack("meta", account_id=self.id, nonce=self.nonce, address=self.address)

    @property
    def packed_slots(self) -> int:
        """The class ids of the 12 slots, 12 bits each, slot 0 lowest."""
        return sum(h.class_id << (BITS["class_id"] * j) for j, h in enumerate(self.slots) if h)

    def holding(self, instrument: int) -> Holding | None:
        """The holding of an instrument, if any."""
        return next((h for h in self.slots if h and h.instrument == instrument), None)

    def slot_for(self, instrument: int) -> int | None:
        """The slot that holds the instrument, else the first free one, else None."""
        for j, held in enumerate(self.slots):
            if held and held.instrument == instrument:
                return j
        return next((j for j, held in enumerate(self.slots) if held is None), None)

    def with_(self, **changes: Any) -> Account:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def with_slot(self, index: int, held: Holding | None) -> Account:
        """A copy with one slot changed."""
        slots = list(self.slots)
        slots[index] = held
        return replace(self, slots=tuple(slots))


@dataclass(frozen=True)
class InstrumentParams:
    """Listed terms of one instrument: rates times 2^32, bounds in steps, ascending; `step` for people."""

    symbol: str = ""
    flags: int = 0
    haircut: int = 0
    jump: int = 0
    funding_cap: int = 0
    mmr: tuple[int, ...] = (0,) * TIERS
    imr: tuple[int, ...] = (0,) * TIERS
    bounds: tuple[int, ...] = (0,) * (TIERS - 1)
    step: str = ""

    @staticmethod
    def unlisted() -> InstrumentParams:
        """The row of a number nothing stands at."""
        return InstrumentParams()


@dataclass(frozen=True)
class Params:
    """Everything governance sets: risk rates, the clock, the oracles' keys, the instrument table."""

    tau: int
    penalty_rate: int
    bidder_share: int
    slot_seconds: int
    oracle_keys: tuple[tuple[int, int], ...]
    instruments: tuple[InstrumentParams, ...]

    def validate(self, profile: Profile | None = None) -> None:
        """Raise `BadInput` naming the first parameter that breaks a rule the circuits rely on.

        With a profile also that the instrument table and the oracles are as many as it has.
        """
        from zkmargin.protocol.params import check_params

        check_params(self, profile)

    def to_json(self) -> dict[str, Any]:
        """JSON with integers as strings; rows of unlisted instruments are left out."""
        from zkmargin.protocol.params import params_to_json

        return params_to_json(self)

    @staticmethod
    def from_json(raw: Any) -> Params:
        """What `to_json` wrote; `BadInput` for anything malformed or against the rules of `validate`."""
        from zkmargin.protocol.params import params_from_json

        return params_from_json(raw)


@dataclass(frozen=True)
class InstrumentTick:
    """Public state of one instrument at a tick, fine units per step; 0 while unpriced (SPEC section 2)."""

    flags: int = 0
    mark: int = 0
    funding: int = 0
    bounds: tuple[int, ...] = (0,) * (TIERS - 1)
    equity: int = 0
    worst_long: int = 0
    worst_short: int = 0
    maintenance: tuple[int, ...] = (0,) * TIERS
    initial: tuple[int, ...] = (0,) * TIERS
    move: int = 0  # what the mark may move in a slot; the weight of displacements (SPEC section 8)
    raw: int = 0  # the median before the jump limit; not part of the tick's hash


@dataclass(frozen=True)
class Tick:
    """A mark-price tick: `slot` number, `time` in seconds since 1970, risk rates, the instruments' state."""

    slot: int
    time: int
    tau: int
    penalty_rate: int
    bidder_share: int
    instruments: tuple[InstrumentTick, ...]


@dataclass(frozen=True)
class QueueEntry:
    """A deposit in the contract's queue, in order of `index`."""

    index: int
    depositor: int
    kind: int
    asset: int
    amount: int
    target: int
    owner: int


@dataclass(frozen=True)
class Signature:
    """EdDSA-Poseidon on Baby Jubjub."""

    r8x: int
    r8y: int
    s: int


@dataclass(frozen=True)
class Auth:
    """What a signed leg carries beside the posted words."""

    last_slot: int
    ax: int
    ay: int
    signature: Signature


@dataclass(frozen=True)
class Touch:
    """One touch of a leaf, as the circuit sees it; unused fields are 0 (SPEC section 4)."""

    op: int
    leaf_index: int
    account_id: int
    instrument: int = 0
    side: int = 0
    size: int = 0
    price: int = 0
    flag: int = 0
    entry: QueueEntry | None = None
    counterparty: int = 0
    max_size: int = 0
    min_reward: int = 0
    limit_price: int = 0
    auth: Auth | None = None
    kept: int = 0  # the page keeps its header: decided by whoever makes the batch, never by who signs


@dataclass(frozen=True)
class Pending:
    """The register between legs: `expect` is 0 when none is open, `side` that of the next leg."""

    expect: int = 0
    instrument: int = 0
    size: int = 0
    price: int = 0
    side: int = 0
    reward: int = 0
    first_id: int = 0
    counterparty: int = 0
    exhausted: int = 0


def signed(element: int) -> int:
    """The signed integer a field element stands for: the representative nearest 0."""
    return element if element <= P // 2 else element - P
