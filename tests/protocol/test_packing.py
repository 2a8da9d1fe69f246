# SPDX-License-Identifier: GPL-3.0-or-later
"""Packed integers: round trips, fields that never reach into their neighbours, refusals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.strategies import bits
from zkmargin.errors import BadInput
from zkmargin.protocol.constants import PACKING, P
from zkmargin.protocol.packing import pack, split, unpack


@given(st.data(), st.sampled_from(sorted(PACKING)))
def test_unpack_reverses_pack(data: st.DataObject, name: str) -> None:
    fields = {field: data.draw(bits(width)) for field, width in PACKING[name].items()}
    assert unpack(name, pack(name, **fields)) == fields


@pytest.mark.parametrize("name", PACKING)
def test_largest_values_fill_their_bits_and_no_others(name: str) -> None:
    layout, seen = PACKING[name], 0
    for field, width in layout.items():
        word = pack(name, **{field: (1 << width) - 1})
        assert word.bit_count() == width
        assert word & seen == 0
        seen |= word
    assert seen == (1 << sum(layout.values())) - 1
    assert pack(name, **{field: (1 << width) - 1 for field, width in layout.items()}) == seen


@pytest.mark.parametrize(("name", "field"), [(n, f) for n, layout in PACKING.items() for f in layout])
def test_a_value_outside_its_bits_is_refused_by_name(name: str, field: str) -> None:
    for value in (1 << PACKING[name][field], -1):
        with pytest.raises(BadInput, match=rf"{name}\.{field} = {value}"):
            pack(name, **{field: value})


def test_unknown_fields_and_stray_bits_are_refused() -> None:
    with pytest.raises(BadInput, match="no field salary") as caught:
        pack("meta", salary=1)
    assert "nonce" in caught.value.hint
    for name, layout in PACKING.items():
        with pytest.raises(BadInput, match="above its last field"):
            unpack(name, 1 << sum(layout.values()))
        with pytest.raises(BadInput, match="above its last field"):
            unpack(name, -1)


@given(st.integers(0, P - 1))
def test_halves(value: int) -> None:
    hi, lo = split(value)
    assert (hi << 128) + lo == value
    assert 0 <= lo < 1 << 128
    assert 0 <= hi < 1 << 126
