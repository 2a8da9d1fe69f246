# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin submit`: each bad operation gets one error that names what is wrong, and changes nothing."""

from __future__ import annotations

import copy
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli.place import (
    ANNE,
    BERT,
    BTC,
    DEPOSIT,
    KEYS,
    PRICE,
    PROFILE,
    SLOT,
    UNLISTED,
    Place,
    Said,
    command,
    dump,
    program,
    reports,
    start,
)
from contracts.ledger import ETHER
from zkmargin.protocol.constants import Op, P
from zkmargin.protocol.eddsa import SUBGROUP_ORDER, keypair
from zkmargin.protocol.words import domain_word
from zkmargin.sequencer.requests import BID_NONCES

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("cli")]

Capture = pytest.CaptureFixture[str]
READING = ("touches", "the operation", "there is no operation", "a withdraw", "a trade", "a bid")
Change = Callable[[dict[str, Any]], object]


def _submit(place: Place, capfd: Capture, request: Any) -> Said:
    path = place.home.parent / "operation.json"
    if isinstance(request, bytes):
        path.write_bytes(request)
    else:
        path.write_text(request if isinstance(request, str) else json.dumps(request))
    return command(capfd, "submit", path, "--home", place.home)


def _refused(place: Place, capfd: Capture, request: object, status: int = 2) -> dict[str, Any]:
    before = dump(place.home)
    said = _submit(place, capfd, request)
    assert said.status == status, said
    assert dump(place.home) == before
    error = said.error
    if error["code"] == "bad_input" and error["message"].startswith(READING):
        assert error["hint"], error
    return error


def _operations(place: Place) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(place.home / "journal.sqlite")) as base:
        return list(base.execute("SELECT id, state FROM operations ORDER BY id"))


# ------------------------------------------------------------------- what is good


@pytest.mark.parametrize("kind", ["withdraw", "trade", "bid"])
def test_a_good_operation_waits(place: Place, capfd: Capture, kind: str) -> None:
    before = dump(place.home)
    said = _submit(place, capfd, getattr(place, kind)())
    assert (said.status, said.err) == (0, "")
    assert json.loads(said.out) == {"operation": 1, "state": "waiting"}
    assert _operations(place) == [(1, "waiting")]
    assert dump(place.home)["state.sqlite"] == before["state.sqlite"]


@pytest.mark.parametrize("kind", ["withdraw", "trade", "bid"])
def test_the_same_operation_written_otherwise_is_one(place: Place, capfd: Capture, kind: str) -> None:
    request = getattr(place, kind)()
    numbers = copy.deepcopy(request)
    for touch in numbers["touches"]:
        for name in ("account_id", "size", "price", "max_size"):
            touch[name] = int(touch[name])
        touch["auth"]["last_slot"] = int(touch["auth"]["last_slot"])
        touch["leaf_index"] = 7  # the sequencer finds the leaf by itself
        del touch["entry"]
    short = {"touches": request["touches"], "kind": kind}
    for written in (request, numbers, short, json.dumps(request, indent=3)):
        said = _submit(place, capfd, written)
        assert json.loads(said.out) == {"operation": 1, "state": "waiting"}
    assert _operations(place) == [(1, "waiting")]


def test_other_terms_nonces_and_accounts_are_other_operations(place: Place, capfd: Capture) -> None:
    requests = [
        place.withdraw(),
        place.withdraw(1_001),
        place.withdraw(account=BERT),
        place.withdraw(last_slot=SLOT),
        place.trade(),
        place.bid(),
        place.bid(ahead=1),
        place.bid(ahead=BID_NONCES - 1),
        place.bid(2),
    ]
    numbers = [json.loads(_submit(place, capfd, request).out)["operation"] for request in requests]
    assert numbers == list(range(1, len(requests) + 1))


def test_a_good_operation_follows_a_bad_one(place: Place, capfd: Capture) -> None:
    assert _refused(place, capfd, place.withdraw(DEPOSIT + 1))["code"] == "withdraw_too_much"
    assert _submit(place, capfd, place.withdraw(DEPOSIT)).status == 0


