# SPDX-License-Identifier: GPL-3.0-or-later
"""Random records of the protocol, ends of the ranges included."""

from __future__ import annotations

from hypothesis import strategies as st

from zkmargin.protocol.constants import BITS, HOLDINGS, PACKING, EntryKind, Op, P, Profile
from zkmargin.protocol.model import Account, Holding, InstrumentTick, QueueEntry, Slots, Tick, Touch


def bits(count: int) -> st.SearchStrategy[int]:
    top = (1 << count) - 1
    return st.integers(0, top) | st.sampled_from([0, 1, top])


def below(limit: int) -> st.SearchStrategy[int]:
    """Integers with absolute value below `limit`."""
    return st.integers(1 - limit, limit - 1) | st.sampled_from([0, -1, limit - 1, 1 - limit])


elements = st.integers(0, P - 1) | st.sampled_from([0, 1, P - 1])


@st.composite
def slots(draw: st.DrawFn, profile: Profile) -> Slots:
    instruments = draw(st.lists(st.integers(1, profile.instruments - 1), max_size=HOLDINGS, unique=True))
    held: list[Holding | None] = [None] * HOLDINGS
    for place, instrument in zip(draw(st.permutations(range(HOLDINGS))), instruments, strict=False):
        size = draw(st.integers(1, (1 << BITS["magnitude"]) - 1))
        held[place] = Holding(instrument, draw(bits(2)), draw(bits(1)), size)
    return tuple(held)


def accounts(profile: Profile, identity: int | None = None) -> st.SearchStrategy[Account]:
    return st.builds(
        Account,
        id=st.integers(1, (1 << BITS["account_id"]) - 1) if identity is None else st.just(identity),
        nonce=bits(BITS["nonce"]),
        address=bits(BITS["address"]),
        owner=elements,
        balance=below(1 << BITS["balance"]),
        slots=slots(profile),
    )


@st.composite
def touches(draw: st.DrawFn) -> tuple[Touch, int]:
    """A touch as it can be posted, with the address it pays."""
    layout = PACKING["touch"]
    fields = {name: draw(bits(width)) for name, width in layout.items() if name != "op"}
    op = draw(st.sampled_from(Op))
    entry = None
    if op == Op.DEPOSIT:
        entry = QueueEntry(
            0,
            draw(bits(BITS["address"])),
            draw(st.sampled_from(EntryKind)),
            fields["instrument"],
            fields["size"],
            draw(bits(BITS["account_id"])),
            draw(elements),
        )
    return Touch(op=op, entry=entry, **fields), draw(bits(160)) if op == Op.WITHDRAW else 0


@st.composite
def ticks(draw: st.DrawFn, profile: Profile) -> Tick:
    def row() -> InstrumentTick:
        price, unit = bits(BITS["price"]), below(1 << 65)
        four = st.tuples(*[price] * 4)
        return InstrumentTick(
            flags=draw(st.sampled_from([0, 1, 2, 5, 6])),
            mark=draw(price),
            funding=draw(below(1 << BITS["funding"])),
            bounds=draw(st.tuples(*[bits(BITS["magnitude"])] * 3)),
            equity=draw(unit),
            worst_long=draw(unit),
            worst_short=draw(unit),
            maintenance=draw(four),
            initial=draw(four),
            move=draw(price),
            raw=draw(price),
        )

    rate = bits(BITS["rate"])
    rows = tuple(row() for _ in range(profile.instruments))
    return Tick(
        draw(bits(BITS["slot"])), draw(bits(BITS["time"])), draw(bits(33)), draw(rate), draw(rate), rows
    )
