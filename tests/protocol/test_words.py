# SPDX-License-Identifier: GPL-3.0-or-later
"""Posted words: read back as written, refused when this protocol can't have written them; C, r and y."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import naive, samples
from protocol.strategies import bits, elements, ticks, touches
from zkmargin.errors import BadInput
from zkmargin.protocol.constants import Op, P, load
from zkmargin.protocol.model import QueueEntry, Tick, Touch
from zkmargin.protocol.packing import pack
from zkmargin.protocol.posted import read_settle, read_tick
from zkmargin.protocol.words import (
    challenge,
    commitment,
    domain_word,
    evaluate,
    header_word,
    queue_hash,
    settle_words,
    tick_words,
    touch_words,
    word_count,
)

SMALL = samples.SMALL
ALICE = 0xF39FD6E51AAD88F6F4CE6AB8827279CFFFB92266
LEDGER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
DOMAIN = domain_word(31337, LEDGER)
ENTRY = QueueEntry(40, ALICE, 1, 9, 77, 5, P - 2)
TOUCHES = [
    (Touch(Op.DEPOSIT, 3, 5, 9, size=77, flag=1, entry=ENTRY), 0),
    (Touch(Op.WITHDRAW, 4, 20, 9, side=1, size=(1 << 48) - 1), ALICE),
    (Touch(Op.LIQUIDATE, 5, 21, 1, side=1, size=6, price=(1 << 64) - 1, flag=1), 0),
    *[(Touch(Op.NOOP, 0, 0), 0)] * 13,
]


def posted(pairs: Sequence[tuple[Touch, int]] = TOUCHES) -> list[int]:
    return settle_words(DOMAIN, P - 1, 5, 1 << 128, [t for t, _ in pairs], [r for _, r in pairs], SMALL)


@given(st.lists(touches(), min_size=16, max_size=16), elements, elements, elements, bits(30))
def test_settle_words_read_back(
    pairs: list[tuple[Touch, int]], root: int, tick: int, new_root: int, consumed: int
) -> None:
    expected, index = [], consumed
    for touch, _ in pairs:
        entry = touch.entry and replace(touch.entry, index=index)
        index += entry is not None
        expected.append(replace(touch, entry=entry))
    paid = [recipient for _, recipient in pairs]
    words = settle_words(DOMAIN, root, tick, new_root, expected, paid, SMALL)
    assert all(0 <= word < 1 << 248 for word in words)
    read = read_settle(words, consumed)
    assert (read.domain, read.root, read.tick, read.new_root) == (DOMAIN, root, tick, new_root)
    assert list(read.touches) == expected
    assert list(read.recipients) == paid


@settings(max_examples=30)
@given(ticks(SMALL), elements, elements, elements, bits(32), bits(16))
def test_tick_words_read_back(
    tick: Tick, previous: int, params: int, new: int, slot: int, present: int
) -> None:
    words = tick_words(DOMAIN, previous, params, new, tick, slot, present, SMALL)
    assert len(words) == word_count("tick", SMALL) == 25
    read = read_tick(words)
    assert (read.domain, read.previous, read.params, read.new) == (DOMAIN, previous, params, new)
    assert (read.slot, read.previous_slot, read.time, read.present) == (tick.slot, slot, tick.time, present)
    for row, expected in zip(read.instruments, tick.instruments, strict=True):
        assert (row.raw, row.mark, row.funding) == (expected.raw, expected.mark, expected.funding)
        assert row.limited == expected.flags // 4


def test_the_order_of_settle_words() -> None:
    words = posted()
    assert len(words) == word_count("settle", SMALL) == 8 + 4 * 16
    assert words[:2] == [72 + (2 << 16) + (1 << 32), int(LEDGER, 16) + (31337 << 160)]
    assert words[2:8] == [(P - 1) >> 128, (P - 1) % (1 << 128), 0, 5, 1, 0]
    assert words[8] == 1 + (1 << 8) + (3 << 9) + (5 << 41) + (9 << 73) + (77 << 86)
    assert words[9:12] == [
        ALICE + (77 << 160) + (9 << 224) + (1 << 236), ((P - 2) >> 128) + (5 << 128), (P - 2) % (1 << 128)
    ]  # fmt: skip
    assert words[13:16] == [ALICE + (((1 << 48) - 1) << 160) + (9 << 224), 0, 0]
    assert words[17:20] == [0, 0, 0]
    assert word_count("settle", load().profile("main")) == 8 + 4 * 32


def _set(index: int, value: int) -> Callable[[list[int]], list[int]]:
    return lambda words: [*words[:index], value, *words[index + 1 :]]


DAMAGE: dict[str, Callable[[list[int]], list[int]]] = {
    "no words": lambda words: [],
    "a word missing": lambda words: words[:-1],
    "a touch missing": lambda words: words[:-4],
    "zeros behind": lambda words: [*words, 0, 0, 0, 0],
    "the header of a tick": _set(0, header_word("tick", 72)),
    "another version": _set(0, pack("header", words=72, circuit=2, version=2)),
    "a bit above the header": lambda words: [words[0] | 1 << 48, *words[1:]],
    "a bit above the domain": lambda words: [words[0], words[1] | 1 << 224, *words[2:]],
    "a negative word": _set(3, -1),
    "a word of 249 bits": _set(3, 1 << 248),
    "the root is p": lambda words: [*words[:2], P >> 128, P % (1 << 128), *words[4:]],
    "a half of 129 bits": _set(7, 1 << 128),
    "an unknown opcode": _set(20, 12),
    "a bit above a touch": _set(20, 1 << 215),
    "an L1 word at a no-op": _set(21, 1),
    "a target at a withdrawal": _set(14, 1),
    "an owner at a liquidation": _set(19, 1),
    "a bit above the target": _set(10, 1 << 160),
    "the owner is p": lambda words: [*words[:10], P >> 128, P % (1 << 128), *words[12:]],
    "another amount than the entry's": lambda words: [*words[:8], words[8] + (1 << 86), *words[9:]],
    "another asset than the entry's": lambda words: [*words[:8], words[8] + (1 << 73), *words[9:]],
    "a withdrawal that pays more": lambda words: [*words[:13], words[13] + (1 << 160), *words[14:]],
    "a withdrawal of a kind": lambda words: [*words[:13], words[13] + (1 << 236), *words[14:]],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_words_of_no_protocol_are_refused(damage: Callable[[list[int]], list[int]]) -> None:
    read_settle(posted(), 40)
    with pytest.raises(BadInput) as caught:
        read_settle(damage(posted()), 40)
    assert caught.value.code == "bad_words"


def test_a_tick_is_no_settle_batch() -> None:
    words = tick_words(DOMAIN, 1, 2, 3, samples.tick(), 1, 7, SMALL)
    with pytest.raises(BadInput):
        read_settle(words, 0)
    with pytest.raises(BadInput):
        read_tick(posted())
    with pytest.raises(BadInput):
        read_tick([*words[:9], 1 << 201, *words[10:]])


def test_what_can_not_be_posted_is_refused() -> None:
    with pytest.raises(BadInput, match="16 touches, not 15"):
        posted(TOUCHES[:15])
    with pytest.raises(BadInput, match="queue entry"):
        touch_words(Touch(Op.DEPOSIT, 0, 0))
    with pytest.raises(BadInput, match=r"touch\.size"):
        touch_words(Touch(Op.TRADE, 0, 0, size=1 << 64))
    with pytest.raises(BadInput, match=r"domain\.chain_id"):
        domain_word(1 << 64, 5)


@given(st.lists(bits(248), min_size=1, max_size=20), elements)
def test_y_is_the_polynomial_of_the_words(words: list[int], point: int) -> None:
    assert evaluate(words, point) == sum(word * pow(point, i, P) for i, word in enumerate(words)) % P


def _abi(chain_id: int, ledger: int, c: int, words: Sequence[int]) -> bytes:
    """abi.encode(bytes32, uint256, address, uint256, uint256[]) by hand."""
    head = [int.from_bytes(keccak(b"zkmargin.challenge.v1"), "big"), chain_id, ledger, c, 5 * 32]
    return b"".join(value.to_bytes(32, "big") for value in [*head, len(words), *words])


@given(st.lists(bits(248), max_size=5), bits(64), bits(160), elements)
def test_r_is_the_hash_of_everything_posted(words: list[int], chain: int, ledger: int, c: int) -> None:
    expected = int.from_bytes(keccak(_abi(chain, ledger, c, words)), "big") % P
    assert challenge(chain, ledger, c, words) == expected
    assert challenge(chain, f"0x{ledger:040x}", c, words) == expected


def test_c_is_the_sponge_of_the_words() -> None:
    assert commitment(posted()) == naive.sponge("data", posted())


def test_the_queue_hash_covers_every_field() -> None:
    changes = [{name: getattr(ENTRY, name) - 1} for name in QueueEntry.__dataclass_fields__]
    assert len({queue_hash(ENTRY), *(queue_hash(replace(ENTRY, **change)) for change in changes)}) == 8
    flat = [ENTRY.index, ENTRY.depositor, ENTRY.kind, ENTRY.asset, ENTRY.amount, ENTRY.target, ENTRY.owner]
    assert queue_hash(ENTRY) == keccak(b"".join(value.to_bytes(32, "big") for value in flat))