def _decide(place: Place, price: int = 0) -> set[int]:
    """Plan what is due and what waits, after the next tick if there is a price; the opcodes that were due."""
    sequencer = start(place.bench, place.home)
    try:
        if price:
            slot = sequencer.tick.slot + 1
            sequencer.decide_tick(reports(sequencer, slot, range(PROFILE.quorum), price), slot)
        due = sequencer.decide_due([], [])
        sequencer.decide_submitted()
        sequencer.close_draft()
        place.accounts.update({number: sequencer.ledger.account(number) for number in KEYS})
        return {effect.touch.op for effect in due.effects}
    finally:
        sequencer.close()


def test_a_bid_waits_until_it_is_filled(place: Place, capfd: Capture) -> None:
    assert _submit(place, capfd, place.trade(100)).status == 0
    _decide(place)
    assert _submit(place, capfd, place.bid(100)).status == 0
    assert _decide(place, PRICE) == set()
    assert _operations(place) == [(1, "planned"), (2, "waiting")]
    assert Op.TAKE_BID in _decide(place, PRICE * 94 // 100)
    assert _operations(place) == [(1, "planned"), (2, "planned")]


def test_a_bid_that_is_too_late_or_replayed_is_refused(place: Place, capfd: Capture) -> None:
    assert _submit(place, capfd, place.bid(5, last_slot=SLOT)).status == 0
    assert _submit(place, capfd, place.bid(6)).status == 0
    assert _submit(place, capfd, place.withdraw(1_000, BERT)).status == 0  # the nonce of the second bid
    _decide(place)
    _decide(place, PRICE)
    assert _operations(place) == [(1, "refused"), (2, "refused"), (3, "planned")]


def test_a_signature_is_good_once(place: Place, capfd: Capture) -> None:
    """Of two operations of one nonce the first is planned, the second refused; neither is taken again."""
    first, second = place.withdraw(1_000), place.withdraw(2_000)
    assert _submit(place, capfd, first).status == _submit(place, capfd, second).status == 0
    _decide(place)
    assert _operations(place) == [(1, "planned"), (2, "refused")]
    for request in (first, second):
        assert _refused(place, capfd, request)["code"] == "signature"


def test_what_was_refused_may_be_submitted_again(place: Place, capfd: Capture) -> None:
    assert _submit(place, capfd, place.trade(10)).status == 0
    _decide(place)
    request = place.withdraw(460_000)
    assert _submit(place, capfd, request).status == 0
    _decide(place, PRICE * 95 // 100)
    assert _operations(place) == [(1, "planned"), (2, "refused")]
    assert _refused(place, capfd, request)["code"] == "withdraw_too_much"
    _decide(place, PRICE)
    said = _submit(place, capfd, request)
    assert (said.status, json.loads(said.out)["state"]) == (0, "waiting")
    assert _operations(place)[-1][1] == "waiting"


# ------------------------------------------------------------------- files that are no operation


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b'{"kind": "withdraw",}', "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b"[]", "the operation is a list, not a JSON object"),
        (b"null", "the operation is null, not a JSON object"),
        (b'"withdraw"', "the operation is 'withdraw', not a JSON object"),
        (b"12", "the operation is 12, not a JSON object"),
        (b"NaN", "the operation is nan, not a JSON object"),
        (b" " * (64 * 1024 + 1), "at most 65536"),
        (b"{}", "the operation lacks kind"),
        (b'{"kind": "withdraw"}', "the operation lacks touches"),
        (b'{"kind": "steal", "touches": []}', "no operation of kind 'steal'"),
        (b'{"kind": ["withdraw"], "touches": []}', "no operation of kind a list"),
        (b'{"kind": null, "touches": []}', "no operation of kind null"),
        (b'{"kind": "withdraw", "touches": {}}', "touches is an object, not a list"),
        (b'{"kind": "withdraw", "touches": []}', "a withdraw has 1 touches, given: 0"),
        (b'{"kind": "trade", "touches": [{}]}', "a trade has 2 touches, given: 1"),
        (b'{"kind": "withdraw", "touches": [3]}', "touches[0] is 3, not a JSON object"),
        (b'{"kind": "withdraw", "touches": [{}]}', "touches[0] lacks op"),
        (b'{"kind": "withdraw", "touches": [], "fee": 1}', "unknown field 'fee'"),
    ],
)
def test_no_operation(place: Place, capfd: Capture, text: bytes, words: str) -> None:
    error = _refused(place, capfd, text)
    assert error["code"] == "bad_input"
    assert words in error["message"]
    assert error["retryable"] is False


