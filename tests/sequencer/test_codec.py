# SPDX-License-Identifier: GPL-3.0-or-later
"""Records to JSON and back, for every field of every record; what is no record is refused by name."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import P
from zkmargin.protocol.model import (
    Account,
    Auth,
    Holding,
    InstrumentTick,
    QueueEntry,
    Signature,
    Tick,
    Touch,
)
from zkmargin.sequencer.codec import decode, decode_tick, decode_touch, encode, encode_tick, show

AUTH = Auth(7, P - 1, 5, Signature(1, 2, P - 1))
ENTRY = QueueEntry((1 << 64) - 1, (1 << 160) - 1, 2, 9, 5, 17, P - 1)
FULL: dict[type[Any], Any] = {
    Touch: Touch(4, 511, 17, 4095, 1, (1 << 64) - 1, 5, 1, ENTRY, 3, 4, 5, 6, AUTH),
    Auth: AUTH,
    Signature: AUTH.signature,
    QueueEntry: ENTRY,
    InstrumentTick: InstrumentTick(
        7, 1 << 63, 1 - (1 << 64), (1, 2, (1 << 48) - 1), -(1 << 65), -1, -2, (1, 2, 3, 4), (5, 6, 7, 8)
    ),
}
FULL[Holding] = Holding(4095, 3, 1, (1 << 48) - 1)
FULL[Account] = Account(17, 5, (1 << 160) - 1, P - 1, 1 - (1 << 119), (None, FULL[Holding], None))
FULL[Tick] = Tick((1 << 32) - 1, 99, 3 << 31, 1, 1 << 32, (FULL[InstrumentTick], InstrumentTick()))


@pytest.mark.parametrize("kind", FULL, ids=lambda kind: kind.__name__)
def test_there_and_back(kind: type[Any]) -> None:
    record = FULL[kind]
    written = json.loads(json.dumps(encode(record)))
    assert set(written) == {field.name for field in fields(kind)}
    assert decode(kind, written) == record


@pytest.mark.parametrize("kind", FULL, ids=lambda kind: kind.__name__)
def test_no_other_fields(kind: type[Any]) -> None:
    written = encode(FULL[kind])
    with pytest.raises(BadInput, match="unknown field 'extra'"):
        decode(kind, written | {"extra": "1"})
    with pytest.raises(BadInput, match="not a JSON object"):
        decode(kind, [written])


@pytest.mark.parametrize("value", [0.0, 1.0, True, None, "", "1.0", [], {}, "\u0661", "1" * 101, 1 << 300])
@pytest.mark.parametrize("kind", FULL, ids=lambda kind: kind.__name__)
def test_no_field_takes_what_is_no_integer_of_its_size(kind: type[Any], value: object) -> None:
    written = encode(FULL[kind])
    for name in written:
        if (name in ("entry", "auth") and value is None) or (
            written[name] and value == [] and name == "instruments"
        ):
            continue
        if isinstance(written[name], list) and value == []:
            continue
        with pytest.raises(BadInput, match=name):
            decode(kind, written | {name: value})


def test_a_tick_names_the_row_that_is_wrong() -> None:
    written = encode_tick(FULL[Tick])
    assert decode_tick(written) == FULL[Tick]
    written["instruments"][1]["maintenance"][3] = "1.5"
    with pytest.raises(
        BadInput, match=r"the tick\.instruments\[1\]\.maintenance\[3\] is '1.5', not an integer"
    ):
        decode_tick(written)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(encode(FULL[Touch]))), inner)
    ),
    max_leaves=8,
)


@given(_JSON)
def test_anything_is_a_touch_or_bad_input(raw: Any) -> None:
    message = "a touch"
    try:
        touch = decode_touch(raw)
    except BadInput as error:
        message = error.message
    else:
        assert decode_touch(encode(touch)) == touch
    assert message
    assert "\n" not in message


def test_what_is_shown_is_short() -> None:
    values = ["x" * 10_000, 1 << 100_000, -(1 << 100_000), [1] * 1000, {"a": 1}, None, True, 1.5, "\n"]
    assert all(len(show(value)) < 60 and "\n" not in show(value) for value in values)
