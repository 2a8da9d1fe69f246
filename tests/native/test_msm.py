# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums of multiples of points and the change of domain, against py-ecc and Python's integers."""

import random
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from py_ecc import optimized_bn128 as curve

from zkmargin.protocol.poseidon import MODULUS, to_integers, to_words

ENDS = [0, 1, 2, MODULUS - 1, MODULUS - 2, (MODULUS - 1) // 2, 2**253, 2**128, 2**64 - 1, 2**15, 2**15 - 1]
GROUPS = {"g1": curve.G1, "g2": curve.G2}


def words(point: Any) -> bytes:
    """Affine coordinates as words; infinity is all zero."""
    if curve.is_inf(point):
        return bytes(64 if isinstance(point[0], curve.FQ) else 128)
    return to_words([int(c) for part in curve.normalize(point) for c in getattr(part, "coeffs", (part,))])


@cache
def multiple(group: str, factor: int) -> bytes:
    return words(curve.multiply(GROUPS[group], factor % MODULUS))


def check(kernel: ModuleType, group: str, factors: list[int], scalars: list[int], bits: int = 0) -> None:
    """Points are known multiples of G, so the expected sum is one multiplication."""
    expected = sum(f * s for f, s in zip(factors, scalars, strict=True)) % MODULUS
    points = b"".join(multiple(group, f) for f in factors)
    for threads in (1, 3):
        got = kernel.msm(group, points, to_words(scalars), bits, threads)
        assert got == multiple(group, expected)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("bits", [0, 2, 5, 9, 10, 13, 16])
def test_range_ends_and_coinciding_points(kernel: ModuleType, group: str, bits: int) -> None:
    source = random.Random(bits)
    factors = [source.choice([1, 1, 1, 2, MODULUS - 1, MODULUS - 2, 0, 3]) for _ in range(120)]
    scalars = [source.choice([*ENDS, source.randrange(MODULUS)]) for _ in factors]
    check(kernel, group, factors, scalars, bits)


@pytest.mark.parametrize("group", GROUPS)
def test_many_points(kernel: ModuleType, group: str) -> None:
    source = random.Random(3)
    few = [source.randrange(1, MODULUS) for _ in range(40)]
    factors = [source.choice(few) for _ in range(6000)]
    check(kernel, group, factors, [source.randrange(MODULUS) for _ in factors])
    check(kernel, group, factors, [source.choice([0, 1, 1, 0, 2**64 - 1, 77]) for _ in factors])


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(
    ("factors", "scalars"),
    [
        ([], []),
        ([0], [5]),
        ([1], [0]),
        ([1, 1], [1, MODULUS - 1]),
        ([1, MODULUS - 1], [7, 7]),
        ([5] * 9, [3] * 9),
    ],
)
def test_small_and_vanishing_sums(
    kernel: ModuleType, group: str, factors: list[int], scalars: list[int]
) -> None:
    check(kernel, group, factors, scalars)


def test_bad_arguments_are_named(best_kernel: ModuleType) -> None:
    good = words(curve.G1)
    with pytest.raises(ValueError, match="not on the curve"):
        best_kernel.msm("g1", to_words([1, 3]), to_words([1]))
    with pytest.raises(ValueError, match="differ in number"):
        best_kernel.msm("g1", good, to_words([1, 2]))
    with pytest.raises(ValueError, match="scalar 0 is not below"):
        best_kernel.msm("g1", good, to_words([MODULUS]))
    with pytest.raises(ValueError, match="no group"):
        best_kernel.msm("gt", good, to_words([1]))
    with pytest.raises(ValueError, match="power of two"):
        best_kernel.coset_shift(to_words([1, 2, 3]))


def evaluate(coefficients: list[int], at: int) -> int:
    value = 0
    for c in reversed(coefficients):
        value = (value * at + c) % MODULUS
    return value


@pytest.mark.parametrize("log_size", range(8))
def test_coset_shift_is_evaluation(kernel: ModuleType, log_size: int) -> None:
    n, source = 1 << log_size, random.Random(log_size)
    shift = pow(5, (MODULUS - 1) >> (log_size + 1), MODULUS)
    root = shift * shift % MODULUS
    for coefficients in ([source.randrange(MODULUS) for _ in range(n)], [MODULUS - 1] * n, [0] * n):
        on_group = [evaluate(coefficients, pow(root, i, MODULUS)) for i in range(n)]
        on_coset = [evaluate(coefficients, shift * pow(root, i, MODULUS) % MODULUS) for i in range(n)]
        assert to_integers(kernel.coset_shift(to_words(on_group))) == on_coset


@pytest.mark.parametrize("log_size", [12, 15])
def test_large_coset_shift(kernel: ModuleType, log_size: int) -> None:
    """x^k takes the value shift^k * root^(ik) on the coset; sizes past the blocked transform's block."""
    n = 1 << log_size
    shift = pow(5, (MODULUS - 1) >> (log_size + 1), MODULUS)
    root = shift * shift % MODULUS
    powers = [1]
    for _ in range(n - 1):
        powers.append(powers[-1] * root % MODULUS)
    k, factor = n - 3, 12345
    values = [factor * powers[i * k % n] % MODULUS for i in range(n)]
    moved = pow(shift, k, MODULUS)
    assert to_integers(kernel.coset_shift(to_words(values))) == [v * moved % MODULUS for v in values]