def _as_program(place: Place, text: str) -> dict[str, Any]:
    """The error of the program itself, which has another stack than a test."""
    before, path = dump(place.home), place.home.parent / "operation.json"
    path.write_text(text)
    said = program("submit", "--json", path, "--home", place.home)
    assert dump(place.home) == before
    assert said.status == 2
    return said.error


def test_deep_json(place: Place) -> None:
    assert _as_program(place, "[" * 65_000)["code"] == "bad_input"
    assert _as_program(place, "[" * 32_000 + "]" * 32_000)["code"] == "bad_input"
    deep = json.dumps({"kind": "withdraw", "touches": [0]}).replace("0", "[" * 30_000 + "]" * 30_000)
    assert "nest too deeply" in _as_program(place, deep)["message"]


def test_long_integer(place: Place) -> None:
    assert _as_program(place, '{"kind": ' + "9" * 5_000 + "}")["code"] == "bad_input"


def test_no_file(place: Place, capfd: Capture, tmp_path: Path) -> None:
    before = dump(place.home)
    for path in (tmp_path / "none.json", tmp_path):
        said = command(capfd, "submit", path, "--home", place.home)
        assert said.status == 3
        assert said.error["code"] == "missing_data"
        assert str(path) in said.error["message"]
    assert dump(place.home) == before


@pytest.mark.parametrize(
    "arguments", [[], ["a.json", "b.json"], ["a.json", "--frobnicate"], ["a.json", "--home"]]
)
def test_usage(capfd: Capture, arguments: list[str]) -> None:
    said = command(capfd, "submit", *arguments)
    assert said.status == 2
    assert said.error["code"] == "usage"


# ------------------------------------------------------------------- fields


def _at(request: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *folders, name = path.split(".")
    where = request["touches"][0]
    for folder in folders:
        where = where[folder]
    return where, name


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        1e3,
        True,
        False,
        None,
        [],
        {},
        "",
        "1.0",
        "1e3",
        "0x10",
        " 5",
        "5 ",
        "+5",
        "--5",
        "1_000",
        "\u0665",
        "nan",
        "1" * 101,
    ],
)
@pytest.mark.parametrize("path", ["size", "auth.signature.s"])
def test_no_integer(place: Place, capfd: Capture, value: object, path: str) -> None:
    request = place.withdraw()
    where, name = _at(request, path)
    where[name] = value
    error = _refused(place, capfd, request)
    assert error["code"] == "bad_input"
    assert error["message"].startswith(f"touches[0].{path} is ")
    assert "decimal strings" in error["hint"]


@pytest.mark.parametrize("written", [str, int])
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("size", -1),
        ("size", 1 << 64),
        ("size", P),
        ("price", 1 << 64),
        ("side", 2),
        ("flag", 2),
        ("op", 256),
        ("instrument", 4096),
        ("account_id", -1),
        ("account_id", 1 << 32),
        ("leaf_index", 1 << 32),
        ("counterparty", 1 << 32),
        ("max_size", 1 << 64),
        ("min_reward", 1 << 64),
        ("limit_price", 1 << 64),
        ("limit_price", -(1 << 64)),
        ("auth.last_slot", 1 << 32),
        ("auth.last_slot", -1),
        ("auth.ax", P),
        ("auth.ay", P),
        ("auth.signature.r8x", P),
        ("auth.signature.r8y", -1),
        ("auth.signature.s", P),
        ("size", 10**90),
    ],
)
def test_out_of_range(
    place: Place, capfd: Capture, path: str, value: int, written: Callable[[int], object]
) -> None:
    request = place.withdraw()
    where, name = _at(request, path)
    where[name] = written(value)
    error = _refused(place, capfd, request)
    assert error["code"] == "bad_input"
    assert error["message"].startswith(f"touches[0].{path} is out of range")
    assert error["hint"].startswith("it is at least 0 and below ")


