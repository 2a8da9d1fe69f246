# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's signs of a book: never a wrong one, unsure only near 0, and nothing read past its buffers."""

from __future__ import annotations

import random
from array import array
from types import ModuleType

import pytest

SLOTS, CLASSES = 12, 64
UNSURE = 2


def signs(
    kernel: ModuleType, rows: list[tuple[int, list[tuple[int, int]]]], units: list[int], weight: int = 1
) -> list[int]:
    """Of rows of a balance and (class, size) a slot."""
    balances = array("d", [balance for balance, _ in rows])
    classes = array("H", [slots[j][0] for j in range(SLOTS) for _, slots in rows])
    sizes = array("d", [slots[j][1] for j in range(SLOTS) for _, slots in rows])
    return list(kernel.book_signs(balances, classes, sizes, array("d", units), float(weight)))


def slots_of(*held: tuple[int, int]) -> list[tuple[int, int]]:
    return [*held, *[(0, 0)] * (SLOTS - len(held))]


@pytest.mark.parametrize("seed", range(8))
def test_never_wrong_and_unsure_only_near_nothing(best_kernel: ModuleType, seed: int) -> None:
    rng = random.Random(seed)
    top = 1 << rng.choice([8, 40, 66])
    units = [0, *(rng.randint(-top, top) for _ in range(CLASSES - 1))]
    rows, exact, scale = [], [], []
    for _ in range(500):
        held = [(rng.randrange(CLASSES), rng.getrandbits(rng.choice([1, 20, 48]))) for _ in range(SLOTS)]
        worth = sum(units[k] * size for k, size in held)
        weight = 10
        balance = -worth // weight + rng.choice([0, 1, -1, rng.getrandbits(70), -rng.getrandbits(118)])
        rows.append((balance, held))
        exact.append(weight * balance + worth)
        scale.append(abs(weight * balance) + sum(abs(units[k] * size) for k, size in held))
    found = signs(best_kernel, rows, units, 10)
    for sign, value, size in zip(found, exact, scale, strict=True):
        assert sign == (value < 0) or (sign == UNSURE and abs(value) <= size >> 47)
    assert {0, 1} <= set(found)


def test_rounding_to_the_wrong_side_is_unsure(best_kernel: ModuleType) -> None:
    # 2^53 + 1 is no float64: in doubles this sum of -1 is 0.
    row = (-(1 << 53) - 1, slots_of((1, 1 << 27)))
    assert signs(best_kernel, [row], [0, 1 << 26]) == [UNSURE]


def test_nothing_is_surely_not_negative(best_kernel: ModuleType) -> None:
    assert signs(best_kernel, [(0, slots_of()), (0, slots_of((1, 5)))], [0, 0]) == [0, 0]
    assert signs(best_kernel, [], [0]) == []


def test_a_class_without_unit_value_is_unsure(best_kernel: ModuleType) -> None:
    rows = [(5, slots_of((1, 1))), (5, slots_of((2, 1))), (-5, slots_of((65535, 0)))]
    assert signs(best_kernel, rows, [0, 1]) == [0, UNSURE, UNSURE]


def test_bad_buffers_are_named(best_kernel: ModuleType) -> None:
    one, ids, sizes = array("d", [1.0]), array("H", [0] * SLOTS), array("d", [0.0] * SLOTS)
    for arguments, message in (
        ((one, ids[1:], sizes, one), "class ids have 22 bytes, not 24"),
        ((one, ids, sizes[1:], one), "sizes have 88 bytes, not 96"),
        ((bytes(9), ids, sizes, one), "balances have 9 bytes, not 8"),
        ((one, ids, sizes, bytes(12)), "unit values have 12 bytes, not 8"),
        ((one, ids, sizes, array("d", bytes(8 * 65537))), "at most 65536 classes"),
        ((memoryview(bytearray(17))[1:9], ids, sizes, one), "not aligned"),
    ):
        with pytest.raises(ValueError, match=message):
            best_kernel.book_signs(*arguments, 1.0)
