# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters: JSON there and back, and a refusal for every rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from protocol.samples import SMALL, oracle_keys, params
from zkmargin.errors import BadInput
from zkmargin.protocol.constants import COLLATERAL, RATE_ONE, P, load
from zkmargin.protocol.eddsa import A, D
from zkmargin.protocol.model import InstrumentParams, Params

GOOD = params()


def row(number: int, **changes: Any) -> Params:
    table = list(GOOD.instruments)
    table[number] = replace(table[number], **changes)
    return replace(GOOD, instruments=tuple(table))


def with_key(key: tuple[int, int]) -> Params:
    return replace(GOOD, oracle_keys=(*GOOD.oracle_keys[:-1], key))


BROKEN: dict[str, tuple[Params, str]] = {
    "tau of 1": (replace(GOOD, tau=RATE_ONE), "tau must be above 1"),
    "tau out of range": (replace(GOOD, tau=2 * RATE_ONE), "tau is out of range"),
    "penalty at the target": (replace(GOOD, penalty_rate=GOOD.tau - RATE_ONE), "below tau - 1"),
    "share above 1": (replace(GOOD, bidder_share=RATE_ONE + 1), "bidder_share"),
    "negative share": (replace(GOOD, bidder_share=-1), "bidder_share"),
    "no clock": (replace(GOOD, slot_seconds=0), "slot_seconds"),
    "no oracles": (replace(GOOD, oracle_keys=()), "no oracle key"),
    "an oracle twice": (with_key(GOOD.oracle_keys[0]), "one key"),
    "a key off the curve": (with_key((1, 2)), "oracle 3"),
    "the neutral point as key": (with_key((0, 1)), "oracle 3"),
    "a key of order 2": (with_key((0, P - 1)), "oracle 3"),
    "a key not reduced": (with_key((GOOD.oracle_keys[3][0] + P, GOOD.oracle_keys[3][1])), "oracle 3"),
    "quote listed": (row(0, flags=1), "instrument 0"),
    "flags": (row(1, flags=3), "neither perpetual nor collateral"),
    "a limited listing": (row(1, flags=5), "neither perpetual nor collateral"),
    "rates of an unlisted one": (row(5, jump=1), "unlisted"),
    "haircut of a perpetual": (row(1, haircut=1), "no haircut"),
    "no maintenance rate": (row(1, mmr=(0, 0, 0, 0)), "maintenance rate above 0"),
    "initial below maintenance": (row(1, imr=(1, 2, 3, 4)), "initial rate is below"),
    "falling maintenance": (row(1, mmr=(4, 3, 2, 1)), "must not fall"),
    "falling initial": (row(1, imr=tuple(reversed(GOOD.instruments[1].imr))), "must not fall"),
    "a rate above 1": (row(1, imr=(RATE_ONE + 1,) * 4), "not a rate"),
    "a negative jump": (row(1, jump=-1), "not a rate"),
    "a jump that moves nothing": (row(1, jump=4095), "can't move"),
    "three tiers": (row(1, mmr=(1, 2, 3)), "needs 4 maintenance"),
    "two bounds": (row(1, bounds=(1, 2)), "3 tier bounds"),
    "bounds that fall": (row(1, bounds=(3, 2, 1)), "must ascend"),
    "a bound of 2^48": (row(1, bounds=(1, 2, 1 << 48)), "below 2^48"),
    "margin on collateral": (row(9, mmr=(1, 1, 1, 1)), "neither margin rates nor funding"),
    "funding on collateral": (row(9, funding_cap=1), "neither margin rates nor funding"),
    "one symbol twice": (row(2, symbol="BTC-PERP"), "one symbol"),
    "one instrument": (replace(GOOD, instruments=GOOD.instruments[:1]), "1 instruments"),
}


def test_good_parameters() -> None:
    GOOD.validate()
    GOOD.validate(SMALL)
    row(1, jump=4096).validate()
    row(9, haircut=RATE_ONE).validate()


def test_json_there_and_back() -> None:
    text = json.dumps(GOOD.to_json())
    assert Params.from_json(json.loads(text)) == GOOD
    assert "e+" not in text
    assert '"tau": "4724464025"' in text


@pytest.mark.parametrize(("broken", "message"), BROKEN.values(), ids=BROKEN)
def test_every_rule_is_checked_by_name(broken: Params, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        broken.validate()
    assert message in caught.value.message
    assert caught.value.code == "bad_params"


def test_json_against_the_rules_is_refused() -> None:
    with pytest.raises(BadInput, match="tau must be above 1"):
        Params.from_json(BROKEN["tau of 1"][0].to_json())


def test_collateral_before_a_perpetual() -> None:
    table = list(GOOD.instruments)
    table[1], table[9] = table[9], table[1]
    with pytest.raises(BadInput, match="liquidation order"):
        replace(GOOD, instruments=tuple(table)).validate()


def test_sizes_of_the_profile() -> None:
    for other in (
        replace(GOOD, oracle_keys=oracle_keys(3)),
        replace(GOOD, instruments=GOOD.instruments[:-2]),
    ):
        other.validate()
        with pytest.raises(BadInput, match="profile small has 16 instruments and 4 oracles"):
            other.validate(SMALL)
    with pytest.raises(BadInput, match="profile main"):
        GOOD.validate(load().profile("main"))


def test_a_key_of_small_order_times_a_good_one() -> None:
    """A point on the curve outside the prime subgroup: the negative of a good key's."""
    x, y = GOOD.oracle_keys[3]
    twisted = (-x % P, -y % P)  # the sum with (0, -1), which has order 2
    assert (A * twisted[0] ** 2 + twisted[1] ** 2 - 1 - D * twisted[0] ** 2 * twisted[1] ** 2) % P == 0
    with pytest.raises(BadInput, match="oracle 3"):
        with_key(twisted).validate()


def _set(path: list[Any], value: Any) -> Callable[[dict[str, Any]], Any]:
    def change(raw: dict[str, Any]) -> Any:
        place: Any = raw
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        return raw

    return change


MALFORMED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a list": lambda raw: [],
    "nothing": lambda raw: None,
    "empty": lambda raw: {},
    "a fraction": _set(["tau"], 4724464025.5),
    "a rounded number": _set(["tau"], 4724464025.0),
    "true": _set(["slot_seconds"], True),
    "a word": _set(["tau"], "a lot"),
    "an underscore": _set(["tau"], "4_724464025"),
    "other digits": _set(["slot_seconds"], "\u0663"),
    "a very long number": _set(["tau"], "1" * 10_000),
    "instruments as a list": _set(["instruments"], []),
    "an instrument below the table": lambda raw: _set(["instruments", "-1"], raw["instruments"]["1"])(raw),
    "an instrument above the table": lambda raw: _set(["instruments", "16"], raw["instruments"]["1"])(raw),
    "a huge table": _set(["table_size"], "1000000000000"),
    "a rate missing": _set(["instruments", "1"], {}),
    "a symbol that is no text": _set(["instruments", "1", "symbol"], 5),
    "half a key": _set(["oracle_keys"], [["1"]]),
}


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED)
def test_malformed_json_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises(BadInput) as caught:
        Params.from_json(change(json.loads(json.dumps(GOOD.to_json()))))
    assert caught.value.code == "bad_params"


def test_unlisted_rows_are_left_out() -> None:
    assert sorted(GOOD.to_json()["instruments"]) == ["1", "2", "9"]
    assert Params.from_json(GOOD.to_json()).instruments[5] == InstrumentParams.unlisted()
    assert GOOD.instruments[9].flags == COLLATERAL
