# SPDX-License-Identifier: GPL-3.0-or-later
"""What is posted: the words of a batch, and C, r, y that bind them to a proof (SPEC section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import (
    BITS,
    CHALLENGE_DOMAIN,
    CIRCUIT_IDS,
    FUNDING_OFFSET,
    LIMITED,
    ORIGINS_A_WORD,
    PAGE_SIZE,
    VERSION,
    Op,
    P,
    Profile,
    load,
)
from zkmargin.protocol.hashes import sponge
from zkmargin.protocol.model import QueueEntry, Tick, Touch
from zkmargin.protocol.packing import pack, split


def domain_word(chain_id: int, ledger: int | str) -> int:
    """Chain id and ledger address in one word; part of every signed message."""
    address = int(ledger, 16) if isinstance(ledger, str) else ledger
    return pack("domain", ledger=address, chain_id=chain_id)


def header_word(circuit: str, count: int) -> int:
    """The first word: number of words, circuit id, version."""
    return pack("header", words=count, circuit=CIRCUIT_IDS[circuit], version=VERSION)


def _layout(circuit: str, repeats: int) -> int:
    layout = load().words[circuit]
    return len(layout.fixed) + repeats * len(layout.repeated)


def word_count(circuit: str, profile: Profile) -> int:
    """Number of words a batch of `circuit` posts."""
    repeats = {
        "settle": profile.touches,
        "tick": profile.instruments,
        "sweep": profile.sweep_pages,
        "regroup": profile.regroup_pages,
        "carry": profile.carry_blocks,
    }
    return _layout(circuit, repeats.get(circuit, 0))


def touch_words(touch: Touch, recipient: int = 0) -> list[int]:
    """The words `touch`, `l1`, `target`, `owner_lo` of one touch. `recipient`: L1 address of a withdrawal."""
    head = pack(
        "touch",
        op=touch.op,
        flag=touch.flag,
        leaf_index=touch.leaf_index,
        account_id=touch.account_id,
        instrument=touch.instrument,
        side=touch.side,
        size=touch.size,
        price=touch.price,
        kept=touch.kept,
    )
    if touch.op == Op.DEPOSIT:
        if touch.entry is None:
            raise BadInput("a deposit touch needs its queue entry")
        return [head, *entry_words(touch.entry)]
    if touch.op == Op.WITHDRAW:
        return [head, pack("l1", address=recipient, amount=touch.size, asset=touch.instrument), 0, 0]
    return [head, 0, 0, 0]


def entry_words(entry: QueueEntry) -> list[int]:
    """The three words the contract writes for a deposit."""
    owner_hi, owner_lo = split(entry.owner)
    return [
        pack("l1", address=entry.depositor, amount=entry.amount, asset=entry.asset, kind=entry.kind),
        pack("target", owner_hi=owner_hi, account_id=entry.target),
        owner_lo,
    ]


def settle_words(
    domain: int,
    root: int,
    tick: int,
    new_root: int,
    touches: Sequence[Touch],
    recipients: Sequence[int],
    profile: Profile,
) -> list[int]:
    """All words of a settle batch; `recipients` are L1 addresses at withdrawals, else 0.

    `root`, `tick` and `new_root` are field elements. `BadInput` unless there are as many touches as the
    profile has.
    """
    if len(touches) != profile.touches:
        raise BadInput(
            f"a settle batch has {profile.touches} touches, not {len(touches)}", hint="pad with no-ops"
        )
    words = [
        header_word("settle", word_count("settle", profile)),
        domain,
        *split(root),
        *split(tick),
        *split(new_root),
    ]
    for touch, recipient in zip(touches, recipients, strict=True):
        words += touch_words(touch, recipient)
    return words


def tick_words(
    domain: int,
    previous: int,
    params: int,
    new: int,
    tick: Tick,
    previous_slot: int,
    present: int,
    profile: Profile,
) -> list[int]:
    """All words of a tick batch. `previous`, `params`, `new` are hashes; `present` the bitmap of oracles."""
    words = [
        header_word("tick", word_count("tick", profile)),
        domain,
        *split(previous),
        *split(params),
        *split(new),
        pack("tick_head", slot=tick.slot, previous_slot=previous_slot, time=tick.time, present=present),
    ]
    for row in tick.instruments:
        words.append(
            pack(
                "tick_instrument",
                raw=row.raw,
                mark=row.mark,
                funding=row.funding + FUNDING_OFFSET,
                limited=int(bool(row.flags & LIMITED)),
            )
        )
    return words


def sweep_words(
    domain: int, root: int, tick: int, new_root: int, radius: int, pages: Sequence[int], profile: Profile
) -> list[int]:
    """All words of a sweep batch: the header of each page gets (`tick`, `radius`)."""
    if len(pages) != profile.sweep_pages:
        raise BadInput(
            f"a sweep has {profile.sweep_pages} pages, not {len(pages)}", hint="repeat one of them"
        )
    header = header_word("sweep", word_count("sweep", profile))
    roots = [*split(root), *split(tick), *split(new_root)]
    numbers = [pack("page", index=page) for page in pages]
    return [header, domain, *roots, pack("sweep_head", radius=radius), *numbers]


def regroup_words(
    domain: int,
    root: int,
    tick: int,
    new_root: int,
    radius: int | None,
    pages: Sequence[int],
    origins: Sequence[int],
    profile: Profile,
) -> list[int]:
    """All words of a regroup batch: leaf `i` of the pages, counted through, gets what stood at `origins[i]`.

    `radius`: what the headers keep of their one anchor, None where they are cleared.
    """
    if len(pages) != profile.regroup_pages or len(origins) != PAGE_SIZE * len(pages):
        raise BadInput(f"a regroup is of {profile.regroup_pages} pages and every leaf of them")
    words = [
        header_word("regroup", word_count("regroup", profile)),
        domain,
        *split(root),
        *split(tick),
        *split(new_root),
        pack("regroup_head", radius=radius or 0, keep=int(radius is not None)),
    ]
    for number, page in enumerate(pages):
        moved = origins[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
        words += [pack("page", index=page), *origin_words(moved)]
    return words


def origin_words(origins: Sequence[int]) -> list[int]:
    """Sixteen origins to a word, the first lowest."""
    step, bits = ORIGINS_A_WORD, BITS["origin"]
    if not all(0 <= origin < 1 << bits for origin in origins):
        raise BadInput(f"an origin is below 2^{bits}")
    return [
        sum(origin << (bits * place) for place, origin in enumerate(origins[start : start + step]))
        for start in range(0, len(origins), step)
    ]


def carry_words(
    domain: int,
    root: int,
    tick: int,
    new_root: int,
    blocks: Sequence[tuple[int, int, bool]],
    profile: Profile,
) -> list[int]:
    """All words of a carry batch; of each block number, radius, whether its anchor is the present tick."""
    if len(blocks) != profile.carry_blocks:
        raise BadInput(f"a carry is of {profile.carry_blocks} blocks, not {len(blocks)}", hint="repeat one")
    header = header_word("carry", word_count("carry", profile))
    numbers = [pack("block", index=block, radius=radius, now=int(now)) for block, radius, now in blocks]
    return [header, domain, *split(root), *split(tick), *split(new_root), *numbers]


def coverage_words(domain: int, root: int, tick: int, solvent: bool, profile: Profile) -> list[int]:
    """All words of a coverage batch; `solvent`: the reserve is not below 0."""
    header = header_word("coverage", word_count("coverage", profile))
    return [header, domain, *split(root), *split(tick), pack("cover_head", solvent=int(solvent))]


def commitment(words: Sequence[int]) -> int:
    """C: the sponge over the posted words."""
    return sponge("data", words)


@cache
def _domain_digest() -> bytes:
    return keccak(CHALLENGE_DOMAIN.encode("ascii"))


def challenge(chain_id: int, ledger: int | str, commitment_: int, words: Sequence[int]) -> int:
    """r: keccak256 over everything that is posted, modulo p, as the contract computes it."""
    address = int(ledger, 16) if isinstance(ledger, str) else ledger
    types = ["bytes32", "uint256", "address", "uint256", "uint256[]"]
    values = [
        _domain_digest(),
        chain_id,
        "0x" + address.to_bytes(20, "big").hex(),
        commitment_,
        list(words),
    ]
    return int.from_bytes(keccak(encode(types, values)), "big") % P


def evaluate(words: Sequence[int], point: int) -> int:
    """y = sum of words[i] * point^i modulo p."""
    total = 0
    for word in reversed(words):
        total = (total * point + word) % P
    return total


def queue_hash(entry: QueueEntry) -> bytes:
    """What the contract stores for a deposit."""
    types = ["uint64", "address", "uint8", "uint16", "uint64", "uint32", "bytes32"]
    values = [
        entry.index,
        "0x" + entry.depositor.to_bytes(20, "big").hex(),
        entry.kind,
        entry.asset,
        entry.amount,
        entry.target,
        entry.owner.to_bytes(32, "big"),
    ]
    return keccak(encode(types, values))