@pytest.mark.parametrize("path", ["amount", "auth.nonce", "auth.signature.r8z"])
def test_unknown_field(place: Place, capfd: Capture, path: str) -> None:
    request = place.withdraw()
    where, name = _at(request, path)
    where[name] = "1"
    error = _refused(place, capfd, request)
    assert error["code"] == "bad_input"
    assert f"has an unknown field '{name}'" in error["message"]
    assert "its fields are" in error["hint"]


@pytest.mark.parametrize(
    "path",
    ["op", "account_id", "auth.last_slot", "auth.ax", "auth.signature", "auth.signature.s"],
)
def test_missing_field(place: Place, capfd: Capture, path: str) -> None:
    request = place.withdraw()
    where, name = _at(request, path)
    del where[name]
    error = _refused(place, capfd, request)
    assert error["code"] == "bad_input"
    assert error["message"].endswith(f"lacks {name}")


@pytest.mark.parametrize("kind", ["withdraw", "trade", "bid"])
def test_unsigned(place: Place, capfd: Capture, kind: str) -> None:
    for absent in (True, False):
        request = getattr(place, kind)()
        request["touches"][-1]["auth"] = None
        if absent:
            del request["touches"][-1]["auth"]
        error = _refused(place, capfd, request)
        assert error["message"] == f"touches[{len(request['touches']) - 1}] is not signed"


def test_other_operations_are_not_for_submission(place: Place, capfd: Capture) -> None:
    for op in (0, 1, 5, 8, 9, 11, 12, 255):
        request = place.withdraw()
        request["touches"][0]["op"] = op
        assert _refused(place, capfd, request)["message"] == f"touches[0].op is {op}, withdraw is 2"


# ------------------------------------------------------------------- against the rules


OTHER = keypair(b"somebody else")
ELSEWHERE = domain_word(1, 1)


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda p: p.withdraw(account=999), "unknown_account", "no account 999"),
        (lambda p: p.withdraw(account=0), "unknown_account", "no account 0"),
        (lambda p: p.withdraw(account=BTC), "backstop", "account 1 is a backstop"),
        (lambda p: p.withdraw(0), "amount", "at least 1"),
        (lambda p: p.withdraw(DEPOSIT + 1), "withdraw_too_much", "initial margin"),
        (lambda p: p.withdraw((1 << 64) - 1), "withdraw_too_much", "initial margin"),
        (lambda p: p.withdraw(asset=ETHER), "withdraw_too_much", "does not hold that much"),
        (lambda p: p.withdraw(asset=BTC), "withdraw_too_much", "does not hold that much"),
        (lambda p: p.withdraw(asset=99), "range", "no instrument 99"),
        (lambda p: p.withdraw(ahead=1), "signature", "nonce 0"),
        (lambda p: p.withdraw(key=OTHER), "signature", "not that of account"),
        (lambda p: p.withdraw(domain=ELSEWHERE), "signature", "not what account"),
        (lambda p: p.withdraw(last_slot=SLOT - 1), "expired", f"until slot {SLOT - 1}, it is slot {SLOT}"),
        (lambda p: p.trade(instrument=UNLISTED), "not_listed", str(UNLISTED)),
        (lambda p: p.trade(instrument=99), "range", "no instrument 99"),
        (lambda p: p.trade(0), "size", ""),
        (lambda p: p.trade(1 << 48), "size_range", ""),
        (lambda p: p.trade(10_000), "below_initial_margin", ""),
        (lambda p: p.trade(last_slot=0), "expired", "until slot 0"),
        (lambda p: p.trade(ahead=1), "signature", "nonce 0"),
        (lambda p: p.bid(0), "size", "takes nothing"),
        (lambda p: p.bid(instrument=UNLISTED), "not_listed", str(UNLISTED)),
        (lambda p: p.bid(instrument=99), "range", "no instrument 99"),
        (lambda p: p.bid(last_slot=SLOT - 1), "expired", f"until slot {SLOT - 1}"),
        (lambda p: p.bid(key=OTHER), "signature", "not that of account"),
        (lambda p: p.bid(domain=ELSEWHERE), "signature", "not what account"),
        (lambda p: p.bid(ahead=BID_NONCES), "signature", f"next {BID_NONCES} nonces"),
    ],
)
def test_refused(
    place: Place, capfd: Capture, make: Callable[[Place], dict[str, Any]], code: str, words: str
) -> None:
    error = _refused(place, capfd, make(place))
    assert error["code"] == code
    assert words in f"{error['message']} {error['hint']}"
    assert error["retryable"] is False


