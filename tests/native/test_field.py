# SPDX-License-Identifier: GPL-3.0-or-later
"""Field arithmetic of every kernel build against Python's integers."""

import itertools
import random
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py_ecc.bn128 import curve_order, field_modulus

from zkmargin.protocol.poseidon import to_integers, to_words

MODULI = {"base": field_modulus, "scalar": curve_order}
OPERATIONS = {
    "add": lambda a, b, p: (a + b) % p,
    "sub": lambda a, b, p: (a - b) % p,
    "mul": lambda a, b, p: a * b % p,
    "neg": lambda a, b, p: -a % p,
    "inverse": lambda a, b, p: pow(a, -1, p) if a else 0,
}


def edges(p: int) -> list[int]:
    """Range ends, limb borders, runs of ones; and values whose Montgomery form is one of these."""
    r_inverse = pow(2**256, -1, p)
    near = [0, 1, 2, 3, p - 1, p - 2, (p - 1) // 2, (p + 1) // 2]
    borders = [2**k + d for k in (32, 63, 64, 127, 128, 191, 192, 252, 253) for d in (-1, 0, 1)]
    limbs = [p - 2**64, p - 2**128, p - 2**192, p & ~(2**64 - 1), p & (2**192 - 1), 2**253 - 2**64]
    return [x % p for x in (*near, *borders, *limbs)] + [x * r_inverse % p for x in (*near, *borders, *limbs)]


def check(kernel: ModuleType, field: str, pairs: list[tuple[int, int]]) -> None:
    a, b = to_words([x for x, _ in pairs]), to_words([y for _, y in pairs])
    for name, expected in OPERATIONS.items():
        got = to_integers(kernel.field_op(field, name, a, b))
        assert got == [expected(x, y, MODULI[field]) for x, y in pairs], name


@pytest.mark.parametrize("field", MODULI)
def test_range_ends(kernel: ModuleType, field: str) -> None:
    check(kernel, field, list(itertools.product(edges(MODULI[field]), repeat=2)))


@pytest.mark.parametrize("field", MODULI)
def test_random_values(kernel: ModuleType, field: str) -> None:
    source = random.Random(7)
    check(
        kernel,
        field,
        [(source.randrange(MODULI[field]), source.randrange(MODULI[field])) for _ in range(3000)],
    )


@pytest.mark.parametrize("field", MODULI)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_values(kernel: ModuleType, field: str, data: st.DataObject) -> None:
    element = st.integers(0, MODULI[field] - 1)
    check(kernel, field, data.draw(st.lists(st.tuples(element, element), min_size=1, max_size=8)))


@pytest.mark.parametrize("field", MODULI)
def test_refuses_what_is_no_element(kernel: ModuleType, field: str) -> None:
    with pytest.raises(ValueError, match="not below the field's modulus"):
        kernel.field_op(field, "add", to_words([0, MODULI[field]]), to_words([0, 0]))
    with pytest.raises(ValueError, match="32-byte words"):
        kernel.field_op(field, "add", b"\0" * 31, b"\0" * 31)
    with pytest.raises(ValueError, match="no operation"):
        kernel.field_op(field, "sqrt", b"", b"")
