# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading posted words back: the reverse of `words.settle_words` and `words.tick_words`.

Nothing is trusted: a word that this protocol could not have posted (bits above its last field, halves that
make no field element, content in an unused word, another circuit's header) raises `BadInput` with code
`bad_words`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import (
    BITS,
    CIRCUIT_IDS,
    FUNDING_OFFSET,
    ORIGINS_A_WORD,
    VERSION,
    Op,
    P,
    load,
)
from zkmargin.protocol.model import QueueEntry, Touch
from zkmargin.protocol.packing import unpack

_HALF = 128


@dataclass(frozen=True)
class SettleWords:
    """A settle batch as posted. Touches carry no signatures, bids or counterparties: those are not posted.

    `recipients`: the L1 address each touch pays, 0 where it pays none.
    """

    domain: int
    root: int
    tick: int
    new_root: int
    touches: tuple[Touch, ...]
    recipients: tuple[int, ...]


@dataclass(frozen=True)
class SweepWords:
    """A sweep batch as posted: the header of each of `pages` became (`tick`, `radius`)."""

    domain: int
    root: int
    tick: int
    new_root: int
    radius: int
    pages: tuple[int, ...]


@dataclass(frozen=True)
class RegroupWords:
    """A regroup batch as posted: leaf `i` of `pages`, counted through, got what stood at `origins[i]`.

    `radius`: what the headers kept, with their one anchor; None where they were cleared.
    """

    domain: int
    root: int
    tick: int
    new_root: int
    radius: int | None
    pages: tuple[int, ...]
    origins: tuple[int, ...]


@dataclass(frozen=True)
class BlockWord:
    """What is posted of a block: its number, the radius of its header, and whether its anchor is now."""

    index: int
    radius: int
    now: int


@dataclass(frozen=True)
class CarryWords:
    """A carry batch as posted: the header of each block got `radius`, anchored at `tick` where `now`.

    Elsewhere it is anchored at the one tick that those of its pages are which are not empty.
    """

    domain: int
    root: int
    tick: int
    new_root: int
    blocks: tuple[BlockWord, ...]


@dataclass(frozen=True)
class CoverageWords:
    """A coverage batch as posted: every account of `root` is healthy at `tick`.

    `solvent`: 1 where its reserve is not below 0.
    """

    domain: int
    root: int
    tick: int
    solvent: int


@dataclass(frozen=True)
class InstrumentWord:
    """What is posted about an instrument at a tick; fine units per step, `funding` signed."""

    raw: int
    mark: int
    funding: int
    limited: int


@dataclass(frozen=True)
class TickWords:
    """A tick batch as posted; `previous`, `params` and `new` are hashes, `present` the bitmap of oracles."""

    domain: int
    previous: int
    params: int
    new: int
    slot: int
    previous_slot: int
    time: int
    present: int
    instruments: tuple[InstrumentWord, ...]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise BadInput(message, hint="these words are not of this protocol", code="bad_words")


def _fields(packing: str, word: int, place: str) -> dict[str, int]:
    try:
        return unpack(packing, word)
    except BadInput as error:
        raise BadInput(f"{place}: {error.message}", hint=error.hint, code="bad_words") from None


def _join(hi: int, lo: int, place: str) -> int:
    _require(
        hi >> _HALF == 0 and lo >> _HALF == 0 and (value := hi << _HALF | lo) < P,
        f"{place} is no field element",
    )
    return value


def _parts(circuit: str, words: Sequence[int]) -> tuple[dict[str, int], list[Sequence[int]]]:
    """The fixed words by name and the repeated groups, after checking the header and every word's range."""
    layout = load().words[circuit]
    fixed, step = len(layout.fixed), len(layout.repeated)
    count = len(words)
    whole = count > fixed and (count - fixed) % step == 0 if step else count == fixed
    _require(whole, f"{count} words are no {circuit} batch")
    for index, word in enumerate(words):
        _require(0 <= word < 1 << BITS["word"], f"word {index} is not below 2^{BITS['word']}")
    expected = {"words": count, "circuit": CIRCUIT_IDS[circuit], "version": VERSION}
    header = _fields("header", words[0], "word 0")
    _require(header == expected, f"the header says {header}, not {expected}")
    _fields("domain", words[layout.fixed.index("domain")], "the domain word")
    return dict(zip(layout.fixed, words, strict=False)), [
        words[i : i + step] for i in range(fixed, count, step or 1)
    ]


def _touch(group: Sequence[int], number: int, consumed: int) -> tuple[Touch, int]:
    """A touch and the address it pays; `consumed` is the index its queue entry has if it is a deposit."""
    place = f"touch {number}"
    head, l1 = _fields("touch", group[0], place), _fields("l1", group[1], place)
    target, owner_lo = _fields("target", group[2], place), group[3]
    _require(head["op"] in set(Op), f"{place} has opcode {head['op']}, which there is not")
    terms = (head["instrument"], head["size"])
    entry, recipient = None, 0
    if head["op"] == Op.DEPOSIT:
        owner = _join(target["owner_hi"], owner_lo, f"{place}: owner")
        entry = QueueEntry(
            consumed, l1["address"], l1["kind"], l1["asset"], l1["amount"], target["account_id"], owner
        )
        _require(
            (l1["asset"], l1["amount"]) == terms,
            f"{place} does not repeat its queue entry's asset and amount",
        )
    else:
        _require(group[2] == owner_lo == 0, f"{place} has a target or owner, but is no deposit")
        if head["op"] == Op.WITHDRAW:
            recipient = l1["address"]
            _require(
                (l1["asset"], l1["amount"], l1["kind"]) == (*terms, 0),
                f"{place} pays other than what it withdraws",
            )
        else:
            _require(group[1] == 0, f"{place} has an L1 word, but neither deposits nor withdraws")
    touch = Touch(
        op=Op(head["op"]),
        leaf_index=head["leaf_index"],
        account_id=head["account_id"],
        instrument=head["instrument"],
        side=head["side"],
        size=head["size"],
        price=head["price"],
        flag=head["flag"],
        entry=entry,
        kept=head["kept"],
    )
    return touch, recipient


def read_settle(words: Sequence[int], consumed: int) -> SettleWords:
    """The settle batch of `words`; `consumed` is the number of queue entries consumed before it."""
    fixed, groups = _parts("settle", words)
    touches, recipients = [], []
    for number, group in enumerate(groups):
        touch, recipient = _touch(group, number, consumed)
        consumed += touch.op == Op.DEPOSIT
        touches.append(touch)
        recipients.append(recipient)
    return SettleWords(
        domain=fixed["domain"],
        root=_join(fixed["root_hi"], fixed["root_lo"], "the root"),
        tick=_join(fixed["tick_hi"], fixed["tick_lo"], "the tick"),
        new_root=_join(fixed["new_root_hi"], fixed["new_root_lo"], "the new root"),
        touches=tuple(touches),
        recipients=tuple(recipients),
    )


def read_tick(words: Sequence[int]) -> TickWords:
    """The tick batch of `words`."""
    fixed, groups = _parts("tick", words)
    head = _fields("tick_head", fixed["tick_head"], "the tick head")
    rows = []
    for number, group in enumerate(groups):
        row = _fields("tick_instrument", group[0], f"instrument {number}")
        rows.append(InstrumentWord(row["raw"], row["mark"], row["funding"] - FUNDING_OFFSET, row["limited"]))
    return TickWords(
        domain=fixed["domain"],
        previous=_join(fixed["previous_hi"], fixed["previous_lo"], "the previous tick"),
        params=_join(fixed["params_hi"], fixed["params_lo"], "the parameters"),
        new=_join(fixed["tick_hi"], fixed["tick_lo"], "the new tick"),
        **head,
        instruments=tuple(rows),
    )


def _roots(fixed: dict[str, int]) -> dict[str, int]:
    return {
        "domain": fixed["domain"],
        "root": _join(fixed["root_hi"], fixed["root_lo"], "the root"),
        "tick": _join(fixed["tick_hi"], fixed["tick_lo"], "the tick"),
    }


def read_sweep(words: Sequence[int]) -> SweepWords:
    """The sweep batch of `words`."""
    fixed, groups = _parts("sweep", words)
    head = _fields("sweep_head", fixed["sweep_head"], "the sweep head")
    pages = tuple(_fields("page", group[0], f"page {number}")["index"] for number, group in enumerate(groups))
    new_root = _join(fixed["new_root_hi"], fixed["new_root_lo"], "the new root")
    return SweepWords(**_roots(fixed), new_root=new_root, radius=head["radius"], pages=pages)


def read_regroup(words: Sequence[int]) -> RegroupWords:
    """The regroup batch of `words`; whether the origins are a permutation is not judged here."""
    fixed, groups = _parts("regroup", words)
    head = _fields("regroup_head", fixed["regroup_head"], "the regroup head")
    _require(head["keep"] == 1 or head["radius"] == 0, "headers are cleared, but a radius is posted")
    pages, origins = [], list[int]()
    for number, group in enumerate(groups):
        pages.append(_fields("page", group[0], f"page {number}")["index"])
        for word in group[1:]:
            origins += _origins(word, f"page {number}")
    new_root = _join(fixed["new_root_hi"], fixed["new_root_lo"], "the new root")
    radius = head["radius"] if head["keep"] else None
    return RegroupWords(
        **_roots(fixed), new_root=new_root, radius=radius, pages=tuple(pages), origins=tuple(origins)
    )


def _origins(word: int, place: str) -> list[int]:
    bits = BITS["origin"]
    _require(word >> (bits * ORIGINS_A_WORD) == 0, f"{place} has bits above its last origin")
    return [word >> (bits * number) & ((1 << bits) - 1) for number in range(ORIGINS_A_WORD)]


def read_carry(words: Sequence[int]) -> CarryWords:
    """The carry batch of `words`."""
    fixed, groups = _parts("carry", words)
    blocks = [BlockWord(**_fields("block", group[0], f"block {n}")) for n, group in enumerate(groups)]
    new_root = _join(fixed["new_root_hi"], fixed["new_root_lo"], "the new root")
    return CarryWords(**_roots(fixed), new_root=new_root, blocks=tuple(blocks))


def read_coverage(words: Sequence[int]) -> CoverageWords:
    """The coverage batch of `words`."""
    fixed, _ = _parts("coverage", words)
    return CoverageWords(**_roots(fixed), **_fields("cover_head", fixed["cover_head"], "the coverage head"))
