# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ledger offers and refuses: nothing reserved to anyone, every error tested and explained."""

from __future__ import annotations

from eth_utils.crypto import keccak

from zkmargin.chain.artifacts import artifact
from zkmargin.chain.reverts import HINTS, decode_revert, revert_error
from zkmargin.toolchain import home

DEPLOYMENT_ONLY = {
    "AssetOrderWrong",
    "UnitOutOfRange",
    "TokenRepeated",
    "TokenMissing",
    "ConfigOutOfRange",
    "VerifierMissing",
    "CircuitCountWrong",
    "KeyPointAtInfinity",
    "KeysShareDelta",
}


def _own_errors() -> set[str]:
    sources = (home() / "contracts" / "src" / "interfaces").glob("*.sol")
    lines = [line.strip() for source in sources for line in source.read_text().splitlines()]
    return {line.split("(")[0].removeprefix("error ") for line in lines if line.startswith("error ")}


def test_three_functions_change_state() -> None:
    functions = [row for row in artifact("Ledger").abi if row["type"] == "function"]
    changing = {row["name"] for row in functions if row["stateMutability"] not in ("view", "pure")}
    assert changing == {"deposit", "post", "withdraw"}
    assert not any(
        row["stateMutability"] == "payable" for row in artifact("Ledger").abi if "stateMutability" in row
    )


def test_every_error_is_provoked_by_a_test() -> None:
    tests = "".join(path.read_text() for path in (home() / "contracts" / "test").glob("*.t.sol"))
    errors = _own_errors()
    assert len(errors) > 20
    assert [name for name in sorted(errors) if f".{name}.selector" not in tests] == []


def test_every_error_a_user_can_meet_has_a_hint() -> None:
    assert _own_errors() - DEPLOYMENT_ONLY <= HINTS.keys()
    assert _own_errors() >= DEPLOYMENT_ONLY


def test_revert_data_in_words() -> None:
    data = keccak(b"TickStale(uint64,uint256)")[:4] + (60).to_bytes(32, "big") + (999).to_bytes(32, "big")
    assert decode_revert(data) == ("TickStale", {"time": 60, "present": 999})
    error = revert_error("0x" + data.hex())
    assert (error.code, error.retryable) == ("tick_stale", False)
    assert "time 60, present 999" in str(error)


def test_revert_data_of_others() -> None:
    text = keccak(b"Error(string)")[:4] + b"\0" * 31 + b"\x20" + b"\0" * 31 + b"\x03" + b"why" + b"\0" * 29
    assert "why" in str(revert_error(text))
    panic = keccak(b"Panic(uint256)")[:4] + (0x11).to_bytes(32, "big")
    assert "arithmetic overflow" in str(revert_error(panic))
    assert "no reason" in str(revert_error(None))
    assert revert_error("0xdeadbeef", "its words").code == "chain_rejected"
