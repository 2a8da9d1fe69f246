# SPDX-License-Identifier: GPL-3.0-or-later
"""Transactions in separate steps: sign, send, wait.

A poster that may be killed between any two of them signs first, keeps the bytes, and sends these very bytes
as often as it likes: they carry one account nonce, so a chain includes them at most once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import BlockNumber
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import TransactionNotFound, Web3RPCError
from web3.types import TxParams, TxReceipt

from zkmargin.chain.node import chain_errors, rpc_message
from zkmargin.errors import BadInput, ChainRejected, ChainUnreachable

GAS_MARGIN_PERCENT = 25
_POLL_SECONDS = 0.05
_POLL_SECONDS_MOST = 2.0
_ALREADY_THERE = ("already known", "already imported", "known transaction")
_NONCE_USED = ("nonce too low",)


@dataclass(frozen=True)
class Call:
    """What a transaction does: data for a contract, or its creation when `to` is None."""

    to: str | None
    data: bytes


@dataclass(frozen=True)
class SignedTransaction:
    """A transaction that needs only to be sent. `hash` is 0x text."""

    raw: bytes
    hash: str
    nonce: int
    gas: int


@dataclass(frozen=True)
class Receipt:
    """A transaction's place in the chain and its cost in gas."""

    hash: str
    block: int
    timestamp: int
    gas_used: int
    contract: str | None
    logs: list[Any]


def account_of(key: str) -> LocalAccount:
    """The account of a private key; BadInput (without the key) when it is none."""
    try:
        account: LocalAccount = Account.from_key(key)
    except (ValueError, TypeError):
        account = None  # type: ignore[assignment]
    if account is None:
        raise BadInput("that is not a private key", hint="give 32 bytes in hexadecimal")
    return account


def sign(
    web3: Web3, call: Call, key: str, *, nonce: int | None = None, gas: int | None = None
) -> SignedTransaction:
    """Sign `call`. Raises ChainRejected, naming the contract's error, when it would revert now.

    If not given, `nonce` is the account's next, pending transactions counted, and `gas` an estimate and a
    quarter.
    """
    account = account_of(key)
    with chain_errors():
        fields: TxParams = {
            "from": account.address,
            "data": HexBytes(call.data),
            "value": Web3.to_wei(0, "wei"),
        }
        if call.to is not None:
            fields["to"] = Web3.to_checksum_address(call.to)
        if gas is None:
            gas = web3.eth.estimate_gas(fields) * (100 + GAS_MARGIN_PERCENT) // 100
        if nonce is None:
            nonce = web3.eth.get_transaction_count(account.address, "pending")
        tip = Web3.to_wei(1, "gwei")
        base = web3.eth.get_block("latest").get("baseFeePerGas", 0)
        fields |= {"chainId": web3.eth.chain_id, "nonce": nonce, "gas": gas, "type": 2}  # type: ignore[typeddict-item]
        fields |= {"maxPriorityFeePerGas": tip, "maxFeePerGas": Web3.to_wei(2 * base + tip, "wei")}
    signed = account.sign_transaction(dict(fields))  # type: ignore[arg-type]
    return SignedTransaction(bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex(), int(nonce), gas)


def broadcast(web3: Web3, raw: bytes) -> str:
    """Send signed bytes and return their hash; sending what the chain has already is no error.

    Raises ChainRejected with code `nonce_used` when another transaction took the nonce.
    """
    digest = "0x" + Web3.keccak(raw).hex().removeprefix("0x")
    with chain_errors():
        try:
            web3.eth.send_raw_transaction(raw)
        except Web3RPCError as error:
            words = rpc_message(error).lower()
            if any(part in words for part in _ALREADY_THERE) or is_known(web3, digest):
                return digest
            if any(part in words for part in _NONCE_USED):
                raise ChainRejected(
                    "another transaction of this account took the nonce of this one",
                    hint="find out which: nothing else may post with the poster's key",
                    code="nonce_used",
                ) from error
            raise
    return digest


def is_known(web3: Web3, digest: str) -> bool:
    """Whether the chain has the transaction, pending ones included."""
    with chain_errors():
        try:
            web3.eth.get_transaction(HexBytes(digest))
        except TransactionNotFound:
            return False
    return True


def receipt(web3: Web3, digest: str) -> Receipt | None:
    """The receipt, None while there is none; ChainRejected, with the reason, for a reverted transaction."""
    with chain_errors():
        try:
            found = web3.eth.get_transaction_receipt(HexBytes(digest))
        except TransactionNotFound:
            return None
        if found["status"] != 1:
            _raise_reason(web3, digest, found)
        block = web3.eth.get_block(found["blockNumber"])
    contract = found.get("contractAddress")
    return Receipt(
        hash=digest,
        block=found["blockNumber"],
        timestamp=block["timestamp"],
        gas_used=found["gasUsed"],
        contract=str(contract) if contract else None,
        logs=list(found["logs"]),
    )


def wait(
    web3: Web3, digest: str, *, timeout: float = 120.0, meanwhile: Callable[[], None] = lambda: None
) -> Receipt:
    """Wait for the receipt; ChainUnreachable, code `no_receipt`, when none comes in `timeout` seconds.

    `meanwhile` is done each time there is none yet.
    """
    deadline, pause = time.monotonic() + timeout, _POLL_SECONDS
    while True:
        found = receipt(web3, digest)
        if found is not None:
            return found
        meanwhile()
        if time.monotonic() > deadline:
            raise ChainUnreachable(
                f"transaction {digest} is in no block after {timeout:.0f} s",
                hint="it may still come: wait for the same transaction, do not send another",
                code="no_receipt",
            )
        time.sleep(pause)
        pause = min(2 * pause, _POLL_SECONDS_MOST)


def send(web3: Web3, call: Call, key: str, *, timeout: float = 120.0) -> Receipt:
    """Sign, send and wait, for callers that keep no journal."""
    return wait(web3, broadcast(web3, sign(web3, call, key).raw), timeout=timeout)


def _raise_reason(web3: Web3, digest: str, found: TxReceipt) -> None:
    """Run a reverted transaction again on the state before its block, to learn why; always raises."""
    sent = web3.eth.get_transaction(HexBytes(digest))
    again: TxParams = {"from": sent["from"], "data": sent["input"], "gas": sent["gas"]}
    if sent.get("to"):
        again["to"] = sent["to"]
    web3.eth.call(again, BlockNumber(found["blockNumber"] - 1))
    raise ChainRejected(
        f"transaction {digest} reverted in block {found['blockNumber']}, but not on the state before it",
        hint="something else in that block came first, or it ran out of gas",
        code="reverted",
    )
