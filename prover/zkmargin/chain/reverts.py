# SPDX-License-Identifier: GPL-3.0-or-later
"""Reverts of the contracts in words: which rule refused, with its numbers, and what to do."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from eth_abi.abi import decode
from eth_utils.abi import function_abi_to_4byte_selector
from eth_utils.crypto import keccak

from zkmargin.chain.artifacts import artifact
from zkmargin.errors import ChainRejected, ZkMarginError

_RACE = "another batch came first; read the chain again and prove the next one"
_POSTER = "the batch was not built by this protocol's rules; rebuild it from the chain"
HINTS = {
    "ProofInvalid": "words or state are not those proved; read the chain again and prove anew",
    "PointInvalid": "the proof is damaged",
    "SignalNotInField": _POSTER,
    "GasTooLow": "give the transaction more gas",
    "NotInField": "values are below the scalar field's modulus",
    "WordCountWrong": "the profile of the batch is not the ledger's",
    "WordTooLarge": _POSTER,
    "WordNotZero": "leave the words that the contract writes 0",
    "HalfTooLarge": _POSTER,
    "EntryMismatch": "hand in the queued deposits in their order, as they were requested",
    "EntriesLeft": "hand in one entry for each deposit touch",
    "TickNotLater": _RACE,
    "TickTimeWrong": _POSTER,
    "TickFromFuture": "wait until the slot has come",
    "TickStale": "take a later slot: the reports are too old for the contract",
    "AssetUnknown": "the deployment record lists the assets in custody",
    "KindUnknown": "kinds are 0 (fund), 1 (open), 2 (account)",
    "AmountOutOfRange": "deposit at least 1 and, of a collateral, less than 2^48 units",
    "CollateralFull": "the ledger holds as much of this collateral as it can; bring another one",
    "TransferInexact": "the ledger takes no tokens with transfer fees",
    "LastTickUncovered": "post the coverage of the last tick first, or together with this one",
    "CircuitUnknown": _POSTER,
    "NothingToVerify": "post at least one batch",
    "NothingToWithdraw": "a withdrawal is payable once the ledger has been covered after it",
    "ERC20InsufficientBalance": "the account has too few tokens",
    "ERC20InsufficientAllowance": "approve the ledger for the tokens first",
}
_RETRYABLE = {"TickFromFuture", "GasTooLow"}
_PANICS = {0x01: "failed assertion", 0x11: "arithmetic overflow", 0x32: "index out of range"}


@cache
def _known() -> dict[bytes, dict[str, Any]]:
    rows = [row for name in ("Ledger", "Groth16Verifier", "DevelopmentToken") for row in artifact(name).abi]
    # Errors of the verifier pass through the ledger, so all contracts' errors are one table.
    return {function_abi_to_4byte_selector(row): row for row in rows if row["type"] == "error"}  # type: ignore[arg-type]


def decode_revert(data: bytes) -> tuple[str, dict[str, Any]] | None:
    """Name and arguments of a custom error, or None for data that are none of the contracts' errors."""
    row = _known().get(data[:4])
    if row is None:
        return None
    types = [item["type"] for item in row["inputs"]]
    values = decode(types, data[4:])
    return row["name"], {item["name"]: value for item, value in zip(row["inputs"], values, strict=True)}


def revert_error(data: object, message: str = "") -> ZkMarginError:
    """The error for revert data (bytes or 0x text, or nothing)."""
    raw = _bytes(data)
    found = decode_revert(raw) if len(raw) >= 4 else None
    if found is None:
        return ChainRejected(f"the contract refused the transaction: {_plain(raw, message)}")
    name, arguments = found
    shown = ", ".join(f"{key} {_show(value)}" for key, value in arguments.items())
    return ChainRejected(
        f"the contract refused the transaction: {name}" + (f" ({shown})" if shown else ""),
        hint=HINTS.get(name, ""),
        code=_code(name),
        retryable=name in _RETRYABLE,
    )


def _bytes(data: object) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, str) and re.fullmatch(r"0x([0-9a-fA-F]{2})*", data):
        return bytes.fromhex(data[2:])
    return b""


def _plain(data: bytes, message: str) -> str:
    if data[:4] == keccak(b"Error(string)")[:4]:
        return str(decode(["string"], data[4:])[0])
    if data[:4] == keccak(b"Panic(uint256)")[:4]:
        code = int(decode(["uint256"], data[4:])[0])
        return _PANICS.get(code, f"panic {code}")
    return message or "it gave no reason"


def _show(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def _code(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
