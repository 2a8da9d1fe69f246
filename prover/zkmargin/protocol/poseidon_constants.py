# SPDX-License-Identifier: GPL-3.0-or-later
"""Round constants and matrices of circomlib's Poseidon over BN254's scalar field, derived rather than listed.

The Grain LFSR procedure is the one of the Poseidon paper (eprint 2019/458, appendix E and F) and of its
reference script `generate_parameters_grain.sage 1 0 254 t 8 R_P p`: an 80-bit shift register seeded with the
parameters, read through a self-shrinking filter. Constants are drawn by rejection, the elements of the Cauchy
matrix by reduction.

`raw(t)` is what the procedure yields; `sparse(t)` is the same permutation with the partial rounds' matrices
factored into a sparse part and a part that moves to the front, which is the form circomlib publishes and
every fast implementation uses. State width t is the number of inputs + 1, 2 <= t <= 17.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import compress

MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617
FULL_ROUNDS = 8
PARTIAL_ROUNDS = (56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68)  # for t = 2, 3, ...
MAX_INPUTS = len(PARTIAL_ROUNDS)

_FIELD_BITS = 254
_TAPS = (62, 51, 38, 23, 13, 0)
_REGISTER = 80
_SKIPPED = _REGISTER + 160  # the seed itself and the warm-up
_DIGIT_VALUES = bytes.maketrans(b"01", b"\0\1")

Matrix = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Raw:
    """`rounds[r][i]` is added before the S-boxes of round r; then the state becomes `mds` times the state."""

    partial_rounds: int
    rounds: Matrix
    mds: Matrix


@dataclass(frozen=True)
class Sparse:
    """The factored form, with f = 8 full rounds, half before and half after the partial ones.

    `before[0]` is added to the inputs. Full round r of the first half: S-boxes, add `before[r+1]`, multiply
    by `mds` (the last one by `pre`). Partial round k: S-box on element 0, add `partial[k]` to it, then new
    element 0 is `rows[k]` times the state and element j grows by `columns[k][j-1]` times the old element 0.
    Full round r of the second half: S-boxes, add `after[r]` (none in the last), multiply by `mds`.
    """

    before: Matrix
    pre: Matrix
    partial: tuple[int, ...]
    rows: Matrix
    columns: Matrix
    after: Matrix
    mds: Matrix


def _grain_stream(t: int, partial_rounds: int, length: int) -> bytes:
    """The first `length` register bits after the warm-up as ASCII digits; `length` even.

    Squaring the recurrence's polynomial doubles the distance of its taps: b[i+80k] is the sum of b[i+62k],
    b[i+51k], ... for k a power of two, so a whole block of 18k bits comes from six shifts.
    """
    seed = f"{1:02b}{0:04b}{_FIELD_BITS:012b}{t:012b}{FULL_ROUNDS:010b}{partial_rounds:010b}" + "1" * 30
    bits = int(seed[::-1], 2)  # bit i of the integer is b[i]
    have, k = _REGISTER, 1
    while have < length + _SKIPPED:
        while 2 * k * _REGISTER <= have:
            k *= 2
        block = (_REGISTER - _TAPS[0]) * k
        new = 0
        for tap in _TAPS:
            new ^= bits >> (have - _REGISTER * k + tap * k)
        bits |= (new & ((1 << block) - 1)) << have
        have += block
    return f"{bits:0{have}b}".encode()[::-1][_SKIPPED : _SKIPPED + length]


def _elements(t: int, partial_rounds: int) -> tuple[list[int], list[int]]:
    """Round constants (by rejection) and the 2t seeds of the matrix (by reduction), in drawing order."""
    wanted = t * (FULL_ROUNDS + partial_rounds)
    length = 2 * _FIELD_BITS * (3 * wanted + 4 * t + 128)  # 1/4 of the bits, then 3/4 of the words are kept
    stream = _grain_stream(t, partial_rounds, length)
    kept = bytes(compress(stream[1::2], stream[::2].translate(_DIGIT_VALUES)))
    words = (int(kept[i : i + _FIELD_BITS], 2) for i in range(0, len(kept) - _FIELD_BITS + 1, _FIELD_BITS))
    constants: list[int] = []
    while len(constants) < wanted:
        word = next(words)
        if word < MODULUS:
            constants.append(word)
    return constants, [next(words) % MODULUS for _ in range(2 * t)]


def partial_rounds(t: int) -> int:
    """Number of partial rounds at state width `t`; ValueError outside 2..17."""
    if not 2 <= t <= MAX_INPUTS + 1:
        raise ValueError(f"Poseidon state width must be 2..{MAX_INPUTS + 1}, not {t}")
    return PARTIAL_ROUNDS[t - 2]


@cache
def raw(t: int) -> Raw:
    """Constants straight from the procedure."""
    count = partial_rounds(t)
    constants, seeds = _elements(t, count)
    xs, ys = seeds[:t], seeds[t:]
    if len(set(seeds)) != 2 * t or any((x + y) % MODULUS == 0 for x in xs for y in ys):
        raise ArithmeticError("the procedure would draw the matrix again; no published width needs that")
    rounds = tuple(tuple(constants[i : i + t]) for i in range(0, len(constants), t))
    return Raw(count, rounds, tuple(tuple(pow(x + y, -1, MODULUS) for y in ys) for x in xs))


def _apply(matrix: Matrix, vector: list[int]) -> list[int]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) % MODULUS for row in matrix]


def _inverse(matrix: Matrix) -> Matrix:
    """Inverse by Gauss-Jordan elimination; the MDS matrices and their minors are regular."""
    n = len(matrix)
    rows = [list(row) + [int(i == j) for j in range(n)] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = next(r for r in range(i, n) if rows[r][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        scale = pow(rows[i][i], -1, MODULUS)
        rows[i] = [x * scale % MODULUS for x in rows[i]]
        for r in range(n):
            factor = rows[r][i]
            if r != i and factor:
                rows[r] = [(x - factor * y) % MODULUS for x, y in zip(rows[r], rows[i], strict=True)]
    return tuple(tuple(row[n:]) for row in rows)


def _power(matrix: Matrix, exponent: int) -> Matrix:
    """`matrix` to a power >= 1."""
    if exponent == 1:
        return matrix
    half = _power(matrix, exponent // 2)
    columns = _transpose(half)
    square = _transpose(tuple(tuple(_apply(half, list(c))) for c in columns))
    if exponent % 2 == 0:
        return square
    return _transpose(tuple(tuple(_apply(square, list(c))) for c in _transpose(matrix)))


def _transpose(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


@cache
def sparse(t: int) -> Sparse:
    """The factored form of `raw(t)`.

    With A the matrix without its first row and column, v and w those without the corner, D_k = diag(1, A^k):
    from the last partial round backwards D_k * M = sparse_k * D_{k+1} where sparse_k has row (corner,
    v A^-(k+1)), column A^k w and the identity elsewhere; D_{k+1} commutes with an S-box on element 0 and so
    moves before it.
    Constants of elements 1.. move the same way, through the inverse matrix.
    """
    base = raw(t)
    mds, inverse, half = base.mds, _inverse(base.mds), FULL_ROUNDS // 2
    minor = tuple(row[1:] for row in mds[1:])
    minor_inverse_t = _transpose(_inverse(minor))

    row, column = list(mds[0][1:]), [r[0] for r in mds[1:]]
    rows: list[tuple[int, ...]] = []
    columns: list[tuple[int, ...]] = []
    for _ in range(base.partial_rounds):
        row = _apply(minor_inverse_t, row)
        rows.append((mds[0][0], *row))
        columns.append(tuple(column))
        column = _apply(minor, column)
    moved = _power(minor, base.partial_rounds)
    pre_t = tuple((r[0], *_apply(moved, list(r[1:]))) for r in _transpose(mds))

    last = half + base.partial_rounds
    carried = list(base.rounds[last])
    partial = [0] * base.partial_rounds
    for k in reversed(range(base.partial_rounds)):
        carried = _apply(inverse, carried)
        partial[k] = carried[0]
        own = base.rounds[half + k]
        carried = [own[0], *((a + b) % MODULUS for a, b in zip(own[1:], carried[1:], strict=True))]

    def pulled(vector: list[int] | tuple[int, ...]) -> tuple[int, ...]:
        return tuple(_apply(inverse, list(vector)))

    return Sparse(
        before=(base.rounds[0], *(pulled(base.rounds[r]) for r in range(1, half)), pulled(carried)),
        pre=_transpose(pre_t),
        partial=tuple(partial),
        rows=tuple(reversed(rows)),
        columns=tuple(reversed(columns)),
        after=tuple(pulled(base.rounds[r]) for r in range(last + 1, last + half)),
        mds=mds,
    )
