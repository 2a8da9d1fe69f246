# SPDX-License-Identifier: GPL-3.0-or-later
"""Poseidon over BN254's scalar field with 1 to 16 inputs, equal to circomlib's.

    poseidon(inputs)                 one hash of Python integers
    poseidon_many(width, flat)       a batch of hashes of `width` inputs each
    poseidon_words(width, data)      the same on bytes, no Python integers in between: for trees

A *word* is a field element as 32 little-endian bytes. Every input must be in 0..p-1: an integer and itself
plus p would hash alike, so larger ones are refused rather than reduced.

The native kernel does the work where it is installed (`protocol/kernel.py`), pure Python elsewhere (about a
hundred times slower, same results).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TypeAlias

from zkmargin.errors import BadInput
from zkmargin.protocol import poseidon_constants
from zkmargin.protocol.kernel import kernel as _kernel
from zkmargin.protocol.poseidon_constants import MAX_INPUTS, MODULUS

__all__ = ["MAX_INPUTS", "MODULUS", "WORD", "backend", "poseidon", "poseidon_many", "poseidon_words"]

WORD = 32

Buffer: TypeAlias = bytes | bytearray | memoryview


_loaded: set[int] = set()
_python: dict[int, Callable[[Sequence[int]], int]] = {}
_guard = threading.Lock()


def backend() -> str:
    """`python`, or the name of the kernel build in use."""
    return "python" if _kernel is None else str(_kernel.arch())


def poseidon(inputs: Sequence[int]) -> int:
    """The hash of 1..16 integers in 0..p-1; BadInput for any other length or value."""
    width = len(inputs)
    if _kernel is None:
        _check_width(width)
        for value in inputs:
            _check_value(value)
        return python_hash(width)(inputs)
    ready = _ready(width)
    try:
        data = b"".join([value.to_bytes(WORD, "little") for value in inputs])
        return int.from_bytes(ready.poseidon(width, data), "little")
    except (OverflowError, ValueError) as error:
        raise BadInput(
            f"Poseidon input out of range: {error}", hint="inputs are integers in 0..p-1"
        ) from error


def poseidon_many(width: int, flat: Sequence[int] | Buffer, threads: int = 1) -> list[int]:
    """Hashes of consecutive groups of `width` inputs, given as integers or as words."""
    if not isinstance(flat, bytes | bytearray | memoryview):
        if len(flat) % max(width, 1):
            raise BadInput(f"{len(flat)} inputs cannot be grouped by {width}")
        try:
            flat = b"".join([value.to_bytes(WORD, "little") for value in flat])
        except OverflowError as error:
            raise BadInput(
                f"Poseidon input out of range: {error}", hint="inputs are integers in 0..p-1"
            ) from error
    return to_integers(poseidon_words(width, flat, threads))


def poseidon_words(width: int, data: Buffer, threads: int = 1) -> bytes:
    """Hashes of consecutive groups of `width` words as words; BadInput unless whole groups of words below p.

    A tree level of arity `width` becomes the next level by one call. `threads` share the batch without
    holding the interpreter lock.
    """
    if _kernel is not None:
        try:
            result: bytes = _ready(width).poseidon(width, data, threads)
        except ValueError as error:
            raise BadInput(f"Poseidon: {error}") from error
        return result
    _check_width(width)
    if memoryview(data).nbytes % (WORD * width):
        raise BadInput(
            f"{memoryview(data).nbytes} bytes are no whole groups of {width} words of {WORD} bytes"
        )
    values = to_integers(data)
    for value in values:
        _check_value(value)
    single = python_hash(width)
    return to_words([single(values[i : i + width]) for i in range(0, len(values), width)])


def to_words(values: Sequence[int]) -> bytes:
    """Field elements as concatenated words."""
    return b"".join([value.to_bytes(WORD, "little") for value in values])


def to_integers(words: Buffer) -> list[int]:
    """The field elements of concatenated words."""
    view = memoryview(words).cast("B")
    return [int.from_bytes(view[i : i + WORD], "little") for i in range(0, len(view), WORD)]


def _check_width(width: int) -> None:
    if not 1 <= width <= MAX_INPUTS:
        raise BadInput(f"Poseidon takes 1 to {MAX_INPUTS} inputs, not {width}")


def _check_value(value: int) -> None:
    if not 0 <= value < MODULUS:
        raise BadInput(f"Poseidon input out of range: {value}", hint="inputs are integers in 0..p-1")


def _ready(width: int) -> ModuleType:
    """The kernel, with the constants for `width` inputs loaded."""
    assert _kernel is not None
    if width not in _loaded:
        _check_width(width)
        with _guard:
            if width not in _loaded:
                c = poseidon_constants.sparse(width + 1)
                parts = (*c.before, *c.pre, c.partial, *c.rows, *c.columns, *c.after, *c.mds)
                _kernel.poseidon_load(width, to_words([value for part in parts for value in part]))
                _loaded.add(width)
    return _kernel


def python_hash(width: int) -> Callable[[Sequence[int]], int]:
    """The pure-Python function for `width` inputs; it trusts its input to be in range."""
    if width not in _python:
        _python[width] = _python_hash(width)
    return _python[width]


def _python_hash(width: int) -> Callable[[Sequence[int]], int]:
    c = poseidon_constants.sparse(width + 1)
    p = MODULUS
    partial = tuple(zip(c.partial, c.rows, c.columns, strict=True))
    first_half = tuple(zip(c.before[1:], (c.mds, c.mds, c.mds, c.pre), strict=True))

    def boxed(x: int) -> int:
        square = x * x % p
        return square * square % p * x

    def full(state: list[int], constants: tuple[int, ...], matrix: poseidon_constants.Matrix) -> list[int]:
        state = [(boxed(x) + k) % p for x, k in zip(state, constants, strict=True)]
        return [sum([a * b for a, b in zip(row, state, strict=True)]) % p for row in matrix]

    def run(inputs: Sequence[int]) -> int:
        state = [a + b for a, b in zip((0, *inputs), c.before[0], strict=True)]
        for constants, matrix in first_half:
            state = full(state, constants, matrix)
        first, rest = state[0], state[1:]
        for constant, row, column in partial:
            old = (boxed(first) + constant) % p
            first = (row[0] * old + sum([a * b for a, b in zip(row[1:], rest, strict=True)])) % p
            rest = [(x + a * old) % p for x, a in zip(rest, column, strict=True)]
        state = [first, *rest]
        for constants in c.after:
            state = full(state, constants, c.mds)
        return sum([a * boxed(x) for a, x in zip(c.mds[0], state, strict=True)]) % p

    return run