def _change(index: int, **fields: object) -> Change:
    return lambda request: request["touches"][index].update(fields)


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("withdraw", _change(0, size="1001"), "signature"),
        ("withdraw", _change(0, account_id=str(BERT)), "signature"),
        ("withdraw", _change(0, side="0"), "signature"),
        ("withdraw", _change(0, price="1"), "malformed"),
        ("withdraw", _change(0, flag="1"), "malformed"),
        ("withdraw", _change(0, counterparty="1"), "malformed"),
        ("withdraw", _change(0, max_size="1"), "malformed"),
        (
            "withdraw",
            _change(
                0,
                entry=dict.fromkeys(("index", "depositor", "kind", "asset", "target", "owner"), 0)
                | {"amount": 1},
            ),
            "malformed",
        ),
        ("trade", _change(1, account_id=str(ANNE)), "same_account"),
        ("trade", _change(1, size="2"), "legs_differ"),
        ("trade", _change(1, price=str(PRICE + 1)), "legs_differ"),
        ("trade", _change(0, counterparty="999"), "signature"),
        ("trade", lambda request: request["touches"].reverse(), "bad_input"),
        ("bid", _change(0, size="1"), "malformed"),
        ("bid", _change(0, price=str(PRICE)), "malformed"),
        ("bid", _change(0, flag="1"), "malformed"),
        ("bid", _change(0, counterparty="1"), "malformed"),
        ("bid", _change(0, max_size="2"), "signature"),
        ("bid", _change(0, limit_price=str(PRICE + 1)), "signature"),
        ("bid", _change(0, min_reward="1"), "signature"),
        ("bid", _change(0, side="1"), "signature"),
        ("bid", _change(0, account_id="999"), "unknown_account"),
    ],
)
def test_changed_after_signing(place: Place, capfd: Capture, kind: str, change: Change, code: str) -> None:
    request = getattr(place, kind)()
    change(request)
    assert _refused(place, capfd, request)["code"] == code


@pytest.mark.parametrize("name", ["r8x", "r8y", "s"])
@pytest.mark.parametrize("kind", ["withdraw", "trade", "bid"])
def test_flipped_signature(place: Place, capfd: Capture, kind: str, name: str) -> None:
    request = getattr(place, kind)()
    signature = request["touches"][-1]["auth"]["signature"]
    signature[name] = str(int(signature[name]) ^ 1)
    assert _refused(place, capfd, request)["code"] == "signature"


def test_a_signature_has_one_form(place: Place, capfd: Capture) -> None:
    """s plus the order of the subgroup would hold as well."""
    request = place.withdraw()
    signature = request["touches"][0]["auth"]["signature"]
    signature["s"] = str(int(signature["s"]) + SUBGROUP_ORDER)
    assert _refused(place, capfd, request)["code"] == "signature"


def test_one_account_trades_not_with_itself(place: Place, capfd: Capture) -> None:
    request = place.trade()
    first, second = request["touches"]
    request["touches"][1] = {**first, "op": second["op"], "side": second["side"]}
    before = dump(place.home)
    assert _submit(place, capfd, request).status == 2
    assert dump(place.home) == before
    assert KEYS[ANNE] != KEYS[BERT]


# ------------------------------------------------------------------- as a program


def test_the_program_itself(place: Place) -> None:
    """One line of error and its hint, no trace; with `--json` the same as an object."""
    path = place.home.parent / "operation.json"
    path.write_text(json.dumps(place.withdraw(DEPOSIT + 1)))
    plain = program("submit", path, "--home", place.home)
    assert (plain.status, plain.out) == (2, "")
    lines = plain.err.splitlines()
    as_json = program("submit", path, "--home", place.home, "--json")
    assert as_json.status == 2
    error = as_json.error
    assert lines == [f"error: {error['message']}", f"hint: {error['hint']}"]
