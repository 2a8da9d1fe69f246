# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin sign`: what it signs is taken by `submit`, and what it can't sign is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.place import ANNE, BERT, BTC, PRICE, QUOTE, Place, Said, command
from zkmargin.sequencer.requests import bid_touch, trade_legs, unsigned_json, withdrawal

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("cli")]

Capture = pytest.CaptureFixture[str]
OPERATIONS: dict[str, dict[str, Any]] = {
    "withdraw": unsigned_json("withdraw", [withdrawal(ANNE, QUOTE, 1_000)]),
    "trade": unsigned_json("trade", trade_legs(ANNE, BERT, BTC, 3, PRICE)),
    "bid": unsigned_json("bid", [bid_touch(BERT, BTC, 0, 3, PRICE)]),
}


@pytest.fixture
def people(place: Place) -> Path:
    """The people of the ledger, as a demo writes them."""
    path = place.home.parent / "people.json"
    path.write_text(json.dumps({str(ANNE): {"seed": "anne"}, str(BERT): {"seed": "bert"}}))
    return path


def _sign(place: Place, capfd: Capture, operation: object) -> Said:
    path = place.home.parent / "operation.json"
    path.write_text(json.dumps(operation))
    return command(capfd, "sign", path, "--home", place.home)


@pytest.mark.parametrize("kind", list(OPERATIONS))
def test_what_is_signed_is_taken(place: Place, people: Path, capfd: Capture, kind: str) -> None:
    said = _sign(place, capfd, OPERATIONS[kind])
    assert (said.status, said.err) == (0, "")
    path = people.with_name("signed.json")
    path.write_text(said.out)
    said = command(capfd, "submit", path, "--home", place.home)
    assert (said.status, json.loads(said.out)["state"]) == (0, "waiting")


def test_an_account_of_somebody_else(place: Place, people: Path, capfd: Capture) -> None:
    people.write_text(json.dumps({str(ANNE): {"seed": "bert"}}))
    for account in (ANNE, BERT):
        said = _sign(place, capfd, unsigned_json("withdraw", [withdrawal(account, QUOTE, 1)]))
        assert (said.status, said.error["code"]) == (2, "bad_input")
        assert f"no key of account {account}" in said.error["message"]


@pytest.mark.parametrize("text", ["[]", "{", '{"16": 1}', '{"x": {"seed": "anne"}}', '{"16": {}}'])
def test_people_that_are_none(place: Place, people: Path, capfd: Capture, text: str) -> None:
    people.write_text(text)
    said = _sign(place, capfd, OPERATIONS["withdraw"])
    assert (said.status, said.error["code"]) == (2, "bad_input")
    people.unlink()
    assert _sign(place, capfd, OPERATIONS["withdraw"]).status == 3


@pytest.mark.parametrize(
    "operation", [[], {}, {"kind": "steal", "touches": []}, {"kind": "bid", "touches": [{}]}]
)
def test_no_operation(place: Place, people: Path, capfd: Capture, operation: object) -> None:
    assert people.exists()
    said = _sign(place, capfd, operation)
    assert (said.status, said.error["code"]) == (2, "bad_input")
